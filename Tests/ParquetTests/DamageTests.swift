import Bytes
import Parquet
import Testing

/// Files with a bit flipped, cut, or claiming what is not so.
@Suite struct DamageTests {
    /// Every kind of column and every encoding, small.
    static let table = Table([
        .init("few", .int32([3, 3, 1, 2, 3, 1, 3, 3, 3])),
        .init("constant", .int32([Int32](repeating: 5, count: 9))),
        .init("growing", .int64((0..<9).map { 1_000_000 + $0 * $0 })),
        .init("any", .int64([.min, 7, .max, -1, 0, 1 << 40, 5, -(1 << 50), 12])),
        .init("at", .timestamp([1, 2, 3, 4, 5, 6, 7, 8, 9])),
        .init("few strings", .string(["a", "bb", "a", "a", "bb", "a", "a", "bb", "bb"])),
        .init("strings", .string(["one", "two", "", "ä", "five", "six", "7", "8", "9"])),
        .init("yes", .boolean([true, true, false, true, false, true, false, false, false])),
        .init("id", .fixed((0..<9).map { [$0, 7, 255 - $0] }, byteCount: 3)),
    ])

    @Test func `a flipped bit is an error or changes no value`() throws {
        let file = try Self.table.file(rowGroupRowCount: 5, metadata: ["key": "value"])
        let footer = try ParquetFooter(file: file.span)
        let pagesEnd = footer.rowGroups.flatMap(\.chunks).map(\.range.end).max() ?? 0
        let expected = Self.table.columns.map(\.values)
        var errors = 0
        for offset in file.indices {
            for bit: UInt8 in 0..<8 {
                var damaged = file
                damaged[offset] ^= 1 << bit
                do throws(ParquetError) {
                    let values = try Table(file: damaged).columns.map(\.values)
                    // The type that a column is shown as stands in the footer, unchecked.
                    let same =
                        values == expected || offset >= pagesEnd && sameBits(values, expected)
                    #expect(same, "offset \(offset) of \(file.count), bit \(bit)")
                } catch {
                    errors += 1
                    #expect(error.offset <= file.count)
                }
            }
        }
        #expect(errors > 8 * pagesEnd * 9 / 10)
    }

    /// Whether columns hold the same integers, whatever these stand for.
    private func sameBits(_ one: [Table.Values], _ other: [Table.Values]) -> Bool {
        func plain(_ values: Table.Values) -> Table.Values {
            if case .timestamp(let values) = values { return .int64(values) }
            return values
        }
        return one.map(plain) == other.map(plain)
    }

    @Test func `a flipped bit of a page is found by its checksum`() throws {
        let file = try Self.table.file()
        let chunk = try ParquetFooter(file: file.span).rowGroups[0].chunks[2]
        // The last byte of the chunk is the last of its only page.
        var damaged = file
        damaged[chunk.range.end - 1] ^= 4
        #expect(throws: ParquetError(.checksumMismatch, at: chunk.range.offset)) {
            try Table(file: damaged)
        }
    }

    @Test func `every cut of a file is noticed`() throws {
        let file = try Self.table.file(rowGroupRowCount: 5)
        for count in file.indices {
            #expect(throws: ParquetError.self, "\(count) of \(file.count)") {
                try Table(file: Array(file.prefix(count)))
            }
            #expect(throws: ParquetError.self, "the last \(count)") {
                try Table(file: Array(file.suffix(count)))
            }
        }
    }

    @Test func `other files are not Parquet`() {
        for text in ["", "PAR1", "PAR1PAR1", "PAR1....PARX", "sku,location,sellable\nA1,S01,3\n"] {
            do throws(ParquetError) {
                _ = try ParquetFooter(file: Array(text.utf8).span)
                Issue.record("\(text)")
            } catch {
                #expect(error.reason == .notParquet)
                #expect(error.code == "parquet_not_parquet")
            }
        }
    }

    @Test func `a footer longer than the file is a cut file`() {
        let file = Array("PAR1....".utf8) + [0xFF, 0xFF, 0xFF, 0x7F] + Array("PAR1".utf8)
        #expect(throws: ParquetError(.truncated, at: 8)) { try ParquetFooter(file: file.span) }
    }

    @Test func `a column of another kind is not read`() throws {
        let file = try Table([.init("a", .int32([1, 2]))]).file()
        let chunk = try ParquetFooter(file: file.span).rowGroups[0].chunks[0]
        var reader = try ParquetChunkReader()
        var values: [Int64] = [0, 0]
        var span = values.mutableSpan
        do throws(ParquetError) {
            try reader.read(chunk, file.span.part(chunk.range), into: &span)
            Issue.record("no error")
        } catch {
            #expect(error == ParquetError(.wrongKind, at: chunk.range.offset))
        }
    }
}
