// Heads of responses, for the command line and the load tools.
//
// Lines, names and framing are as strict as for requests: a client that misreads where an answer
// ends takes the next one for its own. Tolerated, because servers and proxies send it: a missing
// reason, any minor version, Content-Length repeated with one value or with leading zeros, repeated
// headers (the first counts).

package import Bytes

/// How the end of a response's body is found (RFC 9112 §6.3).
package enum ResponseFraming: Equatable, Sendable {
    case none
    case length(Int)
    case chunked

    /// The body ends where the connection does.
    case untilClose
}

/// The head of a response: ranges into the bytes that were parsed, `.none` where absent or empty.
package struct ResponseHead: Sendable {
    /// 100 ... 999. After a 1xx other than 101 the real answer follows.
    package var status = 0
    package var framing = ResponseFraming.none

    /// Whether the connection may be used again after this response.
    package var keepsAlive = true
    package var contentType = ByteRange.none
    package var etag = ByteRange.none
    package var retryAfter = ByteRange.none

    /// Bytes of the head with its empty line. The body starts here.
    package var byteCount = 0

    init() {}
}

/// Reads the head of one response after the other; see `RequestParser`, which it resembles.
package struct ResponseParser: Sendable {
    private let limits: HTTPLimits
    private var lines = HeadLines()
    private var hasStatus = false
    private var headerCount = 0
    private var minorVersion: UInt8 = 1
    private var connection = ConnectionOptions()
    private var length: Int?
    private var isChunked = false
    private var head = ResponseHead()

    package init(limits: HTTPLimits = .standard) {
        self.limits = limits
    }

    /// Forgets the response that was being read.
    package mutating func reset() {
        self = ResponseParser(limits: limits)
    }

    /// Reads on.
    ///
    /// - Parameters:
    ///   - bytes: Everything from the first byte of this response on.
    ///   - isToHead: Whether it answers a HEAD, and so has no body whatever its headers say.
    /// - Returns: The head; nil when it is not complete.
    /// - Throws: Why it cannot be read; the connection is of no more use.
    package mutating func parse(
        _ bytes: Span<UInt8>, isToHead: Bool = false
    ) throws(HTTPRefusal) -> ResponseHead? {
        while true {
            let line = try lines.next(
                in: bytes, lineByteCountMax: limits.headerByteCountMax, tooLong: .headerTooLarge,
                headByteCountMax: limits.headByteCountMax)
            guard let line else { return nil }
            if !hasStatus {
                try readStatusLine(line, of: bytes)
                hasStatus = true
            } else if line.isEmpty {
                return try finish(isToHead: isToHead)
            } else {
                headerCount += 1
                if headerCount > limits.headerCountMax { throw .tooManyHeaders }
                try readField(line, of: bytes)
            }
        }
    }

    /// `HTTP/1.` DIGIT SP 3DIGIT [ SP reason ] (RFC 9112 §4).
    private mutating func readStatusLine(
        _ line: ByteRange, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) {
        let start = line.offset
        guard line.count >= 12,
            bytes.part(ByteRange(offset: start, count: 5)).equals("HTTP/"),
            bytes[start + 5].isDigit, bytes[start + 6] == UInt8(ascii: "."),
            bytes[start + 7].isDigit, bytes[start + 8] == UInt8(ascii: " "),
            line.count == 12 || bytes[start + 12] == UInt8(ascii: " ")
        else { throw .badStatusLine }
        guard bytes[start + 5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
        minorVersion = bytes[start + 7] == UInt8(ascii: "0") ? 0 : 1
        for offset in (start + 9)..<(start + 12) {
            guard bytes[offset].isDigit else { throw .badStatusLine }
            head.status = head.status * 10 + Int(bytes[offset] - UInt8(ascii: "0"))
        }
        guard head.status >= 100 else { throw .badStatusLine }
    }

    private mutating func readField(
        _ line: ByteRange, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) {
        let (name, colon) = try bytes.fieldName(of: line)
        let value = bytes.trimmed(from: colon + 1, to: line.end)
        switch name {
        case .contentLength:
            let other = try bytes.contentLength(bytes.withoutLeadingZeros(value))
            if let length, length != other { throw .repeatedContentLength }
            length = other
        case .transferEncoding:
            if isChunked { throw .repeatedTransferEncoding }
            try bytes.checkTransferEncoding(value)
            isChunked = true
        case .connection: connection.read(value, of: bytes)
        case .contentType: if head.contentType.isEmpty { head.contentType = value.orNone }
        case .etag: if head.etag.isEmpty { head.etag = value.orNone }
        case .retryAfter: if head.retryAfter.isEmpty { head.retryAfter = value.orNone }
        default: break
        }
    }

    private mutating func finish(isToHead: Bool) throws(HTTPRefusal) -> ResponseHead {
        if isChunked, length != nil { throw .ambiguousFraming }
        if isChunked, minorVersion == 0 { throw .transferEncodingInOldVersion }
        head.framing =
            if isToHead || head.status < 200 || head.status == 204 || head.status == 304 {
                .none
            } else if isChunked {
                .chunked
            } else if let length {
                .length(length)
            } else {
                .untilClose
            }
        head.keepsAlive =
            head.framing != .untilClose && connection.keepsConnection(minorVersion: minorVersion)
        head.byteCount = lines.lineStart
        return head
    }
}

extension Span<UInt8> {
    /// `range` without zeros in front, but for a last one.
    fileprivate func withoutLeadingZeros(_ range: ByteRange) -> ByteRange {
        var start = range.offset
        while start + 1 < range.end, self[start] == UInt8(ascii: "0") { start += 1 }
        return ByteRange(from: start, to: range.end)
    }
}
