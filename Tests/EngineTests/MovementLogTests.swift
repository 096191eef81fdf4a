import Bytes
import Columns
import Domain
import Engine
import Testing

@Suite struct MovementLogTests {
    private static let window: Milliseconds = 1000
    private static let seeds = Array(UInt64(1)...6) + [UInt64.random(in: 0 ... .max)]

    private struct Movement {
        var condition: Condition
        var delta: Int32
        var at: Milliseconds
    }

    @Test(arguments: seeds)
    func `no movement inside the window is ever lost`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var log = try MovementLog(window: Self.window)
        // Rows take turns, so that nodes given back by one are used by another.
        var rows = [PositionRow](repeating: PositionRow(), count: 3)
        var all = [[Movement]](repeating: [], count: 3)
        var now = testStart
        for step in 0..<2000 {
            now += Int64.random(in: 0...7, using: &random)
            // Phases of long and of short lists.
            if step % 600 == 599 { now += Self.window * 2 }
            let row = Int.random(in: 0..<3, using: &random)
            let movement = Movement(
                condition: Condition.allCases.randomElement(using: &random) ?? .sellable,
                delta: Int32.random(in: -9...9, using: &random),
                at: now - Int64.random(in: 0...(Self.window + 50), using: &random))
            try log.prepare(1)
            log.add(
                &rows[row], condition: movement.condition, delta: movement.delta, at: movement.at)
            all[row].append(movement)
            if step % 50 == 0 {
                let condition = Condition.allCases.randomElement(using: &random) ?? .sellable
                let through = now - Int64.random(in: 0...Self.window, using: &random)
                log.forget(&rows[row], condition: condition, through: through)
                all[row].removeAll { $0.condition == condition && $0.at <= through }
            }
            guard step % 8 == 0, let newest = rows[row].newestAt else { continue }
            for at in [newest - Self.window, newest - Self.window / 2, newest] {
                for condition in Condition.allCases {
                    let expected = all[row].filter { $0.condition == condition && $0.at > at }
                        .map { Int64($0.delta) }.reduce(0, +)
                    let found = log.sum(rows[row], condition: condition, after: at)
                    if found != expected {
                        Issue.record("seed \(seed), step \(step): \(found), not \(expected)")
                        return
                    }
                }
            }
        }
    }

    @Test func `a list reaches back no further than twice its window`() throws {
        var log = try MovementLog(window: Self.window)
        var row = PositionRow()
        var largest = 0
        for step in 0..<20_000 {
            try log.prepare(1)
            log.add(&row, condition: .sellable, delta: 1, at: testStart + Int64(step))
            if step > 5000 { largest = max(largest, log.count) }
        }
        // 1,001 are in the window at any time.
        #expect(largest <= 2001)
        #expect(log.count >= 1001)
    }

    @Test func `a position that moves rarely keeps few nodes`() throws {
        var log = try MovementLog(window: Self.window)
        var row = PositionRow()
        var largest = 0
        for step in 0..<20_000 {
            try log.prepare(1)
            let at = testStart + Int64(step) * Self.window * 2
            log.add(&row, condition: .sellable, delta: 1, at: at)
            largest = max(largest, log.count)
        }
        #expect(largest == 1)
    }

    @Test func `a movement from before the window is not kept`() throws {
        var log = try MovementLog(window: Self.window)
        var row = PositionRow()
        try log.prepare(1)
        log.add(&row, condition: .sellable, delta: 1, at: testStart)
        log.add(&row, condition: .sellable, delta: 2, at: testStart - Self.window)
        #expect(log.count == 2)
        try log.prepare(1)
        log.add(&row, condition: .sellable, delta: 4, at: testStart - Self.window - 1)
        #expect(log.count == 2)
        #expect(row.newestAt == testStart)
        #expect(log.sum(row, condition: .sellable, after: testStart - Self.window - 1) == 3)
    }
}
