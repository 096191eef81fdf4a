// Reads column chunks: a dictionary page, if there is one, then data pages until every row has its
// value.
//
//     let footer = try ParquetFooter(file: bytes)
//     var reader = try ParquetChunkReader()
//     for group in footer.rowGroups {
//         let chunk = group.chunks[column]
//         try reader.read(chunk, bytes.part(chunk.range), into: &values)  // group.rowCount of them
//     }
//
// Only the bytes of the chunk at hand are needed, and one page is decompressed at a time. Values
// go straight into the caller's memory. Read are flat columns; PLAIN, dictionary, RLE (Booleans)
// and DELTA_BINARY_PACKED pages of both versions; zstd or no compression. An optional column is
// read when no row is without a value.

import Bytes
import Zstd

/// Reads column chunks one after the other; keeps its memory in between.
///
/// Every method throws `ParquetError` with the offset of the page that is wrong; the values are
/// then undefined. The span of values has as many places as the chunk has rows.
package struct ParquetChunkReader: ~Copyable {
    private var decompressor: ZstdFrameReader

    /// The page at hand, decompressed, and `packingSlackByteCount` zeros.
    private(set) var page = ByteBuffer()

    /// - Throws: When memory is out.
    package init() throws(ParquetError) {
        do throws(ZstdError) {
            decompressor = try ZstdFrameReader()
        } catch {
            throw ParquetError(.zstd(error), at: 0)
        }
    }

    // MARK: - Columns

    /// Reads a column of the kind `.int32`.
    ///
    /// - Parameter bytes: Those of `chunk.range`.
    package mutating func read(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, into values: inout MutableSpan<Int32>
    ) throws(ParquetError) {
        try chunk.require(chunk.kind == .int32)
        try readIntegers(chunk, bytes, into: &values)
    }

    /// Reads a column of the kind `.int64` or `.timestamp`.
    package mutating func read(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, into values: inout MutableSpan<Int64>
    ) throws(ParquetError) {
        try chunk.require(chunk.kind == .int64 || chunk.kind == .timestamp)
        try readIntegers(chunk, bytes, into: &values)
    }

    /// Reads a column of the kind `.boolean`.
    package mutating func read(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, into values: inout MutableSpan<Bool>
    ) throws(ParquetError) {
        try chunk.require(chunk.kind == .boolean)
        precondition(values.count == chunk.rowCount)
        var cursor = PageCursor(chunk)
        while let page = try nextPage(chunk, bytes, &cursor) {
            do throws(ParquetError.Reason) {
                switch page.encoding {
                case .plain where page.isDictionary:
                    throw .unsupported("a dictionary of Booleans")
                case .plain: try decodePlain(page, into: &values)
                case .runLength: try decodeRuns(page, into: &values)
                default: throw .unsupported("the encoding of a page")
                }
            } catch {
                throw ParquetError(error, at: page.fileOffset)
            }
        }
    }

    /// Reads a column of the kind `.fixed`, its values one behind the other.
    package mutating func read(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, fixed values: inout MutableSpan<UInt8>
    ) throws(ParquetError) {
        guard case .fixed(let byteCount) = chunk.kind else {
            throw ParquetError(.wrongKind, at: chunk.range.offset)
        }
        precondition(values.count == chunk.rowCount * byteCount)
        var entries = ByteBuffer()
        var indices = [UInt32](repeating: 0, count: 0)
        var cursor = PageCursor(chunk)
        while let page = try nextPage(chunk, bytes, &cursor) {
            do throws(ParquetError.Reason) {
                let part = self.page.span.extracting(page.values)
                if page.encoding == .plain {
                    guard part.count == page.rows.count * byteCount else {
                        throw .corrupt("the size of a page")
                    }
                }
                switch page.encoding {
                case .plain where page.isDictionary:
                    entries.removeAll()
                    entries.append(part)
                case .plain: values.copy(part, to: page.rows.lowerBound * byteCount)
                case .dictionary, .plainDictionary:
                    indices = [UInt32](repeating: 0, count: page.rows.count)
                    var numbers = indices.mutableSpan
                    try decodeNumbers(
                        page, through: IndexMap(limit: entries.count / byteCount), into: &numbers,
                        rows: 0..<page.rows.count)
                    for (place, index) in zip(page.rows, indices) {
                        let entry = ByteRange(offset: Int(index) * byteCount, count: byteCount)
                        values.copy(entries.span.part(entry), to: place * byteCount)
                    }
                default: throw .unsupported("the encoding of a page")
                }
            } catch {
                throw ParquetError(error, at: page.fileOffset)
            }
        }
    }

    /// Reads a column of the kind `.string` as numbers into `strings`, which is filled anew.
    ///
    /// Where pages have a dictionary, an entry is one string; where they have none, a string that
    /// repeats in consecutive rows is. Entries need not differ.
    package mutating func read(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, strings: inout StringTable,
        into indices: inout MutableSpan<UInt32>
    ) throws(ParquetError) {
        try chunk.require(chunk.kind == .string)
        precondition(indices.count == chunk.rowCount)
        strings.removeAll()
        var dictionaryCount = 0
        var cursor = PageCursor(chunk)
        while let page = try nextPage(chunk, bytes, &cursor) {
            do throws(ParquetError.Reason) {
                switch page.encoding {
                case .plain where page.isDictionary:
                    try decodeDictionary(page, into: &strings)
                    dictionaryCount = strings.count
                case .plain: try decodeStrings(page, into: &strings, &indices)
                case .dictionary, .plainDictionary:
                    try decodeNumbers(
                        page, through: IndexMap(limit: dictionaryCount), into: &indices,
                        rows: page.rows)
                default: throw .unsupported("the encoding of a page")
                }
            } catch {
                throw ParquetError(error, at: page.fileOffset)
            }
        }
    }

    private mutating func readIntegers<Value: ColumnInteger>(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, into values: inout MutableSpan<Value>
    ) throws(ParquetError) {
        precondition(values.count == chunk.rowCount)
        var dictionary = DictionaryMap<Value>()
        var cursor = PageCursor(chunk)
        while let page = try nextPage(chunk, bytes, &cursor) {
            do throws(ParquetError.Reason) {
                switch page.encoding {
                case .plain where page.isDictionary:
                    try decodeEntries(page, into: &dictionary.entries)
                case .plain: try decodePlain(page, into: &values)
                case .dictionary, .plainDictionary:
                    try decodeNumbers(page, through: dictionary, into: &values, rows: page.rows)
                case .deltaBinaryPacked:
                    try decodeDelta(
                        self.page.span, from: page.values.lowerBound, end: page.values.upperBound,
                        into: &values, rows: page.rows)
                case .runLength: throw .unsupported("the encoding of a page")
                }
            } catch {
                throw ParquetError(error, at: page.fileOffset)
            }
        }
    }

    // MARK: - Pages

    /// Brings the next page into `page`, decompressed and checked; nil when all rows are read.
    private mutating func nextPage(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, _ cursor: inout PageCursor
    ) throws(ParquetError) -> DataPage? {
        precondition(bytes.count == chunk.range.count)
        while cursor.row < chunk.rowCount {
            let fileOffset = chunk.range.offset + cursor.offset
            var reader = ThriftReader(bytes.from(cursor.offset), fileOffset: fileOffset)
            let header = try reader.pageHeader()
            cursor.offset += reader.offset
            guard header.byteCount <= bytes.count - cursor.offset else {
                throw ParquetError(.truncated, at: fileOffset)
            }
            let stored = bytes.part(ByteRange(offset: cursor.offset, count: header.byteCount))
            cursor.offset += header.byteCount
            if header.kind == .index { continue }
            do throws(ParquetError.Reason) {
                let levels = try unfold(stored, header, codec: chunk.codec)
                return try cursor.take(
                    header, chunk, page.span, levelsEnd: levels, fileOffset: fileOffset)
            } catch {
                throw ParquetError(error, at: fileOffset)
            }
        }
        guard cursor.offset == bytes.count || chunk.rowCount == 0 else {
            throw ParquetError(
                .corrupt("bytes behind the last page"), at: chunk.range.offset + cursor.offset)
        }
        return nil
    }

    /// Checks a page as stored and decompresses it into `page`.
    ///
    /// - Returns: How many bytes of levels stand before the values (pages of version 2).
    private mutating func unfold(
        _ stored: Span<UInt8>, _ header: PageHeader, codec: Int32
    ) throws(ParquetError.Reason) -> Int {
        if let checksum = header.checksum, CRC32.checksum(of: stored) != checksum {
            throw .checksumMismatch
        }
        guard let codec = Codec(rawValue: codec) else { throw .unsupported("the compression") }
        guard header.uncompressedByteCount <= ParquetLimits.pageByteCountMax else {
            throw .tooLarge("a page")
        }
        var levelsByteCount = 0
        if header.kind == .dataV2 {
            levelsByteCount = header.repetitionByteCount + header.definitionByteCount
            guard levelsByteCount <= min(stored.count, header.uncompressedByteCount) else {
                throw .truncated
            }
        }
        page.removeAll()
        page.append(stored.extracting(0..<levelsByteCount))
        let rest = stored.from(levelsByteCount)
        let byteCount = header.uncompressedByteCount - levelsByteCount
        if codec == .uncompressed || !header.isCompressed {
            guard rest.count == byteCount else { throw .corrupt("the size of a page") }
            page.append(rest)
        } else if byteCount > 0 || !rest.isEmpty {
            do throws(ZstdError) {
                try decompressor.read(rest, byteCount: byteCount, into: &page)
            } catch {
                throw .zstd(error)
            }
        }
        page.append(word: 0, byteCount: packingSlackByteCount)
        return levelsByteCount
    }
}

extension ParquetChunk {
    fileprivate func require(_ isRightKind: Bool) throws(ParquetError) {
        if isRightKind { return }
        if case .unsupported(let what) = kind {
            throw ParquetError(.unsupported(what), at: range.offset)
        }
        throw ParquetError(.wrongKind, at: range.offset)
    }
}
