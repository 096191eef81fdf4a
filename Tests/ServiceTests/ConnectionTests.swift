import Platform
import Service
import Synchronization
import Testing

/// What one client can expect of one connection.
@Suite struct ConnectionTests {
    @Test func `one connection serves one request after the other`() throws {
        try withServer { here in
            var client = try here.connect()
            for number in 0..<100 {
                let answer = try client.ask("POST", "/echo", body: Array("\(number)".utf8))
                #expect(answer.status == 200)
                #expect(answer.text == "\(number)")
                #expect(header("connection", of: answer) == nil)
            }
            #expect(here.eventually { $0[.accepted] == 1 })
        }
    }

    @Test func `every answer states its date`() throws {
        try withServer { here in
            var client = try here.connect()
            let date = try #require(header("date", of: client.ask("GET", "/hello")))
            #expect(date.hasSuffix(" GMT"))
            #expect(date.count == 29)
        }
    }

    @Test func `a thousand requests in one write are answered in order`() throws {
        try withServer { here in
            var client = try here.connect()
            var bytes: [UInt8] = []
            for number in 0..<1000 {
                // Some are answered at once, some a turn later, some in pieces.
                switch number % 100 {
                case 50: bytes += request("GET", "/later")
                case 75: bytes += request("GET", "/chunks")
                default: bytes += request("POST", "/echo", body: Array("\(number)".utf8))
                }
            }
            // The server stops reading when its answers are not read, so both at once.
            let writer = Writer(bytes)
            let thread = try writer.start(client.descriptor.duplicate())
            for number in 0..<1000 {
                let answer = try client.answer()
                switch number % 100 {
                case 50: #expect(answer.text == "later")
                case 75: #expect(answer.body.count == 990_000)
                default: #expect(answer.text == "\(number)")
                }
            }
            thread.join()
        }
    }

    @Test(arguments: [
        request("POST", "/echo", body: Array("hello".utf8)),
        request("POST", "/echo", headers: "Transfer-Encoding: chunked\r\n")
            + chunked(Array("hello".utf8), by: 2),
        request("POST", "/sum", body: Array("hello".utf8)),
        request("POST", "/sum", headers: "Transfer-Encoding: chunked\r\n")
            + chunked(Array("hello".utf8), by: 3),
        request("POST", "/forbidden", body: Array("hello".utf8)),
        request("GET", "/hello"),
    ])
    func `a request may be split at every byte`(bytes: [UInt8]) throws {
        try withServer { here in
            var client = try here.connect()
            try client.send(bytes)
            let whole = try client.answer()
            #expect(!whole.body.isEmpty)
            if header("connection", of: whole) == "close" { client = try here.connect() }
            for split in 1..<bytes.count {
                try client.send(Array(bytes[..<split]))
                // The first part is read by itself, mostly.
                Thread.sleep(milliseconds: 1)
                try client.send(Array(bytes[split...]))
                let answer = try client.answer()
                #expect(answer.body == whole.body, "split at \(split)")
            }
        }
    }

    @Test func `two requests may be sent a byte at a time`() throws {
        try withServer { here in
            var client = try here.connect()
            let body = pattern(40)
            let bytes =
                request("POST", "/echo", headers: "Transfer-Encoding: chunked\r\n")
                + chunked(body, by: 7) + request("POST", "/sum", body: body)
            for byte in bytes { try client.send([byte]) }
            #expect(try client.answer().body == body)
            #expect(try client.answer().text == tallied(body))
        }
    }

    @Test(arguments: [0, 1, 1000, 100_000, 3 << 20])
    func `bodies of every size arrive whole`(count: Int) throws {
        let body = pattern(count)
        try withServer { here in
            var client = try here.connect()
            #expect(try client.ask("POST", "/echo", body: body).body == body)
            #expect(try client.ask("POST", "/sum", body: body).text == tallied(body))
            let asChunks = chunked(body, by: 5000)
            let head = "Transfer-Encoding: chunked\r\n"
            try client.send(request("POST", "/echo", headers: head) + asChunks)
            #expect(try client.answer().body == body)
            try client.send(request("POST", "/sum", headers: head) + asChunks)
            #expect(try client.answer().text == tallied(body))
        }
    }

