// Header names: which are known, and what an unknown one may be made of.

import Bytes

/// The header fields that the codec reads.
enum FieldName: UInt32, Sendable {
    case host, accept, expect, etag
    case ifMatch, connection, retryAfter, contentType, authorization, ifNoneMatch, contentLength
    case contentEncoding, transferEncoding
    case other

    /// A bit of its own, for a set of the fields seen.
    @inline(__always)
    var bit: UInt32 { 1 &<< rawValue }
}

extension Span<UInt8> {
    /// The name that starts a header line, and where its colon stands.
    ///
    /// The name is compared as one to three words with case folded. Folding with the case bit is
    /// exact here: a byte that folds to a letter is that letter in either case, one that folds to
    /// a hyphen is a hyphen or a CR, and no line has a CR.
    ///
    /// - Throws: `HTTPRefusal` when the name is empty, no token, or not followed by a colon.
    @inline(__always)
    func fieldName(of line: ByteRange) throws(HTTPRefusal) -> (name: FieldName, colon: Int) {
        let start = line.offset
        let first = partialWord(at: start) | caseBits
        var colons = marks(first, of: UInt8(ascii: ":"))
        if colons != 0 {
            let length = byteIndex(ofMark: colons)
            switch first & lowBytes(length) {
            case packed("host"): return (.host, start &+ 4)
            case packed("accept"): return (.accept, start &+ 6)
            case packed("expect"): return (.expect, start &+ 6)
            case packed("etag"): return (.etag, start &+ 4)
            default: return (.other, try colonOfUnknownName(line))
            }
        }
        guard line.count > 8 else { return (.other, try colonOfUnknownName(line)) }
        let second = partialWord(at: start &+ 8) | caseBits
        colons = marks(second, of: UInt8(ascii: ":"))
        if colons != 0 {
            let length = byteIndex(ofMark: colons)
            let name = Self.name(first, second & lowBytes(length))
            if name != .other { return (name, start &+ 8 &+ length) }
        } else if line.count > 16 {
            let third = partialWord(at: start &+ 16) | caseBits
            if first == packed("content-"), second == packed("encoding"),
                third & 0xFF == packed(":")
            {
                return (.contentEncoding, start &+ 16)
            }
            if first == packed("transfer"), second == packed("-encodin"),
                third & 0xFFFF == packed("g:")
            {
                return (.transferEncoding, start &+ 17)
            }
        }
        return (.other, try colonOfUnknownName(line))
    }

    @inline(__always)
    private static func name(_ first: UInt64, _ second: UInt64) -> FieldName {
        switch (first, second) {
        case (packed("content-"), packed("type")): .contentType
        case (packed("content-"), packed("length")): .contentLength
        case (packed("connecti"), packed("on")): .connection
        case (packed("authoriz"), packed("ation")): .authorization
        case (packed("if-none-"), packed("match")): .ifNoneMatch
        case (packed("if-match"), 0): .ifMatch
        case (packed("retry-af"), packed("ter")): .retryAfter
        default: .other
        }
    }

    /// Where the colon behind a name that is not known stands.
    @inline(__always)
    private func colonOfUnknownName(_ line: ByteRange) throws(HTTPRefusal) -> Int {
        var offset = line.offset
        while offset < line.end {
            let word = partialWord(at: offset) | caseBits
            let colons = marks(word, of: UInt8(ascii: ":"))
            if colons == 0 {
                guard isPlainName(word) else { break }
                offset &+= 8
                continue
            }
            let length = byteIndex(ofMark: colons)
            let colon = offset &+ length
            // What lies behind the colon is taken for letters.
            let padding = packed("aaaaaaaa") & ~lowBytes(length)
            guard colon > line.offset, colon < line.end,
                isPlainName(word & lowBytes(length) | padding)
            else { break }
            return colon
        }
        return try colonOfUnusualName(line)
    }

    /// The same byte by byte, for names with other characters than letters, digits and hyphens, and
    /// to name what is wrong.
    @inline(never)
    private func colonOfUnusualName(_ line: ByteRange) throws(HTTPRefusal) -> Int {
        if self[line.offset].isBlank { throw .foldedHeader }
        var offset = line.offset
        while offset < line.end, ByteSet.token.contains(self[offset]) { offset &+= 1 }
        guard offset < line.end else { throw .missingColon }
        if self[offset] == UInt8(ascii: ":") {
            if offset == line.offset { throw .emptyHeaderName }
            return offset
        }
        guard self[offset].isBlank else { throw .badHeaderName }
        let rest = trimmed(from: offset, to: line.end)
        guard !rest.isEmpty else { throw .missingColon }
        throw self[rest.offset] == UInt8(ascii: ":") ? .whitespaceBeforeColon : .badHeaderName
    }
}
