import Bytes
import Testing
import Zstd

@testable import Parquet

/// Files of one column `a` of integers whose pages and counts are put together by hand.
@Suite struct HandmadeFileTests {
    /// A page with what its header says of it.
    struct Page {
        var kind = PageKind.data
        var encoding = Encoding.plain
        var valueCount = 2
        var bytes: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0]
        var uncompressedByteCount = 8
        var checksum: UInt32?
    }

    /// A file of one row group that has the pages given.
    static func file(
        _ pages: [Page], rowCount: Int = 2, groupCount: Int = 1, byteCount: Int? = nil,
        kind: ParquetColumn.Kind = .int32
    ) throws -> [UInt8] {
        var compressor = try ZstdFrameWriter(level: 1)
        var output = ByteBuffer()
        output.append(fileMark)
        for page in pages {
            var stored = ByteBuffer()
            try compressor.write(page.bytes.span, into: &stored)
            var header = ThriftWriter()
            header.pageHeader(
                page.kind, page.encoding, valueCount: page.valueCount,
                uncompressedByteCount: page.uncompressedByteCount, byteCount: stored.count,
                checksum: page.checksum ?? CRC32.checksum(of: stored.span))
            output.append(header.output.span)
            output.append(stored.span)
        }
        var chunk = ChunkRecord(offset: 4)
        chunk.dataOffset = 4
        chunk.byteCount = byteCount ?? output.count - 4
        let group = RowGroupRecord(rowCount: rowCount, chunks: [chunk])
        var footer = ThriftWriter()
        footer.footer(
            [ParquetColumn("a", kind)], Array(repeating: group, count: groupCount),
            rowCount: rowCount * groupCount, metadata: [:])
        output.append(footer.output.span)
        output.append(word: UInt64(footer.output.count), byteCount: 4)
        output.append(fileMark)
        return output.span.array
    }

    @Test func `pages follow one another`() throws {
        let table = try Table(file: Self.file([Page(), Page()], rowCount: 4))
        #expect(table.columns[0].values == .int32([1, 2, 1, 2]))
    }

    @Test func `a dictionary with the older number of its encoding`() throws {
        let pages = [
            Page(kind: .dictionary, encoding: .plainDictionary),
            Page(
                encoding: .plainDictionary, valueCount: 3, bytes: [1, 3, 0b011],
                uncompressedByteCount: 3),
        ]
        let table = try Table(file: Self.file(pages, rowCount: 3))
        #expect(table.columns[0].values == .int32([2, 2, 1]))
    }

    @Test func `Booleans have no dictionary`() throws {
        let dictionary = Page(
            kind: .dictionary, valueCount: 24, bytes: [1, 2, 3], uncompressedByteCount: 3)
        let values = Page(bytes: [1], uncompressedByteCount: 1)
        let file = try Self.file([dictionary, values], kind: .boolean)
        #expect(throws: ParquetError(.unsupported("a dictionary of Booleans"), at: 4)) {
            try Table(file: file)
        }
    }

    /// The fields of a page header's details that are read as numbers, of how many.
    @Test(arguments: [
        (PageKind.data, 5, [1, 2, 3], 4), (.dictionary, 7, [1, 2], 2),
        (.dataV2, 8, [1, 2, 4, 5, 6], 6),
    ])
    func `sizes in page headers have 32 bits`(
        kind: PageKind, structure: UInt8, fields: [Int], fieldCount: Int
    ) throws {
        func read(large: UInt64, in field: Int) throws(ParquetError) {
            var bytes = ByteBuffer()
            for value in [Int64(kind.rawValue), 8, 8] {
                bytes.append(0x15)
                bytes.append(zigzag: value)
            }
            bytes.append((structure - 3) << 4 | ThriftType.structure.rawValue)
            for number in 1...fieldCount {
                bytes.append(0x15)
                bytes.append(varint: number == field ? large : 0)
            }
            bytes.append(0)
            bytes.append(0)
            var reader = ThriftReader(bytes.span, fileOffset: 0)
            _ = try reader.pageHeader()
        }
        for field in fields {
            // As zigzag: the largest number of 32 bits, the one above, the largest of 64.
            try read(large: (1 << 31 - 1) << 1, in: field)
            #expect(throws: ParquetError.self) { try read(large: 1 << 32, in: field) }
            #expect(throws: ParquetError.self) { try read(large: .max - 1, in: field) }
        }
    }

    @Test func `page headers are not trusted`() throws {
        let limit = ParquetLimits.pageByteCountMax
        let cases: [([Page], ParquetError.Reason)] = [
            ([Page(uncompressedByteCount: limit + 1)], .tooLarge("a page")),
            ([Page(uncompressedByteCount: limit)], .zstd(.truncated)),
            ([Page(uncompressedByteCount: 7)], .zstd(.tooLarge)),
            ([Page(valueCount: 1)], .corrupt("the size of a page")),
            ([Page(valueCount: 3)], .corrupt("more values than the column has rows")),
            ([Page(checksum: 1)], .checksumMismatch),
            ([Page(encoding: .runLength)], .unsupported("the encoding of a page")),
            (
                [Page(kind: .dictionary, encoding: .deltaBinaryPacked)],
                .unsupported("the encoding of a dictionary")
            ),
            (
                [
                    Page(valueCount: 0, bytes: [], uncompressedByteCount: 0),
                    Page(kind: .dictionary),
                ],
                .corrupt("a dictionary behind other pages")
            ),
            ([Page(encoding: .dictionary, bytes: [], uncompressedByteCount: 0)], .truncated),
            (
                [Page(encoding: .dictionary, bytes: [33, 0, 0], uncompressedByteCount: 3)],
                .corrupt("a width of packed numbers")
            ),
            (
                [Page(encoding: .dictionary, bytes: [1, 4, 0], uncompressedByteCount: 3)],
                .corrupt("a number is not in the dictionary")
            ),
            ([Page(), Page()], .corrupt("bytes behind the last page")),
            ([], .truncated),
        ]
        for (pages, reason) in cases {
            let file = try Self.file(pages)
            do throws(ParquetError) {
                let table = try Table(file: file)
                Issue.record("\(table) instead of \(reason)")
            } catch {
                #expect(error.reason == reason)
            }
        }
    }

    @Test func `footers are not trusted`() throws {
        let rowCountMax = ParquetLimits.rowGroupRowCountMax
        let cases: [([UInt8], ParquetError.Reason)] = [
            (try Self.file([Page()], rowCount: rowCountMax + 1), .tooLarge("a row group")),
            (try Self.file([Page()], groupCount: 2), .corrupt("columns lie on one another")),
            (
                try Self.file([Page()], byteCount: 1 << 40),
                .corrupt("a column lies outside the file")
            ),
        ]
        for (file, reason) in cases {
            do throws(ParquetError) {
                _ = try ParquetFooter(file: file.span)
                Issue.record("no error instead of \(reason)")
            } catch {
                #expect(error.reason == reason)
            }
        }
    }

    @Test func `a page of a million rows may take a few bytes`() throws {
        let rowCount = 1 << 20
        // One value, and one run of it.
        let pages = [
            Page(kind: .dictionary, valueCount: 1, bytes: [7, 0, 0, 0], uncompressedByteCount: 4),
            Page(
                encoding: .dictionary, valueCount: rowCount,
                bytes: [1, 0x80, 0x80, 0x80, 1, 0], uncompressedByteCount: 6),
        ]
        let file = try Self.file(pages, rowCount: rowCount)
        let footer = try ParquetFooter(file: file.span)
        let chunk = footer.rowGroups[0].chunks[0]
        var values = [Int32](repeating: 0, count: rowCount)
        var span = values.mutableSpan
        var reader = try ParquetChunkReader()
        try reader.read(chunk, file.span.part(chunk.range), into: &span)
        var differing: Int32 = 0
        for value in values { differing |= value ^ 7 }
        #expect(differing == 0)
    }
}
