import Bytes
import Columns
import Domain
import Engine
import Journal
import Testing

/// Facts as a journal would keep them: by shard, a frame for each batch.
private struct Frame {
    var shard: Int
    var time: Milliseconds
    var payload: [UInt8]
}

@Suite struct ReplayTests {
    private static let seeds = Array(UInt64(1)...20) + [UInt64.random(in: 0 ... .max)]

    /// What was kept of a history.
    private struct Kept {
        /// The engine that went through it.
        var fixture: EngineFixture
        /// What happened to shared data, frame by frame.
        var control: [[UInt8]] = []
        var frames: [Frame] = []

        /// Another engine with the same names and rules, as the control stream brings them.
        func successor() throws -> EngineFixture {
            let other = try EngineFixture(fixture.engine.options)
            other.now = fixture.now
            for frame in control { try other.engine.master.replay(frame.span) }
            other.adoptAll()
            return other
        }
    }

    private func play(_ history: History) throws -> Kept {
        var options = history.options
        options.keepsFacts = true
        let fixture = try EngineFixture(options)
        let journal = try TestJournal(shardCount: options.shardCount)
        journal.attachControl(to: fixture.engine)
        var frames: [Frame] = []
        for step in history.steps {
            journal.settle()
            switch step {
            case .command(let command):
                _ = try fixture.apply(command)
            case .tick(let now): fixture.now = now
            case .rules(let rules): try fixture.put(rules: rules)
            case .location(let name, let groups, let isOpen):
                try fixture.put(location: name, groups: groups, isOpen: isOpen)
            case .group(let name, let members): try fixture.put(group: name, members: members)
            case .send, .adopt, .settle: break
            }
            for shard in 0..<fixture.engine.shardCount {
                let payload = fixture.engine.withShard(shard) { shard in
                    let payload = shard.keptFacts.span.array
                    shard.keptFacts.removeAll()
                    return payload
                }
                if payload.isEmpty { continue }
                frames.append(Frame(shard: shard, time: fixture.now, payload: payload))
            }
        }
        fixture.adoptAll()
        let control = try journal.closed().map(\.payload)
        return Kept(fixture: fixture, control: control, frames: frames)
    }

    @Test(arguments: seeds)
    func `facts that are replayed give the state that decided them`(seed: UInt64) throws {
        let history = History(seed: seed, stepCount: 300)
        let kept = try play(history)
        let fixture = kept.fixture
        let other = try kept.successor()
        for frame in kept.frames {
            let applied = try other.engine.replay(
                frame.payload.span, shard: frame.shard, time: frame.time)
            #expect(applied > 0)
        }
        for sku in history.skus {
            let expected = try fixture.detail(sku)
            let found = try other.detail(sku)
            // Rules that were brought in meanwhile are changes too, and not in the frames.
            #expect(found?.version ?? 0 <= expected?.version ?? 0, "\(sku)")
            #expect(found?.detail == expected?.detail, "\(sku)")
        }
        for number in 0..<fixture.engine.shardCount {
            func state(_ fixture: EngineFixture) -> [String] {
                fixture.engine.withShard(number) { shard in
                    [
                        "\(shard.rememberedCount)", "\(shard.positions.positionCount)",
                        "\(shard.positions.skuCount)",
                    ] + shard.parked.events.map { "\($0)" } + ["\(shard.parked.next)"]
                }
            }
            #expect(state(other) == state(fixture))
        }
    }

    @Test(arguments: seeds.prefix(4))
    func `a repeat after the replay changes nothing, and late counts are taken alike`(
        seed: UInt64
    ) throws {
        let history = History(seed: seed, stepCount: 200)
        let kept = try play(history)
        let fixture = kept.fixture
        let other = try kept.successor()
        for frame in kept.frames {
            _ = try other.engine.replay(
                frame.payload.span, shard: frame.shard, time: frame.time)
        }
        for case .command(let command) in history.steps {
            #expect(try other.apply(command) == fixture.apply(command), "\(command)")
        }
        for sku in history.skus {
            #expect(try other.detail(sku)?.detail == fixture.detail(sku)?.detail)
        }
    }

    @Test func `damaged facts are an error with a place, never a trap`() throws {
        let history = History(seed: 3, stepCount: 60)
        let kept = try play(history)
        var refused = 0
        var random = SeededGenerator(seed: 9)
        for frame in kept.frames.prefix(12) {
            for offset in frame.payload.indices {
                let other = try kept.successor()
                var payload = frame.payload
                payload[offset] ^= 1 << UInt8.random(in: 0...7, using: &random)
                do throws(ReplayError) {
                    _ = try other.engine.replay(
                        payload.span, shard: frame.shard, time: frame.time)
                } catch { refused += 1 }
            }
        }
        #expect(refused > 0)
    }

