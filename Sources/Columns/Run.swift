// A run: the positions of one SKU, side by side in the columns.
//
//     run words   version (low bit set: the owner is inside) | start row 32, flags 16, count 16
//     columns     free: Int32   location: UInt16             | rows ascending by location id
//
// The version is a seqlock: the owner makes it odd, changes what readers see, and makes it even.
// A reader copies what it needs and checks that the version is the same even number before and
// after; half the version is the SKU's change count.

internal import Platform
public import Synchronization

/// Where a run lies: one word, so that it is read in one piece.
@usableFromInline
package struct RunExtent: BitwiseCopyable, Sendable {
    @usableFromInline package let word: UInt64

    /// Positions that a run can have: one less than there are location ids, because the count has
    /// 16 bits and may be none.
    package static let countMax = Int(UInt16.max)

    /// The locations are exactly the ids `0 ..< count`, so a location id is the slot in the run.
    @usableFromInline static let isPrefixFlag: UInt64 = 1 << 16

    @inlinable @inline(always)
    package init(word: UInt64) { self.word = word }

    init(start: Int, count: Int, isPrefix: Bool) {
        word = UInt64(start) << 32 | (isPrefix ? Self.isPrefixFlag : 0) | UInt64(count)
    }

    @inlinable @inline(always)
    package var start: Int { Int(truncatingIfNeeded: word &>> 32) }

    /// Positions in the run.
    @inlinable @inline(always)
    package var count: Int { Int(truncatingIfNeeded: word & 0xFFFF) }

    @inlinable @inline(always)
    package var isPrefix: Bool { word & Self.isPrefixFlag != 0 }

    package var rows: Range<Int> { start..<start + count }
}

/// A position found before: reading it needs no look-up of names, and while its shard gains no
/// position not even one of its run.
///
/// Positions are never removed, so rows move only when positions are added. Where the shard has
/// gained some, the count that the run had says whether it was this run, and the row still holds.
@usableFromInline
package struct PositionReference: BitwiseCopyable, Sendable {
    @usableFromInline package var row: UInt32
    /// The shard's `layout` before the row was found.
    @usableFromInline package var layout: UInt32
    /// The SKU's id in its shard.
    @usableFromInline package var sku: UInt32
    @usableFromInline package var shard: UInt16
    @usableFromInline package var location: UInt16
    /// Positions that the run had when the row was found.
    @usableFromInline package var count: UInt16

    @inlinable
    package init(
        row: UInt32, layout: UInt32, sku: UInt32, shard: UInt16, location: UInt16, count: UInt16
    ) {
        self.row = row
        self.layout = layout
        self.sku = sku
        self.shard = shard
        self.location = location
        self.count = count
    }
}

/// Where a position was found, and the version that its run had then: what is read there counts
/// while the run still has it.
@usableFromInline
package struct RunRow: BitwiseCopyable, Sendable {
    /// Low bit set: the owner was inside.
    @usableFromInline let version: UInt64
    @usableFromInline let number: UInt32
    /// The run has not all locations: its row is to be searched for.
    @usableFromInline package let isSparse: Bool

    /// The run has no such position.
    @inlinable static var none: UInt32 { .max }

    @inlinable @inline(always)
    init(version: UInt64, number: UInt32, isSparse: Bool) {
        self.version = version
        self.number = number
        self.isSparse = isSparse
    }

    /// A row not looked for yet.
    @inlinable @inline(always)
    package init() { self.init(version: 1, number: Self.none, isSparse: false) }

    /// The row; any where there is none, good enough to ask for its cache line.
    @inlinable @inline(always)
    package var index: Int { Int(number) }

    /// The SKU's change count.
    @inlinable @inline(always)
    package var changeCount: UInt64 { version &>> 1 }
}

/// A SKU found before: reading it needs no look-up of its name.
@usableFromInline
package struct SKUReference: BitwiseCopyable, Hashable, Sendable {
    /// The SKU's id in its shard.
    @usableFromInline package var sku: UInt32
    @usableFromInline package var shard: UInt16

    @inlinable
    package init(sku: UInt32, shard: UInt16) {
        self.sku = sku
        self.shard = shard
    }
}

