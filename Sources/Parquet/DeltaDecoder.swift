// Reads what DeltaEncoder describes, with blocks of any shape that the format allows.

import Bytes

/// Values per block, at most: far more than any writer uses.
private let blockValueCountMax: UInt64 = 1 << 20

/// Reads `rows.count` integers from `page` into `rows` of `values`.
///
/// - Parameter page: Behind its `end` lie `packingSlackByteCount` more bytes.
/// - Precondition: `rows` lies in `values`.
func decodeDelta<Value: ColumnInteger>(
    _ page: Span<UInt8>, from start: Int, end: Int, into values: inout MutableSpan<Value>,
    rows: Range<Int>
) throws(ParquetError.Reason) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= values.count)
    precondition(end <= page.count - packingSlackByteCount)
    var offset = start
    func varint() throws(ParquetError.Reason) -> UInt64 {
        guard let value = page.varint(at: &offset, end: end) else { throw .truncated }
        return value
    }
    let blockCount = try varint()
    let miniblockCount = try varint()
    let valueCount = try varint()
    guard blockCount > 0, blockCount % 128 == 0, blockCount <= blockValueCountMax,
        miniblockCount > 0, blockCount % miniblockCount == 0,
        blockCount / miniblockCount % 32 == 0
    else { throw .corrupt("the shape of the blocks") }
    guard valueCount == rows.count else { throw .corrupt("the count of values") }
    var value = Value(truncatingIfNeeded: Int64(zigzag: try varint()))
    if rows.isEmpty { return }
    unsafe values[unchecked: rows.lowerBound] = value
    var row = rows.lowerBound + 1
    let miniblockValueCount = Int(blockCount / miniblockCount)
    while row < rows.upperBound {
        let smallest = Value(truncatingIfNeeded: Int64(zigzag: try varint()))
        guard end - offset >= miniblockCount else { throw .truncated }
        var widthOffset = offset
        offset += Int(miniblockCount)
        let widthsEnd = offset
        while widthOffset < widthsEnd, row < rows.upperBound {
            let width = Int(page[widthOffset])
            widthOffset += 1
            guard width <= Value.bitWidth else { throw .corrupt("a width of packed numbers") }
            // A miniblock is whole, also where fewer values are left.
            let byteCount = miniblockValueCount / 8 * width
            guard byteCount <= end - offset else { throw .truncated }
            let rowEnd = min(row + miniblockValueCount, rows.upperBound)
            let mask = lowBits(width)
            var position = offset &* 8
            if width <= 57 {
                while row < rowEnd {
                    let number = unpacked(page, at: position, mask: mask)
                    value = value &+ smallest &+ Value(truncatingIfNeeded: number)
                    unsafe values[unchecked: row] = value
                    position &+= width
                    row &+= 1
                }
            } else {
                while row < rowEnd {
                    let number = unpackedWide(page, at: position, mask: mask)
                    value = value &+ smallest &+ Value(truncatingIfNeeded: number)
                    unsafe values[unchecked: row] = value
                    position &+= width
                    row &+= 1
                }
            }
            offset += byteCount
        }
    }
    guard offset == end else { throw .corrupt("bytes behind the last value") }
}
