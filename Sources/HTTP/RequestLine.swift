// The request line: `method SP target SP HTTP/1.x` (RFC 9112 §3).
//
// Accepted targets:
//
//     origin form     /path?query            any method but CONNECT
//     absolute form   http://host/path?q     likewise; the authority must equal Host
//     asterisk form   *                      OPTIONS
//
// The authority form (CONNECT) and other schemes are refused: this is no proxy, and TLS ends before
// it. A target holds visible ASCII without `#`; percent escapes are left to who uses the parts.

import Bytes

extension RequestHead {
    /// Reads the request line into method, target, path, query, version and, for an absolute
    /// target, host.
    @inline(__always)
    mutating func readRequestLine(
        _ line: ByteRange, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) {
        let start = try readMethod(line, of: bytes)
        let end = try readVersion(line, targetStart: start, of: bytes)
        target = ByteRange(offset: start, count: end &- start)
        let mark = try bytes.queryMark(ofTarget: target)
        path = ByteRange(offset: start, count: mark &- start)
        if mark &+ 1 < end { query = ByteRange(offset: mark &+ 1, count: end &- mark &- 1) }
        if bytes[start] != UInt8(ascii: "/") { try readUnusualTarget(pathEnd: mark, of: bytes) }
    }

    /// Reads the method and answers where the target starts.
    @inline(__always)
    private mutating func readMethod(
        _ line: ByteRange, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) -> Int {
        let word = bytes.nextWord(at: line.offset)
        let length: Int
        if word & lowBytes(4) == packed("GET ") {
            (method, length) = (.get, 3)
        } else if word & lowBytes(5) == packed("POST ") {
            (method, length) = (.post, 4)
        } else if word & lowBytes(4) == packed("PUT ") {
            (method, length) = (.put, 3)
        } else if word & lowBytes(7) == packed("DELETE ") {
            (method, length) = (.delete, 6)
        } else if word & lowBytes(5) == packed("HEAD ") {
            (method, length) = (.head, 4)
        } else if word == packed("OPTIONS ") {
            (method, length) = (.options, 7)
        } else {
            length = try bytes.unknownMethodLength(line)
            method = .other
        }
        return line.offset &+ length &+ 1
    }

    /// Reads the version and answers where the target ends.
    @inline(__always)
    private mutating func readVersion(
        _ line: ByteRange, targetStart: Int, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) -> Int {
        let end = line.end &- 9
        guard end > targetStart, bytes[end] == UInt8(ascii: " ") else {
            throw bytes.refusal(ofVersionIn: line)
        }
        switch bytes.nextWord(at: end &+ 1) {
        case packed("HTTP/1.1"): minorVersion = 1
        case packed("HTTP/1.0"): minorVersion = 0
        default: throw bytes.refusal(ofVersionIn: line)
        }
        return end
    }

    /// Handles a target that does not start with a slash; `pathEnd` is where its query or end is.
    @inline(never)
    private mutating func readUnusualTarget(
        pathEnd: Int, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) {
        if method == .options, bytes.part(target).equals("*") { return }
        guard target.count > 7,
            bytes.part(ByteRange(offset: target.offset, count: 7)).equalsIgnoringCase("http://")
        else { throw .badTarget }
        let authorityStart = target.offset &+ 7
        let authorityEnd = bytes.firstIndex(
            of: UInt8(ascii: "/"), in: ByteRange(from: authorityStart, to: pathEnd))
        host = ByteRange(from: authorityStart, to: authorityEnd)
        guard bytes.isHost(host) else { throw .badTarget }
        path = ByteRange(from: authorityEnd, to: pathEnd)
    }
}

extension Span<UInt8> {
    /// Where the first `?` of a target stands; the target's end when there is none.
    @inline(__always)
    fileprivate func queryMark(ofTarget target: ByteRange) throws(HTTPRefusal) -> Int {
        var offset = target.offset
        var mark = target.end
        while offset < target.end {
            let marks = targetMarks(nextWord(at: offset))
            if marks == 0 {
                offset &+= 8
                continue
            }
            offset &+= byteIndex(ofMark: marks)
            // The space behind the target is marked too.
            if offset >= target.end { break }
            guard self[offset] == UInt8(ascii: "?") else { throw .badTarget }
            mark = Swift.min(mark, offset)
            offset &+= 1
        }
        return mark
    }

    /// The length of a method that is none of ours: an upper-case token.
    @inline(never)
    fileprivate func unknownMethodLength(_ line: ByteRange) throws(HTTPRefusal) -> Int {
        let end = firstIndex(of: UInt8(ascii: " "), in: line)
        guard end < line.end else { throw .badRequestLine }
        let method = ByteRange(from: line.offset, to: end)
        guard isMade(of: .token, method) else { throw .badMethod }
        // No form of target that is accepted goes with it, and readers take what follows for a tunnel.
        if part(method).equals("CONNECT") { throw .badTarget }
        for offset in method.offset..<method.end where self[offset] &- UInt8(ascii: "a") < 26 {
            throw .badMethod
        }
        return method.count
    }

    /// What is wrong with a line that does not end in a version that is spoken here.
    @inline(never)
    fileprivate func refusal(ofVersionIn line: ByteRange) -> HTTPRefusal {
        var start = line.end
        while start > line.offset, self[start &- 1] != UInt8(ascii: " ") { start &-= 1 }
        let version = part(ByteRange(from: start, to: line.end))
        guard version.count >= 4, version.part(ByteRange(offset: 0, count: 4)).equals("HTTP")
        else { return .badRequestLine }
        // `HTTP/` DIGIT `.` DIGIT
        guard version.count == 8, version[4] == UInt8(ascii: "/"), version[5].isDigit,
            version[6] == UInt8(ascii: "."), version[7].isDigit
        else { return .badVersion }
        let isSpoken = version[5] == UInt8(ascii: "1") && version[7] <= UInt8(ascii: "1")
        // A version that is spoken, but no room for a target before it.
        return isSpoken ? .badRequestLine : .unsupportedVersion
    }
}
