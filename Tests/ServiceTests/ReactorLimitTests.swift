import Glibc
import Platform
import Service
import Synchronization
import Testing

/// Callers that are slow, greedy, silent or too many.
@Suite(.serialized) struct ReactorLimitTests {
    @Test func `a head that takes too long is refused, however busily it drips`() throws {
        try withServer {
            $0.headMilliseconds = 100
        } _: { here in
            var client = try here.connect()
            let start = Clock.monotonicNanoseconds
            let thread = try Dripper("GET /hello HTTP/1.1\r\nX: ").start(
                client.descriptor.duplicate())
            let answer = try client.answer()
            let elapsed = Clock.monotonicNanoseconds - start
            #expect(answer.status == 408)
            #expect(answer.text.contains("\"code\":\"head_timeout\""))
            #expect((90_000_000...2_000_000_000).contains(elapsed))
            #expect(try client.isClosed())
            thread.join()
            #expect(here.eventually { $0[.timedOut] == 1 })
        }
    }

    @Test func `a connection that asks nothing is closed without a word`() throws {
        try withServer {
            $0.idleMilliseconds = 300
        } _: { here in
            var silent = try here.connect()
            var client = try here.connect()
            for _ in 0..<60 {
                // Thirty times less than the limit: stays.
                Thread.sleep(milliseconds: 10)
                #expect(try client.ask("GET", "/hello").status == 200)
            }
            #expect(try silent.isClosed())
            #expect(try client.isClosed())
            #expect(here.eventually { $0[.timedOut] == 2 })
        }
    }

    @Test(arguments: ["/echo", "/sum", "/forbidden"])
    func `a body that stops coming is cut`(path: String) throws {
        try withServer {
            $0.bodyWindowMilliseconds = 100
        } _: { here in
            var client = try here.connect()
            try client.send(request("POST", path, body: pattern(1000)).dropLast(500))
            let answer = try client.answer()
            if path == "/forbidden" {
                // It was answered before; the body is only skipped.
                #expect(answer.status == 403)
                #expect(try client.answer().status == 408)
            } else {
                #expect(answer.status == 408)
                #expect(answer.text.contains("\"code\":\"body_timeout\""))
            }
            #expect(try client.isClosed())
            let cancelled = here.probe.cancelled.load(ordering: .relaxed)
            #expect(cancelled == (path == "/forbidden" ? 0 : 1))
        }
    }

    @Test func `a body that comes slowly but steadily is taken`() throws {
        try withServer {
            $0.bodyWindowMilliseconds = 100
        } _: { here in
            var client = try here.connect()
            let body = pattern(4000)
            let bytes = request("POST", "/echo", body: body)
            for start in stride(from: 0, to: bytes.count, by: 100) {
                try client.send(Array(bytes[start..<min(start + 100, bytes.count)]))
                Thread.sleep(milliseconds: 10)
            }
            #expect(try client.answer().body == body)
        }
    }

    @Test(arguments: ["/echo", "/big", "/chunks"])
    func `a flood whose answers are not read is held back, then cut`(path: String) throws {
        try withServer {
            $0.unsentWindowMilliseconds = 1000
        } _: { here in
            let client = try here.connect()
            var bytes: [UInt8] = []
            let one = request("POST", path, body: path == "/echo" ? pattern(1000) : [])
            for _ in 0..<20_000 { bytes += one }
            let thread = try Writer(bytes).start(client.descriptor.duplicate())
            var most: UInt64 = 0
            let isCut = here.eventually { counts in
                most = max(most, counts[.bufferedBytes])
                return counts[.cut] == 1
            }
            #expect(isCut)
            // What is unsent, up to one answer more, doubled by growth, and one read.
            #expect(most > 10_000)
            #expect(most < 5 << 20)
            #expect(here.server.counts[.requests] < 20_000)
            #expect(here.eventually { $0[.open] == 0 && $0[.bufferedBytes] == 0 })
            thread.join()
        }
    }

    @Test func `a flood whose answers are read late gets them all`() throws {
        try withServer { here in
            var client = try here.connect()
            let count = 30_000
            let one = request("POST", "/echo", body: pattern(1000))
            var bytes: [UInt8] = []
            for _ in 0..<count { bytes += one }
            let thread = try Writer(bytes).start(client.descriptor.duplicate())
            // Until it stops reading.
            var last: UInt64 = 0
            _ = here.eventually { counts in
                Thread.sleep(milliseconds: 50)
                defer { last = counts[.requests] }
                return counts[.requests] == last && last > 0
            }
            #expect(here.server.counts[.requests] < UInt64(count))
            let body = pattern(1000)
            var wrongCount = 0
            for _ in 0..<count where try client.answer().body != body { wrongCount += 1 }
            #expect(wrongCount == 0)
            thread.join()
        }
    }

