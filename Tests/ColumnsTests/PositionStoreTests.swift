import Bytes
import Platform
import Testing

@testable import Columns

@Suite struct PositionStoreTests {
    let seed = testSeed()

    @Test(arguments: [(3, 300), (40, 60), (400, 12)])
    func `random histories agree with a dictionary`(skuCountMax: Int, locationCount: Int) throws {
        var random = Seeded(seed)
        let hasher = KeyedHash(seed: seed &+ 1)
        var store = try PositionStore(
            skuCountMax: skuCountMax, positionCountMax: 1 << 20, quietPoints: QuietPoints())
        var model = StoreModel()
        for step in 0..<5_000 {
            let touched = try model.step(
                &store, &random, hasher, skuCountMax: skuCountMax, locationCount: locationCount)
            if step % 8 == 0, let finding = model.check(store, sku: touched) {
                Issue.record("seed \(seed), step \(step): \(finding)")
                return
            }
            if step % 1_000 == 999, let finding = model.check(store) {
                Issue.record("seed \(seed), step \(step): \(finding)")
                return
            }
        }
        let view = store.names.view
        for sku in model.units.indices {
            #expect(view.id(numberedName("S", sku), hasher) == UInt32(sku), "seed \(seed)")
        }
    }

    @Test func `a SKU without positions has an empty run`() throws {
        var store = try smallStore()
        let sku = try store.addSKU([65], KeyedHash(seed: seed))
        let extent = store.reader.extent(sku)
        #expect(extent.count == 0 && extent.rows.isEmpty)
        let row = store.row(of: sku, at: 0)
        #expect(row == nil)
        let sum = store.reader.sum(extent)
        #expect(sum == (0, 0))
        #expect(store.skuCount == 1 && store.positionCount == 0 && store.rowCount == 0)
    }

    @Test func `what was expected is added without a move`() throws {
        var store = try smallStore()
        let sku = try store.addSKU([65], KeyedHash(seed: seed))
        _ = try store.place(sku, at: 5)
        _ = try store.place(sku, at: 6, expecting: 31)
        let before = store.reader.extent(sku)
        #expect(before.count == 2)
        let rowCount = store.rowCount
        for location in 10..<40 as Range<UInt16> { _ = try store.place(sku, at: location) }
        let after = store.reader.extent(sku)
        #expect(after.start == before.start && after.count == 32)
        #expect(store.rowCount == rowCount)
    }

    @Test func `a run is a prefix exactly when its locations are the first ones`() throws {
        // Every order in which four of the locations 0 to 4 can come: small, so all of them.
        for orders in 0..<5 * 5 * 5 * 5 {
            let order = [orders % 5, orders / 5 % 5, orders / 25 % 5, orders / 125]
            guard Set(order).count == 4 else { continue }
            var store = try smallStore()
            let sku = try store.addSKU([65], KeyedHash(seed: seed))
            var present: Set<Int> = []
            for location in order {
                _ = try store.place(sku, at: UInt16(location))
                present.insert(location)
                let extent = store.reader.extent(sku)
                let isPrefix = present == Set(0..<present.count)
                #expect(extent.isPrefix == isPrefix, "\(order), \(location)")
                for other in 0..<5 {
                    let row = store.row(of: sku, at: UInt16(other))
                    #expect((row != nil) == present.contains(other), "\(order), \(location)")
                }
            }
        }
    }

    @Test func `the last location id there is has its place`() throws {
        var store = try smallStore()
        let sku = try store.addSKU([65], KeyedHash(seed: seed))
        let last = try store.place(sku, at: .max)
        let first = try store.place(sku, at: 0)
        #expect(store.reader.extent(sku).start == first)
        let found = (store.row(of: sku, at: .max), store.row(of: sku, at: 0))
        #expect(found == (first + 1, first))
        let absent = store.row(of: sku, at: .max - 1)
        #expect(absent == nil)
        #expect(last >= 0)
    }

