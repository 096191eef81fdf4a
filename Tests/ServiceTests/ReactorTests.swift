import Bytes
import Glibc
import Platform
import Service
import Synchronization
import Testing

/// Threads, wake-ups, and the end.
@Suite(.serialized) struct ReactorTests {
    @Test func `an answer that cannot be completed ends so that its client can tell`() throws {
        try withServer { here in
            var client = try here.connect()
            #expect(throws: ClientError.self) { _ = try client.ask("GET", "/broken") }
            let (isAtEnd, wasReset) = (client.isAtEnd, client.wasReset)
            #expect(isAtEnd && !wasReset)
            // The end of the connection would be that of the body.
            var old = try here.connect()
            try old.send("GET /broken HTTP/1.0\r\nHost: h\r\n\r\n")
            _ = try? old.answer()
            let oldWasReset = old.wasReset
            #expect(oldWasReset)
            var next = try here.connect()
            #expect(try next.ask("GET", "/hello").text == "hello")
        }
    }

    @Test(arguments: [ListenerScheme.perReactor, .shared])
    func `several reactors serve one port`(scheme: ListenerScheme) throws {
        try withServer(reactorCount: 2, scheme: scheme) { here in
            for _ in 0..<100 {
                var client = try here.connect()
                #expect(try client.ask("GET", "/hello").text == "hello")
            }
            #expect(here.eventually { $0[.accepted] == 100 })
            if scheme == .perReactor {
                // Dealt out by a hash of the ports: none gets all but once in 2⁹⁹ runs.
                for seat in here.server.seats { #expect(seat.metrics.counts[.accepted] > 0) }
            }
        }
    }

    @Test func `another thread's work is done at once, not at the next tick`() throws {
        try withServer {
            $0.tickMilliseconds = 60_000
        } _: { here in
            let probe = here.probe
            let bell = here.server.seats[0].bell
            let isOver = Flag()
            let worker = try Thread.start(name: "worker") {
                while !isOver.value.load(ordering: .relaxed) {
                    let tokens = probe.outside.withLock { tokens in
                        defer { tokens = [] }
                        return tokens
                    }
                    if tokens.isEmpty { continue }
                    probe.inbox.withLock { $0 += tokens }
                    bell.ring()
                }
            }
            var client = try here.connect(timeoutMilliseconds: 5000)
            for _ in 0..<2000 { #expect(try client.ask("GET", "/outside").text == "later") }
            isOver.value.store(true, ordering: .relaxed)
            worker.join()
        }
    }

    @Test func `work that comes between the turn and the sleep is not slept over`() throws {
        try withServer {
            $0.tickMilliseconds = 60_000
        } _: { here in
            var client = try here.connect(timeoutMilliseconds: 5000)
            for _ in 0..<5 { #expect(try client.ask("GET", "/window").text == "later") }
        }
    }

    @Test func `a reactor sleeps while what it has received must wait`() throws {
        try withServer { here in
            let waiting = try here.connect()
            try waiting.send(request("GET", "/gate") + request("GET", "/hello"))
            let halfClosed = try here.connect()
            try halfClosed.send(request("GET", "/gate"))
            #expect(here.eventually { $0[.requests] == 2 })
            // Behind the first: bytes, and the end of the stream.
            try waiting.send(request("GET", "/hello"))
            halfClosed.descriptor.shutdownSending()
            Thread.sleep(milliseconds: 50)
            let before = here.server.counts[.turns]
            Thread.sleep(milliseconds: 300)
            // A tick is 10 ms.
            #expect(here.server.counts[.turns] - before < 100)
        }
    }

    @Test func `a reactor sleeps while a client does not read`() throws {
        try withServer { here in
            let client = try here.connect()
            for _ in 0..<30 { try client.send(request("GET", "/big")) }
            client.descriptor.shutdownSending()
            #expect(here.eventually { $0[.bufferedBytes] > 1 << 20 })
            Thread.sleep(milliseconds: 50)
            let before = here.server.counts[.turns]
            Thread.sleep(milliseconds: 300)
            #expect(here.server.counts[.turns] - before < 100)
        }
    }

    @Test func `callers wait while descriptors have run out, and are served after`() async {
        await #expect(processExitsWith: .success) {
            let server = try Server(
                ServerConfiguration(address: .loopback(port: 0), reactorCount: 1))
            try server.start { _ in RouteHandler(probe: Probe()) }
            var limit = rlimit(rlim_cur: 100, rlim_max: 100)
            let result = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            precondition(result == 0)
            var clients = ClientList()
            // Both ends need descriptors of this process; ours run out first, or the server's.
            while let client = try? Descriptor.connect(
                to: server.address, timeoutMilliseconds: 5000)
            {
                clients.append(client)
            }
            let last = clients.removeLast()
            Thread.sleep(milliseconds: 300)
            clients.removeAll()
            var client = Client(last)
            let answer = try client.ask("GET", "/hello")
            precondition(answer.text == "hello")
            // It did not spin on what it could not accept.
            precondition(server.counts[.turns] < 2000)
        }
    }

    @Test func `a token of an exchange that has ended names nobody`() throws {
        try withServer { here in
            let probe = here.probe
            var client = try here.connect()
            try client.send(request("GET", "/outside"))
            #expect(here.eventually { $0[.requests] == 1 })
            let old = probe.outside.withLock { $0[0] }
            let giveBack = {
                probe.inbox.withLock { $0.append(old) }
                here.server.seats[0].bell.ring()
            }
            giveBack()
            #expect(try client.answer().text == "later")
            // The same connection waits again: only its new token may answer it.
            try client.send(request("GET", "/outside"))
            #expect(here.eventually { $0[.requests] == 2 })
            giveBack()
            Thread.sleep(milliseconds: 50)
            #expect(here.eventually { $0[.answers2xx] == 1 })
            let new = probe.outside.withLock { $0[1] }
            #expect(new != old)
            probe.inbox.withLock { $0.append(new) }
            here.server.seats[0].bell.ring()
            #expect(try client.answer().text == "later")
        }
    }

    @Test func `draining answers what is under way and ends what is idle`() throws {
        try withServer(reactorCount: 2) { here in
            var idle = try here.connect()
            #expect(try idle.ask("GET", "/hello").status == 200)
            var busy = try here.connect()
            try busy.send(request("GET", "/gate") + request("GET", "/hello"))
            var sending = try here.connect()
            let bytes = request("POST", "/echo", body: pattern(1000))
            try sending.send(Array(bytes.dropLast(400)))
            #expect(here.eventually { $0[.requests] == 3 })
            here.server.drain()
            #expect(try idle.isClosed())
            // The other reactor may be a moment behind.
            #expect(here.eventually { _ in (try? here.connect()) == nil })
            try sending.send(Array(bytes.suffix(400)))
            let late = try sending.answer()
            #expect(late.body == pattern(1000))
            #expect(header("connection", of: late) == "close")
            #expect(try sending.isClosed())
            here.probe.gateIsOpen.store(true, ordering: .relaxed)
            let answer = try busy.answer()
            #expect(answer.text == "gate")
            #expect(header("connection", of: answer) == "close")
            #expect(try busy.isClosed())
            here.server.join()
            #expect(here.probe.cancelled.load(ordering: .relaxed) == 0)
        }
    }

    @Test func `draining ends when its time is over`() throws {
        try withServer {
            $0.drainMilliseconds = 100
        } _: { here in
            var client = try here.connect()
            try client.send(request("GET", "/gate"))
            #expect(here.eventually { $0[.requests] == 1 })
            here.server.drain()
            here.server.join()
            #expect(try client.isClosed())
            #expect(here.probe.cancelled.load(ordering: .relaxed) == 1)
        }
    }

    @Test func `calls are counted by route, with how long they took`() throws {
        try withServer { here in
            var client = try here.connect()
            for _ in 0..<10 { _ = try client.ask("GET", "/hello") }
            try client.send(request("GET", "/gate"))
            Thread.sleep(milliseconds: 100)
            here.probe.gateIsOpen.store(true, ordering: .relaxed)
            _ = try client.answer()
            #expect(here.eventually { $0[.answers2xx] == 11 })
            let latency = here.server.latency(route: 1)
            #expect(latency.count == 11)
            #expect(latency.quantile(0.5) < 50_000_000)
            #expect((100_000_000..<5_000_000_000).contains(latency.quantile(1)))
            #expect(here.server.latency(route: 0).count == 0)
            let counts = here.server.counts
            #expect(counts[.requests] == 11)
            #expect(counts[.bytesIn] > 300)
            #expect(counts[.bytesOut] > 300)
        }
    }

    @Test func `an address in use is an error of the start`() throws {
        let listener = try Listener(at: .loopback(port: 0))
        let server = try Server(ServerConfiguration(address: listener.address, reactorCount: 1))
        #expect(throws: SystemError.self) {
            try server.start { _ in RouteHandler(probe: Probe()) }
        }
        server.join()
    }
}

/// Histograms of latencies.
@Suite struct ReactorLatencyTests {
    @Test func `every value lies in its bucket, and buckets are narrow`() {
        var random = Seeded(7)
        var values: [UInt64] = Array(0...5000)
        for exponent in 0..<37 {
            values += [1 << exponent, (1 << exponent) + 1, (2 << exponent) - 1]
            values.append(UInt64.random(in: 0..<(1 << UInt64(exponent + 1)), using: &random))
        }
        for value in values where value < 1 << 37 {
            let bucket = LatencyHistogram.bucket(of: value)
            let upper = LatencyHistogram.upperBound(ofBucket: bucket)
            let lower = bucket == 0 ? 0 : LatencyHistogram.upperBound(ofBucket: bucket - 1)
            #expect((lower..<upper).contains(value), "\(value) in bucket \(bucket)")
            #expect((upper - lower - 1) * 16 <= lower)
        }
    }

