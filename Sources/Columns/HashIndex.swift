// The index under every dictionary: 32-bit tags to 32-bit values, open addressing.
//
//     slot   = tag << 32 | value + 1          0 is an empty slot
//     home   = the tag's top bits             so growing needs no look at the keys
//     probe  = the next slots, wrapping       at most half of the slots are in use
//
// One owner writes. Any thread may look up at the same time: a slot is published by a release
// store after what its value names was written, and a grown table by a release store of its
// address; the old table lives until all readers have passed a quiet point. The address is that of
// a page, so the base-2 logarithm of the capacity travels in its low bits: one load finds both.

public import Platform
public import Synchronization

/// An index from tags to values; several values may have one tag.
@safe @usableFromInline
package struct HashIndex: ~Copyable {
    // Address of the live table and the logarithm of its capacity, read by other threads.
    @usableFromInline let published: UnsafeMutablePointer<Atomic<UInt>>
    @usableFromInline var table: HashTable
    private var retired = Retired<HashTable>()
    private let quietPoints: QuietPoints

    /// Values held.
    @usableFromInline package internal(set) var count = 0

    /// - Parameter capacity: Values that fit before the first growth.
    package init(capacity: Int = 32, quietPoints: QuietPoints) throws(SystemError) {
        var log2 = 6
        while (1 << log2) < capacity * 2 { log2 += 1 }
        table = try HashTable(log2: log2)
        self.quietPoints = quietPoints
        unsafe published = .allocate(capacity: 1)
        unsafe published.initialize(to: Atomic(table.word))
    }

    deinit { unsafe published.deallocate() }

    /// What readers on other threads hold, and the owner too.
    @inlinable
    package var view: HashIndexView { unsafe HashIndexView(published: published) }

    /// Bytes of memory taken.
    package var byteCount: Int { table.byteCount }

    /// Makes room for `additional` more values.
    ///
    /// - Throws: When there is no memory to grow; nothing has changed then.
    @inlinable
    package mutating func prepare(values additional: Int = 1) throws(SystemError) {
        if (count + additional) * 2 > table.capacity { try grow(for: additional) }
    }

    /// Adds `value` under `tag`, making room first.
    package mutating func insert(tag: UInt32, value: UInt32) throws(SystemError) {
        try prepare()
        insertPrepared(tag: tag, value: value)
    }

    /// Adds `value` under `tag`, for which `prepare` made room. What `value` names must have been
    /// written before.
    @inlinable @inline(always)
    package mutating func insertPrepared(tag: UInt32, value: UInt32) {
        precondition(value != .max && (count + 1) * 2 <= table.capacity)
        table.insert(UInt64(tag) << 32 | UInt64(value + 1))
        count += 1
    }

    @usableFromInline @inline(never)
    mutating func grow(for additional: Int) throws(SystemError) {
        var log2 = table.log2 + 1
        while (1 << log2) < (count + additional) * 2 { log2 += 1 }
        guard log2 <= HashTable.log2Max else { throw SystemError("grow an index", code: 12) }
        var grown = try HashTable(log2: log2)
        table.copy(into: &grown)
        // Release: a reader that sees the address sees the slots. Pairs with `HashIndexView.find`.
        unsafe published.pointee.store(grown.word, ordering: .releasing)
        swap(&table, &grown)
        retired.reclaim(quietPoints)
        retired.retire(grown, quietPoints)
    }
}

