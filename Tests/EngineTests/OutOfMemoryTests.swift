import Bytes
import Domain
import Engine
import Testing

@Suite struct EngineOutOfMemoryTests {
    @Test func `what finds no room is refused and changes nothing, and the rest is taken`() throws {
        // Room for the movements of 10 events, and for no more than 8 units in other conditions.
        let fixture = try EngineFixture(
            EngineFixture.options { options in
                options.shardCount = 1
                options.movementCountMax = 10
                options.conditionCountMax = 8
            })
        let receipts = (0..<12).map { number in
            NamedCommand.event(.receipt, 5, "S\(number)", id: "receipt \(number)")
        }
        // The last two movements are kept free for a command that has two.
        #expect(
            try fixture.apply(receipts)
                == Array(repeating: .accepted, count: 9)
                + Array(repeating: .outOfMemory, count: 3))
        #expect(try fixture.detail("S8")?.detail.positions["L0"]?.sellable == 5)
        #expect(try fixture.detail("S9") == nil)
        // Nothing was remembered of what was refused.
        #expect(
            try fixture.apply([receipts[0], receipts[11]]) == [.duplicate, .outOfMemory])
    }

    @Test func `units in other conditions find no room while sellable ones do`() throws {
        let fixture = try EngineFixture(
            EngineFixture.options { options in
                options.shardCount = 1
                options.conditionCountMax = 8
            })
        let returns = (0..<20).map { number in
            NamedCommand.event(.return, 1, "S\(number)", into: .returned, id: "return \(number)")
        }
        let sales = (0..<20).map { number in
            NamedCommand.event(.sale, 1, "S\(number)", id: "sale \(number)")
        }
        let outcomes = try fixture.apply(zip(returns, sales).flatMap { [$0, $1] })
        #expect(outcomes.filter { $0 == .outOfMemory }.count == 19)
        #expect(outcomes[0] == .accepted)
        for index in stride(from: 1, to: 40, by: 2) { #expect(outcomes[index] == .accepted) }
        #expect(try fixture.detail("S0")?.detail.positions["L0"]?.returned == 1)
        #expect(try fixture.detail("S19")?.detail.positions["L0"]?.returned == 0)
    }

    @Test func `what found room is replayed where there is no room for more`() throws {
        let options = EngineFixture.options { options in
            options.shardCount = 1
            options.movementCountMax = 12
            options.conditionCountMax = 8
            options.keepsFacts = true
        }
        let fixture = try EngineFixture(options)
        let journal = try TestJournal(shardCount: 1)
        journal.attachControl(to: fixture.engine)
        let sales = (0..<12).map { NamedCommand.event(.sale, 1, "S\($0)", id: "sale \($0)") }
        let commands =
            [NamedCommand.event(.return, 1, "S0", into: .returned, id: "return")] + sales
        let outcomes = try fixture.apply(commands)
        // The last two movements are kept free for a command that has two.
        #expect(outcomes == Array(repeating: .accepted, count: 11) + [.outOfMemory, .outOfMemory])
        let control = try journal.closed()
        let payload = fixture.engine.withShard(0) { $0.keptFacts.span.array }

        let other = try EngineFixture(options)
        for frame in control { try other.engine.master.replay(frame.payload.span) }
        other.adoptAll()
        let applied = try other.engine.replay(payload.span, shard: 0, time: fixture.now)
        // SKU, position, movement and memory of the first; two less for its first sale.
        #expect(applied == 4 * 11 - 2)
        for number in 0..<12 {
            #expect(try other.detail("S\(number)")?.detail == fixture.detail("S\(number)")?.detail)
        }
    }
}
