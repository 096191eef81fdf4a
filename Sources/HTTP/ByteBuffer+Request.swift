// Requests, for the command line and the load tools.

package import Bytes

extension ByteBuffer {
    /// Appends a whole request in HTTP/1.1.
    ///
    /// Content-Length is stated when there is a body or a content type.
    ///
    /// - Parameters:
    ///   - method: An upper-case token.
    ///   - target: Path and query, percent-encoded where needed: see `percentEncode`.
    ///   - host: Host and port for the Host header.
    ///   - contentType: Left out when empty.
    ///   - extra: Appends further headers with `appendHeader`.
    /// - Returns: false, with nothing appended, when target or host would not be accepted by
    ///   `RequestParser`.
    package mutating func appendRequest(
        method: StaticString, target: Span<UInt8>, host: Span<UInt8>,
        contentType: StaticString = "", connection: ConnectionHeader = .omitted,
        body: Span<UInt8> = Span(), extra: (inout ByteBuffer) -> Void = { _ in }
    ) -> Bool {
        guard host.isHost(ByteRange(offset: 0, count: host.count)), target.isOriginForm else {
            return false
        }
        reserve(256 &+ target.count &+ body.count)
        append(method)
        append(" ")
        append(target)
        append(" HTTP/1.1\r\nHost: ")
        append(host)
        append("\r\n")
        if contentType.utf8CodeUnitCount != 0 { appendHeader("Content-Type", contentType) }
        switch connection {
        case .omitted: break
        case .close: append("Connection: close\r\n")
        case .keepAlive: append("Connection: keep-alive\r\n")
        }
        extra(&self)
        if !body.isEmpty || contentType.utf8CodeUnitCount != 0 {
            appendHeader("Content-Length", decimal: body.count)
        }
        append("\r\n")
        append(body)
        return true
    }
}

extension Span<UInt8> {
    /// Whether the bytes are a request target in origin form.
    fileprivate var isOriginForm: Bool {
        guard !isEmpty, self[0] == UInt8(ascii: "/") else { return false }
        for offset in 0..<count {
            let byte = self[offset]
            if byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "#") { return false }
        }
        return true
    }
}
