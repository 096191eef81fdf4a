import Platform
import Testing

@testable import Columns

@Suite struct RunReaderTests {
    /// While an owner shifts rows, one location stands twice for readers who are too early.
    @Test func `a look-up amid a shift answers a row of the run or none`() throws {
        for count in [8, 9, 31, 39, 63, 64, 65, 90] {
            var store = try Self.store(skuCount: 1)
            for location in 0..<count {
                try store.prepare(positions: 1, for: 0)
                store.beginChange(0)
                _ = store.addPosition(0, at: UInt16(location * 2 + 1))
                store.endChange(0)
            }
            let extent = store.reader.extent(0)
            #expect(extent.count == count)
            for row in extent.rows.dropFirst() {
                let before = store.locations[shared: row]
                let twice = store.locations[shared: row - 1]
                store.locations[shared: row] = twice
                if let found = store.reader.row(of: twice, in: extent) {
                    #expect(extent.rows.contains(found))
                }
                store.locations[shared: row] = before
            }
        }
    }

    /// Runs of a few rows, of one look, of several halvings; every location and its neighbours.
    @Test(arguments: [1, 7, 8, 15, 16, 31, 32, 40, 63, 64, 65, 127, 128, 129, 1000])
    func `a location is found in its row, and no other`(count: Int) throws {
        var store = try Self.store(skuCount: 1)
        for location in 0..<count {
            try store.prepare(positions: 1, for: 0)
            store.beginChange(0)
            _ = store.addPosition(0, at: UInt16(location * 3 + 1))
            store.endChange(0)
        }
        let extent = store.reader.extent(0)
        for location in 0..<UInt16(count * 3 + 3) {
            let slot = Int(location) / 3
            let isPresent = location % 3 == 1 && slot < count
            #expect(
                store.reader.row(of: location, in: extent)
                    == (isPresent ? extent.start + slot : nil))
        }
    }

    @Test func `a read gives up when the version stays odd`() throws {
        var store = try Self.store(skuCount: 2)
        store.beginChange(0)
        var calls = 0
        #expect(store.reader.consistent(0) { _ in calls += 1 } == nil)
        #expect(calls == 0)
        // The other SKU is not concerned.
        #expect(store.reader.consistent(1) { _ in calls += 1 } == 0)
        #expect(calls == 1)
        store.endChange(0)
        #expect(store.reader.consistent(0) { _ in calls += 1 } == 1)
        #expect(calls == 2)
    }

    @Test func `a read gives up when every try meets a change`() throws {
        var store = try Self.store(skuCount: 1)
        let reader = store.reader
        var calls = 0
        let version = reader.consistent(0) { _ in
            store.beginChange(0)
            store.endChange(0)
            calls += 1
        }
        #expect(version == nil)
        #expect(calls == RunReader.attemptCountMax)
    }

    @Test func `the last try counts`() throws {
        var store = try Self.store(skuCount: 1)
        let reader = store.reader
        var calls = 0
        let version = reader.consistent(0) { _ in
            calls += 1
            if calls == RunReader.attemptCountMax { return }
            store.beginChange(0)
            store.endChange(0)
        }
        #expect(version == UInt64(RunReader.attemptCountMax - 1))
    }

    @Test func `a change that begins during a read is noticed`() throws {
        var store = try Self.store(skuCount: 1)
        let reader = store.reader
        var calls = 0
        let version = reader.consistent(0) { _ in
            calls += 1
            if calls == 1 { store.beginChange(0) }
        }
        #expect(version == nil)
        #expect(calls == 1)
    }

    @Test func `a move during a read is noticed`() throws {
        var store = try Self.store(skuCount: 1)
        let row = try store.place(0, at: 1)
        store.setFree(5, at: row)
        let reader = store.reader
        var seen: [Int32] = []
        let version = reader.consistent(0) { extent in
            if seen.isEmpty {
                do throws(SystemError) { _ = try store.place(0, at: 2, expecting: 50) } catch {
                    Issue.record("\(error)")
                }
            }
            seen.append(reader.free(at: extent.start))
        }
        // The row that the first try was sent to is nobody's by then and holds nothing.
        #expect(version != nil)
        #expect(seen == [0, 5])
    }

    @Test func `the version counts changes, growth among them`() throws {
        var store = try Self.store(skuCount: 1)
        let reader = store.reader
        #expect(reader.consistent(0) { _ in } == 0)
        let row = try store.place(0, at: 1)
        let grown = try #require(reader.consistent(0) { _ in })
        #expect(grown > 0)
        for change in 1...10 as ClosedRange<UInt64> {
            store.beginChange(0)
            store.setFree(Int32(change), at: row)
            store.endChange(0)
            #expect(reader.consistent(0) { _ in } == grown + change)
        }
    }

    @Test(arguments: [1, 2, 3, 7, 8, 9, 31, 100])
    func `a sum adds what is positive and finds the largest`(count: Int) throws {
        let seed = testSeed()
        var random = Seeded(seed)
        var store = try Self.store(skuCount: 1)
        var values: [Int32] = []
        for location in 0..<count {
            let row = try store.place(0, at: UInt16(location))
            values.append(random.below(10) == 0 ? .max : Int32(truncatingIfNeeded: random.next()))
            store.setFree(values[location], at: row)
        }
        let sum = store.reader.sum(store.reader.extent(0))
        #expect(sum.available == values.reduce(0) { $0 + Int64(max(0, $1)) }, "seed \(seed)")
        #expect(sum.maxSingle == values.reduce(0, max), "seed \(seed)")
    }

    static func store(skuCount: Int) throws -> PositionStore {
        var store = try PositionStore(
            skuCountMax: skuCount, positionCountMax: 1 << 18, quietPoints: QuietPoints())
        for sku in 0..<skuCount {
            _ = try store.addSKU(numberedName("S", sku), KeyedHash(seed: 1))
        }
        return store
    }
}

