import Bytes
import Platform
import Testing

@testable import Columns

@Suite struct RowAllocatorTests {
    @Test func `live extents never overlap and free rows are counted`() {
        let seed = testSeed()
        var random = Seeded(seed)
        for history in 0..<5 {
            var model = ExtentModel()
            for step in 0..<1_500 {
                let isTake = model.live.isEmpty || random.below(100) < 55
                let isRight =
                    isTake
                    ? model.take(1 + random.below(random.below(4) == 0 ? 200 : 12))
                    : model.give(random.below(model.live.count))
                if !isRight {
                    Issue.record("seed \(seed), history \(history), step \(step)")
                    return
                }
            }
            // Everything given back in random order becomes one extent again.
            while !model.live.isEmpty { _ = model.give(random.below(model.live.count)) }
            #expect(model.allocator.freeRowCount == model.rowCount)
            #expect(model.allocator.take(model.rowCount) == 0, "seed \(seed)")
            #expect(model.allocator.freeRowCount == 0)
        }
    }

    @Test func `an extent given back is taken again, whole or in parts`() {
        var allocator = RowAllocator()
        allocator.give(100, 12)
        #expect(allocator.take(12) == 100)
        #expect(allocator.take(1) == nil)
        allocator.give(100, 12)
        #expect(allocator.take(5) == 100)
        #expect(allocator.take(7) == 105)
        #expect(allocator.take(1) == nil)
    }

    @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func `neighbours given back in any order become one`(order: [Int]) {
        var allocator = RowAllocator()
        for part in order { allocator.give(UInt32(1_000 + part * 10), 10) }
        #expect(allocator.freeRowCount == 30)
        #expect(allocator.take(30) == 1_000)
    }

    @Test func `what neighbours left behind does not hide the extent they became`() {
        var allocator = RowAllocator()
        // Each joins the one above it: ever other starts, of which only the last still counts.
        allocator.give(2_000, 1_025)
        for start in stride(from: 1_998, through: 1_800, by: -2) {
            allocator.give(UInt32(start), 2)
        }
        // A search for more than there is moves the cursor on, to where the old entries are.
        #expect(allocator.take(1_226) == nil)
        #expect(allocator.take(1_225) == 1_800)
    }

    @Test func `extents with a gap between them stay apart`() {
        var allocator = RowAllocator()
        allocator.give(0, 10)
        allocator.give(11, 10)
        #expect(allocator.take(20) == nil)
        #expect(allocator.freeRowCount == 20)
    }

    /// Extents of 9 rows share a bin with those of 15, but are too short for them: a search that
    /// moves what it passes over costs more the more there are.
    @Test func `a search among many short extents takes no longer than among few`() {
        func nanosecondsPerTake(extentCount: Int) -> Int {
            var allocator = RowAllocator()
            for extent in 0..<extentCount { allocator.give(UInt32(extent * 20), 9) }
            var best = Int.max
            for _ in 0..<5 {
                let start = ContinuousClock.now
                for _ in 0..<400 { #expect(allocator.take(15) == nil) }
                let elapsed = (ContinuousClock.now - start).components
                best = min(best, Int(elapsed.attoseconds / 1_000_000_000) / 400)
            }
            return best
        }
        let few = nanosecondsPerTake(extentCount: 100)
        let many = nanosecondsPerTake(extentCount: 200_000)
        #expect(many < few * 8, "\(few) and \(many) ns")
    }

    @Test func `short extents do not hide a long one for good`() {
        var allocator = RowAllocator()
        allocator.give(0, 15)
        for extent in 1...100 as ClosedRange<UInt32> { allocator.give(extent * 20, 9) }
        // A try looks at a few extents of the bin and goes on from there the next time.
        let found = (0..<101).contains { _ in allocator.take(15) == 0 }
        #expect(found)
        #expect(allocator.freeRowCount == 900)
    }

    @Test func `an extent fits what it is asked for and grows by a quarter`() {
        for capacity in 0...70_000 {
            let next = RowAllocator.capacity(for: capacity + 1, growing: capacity)
            let bound = max(capacity + 1, capacity + capacity / 4)
            if next < bound || next > bound + 7 {
                Issue.record("\(next) rows after \(capacity)")
                return
            }
        }
    }

    /// Growth is geometric: by a quarter it takes log 65,535 ÷ log 1.25 = 50 steps at the most.
    @Test func `a run of n positions moves O(log n) times`() {
        var moves = 0
        var capacity = 0
        while capacity < 65_535 {
            capacity = RowAllocator.capacity(for: capacity + 1, growing: capacity)
            moves += 1
        }
        #expect(moves <= 50)
    }

    /// Rows that the column holds per position when `skuCount` SKUs gain `locationCount`
    /// locations one at a time, at the end and at the worst moment after the first tenth.
    @Test(arguments: [true, false])
    func `growing runs one position at a time wastes little`(isLocationMajor: Bool) throws {
        let (skuCount, locationCount) = (2_000, 100)
        var store = try PositionStore(
            skuCountMax: skuCount, positionCountMax: 1 << 22, quietPoints: QuietPoints())
        let hasher = KeyedHash(seed: 1)
        for sku in 0..<skuCount {
            _ = try store.addSKU(numberedName("S", sku), hasher)
        }
        var worst = 0.0
        for step in 0..<skuCount * locationCount {
            let sku = isLocationMajor ? step % skuCount : step / locationCount
            let location = isLocationMajor ? step / skuCount : step % locationCount
            _ = try store.place(UInt32(sku), at: UInt16(location))
            if step > skuCount * locationCount / 10 {
                worst = max(worst, Double(store.rowCount) / Double(store.positionCount))
            }
        }
        let last = Double(store.rowCount) / Double(store.positionCount)
        // Measured: 1.04 at the end in both orders (extents of 104 rows for 100 positions); on the
        // way 1.34 in location-major order, where all runs move at once, 1.05 in SKU-major order.
        #expect(store.positionCount == skuCount * locationCount)
        #expect(last < 1.1)
        #expect(worst < 1.5)
    }
}

/// An allocator with a map of who has which row.
private struct ExtentModel {
    var allocator = RowAllocator()
    var live: [(start: Int, length: Int)] = []
    var rowCount: Int { isTaken.count }
    private var isTaken: [Bool] = []
    private var freeCount = 0

    /// False when the rows were somebody's, or when rows that were free went unused.
    mutating func take(_ length: Int) -> Bool {
        let start: Int
        if let reused = allocator.take(length) {
            start = Int(reused)
            guard start + length <= rowCount else { return false }
        } else {
            // Whatever has twice the length fits, wherever the allocator keeps it.
            if longestGap >= length * 2 { return false }
            start = rowCount
            freeCount += length
            isTaken += [Bool](repeating: false, count: length)
        }
        for row in start..<start + length {
            if isTaken[row] { return false }
            isTaken[row] = true
        }
        live.append((start, length))
        freeCount -= length
        return allocator.freeRowCount == freeCount
    }

    mutating func give(_ index: Int) -> Bool {
        let (start, length) = live.remove(at: index)
        for row in start..<start + length { isTaken[row] = false }
        allocator.give(UInt32(start), length)
        freeCount += length
        return allocator.freeRowCount == freeCount
    }

    private var longestGap: Int {
        var longest = 0
        var current = 0
        for taken in isTaken {
            current = taken ? 0 : current + 1
            longest = max(longest, current)
        }
        return longest
    }
}
