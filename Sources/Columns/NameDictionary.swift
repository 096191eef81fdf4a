// Names in, dense ids out: the dictionary of SKUs of a shard, and those of locations, channels,
// groups and categories.
//
// A name record has 16 bytes, so that most names are compared as two words:
//
//     up to 15 bytes   bytes 0–7 | bytes 8–14, byte count
//     16–64 bytes      offset in `longNames` | 56 bits of the hash, byte count
//
// Ids count from 0 in the order of arrival and are never given back. One owner adds; any thread
// looks up, without a lock.

public import Bytes
package import Platform

/// A name made ready for look-up: its words, its hash.
@usableFromInline
package struct NameKey: BitwiseCopyable, Sendable {
    /// The record that a name of up to 15 bytes has. For a longer one only `second` counts.
    @usableFromInline let first: UInt64
    @usableFromInline let second: UInt64

    /// The keyed hash; the low half is the tag, the top bits choose the shard.
    @usableFromInline package let hash: UInt64

    @usableFromInline static let inlineByteCountMax = 15

    /// - Precondition: 1–64 bytes.
    @inlinable @inline(always)
    package init(_ name: Span<UInt8>, _ hasher: KeyedHash) {
        precondition(name.count >= 1 && name.count <= 64)
        let count = UInt64(truncatingIfNeeded: name.count) &<< 56
        if name.count <= Self.inlineByteCountMax {
            let (start, rest) = KeyedHash.words(name)
            first = start
            hash = hasher.hash(first: first, second: rest, byteCount: name.count)
            second = rest | count
        } else {
            first = 0
            hash = hasher.hash128(name).0
            second = hash &>> 8 | count
        }
    }

    /// The key of the name that lies in `text` at `range`.
    ///
    /// - Precondition: 1–64 bytes.
    @inlinable @inline(always)
    package init(_ text: Span<UInt8>, _ range: ByteRange, _ hasher: KeyedHash) {
        guard let (first, rest) = KeyedHash.words(text, range) else {
            self.init(text.part(range), hasher)
            return
        }
        self.init(
            first: first, second: rest | UInt64(truncatingIfNeeded: range.count) &<< 56,
            hash: hasher.hash(first: first, second: rest, byteCount: range.count))
    }

    @inlinable @inline(always)
    init(first: UInt64, second: UInt64, hash: UInt64) {
        self.first = first
        self.second = second
        self.hash = hash
    }

    /// The key of no name.
    @inlinable
    package init() {
        first = 0
        second = 0
        hash = 0
    }

    @inlinable @inline(always)
    package var tag: UInt32 { UInt32(truncatingIfNeeded: hash) }

    @inlinable @inline(always)
    package var byteCount: Int { Int(truncatingIfNeeded: second &>> 56) }

    @inlinable @inline(always)
    var isInline: Bool { byteCount <= Self.inlineByteCountMax }
}

/// The dictionary's owner.
@safe @usableFromInline
package struct NameDictionary: ~Copyable {
    private var index: HashIndex
    private var records: Column<UInt64>  // Two words a name.
    private var longNames: Column<UInt8>

    /// - Parameter nameCountMax: Names that fit, at most 2³⁰, which is what half of the largest
    ///   index holds; addresses are reserved for them.
    package init(nameCountMax: Int, quietPoints: QuietPoints) throws(SystemError) {
        precondition(nameCountMax <= 1 << 30)
        let index = try HashIndex(quietPoints: quietPoints)
        let records = try Column<UInt64>(rowCountMax: nameCountMax * 2)
        let longNames = try Column<UInt8>(rowCountMax: nameCountMax * 64)
        self.index = index
        self.records = records
        self.longNames = longNames
    }

    /// Names held; ids are `0 ..< count`.
    package var count: Int { records.rowCount / 2 }

    package var view: NameDictionaryView {
        NameDictionaryView(index: index.view, records: records.view, longNames: longNames.view)
    }

    /// Bytes of memory taken.
    package var byteCount: Int {
        index.byteCount + records.committedByteCount + longNames.committedByteCount
    }

    /// Makes room for so many names at once; the bytes of long ones are made room for one by one.
    package mutating func prepare(names additional: Int) throws(SystemError) {
        try records.prepare(rows: 2 * additional)
        try index.prepare(values: additional)
    }

    /// Makes sure that one more name can be added without an error.
    package mutating func prepare() throws(SystemError) {
        try records.prepare(rows: 2)
        try longNames.prepare(rows: 64)
        try index.prepare()
    }

    /// Adds a name that is not there yet, for which `prepare` made room.
    package mutating func add(_ name: Span<UInt8>, _ key: NameKey) -> UInt32 {
        let id = UInt32(count)
        var first = key.first
        if !key.isInline {
            let offset = longNames.rowCount
            longNames.appendPrepared(rows: name.count)
            for position in 0..<name.count { longNames[offset + position] = name[position] }
            first = UInt64(offset)
        }
        let row = records.rowCount
        records.appendPrepared(rows: 2)
        records[shared: row] = first
        records[shared: row + 1] = key.second
        // The index publishes the record: release, paired with the acquire of a look-up.
        index.insertPrepared(tag: key.tag, value: id)
        return id
    }
}

