// Responses, written straight into the bytes that are sent.
//
//     complete:  appendResponse                                    Content-Length, body
//     streamed:  appendStreamHead, appendChunk ×n, appendLastChunk  chunked, or until close
//
// Status lines are rendered at compile time; a response costs a handful of copies into room that is
// made once.

package import Bytes

/// What a message says about the connection it is sent on.
package enum ConnectionHeader: Sendable {
    /// Nothing: HTTP/1.1 keeps the connection.
    case omitted

    /// `close`: the sender closes after this message, or wants it closed.
    case close

    /// `keep-alive`: for HTTP/1.0 clients that asked for it.
    case keepAlive
}

/// How a body whose length is not known at its head is delimited.
///
/// HTTP/1.0 has no chunks: there the body ends where the connection does, and the sender closes
/// after `appendLastChunk`.
package enum StreamFraming: Sendable {
    case chunked, untilClose

    /// The framing for a client that speaks HTTP/1.`minorVersion`.
    package init(minorVersion: UInt8) {
        self = minorVersion == 0 ? .untilClose : .chunked
    }
}

extension ByteBuffer {
    /// Appends a whole response.
    ///
    /// A 204 or 304 has neither body nor Content-Length and Content-Type (RFC 9110 §8.6, §15.4.5).
    ///
    /// - Parameters:
    ///   - status: 200 ... 599.
    ///   - contentType: Left out when empty.
    ///   - date: An IMF-fixdate as `append(imfFixdate:)` writes it; no Date header when empty.
    ///   - isToHead: Whether the request was a HEAD: the length is stated, the body left out.
    ///   - extra: Appends further headers with `appendHeader`.
    /// - Complexity: O(bytes appended).
    package mutating func appendResponse(
        status: Int, contentType: StaticString = "", date: Span<UInt8> = Span(),
        connection: ConnectionHeader = .omitted, isToHead: Bool = false,
        body: Span<UInt8> = Span(), extra: (inout ByteBuffer) -> Void = { _ in }
    ) {
        let hasBody = status != 204 && status != 304
        precondition(hasBody || body.isEmpty)
        reserve(256 &+ body.count)
        appendHeadStart(
            status: status, contentType: hasBody ? contentType : "", date: date,
            connection: connection)
        extra(&self)
        if hasBody {
            append("Content-Length: ")
            append(decimal: body.count)
            append("\r\n\r\n")
            if !isToHead { append(body) }
        } else {
            append("\r\n")
        }
    }

    /// Appends the head of a response whose body follows as chunks.
    ///
    /// With `untilClose` the head says `Connection: close`, whatever `connection` is.
    ///
    /// - Parameter status: 200 ... 599 other than 204 and 304.
    package mutating func appendStreamHead(
        status: Int, contentType: StaticString = "", framing: StreamFraming,
        date: Span<UInt8> = Span(), connection: ConnectionHeader = .omitted,
        extra: (inout ByteBuffer) -> Void = { _ in }
    ) {
        precondition(status != 204 && status != 304)
        reserve(256)
        appendHeadStart(
            status: status, contentType: contentType, date: date,
            connection: framing == .untilClose ? .close : connection)
        extra(&self)
        append(framing == .chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n")
    }

    /// Appends the interim response that lets a client send its body (RFC 9110 §10.1.1).
    package mutating func appendContinue() {
        append("HTTP/1.1 100 Continue\r\n\r\n")
    }

    @inline(__always)
    private mutating func appendHeadStart(
        status: Int, contentType: StaticString, date: Span<UInt8>, connection: ConnectionHeader
    ) {
        if status == 200 {
            append("HTTP/1.1 200 OK\r\n")
        } else {
            appendStatusLine(status)
        }
        if !date.isEmpty {
            append("Date: ")
            append(date)
            append("\r\n")
        }
        if contentType.utf8CodeUnitCount != 0 {
            append("Content-Type: ")
            append(contentType)
            append("\r\n")
        }
        switch connection {
        case .omitted: break
        case .close: append("Connection: close\r\n")
        case .keepAlive: append("Connection: keep-alive\r\n")
        }
    }

    private mutating func appendStatusLine(_ status: Int) {
        precondition(status >= 200 && status <= 599)
        if let line = statusLine(status) { return append(line) }
        append("HTTP/1.1 ")
        append(decimal: status)
        append(" \r\n")  // The reason may be empty, the space before it may not be left out.
    }
}

// MARK: Headers

extension ByteBuffer {
    /// Appends one header line, unless `value` holds a CR, LF or other control character than a
    /// tab: then nothing is appended, so that no value can start a line of its own.
    ///
    /// - Parameter name: A token.
    /// - Returns: Whether the header was appended.
    @discardableResult
    package mutating func appendHeader(_ name: StaticString, _ value: Span<UInt8>) -> Bool {
        guard value.firstControl(from: 0) == value.count else { return false }
        append(name)
        append(": ")
        append(value)
        append("\r\n")
        return true
    }

