// A side table as it was at one moment: its entries, without the index that finds them.

/// An entry of a side table.
package struct SideEntry: BitwiseCopyable, Sendable {
    package let key: UInt64
    package let value: Int64
}

/// The entries of a side table, frozen.
package struct FrozenSideTable: Sendable {
    let words: FrozenPages<UInt64>

    package var count: Int { words.rowCount / 2 }

    /// The entries in the order of their keys.
    ///
    /// - Complexity: O(n log n), and 16 bytes of memory an entry.
    package func sorted() -> [SideEntry] {
        var entries: [SideEntry] = []
        entries.reserveCapacity(count)
        var piece = [UInt64](repeating: 0, count: FrozenPages<UInt64>.rowsPerPage)
        var first = 0
        while first < words.rowCount {
            let length = min(piece.count, words.rowCount - first)
            var span = piece.mutableSpan
            words.read(first, length, into: &span)
            for word in stride(from: 0, to: length, by: 2) {
                entries.append(SideEntry(key: span[word], value: Int64(bitPattern: span[word + 1])))
            }
            first += length
        }
        entries.sort { $0.key < $1.key }
        return entries
    }
}

extension SideTable {
    /// The entries as they are now, readable from another thread; nothing is copied.
    package mutating func freeze() -> FrozenSideTable { FrozenSideTable(words: entries.freeze()) }

    package mutating func thaw() { entries.thaw() }
}
