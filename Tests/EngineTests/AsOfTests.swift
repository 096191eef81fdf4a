// The state as of an effective time, against an engine that was told only what took effect by then.

import Bytes
import Domain
import Engine
import Journal
import Testing

@Suite struct AsOfTests {
    private static let seeds = Array(UInt64(1)...240) + [UInt64.random(in: 0 ... .max)]

    /// A command, and the facts that it left.
    private struct Told {
        var command: NamedCommand
        var shard: Int
        var payload: [UInt8]
        /// It took effect on stock or items, or was recorded.
        var isTaken = true

        /// Names and items have no effective time.
        func isEffective(by time: Milliseconds) -> Bool {
            !isTaken || command.verb == .item || command.at <= time
        }
    }

    private struct Life {
        var options: EngineOptions
        var skus: [String]
        var told: [Told] = []
        var control: [[UInt8]] = []

        /// An engine with the names and rules of this one, and nothing in it.
        func successor() throws -> EngineFixture {
            let other = try EngineFixture(options)
            for frame in control { try other.engine.master.replay(frame.span) }
            other.adoptAll()
            return other
        }
    }

    private func live(_ history: History) throws -> Life {
        var options = history.options
        options.keepsFacts = true
        let fixture = try EngineFixture(options)
        let journal = try TestJournal(shardCount: options.shardCount)
        journal.attachControl(to: fixture.engine)
        var life = Life(options: options, skus: history.skus)
        for step in history.steps {
            journal.settle()
            switch step {
            case .command(var command):
                // Its effective time would be known from its facts alone.
                command.isArrival = false
                let outcome = try fixture.apply(command)
                let shard = fixture.shard(of: command.sku)
                let payload = fixture.engine.withShard(shard) { shard in
                    defer { shard.keptFacts.removeAll() }
                    return shard.keptFacts.span.array
                }
                let isTaken =
                    outcome.verdict == .accepted && command.verb != .discard
                if !isTaken, payload.isEmpty { continue }
                life.told.append(
                    Told(command: command, shard: shard, payload: payload, isTaken: isTaken))
            case .tick(let now): fixture.now = now
            case .rules(let rules): try fixture.put(rules: rules)
            case .location(let name, let groups, let isOpen):
                try fixture.put(location: name, groups: groups, isOpen: isOpen)
            case .group(let name, let members): try fixture.put(group: name, members: members)
            case .send, .adopt, .settle: break
            }
        }
        life.control = try journal.closed().map(\.payload)
        return life
    }

    /// What an engine holds that was told only this, in this order; nil where units leave their range.
    private func expected(
        _ life: Life, by time: Milliseconds
    ) throws -> [String: Detail]? {
        let fixture = try life.successor()
        for told in life.told where told.isTaken && told.isEffective(by: time) {
            var command = told.command
            // It was accepted, so it was no repeat of what was known then.
            command.id = nil
            if try fixture.apply(command) == .overflow { return nil }
        }
        return try details(fixture, life.skus)
    }

    /// What the facts give, those before `base` replayed as they are; nil where units leave their range.
    private func found(
        _ life: Life, asOf time: Milliseconds, base: Int
    ) throws -> [String: Detail]? {
        let fixture = try life.successor()
        for (index, told) in life.told.enumerated() {
            if index == base { fixture.engine.restrict(asOf: time) }
            // An item that is told again leaves no facts.
            if told.payload.isEmpty { continue }
            do throws(ReplayError) {
                _ = try fixture.engine.replay(told.payload.span, shard: told.shard, time: testStart)
            } catch {
                guard case .outOfRange = error else { throw error }
                return nil
            }
        }
        return try details(fixture, life.skus)
    }

    /// The SKUs that have positions or are items; names alone have no effective time.
    private func details(
        _ fixture: EngineFixture, _ skus: [String]
    ) throws -> [String: Detail] {
        var details: [String: Detail] = [:]
        for sku in skus {
            guard let detail = try fixture.detail(sku)?.detail, detail != Detail() else { continue }
            details[sku] = detail
        }
        return details
    }

    private func differences(
        _ found: [String: Detail]?, _ expected: [String: Detail]?
    ) -> [String] {
        guard let found, let expected else {
            return found == nil && expected == nil ? [] : ["units leave their range in one alone"]
        }
        return Set(found.keys).union(expected.keys).sorted().compactMap { sku in
            found[sku] == expected[sku]
                ? nil
                : "\(sku): \(found[sku], default: "none"), not \(expected[sku], default: "none")"
        }
    }

