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
    private var page = ByteBuffer()

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

    // MARK: - Values

    /// Numbers behind a byte that says how wide they are.
    private borrowing func decodeNumbers<Map: NumberMap & ~Copyable>(
        _ page: DataPage, through map: borrowing Map, into values: inout MutableSpan<Map.Value>,
        rows: Range<Int>
    ) throws(ParquetError.Reason) {
        guard !page.values.isEmpty else {
            guard rows.isEmpty else { throw .truncated }
            return
        }
        let width = Int(self.page[page.values.lowerBound])
        guard width <= 32 else { throw .corrupt("a width of packed numbers") }
        try decodeHybrid(
            self.page.span, from: page.values.lowerBound + 1, end: page.values.upperBound,
            width: width, through: map, into: &values, rows: rows)
    }

    private borrowing func decodePlain<Value: ColumnInteger>(
        _ page: DataPage, into values: inout MutableSpan<Value>
    ) throws(ParquetError.Reason) {
        let byteCount = MemoryLayout<Value>.size
        guard page.values.count == page.rows.count * byteCount else {
            throw .corrupt("the size of a page")
        }
        let bytes = self.page.span
        var offset = page.values.lowerBound
        for row in page.rows {
            // The page's slack makes up for a word wider than the value.
            let word = unsafe bytes.word(unchecked: offset)
            unsafe values[unchecked: row] = Value(truncatingIfNeeded: word)
            offset &+= byteCount
        }
    }

    private borrowing func decodeEntries<Value: ColumnInteger>(
        _ page: DataPage, into entries: inout Buffer<Value>
    ) throws(ParquetError.Reason) {
        let byteCount = MemoryLayout<Value>.size
        guard page.values.count == page.rows.count * byteCount else {
            throw .corrupt("the size of a page")
        }
        for offset in stride(
            from: page.values.lowerBound, to: page.values.upperBound, by: byteCount)
        {
            entries.append(Value(truncatingIfNeeded: self.page.span.word(at: offset)))
        }
    }

    private borrowing func decodePlain(
        _ page: DataPage, into values: inout MutableSpan<Bool>
    ) throws(ParquetError.Reason) {
        guard page.values.count == (page.rows.count + 7) / 8 else {
            throw .corrupt("the size of a page")
        }
        for (index, row) in page.rows.enumerated() {
            let byte = self.page[page.values.lowerBound + index / 8]
            values[row] = byte >> UInt8(index % 8) & 1 == 1
        }
    }

    /// Booleans as runs, behind the length of these in four bytes.
    private borrowing func decodeRuns(
        _ page: DataPage, into values: inout MutableSpan<Bool>
    ) throws(ParquetError.Reason) {
        guard page.values.count >= 4 else { throw .truncated }
        let length = self.page.span.word(at: page.values.lowerBound) & 0xFFFF_FFFF
        guard length == page.values.count - 4 else { throw .corrupt("the size of a page") }
        try decodeHybrid(
            self.page.span, from: page.values.lowerBound + 4, end: page.values.upperBound,
            width: 1, through: BooleanMap(), into: &values, rows: page.rows)
    }

    private borrowing func decodeDictionary(
        _ page: DataPage, into strings: inout StringTable
    ) throws(ParquetError.Reason) {
        var offset = page.values.lowerBound
        for _ in page.rows { strings.append(try string(page, &offset)) }
        guard offset == page.values.upperBound else {
            throw .corrupt("bytes behind the last value")
        }
    }

    private borrowing func decodeStrings(
        _ page: DataPage, into strings: inout StringTable, _ indices: inout MutableSpan<UInt32>
    ) throws(ParquetError.Reason) {
        var offset = page.values.lowerBound
        for row in page.rows {
            let string = try string(page, &offset)
            // At most `rowGroupRowCountMax` strings and as many entries of a dictionary.
            let isNew = row == page.rows.lowerBound || !string.equals(strings[strings.count - 1])
            if isNew { strings.append(string) }
            indices[row] = UInt32(strings.count - 1)
        }
        guard offset == page.values.upperBound else {
            throw .corrupt("bytes behind the last value")
        }
    }

    /// The string at `offset`, behind its length in four bytes.
    @_lifetime(borrow self)
    private borrowing func string(
        _ page: DataPage, _ offset: inout Int
    ) throws(ParquetError.Reason) -> Span<UInt8> {
        guard page.values.upperBound - offset >= 4 else { throw .truncated }
        let length = Int(self.page.span.word(at: offset) & 0xFFFF_FFFF)
        offset += 4
        guard length <= page.values.upperBound - offset else { throw .truncated }
        guard length <= ParquetLimits.stringByteCountMax else { throw .tooLarge("a string") }
        let string = self.page.span.part(ByteRange(offset: offset, count: length))
        guard string.firstInvalidUTF8() == nil else { throw .corrupt("a string is not UTF-8") }
        offset += length
        return string
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

extension MutableSpan<UInt8> {
    /// Writes `bytes` over those from `offset` on.
    fileprivate mutating func copy(_ bytes: Span<UInt8>, to offset: Int) {
        precondition(offset >= 0 && bytes.count <= count - offset)
        for index in bytes.indices { self[offset + index] = bytes[index] }
    }
}
