// One column: plain values in one reserved range of addresses, grown in place.
//
// The owner reads and writes plainly. Columns that other threads read while the owner writes are
// read and written by relaxed atomics (the `shared` accessors), under the run's version; on x86-64
// and arm64 these are ordinary loads and stores. Pages of 64 KiB can be frozen: see FrozenPages.

public import Platform
public import Synchronization

/// A growable run of plain values with one writer, at one address for life.
///
/// - Invariant: `base` points at `rowCount` written elements; what is behind them, as far as it is
///   committed, reads as zero until it is first written.
@safe @usableFromInline
package struct Column<Element: BitwiseCopyable>: ~Copyable {
    /// The unit of freezing, in bytes.
    @inlinable package static var pageByteCount: Int { 64 << 10 }

    @usableFromInline var memory: PageMemory
    @usableFromInline let base: UnsafeMutablePointer<Element>

    /// Rows in use.
    @usableFromInline var count = 0

    /// Rows that fit in what is committed.
    @usableFromInline var committedCount = 0

    /// Rows that fit in what is reserved.
    package let rowCountMax: Int

    /// The freeze that is under way, if any: each page is copied aside before its first write.
    private var frozen: FrozenPages<Element>?

    /// Its page words and its rows, so that a write looks at a word and at no object.
    @usableFromInline var frozenWords: UnsafeMutablePointer<Atomic<UInt>>?
    @usableFromInline var frozenRowCount = 0

    /// Reserves addresses for `rowCountMax` rows; takes no memory.
    ///
    /// - Parameter threshold: Bytes from which the column lies in huge pages; what is read at random
    ///   by many is worth having them early.
    /// - Precondition: An element's stride divides the page size.
    package init(
        rowCountMax: Int, hugePagesFrom threshold: Int = PageMemory.hugePageThreshold
    ) throws(SystemError) {
        precondition(Self.pageByteCount % MemoryLayout<Element>.stride == 0)
        memory = try PageMemory(
            reserving: rowCountMax * MemoryLayout<Element>.stride, hugePagesFrom: threshold)
        unsafe base = memory.base.bindMemory(to: Element.self, capacity: rowCountMax)
        self.rowCountMax = rowCountMax
    }

    @inlinable package var rowCount: Int { count }

    /// Makes room for `additional` more rows.
    ///
    /// - Throws: When there is no memory to be had; nothing has changed then.
    @inlinable
    package mutating func prepare(rows additional: Int) throws(SystemError) {
        if count &+ additional > committedCount { try commit(count + additional) }
    }

    /// Counts in `additional` rows that read as zero, for which `prepare` made room.
    @inlinable
    package mutating func appendPrepared(rows additional: Int) {
        precondition(count &+ additional <= committedCount)
        count &+= additional
    }

    /// Makes room for and counts in `additional` rows that read as zero.
    ///
    /// - Returns: The first of them.
    @inlinable
    package mutating func append(rows additional: Int) throws(SystemError) -> Int {
        try prepare(rows: additional)
        let first = count
        appendPrepared(rows: additional)
        return first
    }

    @usableFromInline
    mutating func commit(_ rows: Int) throws(SystemError) {
        guard rows <= rowCountMax else { throw SystemError("grow a column", code: 12) }
        try memory.commit(rows * MemoryLayout<Element>.stride)
        committedCount = min(rowCountMax, memory.committedByteCount / MemoryLayout<Element>.stride)
    }

    @inlinable
    package subscript(row: Int) -> Element {
        @inline(always)
        get {
            precondition(isIndex(row, below: count))
            return unsafe base[row]
        }
        @inline(always)
        set {
            precondition(isIndex(row, below: count))
            willWrite(row)
            unsafe base[row] = newValue
        }
    }

    /// Changes one row in place.
    @inlinable @inline(always)
    package mutating func update(_ row: Int, _ change: (inout Element) -> Void) {
        precondition(isIndex(row, below: count))
        willWrite(row)
        unsafe change(&base[row])
    }

    /// Asks for the cache line of `row`, for writing.
    @inlinable @inline(always)
    package func prefetch(_ row: Int) { unsafe prefetchForWriting(base + row) }

    @inlinable @inline(always)
    mutating func willWrite(_ row: Int) {
        guard let words = unsafe frozenWords, row < frozenRowCount else { return }
        // Acquire: as in `FrozenPages.willWrite`.
        let word = unsafe words[row / FrozenPages<Element>.rowsPerPage].load(ordering: .acquiring)
        if word == 0 { setAside(row) }
    }

    @usableFromInline @inline(never)
    func setAside(_ row: Int) { frozen?.willWrite(row) }

    /// Bytes of memory given to the column so far (whether touched or not).
    package var committedByteCount: Int { memory.committedByteCount }

    /// Freezes the column as it is now, without copying; at most one freeze at a time.
    ///
    /// Any thread may read the frozen pages while the owner goes on writing.
    package mutating func freeze() -> FrozenPages<Element> {
        precondition(frozen == nil, "a column is frozen once at a time")
        let pages = unsafe FrozenPages(base: base, rowCount: count)
        frozen = pages
        unsafe frozenWords = pages.pageWords
        frozenRowCount = pages.rowCount
        return pages
    }

    /// Ends the freeze: later writes copy nothing.
    package mutating func thaw() {
        frozen = nil
        unsafe frozenWords = nil
    }

    /// What readers on other threads hold.
    package var view: ColumnView<Element> { unsafe ColumnView(base: base) }
}

extension Column where Element: SharedValue {
    /// One row, as other threads may read it at the same time.
    @inlinable
    package subscript(shared row: Int) -> Element {
        @inline(always)
        get {
            precondition(isIndex(row, below: count))
            return unsafe Element.loadRelaxed(base + row)
        }
        @inline(always)
        set {
            precondition(isIndex(row, below: count))
            willWrite(row)
            unsafe Element.storeRelaxed(newValue, base + row)
        }
    }

    /// Writes one row so that a reader who sees it sees all that was written before.
    ///
    /// Release: pairs with the acquiring load of `ColumnView.acquire`.
    @inlinable @inline(always)
    package mutating func release(_ value: Element, at row: Int) {
        precondition(isIndex(row, below: count))
        willWrite(row)
        unsafe Element.storeReleasing(value, base + row)
    }
}

/// Whether `index` is one of `0 ..< count`, with one comparison.
@inlinable @inline(always)
package func isIndex(_ index: Int, below count: Int) -> Bool {
    UInt(bitPattern: index) < UInt(bitPattern: count)
}

/// A column as threads other than its owner see it: a base address that never changes.
///
/// Rows come from what the owner published (a run, a dictionary slot), so they are always within
/// the committed part. A copy may outlive no store; the engine keeps stores for its whole life.
@safe @usableFromInline
package struct ColumnView<Element: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let base: UnsafeMutablePointer<Element>

    @usableFromInline
    init(base: UnsafeMutablePointer<Element>) { unsafe self.base = unsafe base }

    @inlinable @inline(always)
    package func prefetch(_ row: Int) { unsafe Platform.prefetch(base + row) }
}

extension ColumnView where Element: SharedValue {
    @inlinable @inline(always)
    package subscript(unchecked row: Int) -> Element {
        unsafe Element.loadRelaxed(base + row)
    }

    /// Acquire: pairs with `Column.release`.
    @inlinable @inline(always)
    package func acquire(_ row: Int) -> Element {
        unsafe Element.loadAcquiring(base + row)
    }
}
