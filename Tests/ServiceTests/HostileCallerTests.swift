import Glibc
import Platform
import Service
import Synchronization
import Testing

/// Callers that mean harm, against a whole service; limits are lowered where a test would wait.
@Suite(.serialized) struct HostileCallerTests {
    @Test func `hundreds of slow callers are cut, and a good one does not notice`() throws {
        try withService {
            $0.limits.headMilliseconds = 400
            $0.limits.bodyWindowMilliseconds = 400
        } _: { here in
            var good = try here.connect()
            try good.put(stock: ["A1,DC1,10"])
            // Heads, bodies that are collected, bodies that are taken as they come.
            let starts = [
                "GET /v1/availability/A1 HTTP/1.1\r\nX: ",
                "POST /v1/availability HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{",
                "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n[",
                "POST /v1/stock HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\nffff\r\nsku,l",
            ]
            let drips = Drips()
            for number in 0..<240 {
                let client = try here.connect()
                try client.send(starts[number % 4])
                drips.add(try client.descriptor.duplicate(), keeping: client)
            }
            let dripper = try drips.start()
            let start = Clock.monotonicNanoseconds
            var slowest: UInt64 = 0
            var asked = 0
            while here.service.counts[.open] > 1, Clock.monotonicNanoseconds - start < 8_000_000_000
            {
                let before = Clock.monotonicNanoseconds
                let item = try good.availability([#"{"sku":"A1"}"#])[0]
                #expect(item["available"].int == 10)
                slowest = max(slowest, Clock.monotonicNanoseconds - before)
                asked += 1
                Platform.Thread.sleep(milliseconds: 2)
            }
            drips.isOver.value.store(true, ordering: .relaxed)
            dripper.join()
            #expect(asked > 20)
            #expect(slowest < 1_000_000_000)
            #expect(here.eventually { here.service.counts[.open] == 1 })
            #expect(here.service.counts[.timedOut] == 240)
            #expect(here.eventually { here.service.counts[.bufferedBytes] == 0 })
            #expect(try good.isServed())
        }
    }

    @Test(arguments: Oversized.all)
    func `what is too large is refused at once, and the others are served`(
        oversized: Oversized
    ) throws {
        try withService { here in
            var good = try here.connect()
            try good.put(stock: ["A1,DC1,10"])
            // The quickest of three: others use the machine too.
            var quickest = UInt64.max
            for _ in 0..<3 {
                var client = try here.connect()
                let writer = try Writer(Array(oversized.text.utf8))
                    .start(client.descriptor.duplicate())
                let start = Clock.monotonicNanoseconds
                let answer = try client.answer()
                quickest = min(quickest, Clock.monotonicNanoseconds - start)
                #expect(answer.status == oversized.status)
                #expect(header("connection", of: answer) == "close")
                #expect(
                    try Document(reading: answer.body)["status"].int == oversized.status)
                #expect(here.service.counts[.bufferedBytes] <= 1 << 20)
                #expect(try good.availability([#"{"sku":"A1"}"#])[0]["available"].int == 10)
                #expect(try client.isClosed())
                writer.join()
            }
            #expect(quickest < 100_000_000)
            #expect(here.eventually { here.service.counts[.open] == 1 })
        }
    }

    @Test func `a flood whose answers are not read is held back and cut`() throws {
        try withService {
            $0.limits.unsentWindowMilliseconds = 300
        } _: { here in
            var good = try here.connect()
            try good.put(stock: ["A1,DC1,10"])
            let flood = try here.connect()
            let one = request("GET", "/metrics") + request("GET", "/v1/positions/A1")
            var bytes: [UInt8] = []
            for _ in 0..<12_000 { bytes += one }
            let writer = try Writer(bytes).start(flood.descriptor.duplicate())
            var most: UInt64 = 0
            let isCut = try here.eventually { () throws -> Bool in
                most = max(most, here.service.counts[.bufferedBytes])
                let item = try good.availability([#"{"sku":"A1"}"#])[0]
                #expect(item["available"].int == 10)
                return here.service.counts[.cut] == 1
            }
            #expect(isCut)
            writer.join()
            // A megabyte of answers, what was read at a time, and the answer that went over.
            #expect(most <= 2 << 20)
            #expect(here.eventually { here.service.counts[.bufferedBytes] == 0 })
            #expect(here.eventually { here.service.counts[.open] == 1 })
        }
    }

    @Test(arguments: [(150_000, ""), (500, #","detail":"locations""#)])
    func `a caller that does not read a long answer is cut, and held little for`(
        count: Int, detail: String
    ) throws {
        try withService {
            $0.limits.unsentWindowMilliseconds = 300
        } _: { here in
            var good = try here.connect()
            // Short questions: of nothing, and of two thousand locations.
            if count == 500 { try good.put(stock: (0..<2000).map { "A,location-\($0),1" }) }
            let silent = try here.connect()
            let items = Array(repeating: #"{"sku":"A"}"#, count: count).joined(separator: ",")
            let body = Array(#"{"items":[\#(items)]\#(detail)}"#.utf8)
            let writer = try Writer(request("POST", "/v1/availability", body: body))
                .start(silent.descriptor.duplicate())
            writer.join()
            var most: UInt64 = 0
            let isCut = try here.eventually { () throws -> Bool in
                // Once the question itself is no longer held.
                if here.service.counts[.answers2xx] > 0 {
                    most = max(most, here.service.counts[.bufferedBytes])
                }
                let isServed = try good.isServed()
                #expect(isServed)
                return here.service.counts[.cut] == 1
            }
            #expect(isCut)
            #expect(most <= 4 << 20)
            #expect(here.eventually { here.service.counts[.bufferedBytes] == 0 })
        }
    }

    @Test(arguments: Smuggled.all)
    func `bytes behind a request that cannot be framed are never taken for one`(
        smuggled: Smuggled
    ) throws {
        try withService { here in
            var good = try here.connect()
            var client = try here.connect()
            let hidden = event("smuggled", "receipt", "A1", "DC1", 666)
            let second =
                "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: \(hidden.utf8.count)\r\n\r\n"
                + hidden
            try client.send(smuggled.text + second)
            let answer = try client.answer()
            #expect(smuggled.statuses.contains(answer.status), "\(answer.status) \(answer.text)")
            #expect(header("connection", of: answer) == "close")
            #expect(try client.isClosed())
            #expect(try good.position("A1", "DC1").isAbsent)
            // Counted for others to read at the end of the turn.
            #expect(here.eventually { here.service.counts[.malformed] == 1 })
        }
    }

    @Test func `a storm of connections, most of them reset, leaves nothing behind`() throws {
        try withService { here in
            let port = here.service.address.port
            let starts = [
                "", "GET /v1/availab", "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n"
                    + #"[{"id":"1","kind":"receipt","sku":"A1","location":"L","qty":1},"#,
                "PUT /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n\r\n"
                    + #"{"safety_stock":[]}"#,
                "GET /v1/positions/A1 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /v1/dead-letters HTTP/1.1\r\nHost: x\r\n\r\n",
            ]
            for number in 0..<2000 {
                let client = try here.connect()
                try client.send(starts[number % starts.count])
                if number % 10 != 0 { client.descriptor.resetOnClose() }
            }
            let start = Clock.monotonicNanoseconds
            var good = try here.connect()
            #expect(try good.isServed())
            #expect(Clock.monotonicNanoseconds - start < 1_000_000_000)
            #expect(here.eventually { here.service.counts[.open] == 1 })
            #expect(here.eventually { here.service.counts[.bufferedBytes] == 0 })
            // Two listeners, and this connection, of which one side is bound to the port.
            #expect(here.eventually { socketCount(boundTo: port) == 3 })
            #expect(
                try good.post(events: [event("2", "receipt", "B", "L", 1)])["accepted"].int == 1)
        }
    }
}

/// Connections that each get a byte every now and then.
private final class Drips: Sendable {
    let isOver = Switch()
    private let targets = Mutex<[Box]>([])

    private final class Box: Sendable {
        let descriptor: Descriptor
        let client: Client

        init(_ descriptor: consuming Descriptor, _ client: consuming Client) {
            self.descriptor = descriptor
            self.client = client
        }
    }

    func add(_ descriptor: consuming sending Descriptor, keeping client: consuming sending Client) {
        let box = Box(descriptor, client)
        targets.withLock { $0.append(box) }
    }

    func start() throws -> Platform.Thread {
        try Platform.Thread.start(name: "drips") {
            let one: [UInt8] = [UInt8(ascii: "x")]
            let boxes = self.targets.withLock { $0 }
            while !self.isOver.value.load(ordering: .relaxed) {
                for box in boxes { do { try box.descriptor.sendAll(one.span) } catch {} }
                Platform.Thread.sleep(milliseconds: 20)
            }
        }
    }
}

/// A request beyond a limit.
struct Oversized: Sendable, CustomTestStringConvertible {
    let name: String
    let status: Int
    let text: String

    var testDescription: String { name }

    static let all: [Oversized] = [
        Oversized(
            name: "a body of one byte over the limit", status: 413,
            text: "PUT /v1/rules HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n{"),
        Oversized(
            name: "ten gibibytes announced", status: 413,
            text: "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10737418240\r\n\r\n["),
        Oversized(
            name: "more bytes than a word counts", status: 413,
            text: "POST /v1/events HTTP/1.1\r\nHost: x\r\n"
                + "Content-Length: 99999999999999999999\r\n\r\n["),
        Oversized(
            name: "a chunk of a gibibyte, streamed", status: 413,
            text: "POST /v1/stock HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "40000000\r\n{"),
        Oversized(
            name: "a chunk of a gibibyte, collected", status: 413,
            text: "POST /v1/availability HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "40000000\r\n{"),
        Oversized(
            name: "a hundred thousand headers", status: 431,
            text: "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                + String(repeating: "a: b\r\n", count: 100_000) + "\r\n"),
        Oversized(
            name: "a header of a mebibyte", status: 431,
            text: "GET /healthz HTTP/1.1\r\nHost: x\r\na: "
                + String(repeating: "b", count: 1 << 20) + "\r\n\r\n"),
        Oversized(
            name: "a target of a mebibyte", status: 414,
            text: "GET /v1/availability/" + String(repeating: "b", count: 1 << 20)
                + " HTTP/1.1\r\nHost: x\r\n\r\n"),
        Oversized(
            name: "a query of a mebibyte", status: 414,
            text: "GET /v1/availability/A?" + String(repeating: "location=L&", count: 100_000)
                + " HTTP/1.1\r\nHost: x\r\n\r\n"),
    ]
}

/// A request whose end two readers could see at two places.
struct Smuggled: Sendable, CustomTestStringConvertible {
    let text: String
    let statuses: Set<Int>

    var testDescription: String { text.debugDescription }

    private init(_ headers: String, _ body: String = "", _ statuses: Set<Int> = [400]) {
        text = "POST /v1/events HTTP/1.1\r\nHost: x\r\n\(headers)\r\n\(body)"
        self.statuses = statuses
    }

    private init(whole text: String, _ statuses: Set<Int> = [400]) {
        self.text = text
        self.statuses = statuses
    }

    static let all: [Smuggled] = [
        Smuggled("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
        Smuggled("Content-Length: 2\r\nContent-Length: 4\r\n", "[]  "),
        Smuggled("Content-Length: 2\r\nContent-Length: 2\r\n", "[]"),
        Smuggled("Content-Length: 2, 2\r\n", "[]"), Smuggled("Content-Length: 2,4\r\n", "[]"),
        Smuggled("Content-Length: +2\r\n", "[]"), Smuggled("Content-Length: -2\r\n", "[]"),
        Smuggled("Content-Length: 0x2\r\n", "[]"), Smuggled("Content-Length: 2 2\r\n", "[]"),
        Smuggled("Content-Length: 2;a\r\n", "[]"), Smuggled("Content-Length:\r\n", "[]"),
        Smuggled("Content-Length: \u{662}\r\n", "[]"),
        Smuggled("Content-Length : 2\r\n", "[]"), Smuggled(" Content-Length: 2\r\n", "[]"),
        Smuggled("Content-Length\r\n", "[]"), Smuggled("Content\u{b}Length: 2\r\n", "[]"),
        Smuggled("X: y\r\n Content-Length: 2\r\n", "[]"),
        Smuggled("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n", [400, 501]),
        Smuggled("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n", [400, 501]),
        Smuggled("Transfer-Encoding: identity\r\n", "[]", [400, 501]),
        Smuggled("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n", [400, 501]),
        Smuggled("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n", [400, 501]),
        Smuggled("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        Smuggled(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n", [400, 501]),
        Smuggled("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        Smuggled("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"),
        Smuggled("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n", [400, 501]),
        Smuggled("Transfer-Encoding:\r\n", "0\r\n\r\n", [400, 501]),
        Smuggled("Transfer-Encoding: chunked\r\n", "2\n[]\n0\n\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "0x2\r\n[]\r\n0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "+2\r\n[]\r\n0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "-2\r\n[]\r\n0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", " 2\r\n[]\r\n0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "2 \r\n[]\r\n0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "\r\n[]\r\n0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "2\r\n[]x\r\n0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "2\r\n[]0\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "2;a\nb\r\n[]\r\n0\r\n\r\n"),
        Smuggled(
            "Transfer-Encoding: chunked\r\n", "100000000000000002\r\n[]\r\n0\r\n\r\n", [400, 413]),
        Smuggled("Transfer-Encoding: chunked\r\n", "0\r\nContent-Length : 2\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "0\r\n a: b\r\n\r\n"),
        Smuggled("Transfer-Encoding: chunked\r\n", "0\r\n\n"),
        Smuggled("X: a\u{0}b\r\nContent-Length: 2\r\n", "[]"),
        Smuggled("X: a\rb\r\nContent-Length: 2\r\n", "[]"),
        Smuggled("Host: y\r\nContent-Length: 2\r\n", "[]"),
        Smuggled(": y\r\nContent-Length: 2\r\n", "[]"),
        Smuggled(whole: "POST /v1/events HTTP/1.1\nHost: x\nContent-Length: 2\n\n[]"),
        Smuggled(whole: "POST /v1/events HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST  /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST /v1/events  HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST /v1/events\tHTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST /v1/ev ents HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "post /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST /v1/events HTTP/1.1 \r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST /v1/events http/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST /v1/events\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "POST /v1/events HTTP/2.0\r\nHost: x\r\n\r\n[]", [400, 505]),
        Smuggled(
            whole: "POST /v1/events HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "0\r\n\r\n"),
        Smuggled(
            whole: "POST http://y/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]"),
        Smuggled(whole: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 505]),
    ]
}
