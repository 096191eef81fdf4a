// What a file says of itself at its end: columns, row groups, and where each column chunk lies.
//
//     file:    PAR1 · column chunks and whatever else · footer · its length (4 bytes) · PAR1

package import Bytes

/// One column's values in one row group.
package struct ParquetChunk: Sendable {
    package let kind: ParquetColumn.Kind

    /// Values, one per row.
    package let rowCount: Int

    /// Its pages in the file.
    package let range: ByteRange

    /// By its number: an unknown one is an error when the chunk is read.
    let codec: Int32

    /// Whether rows may be without a value: pages then say which have one.
    let isOptional: Bool
}

package struct ParquetRowGroup: Sendable {
    package let rowCount: Int

    /// One for each of the footer's columns.
    package let chunks: [ParquetChunk]
}

/// The footer of a file, checked: its chunks lie inside the file and apart from each other, its
/// counts agree.
package struct ParquetFooter: Sendable {
    package let columns: [ParquetColumn]
    package let rowCount: Int
    package let rowGroups: [ParquetRowGroup]

    /// The texts that the file carries, by key.
    package let metadata: [String: String]

    /// The program that wrote the file, if it says so.
    package let createdBy: String?

    /// How many bytes at the end of a file `range(tail:fileByteCount:)` needs.
    package static let tailByteCount = 8

    /// Where the footer of a file lies.
    ///
    /// - Parameter tail: The last `tailByteCount` bytes of the file.
    package static func range(
        tail: Span<UInt8>, fileByteCount: Int
    ) throws(ParquetError) -> ByteRange {
        guard fileByteCount >= 4 + tailByteCount, tail.count == tailByteCount,
            tail.from(4).equals(fileMark)
        else { throw ParquetError(.notParquet, at: max(0, fileByteCount - 4)) }
        let length = Int(tail.word(at: 0) & 0xFFFF_FFFF)
        let end = fileByteCount - tailByteCount
        guard length <= end - 4 else { throw ParquetError(.truncated, at: end) }
        guard length <= ParquetLimits.footerByteCountMax else {
            throw ParquetError(.tooLarge("the footer"), at: end)
        }
        return ByteRange(offset: end - length, count: length)
    }

    /// Reads the footer of a file that is in memory as a whole.
    package init(file: Span<UInt8>) throws(ParquetError) {
        guard file.count >= 4 + Self.tailByteCount,
            file.part(ByteRange(offset: 0, count: 4))
                .equals(fileMark)
        else { throw ParquetError(.notParquet, at: 0) }
        let range = try Self.range(
            tail: file.from(file.count - Self.tailByteCount), fileByteCount: file.count)
        try self.init(file.part(range), at: range.offset)
    }

    /// Reads a footer.
    ///
    /// - Parameters:
    ///   - bytes: Those of `range(tail:fileByteCount:)`.
    ///   - offset: Where they lie in the file.
    package init(_ bytes: Span<UInt8>, at offset: Int) throws(ParquetError) {
        var reader = ThriftReader(bytes, fileOffset: offset)
        let draft = try reader.footer()
        guard reader.offset == bytes.count else { throw reader.corrupt("bytes behind the footer") }
        columns = draft.elements.map { ParquetColumn($0.name, $0.kind) }
        metadata = draft.metadata
        createdBy = draft.createdBy
        rowCount = draft.rowCount
        rowGroups = try Self.rowGroups(draft, footerOffset: offset)
    }

    private static func rowGroups(
        _ draft: FooterDraft, footerOffset: Int
    ) throws(ParquetError) -> [ParquetRowGroup] {
        func corrupt(_ what: String) -> ParquetError {
            ParquetError(.corrupt(what), at: footerOffset)
        }
        var rowGroups: [ParquetRowGroup] = []
        var ranges: [ByteRange] = []
        var rest = draft.rowCount
        for group in draft.rowGroups {
            guard group.rowCount <= ParquetLimits.rowGroupRowCountMax else {
                throw ParquetError(.tooLarge("a row group"), at: footerOffset)
            }
            guard group.rowCount <= rest else { throw corrupt("the rows do not add up") }
            rest -= group.rowCount
            guard group.chunks.count == draft.elements.count else {
                throw corrupt("a row group has not the file's columns")
            }
            var chunks: [ParquetChunk] = []
            for (chunk, element) in zip(group.chunks, draft.elements) {
                guard chunk.valueCount == group.rowCount else {
                    throw corrupt("a column has not a value for every row")
                }
                guard chunk.path == [element.name], chunk.physicalType == element.physicalType
                else { throw corrupt("a column is not that of the schema") }
                let start = chunk.start
                guard start >= 4, start <= footerOffset, chunk.byteCount <= footerOffset - start
                else { throw corrupt("a column lies outside the file") }
                let range = ByteRange(offset: start, count: chunk.byteCount)
                ranges.append(range)
                chunks.append(
                    ParquetChunk(
                        kind: element.kind, rowCount: group.rowCount, range: range,
                        codec: chunk.codec, isOptional: element.isOptional))
            }
            rowGroups.append(ParquetRowGroup(rowCount: group.rowCount, chunks: chunks))
        }
        guard rest == 0 else { throw corrupt("the rows do not add up") }
        ranges.sort { $0.offset < $1.offset }
        for (one, next) in zip(ranges, ranges.dropFirst()) where one.end > next.offset {
            throw corrupt("columns lie on one another")
        }
        return rowGroups
    }
}
