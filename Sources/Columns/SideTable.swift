// States that few positions have, by key: returned, damaged, blocked units, times of their counts.
//
// A hash index over a column of (key, value) entries. Entries are never removed: a value that goes
// back to zero stays as zero. Owner only.

public import Platform

/// A sparse map from 64-bit keys to 64-bit values, in paged columns.
@usableFromInline
package struct SideTable: ~Copyable {
    @usableFromInline var index: HashIndex
    @usableFromInline var entries: Column<UInt64>  // Two words an entry: key, value.

    package init(
        entryCountMax: Int = 1 << 30, quietPoints: QuietPoints
    ) throws(SystemError) {
        let index = try HashIndex(quietPoints: quietPoints)
        let entries = try Column<UInt64>(rowCountMax: entryCountMax * 2)
        self.index = index
        self.entries = entries
    }

    package var count: Int { entries.rowCount / 2 }

    package var byteCount: Int { index.byteCount + entries.committedByteCount }

    /// Keys are ids that we gave, so a multiplication spreads them well enough (Fibonacci hashing).
    private static func tag(_ key: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }

    @inline(never)
    private func entry(_ key: UInt64) -> Int? {
        index.view.find(tag: Self.tag(key)) { entries[Int($0) * 2] == key }.map { Int($0) * 2 }
    }

    package subscript(key: UInt64) -> Int64? {
        entry(key).map { Int64(bitPattern: entries[$0 + 1]) }
    }

    /// Makes room for `additional` new keys.
    @inlinable @inline(always)
    package mutating func prepare(keys additional: Int) throws(SystemError) {
        try entries.prepare(rows: 2 * additional)
        try index.prepare(values: additional)
    }

    /// Sets a value, for whose key `prepare` made room if it is new.
    @inline(never)
    package mutating func set(_ key: UInt64, _ value: Int64) {
        if let entry = entry(key) {
            entries[entry + 1] = UInt64(bitPattern: value)
            return
        }
        let row = entries.rowCount
        entries.appendPrepared(rows: 2)
        entries[row] = key
        entries[row + 1] = UInt64(bitPattern: value)
        index.insertPrepared(tag: Self.tag(key), value: UInt32(row / 2))
    }
}