    @Test func `a handler may take a streamed body by whole lines`() throws {
        // The first byte asks for it; lines of 1 to 3000 bytes.
        var body: [UInt8] = []
        for number in 0..<500 {
            body += Array("#".utf8) + [UInt8](repeating: 120, count: number * 6) + [10]
        }
        try withServer { here in
            var client = try here.connect()
            #expect(try client.ask("POST", "/sum", body: body).text == tallied(body))
            let bytes = request("POST", "/sum", headers: "Transfer-Encoding: chunked\r\n")
            try client.send(bytes + chunked(body, by: 777))
            #expect(try client.answer().text == tallied(body))
        }
    }

    @Test func `random bodies in random pieces arrive whole`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(seed)
        try withServer { here in
            var client = try here.connect()
            for _ in 0..<60 {
                let body = pattern(Int.random(in: 0...20_000, using: &random), seed: random.next())
                let path = Bool.random(using: &random) ? "/sum" : "/echo"
                var bytes = request("POST", path, body: body)
                if Bool.random(using: &random) {
                    bytes = request("POST", path, headers: "Transfer-Encoding: chunked\r\n")
                    bytes += chunked(body, by: Int.random(in: 1...3000, using: &random))
                }
                var offset = 0
                while offset < bytes.count {
                    let end = min(bytes.count, offset + Int.random(in: 1...6000, using: &random))
                    try client.send(Array(bytes[offset..<end]))
                    offset = end
                }
                let answer = try client.answer()
                if path == "/echo" {
                    #expect(answer.body == body, "seed \(seed)")
                } else {
                    #expect(answer.text == tallied(body), "seed \(seed)")
                }
            }
        }
    }

    @Test(arguments: [(1, 1, 1), (1, 7, 1000), (2, 64, 1), (3, 1000, 100), (512, 300, 5000)])
    func `the order of things does not depend on how little is done per turn`(
        steps: Int, readCount: Int, unsentMax: Int
    ) throws {
        let body = pattern(2000)
        let bytes =
            request("POST", "/sum", headers: "Transfer-Encoding: chunked\r\n")
            + chunked(body, by: 100) + request("GET", "/hello")
            + request("POST", "/echo", headers: "Transfer-Encoding: chunked\r\n")
            + chunked(body, by: 3) + request("GET", "/later") + request("GET", "/chunks")
            + request("POST", "/forbidden", body: body) + request("POST", "/echo", body: body)
        try withServer {
            $0.stepCountPerTurn = steps
            $0.readByteCount = readCount
            $0.unsentByteCountMax = unsentMax
        } _: { here in
            var client = try here.connect()
            for _ in 0..<3 {
                try client.send(bytes)
                #expect(try client.answer().text == tallied(body))
                #expect(try client.answer().text == "hello")
                #expect(try client.answer().body == body)
                #expect(try client.answer().text == "later")
                #expect(try client.answer().body.count == 990_000)
                #expect(try client.answer().status == 403)
                #expect(try client.answer().body == body)
            }
        }
    }

    @Test func `HEAD gets the length without the body`() throws {
        try withServer { here in
            var client = try here.connect()
            let answer = try client.ask("HEAD", "/hello")
            #expect(answer.status == 200)
            #expect(header("content-length", of: answer) == "5")
            #expect(try client.ask("HEAD", "/chunks").status == 200)
            #expect(try client.ask("HEAD", "/nowhere").status == 404)
            #expect(try client.ask("GET", "/hello").text == "hello")
        }
    }

    @Test func `an answer that is ready later comes later`() throws {
        try withServer { here in
            var client = try here.connect()
            var other = try here.connect()
            try client.send(request("GET", "/gate") + request("GET", "/hello"))
            #expect(here.eventually { $0[.requests] == 1 })
            #expect(try other.ask("GET", "/hello").text == "hello")
            here.probe.gateIsOpen.store(true, ordering: .relaxed)
            #expect(try client.answer().text == "gate")
            #expect(try client.answer().text == "hello")
        }
    }

    @Test func `a client that ends its direction still gets its answers`() throws {
        try withServer { here in
            var client = try here.connect()
            try client.send(request("GET", "/hello") + request("GET", "/gate"))
            client.descriptor.shutdownSending()
            #expect(try client.answer().text == "hello")
            here.probe.gateIsOpen.store(true, ordering: .relaxed)
            #expect(try client.answer().text == "gate")
            #expect(try client.isClosed())
            #expect(here.probe.cancelled.load(ordering: .relaxed) == 0)
        }
    }

    @Test func `a feed ends when its client does`() throws {
        try withServer { here in
            let client = try here.connect()
            try client.send(request("GET", "/feed"))
            #expect(here.eventually { $0[.requests] == 1 })
            client.descriptor.shutdownSending()
            #expect(here.eventually { $0[.open] == 0 })
            #expect(here.probe.cancelled.load(ordering: .relaxed) == 1)
        }
    }

    @Test(arguments: ["/gate", "/sum", "/echo"])
    func `the handler hears of an exchange whose client is gone`(path: String) throws {
        try withServer { here in
            do {
                let client = try here.connect()
                let bytes = request("POST", path, body: pattern(1000))
                // Half of the body, or for the gate all of it.
                try client.send(path == "/gate" ? request("GET", path) : Array(bytes.dropLast(500)))
                #expect(here.eventually { $0[.requests] == 1 })
                client.descriptor.resetOnClose()
            }
            #expect(here.eventually { $0[.open] == 0 })
            #expect(here.probe.cancelled.load(ordering: .relaxed) == 1)
            // What becomes ready now finds nobody.
            here.probe.gateIsOpen.store(true, ordering: .relaxed)
            var other = try here.connect()
            #expect(try other.ask("GET", "/gate").text == "gate")
        }
    }

    @Test func `old clients get what they understand`() throws {
        try withServer { here in
            var client = try here.connect()
            try client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let kept = try client.answer()
            #expect(header("connection", of: kept) == "keep-alive")
            #expect(kept.text == "hello")
            try client.send("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let streamed = try client.answer()
            #expect(header("transfer-encoding", of: streamed) == nil)
            #expect(header("connection", of: streamed) == "close")
            #expect(streamed.body.count == 990_000)
            let isAtEnd = client.isAtEnd
            #expect(isAtEnd)
        }
    }

    @Test func `a client that wants to close is closed`() throws {
        try withServer { here in
            var client = try here.connect()
            let answer = try client.ask("GET", "/hello", headers: "Connection: close\r\n")
            #expect(header("connection", of: answer) == "close")
            #expect(try client.isClosed())
        }
    }
}

