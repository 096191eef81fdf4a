import Bytes
import CSV
import Testing

@Suite struct CSVHeaderTests {
    private static let columns = [
        CSVColumn("sku", isRequired: true), CSVColumn("location", isRequired: true),
        CSVColumn("sellable"), CSVColumn("damaged"),
    ]

    /// Reads the first row of `text` as a header; the fields of the second by column.
    private func columns(_ text: String) throws -> [String?] {
        let bytes = Array(text.utf8)
        var reader = CSVReader()
        #expect(reader.nextRow(bytes.span, isFinal: true) == .row)
        let header = try CSVHeader(Self.columns, row: reader, in: bytes.span)
        #expect(reader.nextRow(bytes.span, isFinal: true) == .row)
        if let refusal = header.refusal(of: reader) { throw refusal }
        return Self.columns.indices.map { number in
            header.field(number, of: reader).map { bytes.span.part($0.range).text }
        }
    }

    @Test(
        arguments: [
            ("sku,location,sellable,damaged\nA,S1,3,4", ["A", "S1", "3", "4"]),
            ("damaged,location,sku\n4,S1,A", ["A", "S1", nil, "4"]),
            ("\"sku\",\"location\"\r\nA,S1", ["A", "S1", nil, nil]),
            ("\u{FEFF}location,sku\nS1,A", ["A", "S1", nil, nil]),
        ] as [(String, [String?])])
    func `finds columns in any order`(text: String, expected: [String?]) throws {
        #expect(try columns(text) == expected)
    }

    @Test(arguments: [
        ("sku,location,colour\na,b,c", CSVRefusalCode.unknownColumn, 1, 2),
        ("SKU,location\na,b", .unknownColumn, 1, 0), ("sku, location\na,b", .unknownColumn, 1, 1),
        ("sku,location,\na,b,c", .unknownColumn, 1, 2), ("sk,location\na,b", .unknownColumn, 1, 0),
        ("\"sk\"\"u\",location\na,b", .unknownColumn, 1, 0),
        ("sku,location,sku\na,b,c", .duplicateColumn, 1, 2), ("sku\na", .missingColumn, 1, 1),
        ("location,damaged\na,b", .missingColumn, 1, 0),
        ("sku,location\na", .wrongFieldCount, 2, 1),
        ("\nsku,location\n\na,b,c", .wrongFieldCount, 4, 3),
    ])
    func `refuses a header or row that does not fit`(
        text: String, code: CSVRefusalCode, line: Int, index: Int
    ) {
        #expect(throws: CSVRefusal(code, line: line, index: index)) { try columns(text) }
    }

    @Test(arguments: [
        ("", ""), ("abc", "abc"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\""),
        ("a\rb", "\"a\rb\""), (" a ", " a "), ("é", "é"), ("\"", "\"\"\"\""),
        ("\u{FEFF}a", "\"\u{FEFF}a\""),
    ])
    func `quotes a field only where it must be`(text: String, expected: String) {
        var buffer = ByteBuffer()
        buffer.append(csvField: Array(text.utf8).span)
        #expect(buffer.span.text == expected)
    }

    @Test func `every code has a stable name of its own`() {
        let names = Set(CSVRefusalCode.allCases.map { $0.name.description })
        #expect(names.count == CSVRefusalCode.allCases.count)
        #expect(names.allSatisfy { $0.allSatisfy { $0 == "_" || $0 == "8" || $0.isLowercase } })
    }
}
