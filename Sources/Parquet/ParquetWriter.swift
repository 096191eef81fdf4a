// Writes tables as Parquet files (the Apache Parquet format, parquet.thrift and Encodings.md).
//
//     file:       PAR1 · row groups · footer · its length (4 bytes, little-endian) · PAR1
//     row group:  one column chunk per column, in the schema's order
//     chunk:      a dictionary page, if it has a dictionary · data pages of up to 32,768 rows
//     page:       header (Thrift: kind, sizes, CRC-32 of what follows) · one zstd frame
//
// All columns are required, so the data pages (version 1) hold values only. How a chunk's values
// are written:
//
//     strings     numbers into the dictionary (runs and packed bits); PLAIN when a string serves
//                 fewer than two rows on average, or the dictionary were too large
//     integers    by dictionary, as packed differences, or PLAIN: whichever is smallest for a
//                 sample of the rows after compression. A constant is a dictionary of one entry
//                 and one run a page
//     the others  PLAIN
//
// The footer holds, for each chunk, the smallest and the largest value and a null count of 0, and
// the texts that the caller gives. The same values give the same bytes.

package import Bytes
package import Zstd

/// Writes one file, a column chunk at a time, appending to a buffer that the caller empties.
///
///     var writer = try ParquetWriter([.init("sku", .string), .init("sellable", .int32)])
///     for group in groups {                       // up to a million rows each, say
///         try writer.write(group.skus, of: strings, into: &output)
///         try writer.write(group.sellable, into: &output)
///         …write `output` to the file and empty it…
///     }
///     try writer.finish(metadata: ["shard": "3"], into: &output)
///
/// One call writes one column of one row group; the calls go through the columns in order, again
/// and again, and those of a row group bring as many rows each. At most a chunk's bytes are held,
/// and working memory of a few megabytes.
///
/// The methods throw when memory is out; the file can then not be continued.
package struct ParquetWriter: ~Copyable {
    package let columns: [ParquetColumn]

    /// Bytes handed out so far: the length of the file.
    package var byteCount: Int { pages.byteCount }

    /// Rows of the row groups that are whole.
    package private(set) var rowCount = 0

    /// Rows of a data page, at most.
    static let pageRowCountMax = 1 << 15

    var pages: PageWriter
    var dictionary = IntegerDictionary()

    /// Working memory: numbers into a dictionary, of one page.
    var numbers = Buffer<UInt32>()

    private var rowGroups: [RowGroupRecord] = []
    private var openGroup = RowGroupRecord()

    /// - Parameters:
    ///   - columns: At least one; no two of one name, none `.unsupported`.
    ///   - level: Of zstd, one of `ZstdWriter.levels`. Packed numbers gain little above 1.
    package init(_ columns: [ParquetColumn], level: Int = 1) throws(ZstdError) {
        precondition(!columns.isEmpty && Set(columns.map(\.name)).count == columns.count)
        precondition(columns.allSatisfy { $0.kind.physicalType != nil })
        self.columns = columns
        pages = try PageWriter(level: level)
    }

    /// Whether the row group at hand has all its columns, so that the file may end here.
    package var isBetweenRowGroups: Bool { openGroup.chunks.isEmpty }

    /// Appends the end of the file.
    ///
    /// - Parameter metadata: Texts by key, which readers find in the footer.
    /// - Precondition: `isBetweenRowGroups`. Nothing is written afterwards.
    package consuming func finish(
        metadata: [String: String] = [:], into output: inout ByteBuffer
    ) {
        precondition(isBetweenRowGroups)
        if pages.byteCount == 0 { pages.writeMark(into: &output) }
        var footer = ThriftWriter()
        footer.footer(columns, rowGroups, rowCount: rowCount, metadata: metadata)
        output.append(footer.output.span)
        output.append(word: UInt64(footer.output.count), byteCount: 4)
        output.append(fileMark)
    }

    // MARK: - Chunks

    /// Begins the next column's chunk.
    mutating func beginChunk(
        _ kind: ParquetColumn.Kind, rowCount: Int, into output: inout ByteBuffer
    ) -> ChunkRecord {
        precondition(columns[openGroup.chunks.count].kind == kind, "the columns go in order")
        precondition(rowCount > 0 && rowCount <= ParquetLimits.rowGroupRowCountMax)
        precondition(isBetweenRowGroups || openGroup.rowCount == rowCount)
        openGroup.rowCount = rowCount
        if pages.byteCount == 0 { pages.writeMark(into: &output) }
        return ChunkRecord(offset: pages.byteCount)
    }

    /// Ends the chunk that `beginChunk` began, and the row group with its last column.
    mutating func endChunk(_ chunk: ChunkRecord) {
        openGroup.chunks.append(chunk)
        guard openGroup.chunks.count == columns.count else { return }
        rowCount += openGroup.rowCount
        rowGroups.append(openGroup)
        openGroup = RowGroupRecord()
    }

    // MARK: - Plain columns

    /// Writes a column of the kind `.boolean`.
    package mutating func write(
        _ values: Span<Bool>, into output: inout ByteBuffer
    ) throws(ZstdError) {
        var chunk = beginChunk(.boolean, rowCount: values.count, into: &output)
        var found: (no: Bool, yes: Bool) = (false, false)
        for rows in pageRanges(values.count) {
            var word: UInt64 = 0
            for row in rows {
                let bit = (row - rows.lowerBound) % 8
                word |= (values[row] ? 1 : 0) << UInt64(bit)
                if values[row] { found.yes = true } else { found.no = true }
                if bit == 7 || row == rows.upperBound - 1 {
                    pages.content.append(UInt8(word))
                    word = 0
                }
            }
            try pages.write(.data, .plain, valueCount: rows.count, of: &chunk, into: &output)
        }
        chunk.extremes = ([found.no ? 0 : 1], [found.yes ? 1 : 0])
        endChunk(chunk)
    }

    /// Writes a column of the kind `.fixed`.
    ///
    /// - Parameter values: One behind the other.
    package mutating func write(
        fixed values: Span<UInt8>, into output: inout ByteBuffer
    ) throws(ZstdError) {
        guard case .fixed(let byteCount) = columns[openGroup.chunks.count].kind else {
            preconditionFailure("the columns go in order")
        }
        precondition(values.count % byteCount == 0)
        let rowCount = values.count / byteCount
        var chunk = beginChunk(.fixed(byteCount: byteCount), rowCount: rowCount, into: &output)
        var smallest = ByteRange(offset: 0, count: byteCount)
        var largest = smallest
        for rows in pageRanges(rowCount) {
            for row in rows {
                let range = ByteRange(offset: row * byteCount, count: byteCount)
                let value = values.part(range)
                if isOrderedBefore(value, values.part(smallest)) { smallest = range }
                if isOrderedBefore(values.part(largest), value) { largest = range }
            }
            let range = ByteRange(
                offset: rows.lowerBound * byteCount, count: rows.count * byteCount)
            pages.content.append(values.part(range))
            try pages.write(.data, .plain, valueCount: rows.count, of: &chunk, into: &output)
        }
        chunk.extremes = (values.part(smallest).array, values.part(largest).array)
        endChunk(chunk)
    }

    /// The rows of each data page of a chunk.
    func pageRanges(_ rowCount: Int) -> [Range<Int>] {
        stride(from: 0, to: rowCount, by: Self.pageRowCountMax).map {
            $0..<min($0 + Self.pageRowCountMax, rowCount)
        }
    }
}
