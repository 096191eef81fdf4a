import Engine
import Platform
import Service
import Synchronization
import Testing

/// Reads while everything changes.
@Suite(.serialized) struct ConsistencyTests {
    @Test func `a SKU that changes while it is read is answered as of one moment`() throws {
        let places = 1500
        try withService { here in
            var client = try here.connect()
            let skus = (0..<8).map { "S\($0)" }
            for sku in skus {
                try client.put(stock: (0..<places).map { "\(sku),L\($0),10" })
            }
            // Each change of the rules holds every SKU for the time its positions take.
            let isOver = Switch()
            let changer = try Platform.Thread.start(name: "changer") {
                do {
                    var client = try here.connect()
                    for round in 1... {
                        if isOver.value.load(ordering: .relaxed) { break }
                        let rule = #"{"id":"s","scope":{},"units":\#(round % 5)}"#
                        _ = try client.call("PUT", "/v1/rules", #"{"safety_stock":[\#(rule)]}"#)
                    }
                } catch { Issue.record(error) }
            }
            var other = try here.connect()
            let items =
                (skus + skus).map { #"{"sku":"\#($0)"}"# }
                + [#"{"sku":"\u0053\#(0)"}"#]
            var torn = 0
            for _ in 0..<60 {
                for answer in try client.availability(items) {
                    if (answer["available"].int ?? 1) % places != 0 { torn += 1 }
                }
                for sku in skus {
                    let answer = try other.call("GET", "/v1/availability/\(sku)")["items"][0]
                    if (answer["available"].int ?? 1) % places != 0 { torn += 1 }
                    if answer["sku"].string != sku { torn += 1 }
                }
            }
            #expect(torn == 0)
            let many = (0..<40).flatMap { _ in items }
            for _ in 0..<5 {
                let answers = try client.availability(many)
                #expect(answers.count == many.count)
                #expect(answers.allSatisfy { ($0["available"].int ?? 1) % places == 0 })
            }
            isOver.value.store(true, ordering: .relaxed)
            changer.join()
        }
    }
}

extension ConsistencyTests {
    @Test func `a service that is stopped in the middle of everything ends in order`() throws {
        for round in 0..<6 {
            var configuration = ServiceConfiguration()
            configuration.address = .loopback(port: 0)
            configuration.reactorCount = 2
            configuration.engine.shardCount = 4
            configuration.engine.inboxCapacity = 2
            let service = try HoldfastService(configuration)
            try service.start()
            let here = TestService(service: service)
            var streams: [Stream] = []
            for number in 0..<24 {
                let stream = Stream(try here.connect())
                let events = (0..<300).map {
                    event("\(number)-\($0)", "receipt", "A\($0)", "DC1", 1)
                }
                let items = (0..<700).map { #"{"sku":"A\#($0)"}"# }
                try stream.send(
                    request("POST", "/v1/events", body: Array(events.joined(separator: "\n").utf8))
                        + request("GET", "/v1/positions/A1") + request("GET", "/v1/dead-letters")
                        + request(
                            "POST", "/v1/availability",
                            body: Array(#"{"items":[\#(items.joined(separator: ","))]}"#.utf8)))
                streams.append(stream)
            }
            Platform.Thread.sleep(milliseconds: round * 3)
            service.stop()
            service.join()
            #expect(throws: SystemError.self) { _ = try here.connect() }
        }
    }

    @Test func `a client that leaves while its change of rules is under way changes nothing else`()
        throws
    {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: (0..<3000).map { "S\($0 % 8),L\($0),10" })
            for units in 1...20 {
                let leaver = Stream(try here.connect())
                let rule = #"{"id":"s","scope":{},"units":\#(units % 7)}"#
                try leaver.send(
                    request(
                        "PUT", "/v1/rules", body: Array(#"{"safety_stock":[\#(rule)]}"#.utf8)))
                if units % 2 == 0 { Platform.Thread.sleep(milliseconds: 1) }
                leaver.reset()
                // Those that come into the place of the one that left get their own answers.
                var next = try here.connect()
                #expect(try next.isServed())
            }
            let rule = #"{"id":"s","scope":{},"units":3}"#
            _ = try client.call("PUT", "/v1/rules", #"{"safety_stock":[\#(rule)]}"#)
            let position = try client.position("S1", "L1")
            #expect(position["safety_stock"].int == 3)
            #expect(position["available"].int == 7)
        }
    }
}
