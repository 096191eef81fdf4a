import Platform
import Testing

@testable import Columns

@Suite struct HashIndexTests {
    @Test(arguments: [TagSpread.random, .few, .neighbours, .lastHomes])
    func `random inserts and look-ups agree with a dictionary`(
        spread: TagSpread
    ) throws {
        let seed = testSeed()
        var random = Seeded(seed)
        var index = try HashIndex(quietPoints: QuietPoints())
        var model: [UInt32: UInt32] = [:]  // Value to tag: a tag may have several values.
        for step in 0..<5_000 {
            let (value, tag) = (UInt32(step), spread.tag(&random))
            #expect(
                index.view.find(tag: tag) { $0 == value } == nil, "seed \(seed), step \(step)")
            try index.insert(tag: tag, value: value)
            model[value] = tag
            if step % 500 == 0 {
                for (value, tag) in model
                where index.view.find(tag: tag, where: { $0 == value })
                    != value
                {
                    Issue.record("seed \(seed), step \(step): \(value) under \(tag) is lost")
                    return
                }
            }
        }
        #expect(index.count == model.count, "seed \(seed)")
        for (value, tag) in model {
            #expect(index.view.find(tag: tag) { $0 == value } == value, "seed \(seed)")
            #expect(index.view.find(tag: tag ^ 1) { $0 == value } == nil, "seed \(seed)")
        }
    }

    @Test func `every value of one tag is offered until one is accepted`() throws {
        var index = try HashIndex(quietPoints: QuietPoints())
        for value in 0..<20 as Range<UInt32> { try index.insert(tag: .max, value: value) }
        var offered: [UInt32] = []
        let found = index.view.find(tag: .max) {
            offered.append($0)
            return false
        }
        #expect(found == nil)
        #expect(offered.sorted() == Array(0..<20))
        #expect(index.view.longestProbe() == 20)
    }

    @Test func `the longest probe is counted around the end of the table`() throws {
        var index = try HashIndex(quietPoints: QuietPoints())
        #expect(index.view.longestProbe() == 0)
        try index.insert(tag: 0, value: 0)
        #expect(index.view.longestProbe() == 1)
        // All at the last of 64 homes: one there, one at slot 1 (0 is taken), two behind it.
        for value in 1...4 as ClosedRange<UInt32> { try index.insert(tag: .max, value: value) }
        #expect(index.view.longestProbe() == 5)
    }

    @Test func `the largest value is kept, the reserved one is a bug`() async throws {
        var index = try HashIndex(quietPoints: QuietPoints())
        try index.insert(tag: 1, value: UInt32.max - 1)
        #expect(index.view.find(tag: 1) { _ in true } == UInt32.max - 1)
        await #expect(processExitsWith: .failure) {
            var index = try HashIndex(quietPoints: QuietPoints())
            try index.insert(tag: 1, value: .max)
        }
    }

    @Test func `a look-up that is under way outlives growth`() throws {
        let quietPoints = QuietPoints()
        let reader = quietPoints.register()
        quietPoints.enter(reader)
        var index = try HashIndex(quietPoints: quietPoints)
        let tag: UInt32 = 0x8000_0000  // Its home is elsewhere in each larger table.
        for value in 0..<10 as Range<UInt32> { try index.insert(tag: tag, value: value) }
        // The table grows several times while the look-up stands at its first slot: the table that
        // it walks must stay, because its reader has not passed.
        var offered: [UInt32] = []
        let view = index.view
        let found = view.find(tag: tag) { value in
            offered.append(value)
            if offered.count == 1 {
                for other in 0..<5_000 as Range<UInt32> {
                    do throws(SystemError) {
                        try index.insert(tag: other &* 0x9E37_79B9, value: 100 + other)
                    } catch { Issue.record("\(error)") }
                }
            }
            return false
        }
        #expect(found == nil)
        #expect(offered.sorted() == Array(0..<10))
        quietPoints.pass(reader)
        #expect(view.find(tag: 4_999 &* 0x9E37_79B9) { $0 == 5_099 } == 5_099)
    }

    @Test(arguments: [0, 1, 32, 33, 1000, 1024])
    func `what was asked for fits without growth`(capacity: Int) throws {
        var index = try HashIndex(capacity: capacity, quietPoints: QuietPoints())
        let before = index.byteCount
        for value in 0..<UInt32(capacity) {
            try index.insert(tag: value &* 0x9E37_79B9, value: value)
        }
        #expect(index.byteCount == before)
    }
}

/// Where the tags of a test lie.
enum TagSpread: Sendable {
    case random, few, neighbours, lastHomes

    func tag(_ random: inout Seeded) -> UInt32 {
        switch self {
        case .random: UInt32(truncatingIfNeeded: random.next())
        case .few: UInt32(random.below(200)) &* 0x9E37_79B9
        case .neighbours: 0x7FFF_0000 + UInt32(random.below(1 << 17))
        case .lastHomes: .max - UInt32(random.below(1 << 22))
        }
    }
}
