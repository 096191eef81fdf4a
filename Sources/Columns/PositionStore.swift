// The columns of one shard: every position of its SKUs.
//
//     per SKU        name · run words (shared) · attributes (owner)
//     per position   free (shared) · location (shared) · PositionRow (owner)
//
// Bytes per position: 4 + 2 + 32, plus the spare rows of extents, plus about 60 per SKU.

internal import Bytes
package import Platform
public import Synchronization

/// What only the owner needs of a position: half a cache line, so that an event touches one line
/// here and one in `free`.
///
///     times   newest movement 45 bits, movement list (high) 19
///     counts  last count of sellable 45 bits, movement list (low) 13, flags 2, 4 unused
///
/// A time is in milliseconds since 1900 plus one, so that 0 says "never"; 45 bits reach past 2999.
@usableFromInline
package struct PositionRow: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var sellable: Int32 = 0
    @usableFromInline package var held: Int32 = 0
    @usableFromInline package var allocated: Int32 = 0
    @usableFromInline package var safetyStock: Int32 = 0
    @usableFromInline var times: UInt64 = 0
    @usableFromInline var counts: UInt64 = 0

    @usableFromInline static let timeOrigin: Int64 = -2_208_988_800_000
    @usableFromInline static let timeShift: UInt64 = 19
    @usableFromInline static let lowMask: UInt64 = 1 << 19 - 1

    @inlinable @inline(always)
    package init() {}

    /// The newest effective time of any movement; nil when nothing moved yet.
    @inlinable @inline(always)
    package var newestAt: Int64? {
        get { Self.decode(times) }
        set { times = Self.encode(newValue) | times & Self.lowMask }
    }

    /// As of when sellable units were last counted.
    @inlinable @inline(always)
    package var sellableCountedAt: Int64? {
        get { Self.decode(counts) }
        set { counts = Self.encode(newValue) | counts & Self.lowMask }
    }

    @inlinable @inline(always)
    static func decode(_ word: UInt64) -> Int64? {
        let time = word &>> timeShift
        return time == 0 ? nil : Int64(time) &- 1 &+ timeOrigin
    }

    @inlinable @inline(always)
    static func encode(_ time: Int64?) -> UInt64 {
        guard let time else { return 0 }
        let encoded = time &- timeOrigin &+ 1
        precondition(encoded > 0 && encoded < 1 << 45)
        return UInt64(truncatingIfNeeded: encoded) &<< timeShift
    }

    /// The newest node of the movement list plus one; 0 is an empty list.
    @inlinable @inline(always)
    package var movements: UInt32 {
        get {
            UInt32(truncatingIfNeeded: (times & Self.lowMask) &<< 13 | counts &>> 6 & 0x1FFF)
        }
        set {
            times = times & ~Self.lowMask | UInt64(newValue) &>> 13
            counts = counts & ~(0x1FFF &<< 6) | (UInt64(newValue) & 0x1FFF) &<< 6
        }
    }

    /// Returned, damaged or blocked units, or counts of them, are in the side table.
    @inlinable @inline(always)
    package var hasOtherConditions: Bool {
        get { counts & 1 != 0 }
        set { counts = counts & ~1 | (newValue ? 1 : 0) }
    }

    /// All conditions were counted when sellable was: the side table has no times for them.
    @inlinable @inline(always)
    package var wasCountedWhole: Bool {
        get { counts & 2 != 0 }
        set { counts = counts & ~2 | (newValue ? 2 : 0) }
    }
}

/// What only the owner needs of a SKU.
@usableFromInline
package struct SKUAttributes: BitwiseCopyable, Sendable {
    /// Category id plus one; 0 is none.
    @usableFromInline package var category: UInt16
    @usableFromInline package var flags: UInt16
    /// Rows in the run's extent.
    @usableFromInline package var capacity: UInt16
    @usableFromInline package var reserved: UInt16

    /// A rule names this SKU.
    @usableFromInline package static let hasRulesFlag: UInt16 = 1
}

