// Reads what HybridEncoder describes, straight into values.

import Bytes

/// What the numbers of a page stand for.
protocol NumberMap: ~Copyable {
    associatedtype Value: BitwiseCopyable

    /// Numbers are below.
    var limit: Int { get }

    func value(of number: Int) -> Value
}

/// The entries of a dictionary.
struct DictionaryMap<Value: BitwiseCopyable>: NumberMap, ~Copyable {
    var entries = Buffer<Value>()
    var limit: Int { entries.count }

    @inline(__always)
    func value(of number: Int) -> Value { entries[number] }
}

/// The numbers themselves.
struct IndexMap: NumberMap {
    let limit: Int

    @inline(__always)
    func value(of number: Int) -> UInt32 { UInt32(truncatingIfNeeded: number) }
}

struct BooleanMap: NumberMap {
    var limit: Int { 2 }

    @inline(__always)
    func value(of number: Int) -> Bool { number == 1 }
}

/// Reads `rows.count` numbers of `width` bits from `page`, and writes what they stand for to `rows`
/// of `values`.
///
/// - Parameter page: Behind its `end` lie `packingSlackByteCount` more bytes.
/// - Precondition: `rows` lies in `values`; `width` is in `0 ... 32`.
func decodeHybrid<Map: NumberMap & ~Copyable>(
    _ page: Span<UInt8>, from start: Int, end: Int, width: Int, through map: borrowing Map,
    into values: inout MutableSpan<Map.Value>, rows: Range<Int>
) throws(ParquetError.Reason) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= values.count)
    precondition(end <= page.count - packingSlackByteCount && width <= 32)
    let mask = lowBits(width)
    let limit = map.limit
    var offset = start
    var row = rows.lowerBound
    while row < rows.upperBound {
        guard let head = page.varint(at: &offset, end: end) else { throw .truncated }
        let room = rows.upperBound - row
        let count = Int(min(head >> 1, UInt64(room)))
        guard count > 0 else { throw .corrupt("an empty run") }
        if head & 1 == 0 {
            let byteCount = (width + 7) / 8
            guard end - offset >= byteCount else { throw .truncated }
            let number = Int(unsafe page.word(unchecked: offset) & lowBits(8 * byteCount))
            guard head >> 1 <= room else { throw .corrupt("more values than the page has") }
            guard number < limit else { throw .corrupt("a number is not in the dictionary") }
            let value = map.value(of: number)
            for place in row..<row &+ count { unsafe values[unchecked: place] = value }
            offset += byteCount
            row += count
        } else {
            // Groups of eight. Writers fill up the last run of a page, by 248 numbers even.
            let (byteCount, isTooLarge) = (head >> 1).multipliedReportingOverflow(by: UInt64(width))
            guard !isTooLarge, byteCount <= end - offset else { throw .truncated }
            let packedEnd = row + min(count * 8, room)
            var position = offset &* 8
            while row < packedEnd {
                let number = Int(
                    truncatingIfNeeded: unpacked(page, at: position, mask: mask))
                guard number < limit else { throw .corrupt("a number is not in the dictionary") }
                unsafe values[unchecked: row] = map.value(of: number)
                position &+= width
                row &+= 1
            }
            offset += Int(byteCount)
        }
    }
    guard offset == end else { throw .corrupt("bytes behind the last value") }
}
