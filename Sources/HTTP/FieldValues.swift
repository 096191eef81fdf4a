// The values of the fields that decide framing, connection and host.

import Bytes

/// What the Connection headers of a message ask for (RFC 9110 §7.6.1).
struct ConnectionOptions: Sendable {
    var closes = false
    var keepsAlive = false

    /// Adds one Connection header; other options than `close` and `keep-alive` mean nothing here.
    mutating func read(_ value: ByteRange, of bytes: Span<UInt8>) {
        var start = value.offset
        while start < value.end {
            let end = bytes.firstIndex(
                of: UInt8(ascii: ","), in: ByteRange(from: start, to: value.end))
            let option = bytes.part(bytes.trimmed(from: start, to: end))
            if option.equalsIgnoringCase("keep-alive") {
                keepsAlive = true
            } else if option.equalsIgnoringCase("close") {
                closes = true
            }
            start = end &+ 1
        }
    }

    /// Whether the connection lives on (RFC 9112 §9.3): `close` wins over everything.
    func keepsConnection(minorVersion: UInt8) -> Bool {
        !closes && (minorVersion == 1 || keepsAlive)
    }
}

extension Span<UInt8> {
    /// The value of Content-Length: digits without a sign, a list, or a leading zero, which some
    /// take for an octal number.
    ///
    /// - Throws: `badContentLength`; `bodyTooLarge` for a number of 19 digits or more.
    func contentLength(_ value: ByteRange) throws(HTTPRefusal) -> Int {
        guard !value.isEmpty else { throw .badContentLength }
        let isZeroPadded = value.count > 1 && self[value.offset] == UInt8(ascii: "0")
        var length = 0
        for offset in value.offset..<value.end {
            let byte = self[offset]
            guard byte.isDigit, !isZeroPadded else { throw .badContentLength }
            // May wrap in a number that is too long, which is refused below.
            length = length &* 10 &+ Int(byte &- UInt8(ascii: "0"))
        }
        guard value.count <= 18 else { throw .bodyTooLarge }
        return length
    }

    /// Checks that Transfer-Encoding is `chunked` and nothing else.
    ///
    /// - Throws: `unsupportedTransferEncoding` for a well-formed list with codings that are not
    ///   known; `badTransferEncoding` for what is malformed, has `chunked` twice or not last.
    func checkTransferEncoding(_ value: ByteRange) throws(HTTPRefusal) {
        if part(value).equalsIgnoringCase("chunked") { return }
        var hasUnknown = false
        var hasChunked = false
        var start = value.offset
        repeat {
            let end = firstIndex(of: UInt8(ascii: ","), in: ByteRange(from: start, to: value.end))
            let nameEnd = firstIndex(of: UInt8(ascii: ";"), in: ByteRange(from: start, to: end))
            let name = trimmed(from: start, to: nameEnd)
            guard isMade(of: .token, name), !hasChunked else { throw .badTransferEncoding }
            if part(name).equalsIgnoringCase("chunked") {
                guard nameEnd == end else { throw .badTransferEncoding }
                hasChunked = true
            } else {
                hasUnknown = true
            }
            start = end &+ 1
        } while start <= value.end
        throw hasUnknown ? .unsupportedTransferEncoding : .badTransferEncoding
    }

    /// Whether `range` is a host with an optional port: a name, an IPv4 address, or an IPv6 address
    /// in brackets (RFC 9110 §7.2, narrowed: no user, no percent escapes, no sub-delimiters).
    func isHost(_ range: ByteRange) -> Bool {
        guard !range.isEmpty else { return false }
        var offset = range.offset
        if self[offset] == UInt8(ascii: "[") {
            let end = firstIndex(of: UInt8(ascii: "]"), in: range)
            guard end < range.end, end > offset &+ 2 else { return false }
            for inside in (offset &+ 1)..<end
            where self[inside].hexValue == nil && self[inside] != UInt8(ascii: ":")
                && self[inside] != UInt8(ascii: ".")
            {
                return false
            }
            offset = end &+ 1
        } else {
            while offset < range.end, ByteSet.hostName.contains(self[offset]) { offset &+= 1 }
            if offset == range.offset { return false }
        }
        return offset == range.end || isPort(ByteRange(from: offset, to: range.end))
    }

    /// Whether `range` is a colon and at most five digits up to 65535.
    private func isPort(_ range: ByteRange) -> Bool {
        guard self[range.offset] == UInt8(ascii: ":"), range.count <= 6 else { return false }
        var port = 0
        for offset in (range.offset &+ 1)..<range.end {
            guard self[offset].isDigit else { return false }
            port = port &* 10 &+ Int(self[offset] &- UInt8(ascii: "0"))
        }
        return port <= 65_535
    }

    /// Whether two ranges hold the same text without regard to ASCII case.
    func isSame(_ first: ByteRange, as second: ByteRange) -> Bool {
        guard first.count == second.count else { return false }
        for index in 0..<first.count {
            var one = self[first.offset &+ index]
            var other = self[second.offset &+ index]
            if one &- 65 < 26 { one |= 0x20 }
            if other &- 65 < 26 { other |= 0x20 }
            if one != other { return false }
        }
        return true
    }
}