/// The positions of one shard. One owner writes; any thread reads through `reader`.
@usableFromInline
package struct PositionStore: ~Copyable {
    package var names: NameDictionary
    @usableFromInline var runs: Column<UInt64>
    @usableFromInline package var attributes: Column<SKUAttributes>
    @usableFromInline var free: Column<Int32>
    @usableFromInline var locations: Column<UInt16>
    @usableFromInline package var rows: Column<PositionRow>
    private var allocator = RowAllocator()

    /// What readers hold, and what the owner looks up with.
    @usableFromInline package let reader: RunReader

    /// Positions that exist.
    @usableFromInline package internal(set) var positionCount = 0

    private let additions: AdditionCount

    /// Counts the positions added: a row found stays where it is while this does not change.
    @inlinable @inline(always)
    package var layout: UInt32 { reader.layout }

    /// Reserves addresses for a shard of at most `skuCountMax` SKUs and `positionCountMax` rows.
    package init(
        skuCountMax: Int = 1 << 28, positionCountMax: Int = 1 << 31, quietPoints: QuietPoints
    ) throws(SystemError) {
        // Rows are numbered with 32 bits, and so is where the last extent ends.
        precondition(positionCountMax <= Int(UInt32.max))
        let names = try NameDictionary(nameCountMax: skuCountMax, quietPoints: quietPoints)
        let runs = try Column<UInt64>(rowCountMax: skuCountMax * 2)
        let attributes = try Column<SKUAttributes>(rowCountMax: skuCountMax)
        let free = try Column<Int32>(
            rowCountMax: positionCountMax, hugePagesFrom: PageMemory.hugePageByteCount)
        let locations = try Column<UInt16>(rowCountMax: positionCountMax)
        let rows = try Column<PositionRow>(rowCountMax: positionCountMax)
        let additions = AdditionCount()
        reader = RunReader(
            names: names.view, runs: runs.view, free: free.view, locations: locations.view,
            additions: additions.view)
        self.additions = additions
        self.names = names
        self.runs = runs
        self.attributes = attributes
        self.free = free
        self.locations = locations
        self.rows = rows
    }

    package var skuCount: Int { attributes.rowCount }

    /// Rows in use or between runs; a scan of `free` covers `0 ..< rowCount`.
    package var rowCount: Int { free.rowCount }

    /// Bytes of memory given to the shard's columns and dictionary.
    package var byteCount: Int {
        names.byteCount + runs.committedByteCount + attributes.committedByteCount
            + free.committedByteCount + locations.committedByteCount + rows.committedByteCount
    }

    /// Positions that the SKU's run can take where it lies.
    package func spareRows(_ sku: UInt32) -> Int {
        Int(attributes[Int(sku)].capacity) - reader.extent(sku).count
    }

    /// Makes room for a new SKU without positions.
    ///
    /// - Throws: When there is no memory to be had; nothing has changed then.
    package mutating func prepareForSKU() throws(SystemError) {
        try names.prepare()
        try runs.prepare(rows: 2)
        try attributes.prepare(rows: 1)
    }

    /// Makes room for `additional` more positions of a SKU (nil: of one that is still to be added).
    ///
    /// - Throws: When there is no memory to be had; nothing has changed then.
    package mutating func prepare(
        positions additional: Int, for sku: UInt32?
    ) throws(SystemError) {
        let count = sku.map { reader.extent($0).count } ?? 0
        guard additional <= RunExtent.countMax - count else {
            throw SystemError("add to a full run", code: 12)
        }
        let capacity = sku.map { Int(attributes[Int($0)].capacity) } ?? 0
        if count + additional > capacity {
            try prepare(rows: RowAllocator.capacity(for: count + additional, growing: capacity))
        }
    }

    mutating func prepare(rows additional: Int) throws(SystemError) {
        try rows.prepare(rows: additional)
        try locations.prepare(rows: additional)
        try free.prepare(rows: additional)
    }

    /// Adds a SKU without positions, as `prepareForSKU` made sure that it can be.
    package mutating func addSKU(_ name: Span<UInt8>, _ key: NameKey) -> UInt32 {
        // Run and attributes first: the name publishes the id, and then a reader may come.
        runs.appendPrepared(rows: 2)
        attributes.appendPrepared(rows: 1)
        return names.add(name, key)
    }

    @inlinable @inline(always)
    package func row(of sku: UInt32, at location: UInt16) -> Int? {
        reader.row(of: location, in: reader.extent(sku))
    }

    @inlinable @inline(always)
    package func prefetch(_ row: Int) {
        rows.prefetch(row)
        free.prefetch(row)
    }

    // MARK: - Changes, inside a version

    /// Makes the SKU's version odd: readers wait until `endChange`.
    ///
    /// - Precondition: No change of this SKU is open: a second one would make the version even, and
    ///   readers would take what is half changed.
    @inlinable @inline(always)
    package mutating func beginChange(_ sku: UInt32) {
        let row = Int(sku) &* 2
        let version = runs[shared: row]
        precondition(version & 1 == 0)
        runs[shared: row] = version &+ 1
        // Keeps the changes that follow behind the odd version; pairs with the reader's fence.
        atomicMemoryFence(ordering: .releasing)
    }

    @inlinable @inline(always)
    package mutating func endChange(_ sku: UInt32) {
        let row = Int(sku) &* 2
        let version = runs[shared: row]
        precondition(version & 1 == 1)
        runs.release(version &+ 1, at: row)
    }

    /// Writes what readers see of a position. Call it between `beginChange` and `endChange`.
    @inlinable @inline(always)
    package mutating func setFree(_ value: Int32, at row: Int) { free[shared: row] = value }

    // MARK: - Growth

    /// Adds a position with no stock to the SKU's run, for which `prepare` made room.
    ///
    /// - Parameter expected: Positions that are about to be added, this one included: the run is
    ///   given room for all of them at once.
    /// - Precondition: The SKU is not at `location` yet; its version is odd (`beginChange`).
    /// - Returns: Its row; other rows of the run may have moved.
    package mutating func addPosition(
        _ sku: UInt32, at location: UInt16, expecting expected: Int = 1
    ) -> Int {
        precondition(row(of: sku, at: location) == nil)
        additions.increase()
        if reader.extent(sku).count == Int(attributes[Int(sku)].capacity) {
            move(sku, toFit: reader.extent(sku).count + expected)
        }
        let extent = reader.extent(sku)
        var row = extent.start + extent.count
        while row > extent.start, locations[shared: row - 1] > location {
            copyRow(from: row - 1, to: row)
            row -= 1
        }
        clear(row)
        locations[shared: row] = location
        let last = Int(locations[shared: extent.start + extent.count])
        // Release: who sees the new count sees the rows where they are now. Pairs with
        // `RunReader.settledExtent`.
        runs.release(
            RunExtent(
                start: extent.start, count: extent.count + 1, isPrefix: last == extent.count
            ).word, at: Int(sku) * 2 + 1)
        positionCount += 1
        return row
    }

    private mutating func move(_ sku: UInt32, toFit count: Int) {
        let capacity = Int(attributes[Int(sku)].capacity)
        let extent = reader.extent(sku)
        // One more grows by a quarter; a known number gets what it needs.
        let growing = count == extent.count + 1 ? capacity : 0
        let target = min(
            RunExtent.countMax, RowAllocator.capacity(for: count, growing: growing))
        let start: Int
        if let reused = allocator.take(target) {
            start = Int(reused)
        } else {
            start = rows.rowCount
            rows.appendPrepared(rows: target)
            locations.appendPrepared(rows: target)
            free.appendPrepared(rows: target)
        }
        for slot in 0..<extent.count { copyRow(from: extent.start + slot, to: start + slot) }
        for slot in extent.count..<target { clear(start + slot) }
        runs[shared: Int(sku) * 2 + 1] =
            RunExtent(start: start, count: extent.count, isPrefix: extent.isPrefix).word
        attributes.update(Int(sku)) { $0.capacity = UInt16(target) }
        if capacity > 0 {
            // Readers who still look at the old rows find the version odd, or changed, afterwards.
            for slot in 0..<capacity { free[shared: extent.start + slot] = 0 }
            allocator.give(UInt32(extent.start), capacity)
        }
    }

    private mutating func copyRow(from source: Int, to target: Int) {
        rows[target] = rows[source]
        locations[shared: target] = locations[shared: source]
        free[shared: target] = free[shared: source]
    }

    private mutating func clear(_ row: Int) {
        rows[row] = PositionRow()
        free[shared: row] = 0
    }

    // MARK: - Freezing

    /// The shard's positions as they are now, readable from another thread; nothing is copied.
    package mutating func freeze() -> FrozenPositions {
        FrozenPositions(
            skuCount: skuCount, runs: runs.freeze(), attributes: attributes.freeze(),
            free: free.freeze(), locations: locations.freeze(), rows: rows.freeze())
    }

    package mutating func thaw() {
        runs.thaw()
        attributes.thaw()
        free.thaw()
        locations.thaw()
        rows.thaw()
    }
}

/// A shard's columns, frozen at one moment.
package struct FrozenPositions: Sendable {
    package let skuCount: Int
    package let runs: FrozenPages<UInt64>
    package let attributes: FrozenPages<SKUAttributes>
    package let free: FrozenPages<Int32>
    package let locations: FrozenPages<UInt16>
    package let rows: FrozenPages<PositionRow>
}