    @Test func `others are served while one floods`() throws {
        try withServer { here in
            let flood = try here.connect()
            var bytes: [UInt8] = []
            for _ in 0..<100_000 { bytes += request("GET", "/nowhere") }
            let thread = try Writer(bytes).start(flood.descriptor.duplicate())
            let reader = try Drain().start(flood.descriptor.duplicate())
            #expect(here.eventually { $0[.requests] > 1000 })
            var other = try here.connect()
            for _ in 0..<20 { #expect(try other.ask("GET", "/hello").text == "hello") }
            let seen = here.server.counts[.requests]
            #expect(seen < 100_000)
            thread.join()
            flood.descriptor.shutdownSending()
            reader.join()
            #expect(here.eventually { $0[.requests] == 100_020 })
        }
    }

    @Test func `when all connections hold too much, the one that holds most goes`() throws {
        try withServer {
            $0.bufferByteCountMax = 4 << 20
            $0.unsentByteCountMax = 64 << 20
        } _: { here in
            let small = try here.connect()
            try small.send(Array(request("POST", "/echo", body: pattern(200_000)).dropLast(1)))
            #expect(here.eventually { $0[.bufferedBytes] > 100_000 })
            let greedy = try here.connect()
            var bytes: [UInt8] = []
            for _ in 0..<40 { bytes += request("GET", "/big") }
            try greedy.send(bytes)
            #expect(here.eventually { $0[.cut] == 1 })
            #expect(here.eventually { $0[.open] == 1 })
            try small.send([0])
            var client = small
            #expect(try client.answer().body.count == 200_000)
        }
    }

    @Test func `connections over the limit are told so, and let in when there is room`() throws {
        try withServer {
            $0.connectionCountMax = 3
        } _: { here in
            var first = try here.connect()
            var second = try here.connect()
            do {
                var third = try here.connect()
                #expect(try third.ask("GET", "/hello").status == 200)
                #expect(try first.ask("GET", "/hello").status == 200)
                #expect(try second.ask("GET", "/hello").status == 200)
                var fourth = try here.connect()
                try fourth.send(request("GET", "/hello"))
                let answer = try fourth.answer()
                #expect(answer.status == 503)
                #expect(answer.text.contains("\"code\":\"too_many_connections\""))
                #expect(try fourth.isClosed())
            }
            #expect(here.eventually { $0[.open] == 2 })
            var fifth = try here.connect()
            #expect(try fifth.ask("GET", "/hello").status == 200)
            #expect(here.eventually { $0[.refused] == 1 })
        }
    }

    @Test func `one address has a limit of its own`() throws {
        try withServer {
            $0.connectionCountMaxPerAddress = 1
        } _: { here in
            var first = try here.connect()
            #expect(try first.ask("GET", "/hello").status == 200)
            var second = try here.connect()
            #expect(try second.answer().status == 503)
        }
    }

    @Test func `a storm of resets leaves nothing behind`() throws {
        try withServer(reactorCount: 2) { here in
            for number in 0..<3000 {
                let client = try here.connect()
                switch number % 4 {
                case 0: break
                case 1: try client.send("GET /hel")
                case 2: try client.send(request("GET", "/chunks"))
                default: try client.send(request("POST", "/sum", body: [1, 2, 3]).dropLast(1))
                }
                if number % 10 != 0 { client.descriptor.resetOnClose() }
            }
            #expect(here.eventually { $0[.open] == 0 })
            #expect(here.eventually { $0[.bufferedBytes] == 0 })
            // Both listeners and nothing else.
            #expect(socketCount(boundTo: here.server.address.port) == 2)
            var client = try here.connect()
            #expect(try client.ask("GET", "/hello").text == "hello")
        }
    }
}

/// Sends a start, then a byte every five milliseconds until the server hangs up.
final class Dripper: Sendable {
    private let text: String
    private let descriptor = Mutex<Descriptor?>(nil)

    init(_ text: String) { self.text = text }

    func start(_ target: consuming sending Descriptor) throws -> Thread {
        var target: Descriptor? = consume target
        descriptor.withLock { $0 = target.take() }
        return try Thread.start(name: "dripper") { self.run() }
    }

    private func run() {
        guard let target = descriptor.withLock({ $0.take() }) else { return }
        var bytes = Array(text.utf8)
        for _ in 0..<1000 {
            do { try target.sendAll(bytes.span) } catch { return }
            bytes = [UInt8(ascii: "x")]
            Thread.sleep(milliseconds: 5)
        }
    }
}

extension Client {
    func send(_ bytes: ArraySlice<UInt8>) throws { try send(Array(bytes)) }
}
