// Where in a ring the entry of a hash is: an index of four bytes a slot, filled to 13 of 15.
//
//     bucket  15 slots, and how many entries that belong here are elsewhere, in eight counts by the
//             first bits of what slots keep of the hash: one cache line
//     slot    rest of the hash | is elsewhere (1 bit) | place + 1       0 is an empty slot
//     home    the bucket that the upper half of the hash names
//     other   what home and the rest of the hash name together, the same from both sides, so that an
//             entry can be moved without a look at the ring (cuckoo hashing by partial keys; Fan,
//             Andersen, Kaminsky, Mitzenmacher: Cuckoo Filter, CoNEXT 2014)
//
// An entry lies at home while there is room; a search looks elsewhere only where some of home's
// entries are. Growing moves a few entries with each change: the old table stays in use beside the new
// one until all are moved.

public import Platform

/// An index from 64-bit hashes to places. One owner; nobody else may look.
@safe @usableFromInline
package struct PlaceIndex: ~Copyable {
    /// Slots of a bucket, and how many of them are in use on the average at the most.
    @inlinable static var slotCount: Int { 15 }
    @inlinable static var filledCount: Int { 13 }

    @usableFromInline var table: BucketTable
    /// What the table grew out of, while not all is moved.
    @usableFromInline var former: BucketTable
    /// Slots that found no room, in practice none; first those of the former table.
    @usableFromInline var overflow: [UInt32] = []
    private var formerOverflowCount = 0

    private let bucketCountMax: Int
    @usableFromInline let placeMask: UInt32

    /// Entries held.
    @usableFromInline package internal(set) var count = 0

    /// - Parameter placeCount: Places are below this, and entries are not more; at most 2²⁸.
    package init(placeCount: Int) throws(SystemError) {
        precondition(placeCount > 0 && placeCount <= Self.placeCountMax)
        bucketCountMax = Self.bucketCount(for: placeCount)
        placeMask = .max >> UInt32(UInt32(placeCount).leadingZeroBitCount)
        let table = try BucketTable(bucketCount: min(8, bucketCountMax))
        let former = try BucketTable(bucketCount: 0)
        self.table = table
        self.former = former
    }

    package static let placeCountMax = 1 << 28

    private static func bucketCount(for entryCount: Int) -> Int {
        (entryCount + filledCount - 1) / filledCount
    }

    /// Entries that found no room in the table. For tests.
    package var overflowCount: Int { overflow.count }

    /// Bytes of memory taken.
    package var byteCount: Int { table.byteCount + former.byteCount }

    /// Whether there is no room for `additional` more entries before the table grows.
    @inlinable
    package func isFull(for additional: Int) -> Bool {
        count &+ additional > table.bucketCount &* Self.filledCount
    }

    /// Makes room for `additional` more entries.
    ///
    /// - Returns: Whether the table grew: the entries of all places in use are to be given to `move`,
    ///   some with every change, and `endMove` is to be called behind them.
    /// - Precondition: Nothing is to be moved still.
    /// - Throws: When there is no memory to grow; nothing has changed then.
    package mutating func prepare(entries additional: Int) throws(SystemError) -> Bool {
        if !isFull(for: additional) { return false }
        let needed = Self.bucketCount(for: count + additional)
        precondition(former.bucketCount == 0)
        var grown = try BucketTable(
            bucketCount: min(bucketCountMax, max(needed, table.bucketCount * 2)))
        swap(&table, &grown)
        former = grown
        formerOverflowCount = overflow.count
        return true
    }

    /// Enters an entry of the former table into the new one.
    package mutating func move(_ hash: UInt64, _ place: Int) { enter(hash, place) }

    /// All entries were moved.
    package mutating func endMove() {
        // Of no bytes, so it cannot fail.
        if let none = try? BucketTable(bucketCount: 0) { former = none }
        overflow.removeFirst(formerOverflowCount)
        formerOverflowCount = 0
    }

    // MARK: - Looking

    /// Asks for the cache line of the hash's home.
    @inlinable @inline(always)
    package func prefetch(_ hash: UInt64) { table.prefetch(table.home(hash)) }

    /// A place that may be the hash's; nil: it is mostly not there. Good enough to ask for cache lines
    /// by; asks for the hash's other bucket where that will be looked at.
    @inlinable @inline(always)
    package func guess(_ hash: UInt64) -> Int? {
        let home = table.home(hash)
        let rest = rest(hash)
        let found = table.matches(home, rest, under: ~placeMask)
        if found != 0 { return place(table.slot(home, found)) }
        if table.hasElsewhere(home, rest) || table.isFull(home) {
            table.prefetch(table.other(home, rest))
        }
        return nil
    }

    /// Asks for the hash's other bucket where its entry may be there. The line of its home should have come.
    @inlinable @inline(always)
    package func prefetchElsewhere(_ hash: UInt64) {
        let home = table.home(hash)
        let rest = rest(hash)
        if table.hasElsewhere(home, rest) { table.prefetch(table.other(home, rest)) }
    }

    /// The place with the hash that `matches` accepts.
    @inlinable @inline(always)
    package func find(_ hash: UInt64, where matches: (Int) -> Bool) -> Int? {
        if let place = find(hash, in: table, matches) { return place }
        if former.bucketCount != 0, let place = find(hash, in: former, matches) { return place }
        if overflow.isEmpty { return nil }
        let rest = rest(hash)
        for slot in overflow where slot & ~placeMask == rest {
            if matches(place(slot)) { return place(slot) }
        }
        return nil
    }

    @inlinable @inline(always)
    func find(
        _ hash: UInt64, in table: borrowing BucketTable, _ matches: (Int) -> Bool
    ) -> Int? {
        let rest = rest(hash)
        let home = table.home(hash)
        var found = table.matches(home, rest, under: ~placeMask)
        while found != 0 {
            let place = place(table.slot(home, found))
            if matches(place) { return place }
            found &= found &- 1
        }
        if !table.hasElsewhere(home, rest) { return nil }
        let other = table.other(home, rest)
        found = table.matches(other, rest | elsewhere, under: ~placeMask)
        while found != 0 {
            let place = place(table.slot(other, found))
            if matches(place) { return place }
            found &= found &- 1
        }
        return nil
    }

    // MARK: - Changing

    /// Adds an entry, for which `prepare` made room.
    @inlinable @inline(always)
    package mutating func insert(_ hash: UInt64, _ place: Int) {
        enter(hash, place)
        count &+= 1
    }

    /// Removes the entry of a place.
    ///
    /// - Parameter isMoved: It is in the new table, where there is a former one.
    @inlinable @inline(always)
    package mutating func remove(_ hash: UInt64, _ place: Int, isMoved: Bool = true) {
        count &-= 1
        if !isMoved { return }  // It ends with the former table.
        let slot = rest(hash) | UInt32(truncatingIfNeeded: place &+ 1)
        let home = table.home(hash)
        let found = table.slots(home, holding: slot)
        if found != 0 { return table.clear(home, found) }
        removeElsewhere(slot, home)
    }

    @usableFromInline @inline(never)
    mutating func removeElsewhere(_ slot: UInt32, _ home: Int) {
        let other = table.other(home, slot & ~(placeMask | elsewhere))
        let found = table.slots(other, holding: slot | elsewhere)
        if found != 0 {
            table.clear(other, found)
            table.addElsewhere(home, slot, -1)
            return
        }
        guard let index = overflow[formerOverflowCount...].firstIndex(of: slot) else {
            fatalError("an entry is not in its index")
        }
        overflow.remove(at: index)
    }

    @inlinable @inline(always)
    mutating func enter(_ hash: UInt64, _ place: Int) {
        let slot = rest(hash) | UInt32(truncatingIfNeeded: place &+ 1)
        let home = table.home(hash)
        if !table.put(slot, home) { enterElsewhere(slot, home) }
    }

    /// Enters a slot whose home is full.
    @usableFromInline @inline(never)
    mutating func enterElsewhere(_ slot: UInt32, _ home: Int) {
        var slot = slot
        var bucket = home
        // The slot in hand does not fit into `bucket`: it goes to its other one, and where that is full
        // too, in the place of an entry there.
        for step in 0..<Self.stepCountMax {
            let isAtHome = slot & elsewhere == 0
            let other = table.other(bucket, slot & ~(placeMask | elsewhere))
            // Either it leaves its home now or comes back to it.
            if isAtHome {
                table.addElsewhere(bucket, slot, 1)
            } else {
                table.addElsewhere(other, slot, -1)
            }
            slot ^= elsewhere
            if table.put(slot, other) { return }
            slot = table.exchange(slot, other, step % Self.slotCount)
            bucket = other
        }
        if slot & elsewhere != 0 {
            table.addElsewhere(table.other(bucket, slot & ~(placeMask | elsewhere)), slot, -1)
        }
        overflow.append(slot & ~elsewhere)
    }

    private static var stepCountMax: Int { 500 }

    // MARK: - The parts of a slot

    /// The bit that says that an entry is not in its home.
    @inlinable @inline(always)
    var elsewhere: UInt32 { placeMask &+ 1 }

    @inlinable @inline(always)
    func rest(_ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash) & ~(placeMask | elsewhere)
    }

    @inlinable @inline(always)
    func place(_ slot: UInt32) -> Int {
        Int(truncatingIfNeeded: slot & placeMask) &- 1
    }
}

