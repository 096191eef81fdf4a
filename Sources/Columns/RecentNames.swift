// Names that come again and again, such as those of locations: a small table in front of a
// dictionary, without its keyed hash.

public import Bytes

/// Ids of names that were looked up lately.
///
/// Exact: what is kept counts for a name of the very same bytes only. Ids are never given back, so
/// what is kept stays true. A name has one place, by a plain mixture of its bytes: names chosen to
/// share one drive each other out, and are then looked up as if there were no table.
@usableFromInline
package struct RecentNames: ~Copyable {
    @usableFromInline
    struct Entry: BitwiseCopyable {
        // As in `NameKey`: the second word is 0 where there is no name.
        @usableFromInline var first: UInt64
        @usableFromInline var second: UInt64
        @usableFromInline var id: UInt32 = 0

        @inlinable @inline(__always)
        init(first: UInt64, second: UInt64) {
            self.first = first
            self.second = second
        }
    }

    /// Binary logarithm of the places: several times the names expected, so that few share one.
    @usableFromInline static var log2: UInt64 { 11 }

    @usableFromInline var entries = Buffer<Entry>()

    package init() {}

    /// The id of the name that lies in `text` at `range`, or nil when it is not known.
    ///
    /// - Parameters:
    ///   - names: The same at every call.
    ///   - range: 1–64 bytes.
    @inlinable @inline(__always)
    package mutating func id(
        _ text: Span<UInt8>, _ range: ByteRange, _ names: NameDictionaryView, _ hasher: KeyedHash
    ) -> UInt32? {
        guard let (first, rest) = KeyedHash.words(text, range) else {
            return names.id(text.part(range), NameKey(text, range, hasher))
        }
        let second = rest | UInt64(truncatingIfNeeded: range.count) &<< 56
        let mixed = (first ^ second) &* 0x9E37_79B9_7F4A_7C15
        let place = Int(truncatingIfNeeded: mixed &>> (64 &- Self.log2))
        if place < entries.count, entries[place].second == second, entries[place].first == first {
            return entries[place].id
        }
        let entry = Entry(first: first, second: second)
        return find(entry, at: place, text, range, names, hasher)
    }

    /// Looks a name up in the dictionary, and keeps what is found.
    @usableFromInline @inline(never)
    mutating func find(
        _ entry: Entry, at place: Int, _ text: Span<UInt8>, _ range: ByteRange,
        _ names: NameDictionaryView, _ hasher: KeyedHash
    ) -> UInt32? {
        guard let id = names.id(text.part(range), NameKey(text, range, hasher)) else { return nil }
        if entries.isEmpty {
            entries.append(repeating: Entry(first: 0, second: 0), count: 1 << Int(Self.log2))
        }
        entries[place] = entry
        entries[place].id = id
        return id
    }
}