    @Test func `a freeze holds every column as it was`() throws {
        var store = try smallStore()
        let hasher = KeyedHash(seed: seed)
        let sku = try store.addSKU([65], hasher)
        let row = try store.place(sku, at: 3)
        store.beginChange(sku)
        store.setFree(7, at: row)
        store.endChange(sku)
        store.rows.update(row) { $0.sellable = 9 }
        let word = store.reader.extent(sku).word
        let frozen = store.freeze()
        _ = try store.addSKU([66], hasher)
        _ = try store.place(sku, at: 1)
        for row in 0..<store.rowCount {
            store.setFree(-1, at: row)
            store.rows.update(row) { $0.sellable = -1 }
        }
        store.attributes.update(0) { $0.category = 5 }
        #expect(frozen.skuCount == 1)
        #expect(frozen.runs.withPage(0) { $0[1] } == word)
        #expect(frozen.attributes.withPage(0) { $0[0].category } == 0)
        #expect(frozen.free.withPage(0) { $0[row] } == 7)
        #expect(frozen.locations.withPage(0) { $0[row] } == 3)
        #expect(frozen.rows.withPage(0) { $0[row].sellable } == 9)
        store.thaw()
        #expect(store.freeze().skuCount == 2)
    }

    @Test func `a full run refuses one more position and stays whole`() throws {
        var store = try PositionStore(
            skuCountMax: 2, positionCountMax: 1_000_000, quietPoints: QuietPoints())
        let hasher = KeyedHash(seed: seed)
        let full = try store.addSKU([65], hasher)
        // The location ids go to 65,535, a run's count too: one id has no place.
        for location in 1...UInt16.max {
            let row = try store.place(full, at: location)
            store.setFree(1, at: row)
        }
        let before = store.reader.extent(full)
        #expect(before.count == 65_535 && !before.isPrefix)
        for _ in 0..<2 {
            #expect(isRefused(adding: 0, to: full, &store))
            let after = store.reader.extent(full)
            #expect(after.word == before.word)
            let sum = store.reader.sum(after)
            #expect(sum == (65_535, 1))
            let places = (store.row(of: full, at: 1), store.row(of: full, at: .max))
            #expect(places == (before.start, before.start + 65_534))
            #expect(store.positionCount == 65_535)
        }
        // Another SKU has room still.
        let other = try store.addSKU([66], hasher)
        #expect(!isRefused(adding: 0, to: other, &store))
    }

    @Test(arguments: [(65_535, false), (65_536, true), (.max - 1, true)])
    func `no more is prepared than a run can have`(count: Int, isTooMuch: Bool) throws {
        var store = try PositionStore(
            skuCountMax: 1, positionCountMax: 100_000, quietPoints: QuietPoints())
        let sku = try store.addSKU([65], KeyedHash(seed: seed))
        var isRefused = false
        do throws(SystemError) { try store.prepare(positions: count, for: sku) } catch {
            isRefused = true
        }
        #expect(isRefused == isTooMuch)
        #expect(store.rowCount == 0)
    }

    @Test func `a second position at one location is a bug of the caller`() async {
        await #expect(processExitsWith: .failure) {
            var store = try PositionStore(
                skuCountMax: 1, positionCountMax: 100, quietPoints: QuietPoints())
            let sku = try store.addSKU([65], KeyedHash(seed: 1))
            for location in [1, 3, 2, 3] as [UInt16] {
                _ = try store.place(sku, at: location)
            }
        }
    }

    @Test func `a change inside a change is a bug of the caller`() async {
        await #expect(processExitsWith: .failure) {
            var store = try PositionStore(
                skuCountMax: 1, positionCountMax: 100, quietPoints: QuietPoints())
            let sku = try store.addSKU([65], KeyedHash(seed: 1))
            store.beginChange(sku)
            store.beginChange(sku)
        }
    }

    @Test func `more rows or names than their numbers can say are a bug of the caller`() async {
        await #expect(processExitsWith: .failure) {
            _ = try PositionStore(
                skuCountMax: 1, positionCountMax: 1 << 32, quietPoints: QuietPoints())
        }
        await #expect(processExitsWith: .failure) {
            _ = try NameDictionary(nameCountMax: 1 << 30 + 1, quietPoints: QuietPoints())
        }
    }

    private func isRefused(
        adding location: UInt16, to sku: UInt32, _ store: inout PositionStore
    ) -> Bool {
        do throws(SystemError) { _ = try store.place(sku, at: location) } catch {
            return true
        }
        return false
    }

    private func smallStore() throws -> PositionStore {
        try PositionStore(skuCountMax: 4, positionCountMax: 1_000, quietPoints: QuietPoints())
    }
}

