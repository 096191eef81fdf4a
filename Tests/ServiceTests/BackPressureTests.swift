import Bytes
import Engine
import Platform
import Service
import Testing

/// Streams that find the shards' inboxes full, and clients that leave in the middle.
@Suite(.serialized) struct BackPressureTests {
    /// Inboxes that hold two batches, and take one more only when they are empty.
    private static func narrow(_ configuration: inout ServiceConfiguration) {
        configuration.engine.inboxCapacity = 2
        configuration.engine.queuedCommandMax = 1
    }

    @Test(arguments: [255, 256, 257, 512, 1024])
    func `an array that is cut off where an inbox was full is not taken for a whole one`(
        count: Int
    ) throws {
        try withService { configuration in
            Self.narrow(&configuration)
            configuration.engine.shardCount = 1
        } _: { here in
            var client = try here.connect()
            let events = (0..<count).map { event("\($0)", "receipt", "A1", "DC1", 1) }
            let answer = try client.call(
                "POST", "/v1/events", "[" + events.joined(separator: ","), expecting: 400)
            #expect(answer["code"].string == "truncated")
            #expect(answer["accepted"].int == count)
        }
    }

    @Test func `clients that vanish in the middle of a stream leave nothing behind`() throws {
        try withService { configuration in
            Self.narrow(&configuration)
            configuration.engine.shardCount = 16
            configuration.limits.tickMilliseconds = 10
        } _: { here in
            for round in 0..<6 {
                var streams: [Stream] = []
                for number in 0..<90 {
                    let stream = Stream(try here.connect())
                    let events = (0..<100).map {
                        event("\(round)-\(number)-\($0)", "receipt", "A\($0)", "DC1", 1)
                    }
                    try stream.send(
                        "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n["
                            + events.joined(separator: ",") + ",")
                    streams.append(stream)
                }
                for stream in streams { stream.reset() }
            }
            #expect(here.eventually { here.service.counts[.open] == 0 })
            // Whatever reactor it comes to.
            for number in 0..<16 {
                var client = try here.connect()
                let events = (0..<600).map {
                    event("\(number)-\($0)", "receipt", "B\($0)", "DC1", 1)
                }
                #expect(try client.post(events: events)["accepted"].int == 600)
            }
        }
    }

    @Test func `more streams than there are batches wait for each other`() throws {
        try withService { configuration in
            Self.narrow(&configuration)
            configuration.engine.shardCount = 16
        } _: { here in
            // Each fills a batch for every shard; a reactor has 1,024 of them.
            var streams: [Stream] = []
            for _ in 0..<200 { streams.append(Stream(try here.connect())) }
            let bodies = (0..<200).map { number in
                let events = (0..<80).map {
                    event("\(number)-\($0)", "receipt", "A\($0)", "DC1", 1)
                }
                return request(
                    "POST", "/v1/events", body: Array(events.joined(separator: "\n").utf8))
            }
            for (stream, body) in zip(streams, bodies) { try stream.send(body) }
            var accepted = 0
            for stream in streams {
                let answer = try stream.answer()
                let report = try Document(reading: answer.body)
                accepted += report["accepted"].int ?? 0
                // A batch is taken whole, or it is cut and says so.
                #expect(answer.status == 200 || answer.status == 429)
                if answer.status == 200 { #expect(report["rejected_count"].int == 0) }
                if answer.status == 429 {
                    #expect(header("retry-after", of: answer) == "1")
                    #expect(report["code"].string == "busy")
                    #expect(report["not_taken_from"].int != nil)
                }
            }
            var client = try here.connect()
            let items = (0..<80).map { #"{"sku":"A\#($0)"}"# }
            let total = try client.availability(items).reduce(0) { $0 + ($1["available"].int ?? 0) }
            #expect(total == accepted)
        }
    }
}

/// A connection that can lie in a list.
final class Stream {
    private var client: Client?

    init(_ client: consuming Client) { self.client = consume client }

    func send(_ text: String) throws { try client?.send(text) }

    func send(_ bytes: [UInt8]) throws { try client?.send(bytes) }

    func answer() throws -> Answer {
        guard let answer = try client?.answer() else { throw ClientError.ended(partly: 0) }
        return answer
    }

    func reset() {
        client?.descriptor.resetOnClose()
        client = nil
    }
}