    @Test(arguments: seeds)
    func `shared data that is replayed is what it was, ids and versions too`(seed: UInt64) throws {
        let kept = try play(History(seed: seed, stepCount: 300))
        let other = try kept.successor().engine.master
        let master = kept.fixture.engine.master
        #expect(other.locations.version == master.locations.version)
        #expect(other.locations.value == master.locations.value)
        #expect(other.groups.version == master.groups.version)
        #expect(other.groups.value == master.groups.value)
        #expect(other.channels.version == master.channels.version)
        #expect(other.rules.value == master.rules.value)
        #expect(other.nameCounts.sources == 2 && master.nameCounts.sources == 2)
        for name in ["till 1", "till 2"] {
            withUTF8(name) { name in
                let key = NameKey(name, kept.fixture.engine.hasher)
                #expect(other.sourceNames.id(name, key) == master.sourceNames.id(name, key))
            }
        }
        for name in History.groups + ["c0", "c1"] {
            let key = kept.fixture.key(name)
            withUTF8(name) { name in
                #expect(other.groupNames.id(name, key) == master.groupNames.id(name, key))
                #expect(other.categoryNames.id(name, key) == master.categoryNames.id(name, key))
            }
        }
    }

    @Test func `names alone of shared data can be replayed`() throws {
        let kept = try play(History(seed: 5, stepCount: 300))
        let master = kept.fixture.engine.master
        let other = try EngineFixture(kept.fixture.engine.options)
        for frame in kept.control { try other.engine.master.replay(frame.span, namesOnly: true) }
        #expect(other.engine.master.nameCounts.locations == master.nameCounts.locations)
        #expect(other.engine.master.nameCounts.categories == master.nameCounts.categories)
        #expect(other.engine.master.locations.value.allSatisfy { $0.groups.isEmpty && $0.isOpen })
        #expect(!master.locations.value.allSatisfy { $0.groups.isEmpty && $0.isOpen })
        #expect(other.engine.master.groups.value.isEmpty && !master.groups.value.isEmpty)
        #expect(other.engine.master.rules.value == RuleSet() && master.rules.value != RuleSet())
    }

    @Test func `damaged control facts are an error or other facts, never a trap`() throws {
        let kept = try play(History(seed: 5, stepCount: 200))
        let control = Array(kept.control.joined())
        var malformed = 0
        for offset in control.indices {
            for bit in UInt8(0)...7 {
                var payload = control
                payload[offset] ^= 1 << bit
                var reader = MasterFactReader()
                do throws(FactError) {
                    while try reader.next(payload.span) != nil {}
                } catch { malformed += 1 }
            }
        }
        #expect(malformed > control.count)
        for count in control.indices {
            var reader = MasterFactReader()
            let payload = Array(control[..<count])
            do throws(FactError) { while try reader.next(payload.span) != nil {} } catch {
                #expect(error.offset <= count)
            }
        }
    }

    @Test func `facts that do not fit the state are refused`() throws {
        let other = try EngineFixture(EngineFixture.options { $0.shardCount = 1 })
        var payload = ByteBuffer()
        func replay(_ facts: [Fact], _ text: String = "") -> ReplayError? {
            payload.removeAll()
            var buffer = Buffer<Fact>()
            for fact in facts { buffer.append(fact) }
            withUTF8(text) { FactFormat.append(buffer, $0, to: &payload) }
            do throws(ReplayError) {
                _ = try other.engine.replay(payload.span, shard: 0, time: testStart)
                return nil
            } catch { return error }
        }
        let key = PositionKey(sku: 0, location: 0)
        let name = ByteRange(offset: 0, count: 1)
        let second = PositionKey(sku: 1, location: 0)
        func moved(_ delta: Int32, _ position: PositionKey) -> Fact {
            .moved(
                StockMoved(position: position, condition: .sellable, delta: delta, at: testStart))
        }
        #expect(replay([moved(1, key)]) == .contradiction(offset: 1), "there is no such SKU")
        #expect(replay([.positionAdded(key)]) == .contradiction(offset: 1))
        #expect(
            replay([.skuAdded(name), .positionAdded(key)], "Z") == .contradiction(offset: 1),
            "there is no such location")
        _ = try withUTF8("L0") { name throws(MasterDataRefusal) in
            try other.engine.master.addLocation(name)
        }
        #expect(
            replay([.skuAdded(name), .positionAdded(second), moved(.max, second)], "A") == nil)
        #expect(replay([.skuAdded(name)], "A") == .contradiction(offset: 1), "it is there already")
        #expect(replay([.positionAdded(second)]) == .contradiction(offset: 1), "so is this")
        #expect(replay([moved(1, second)]) == .contradiction(offset: 1), "beyond 32 bits")
        #expect(replay([moved(-1, second)]) == nil)
        #expect(
            replay([.positionAdded(key), moved(1, second)]) == .contradiction(offset: 1),
            "a command is about one SKU")
        #expect(try other.detail("A")?.detail.positions.values.first?.sellable == .max - 1)
    }
}
