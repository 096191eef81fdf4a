// Strings by index: the dictionary of a string column.

import Bytes

/// Strings in one piece of memory, numbered from 0.
///
/// Columns of strings are written and read as numbers into such a table, so that what a string
/// means to a program is looked up once per entry and not once per row.
package struct StringTable: ~Copyable {
    private var bytes = ByteBuffer()
    private var ends = Buffer<Int>()

    package init() {}

    /// How many strings there are.
    package var count: Int { ends.count }

    /// Bytes of all strings together.
    var byteCount: Int { bytes.count }

    /// Where the string `index` lies in the bytes of all.
    private func range(of index: Int) -> ByteRange {
        ByteRange(from: index == 0 ? 0 : ends[index - 1], to: ends[index])
    }

    /// The UTF-8 of the string `index`, which is in `0 ..< count`.
    package subscript(index: Int) -> Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span.part(range(of: index)) }
    }

    /// The length of the string `index` in bytes.
    func byteCount(of index: Int) -> Int { range(of: index).count }

    /// Adds a string behind the others.
    ///
    /// - Precondition: At most `ParquetLimits.stringByteCountMax` bytes, and UTF-8.
    package mutating func append(_ string: Span<UInt8>) {
        precondition(string.count <= ParquetLimits.stringByteCountMax)
        assert(string.firstInvalidUTF8() == nil)
        bytes.append(string)
        ends.append(bytes.count)
    }

    /// Adds a string behind the others. For the calls that are not hot.
    package mutating func append(_ string: String) {
        withUTF8(string) { append($0) }
    }

    /// Forgets the strings; keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll()
        ends.removeAll()
    }
}

/// Whether `one` comes before `other`, byte by byte: the order of strings in the format.
func isOrderedBefore(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
    for offset in 0..<min(one.count, other.count) where one[offset] != other[offset] {
        return one[offset] < other[offset]
    }
    return one.count < other.count
}
