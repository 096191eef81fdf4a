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

    /// The name of up to 7 bytes; zeros behind it.
    @inline(__always)
    static func named(_ word: UInt64) -> FieldName {
        switch word {
        case packed("host"): .host
        case packed("accept"): .accept
        case packed("expect"): .expect
        case packed("etag"): .etag
        default: .other
        }
    }

    /// The name of 8 to 15 bytes.
    @inline(__always)
    static func named(_ first: UInt64, _ second: UInt64) -> FieldName {
        if first == packed("content-") {
            return second == packed("type")
                ? .contentType : second == packed("length") ? .contentLength : .other
        }
        return switch (first, second) {
        case (packed("connecti"), packed("on")): .connection
        case (packed("authoriz"), packed("ation")): .authorization
        case (packed("if-none-"), packed("match")): .ifNoneMatch
        case (packed("if-match"), 0): .ifMatch
        case (packed("retry-af"), packed("ter")): .retryAfter
        default: .other
        }
    }

    /// The name of 16 to 23 bytes.
    @inline(__always)
    static func named(_ first: UInt64, _ second: UInt64, _ third: UInt64) -> FieldName {
        if first == packed("content-"), second == packed("encoding"), third == 0 {
            return .contentEncoding
        }
        if first == packed("transfer"), second == packed("-encodin"), third == packed("g") {
            return .transferEncoding
        }
        return .other
    }
}

/// Padding for a word that holds the end of a name.
private let letters: UInt64 = 0x6161_6161_6161_6161

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
        let first = nextWord(at: start) | caseBits
        let colons = marks(first, of: UInt8(ascii: ":"))
        if colons != 0 {
            let colon = start &+ byteIndex(ofMark: colons)
            // The bytes below the colon; what lies behind it is taken for letters where the name
            // is checked.
            let below = lowBytes(upToMark: colons)
            let name = FieldName.named(first & below)
            if name != .other { return (name, colon) }
            if colon > start, colon < line.end, isPlainName(first & below | letters & ~below) {
                return (.other, colon)
            }
        } else if line.count > 8 {
            return try longFieldName(of: line, first)
        }
        return (.other, try colonOfUnusualName(line))
    }

    @inline(__always)
    private func longFieldName(
        of line: ByteRange, _ first: UInt64
    ) throws(HTTPRefusal) -> (name: FieldName, colon: Int) {
        var offset = line.offset &+ 8
        let second = nextWord(at: offset) | caseBits
        var word = second
        var colons = marks(word, of: UInt8(ascii: ":"))
        if colons != 0 {
            let name = FieldName.named(first, second & lowBytes(upToMark: colons))
            if name != .other { return (name, offset &+ byteIndex(ofMark: colons)) }
        }
        var isPlain = isPlainName(first)
        while colons == 0, isPlain, offset &+ 8 < line.end {
            isPlain = isPlainName(word)
            offset &+= 8
            word = nextWord(at: offset) | caseBits
            colons = marks(word, of: UInt8(ascii: ":"))
        }
        let below = lowBytes(upToMark: colons)
        let colon = offset &+ byteIndex(ofMark: colons)
        guard colons != 0, isPlain, colon < line.end, isPlainName(word & below | letters & ~below)
        else { return (.other, try colonOfUnusualName(line)) }
        if offset == line.offset &+ 16 {
            return (FieldName.named(first, second, word & below), colon)
        }
        return (.other, colon)
    }

    /// Where the colon stands behind a name that has other characters than letters, digits and
    /// hyphens; byte by byte, to name what is wrong.
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