/// A hash index as any thread may read it.
@safe @usableFromInline
package struct HashIndexView: @unchecked Sendable {
    @usableFromInline let published: UnsafeMutablePointer<Atomic<UInt>>

    @usableFromInline
    init(published: UnsafeMutablePointer<Atomic<UInt>>) { unsafe self.published = unsafe published }

    @inlinable @inline(always)
    func slots() -> (UnsafeMutablePointer<Atomic<UInt64>>, shift: UInt32, mask: Int) {
        let word = unsafe published.pointee.load(ordering: .acquiring)
        let log2 = Int(truncatingIfNeeded: word & HashTable.log2Mask)
        let slots = unsafe UnsafeMutablePointer<Atomic<UInt64>>(
            bitPattern: word & ~HashTable.log2Mask
        ).unsafelyUnwrapped
        return unsafe (slots, UInt32(truncatingIfNeeded: 32 &- log2), (1 &<< log2) &- 1)
    }

    /// Asks for the cache line of the tag's home, where nearly all probes end.
    @inlinable @inline(always)
    package func prefetch(tag: UInt32) {
        let (slots, shift, _) = unsafe slots()
        unsafe Platform.prefetch(slots + Int(tag &>> shift))
    }

    /// The first value under `tag`, or `max` where there is none.
    @inlinable @inline(always)
    package func first(tag: UInt32) -> UInt32 {
        let (slots, shift, _) = unsafe slots()
        // Acquire: pairs with the release in `HashTable.insert`.
        let slot = unsafe slots[Int(tag &>> shift)].load(ordering: .acquiring)
        // An empty slot looks like the value `max` under tag 0.
        if UInt32(truncatingIfNeeded: slot &>> 32) == tag {
            return UInt32(truncatingIfNeeded: slot) &- 1
        }
        return slot == 0 ? .max : firstBehindHome(tag: tag)
    }

    @usableFromInline @inline(never)
    func firstBehindHome(tag: UInt32) -> UInt32 { find(tag: tag) { _ in true } ?? .max }

    /// The first value under `tag` that `matches` accepts.
    ///
    /// - Complexity: O(1) expected: at most half of the slots are in use.
    @inlinable @inline(always)
    package func find(tag: UInt32, where matches: (UInt32) -> Bool) -> UInt32? {
        let (slots, shift, mask) = unsafe slots()
        var home = Int(tag &>> shift)
        while true {
            // Acquire: pairs with the release in `HashTable.insert`.
            let slot = unsafe slots[home].load(ordering: .acquiring)
            if slot == 0 { return nil }
            if UInt32(truncatingIfNeeded: slot &>> 32) == tag {
                let value = UInt32(truncatingIfNeeded: slot) &- 1
                if matches(value) { return value }
            }
            home = (home &+ 1) & mask
        }
    }

    /// The longest probe for any slot in use. For tests and metrics.
    ///
    /// - Complexity: O(capacity).
    package func longestProbe() -> Int {
        let (slots, shift, mask) = unsafe slots()
        var longest = 0
        for index in 0...mask {
            let slot = unsafe slots[index].load(ordering: .relaxed)
            if slot == 0 { continue }
            let home = Int(UInt32(truncatingIfNeeded: slot >> 32) >> shift)
            longest = max(longest, ((index - home) & mask) + 1)
        }
        return longest
    }
}

/// The slots of an index.
@safe @usableFromInline
struct HashTable: ~Copyable {
    /// Where the logarithm is in a published word.
    @inlinable static var log2Mask: UInt { 63 }

    let memory: PageMemory
    @usableFromInline let log2: Int
    @usableFromInline let slots: UnsafeMutablePointer<Atomic<UInt64>>

    @inlinable var capacity: Int { 1 &<< log2 }
    var word: UInt { unsafe UInt(bitPattern: memory.base) | UInt(log2) }
    var byteCount: Int { capacity * 8 }

    /// Home slots are told by the bits of a 32-bit tag.
    static var log2Max: Int { 31 }

    init(log2: Int) throws(SystemError) {
        precondition(log2 <= Self.log2Max)
        let byteCount = 8 << log2
        var memory = try PageMemory(reserving: byteCount)
        try memory.commit(byteCount)
        unsafe slots = memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
        self.memory = memory
        self.log2 = log2
    }

    @inlinable @inline(always)
    func home(_ tag: UInt32) -> Int {
        Int(tag &>> UInt32(truncatingIfNeeded: 32 &- log2))
    }

    @inlinable @inline(always)
    func home(_ slot: UInt64) -> Int { home(UInt32(truncatingIfNeeded: slot &>> 32)) }

    @inlinable @inline(always)
    func insert(_ slot: UInt64) {
        let mask = capacity &- 1
        var index = home(slot)
        while unsafe slots[index].load(ordering: .relaxed) != 0 { index = (index &+ 1) & mask }
        unsafe slots[index].store(slot, ordering: .releasing)
    }

    func copy(into grown: inout HashTable) {
        for index in 0..<capacity {
            let slot = unsafe slots[index].load(ordering: .relaxed)
            if slot != 0 { grown.insert(slot) }
        }
    }
}
