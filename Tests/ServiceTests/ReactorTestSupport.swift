import Bytes
import Glibc
import HTTP
import Platform
import Service
import Synchronization
import Testing

/// What a test sees of the handlers in the reactors' threads.
final class Probe: Sendable {
    let planned = Atomic<Int>(0)
    let cancelled = Atomic<Int>(0)
    let finished = Atomic<Int>(0)

    /// Exchanges of `/gate` go on when this is true.
    let gateIsOpen = Atomic<Bool>(false)

    /// Exchanges of `/outside`, for another thread to take, and those it has given back.
    let outside = Mutex<[ExchangeToken]>([])
    let inbox = Mutex<[ExchangeToken]>([])
}

/// A handler with one route for each way through a reactor.
struct RouteHandler: RequestHandler, ~Copyable {
    let probe: Probe
    private var ready: [ExchangeToken] = []
    private var gated: [ExchangeToken] = []
    private var windowed: [ExchangeToken] = []

    init(probe: Probe) { self.probe = probe }

    mutating func plan(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> RequestPlan {
        probe.planned.wrappingAdd(1, ordering: .relaxed)
        exchange.route = 1
        switch bytes.part(head.path).text {
        case "/echo": return .gather(limit: 4 << 20)
        case "/small": return .gather(limit: 100)
        case "/sum", "/pause", "/lines", "/mirror", "/early": return .stream(limit: 64 << 20)
        case "/forbidden":
            exchange.problem(403, "forbidden", "Not \"here\".")
            return .answered
        default: return .gather(limit: 0)
        }
    }

    mutating func answer(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>,
        _ exchange: inout Exchange
    ) -> Progress {
        switch bytes.part(head.path).text {
        case "/echo", "/small":
            exchange.respond(200, contentType: "text/plain", body: body)
            return .done
        case "/hello":
            exchange.body.append("hello")
            exchange.respond(200, contentType: "text/plain")
            return .done
        case "/big":
            for _ in 0..<(1 << 16) { exchange.body.append("0123456789abcdef") }
            exchange.respond(200, contentType: "text/plain")
            return .done
        case "/later":
            ready.append(exchange.token)
            exchange.scratch = 1
            return .later
        case "/gate":
            gated.append(exchange.token)
            exchange.state = probe
            return .later
        case "/outside":
            let token = exchange.token
            probe.outside.withLock { $0.append(token) }
            return .later
        case "/window":
            windowed.append(exchange.token)
            return .later
        case "/feed":
            gated.append(exchange.token)
            exchange.endsWithPeer = true
            return .later
        case "/broken":
            exchange.beginStream(200, contentType: "text/plain")
            exchange.writeChunk { $0.append("part") }
            exchange.scratch = -1
            return .more
        case "/chunks":
            exchange.beginStream(200, contentType: "text/plain")
            exchange.scratch = 100
            return .more
        default:
            exchange.problem(404, "not_found", "There is nothing at this path.")
            return .done
        }
    }

    mutating func consume(
        _ piece: Span<UInt8>, isLast: Bool, _ exchange: inout Exchange
    ) -> Intake {
        let tally = exchange.state as? Tally ?? Tally()
        exchange.state = tally
        if piece.count >= 2, piece[0] == UInt8(ascii: "!"), piece[1] == UInt8(ascii: "!") {
            exchange.problem(400, "bang", "Two bangs.")
            return Intake(0, .done)
        }
        if tally.takesLines(piece), !isLast { return Intake(tally.addLines(piece), .more) }
        for index in piece.indices { tally.add(piece[index]) }
        if !isLast {
            tally.pauseCount += 1
            // Every other piece asks for a pause.
            if tally.pauseCount % 2 == 1 {
                ready.append(exchange.token)
                return Intake(piece.count, .later)
            }
            return Intake(piece.count, .more)
        }
        tally.describe(&exchange.body)
        exchange.respond(200, contentType: "text/plain")
        return Intake(piece.count, .done)
    }

    mutating func produce(_ exchange: inout Exchange) -> Progress {
        if exchange.scratch < 0 { return .cut }
        if exchange.scratch > 1 {
            exchange.scratch -= 1
            exchange.writeChunk { chunk in
                for _ in 0..<1000 { chunk.append("0123456789") }
            }
            if exchange.scratch > 1 { return .more }
            exchange.endStream()
            return .done
        }
        exchange.body.append(exchange.state === probe ? "gate" : "later")
        exchange.respond(200, contentType: "text/plain")
        return .done
    }

    mutating func cancelled(_ exchange: inout Exchange) {
        exchange.body.append("nobody reads this")
        exchange.respond(200, contentType: "text/plain")
        probe.cancelled.wrappingAdd(1, ordering: .relaxed)
    }

    mutating func turn(_ now: Moment) -> NextTurn {
        if probe.gateIsOpen.load(ordering: .relaxed) {
            ready.append(contentsOf: gated)
            gated.removeAll()
        }
        ready += probe.inbox.withLock { inbox in
            defer { inbox = [] }
            return inbox
        }
        return ready.isEmpty ? .whenAsked : .atOnce
    }

    mutating func nextReady() -> ExchangeToken? {
        // As if another thread had filled the inbox after `turn` and seen no need to ring.
        if !windowed.isEmpty {
            let late = windowed
            probe.inbox.withLock { $0 += late }
            windowed = []
        }
        return ready.popLast()
    }

    var hasWork: Bool { !ready.isEmpty || probe.inbox.withLock { !$0.isEmpty } }

    mutating func finish() { probe.finished.wrappingAdd(1, ordering: .relaxed) }
}

/// What was seen of a streamed body: its length, its lines if it is made of them, and a sum.
private final class Tally {
    var byteCount = 0
    var lineCount = 0
    var sum: UInt64 = 0
    var pauseCount = 0
    private var isLineWise = false

