// Integers as packed differences (Encodings.md, "Delta Encoding").
//
//     page:   varint(128) · varint(4) · varint(count) · zigzag(first value) · blocks
//     block:  zigzag(smallest difference) · 4 widths, a byte each · up to 4 × 32 packed differences
//             less the smallest
//
// Differences wrap around; a reader's additions wrap back.

import Bytes

private let blockCount = 128
private let miniblockCount = 4
private let miniblockValueCount = blockCount / miniblockCount

extension ByteBuffer {
    /// Appends `values`, at least one.
    mutating func append<Value: ColumnInteger>(delta values: Span<Value>) {
        append(varint: UInt64(blockCount))
        append(varint: UInt64(miniblockCount))
        append(varint: UInt64(values.count))
        append(zigzag: Int64(values[0]))
        var differences = [UInt64](repeating: 0, count: blockCount)
        var start = 1
        while start < values.count {
            let count = min(blockCount, values.count - start)
            append(block: values.extracting(start - 1..<start + count), &differences)
            start += count
        }
    }

    /// Appends the differences between `values`, of which the first is known to the reader.
    private mutating func append<Value: ColumnInteger>(
        block values: Span<Value>, _ differences: inout [UInt64]
    ) {
        let count = values.count - 1
        var smallest = Value.max
        for index in 0..<count { smallest = min(smallest, values[index + 1] &- values[index]) }
        for index in 0..<blockCount {
            // As an unsigned number of the same width, so that an Int32 needs at most 32 bits.
            differences[index] =
                index < count
                ? UInt64(
                    truncatingIfNeeded: Value.Magnitude(
                        truncatingIfNeeded: values[index + 1] &- values[index] &- smallest)) : 0
        }
        append(zigzag: Int64(smallest))
        let usedCount = (count + miniblockValueCount - 1) / miniblockValueCount
        let widthsOffset = self.count
        append(word: 0, byteCount: miniblockCount)
        for miniblock in 0..<usedCount {
            let start = miniblock * miniblockValueCount
            let part = differences.span.extracting(start..<start + miniblockValueCount)
            var bits: UInt64 = 0
            for index in part.indices { bits |= part[index] }
            let width = 64 - bits.leadingZeroBitCount
            self[widthsOffset + miniblock] = UInt8(width)
            append(packed: part, width: width)
        }
    }
}
