import Bytes
import Columns
import Domain
import Engine
import Platform
import Testing

@Suite struct RememberedEventsTests {
    private static let day: Milliseconds = 86_400_000

    private func fingerprint(_ number: Int, body: UInt32 = 0) -> EventFingerprint {
        var random = SeededGenerator(seed: UInt64(number))
        return EventFingerprint(
            first: random.next(), second: UInt32(truncatingIfNeeded: random.next()), body: body)
    }

    private func event(
        _ number: Int, at time: Milliseconds, _ outcome: Outcome = .accepted
    ) -> RememberedEvent {
        RememberedEvent(fingerprint: fingerprint(number), outcome: outcome, time: time)
    }

    @Test func `the latest are remembered, and only as many as there is room for`() throws {
        var events = try RememberedEvents(
            countMax: 100, retention: Self.day)
        for number in 0..<1000 {
            #expect(events.recall(fingerprint(number)) == .unknown)
            try events.prepare()
            events.add(event(number, at: testStart + Int64(number) * 400))
            #expect(events.count == min(number + 1, 100))
            let oldest = testStart + Int64(number - 99) * 400
            #expect(events.reach == (number < 100 ? nil : oldest))
        }
        for number in 0..<1000 {
            #expect(
                events.recall(fingerprint(number)) == (number < 900 ? .unknown : .same(.accepted)))
        }
    }

    @Test func `what is older than the retention goes, two for each new one`() throws {
        var events = try RememberedEvents(
            countMax: 100, retention: Self.day)
        for number in 0..<10 {
            try events.prepare()
            events.add(event(number, at: testStart))
        }
        try events.prepare()
        events.add(event(10, at: testStart + Self.day))
        #expect(events.count == 11 && events.reach == nil, "a day is not more than a day")
        for added in 1...4 {
            try events.prepare()
            events.add(event(10 + added, at: testStart + Self.day + 1))
            #expect(events.count == 11 - added)
        }
        #expect(events.recall(fingerprint(7)) == .unknown)
        #expect(events.recall(fingerprint(8)) == .same(.accepted))
        #expect(events.reach == testStart)
    }

    @Test func `times come back as they were, in the order they came`() throws {
        var random = SeededGenerator(seed: 11)
        var events = try RememberedEvents(countMax: 300, retention: Self.day)
        var nothing = Buffer<RememberedEvent>()
        events.freeze().append(0..<0, to: &nothing)
        #expect(nothing.count == 0)
        events.thaw()
        var times: [Milliseconds] = []
        var time: Milliseconds = -40_000
        for number in 0..<1000 {
            time += Int64(random.next() % 3 * 299)
            try events.prepare()
            events.add(event(number, at: time))
            times.append(time)
        }
        let frozen = events.freeze()
        defer { events.thaw() }
        frozen.append(300..<300, to: &nothing)
        #expect(nothing.count == 0)
        var output = Buffer<RememberedEvent>(capacity: 300)
        frozen.append(0..<100, to: &output)
        frozen.append(100..<300, to: &output)
        #expect(output.indices.map { output[$0].time } == times.suffix(300))
        let fingerprints = (700..<1000).map { fingerprint($0) }
        #expect(output.indices.map { output[$0].fingerprint } == fingerprints)
    }

    @Test func `an index that grows while it is in use loses nothing`() throws {
        var events = try RememberedEvents(countMax: 30_000, retention: Self.day)
        for number in 0..<70_000 {
            try events.prepare(number % 50 == 0 ? 50 : 1)
            events.add(event(number, at: testStart))
            let earlier = number - number * 31 % 29_000
            if earlier < 0 { continue }
            let isKept = earlier > number - 30_000
            #expect(events.recall(fingerprint(earlier)) == (isKept ? .same(.accepted) : .unknown))
        }
        // 16 bytes of identity, two of decision, 64 for 13 in the index.
        #expect(events.byteCount < 30_000 * 24 + (3 << 16))
    }

    @Test func `the newest stays however old it is`() throws {
        var events = try RememberedEvents(
            countMax: 100, retention: -1)
        for number in 0..<5 {
            try events.prepare()
            events.add(event(number, at: testStart))
            #expect(events.recall(fingerprint(number)) == .same(.accepted))
        }
        #expect(events.count == 1)
    }

    @Test(arguments: [
        Outcome.accepted, .recorded, .parkedBeforeWindow, .parkedUnknownSKU,
        .parkedUnknownLocation, .parkedBeforeMemory,
    ])
    func `an outcome comes back as it was`(outcome: Outcome) throws {
        var events = try RememberedEvents(
            countMax: 16, retention: Self.day)
        try events.prepare()
        // A service time before 1970 has its sign in the bits beside the outcome.
        events.add(event(1, at: -5, outcome))
        #expect(events.recall(fingerprint(1)) == .same(outcome))
        #expect(events.recall(fingerprint(1, body: 1)) == .conflict)
        #expect(events.recall(fingerprint(2)) == .unknown)
    }

    @Test func `ids that share 32 bits, or 64, are told apart`() throws {
        var events = try RememberedEvents(
            countMax: 64, retention: Self.day)
        let high: [UInt64] = [0, 1, 1 << 31]
        var all: [EventFingerprint] = []
        for first in high {
            for second in [UInt32(0), 1, .max] {
                all.append(EventFingerprint(first: first << 32 | 7, second: second, body: 3))
            }
        }
        for (number, fingerprint) in all.enumerated() {
            #expect(events.recall(fingerprint) == .unknown)
            try events.prepare()
            let outcome: Outcome = number % 2 == 0 ? .accepted : .recorded
            events.add(RememberedEvent(fingerprint: fingerprint, outcome: outcome, time: 0))
        }
        for (number, fingerprint) in all.enumerated() {
            let outcome: Outcome = number % 2 == 0 ? .accepted : .recorded
            #expect(events.recall(fingerprint) == .same(outcome))
        }
    }

    @Test func `an event parked as too old is taken once when it comes back as a backfill`() throws
    {
        let fixture = try EngineFixture(
            EngineFixture.options { options in
                options.shardCount = 1
                options.rememberedMax = 16
            })
        for number in 0..<17 {
            _ = try fixture.apply(.event(.receipt, 1, id: "new \(number)"))
        }
        var old = NamedCommand.event(.receipt, 100, time: testStart - 1, id: "old")
        #expect(try fixture.apply(old) == .parkedBeforeMemory)
        #expect(try fixture.apply(old) == .parkedBeforeMemory)
        old.isBackfill = true
        #expect(try fixture.apply(old) == .accepted)
        #expect(try fixture.apply(old) == .duplicate)
        old.isBackfill = false
        #expect(try fixture.apply(old) == .duplicate)
        #expect(try fixture.detail("A")?.detail.positions["L0"]?.sellable == 117)
        #expect(fixture.engine.withShard(0) { $0.rememberedCount } == 16)
    }
}
