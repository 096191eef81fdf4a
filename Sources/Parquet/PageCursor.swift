// Where a reader is in a column chunk, and what each page must be there.

import Bytes

/// A page that has been decompressed.
struct DataPage {
    let isDictionary: Bool
    let encoding: Encoding

    /// The rows whose values it holds; the numbers of its entries for a dictionary.
    let rows: Range<Int>

    /// Where the values lie in the decompressed page.
    let values: Range<Int>

    /// Of its header.
    let fileOffset: Int
}

struct PageCursor {
    /// Bytes of the chunk behind which the next page begins.
    var offset = 0

    /// Rows read.
    private(set) var row = 0

    private let rowCount: Int
    private var isFirst = true

    init(_ chunk: ParquetChunk) { rowCount = chunk.rowCount }

    /// Takes in the next page, whose bytes are `page` and `packingSlackByteCount` more.
    ///
    /// - Parameter levelsEnd: Where the values begin in a page of version 2.
    mutating func take(
        _ header: PageHeader, _ chunk: ParquetChunk, _ page: Span<UInt8>, levelsEnd: Int,
        fileOffset: Int
    ) throws(ParquetError.Reason) -> DataPage {
        defer { isFirst = false }
        guard let encoding = Encoding(rawValue: header.encoding) else {
            throw .unsupported("the encoding of a page")
        }
        let end = page.count - packingSlackByteCount
        if header.kind == .dictionary {
            guard isFirst else { throw .corrupt("a dictionary behind other pages") }
            guard encoding == .plain || encoding == .plainDictionary else {
                throw .unsupported("the encoding of a dictionary")
            }
            // Dictionaries are plain also under their older number.
            return DataPage(
                isDictionary: true, encoding: .plain, rows: 0..<header.valueCount,
                values: 0..<end, fileOffset: fileOffset)
        }
        guard header.valueCount <= rowCount - row else {
            throw .corrupt("more values than the column has rows")
        }
        let rows = row..<row + header.valueCount
        row = rows.upperBound
        var start = levelsEnd
        if header.kind == .dataV2 {
            guard header.nullCount == 0 else { throw .unsupported("rows without a value") }
            guard header.repetitionByteCount == 0,
                chunk.isOptional || header.definitionByteCount == 0
            else { throw .corrupt("levels in a flat column") }
            if chunk.isOptional {
                try Self.requireValues(page, from: 0, end: levelsEnd, count: rows.count)
            }
        } else if chunk.isOptional {
            guard header.definitionEncoding == Encoding.runLength.rawValue else {
                throw .unsupported("the encoding of levels")
            }
            guard end >= 4 else { throw .truncated }
            let length = Int(page.word(at: 0) & 0xFFFF_FFFF)
            guard length <= end - 4 else { throw .truncated }
            start = 4 + length
            try Self.requireValues(page, from: 4, end: start, count: rows.count)
        }
        return DataPage(
            isDictionary: false, encoding: encoding, rows: rows, values: start..<end,
            fileOffset: fileOffset)
    }

    /// Refuses levels that say of any row that it has no value.
    private static func requireValues(
        _ page: Span<UInt8>, from start: Int, end: Int, count: Int
    ) throws(ParquetError.Reason) {
        var hasValue = [Bool](repeating: false, count: count)
        var levels = hasValue.mutableSpan
        try decodeHybrid(
            page, from: start, end: end, width: 1, through: BooleanMap(), into: &levels,
            rows: 0..<count)
        guard !hasValue.contains(false) else { throw .unsupported("rows without a value") }
    }
}
