// String columns: numbers into a dictionary, or the strings themselves.

package import Bytes
package import Zstd

extension ParquetWriter {
    /// A dictionary is one page, and readers hold all of it.
    private static let dictionaryByteCountMax = 32 << 20

    /// A data page of strings ends once it has so many bytes.
    private static let pageByteCount = 1 << 20

    /// Longer strings are not given as a chunk's extremes.
    private static let extremeByteCountMax = 256

    /// Writes a column of the kind `.string`, each row as a number into `strings`.
    ///
    /// - Parameter strings: May hold more than occur; only what occurs is written.
    /// - Complexity: O(rows + strings).
    package mutating func write(
        _ indices: Span<UInt32>, of strings: borrowing StringTable,
        into output: inout ByteBuffer
    ) throws(ZstdError) {
        var chunk = beginChunk(.string, rowCount: indices.count, into: &output)
        let used = UsedStrings(indices, of: strings)
        chunk.extremes = used.extremes(of: strings, byteCountMax: Self.extremeByteCountMax)
        let pays = used.order.count <= max(1, indices.count / 2)
        let dictionaryByteCount = used.byteCount + 4 * used.order.count
        if pays && dictionaryByteCount <= Self.dictionaryByteCountMax {
            try writeNumbers(indices, used, of: strings, &chunk, into: &output)
        } else {
            try writePlain(indices, of: strings, &chunk, into: &output)
        }
        endChunk(chunk)
    }

    private mutating func writeNumbers(
        _ indices: Span<UInt32>, _ used: borrowing UsedStrings,
        of strings: borrowing StringTable, _ chunk: inout ChunkRecord,
        into output: inout ByteBuffer
    ) throws(ZstdError) {
        for place in used.order.indices { appendPlain(strings[Int(used.order[place])]) }
        try pages.write(
            .dictionary, .plain, valueCount: used.order.count, of: &chunk, into: &output)
        let width = numberWidth(used.order.count)
        for rows in pageRanges(indices.count) {
            numbers.removeAll()
            used.appendNumbers(of: indices.extracting(rows), to: &numbers)
            pages.content.append(UInt8(width))
            pages.content.append(hybrid: numbers, width: width)
            try pages.write(.data, .dictionary, valueCount: rows.count, of: &chunk, into: &output)
        }
    }

    private mutating func writePlain(
        _ indices: Span<UInt32>, of strings: borrowing StringTable, _ chunk: inout ChunkRecord,
        into output: inout ByteBuffer
    ) throws(ZstdError) {
        var count = 0
        for row in indices.indices {
            appendPlain(strings[Int(indices[row])])
            count += 1
            let isFull =
                count == Self.pageRowCountMax || pages.content.count >= Self.pageByteCount
            if isFull || row == indices.count - 1 {
                try pages.write(.data, .plain, valueCount: count, of: &chunk, into: &output)
                count = 0
            }
        }
    }

    private mutating func appendPlain(_ string: Span<UInt8>) {
        pages.content.append(word: UInt64(string.count), byteCount: 4)
        pages.content.append(string)
    }
}

/// Which strings of a table occur in a chunk, numbered as they come.
private struct UsedStrings: ~Copyable {
    /// Their indices in the table, by number.
    private(set) var order = Buffer<UInt32>()

    /// Bytes of all that occur, each counted once.
    private(set) var byteCount = 0

    /// Their numbers plus one, by index; 0 for those that do not occur.
    private var numbers = Buffer<UInt32>()

    init(_ indices: Span<UInt32>, of strings: borrowing StringTable) {
        numbers.append(repeating: 0, count: strings.count)
        for row in indices.indices {
            let index = Int(unsafe indices[unchecked: row])
            if numbers[index] != 0 { continue }
            order.append(UInt32(index))
            numbers[index] = UInt32(order.count)
            byteCount += strings.byteCount(of: index)
        }
    }

    /// Appends the numbers of `indices`, which are among those of `init`.
    func appendNumbers(of indices: Span<UInt32>, to target: inout Buffer<UInt32>) {
        let start = target.count
        target.append(repeating: 0, count: indices.count)
        var places = target.mutableSpan
        let numbers = numbers.span
        for row in indices.indices {
            unsafe places[unchecked: start &+ row] = numbers[Int(indices[unchecked: row])] &- 1
        }
    }

    /// The first and the last in the order of bytes; nil when one of them is too long.
    func extremes(
        of strings: borrowing StringTable, byteCountMax: Int
    ) -> (minimum: [UInt8], maximum: [UInt8])? {
        var (smallest, largest) = (Int(order[0]), Int(order[0]))
        for place in order.indices {
            let index = Int(order[place])
            if isOrderedBefore(strings[index], strings[smallest]) { smallest = index }
            if isOrderedBefore(strings[largest], strings[index]) { largest = index }
        }
        guard max(strings.byteCount(of: smallest), strings.byteCount(of: largest)) <= byteCountMax
        else { return nil }
        return (strings[smallest].array, strings[largest].array)
    }
}