/// What a read of one SKU found, as one consistent state.
@usableFromInline
package struct RunTotal: BitwiseCopyable, Sendable {
    /// Sum of what may be promised over the positions asked for.
    @usableFromInline package var available: Int64
    /// The largest of them.
    @usableFromInline package var maxSingle: Int32
    /// The SKU's change count.
    @usableFromInline package var version: UInt64

    @inlinable
    package init(available: Int64, maxSingle: Int32, version: UInt64) {
        self.available = available
        self.maxSingle = maxSingle
        self.version = version
    }
}

/// The columns of one shard as any thread may read them.
@usableFromInline
package struct RunReader: Sendable {
    @usableFromInline package let names: NameDictionaryView
    @usableFromInline let runs: ColumnView<UInt64>
    @usableFromInline let free: ColumnView<Int32>
    @usableFromInline let locations: ColumnView<UInt16>
    @usableFromInline let additions: AdditionCountView

    @usableFromInline
    init(
        names: NameDictionaryView, runs: ColumnView<UInt64>, free: ColumnView<Int32>,
        locations: ColumnView<UInt16>, additions: AdditionCountView
    ) {
        self.names = names
        self.runs = runs
        self.free = free
        self.locations = locations
        self.additions = additions
    }

    /// How often a read is tried before it is handed to the owner, who cannot be in its own way.
    @usableFromInline package static let attemptCountMax = 64

    @inlinable @inline(always)
    package func prefetchRun(_ sku: UInt32) { runs.prefetch(Int(sku) &* 2) }

    @inlinable @inline(always)
    package func prefetchFree(_ row: Int) { free.prefetch(row) }

    @inlinable @inline(always)
    package func prefetchLocation(_ row: Int) { locations.prefetch(row) }

    /// Where the run lies now; may be out of date at once, unless the version is checked.
    @inlinable @inline(always)
    package func extent(_ sku: UInt32) -> RunExtent {
        RunExtent(word: runs[unchecked: Int(sku) &* 2 &+ 1])
    }

    /// Where the run lay when its locations were in order: whoever sees this count of positions
    /// sees them where they are.
    ///
    /// Acquire: pairs with the release in `PositionStore.addPosition`.
    @inlinable @inline(always)
    package func settledExtent(_ sku: UInt32) -> RunExtent {
        RunExtent(word: runs.acquire(Int(sku) &* 2 &+ 1))
    }

    /// Runs `body` until the SKU did not change meanwhile; `body` may see torn states and must not
    /// act on what it reads before this returns.
    ///
    /// - Returns: The change count, or nil when the SKU changed `attemptCountMax` times.
    @inlinable @inline(always)
    package func consistent(_ sku: UInt32, _ body: (RunExtent) -> Void) -> UInt64? {
        for _ in 0..<Self.attemptCountMax {
            if let version = consistentAtOnce(sku, body) { return version }
        }
        return nil
    }

    /// The same, tried once.
    @inlinable @inline(always)
    package func consistentAtOnce(_ sku: UInt32, _ body: (RunExtent) -> Void) -> UInt64? {
        let row = Int(sku) &* 2
        // Acquire: pairs with the release in `PositionStore.endChange`.
        let before = runs.acquire(row)
        guard before & 1 == 0 else { return nil }
        body(extent(sku))
        // Keeps the loads above ahead of the check; pairs with `beginChange`'s fence.
        atomicMemoryFence(ordering: .acquiring)
        return runs[unchecked: row] == before ? before &>> 1 : nil
    }

    /// Where `location` is in a run that has all locations up to its last; of another run the row is
    /// still to be searched for, and reads as changed.
    @inlinable @inline(always)
    package func rowInPrefix(of location: UInt16, _ sku: UInt32) -> RunRow {
        // Acquire: pairs with the release in `PositionStore.endChange`.
        let version = runs.acquire(Int(sku) &* 2)
        let extent = extent(sku)
        let row = extent.start &+ Int(location)
        return RunRow(
            version: extent.isPrefix ? version : version | 1,
            number: Int(location) < extent.count
                ? UInt32(truncatingIfNeeded: row) : RunRow.none,
            isSparse: !extent.isPrefix)
    }

    /// Where `location` is in a run.
    @inlinable @inline(always)
    package func row(of location: UInt16, _ sku: UInt32) -> RunRow {
        // Acquire: pairs with the release in `PositionStore.endChange`.
        let version = runs.acquire(Int(sku) &* 2)
        let row = row(of: location, in: extent(sku))
        return RunRow(
            version: version, number: row.map { UInt32(truncatingIfNeeded: $0) } ?? RunRow.none,
            isSparse: true)
    }

    /// Free units at a row found before; 0 where the run has no such position.
    ///
    /// - Returns: nil when the SKU has changed since, or is just changing.
    @inlinable @inline(always)
    package func free(at row: RunRow, of sku: UInt32) -> Int32? {
        let value = row.number == RunRow.none ? 0 : free(at: row.index)
        // Keeps the load above ahead of the check; pairs with `beginChange`'s fence.
        atomicMemoryFence(ordering: .acquiring)
        guard row.version & 1 == 0, runs[unchecked: Int(sku) &* 2] == row.version else {
            return nil
        }
        return value
    }

    /// Counts the positions added to the shard: rows stay where they are while it is the same.
    @inlinable @inline(always)
    package var layout: UInt32 { additions.value }

    /// Free units of a position found before, while its shard has gained no position since.
    ///
    /// One cache line, and no look at the run's version: the value is written in one piece, and a
    /// change gives it one new value (a command has one leg or count of sellable units at a
    /// position: `EventDraft` refuses the others), so it is that from before the change or after.
    ///
    /// - Returns: nil when rows may have moved.
    @inlinable @inline(always)
    package func freeWhileInPlace(_ reference: PositionReference) -> Int32? {
        let value = free(at: Int(reference.row))
        // Keeps the load above ahead of the check; pairs with the fence in `AdditionCount.increase`.
        atomicMemoryFence(ordering: .acquiring)
        return additions.value == reference.layout ? value : nil
    }

    /// The row of `location` in a run, or nil.
    ///
    /// - Complexity: O(1) where the run has all locations up to its last, else O(log count).
    @inlinable @inline(always)
    package func row(of location: UInt16, in extent: RunExtent) -> Int? {
        let slot = Int(location)
        if extent.isPrefix { return slot < extent.count ? extent.start &+ slot : nil }
        return locations.search(location, extent)
    }

    /// Free units at a row; negative where claims exceed stock.
    @inlinable @inline(always)
    package func free(at row: Int) -> Int32 { free[unchecked: row] }

    @inlinable @inline(always)
    package func location(at row: Int) -> UInt16 { locations[unchecked: row] }

    /// Sum and maximum of max(0, free) over a run, open or not.
    package func sum(_ extent: RunExtent) -> (available: Int64, maxSingle: Int32) {
        sum(rows: extent.start, extent.count)
    }

    /// Sum and maximum of max(0, free) over rows.
    ///
    /// The loads are plain and become vectors: relaxed atomics stay scalar, at half the speed. A
    /// value that the owner writes at the same time is torn by no processor that Swift runs on
    /// (aligned 32-bit lanes), and a mixture of old and new values is thrown away, because the
    /// caller checks the run's version. Builds for ThreadSanitizer (`RACE_CHECKED`) use relaxed
    /// atomics.
    package func sum(rows start: Int, _ count: Int) -> (available: Int64, maxSingle: Int32) {
        #if RACE_CHECKED
            var total: Int64 = 0
            var largest: Int32 = 0
            for row in start..<start + count {
                let value = max(0, free[unchecked: row])
                total &+= Int64(value)
                largest = max(largest, value)
            }
            return (total, largest)
        #else
            let (total, largest) = unsafe clippedSum(free.base + start, count)
            return (total, largest)
        #endif
    }
}

extension ColumnView<UInt16> {
    /// The row of `location` in a run whose rows are ascending, or nil.
    ///
    /// Halves the run until few rows are left, without a branch on what it finds: which half it is
    /// cannot be foretold. Looks at the few all at once.
    ///
    /// What is read may change meanwhile, as in `sum(rows:_:)`: while rows are shifted a location
    /// stands twice, and what was found is any place. So the answer is a row of the run whatever
    /// was read, and the run's version tells whether it counts.
    @usableFromInline
    func search(_ location: UInt16, _ extent: RunExtent) -> Int? {
        var count = extent.count
        var first = extent.start
        while count > placeCountMax {
            let half = count &>> 1
            first = self[unchecked: first &+ half] <= location ? first &+ half : first
            count &-= half
        }
        #if !RACE_CHECKED
            if count >= placeCountMin {
                return unsafe place(of: location, in: base + first, count).map { first &+ $0 }
            }
        #endif
        for row in first..<first &+ count where self[unchecked: row] == location {
            return row
        }
        return nil
    }
}
