// One connection to a service, kept from call to call: what the command line speaks HTTP with.
//
//     call:      send ──▶ receive
//
// Sending does not wait for room while an answer is coming in, so a server that answers while it
// still reads never stands against a client that still writes. One request is on its way at a time.
//
// A server may close a connection that lies idle at any moment. When that is what became of a
// request (the connection had been used before and brought not one byte of this answer), the
// request is sent again over a new connection, once. Every call of the service may be repeated, so
// this is safe for all of them (RFC 9112 §9.3.1 asks for that knowledge).

package import Bytes
internal import HTTP
internal import Platform

/// What a call asks.
package struct ClientRequest: Equatable, Sendable {
    package var method: StaticString

    /// Path and query, percent-encoded, without the base path of the service's URL.
    package var target: String

    /// Left out when empty; then a request without a body states no length either.
    package var contentType: StaticString

    package init(_ method: StaticString, _ target: String, contentType: StaticString = "") {
        self.method = method
        self.target = target
        self.contentType = contentType
    }

    package static func == (one: ClientRequest, other: ClientRequest) -> Bool {
        one.method.description == other.method.description && one.target == other.target
            && one.contentType.description == other.contentType.description
    }
}

/// What a call brought, but for the body, which lies in the client.
package struct ClientResponse: Equatable, Sendable {
    /// 200 ... 999.
    package var status: Int
    package var contentType: String
    package var etag: String

    /// Seconds from Retry-After; nil where there is none, or a date.
    package var retryAfterSeconds: Int?

    package init(
        status: Int, contentType: String = "", etag: String = "", retryAfterSeconds: Int? = nil
    ) {
        self.status = status
        self.contentType = contentType
        self.etag = etag
        self.retryAfterSeconds = retryAfterSeconds
    }
}

/// How long a client waits, and how much it takes.
package struct ClientLimits: Sendable {
    /// Until a connection stands.
    package var connectMilliseconds = 5000

    /// While not one byte moves in either direction.
    package var idleMilliseconds = 60_000

    /// Bytes of an answer's body.
    package var bodyByteCountMax = 1 << 30

    package init() {}
}