    @Test(arguments: seeds)
    func `as of a time there is what facts that took effect by then make`(seed: UInt64) throws {
        let life = try live(History(seed: seed, stepCount: 240))
        var random = SeededGenerator(seed: seed)
        for _ in 0..<4 {
            let moment = try #require(life.told.randomElement(using: &random)).command.at
            let time = moment + Int64.random(in: -1...1, using: &random)
            let first = life.told.firstIndex { !$0.isEffective(by: time) } ?? life.told.count - 1
            let base = Int.random(in: 0...first, using: &random)
            let expected = try expected(life, by: time)
            let found = try found(life, asOf: time, base: base)
            let differences = differences(found, expected)
            #expect(
                differences.isEmpty,
                "seed \(seed), \(time - testStart), base \(base): \(differences)")
        }
    }

    /// Without this the test above could agree about nothing.
    @Test func `histories hold what makes the past differ from what was decided`() throws {
        var (recorded, wholeCounts, outOfRange) = (0, 0, 0)
        for seed in UInt64(1)...20 {
            let life = try live(History(seed: seed, stepCount: 240))
            for told in life.told {
                var reader = FactReader(time: 0)
                var facts = Buffer<Fact>()
                while try reader.readCommand(told.payload.span, into: &facts) {}
                for index in facts.indices {
                    switch facts[index] {
                    case .movementRecorded, .countRecorded: recorded += 1
                    case .counted(let fact) where fact.isWhole: wholeCounts += 1
                    default: break
                    }
                }
            }
            let moments = life.told.map(\.command.at)
            for time in moments.prefix(20) where try expected(life, by: time) == nil {
                outOfRange += 1
            }
        }
        #expect(recorded > 100 && wholeCounts > 20 && outOfRange > 0)
    }

    private static let times = (0...4).map { testStart + Milliseconds($0) * 1000 }

    @Test func `a sale that a later count made void is there before the count`() throws {
        let times = Self.times
        let found = try positions(
            asOf: times,
            [
                .event(.receipt, 10, time: times[0], id: "1"),
                .event(.count, 7, time: times[3], id: "2"),
                .event(.sale, 2, time: times[1], id: "3"),
                .event(.count, 9, time: times[2], id: "4"),
            ])
        #expect(found.map { $0?.sellable } == [10, 8, 9, 7, 7])
    }

    /// The sale is void by the count behind it, so only without that count is it newer than the other.
    @Test func `a count that a sale would have made too old is not there before it is void`() throws
    {
        let times = Self.times
        let found = try positions(
            asOf: times, lateWindow: 0,
            [
                .event(.receipt, 10, time: times[0], id: "1"),
                .event(.count, 7, time: times[4], id: "2"),
                .event(.sale, 2, time: times[3], id: "3"),
                .event(.count, 5, into: .damaged, time: times[1], id: "4"),
            ])
        #expect(found.map { $0?.sellable } == [10, 10, 10, 8, 7])
        #expect(found.map { $0?.damaged } == [0, 5, 5, 0, 5])
    }

    /// The position A at L0 as of each time.
    private func positions(
        asOf times: [Milliseconds], lateWindow: Milliseconds = 7 * 86_400_000,
        _ commands: [NamedCommand]
    ) throws -> [Detail.Position?] {
        let fixture = try EngineFixture(
            EngineFixture.options {
                $0.keepsFacts = true
                $0.lateWindow = lateWindow
            })
        var life = Life(options: fixture.engine.options, skus: ["A"])
        for command in commands {
            _ = try fixture.apply(command)
            let shard = fixture.shard(of: "A")
            let payload = fixture.engine.withShard(shard) { shard in
                defer { shard.keptFacts.removeAll() }
                return shard.keptFacts.span.array
            }
            life.told.append(Told(command: command, shard: shard, payload: payload))
        }
        return try times.map { time in
            let other = try EngineFixture(life.options)
            _ = try withUTF8("L0") { name throws(MasterDataRefusal) in
                try other.engine.master.addLocation(name)
            }
            other.engine.restrict(asOf: time)
            for told in life.told {
                _ = try other.engine.replay(told.payload.span, shard: told.shard, time: testStart)
            }
            return try other.detail("A")?.detail.positions["L0"]
        }
    }
}