    func add(_ byte: UInt8) {
        byteCount += 1
        sum = sum &* 31 &+ UInt64(byte)
        if byte == UInt8(ascii: "\n") { lineCount += 1 }
    }

    /// Whether this body is taken by whole lines, the rest of a line left: those that start with
    /// `#`.
    func takesLines(_ piece: Span<UInt8>) -> Bool {
        if byteCount == 0, !piece.isEmpty { isLineWise = piece[0] == UInt8(ascii: "#") }
        return isLineWise
    }

    /// Takes the whole lines of `piece`; returns their length.
    func addLines(_ piece: Span<UInt8>) -> Int {
        var end = piece.count
        while end > 0, piece[end - 1] != UInt8(ascii: "\n") { end -= 1 }
        for index in 0..<end { add(piece[index]) }
        return end
    }

    func describe(_ body: inout ByteBuffer) {
        body.append(decimal: byteCount)
        body.append(" bytes, ")
        body.append(decimal: lineCount)
        body.append(" lines, sum ")
        body.append(String(sum))
    }
}

/// What `describe` says of `bytes`.
func tallied(_ bytes: [UInt8]) -> String {
    var sum: UInt64 = 0
    for byte in bytes { sum = sum &* 31 &+ UInt64(byte) }
    return "\(bytes.count) bytes, \(bytes.count { $0 == 10 }) lines, sum \(sum)"
}

/// A running server with `RouteHandler`s. Ended, not drained, by `withServer`.
struct TestServer {
    let server: Server
    let probe: Probe

    func connect(timeoutMilliseconds: Int32 = 10_000) throws -> Client {
        Client(
            try Descriptor.connect(
                to: server.address, timeoutMilliseconds: timeoutMilliseconds))
    }

    /// Waits until `condition` holds, at most five seconds.
    func eventually(_ condition: (ReactorCounts) -> Bool) -> Bool {
        for _ in 0..<1000 {
            if condition(server.counts) { return true }
            Thread.sleep(milliseconds: 5)
        }
        return false
    }
}

/// Runs `body` beside a server on a port of its own.
func withServer(
    reactorCount: Int = 1, scheme: ListenerScheme = .perReactor,
    _ change: (inout ServerLimits) -> Void = { _ in }, _ body: (TestServer) throws -> Void
) throws {
    var configuration = ServerConfiguration(
        address: .loopback(port: 0), reactorCount: reactorCount)
    configuration.scheme = scheme
    configuration.routeCount = 2
    configuration.limits.tickMilliseconds = 10
    change(&configuration.limits)
    let probe = Probe()
    let server = try Server(configuration)
    try server.start { _ in RouteHandler(probe: probe) }
    defer {
        server.stop()
        server.join()
        #expect(probe.finished.load(ordering: .relaxed) == reactorCount)
    }
    try body(TestServer(server: server, probe: probe))
}

/// One answer as it came.
struct Answer: Equatable {
    var status = 0
    var head = ""
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A blocking client that knows just enough of HTTP, and nothing of the server's codec.
struct Client: ~Copyable {
    let descriptor: Descriptor
    private var received: [UInt8] = []