/// Expectations, refusals and bodies nobody wants.
@Suite struct ConnectionRefusalTests {
    @Test(arguments: ["/echo", "/sum"])
    func `a client that asks is told to send its body`(path: String) throws {
        try withServer { here in
            var client = try here.connect()
            let head = "POST \(path) HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            try client.send(head + "Content-Length: 5\r\n\r\n")
            #expect(try client.answer().status == 100)
            try client.send("hello")
            let answer = try client.answer()
            #expect(answer.status == 200)
            #expect(answer.text == (path == "/echo" ? "hello" : tallied(Array("hello".utf8))))
        }
    }

    @Test func `a client whose body is here already is not told to send it`() throws {
        try withServer { here in
            var client = try here.connect()
            let answer = try client.ask(
                "POST", "/echo", headers: "Expect: 100-continue\r\n", body: [65])
            #expect(answer.status == 200)
        }
    }

    @Test func `a client that asks and is refused keeps its body`() throws {
        try withServer { here in
            var client = try here.connect()
            try client.send(
                "POST /forbidden HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 5\r\n\r\n")
            let answer = try client.answer()
            #expect(answer.status == 403)
            #expect(header("connection", of: answer) == "close")
            #expect(try client.isClosed())
        }
    }

    @Test func `a small body that nobody wants is skipped`() throws {
        try withServer { here in
            var client = try here.connect()
            for _ in 0..<3 {
                let answer = try client.ask("POST", "/forbidden", body: pattern(60_000))
                #expect(answer.status == 403)
                #expect(header("connection", of: answer) == nil)
                #expect(header("content-type", of: answer) == "application/problem+json")
                #expect(
                    answer.text == """
                        {"type":"urn:holdfast:problem:forbidden","title":"Forbidden","status":403,\
                        "code":"forbidden","detail":"Not \\"here\\"."}

                        """)
            }
        }
    }

    @Test func `a large body that nobody wants costs the connection, not the answer`() throws {
        try withServer { here in
            var client = try here.connect()
            try client.send(request("POST", "/forbidden", body: pattern(300_000)))
            let answer = try client.answer()
            #expect(answer.status == 403)
            #expect(header("connection", of: answer) == "close")
            #expect(try client.isClosed())
            // A reset could have taken the answer away.
            let wasReset = client.wasReset
            #expect(!wasReset)
        }
    }

    @Test func `an answer in the middle of a body ends the connection`() throws {
        try withServer { here in
            var client = try here.connect()
            let body = Array("!!".utf8) + pattern(400_000)
            let thread = try Writer(request("POST", "/early", body: body))
                .start(client.descriptor.duplicate())
            let answer = try client.answer()
            #expect(answer.status == 400)
            #expect(header("connection", of: answer) == "close")
            thread.join()
        }
    }

    @Test(arguments: [
        BadRequest(
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        BadRequest(
            "POST /sum HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        BadRequest(
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naX", 400),
        BadRequest("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n", 413),
        BadRequest("POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n", 413),
        BadRequest(
            "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", 413),
        BadRequest(
            "POST /sum HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n", 413),
        BadRequest("GET /", repeating: "a", 9000, " HTTP/1.1\r\n", 414),
        BadRequest("GET /", repeating: "a", 1 << 20, "", 414),
        BadRequest("GET / HTTP/1.1\r\nHost: x\r\na: ", repeating: "a", 9000, "\r\n", 431),
        BadRequest("GET / HTTP/1.1\r\nHost: x\r\n", repeating: "a: b\r\n", 100_000, "", 431),
        BadRequest("GET / HTTP/1.1\n\n", 400),
        BadRequest("GET / HTTP/2.0\r\n", 505),
        BadRequest("\u{16}\u{3}\u{1}", 400),
    ])
    func `what cannot be framed is refused, said and closed`(bad: BadRequest) throws {
        try withServer { here in
            var client = try here.connect()
            // The server may have ended before all is sent.
            let thread = try Writer(Array(bad.text.utf8)).start(client.descriptor.duplicate())
            let answer = try client.answer()
            #expect(answer.status == bad.status)
            #expect(header("connection", of: answer) == "close")
            #expect(header("content-type", of: answer) == "application/problem+json")
            #expect(try client.isClosed())
            thread.join()
            var other = try here.connect()
            #expect(try other.ask("GET", "/hello").text == "hello")
            #expect(here.eventually { $0[.malformed] == 1 })
        }
    }

    @Test func `requests before a malformed one are answered`() throws {
        try withServer { here in
            var client = try here.connect()
            try client.send(request("GET", "/hello") + Array("nonsense\r\n\r\n".utf8))
            #expect(try client.answer().text == "hello")
            #expect(try client.answer().status == 400)
            #expect(try client.isClosed())
        }
    }
}

/// Bytes that no server should accept, and the status to refuse them with.
struct BadRequest: Sendable, CustomTestStringConvertible {
    let text: String
    let status: Int

    init(_ text: String, _ status: Int) {
        self.text = text
        self.status = status
    }

    init(_ start: String, repeating unit: String, _ count: Int, _ end: String, _ status: Int) {
        self.init(start + String(repeating: unit, count: count) + end, status)
    }

    var testDescription: String { "\(status): \(text.prefix(60).debugDescription)" }
}

/// Sends from a thread of its own; a server that hangs up is no error.
final class Writer: Sendable {
    private let bytes: [UInt8]
    private let descriptor = Mutex<Descriptor?>(nil)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func start(_ target: consuming sending Descriptor) throws -> Platform.Thread {
        var target: Descriptor? = consume target
        descriptor.withLock { $0 = target.take() }
        return try Platform.Thread.start(name: "writer") { self.run() }
    }

    private func run() {
        guard let target = descriptor.withLock({ $0.take() }) else { return }
        let bytes = self.bytes
        do { try target.sendAll(bytes.span) } catch {}
    }
}

/// A generator whose numbers follow from its seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
