import Bytes
import Foundation
import Parquet
import Testing

/// Small files that PyArrow 26 and DuckDB 2.0 wrote, kept as seeds of the fuzzer.
@Suite struct ForeignFileTests {
    static func file(_ name: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = tests.appendingPathComponent("Fuzz/Corpus/parquet/\(name)")
        return Array(try Data(contentsOf: path))
    }

    /// What the columns `a` of the files hold.
    static let few: Table.Values = .int32([5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 2, 3, 1, 2, 3, 1, 2, -9])
    static let growing: Table.Values = .int64((0..<40).map { 1_000_000_000_000 + $0 * $0 })
    static let words: Table.Values = .string([
        "a", "bb", "a", "a", "bb", "a", "ä", "", "a", "bb", "a", "a",
    ])
    static let alternating: Table.Values = .boolean((0..<18).map { $0 % 2 == 0 })
    static let fixed: Table.Values = .fixed(
        ["abc", "def", "abc"].map { Array($0.utf8) }, byteCount: 3)

    @Test(arguments: [
        ("dictionary", few), ("dictionary-v2", few), ("plain", few), ("delta", growing),
        ("delta-v2", few), ("row-groups", few), ("timestamp", .timestamp((0..<9).map { $0 })),
        ("boolean", alternating), ("boolean-v2", alternating), ("strings", words),
        ("strings-plain", words), ("fixed", fixed), ("fixed-plain", fixed), ("optional", few),
        ("optional-v2", few), ("zstd", growing),
        ("duckdb", .int32((0..<300).map { $0 * 7 % 50 })),
    ])
    func `another program's values are read`(name: String, values: Table.Values) throws {
        let table = try Table(file: Self.file(name))
        #expect(table.columns[0] == Table.Column("a", values))
    }

    @Test func `the other columns of two of them`() throws {
        let optional = try Table(file: Self.file("optional"))
        #expect(optional.columns[1].values == .string([String](repeating: "x", count: 18)))
        let duckdb = try Table(file: Self.file("duckdb"))
        #expect(duckdb.columns[1].values == .string((0..<300).map { "n\($0 % 3)" }))
    }

    @Test func `rows without a value are not read`() throws {
        let file = try Self.file("nulls")
        let chunk = try ParquetFooter(file: file.span).rowGroups[0].chunks[0]
        let expected = ParquetError(.unsupported("rows without a value"), at: chunk.range.offset)
        var errors: [ParquetError] = []
        do throws(ParquetError) { _ = try Table(file: file) } catch { errors.append(error) }
        // The dictionary lies before the page that is refused.
        #expect(errors.map(\.reason) == [expected.reason])
        #expect(errors[0].offset > chunk.range.offset && errors[0].offset < chunk.range.end)
        #expect(errors[0].description.hasPrefix("parquet_unsupported at offset "))
    }

    @Test func `nested columns are not read`() throws {
        let file = try Self.file("nested")
        do throws(ParquetError) {
            _ = try ParquetFooter(file: file.span)
            Issue.record("no error")
        } catch {
            #expect(error.reason == .unsupported("nested columns"))
        }
    }
}