    @Test func `values beyond the last bucket stay in it`() {
        let last = LatencyHistogram.bucketCount - 1
        #expect(LatencyHistogram.bucket(of: 1 << 37) == last)
        #expect(LatencyHistogram.bucket(of: .max) == last)
    }

    @Test func `quantiles agree with a sorted list within a bucket`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(seed)
        var histogram = LatencyHistogram()
        var values: [UInt64] = []
        for _ in 0..<1000 {
            let value = random.next() >> UInt64.random(in: 30...60, using: &random)
            histogram.record(value)
            values.append(value)
        }
        values.sort()
        for share in [0.001, 0.25, 0.5, 0.99, 0.999, 1] {
            let exact = values[max(0, Int((1000 * share).rounded(.up)) - 1)]
            let answer = histogram.quantile(share)
            #expect(answer > exact && answer <= exact + exact / 16 + 1, "seed \(seed)")
        }
        #expect(histogram.count == 1000)
        #expect(histogram.sum == values.reduce(0, &+))
        #expect(LatencyHistogram().quantile(0.5) == 0)
    }
}

/// Connections in a list, which arrays cannot hold.
private struct ClientList: ~Copyable {
    private final class Link {
        var descriptor: Descriptor?
        let next: Link?

        init(_ descriptor: consuming Descriptor, _ next: Link?) {
            self.descriptor = consume descriptor
            self.next = next
        }
    }

    private var first: Link?

    mutating func append(_ descriptor: consuming Descriptor) { first = Link(descriptor, first) }

    mutating func removeLast() -> Descriptor {
        guard let link = first, let descriptor = link.descriptor.take() else {
            preconditionFailure("empty")
        }
        first = link.next
        return descriptor
    }

    mutating func removeAll() { first = nil }
}

private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
}

/// Reads and drops until the end, in a thread of its own.
final class Drain: Sendable {
    private let descriptor = Mutex<Descriptor?>(nil)

    func start(_ target: consuming sending Descriptor) throws -> Thread {
        var target: Descriptor? = consume target
        descriptor.withLock { $0 = target.take() }
        return try Thread.start(name: "drain") { self.run() }
    }

    private func run() {
        guard let target = descriptor.withLock({ $0.take() }) else { return }
        var buffer = ByteBuffer()
        while let count = try? target.read(into: &buffer, room: 1 << 16), count > 0 {
            buffer.removeAll()
        }
    }
}