@Suite struct RunReaderConcurrencyTests {
    static let skuCount = 40
    static let locationCount = 60

    /// The units of a SKU: spread over its positions anew by every change, lost by none.
    static func units(_ sku: Int) -> Int64 { Int64(10_000 + sku) }

    /// What a reader copied of one run.
    private struct Copy {
        var sum: Int64 = 0
        var total: Int64 = 0
        var largest: Int32 = 0
        var single: Int32 = 0
        var count = 0
        var isAscending = true
        var isPrefix = false
        var lastLocation = -1
        var isFound = true
    }

    @Test func `every consistent read is of one state while runs change and move`() throws {
        let seed = testSeed()
        var random = Seeded(seed)
        var store = try RunReaderTests.store(skuCount: Self.skuCount)
        for sku in 0..<Self.skuCount {
            let row = try store.place(UInt32(sku), at: UInt16(sku))
            store.setFree(Int32(Self.units(sku)), at: row)
        }
        let reader = store.reader
        let board = Board()
        let crew = Crew(2) { index in
            var random = Seeded(seed &+ UInt64(index) &+ 1)
            while !board.isStopped {
                let sku = random.below(Self.skuCount)
                if let finding = Self.read(reader, sku, random.below(Self.locationCount), board) {
                    board.note("seed \(seed), SKU \(sku): \(finding)")
                }
            }
        }
        let start = ContinuousClock.now
        var changes = 0
        while !board.isStopped, elapsedMilliseconds(since: start) < 20_000 {
            if changes >= 15_000, board.count >= 10_000 { break }
            let sku = UInt32(random.below(Self.skuCount))
            // Growth all along: an eighth of all changes.
            if changes % 8 == 0 {
                let location = UInt16(random.below(Self.locationCount))
                if store.row(of: sku, at: location) == nil {
                    _ = try store.place(sku, at: location)
                }
            }
            Self.spread(&store, sku, &random)
            changes += 1
        }
        board.stop()
        crew.join()
        #expect(board.finding == nil)
        #expect(board.count >= 10_000 && changes >= 15_000, "seed \(seed): too few to tell")
        #expect(store.positionCount > Self.skuCount * 10, "seed \(seed)")
    }

    /// One change of every row of the SKU that keeps its units.
    private static func spread(
        _ store: inout PositionStore, _ sku: UInt32, _ random: inout Seeded
    ) {
        let rows = store.reader.extent(sku).rows
        var rest = Int(units(Int(sku)))
        store.beginChange(sku)
        for row in rows {
            let value = row == rows.upperBound - 1 ? rest : random.below(rest + 1)
            store.setFree(Int32(value), at: row)
            rest -= value
        }
        store.endChange(sku)
    }

    /// Reads a SKU in every way there is.
    ///
    /// - Returns: What was wrong with a read that was said to be consistent.
    private static func read(
        _ reader: RunReader, _ sku: Int, _ location: Int, _ board: Board
    ) -> String? {
        var copy = Copy()
        let version = reader.consistent(UInt32(sku)) { extent in
            copy = Copy()
            copy.count = extent.count
            copy.isPrefix = extent.isPrefix
            let sum = reader.sum(extent)
            copy.sum = sum.available
            copy.largest = sum.maxSingle
            for row in extent.rows {
                let value = reader.free(at: row)
                copy.total += Int64(value)
                copy.single = max(copy.single, value)
                let found = Int(reader.location(at: row))
                if found <= copy.lastLocation { copy.isAscending = false }
                copy.lastLocation = found
            }
            if let row = reader.row(of: UInt16(location), in: extent) {
                copy.isFound = Int(reader.location(at: row)) == location
            }
        }
        guard version != nil else { return nil }
        board.add()
        if copy.sum != units(sku) || copy.total != units(sku) { return "units: \(copy)" }
        if copy.largest != copy.single { return "largest: \(copy)" }
        if !copy.isAscending || !copy.isFound { return "locations: \(copy)" }
        if copy.isPrefix != (copy.lastLocation == copy.count - 1) { return "prefix: \(copy)" }
        return nil
    }
}
