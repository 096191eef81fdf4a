import Bytes
import Domain
import Engine
import Testing

/// Events that are set aside: dead letters.
@Suite struct ParkedTests {
    private func fixture(_ change: (inout EngineOptions) -> Void = { _ in }) throws -> EngineFixture
    {
        let fixture = try EngineFixture(
            EngineFixture.options { options in
                options.shardCount = 1
                options.createsUnknown = false
                options.rememberedMax = 16
                change(&options)
            })
        try fixture.put(location: "L0", groups: [], isOpen: true)
        return fixture
    }

    private func event(_ id: String, _ sku: String = "A", _ quantity: Int32 = 1) -> NamedCommand {
        var event = NamedCommand.event(.receipt, quantity, sku, id: id)
        event.text = "{\"id\": \"\(id)\"}"
        return event
    }

    private func know(_ sku: String, _ fixture: EngineFixture) throws {
        #expect(try fixture.apply(.item(sku, category: nil)) == .accepted)
    }

    private func sellable(_ fixture: EngineFixture) throws -> Int32? {
        try fixture.detail("A")?.detail.positions["L0"]?.sellable
    }

    private func frames(_ fixture: EngineFixture) -> UInt64 { fixture.engine.changeCount }

    @Test func `a stock row is refused where an event would be parked`() throws {
        let fixture = try fixture()
        #expect(try fixture.apply(.stock(1, at: "L1")) == .rowUnknownLocation)
        #expect(try fixture.apply(.stock(1)) == .rowUnknownSKU)
        #expect(try fixture.parked(0).isEmpty)
    }

    @Test func `a parked event stands aside once however often it comes`() throws {
        let fixture = try fixture { $0.keepsFacts = true }
        var first = event("early")
        #expect(try fixture.apply(first) == .parkedUnknownSKU)
        let kept = fixture.engine.withShard(0) { $0.keptFacts.count }
        first.text = "{\"id\":   \"early\"}"
        fixture.now += 1000
        for _ in 0..<3 { #expect(try fixture.apply(first) == .parkedUnknownSKU) }
        #expect(fixture.engine.withShard(0) { $0.keptFacts.count } == kept)
        #expect(
            try fixture.parked(0) == [
                EngineFixture.Letter(
                    number: 1, outcome: .parkedUnknownSKU, parkedAt: testStart,
                    text: "{\"id\": \"early\"}")
            ])
    }

    @Test func `a repeat is taken when it can be, and then it is one`() throws {
        let fixture = try fixture()
        #expect(try fixture.apply(event("early", "A", 5)) == .parkedUnknownSKU)
        try know("A", fixture)
        #expect(try fixture.apply(event("early", "A", 5)) == .accepted)
        #expect(try fixture.parked(0).isEmpty)
        for _ in 0..<2 { #expect(try fixture.apply(event("early", "A", 5)) == .duplicate) }
        #expect(try fixture.apply(event("early", "A", 6)) == .idConflict)
        #expect(try sellable(fixture) == 5)
    }

    @Test func `a repeat that is parked for another reason gives the letter that reason`() throws {
        let fixture = try fixture()
        var early = NamedCommand.event(.receipt, 1, "A", at: "L1", id: "early")
        early.text = "{}"
        #expect(try fixture.apply(early) == .parkedUnknownLocation)
        try fixture.put(location: "L1", groups: [], isOpen: true)
        fixture.now += 1
        for _ in 0..<2 { #expect(try fixture.apply(early) == .parkedUnknownSKU) }
        let expected = EngineFixture.Letter(
            number: 1, outcome: .parkedUnknownSKU, parkedAt: testStart, text: "{}")
        #expect(try fixture.parked(0) == [expected])
        #expect(try fixture.parked(0, reason: .parkedUnknownLocation).isEmpty)
    }

    @Test func `another content under the id of a parked event is a conflict`() throws {
        let fixture = try fixture()
        #expect(try fixture.apply(event("early")) == .parkedUnknownSKU)
        #expect(try fixture.apply(event("early", "A", 2)) == .idConflict)
        #expect(try fixture.parked(0).count == 1)
    }

    @Test func `a discarded event never takes effect, and its repeat is one`() throws {
        let fixture = try fixture()
        #expect(try fixture.apply(event("never")) == .parkedUnknownSKU)
        #expect(try fixture.apply(event("later")) == .parkedUnknownSKU)
        #expect(try fixture.apply(.discard(1)) == .accepted)
        #expect(try fixture.apply(.discard(1)) == .unknownLetter)
        #expect(try fixture.parked(0).map(\.number) == [2])
        try know("A", fixture)
        #expect(try fixture.apply(event("never")) == .duplicate)
        #expect(try fixture.apply(event("later")) == .accepted)
        #expect(try fixture.apply(.discard(2)) == .unknownLetter)
        #expect(try sellable(fixture) == 1)
    }

    @Test func `a number is given once`() throws {
        let fixture = try fixture()
        for id in ["1", "2", "3"] { _ = try fixture.apply(event(id)) }
        #expect(try fixture.apply(.discard(3)) == .accepted)
        #expect(try fixture.apply(event("4")) == .parkedUnknownSKU)
        #expect(try fixture.parked(0).map(\.number) == [1, 2, 4])
        #expect(try fixture.parked(0, after: 1, limit: 1).map(\.number) == [2, 4])
    }

    @Test func `a parked event that was forgotten stands aside once, and is taken once`() throws {
        let fixture = try fixture()
        #expect(try fixture.apply(event("early", "B")) == .parkedUnknownSKU)
        try know("A", fixture)
        for number in 0..<16 {
            fixture.now += 1
            #expect(try fixture.apply(event("\(number)")) == .accepted)
        }
        // Its id is forgotten, and it is older than those that are not.
        #expect(try fixture.apply(event("early", "B")) == .parkedBeforeMemory)
        #expect(
            try fixture.parked(0).map { "\($0.number) \($0.outcome)" } == ["1 parkedBeforeMemory"])
        try know("B", fixture)
        var retry = event("early", "B")
        retry.isRetry = true
        retry.isBackfill = true
        #expect(try fixture.apply(retry) == .accepted)
        #expect(try fixture.parked(0).isEmpty)
        #expect(try fixture.apply(retry) == .duplicate)
    }

    @Test func `a letter ends by a retry when its event was taken beside it`() throws {
        let fixture = try fixture()
        var early = event("early", "B")
        #expect(try fixture.apply(early) == .parkedUnknownSKU)
        try know("A", fixture)
        for number in 0..<16 { #expect(try fixture.apply(event("\(number)")) == .accepted) }
        try know("B", fixture)
        // Nobody remembers it, and it is meant to be loaded.
        early.isBackfill = true
        #expect(try fixture.apply(early) == .accepted)
        #expect(try fixture.parked(0).count == 1)
        early.isRetry = true
        #expect(try fixture.apply(early) == .duplicate)
        #expect(try fixture.parked(0).isEmpty)
        #expect(try fixture.detail("B")?.detail.positions["L0"]?.sellable == 1)
    }

    @Test func `a full list takes no more, but knows what is on it`() throws {
        let fixture = try fixture { $0.parkedMax = 1 }
        #expect(try fixture.apply(event("1")) == .parkedUnknownSKU)
        #expect(try fixture.apply(event("2")) == .parkingFull)
        #expect(try fixture.apply(event("1")) == .parkedUnknownSKU)
        #expect(try fixture.apply(.discard(1)) == .accepted)
        #expect(try fixture.apply(event("2")) == .parkedUnknownSKU)
        #expect(try fixture.parked(0).map(\.number) == [2])
    }
}
