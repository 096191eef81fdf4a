// Which rows of a shard's columns are taken by which run.
//
// A run is one extent of rows. When a SKU comes to one more location than its extent holds, it
// moves to a larger one; the old rows are joined with free neighbours and used again. Extents grow
// by a quarter, to even sizes (seven rows more at the most), so that a SKU that gains n locations
// one at a time moves O(log n) times and a long run wastes a fifth at the most. Not on the hot
// path: positions are created rarely.

/// Free extents of rows, and where the used part ends.
struct RowAllocator {
    private var lengthByStart: [UInt32: UInt32] = [:]
    private var startByEnd: [UInt32: UInt32] = [:]
    /// Free extents by the base-2 logarithm of their length.
    private var bins = [Bin](repeating: Bin(), count: 32)

    /// Extents of about one length. An entry is stale when its extent was joined with another since.
    private struct Bin {
        var starts: [UInt32] = []
        /// Where the last search ended; the next one goes on downwards from there.
        var cursor = 0

        /// The next entry, round and round.
        mutating func advance() -> UInt32? {
            if starts.isEmpty { return nil }
            cursor = (cursor == 0 ? starts.count : min(cursor, starts.count)) - 1
            return starts[cursor]
        }

        /// Drops the entry that `advance` gave.
        mutating func drop() {
            starts.swapAt(cursor, starts.count - 1)
            starts.removeLast()
        }
    }

    /// Rows in free extents.
    private(set) var freeRowCount = 0

    /// How many rows an extent for `count` positions gets when it has `capacity` now.
    static func capacity(for count: Int, growing capacity: Int) -> Int {
        let wanted = max(count, capacity + capacity / 4)
        if wanted <= 2 { return wanted }
        if wanted <= 64 { return (wanted + 3) & ~3 }
        return (wanted + 7) & ~7
    }

    /// Takes `length` rows out of a free extent, if there is one long enough among those it looks at.
    ///
    /// - Complexity: O(1), besides dropping stale entries, each once.
    mutating func take(_ length: Int) -> UInt32? {
        let exact = Self.bin(length)
        for bin in exact..<bins.count {
            // The bin of this length holds some that are long enough: a few are looked at, and
            // other ones the next time. The bins above hold no others.
            guard let start = find(length, in: bin, tries: bin == exact ? 8 : .max),
                let found = lengthByStart[start]
            else { continue }
            remove(start, found)
            if Int(found) > length { put(start + UInt32(length), found - UInt32(length)) }
            return start
        }
        return nil
    }

    /// An extent of at least `length` rows; its entry is dropped.
    private mutating func find(_ length: Int, in bin: Int, tries: Int) -> UInt32? {
        var tries = tries
        while tries > 0, let start = bins[bin].advance() {
            guard let found = lengthByStart[start], Self.bin(Int(found)) == bin else {
                bins[bin].drop()  // Stale: gone for good, so it costs no try.
                continue
            }
            if Int(found) >= length {
                bins[bin].drop()
                return start
            }
            tries -= 1
        }
        return nil
    }

    /// Gives rows back.
    mutating func give(_ start: UInt32, _ length: Int) {
        var start = start
        var length = UInt32(length)
        if let before = startByEnd[start], let count = lengthByStart[before] {
            remove(before, count)
            start = before
            length += count
        }
        if let count = lengthByStart[start + length] {
            remove(start + length, count)
            length += count
        }
        put(start, length)
    }

    private static func bin(_ length: Int) -> Int { Int.bitWidth - 1 - length.leadingZeroBitCount }

    private mutating func put(_ start: UInt32, _ length: UInt32) {
        lengthByStart[start] = length
        startByEnd[start + length] = start
        bins[Self.bin(Int(length))].starts.append(start)
        freeRowCount += Int(length)
    }

    private mutating func remove(_ start: UInt32, _ length: UInt32) {
        lengthByStart[start] = nil
        startByEnd[start + length] = nil
        freeRowCount -= Int(length)
    }
}