/// The naive twin of a store: units by location, for each SKU.
private struct StoreModel {
    var units: [[UInt16: Int32]] = []

    /// One random command, on both.
    ///
    /// - Returns: The SKU that it touched.
    mutating func step(
        _ store: inout PositionStore, _ random: inout Seeded, _ hasher: KeyedHash,
        skuCountMax: Int, locationCount: Int
    ) throws -> Int {
        let choice = random.below(100)
        if units.isEmpty || (choice < 5 && units.count < skuCountMax) {
            let id = try store.addSKU(numberedName("S", units.count), hasher)
            guard id == UInt32(units.count) else { throw Finding(text: "SKU id \(id)") }
            units.append([:])
            return units.count - 1
        }
        let sku = random.below(units.count)
        if choice < 10 {
            try store.prepare(positions: random.below(20), for: UInt32(sku))
            return sku
        }
        let location = UInt16(random.below(locationCount))
        let row: Int
        if units[sku][location] == nil {
            row = try store.place(
                UInt32(sku), at: location, expecting: 1 + random.below(20))
            units[sku][location] = 0
        } else {
            guard let found = store.row(of: UInt32(sku), at: location) else {
                throw Finding(text: "SKU \(sku) has no row at \(location)")
            }
            row = found
        }
        let value = Int32(random.below(2_000)) - 500
        store.beginChange(UInt32(sku))
        store.setFree(value, at: row)
        store.endChange(UInt32(sku))
        // The owner's part of a position has to move with it.
        store.rows.update(row) {
            $0.sellable = value &+ 1
            $0.newestAt = Int64(location)
        }
        units[sku][location] = value
        return sku
    }

    /// What is wrong with one SKU, if anything.
    func check(_ store: borrowing PositionStore, sku: Int) -> String? {
        let reader = store.reader
        let extent = reader.extent(UInt32(sku))
        let expected = units[sku].sorted { $0.key < $1.key }
        guard extent.count == expected.count else { return "SKU \(sku): count \(extent.count)" }
        let isPrefix =
            !expected.isEmpty && expected.enumerated().allSatisfy { $0 == Int($1.key) }
        if extent.isPrefix != isPrefix { return "SKU \(sku): isPrefix \(extent.isPrefix)" }
        for (slot, position) in expected.enumerated() {
            let row = extent.start + slot
            if reader.location(at: row) != position.key { return "SKU \(sku): slot \(slot)" }
            if store.row(of: UInt32(sku), at: position.key) != row {
                return "SKU \(sku): row of \(position.key)"
            }
            if reader.free(at: row) != position.value { return "SKU \(sku): free at \(slot)" }
            let own = store.rows[row]
            let isOwn = own.sellable == position.value &+ 1 && own.newestAt == Int64(position.key)
            if !isOwn { return "SKU \(sku): PositionRow at \(slot)" }
        }
        for location in 0..<320 as Range<UInt16> where units[sku][location] == nil {
            if store.row(of: UInt32(sku), at: location) != nil {
                return "SKU \(sku) is not at \(location)"
            }
        }
        let sum = reader.sum(extent)
        let positive = expected.map { Int64(max(0, $0.value)) }
        let isSum = sum.available == positive.reduce(0, +)
        let isLargest = Int64(sum.maxSingle) == positive.max() ?? 0
        if !isSum || !isLargest { return "SKU \(sku): sum \(sum)" }
        return nil
    }

    /// What is wrong anywhere: in a SKU, in overlaps, in rows of nobody that hold something.
    func check(_ store: borrowing PositionStore) -> String? {
        for sku in units.indices {
            if let finding = check(store, sku: sku) { return finding }
        }
        var owner = [Int?](repeating: nil, count: store.rowCount)
        for sku in units.indices {
            for row in store.reader.extent(UInt32(sku)).rows {
                if let other = owner[row] { return "row \(row) has SKUs \(other) and \(sku)" }
                owner[row] = sku
            }
        }
        for row in owner.indices where owner[row] == nil && store.reader.free(at: row) != 0 {
            return "row \(row) is free and holds \(store.reader.free(at: row))"
        }
        if store.skuCount != units.count { return "skuCount \(store.skuCount)" }
        let positions = units.reduce(0) { $0 + $1.count }
        return store.positionCount == positions ? nil : "positionCount \(store.positionCount)"
    }
}

private struct Finding: Error {
    let text: String
}