/// A blocking HTTP/1.1 client for one service; its owner's thread alone uses it.
package struct HTTPClient: ~Copyable {
    package let url: ServerURL
    package let limits: ClientLimits

    /// The body of the last answer.
    package private(set) var body = ByteBuffer()

    private var link: Link?
    private var address: Address?
    private var isToHead = false

    /// The head of the last request, and its body too where that is small.
    private var outgoing = ByteBuffer(capacity: 512)
    private var joinsBody = false

    /// Bodies up to this size travel with the head in one system call.
    private static let joinedByteCountMax = 16 << 10

    /// Connects with the first call.
    package init(_ url: ServerURL, limits: ClientLimits = ClientLimits()) {
        self.url = url
        self.limits = limits
    }

    /// Sends a request and receives its answer.
    package mutating func call(
        _ request: ClientRequest, body: Span<UInt8> = Span()
    ) throws(ClientError) -> ClientResponse {
        try send(request, body: body)
        return try receive(sent: body)
    }

    /// Sends a request, and hands the body of an answer of 200 on as it comes; that of any other answer lies
    /// in `body`.
    ///
    /// - Parameters:
    ///   - hasBody: Whether the request has a body, sent in chunks.
    ///   - next: Appends the next bytes of that body; none at its end.
    ///   - deliver: Gets the bytes of the answer.
    /// - Throws: Also when the answer is not whole; part of it was delivered then.
    package mutating func stream(
        _ request: ClientRequest, accept: StaticString = "", hasBody: Bool = false,
        from next: BodySource = { _ in },
        _ deliver: BodySink
    ) throws(ClientError) -> ClientResponse {
        try render(request, Span(), accept: accept, isChunked: hasBody)
        link = nil
        try transmit(Span())
        if hasBody { try sendChunks(next) }
        guard var used = link.take() else { throw .closedEarly }
        guard let head = try receiveHead(&used) else { throw .closedEarly }
        let response = ClientResponse(head, used.received.span)
        used.received.removeFirst(head.byteCount)
        if response.status == 200 {
            try receiveBody(head.framing, &used, keepsIt: false, deliver)
        } else {
            try receiveBody(head.framing, &used)
        }
        return response
    }

    /// Sends a body until it ends, or the server listens no more: it may have answered.
    private mutating func sendChunks(
        _ next: BodySource
    ) throws(ClientError) {
        guard var used = link.take() else { throw .closedEarly }
        var piece = ByteBuffer()
        var isOpen = true
        repeat {
            piece.removeAll()
            try next(&piece)
            outgoing.removeAll()
            outgoing.appendChunk(piece.span, framing: .chunked)
            if piece.isEmpty { outgoing.appendLastChunk(framing: .chunked) }
            isOpen = try used.sendAll(outgoing.span)
        } while isOpen && !piece.isEmpty
        link = consume used
    }

    /// Sends a request; `receive` must follow.
    ///
    /// A server that stops listening halfway is no error yet: it may have answered.
    ///
    /// - Throws: `badTarget`, and what keeps a connection from being made or used.
    package mutating func send(
        _ request: ClientRequest, body: Span<UInt8> = Span()
    ) throws(ClientError) {
        try render(request, body)
        if var idle = link.take(), idle.isSilent() { link = consume idle }
        try transmit(body)
    }

    /// Receives the answer to what was sent last.
    ///
    /// - Parameter sentBody: What `send` got, for the case that it must be sent again.
    /// - Throws: Why there is no whole answer; the connection is closed then.
    package mutating func receive(
        sent sentBody: Span<UInt8> = Span()
    ) throws(ClientError) -> ClientResponse {
        guard var used = link.take() else { throw .closedEarly }
        var head = try receiveHead(&used)
        if head == nil, used.isReused, used.received.isEmpty {
            try transmit(sentBody)
            guard let fresh = link.take() else { throw .closedEarly }
            used = fresh
            head = try receiveHead(&used)
        }
        guard let head else { throw .closedEarly }
        let response = ClientResponse(head, used.received.span)
        used.received.removeFirst(head.byteCount)
        try receiveBody(head.framing, &used)
        // What stands behind an answer that nobody asked for cannot be trusted.
        if head.keepsAlive, used.received.isEmpty {
            used.isReused = true
            link = consume used
        }
        return response
    }

    /// Closes the connection; the next call makes a new one.
    package mutating func close() { link = nil }

    // MARK: - Sending

    private mutating func render(
        _ request: ClientRequest, _ body: Span<UInt8>, accept: StaticString = "",
        isChunked: Bool = false
    ) throws(ClientError) {
        outgoing.removeAll()
        isToHead = request.method.description == "HEAD"
        let hasType = request.contentType.utf8CodeUnitCount > 0
        let target = url.basePath + request.target
        let isSendable = outgoing.appendRequest(
            method: request.method, target: target.utf8.span, host: url.authority.utf8.span
        ) { head in
            if hasType { head.appendHeader("Content-Type", request.contentType) }
            if accept.utf8CodeUnitCount > 0 { head.appendHeader("Accept", accept) }
            if isChunked {
                head.appendHeader("Transfer-Encoding", "chunked")
            } else if hasType || !body.isEmpty {
                head.appendHeader("Content-Length", decimal: body.count)
            }
        }
        guard isSendable else { throw .badTarget }
        joinsBody = body.count <= Self.joinedByteCountMax
        if joinsBody { outgoing.append(body) }
    }

    /// Sends what was rendered, over a new connection where there is none.
    private mutating func transmit(_ body: Span<UInt8>) throws(ClientError) {
        var used: Link
        if let idle = link.take() {
            used = idle
        } else {
            let target = if let address { address } else { try url.resolved() }
            address = target
            used = try Link.connect(to: target, limits)
        }
        if try used.sendAll(outgoing.span), !joinsBody { _ = try used.sendAll(body) }
        link = consume used
    }

    // MARK: - Receiving

    /// - Returns: nil when the connection ended before the head did.
    private func receiveHead(_ used: inout Link) throws(ClientError) -> ResponseHead? {
        var parser = ResponseParser()
        while true {
            do throws(HTTPRefusal) {
                if let head = try parser.parse(used.received.span, isToHead: isToHead) {
                    // An interim answer; the real one follows (RFC 9110 §15.2).
                    guard head.status < 200, head.status != 101 else { return head }
                    used.received.removeFirst(head.byteCount)
                    parser.reset()
                    continue
                }
            } catch {
                throw .malformed(error)
            }
            guard try used.receiveMore() else { return nil }
        }
    }

    /// - Parameters:
    ///   - keepsIt: In `body`, up to its limit.
    ///   - deliver: Gets the bytes as they come where they are not kept.
    private mutating func receiveBody(
        _ framing: ResponseFraming, _ used: inout Link, keepsIt: Bool = true,
        _ deliver: BodySink = { _ in }
    ) throws(ClientError) {
        body.removeAll()
        let limit = keepsIt ? limits.bodyByteCountMax : Int.max
        switch framing {
        case .none: return
        case .length(let length):
            guard length <= limit else { throw .bodyTooLarge(limit: limit) }
            var rest = length
            while true {
                let count = min(rest, used.received.count)
                take(count, &used)
                rest -= count
                if !keepsIt { try handOn(deliver) }
                if rest == 0 { return }
                guard try used.receiveMore() else { throw .closedEarly }
            }
        case .chunked: try receiveChunks(&used, limit: limit, keepsIt: keepsIt, deliver)
        case .untilClose:
            repeat {
                take(used.received.count, &used)
                guard body.count <= limit else { throw .bodyTooLarge(limit: limit) }
                if !keepsIt { try handOn(deliver) }
            } while try used.receiveMore()
        }
    }

    private mutating func receiveChunks(
        _ used: inout Link, limit: Int, keepsIt: Bool,
        _ deliver: BodySink
    ) throws(ClientError) {
        var decoder = ChunkedDecoder(bodyByteCountMax: limit)
        while true {
            var offset = 0
            var isWhole = false
            decoding: while true {
                do throws(HTTPRefusal) {
                    switch try decoder.next(used.received.span, from: offset) {
                    case .data(let range):
                        body.append(used.received.span.part(range))
                        offset = range.end
                    case .needMore(let consumed):
                        offset = consumed
                        break decoding
                    case .end(let consumed):
                        offset = consumed
                        isWhole = true
                        break decoding
                    }
                } catch {
                    throw error == .bodyTooLarge ? .bodyTooLarge(limit: limit) : .malformed(error)
                }
            }
            used.received.removeFirst(offset)
            if !keepsIt { try handOn(deliver) }
            if isWhole { return }
            guard try used.receiveMore() else { throw .closedEarly }
        }
    }

    /// Delivers what is in `body`, and empties it.
    private mutating func handOn(
        _ deliver: BodySink
    ) throws(ClientError) {
        if body.isEmpty { return }
        try deliver(body.span)
        body.removeAll()
    }

    /// Moves the first `count` received bytes to the body.
    private mutating func take(_ count: Int, _ used: inout Link) {
        body.append(used.received.span.part(ByteRange(offset: 0, count: count)))
        used.received.removeFirst(count)
    }
}

extension ClientResponse {
    init(_ head: ResponseHead, _ bytes: Span<UInt8>) {
        status = head.status
        contentType = bytes.part(head.contentType).text
        etag = bytes.part(head.etag).text
        retryAfterSeconds = bytes.part(head.retryAfter).decimalInteger().flatMap {
            $0 >= 0 ? Int(clamping: $0) : nil
        }
    }
}