/// The buckets of an index.
///
/// - Invariant: `slots` points at 16 words for each bucket, in `memory`; nowhere where there is none.
@safe @usableFromInline
struct BucketTable: ~Copyable {
    private let memory: PageMemory?
    @usableFromInline let slots: UnsafeMutablePointer<UInt32>
    @usableFromInline let bucketCount: Int

    /// Bytes of memory taken.
    let byteCount: Int

    init(bucketCount: Int) throws(SystemError) {
        precondition(bucketCount < 1 << 31)
        self.bucketCount = bucketCount
        guard bucketCount > 0 else {
            memory = nil
            byteCount = 0
            unsafe slots = UnsafeMutablePointer(bitPattern: 64).unsafelyUnwrapped
            return
        }
        // What is looked at in random order lies in huge pages early.
        let huge = PageMemory.hugePageByteCount
        let needed = bucketCount * 64
        let byteCount = needed < huge / 2 ? needed : max(needed, huge)
        var memory = try PageMemory(reserving: byteCount, hugePagesFrom: huge)
        try memory.commit(byteCount)
        self.byteCount = byteCount
        unsafe slots = memory.base.assumingMemoryBound(to: UInt32.self)
        self.memory = consume memory
    }

    @inlinable @inline(always)
    func home(_ hash: UInt64) -> Int {
        part(of: UInt32(truncatingIfNeeded: hash &>> 32))
    }