/// A name dictionary as any thread may read it.
@usableFromInline
package struct NameDictionaryView: Sendable {
    @usableFromInline let index: HashIndexView
    @usableFromInline let records: ColumnView<UInt64>
    @usableFromInline let longNames: ColumnView<UInt8>

    @usableFromInline
    init(index: HashIndexView, records: ColumnView<UInt64>, longNames: ColumnView<UInt8>) {
        self.index = index
        self.records = records
        self.longNames = longNames
    }

    /// Asks for the index line of `key`: the first step of a batch of look-ups.
    @inlinable @inline(always)
    package func prefetchIndex(_ key: NameKey) { index.prefetch(tag: key.tag) }

    /// The id that the index names first, which is nearly always the name's, and asks for its
    /// record: the second step.
    ///
    /// - Returns: `max` when the name is not known.
    @inlinable @inline(always)
    package func candidate(_ key: NameKey) -> UInt32 {
        let id = index.first(tag: key.tag)
        records.prefetch(Int(id) &* 2)
        return id
    }

    /// The id of a name, or nil when it is not known.
    ///
    /// - Parameter candidate: What `candidate` returned for it.
    @inlinable @inline(always)
    package func id(_ name: Span<UInt8>, _ key: NameKey, candidate: UInt32) -> UInt32? {
        isName(candidate, name, key) ? candidate : id(name, key)
    }

    /// The id of a name, or nil when it is not known.
    @inlinable @inline(always)
    package func id(_ name: Span<UInt8>, _ key: NameKey) -> UInt32? {
        let first = index.first(tag: key.tag)
        return first != .max && isInlineName(first, key) ? first : idByText(name, key)
    }

    /// The same for names that are long, or not the first under their tag.
    @usableFromInline @inline(never)
    func idByText(_ name: Span<UInt8>, _ key: NameKey) -> UInt32? {
        index.find(tag: key.tag) { isName($0, name, key) }
    }

    /// Whether `id` has the name of `key`; false too where the name is too long for its record to
    /// tell.
    @inlinable @inline(always)
    package func isInlineName(_ id: UInt32, _ key: NameKey) -> Bool {
        let row = Int(id) &* 2
        return key.isInline && records[unchecked: row] == key.first
            && records[unchecked: row &+ 1] == key.second
    }

    @inlinable @inline(always)
    func isName(_ id: UInt32, _ name: Span<UInt8>, _ key: NameKey) -> Bool {
        let row = Int(id) &* 2
        guard records[unchecked: row &+ 1] == key.second else { return false }
        if key.isInline { return records[unchecked: row] == key.first }
        return isLongName(name, at: records[unchecked: row])
    }

    @usableFromInline
    func isLongName(_ name: Span<UInt8>, at offset: UInt64) -> Bool {
        longNames.withRows(Int(offset), count: name.count) { $0.equals(name) }
    }

    /// Hands the name of `id` to `body`.
    package func withName<Result: ~Copyable>(
        _ id: UInt32, _ body: (Span<UInt8>) -> Result
    ) -> Result {
        let first = records[unchecked: Int(id) * 2]
        let second = records[unchecked: Int(id) * 2 + 1]
        let count = Int(second >> 56)
        if count > NameKey.inlineByteCountMax {
            return longNames.withRows(Int(first), count: count, body)
        }
        let words: InlineArray<2, UInt64> = [first.littleEndian, second.littleEndian]
        let bytes = words.span
        return unsafe bytes.withUnsafeBytes { raw in
            unsafe body(Span(_unsafeBytes: raw).extracting(first: count))
        }
    }

    /// How many slots of the index the farthest name is found by looking at. For tests.
    ///
    /// - Complexity: O(names).
    package func longestProbe() -> Int { index.longestProbe() }

    package func append(_ id: UInt32, to buffer: inout ByteBuffer) {
        withName(id) { buffer.append($0) }
    }

    /// The name as text, for messages and the calls that are not hot.
    package func text(_ id: UInt32) -> String { withName(id) { $0.text } }
}

extension ColumnView {
    /// Hands rows that never change once they are published to `body`.
    @usableFromInline
    package func withRows<Result: ~Copyable>(
        _ first: Int, count: Int, _ body: (Span<Element>) -> Result
    ) -> Result {
        unsafe body(Span(_unsafeStart: base + first, count: count))
    }
}
