// What a handler works with while it serves one request.

package import Bytes
package import HTTP
package import Platform

/// One request and its answer, as the handler sees it.
///
/// A reactor has one value, which stands for one exchange after the other: what must survive
/// between calls (`state`, `scratch`, `route`) is kept with the connection.
package struct Exchange: ~Copyable {
    /// Where answers are appended. Use the `respond` and stream functions for heads; between
    /// `beginStream` and `endStream` chunks may be written in place.
    package var output: ByteBuffer

    /// Room to compose a body whose length is not known yet; empty at the start of every call.
    package var body: ByteBuffer

    /// Names this exchange to other threads.
    package internal(set) var token = ExchangeToken(rawValue: 0)

    /// Which histogram the call is counted in.
    package var route: UInt8 = 0

    /// What a long exchange keeps between calls. Costs reference counting: leave it nil in calls
    /// that are answered at once.
    package var state: AnyObject?

    /// A number that an exchange keeps between calls.
    package var scratch = 0

    /// The time of this turn.
    package internal(set) var now = Moment(bootNanoseconds: 0, wallMilliseconds: 0)

    /// Who is calling.
    package internal(set) var peer = Address.loopback(port: 0)

    /// The HTTP/1.x version of the request.
    package internal(set) var minorVersion: UInt8 = 1

    /// Whether the request was a HEAD: bodies are left out of the answer.
    package internal(set) var isToHead = false

    /// Whether the connection stays for another request. May only be lowered, and counts from the
    /// next head that is written.
    package var keepsAlive = true

    /// A feed for a client that cannot be reached any more is pointless: when set, the exchange is
    /// cancelled as soon as the peer ends its direction. Otherwise its answer is still sent.
    package var endsWithPeer = false

    /// Whether a head has been written.
    package internal(set) var hasResponded = false

    /// More of the request's body is to come than would be skipped: an answer now must close.
    var bodyIsAhead = false

    /// The Date header's value, rendered once a second.
    private var date: ByteBuffer
    private var dateSecond = Int64.min

    /// The head of the usual answer (200, JSON, the connection stays) up to the length's value,
    /// rendered with the date.
    private var usualHead: ByteBuffer

    /// Where the reactor counts.
    var counts = ReactorCounts()

    init() {
        output = ByteBuffer(capacity: 128 << 10)
        body = ByteBuffer(capacity: 4096)
        date = ByteBuffer(capacity: 32)
        usualHead = ByteBuffer(capacity: 128)
    }

    /// Sets the time of a new turn.
    mutating func begin(turn now: Moment) {
        self.now = now
        let second = now.wallMilliseconds / 1000
        if second == dateSecond { return }
        dateSecond = second
        date.removeAll()
        date.append(imfFixdate: max(0, second) * 1000)
        renderUsualHead()
    }

    /// An answer without a body, less the end of its head and the length's value, a zero.
    private mutating func renderUsualHead() {
        usualHead.removeAll()
        appendAnswer(
            &usualHead, 200, "application/json", date, .omitted, isToHead: false, Span()
        ) { _ in }
        usualHead.removeLast("0\r\n\r\n".utf8.count)
    }

    private var connectionHeader: ConnectionHeader {
        if !keepsAlive { return .close }
        return minorVersion == 0 ? .keepAlive : .omitted
    }

    /// Appends a whole answer.
    ///
    /// - Parameters:
    ///   - body: Left out after a HEAD, with its length still stated. Empty for 204 and 304.
    ///   - extra: Appends further headers, with `appendHeader`.
    package mutating func respond(
        _ status: Int, contentType: StaticString, body: Span<UInt8>,
        extra: (inout ByteBuffer) -> Void = { _ in }
    ) {
        let connection = beginHead(status)
        appendAnswer(
            &output, status, contentType, date, connection, isToHead: isToHead, body, extra)
    }

    /// Appends a whole answer whose body was composed in `self.body`.
    package mutating func respond(
        _ status: Int, contentType: StaticString = "application/json",
        extra: (inout ByteBuffer) -> Void = { _ in }
    ) {
        let connection = beginHead(status)
        appendAnswer(
            &output, status, contentType, date, connection, isToHead: isToHead, body, extra)
    }

    /// Appends a whole answer 200 of the JSON that was composed in `self.body`.
    package mutating func respondWithJSON() {
        if !keepsAlive || bodyIsAhead || isToHead || minorVersion != 1 { return respond(200) }
        hasResponded = true
        counts[.answers2xx] &+= 1
        output.reserve(usualHead.count &+ body.count &+ 32)
        output.append(contentsOf: usualHead)
        output.append(decimal: body.count)
        output.append(literal: "\r\n\r\n")
        output.append(contentsOf: body)
    }

    private mutating func beginHead(_ status: Int) -> ConnectionHeader {
        hasResponded = true
        if bodyIsAhead { keepsAlive = false }
        counts[.answers(status)] &+= 1
        return connectionHeader
    }
}

// The parts of an exchange as separate parameters: a span of one part would bar changes to all.