    /// A bucket: all of them as often, over all words.
    @inlinable @inline(always)
    func part(of word: UInt32) -> Int {
        let product = UInt64(word) &* UInt64(truncatingIfNeeded: bucketCount)
        return Int(truncatingIfNeeded: product &>> 32)
    }

    /// The other bucket of an entry of which one is `bucket`.
    @inlinable @inline(always)
    func other(_ bucket: Int, _ rest: UInt32) -> Int {
        // Odd, 2³² divided by the golden ratio: all bits of the product's upper half depend on `rest`.
        let sum = part(of: rest &* 0x9E37_79B1)
        return sum >= bucket ? sum &- bucket : sum &- bucket &+ bucketCount
    }

    @inlinable @inline(always)
    func line(_ bucket: Int) -> UnsafeMutablePointer<UInt32> {
        precondition(isIndex(bucket, below: bucketCount))
        return unsafe slots + bucket &* 16
    }

    @inlinable @inline(always)
    func prefetch(_ bucket: Int) { unsafe prefetchForWriting(line(bucket)) }

    /// The slots of a bucket that are in use and equal `wanted` in the bits of `mask`: bit i for slot i.
    @inlinable @inline(always)
    func matches(_ bucket: Int, _ wanted: UInt32, under mask: UInt32) -> UInt32 {
        let line = unsafe line(bucket)
        let found = unsafe Platform.matches(of: wanted, under: mask, in: line) & 0x7FFF
        return found == 0 ? 0 : unsafe found & ~Platform.matches(of: 0, under: .max, in: line)
    }

    /// The slots of a bucket that hold an entry: bit i for slot i.
    @inlinable @inline(always)
    func slots(_ bucket: Int, holding slot: UInt32) -> UInt32 {
        // An entry's slot is never that of an empty one.
        unsafe Platform.matches(of: slot, under: .max, in: line(bucket)) & 0x7FFF
    }

    /// The first slot of those that `found` names.
    @inlinable @inline(always)
    func slot(_ bucket: Int, _ found: UInt32) -> UInt32 {
        unsafe line(bucket)[found.trailingZeroBitCount & 15]
    }

    /// Whether entries whose slots begin with the same bits and that belong to `bucket` are elsewhere.
    @inlinable @inline(always)
    func hasElsewhere(_ bucket: Int, _ slot: UInt32) -> Bool {
        unsafe line(bucket)[15] &>> Self.countShift(slot) & 15 != 0
    }

    @inlinable @inline(always)
    static func countShift(_ slot: UInt32) -> UInt32 { (slot &>> 29) &* 4 }

    /// Counts entries that are elsewhere, up to 14; where there were more, it says so for good.
    mutating func addElsewhere(_ bucket: Int, _ slot: UInt32, _ change: Int32) {
        let line = unsafe line(bucket)
        let shift = Self.countShift(slot)
        if unsafe line[15] &>> shift & 15 == 15 { return }
        unsafe line[15] = line[15] &+ (UInt32(bitPattern: change) &<< shift)
    }

    @inlinable @inline(always)
    mutating func clear(_ bucket: Int, _ found: UInt32) {
        unsafe line(bucket)[found.trailingZeroBitCount & 15] = 0
    }

    @inlinable @inline(always)
    func isFull(_ bucket: Int) -> Bool {
        unsafe Platform.matches(of: 0, under: .max, in: line(bucket)) & 0x7FFF == 0
    }

    /// - Returns: Whether there was an empty slot.
    @inlinable @inline(always)
    mutating func put(_ slot: UInt32, _ bucket: Int) -> Bool {
        let line = unsafe line(bucket)
        let empty = unsafe Platform.matches(of: 0, under: .max, in: line) & 0x7FFF
        if empty == 0 { return false }
        unsafe line[empty.trailingZeroBitCount & 15] = slot
        return true
    }

    mutating func exchange(_ slot: UInt32, _ bucket: Int, _ index: Int) -> UInt32 {
        let line = unsafe line(bucket)
        defer { unsafe line[index & 15] = slot }
        return unsafe line[index & 15]
    }
}
