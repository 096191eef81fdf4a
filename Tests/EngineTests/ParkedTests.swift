import Bytes
import Domain
import Engine
import Testing

@Suite struct ParkedTests {
    @Test func `a stock row is refused where an event would be parked`() throws {
        let fixture = try EngineFixture(
            EngineFixture.options { options in
                options.shardCount = 1
                options.createsUnknown = false
            })
        #expect(try fixture.apply(.stock(1)) == .rowUnknownLocation)
        try fixture.put(location: "L0", groups: [], isOpen: true)
        #expect(try fixture.apply(.stock(1)) == .rowUnknownSKU)
        #expect(try fixture.parked(0).isEmpty)
    }

    @Test func `a parked event stands in the list once however often it comes`() throws {
        let fixture = try EngineFixture(
            EngineFixture.options { options in
                options.shardCount = 1
                options.createsUnknown = false
            })
        try fixture.put(location: "L0", groups: [], isOpen: true)
        var event = NamedCommand.event(.receipt, 1, id: "early")
        event.text = "{\"id\": \"early\"}"
        for _ in 0..<3 { #expect(try fixture.apply(event) == .parkedUnknownSKU) }
        let lines = try fixture.parked(0)
        #expect(lines.count == 1)
        let line = lines.first ?? ""
        #expect(line.hasPrefix("{\"parked_at\": \"2027-01-15T08:00:00"))
        #expect(line.hasSuffix("\"code\": \"unknown_sku\", \"event\": {\"id\": \"early\"}}"))
    }

    @Test func `a parked event without a text of its own is listed as null`() throws {
        let fixture = try EngineFixture(
            EngineFixture.options { options in
                options.shardCount = 1
                options.createsUnknown = false
            })
        #expect(try fixture.apply(.event(.receipt, 1, id: "x")) == .parkedUnknownLocation)
        #expect(try fixture.parked(0).first?.hasSuffix("\"event\": null}") == true)
    }
}