private func appendAnswer(
    _ output: inout ByteBuffer, _ status: Int, _ contentType: StaticString,
    _ date: borrowing ByteBuffer, _ connection: ConnectionHeader, isToHead: Bool,
    _ body: Span<UInt8>, _ extra: (inout ByteBuffer) -> Void
) {
    output.appendResponse(
        status: status, contentType: contentType, date: date.span, connection: connection,
        isToHead: isToHead, body: body, extra: extra)
}

private func appendAnswer(
    _ output: inout ByteBuffer, _ status: Int, _ contentType: StaticString,
    _ date: borrowing ByteBuffer, _ connection: ConnectionHeader, isToHead: Bool,
    _ body: borrowing ByteBuffer, _ extra: (inout ByteBuffer) -> Void
) {
    appendAnswer(
        &output, status, contentType, date, connection, isToHead: isToHead, body.span, extra)
}

private func appendStreamHead(
    _ output: inout ByteBuffer, _ status: Int, _ contentType: StaticString,
    _ framing: StreamFraming, _ date: borrowing ByteBuffer, _ connection: ConnectionHeader,
    _ extra: (inout ByteBuffer) -> Void
) {
    output.appendStreamHead(
        status: status, contentType: contentType, framing: framing, date: date.span,
        connection: connection, extra: extra)
}

// MARK: Answers in pieces

extension Exchange {
    /// How pieces are framed for this client.
    package var framing: StreamFraming { StreamFraming(minorVersion: minorVersion) }

    /// Appends the head of an answer whose length is not known; chunks follow, then `endStream`.
    ///
    /// May be called while the request's body is still coming.
    package mutating func beginStream(
        _ status: Int, contentType: StaticString, extra: (inout ByteBuffer) -> Void = { _ in }
    ) {
        let connection = connectionHeader
        hasResponded = true
        counts[.answers(status)] &+= 1
        if minorVersion == 0 { keepsAlive = false }  // The end of the connection ends the body.
        appendStreamHead(&output, status, contentType, framing, date, connection, extra)
    }

    /// Appends what `write` appends as one chunk; nothing after a HEAD.
    package mutating func writeChunk(_ write: (inout ByteBuffer) -> Void) {
        let start = output.count
        let chunk = output.beginChunk(framing: framing)
        write(&output)
        output.endChunk(chunk)
        if isToHead { output.removeLast(output.count - start) }
    }

    /// Ends an answer in pieces.
    package mutating func endStream() {
        if !isToHead { output.appendLastChunk(framing: framing) }
    }
}

// MARK: Problems

extension Exchange {
    /// Appends an answer that says what went wrong, as a problem document (RFC 9457).
    ///
    /// - Parameters:
    ///   - code: The stable name callers can decide on.
    ///   - detail: A sentence for people. Escaped, so that it may repeat what the caller sent.
    ///   - retryAfterSeconds: When it may be worth asking again.
    package mutating func problem(
        _ status: Int, _ code: StaticString, _ detail: Span<UInt8>, retryAfterSeconds: Int? = nil
    ) {
        body.removeAll()
        body.append(literal: "{\"type\":\"urn:holdfast:problem:")
        body.append(code)
        body.append(literal: "\",\"title\":\"")
        body.append(problemTitle(status))
        body.append(literal: "\",\"status\":")
        body.append(decimal: status)
        body.append(literal: ",\"code\":\"")
        body.append(code)
        body.append(literal: "\",\"detail\":\"")
        body.append(jsonEscaping: detail)
        body.append(literal: "\"}\n")
        respond(status, contentType: "application/problem+json") { head in
            if let seconds = retryAfterSeconds {
                head.appendHeader("Retry-After", decimal: seconds)
            }
        }
    }

    /// The same with a sentence known at compile time.
    package mutating func problem(
        _ status: Int, _ code: StaticString, _ detail: StaticString, retryAfterSeconds: Int? = nil
    ) {
        let bytes = unsafe UnsafeBufferPointer(
            start: detail.utf8Start, count: detail.utf8CodeUnitCount)
        problem(
            status, code, unsafe Span(_unsafeElements: bytes), retryAfterSeconds: retryAfterSeconds)
    }
}

/// The reason phrase of a status that problems use (RFC 9110 §15).
private func problemTitle(_ status: Int) -> StaticString {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 422: "Unprocessable Content"
    case 428: "Precondition Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 505: "HTTP Version Not Supported"
    case 507: "Insufficient Storage"
    default: status < 500 ? "Request Refused" : "Request Failed"
    }
}

extension ByteBuffer {
    /// Appends `text` as the inside of a JSON string (RFC 8259 §7). Bytes from 0x80 are written as
    /// question marks, so that the result is valid whatever the text was.
    fileprivate mutating func append(jsonEscaping text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x20..<0x7F: append(byte)
            case 0x80...: append(UInt8(ascii: "?"))
            default:
                append(literal: "\\u00")
                for digit in [byte >> 4, byte & 15] {
                    append(digit < 10 ? 48 + digit : 87 + digit)
                }
            }
        }
    }
}