    /// Appends one header line with a value known at compile time.
    package mutating func appendHeader(_ name: StaticString, _ value: StaticString) {
        append(name)
        append(": ")
        append(value)
        append("\r\n")
    }

    /// Appends one header line with a number.
    package mutating func appendHeader(_ name: StaticString, decimal value: Int) {
        append(name)
        append(": ")
        append(decimal: value)
        append("\r\n")
    }

    /// Appends `instant` as an IMF-fixdate (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// - Precondition: The year lies in 0000 ... 9999.
    package mutating func append(imfFixdate instant: Milliseconds) {
        let days: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months: [StaticString] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let day = Int(instant >= 0 ? instant / 86_400_000 : (instant - 86_399_999) / 86_400_000)
        let second = Int(instant - Milliseconds(day) * 86_400_000) / 1000
        let date = civilDate(daysSinceEpoch: day)
        append(days[((day + 4) % 7 + 7) % 7])  // 1970-01-01 was a Thursday.
        append(", ")
        append(padded: date.day, width: 2)
        append(" ")
        append(months[date.month - 1])
        append(" ")
        append(padded: date.year, width: 4)
        append(" ")
        append(padded: second / 3600, width: 2)
        append(":")
        append(padded: second / 60 % 60, width: 2)
        append(":")
        append(padded: second % 60, width: 2)
        append(" GMT")
    }
}

private func statusLine(_ status: Int) -> StaticString? {
    switch status {
    case 200: "HTTP/1.1 200 OK\r\n"
    case 201: "HTTP/1.1 201 Created\r\n"
    case 202: "HTTP/1.1 202 Accepted\r\n"
    case 204: "HTTP/1.1 204 No Content\r\n"
    case 206: "HTTP/1.1 206 Partial Content\r\n"
    case 303: "HTTP/1.1 303 See Other\r\n"
    case 304: "HTTP/1.1 304 Not Modified\r\n"
    case 400: "HTTP/1.1 400 Bad Request\r\n"
    case 401: "HTTP/1.1 401 Unauthorized\r\n"
    case 403: "HTTP/1.1 403 Forbidden\r\n"
    case 404: "HTTP/1.1 404 Not Found\r\n"
    case 405: "HTTP/1.1 405 Method Not Allowed\r\n"
    case 406: "HTTP/1.1 406 Not Acceptable\r\n"
    case 408: "HTTP/1.1 408 Request Timeout\r\n"
    case 409: "HTTP/1.1 409 Conflict\r\n"
    case 410: "HTTP/1.1 410 Gone\r\n"
    case 411: "HTTP/1.1 411 Length Required\r\n"
    case 412: "HTTP/1.1 412 Precondition Failed\r\n"
    case 413: "HTTP/1.1 413 Content Too Large\r\n"
    case 414: "HTTP/1.1 414 URI Too Long\r\n"
    case 415: "HTTP/1.1 415 Unsupported Media Type\r\n"
    case 417: "HTTP/1.1 417 Expectation Failed\r\n"
    case 422: "HTTP/1.1 422 Unprocessable Content\r\n"
    case 428: "HTTP/1.1 428 Precondition Required\r\n"
    case 429: "HTTP/1.1 429 Too Many Requests\r\n"
    case 431: "HTTP/1.1 431 Request Header Fields Too Large\r\n"
    case 500: "HTTP/1.1 500 Internal Server Error\r\n"
    case 501: "HTTP/1.1 501 Not Implemented\r\n"
    case 503: "HTTP/1.1 503 Service Unavailable\r\n"
    case 505: "HTTP/1.1 505 HTTP Version Not Supported\r\n"
    case 507: "HTTP/1.1 507 Insufficient Storage\r\n"
    default: nil
    }
}