    /// The server has ended the connection, in order or by a reset.
    private(set) var isAtEnd = false

    /// It was a reset.
    private(set) var wasReset = false

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    func send(_ bytes: [UInt8]) throws { try descriptor.sendAll(bytes.span) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Reads once; false at the end of the connection.
    private mutating func readMore() throws -> Bool {
        var buffer = ByteBuffer()
        do {
            if try descriptor.read(into: &buffer, room: 1 << 16) == 0 { isAtEnd = true }
        } catch {
            guard error.code == 104 else { throw error }  // ECONNRESET
            isAtEnd = true
            wasReset = true
        }
        for index in 0..<buffer.count { received.append(buffer[index]) }
        return !isAtEnd
    }

    /// Whether the server ends the connection now, sending nothing more.
    mutating func isClosed() throws -> Bool {
        while try readMore() {}
        return received.isEmpty
    }

    /// The next answer.
    mutating func answer(toHead: Bool = false) throws -> Answer {
        var answer = Answer()
        while true {
            if let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                answer.head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
                received.removeSubrange(..<end.upperBound)
                break
            }
            guard try readMore() else { throw ClientError.ended(partly: received.count) }
        }
        answer.status = Int(answer.head.split(separator: " ")[1]) ?? -1
        if toHead || answer.status == 100 || answer.status == 204 { return answer }
        if let length = header("content-length", of: answer), let count = Int(length) {
            try need(count)
            answer.body = Array(received[..<count])
            received.removeSubrange(..<count)
        } else if header("transfer-encoding", of: answer) == "chunked" {
            while let piece = try chunk() { answer.body += piece }
        } else {
            while try readMore() {}
            answer.body = received
            received = []
        }
        return answer
    }

    private mutating func need(_ count: Int) throws {
        while received.count < count {
            guard try readMore() else { throw ClientError.ended(partly: received.count) }
        }
    }

    private mutating func chunk() throws -> [UInt8]? {
        while !received.contains(10) {
            guard try readMore() else { throw ClientError.ended(partly: received.count) }
        }
        let end = received.firstIndex(of: 10) ?? 0
        let digits = String(decoding: received[..<(end - 1)], as: UTF8.self)
        guard let count = Int(digits, radix: 16) else { throw ClientError.badChunk(digits) }
        try need(end + 1 + count + 2)
        let piece = Array(received[(end + 1)..<(end + 1 + count)])
        received.removeSubrange(..<(end + 1 + count + 2))
        return count == 0 ? nil : piece
    }

    /// One request and its answer.
    mutating func ask(
        _ method: String, _ path: String, headers: String = "", body: [UInt8]? = nil
    ) throws -> Answer {
        try send(request(method, path, headers: headers, body: body))
        return try answer(toHead: method == "HEAD")
    }
}

enum ClientError: Error {
    case ended(partly: Int)
    case badChunk(String)
}

/// The bytes of a request.
func request(
    _ method: String, _ path: String, headers: String = "", body: [UInt8]? = nil
) -> [UInt8] {
    let length = body.map { "Content-Length: \($0.count)\r\n" } ?? ""
    return Array("\(method) \(path) HTTP/1.1\r\nHost: test\r\n\(headers)\(length)\r\n".utf8)
        + (body ?? [])
}

/// `bytes` in chunks of at most `size`.
func chunked(_ bytes: [UInt8], by size: Int) -> [UInt8] {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
        let piece = bytes[start..<min(bytes.count, start + size)]
        result += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece
        result += Array("\r\n".utf8)
    }
    return result + Array("0\r\n\r\n".utf8)
}

/// The value of a header, named in lower case.
func header(_ name: String, of answer: Answer) -> String? {
    for line in answer.head.split(separator: "\r\n").dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2, parts[0].lowercased() == name {
            return String(parts[1].drop { $0 == " " })
        }
    }
    return nil
}

/// Bytes that follow from `seed`.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var word = seed
    return (0..<count).map { _ in
        word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: word >> 56)
    }
}

/// How many sockets of this process are bound to `port` of this side.
func socketCount(boundTo port: UInt16) -> Int {
    var count = 0
    for number: Int32 in 0..<4096 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(number, $0, &length)
            }
        }
        if result == 0, address.sin_port == port.bigEndian { count += 1 }
    }
    return count
}
