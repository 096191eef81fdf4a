import Bytes
import Parquet
import Testing

@Suite struct RoundTripTests {
    @Test(arguments: 0..<60)
    func `a table read is the table written`(round: Int) throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let rowCount = Int.random(in: 1...(round % 10 == 0 ? 3000 : 200), using: &random)
        let table = Table.random(rowCount: rowCount, using: &random)
        let rowGroupRowCount = Int.random(in: 1...rowCount, using: &random)
        let file = try table.file(
            rowGroupRowCount: max(rowGroupRowCount, rowCount / 10),
            level: Int.random(in: 1...5, using: &random))
        let same = try Table(file: file) == table
        #expect(same, "seed \(seed)")
    }

    @Test func `pages end and go on in every encoding`() throws {
        var random = SeededGenerator(seed: 7)
        let rowCount = 70_001  // Two whole pages and a part.
        let table = Table([
            .init("constant", .int32([Int32](repeating: -7, count: rowCount))),
            .init(
                "few",
                .int32((0..<rowCount).map { _ in Int32.random(in: 0..<1000, using: &random) })
            ),
            .init("growing", .int64((0..<rowCount).map { Int64($0) * 1_000_003 })),
            .init(
                "any",
                .int64((0..<rowCount).map { _ in Int64.random(in: .min ... .max, using: &random) })),
            .init("far apart", .timestamp((0..<rowCount).map { $0 % 7 == 0 ? .min : .max })),
            .init("repeated", .string((0..<rowCount).map { "SKU-\($0 / 100)" })),
            .init("unique", .string((0..<rowCount).map { "order-\($0)" })),
            .init("yes or no", .boolean((0..<rowCount).map { $0 % 3 == 0 })),
        ])
        let file = try table.file(rowGroupRowCount: 66_000)
        let same = try Table(file: file) == table
        #expect(same)
    }

    @Test func `every count of rows up to a few groups of eight, and of every distinct values`()
        throws
    {
        for rowCount in 1...70 {
            for distinct in [1, 2, 3, 5, 16, 33] {
                let table = Table([
                    .init("a", .int32((0..<rowCount).map { Int32($0 * 7 % distinct) })),
                    .init("b", .int64((0..<rowCount).map { Int64($0 / distinct) << 40 })),
                    .init("c", .string((0..<rowCount).map { "\($0 % distinct)" })),
                    .init("d", .boolean((0..<rowCount).map { $0 % distinct == 0 })),
                ])
                let same = try Table(file: table.file()) == table
                #expect(same, "\(rowCount) rows, \(distinct) values")
            }
        }
    }

    @Test func `a table without rows`() throws {
        let table = Table([.init("a", .int32([])), .init("b", .string([]))])
        let file = try table.file(metadata: ["key": "value"])
        let footer = try ParquetFooter(file: file.span)
        #expect(footer.rowCount == 0 && footer.rowGroups.isEmpty)
        #expect(footer.columns == [.init("a", .int32), .init("b", .string)])
        #expect(footer.metadata == ["key": "value"])
        #expect(footer.createdBy == "holdfast")
    }

    @Test func `the footer tells of row groups, texts and columns`() throws {
        let table = Table([
            .init("währung", .string(["a", "b", "a"])), .init("t", .timestamp([1, 2, 3])),
            .init("f", .fixed([[1, 2], [3, 4], [5, 6]], byteCount: 2)),
        ])
        let file = try table.file(rowGroupRowCount: 2, metadata: ["b": "2", "a": "ä"])
        let footer = try ParquetFooter(file: file.span)
        #expect(footer.rowCount == 3)
        #expect(footer.rowGroups.map(\.rowCount) == [2, 1])
        #expect(footer.metadata == ["a": "ä", "b": "2"])
        #expect(
            footer.columns == [
                .init("währung", .string), .init("t", .timestamp),
                .init("f", .fixed(byteCount: 2)),
            ])
    }

    @Test func `a footer is found from the last bytes of a file`() throws {
        let file = try Table([.init("a", .int64([1, 2]))]).file()
        let tail = Array(file.suffix(ParquetFooter.tailByteCount))
        let range = try ParquetFooter.range(tail: tail.span, fileByteCount: file.count)
        let footer = try ParquetFooter(file.span.part(range), at: range.offset)
        #expect(footer.rowCount == 2)
        var reader = try ParquetChunkReader()
        let values = try Table.values(footer.rowGroups[0].chunks[0], file, &reader)
        #expect(values == .int64([1, 2]))
    }

    @Test func `output may be taken away between chunks`() throws {
        var writer = try ParquetWriter([.init("a", .int32), .init("b", .int32)])
        var file: [UInt8] = []
        var output = ByteBuffer()
        for group in 0..<3 {
            for column in 0..<2 {
                let values = (0..<10).map { Int32($0 * (column + 1) + group) }
                try writer.write(values.span, into: &output)
                file += output.span.array
                output.removeAll()
                let (isBetween, byteCount) = (writer.isBetweenRowGroups, writer.byteCount)
                #expect(isBetween == (column == 1))
                #expect(byteCount == file.count)
            }
        }
        writer.finish(into: &output)
        file += output.span.array
        let table = try Table(file: file)
        var expected: [Int32] = []
        for group: Int32 in 0..<3 {
            for row: Int32 in 0..<10 { expected.append(row * 2 + group) }
        }
        #expect(table.columns[1].values == .int32(expected))
    }

    @Test func `a string of the longest length and an empty one`() throws {
        let long = String(repeating: "x", count: ParquetLimits.stringByteCountMax)
        let table = Table([.init("s", .string([long, "", long, long, ""]))])
        let same = try Table(file: table.file()) == table
        #expect(same)
    }

    @Test func `strings without a dictionary share an entry while they repeat`() throws {
        // Three of four differ, so there is no dictionary.
        let file = try Table([.init("s", .string(["a", "b", "b", "c"]))]).file()
        let chunk = try ParquetFooter(file: file.span).rowGroups[0].chunks[0]
        var strings = StringTable()
        var indices = [UInt32](repeating: 0, count: 4)
        var span = indices.mutableSpan
        var reader = try ParquetChunkReader()
        try reader.read(chunk, file.span.part(chunk.range), strings: &strings, into: &span)
        let count = strings.count
        #expect(indices == [0, 1, 1, 2])
        #expect(count == 3)
    }

    @Test func `the same values give the same bytes`() throws {
        let table = Table([.init("a", .int32([1, 2, 3])), .init("s", .string(["x", "y", "x"]))])
        let metadata = Dictionary(uniqueKeysWithValues: (0..<20).map { ("key \($0)", "\($0)") })
        #expect(try table.file(metadata: metadata) == table.file(metadata: metadata))
    }
}
