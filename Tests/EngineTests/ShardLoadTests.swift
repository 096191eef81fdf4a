import Bytes
import Columns
import Domain
import Journal
import Testing

@testable import Engine

/// What tables may say that cannot be. A trap here would end the start of the service.
@Suite struct ShardLoadTests {
    private let fixture: EngineFixture

    init() throws {
        fixture = try EngineFixture(
            EngineFixture.options {
                $0.shardCount = 1
                $0.rememberedMax = 16
            })
    }

    /// What a change of the shard is refused with.
    private func refusal(_ body: (inout Shard) throws(LoadError) -> Void) -> LoadError? {
        do throws(LoadError) {
            try fixture.engine.withShard(0, body)
            return nil
        } catch { return error }
    }

    private func load(_ sku: String, itemName: [UInt8] = []) -> LoadError? {
        let key = fixture.key(sku)
        return refusal { (shard) throws(LoadError) in
            let name = Array(sku.utf8)
            try shard.load(sku: name.span, key, category: 0, itemName: itemName.span)
        }
    }

    /// Gives `sku` positions at `locations`.
    private func loadRun(
        _ sku: UInt32, _ locations: [UInt32], newest: Milliseconds = testStart,
        counted: Milliseconds = PositionColumns.never, changes: UInt64 = 1
    ) -> LoadError? {
        refusal { (shard) throws(LoadError) in
            var columns = PositionColumns()
            let count = locations.count
            for location in locations { columns.locations.append(location) }
            columns.sellable.append(repeating: 5, count: count)
            columns.returned.append(repeating: 1, count: count)
            columns.damaged.append(repeating: 0, count: count)
            columns.blocked.append(repeating: 0, count: count)
            columns.held.append(repeating: 0, count: count)
            columns.allocated.append(repeating: 0, count: count)
            columns.newest.append(repeating: newest, count: count)
            columns.counted.append(repeating: counted, count: count)
            columns.countedWhole.append(repeating: 0, count: count)
            try shard.loadRun(sku, changeCount: changes, columns, 0..<count, number: 0)
        }
    }

    private func loadMovements(
        _ positions: [Int32], at: Milliseconds = testStart, condition: Int32 = 0
    ) -> LoadError? {
        refusal { (shard) throws(LoadError) in
            var columns = MomentColumns()
            for position in positions {
                columns.positions.append(position)
                columns.conditions.append(condition)
                columns.times.append(at)
                columns.deltas.append(2)
            }
            var place = PositionPlace()
            try shard.loadMovements(columns, &place)
        }
    }

    private func isContradiction(_ error: LoadError?) -> Bool {
        if case .contradiction = error { true } else { false }
    }

    @Test func `a SKU is loaded once`() {
        #expect(load("A") == nil)
        #expect(load("B", itemName: Array("Bee".utf8)) == nil)
        #expect(isContradiction(load("A")))
        #expect(isContradiction(load("C", itemName: [UInt8](repeating: 65, count: 65_536))))
    }

    @Test func `locations ascend, and times are times`() {
        for sku in ["A", "B", "C", "D", "E", "F"] { #expect(load(sku) == nil) }
        #expect(isContradiction(loadRun(6, [1])), "there is no such SKU")
        #expect(isContradiction(loadRun(0, [1, 1])))
        #expect(isContradiction(loadRun(1, [2, 1])))
        #expect(isContradiction(loadRun(2, [65_536])))
        #expect(isContradiction(loadRun(3, [1], newest: effectiveTimes.upperBound + 1)))
        #expect(isContradiction(loadRun(4, [1], counted: PositionColumns.never - 1)))
        #expect(isContradiction(loadRun(5, [1], changes: .max)))
        #expect(loadRun(5, [1, 7], newest: effectiveTimes.upperBound) == nil)
    }

    @Test func `movements belong to positions that moved, in order`() {
        for sku in ["A", "B", "C"] { #expect(load(sku) == nil) }
        #expect(loadRun(0, [0, 3]) == nil)
        #expect(loadRun(1, [4]) == nil)
        #expect(loadRun(2, [1], newest: PositionColumns.never) == nil)
        #expect(loadMovements([0, 0, 1, 2]) == nil)
        #expect(isContradiction(loadMovements([3])), "nothing moved there")
        #expect(isContradiction(loadMovements([4])), "there is no such position")
        #expect(isContradiction(loadMovements([-1])))
        #expect(isContradiction(loadMovements([2, 1])), "a SKU of before")
        #expect(isContradiction(loadMovements([0], condition: 4)))
        #expect(isContradiction(loadMovements([0], condition: -1)))
        #expect(isContradiction(loadMovements([0], at: .max)))
    }

    @Test func `events are remembered once, and no more than fit`() {
        func event(_ number: Int, at time: Milliseconds = testStart) -> RememberedEvent {
            RememberedEvent(
                fingerprint: EventFingerprint(first: UInt64(number), second: 1, body: 2),
                outcome: .accepted, time: time)
        }
        func load(_ events: [RememberedEvent]) -> LoadError? {
            refusal { (shard) throws(LoadError) in
                var buffer = Buffer<RememberedEvent>()
                for event in events { buffer.append(event) }
                try shard.load(buffer)
            }
        }
        #expect(isContradiction(load([event(1), event(1)])))
        #expect(isContradiction(load([event(2, at: .max)])))
        #expect(load((3..<18).map { event($0) }) == nil)
        #expect(isContradiction(load([event(18)])), "sixteen fit")
    }

    @Test func `a shard with state is not loaded`() throws {
        _ = try fixture.apply(.event(.receipt, 1, id: "1"))
        let found = refusal { (shard) throws(LoadError) in
            try shard.prepareLoad(LoadCounts(skus: 1, movements: 0, remembered: 0))
        }
        #expect(found == .notEmpty)
    }

    @Test func `shared data that is loaded is not told of again, and later names are`() throws {
        _ = try fixture.apply(.event(.receipt, 1, at: "L7", id: "1"))
        let frozen = fixture.engine.master.freeze().master
        let other = try EngineFixture(fixture.engine.options)
        try other.engine.master.load(frozen.facts.span, frozen.versions)
        let journal = try TestJournal(shardCount: other.engine.shardCount)
        journal.attachControl(to: other.engine)
        _ = try other.apply(.event(.receipt, 1, at: "L8", id: "2"))
        let second = other.engine.master.freeze()
        var expected = ByteBuffer()
        MasterFact.locationNamed(try Identifier("L8")).append(to: &expected)
        #expect(second.head.sequence == 1)
        #expect(second.master.versions.locations == frozen.versions.locations + 1)
        #expect(try journal.closed().map(\.payload) == [expected.span.array])
    }
}
