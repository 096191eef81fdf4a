import Bytes
import HTTP
import Platform
import Service
import Testing

/// Pipelined requests that are answered together are answered as if they came one by one.
@Suite struct JoinedAnswersTests {
    /// Echoes bodies. Those at `/joined` may be answered together, but never more than `most` of
    /// them at a time, as if the next one had to wait for something.
    private struct Echo: RequestHandler, ~Copyable {
        let most: Int
        var joined: [ByteRange] = []

        mutating func plan(
            _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
        ) -> RequestPlan { .gather(limit: 1 << 20) }

        mutating func answer(
            _ head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>,
            _ exchange: inout Exchange
        ) -> Progress {
            exchange.respond(200, contentType: "text/plain", body: body)
            return .done
        }

        mutating func join(
            _ head: borrowing RequestHead, _ text: Span<UInt8>, at start: Int
        ) -> Bool {
            guard text.from(start).part(head.path).equals("/joined") else { return false }
            if start == 0 { joined.removeAll() }
            joined.append(ByteRange(from: start + head.byteCount, to: text.count))
            return true
        }

        mutating func answerJoined(_ text: Span<UInt8>, _ exchange: inout Exchange) -> Int {
            let count = min(most, joined.count)
            for body in joined[..<count] {
                exchange.respond(201, contentType: "text/plain", body: text.part(body))
            }
            return count
        }

        mutating func consume(
            _ piece: Span<UInt8>, isLast: Bool, _ exchange: inout Exchange
        ) -> Intake { Intake(piece.count, .done) }

        mutating func produce(_ exchange: inout Exchange) -> Progress { .done }
        mutating func cancelled(_ exchange: inout Exchange) {}
        mutating func turn(_ now: Moment) -> NextTurn { .whenAsked }
        mutating func nextReady() -> ExchangeToken? { nil }
        var hasWork: Bool { false }
        mutating func finish() {}
    }

    @Test(arguments: [0, 1, 2, 3, 31, 32, 1000])
    func `each request is answered once and in order, however many are answered together`(
        most: Int
    ) throws {
        var configuration = ServerConfiguration(address: .loopback(port: 0), reactorCount: 1)
        configuration.limits.tickMilliseconds = 10
        let server = try Server(configuration)
        try server.start { _ in Echo(most: most) }
        defer {
            server.stop()
            server.join()
        }
        var client = Client(
            try Descriptor.connect(to: server.address, timeoutMilliseconds: 10_000))
        var bytes: [UInt8] = []
        let bodies = (0..<400).map { number in
            Array(repeating: UInt8(ascii: "a") + UInt8(number % 26), count: number * 7 % 900)
        }
        for (number, body) in bodies.enumerated() {
            bytes += request("POST", number % 50 < 45 ? "/joined" : "/alone", body: body)
        }
        bytes += request("POST", "/joined", headers: "Connection: close\r\n", body: [1])
        try client.send(bytes)
        var togetherCount = 0
        for body in bodies {
            let answer = try client.answer()
            #expect(answer.body == body)
            if answer.status == 201 { togetherCount += 1 }
        }
        #expect(try client.answer().body == [1])
        #expect(try client.isClosed())
        #expect((togetherCount > 0) == (most > 0))
        // The figures are published at the end of the turn.
        for _ in 0..<1000 where server.counts[.requests] < 401 { Thread.sleep(milliseconds: 5) }
        #expect(server.counts[.requests] == 401)
        #expect(server.latency(route: 0).count == 401)
    }

    /// Questions, plain and not so plain.
    private static let questions = [
        #"{"items":[{"sku":"A1"}]}"#, #"{"channel":"web","items":[{"sku":"B2","qty":3}]}"#,
        #"{"items":[{"sku":"A1","locations":["L1","L2"]},{"sku":"NOPE"},{"sku":"B2"}]}"#,
        #"{"detail":"locations","items":[{"sku":"A1"},{"sku":"B2","locations":["L2"]}]}"#,
        #"{"items":[{"sku":"\u0041\u0031"},{"sku":"A1"}]}"#, #"{"items":[]}"#,
        #"{"items":[{"sku":"A1","locations":["\u004c1"]}]}"#, #"{"items":[{"sku":"A1"}"#,
        #"{"items":[{"sku":"A1"}],"items":[]}"#, #"{"items":[{"sku":5},{"sku":"A1"}]}"#,
        #"{"after":"0123456789abcdef-1","items":[{"sku":"A1"}]}"#, #"{}"#,
        #"{"items":[{"sku":"A1","group":"G","locations":["L1"]},{"qty":1}]}"#, "",
        #" {"items" : [ {"sku":"B2","locations":["L9"]} ]} "#,
    ]

    @Test func `questions in a row are answered like the same questions one by one`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(seed)
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,10", "A1,L2,20", "B2,L2,3"])
            for _ in 0..<20 {
                let requests = (0..<Int.random(in: 2...80, using: &random)).map { _ in
                    randomRequest(&random)
                }
                let single = try requests.map { bytes in
                    try client.send(bytes)
                    return try told(client.answer())
                }
                try client.send(Array(requests.joined()))
                let inARow = try requests.map { _ in try told(client.answer()) }
                #expect(inARow == single, "seed \(seed)")
            }
        }
    }

    private func randomRequest(_ random: inout Seeded) -> [UInt8] {
        // Mostly plain ones, so that rows of them come about.
        let isPlain = Int.random(in: 0..<4, using: &random) > 0
        let number = Int.random(in: 0..<(isPlain ? 3 : Self.questions.count), using: &random)
        let body = Array(Self.questions[number].utf8)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return request("GET", "/v1/availability/A1?location=L2")
        case 1: return request("PUT", "/v1/availability", body: body)
        case 2: return request("POST", "/v1/availability", headers: "X: y\r\n", body: body)
        case 3:
            return request("POST", "/v1/availability", headers: "Transfer-Encoding: chunked\r\n")
                + chunked(body, by: 7)
        case 4:
            return request(
                "POST", "/v1/availability", headers: "Content-Encoding: gzip\r\n", body: body)
        default: return request("POST", "/v1/availability", body: body)
        }
    }

    /// What an answer says, apart from when.
    private func told(_ answer: Answer) throws -> String {
        let document = try Document(reading: answer.body)
        return "\(answer.status) \(document["code"]) \(document["detail"]) \(document["mark"]) "
            + "\(document["rules_version"]) \(document["items"])"
    }
}
