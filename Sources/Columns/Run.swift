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

/// A position found before: reading it needs no look-up of names.
///
/// Positions are never removed, so a run's rows move only when it gains one: the count it had then
/// says whether the slot still holds.
@usableFromInline
package struct PositionReference: BitwiseCopyable, Sendable {
    /// The SKU's id in its shard.
    @usableFromInline package var sku: UInt32
    @usableFromInline package var shard: UInt16
    @usableFromInline package var location: UInt16
    @usableFromInline package var slot: UInt16
    /// Positions that the run had when the slot was found.
    @usableFromInline package var count: UInt16

    @inlinable
    package init(sku: UInt32, shard: UInt16, location: UInt16, slot: UInt16, count: UInt16) {
        self.sku = sku
        self.shard = shard
        self.location = location
        self.slot = slot
        self.count = count
    }
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

    @usableFromInline
    init(
        names: NameDictionaryView, runs: ColumnView<UInt64>, free: ColumnView<Int32>,
        locations: ColumnView<UInt16>
    ) {
        self.names = names
        self.runs = runs
        self.free = free
        self.locations = locations
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
        let row = Int(sku) &* 2
        for _ in 0..<Self.attemptCountMax {
            // Acquire: pairs with the release in `PositionStore.endChange`.
            let before = runs.acquire(row)
            if before & 1 == 0 {
                body(extent(sku))
                // Keeps the loads above ahead of the check; pairs with `beginChange`'s fence.
                atomicMemoryFence(ordering: .acquiring)
                if runs[unchecked: row] == before { return before &>> 1 }
            }
        }
        return nil
    }

    /// Free units of a position found before, tried once.
    ///
    /// - Returns: nil when the SKU is just changing, or has gained positions since.
    @inlinable @inline(always)
    package func freeAtOnce(_ reference: PositionReference) -> Int32? {
        let row = Int(reference.sku) &* 2
        // Acquire: pairs with the release in `PositionStore.endChange`.
        let version = runs.acquire(row)
        let extent = extent(reference.sku)
        guard version & 1 == 0, extent.count == Int(reference.count) else { return nil }
        let value = free(at: extent.start &+ Int(reference.slot))
        // Keeps the loads above ahead of the check; pairs with `beginChange`'s fence.
        atomicMemoryFence(ordering: .acquiring)
        return runs[unchecked: row] == version ? value : nil
    }

    /// The row of `location` in a run, or nil.
    ///
    /// - Complexity: O(1) where the run has all locations up to its last, else O(log count).
    @inlinable @inline(always)
    package func row(of location: UInt16, in extent: RunExtent) -> Int? {
        let slot = Int(location)
        if extent.isPrefix { return slot < extent.count ? extent.start &+ slot : nil }
        return search(location, extent)
    }

    /// Halves the run until few rows are left, without a branch on what it finds: which half it is
    /// cannot be foretold. Looks at the few all at once.
    ///
    /// What is read may change meanwhile, as in `sum(rows:_:)`: while rows are shifted a location
    /// stands twice, and what was found is any place. So the answer is a row of the run whatever
    /// was read, and the run's version tells whether it counts.
    @usableFromInline
    func search(_ location: UInt16, _ extent: RunExtent) -> Int? {
        // Ascending and distinct, so it is not behind the row that its own number counts to.
        var count = min(extent.count, Int(location) &+ 1)
        var first = extent.start
        while count > Self.fewRows {
            let half = count &>> 1
            first = locations[unchecked: first &+ half] <= location ? first &+ half : first
            count &-= half
        }
        #if !RACE_CHECKED
            if count >= 8 {
                return unsafe place(of: location, in: locations.base + first, count)
                    .flatMap { $0 < count ? first &+ $0 : nil }
            }
        #endif
        for row in first..<first &+ count where locations[unchecked: row] == location {
            return row
        }
        return nil
    }

    private static let fewRows = 64

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
