import Bytes
import CSV
import Testing

@testable import holdfast

@Suite struct RowEndTests {
    @Test(arguments: [0, 1, 7, 8, 9, 254 * 8, 255 * 8, 256 * 8, 10_000])
    func `every line feed of a long run is counted`(count: Int) {
        let census = LineCensus(Array(repeating: 0x0A, count: count).span)
        #expect(census.lineFeedCount == count)
        #expect(!census.hasQuotes)
    }

    @Test func `counts agree with a plain loop on any bytes`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        // Neighbours of the two bytes looked for, and their twins with the high bit set.
        let bytes: [UInt8] = [0x0A, 0x22, 0x0B, 0x09, 0x23, 0x21, 0x8A, 0xA2, 0, 0x80, 0xFF, 0x41]
        for round in 0..<500 {
            let count = Int.random(in: 0...5000, using: &random)
            let text = (0..<count).map { _ in bytes.randomElement(using: &random) ?? 0 }
            let census = LineCensus(text.span)
            #expect(
                census.lineFeedCount == text.count { $0 == 0x0A }, "seed \(seed), round \(round)")
            #expect(census.hasQuotes == text.contains(0x22), "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: 0..<20)
    func `a quote is seen wherever it stands`(offset: Int) {
        var text = [UInt8](repeating: 0x41, count: 20)
        text[offset] = 0x22
        let census = LineCensus(text.span)
        #expect(census.hasQuotes)
        #expect(census.lineFeedCount == 0)
    }

    @Test(arguments: [
        ("", 0), ("a", 0), ("a\n", 2), ("a\nb", 2), ("a\r\nb\r\nc", 6), ("\n\n", 2),
    ])
    func `the last line ends behind the last line feed`(text: String, end: Int) {
        #expect(text.utf8.span.endOfLastLine == end)
    }

    @Test(arguments: [
        ("", 0), ("a,b\nc", 4), ("a,\"b\n\nc\",d\ne", 11), ("\"a\n", 0), ("x\n\"a\n", 2),
        ("x\n\"a\n\"", 2), ("x\n\"a\"\"\n\"\ny", 9),
        // A quote inside a plain field spoils its own line alone.
        ("a\"b\nc\nd", 6),
        // What is behind the closing quote spoils the rest of that line.
        ("\"a\n\"b\nc\nd", 8), ("x\n\"a\n\"b", 2),
    ])
    func `a row ends where the service ends it`(text: String, end: Int) {
        #expect(text.utf8.span.endOfLastRow == end)
    }

    @Test(arguments: [
        ("a,b\n1", 4), ("\"a\nb\",c\n1", 8), ("a", nil), ("\"a\n", nil), ("\"a\"\"\n\"\n", 7),
    ])
    func `a header ends where its quotes are closed`(text: String, end: Int?) {
        #expect(text.utf8.span.endOfHeader == end)
    }
}

@Suite struct PieceCutterTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    @Test func `each piece begins with the header and ends with a row`() throws {
        let path = try folder.file("s.csv", "a,b\n1,2\n3,4\n5,6\n")
        #expect(
            try pieces(path, byteCount: 9) == [
                PlainPiece(
                    text: "a,b\n1,2\n3,4\n", number: 0, firstLine: 2, lineCount: 2,
                    headerLineCount: 1),
                PlainPiece(
                    text: "a,b\n5,6\n", number: 1, firstLine: 4, lineCount: 1, headerLineCount: 1),
            ])
    }

    @Test func `a row longer than a piece is a piece of its own`() throws {
        let path = try folder.file("s.csv", "a\n1\n123456789012345\n2\n")
        #expect(
            try pieces(path, byteCount: 1).map(\.text) == [
                "a\n1\n", "a\n123456789012345\n", "a\n2\n",
            ])
    }

    @Test func `lines of JSON have no header`() throws {
        let path = try folder.file("s.txt", "\n{\"a\":1}\n{\"a\":\"\\\"\"}\n{}")
        #expect(
            try pieces(path, byteCount: 12) == [
                PlainPiece(
                    text: "\n{\"a\":1}\n", number: 0, firstLine: 1, lineCount: 2,
                    headerLineCount: 0),
                PlainPiece(
                    text: "{\"a\":\"\\\"\"}\n", number: 1, firstLine: 3, lineCount: 1,
                    headerLineCount: 0),
                PlainPiece(
                    text: "{}", number: 2, firstLine: 4, lineCount: 0, headerLineCount: 0),
            ])
    }

    @Test(arguments: [1, 3, 8, 100])
    func `a line feed inside quotes ends no piece`(byteCount: Int) throws {
        let path = try folder.file("s.csv", "\"a\nb\",c\n\"1\n2\",3\n4,\"5\"\"\n\"\n")
        let found = try pieces(path, byteCount: byteCount)
        #expect(found.allSatisfy { $0.headerLineCount == 2 })
        let lines = found.map(\.firstLine)
        if byteCount == 100 { #expect(lines == [3]) } else { #expect(lines == [3, 5]) }
        #expect(
            found.map { $0.text.dropFirst(8) }.joined() == "\"1\n2\",3\n4,\"5\"\"\n\"\n")
    }

    @Test(arguments: ["a,b\n", "a,b", "\u{FEFF}a,b\n", "\n\r\n\na,b\n"])
    func `a file without rows has its header sent once`(text: String) throws {
        let found = try pieces(folder.file("s.csv", text), byteCount: 10)
        #expect(found.map(\.text) == ["a,b\n"])
    }

    @Test(arguments: ["", "\n\n", "\u{FEFF}"])
    func `a file without anything has no pieces`(text: String) throws {
        #expect(try pieces(folder.file("s.csv", text), byteCount: 10) == [])
    }

    @Test func `empty lines before the header count as lines`() throws {
        let path = try folder.file("s.csv", "\r\n\na\r\n1\r\n")
        #expect(
            try pieces(path, byteCount: 10) == [
                PlainPiece(
                    text: "a\r\n1\r\n", number: 0, firstLine: 4, lineCount: 1, headerLineCount: 1)
            ])
    }

    @Test func `an array is refused with advice`() throws {
        let path = try folder.file("s.json", " [{}]")
        #expect(
            throws: CommandError.failed(
                "\(path) is a JSON array: write one object a line instead")
        ) { try pieces(path, byteCount: 10) }
    }

    @Test func `compressed text is told by its bytes`() throws {
        let rows = (0..<200_000).map { "\($0),\($0 % 7)\n" }.joined()
        let path = try folder.file("s", "a,b\n" + rows, isCompressed: true)
        let found = try pieces(path, byteCount: 100_000)
        #expect(found.count > 10)
        #expect(found.map { $0.text.dropFirst(4) }.joined() == rows)
    }

    @Test func `damaged compressed text is an error`() throws {
        let text = "a\n" + String(repeating: "x\n", count: 9999)
        let path = try folder.file("s.csv.zst", text, isCompressed: true)
        try folder.cutShort("s.csv.zst", by: 3)
        #expect(
            throws: CommandError.failed("\(path) cannot be decompressed: zstd_truncated")
        ) { try pieces(path, byteCount: 10) }
    }

    @Test func `a name that promises compression must keep it`() throws {
        let path = try folder.file("s.csv.zst", "a\n1\n")
        #expect(
            throws: CommandError.failed(
                "\(path) is not compressed by zstd, in spite of its name")
        ) { try pieces(path, byteCount: 10) }
    }

    @Test func `a missing file is an error that names it`() {
        #expect(
            throws: CommandError.failed(
                "cannot open /no/such/file: No such file or directory (errno 2)")
        ) { try pieces("/no/such/file", byteCount: 10) }
    }

    @Test func `any file in any pieces has the same rows on the same lines`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let parts = ["a", "b,", ",", "\"", "\"\"", "\"x\ny\"", "\n", "\n", "\r\n", "é"]
        for round in 0..<300 {
            var text = "p,q\n"
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                text += parts.randomElement(using: &random) ?? ""
            }
            let path = try folder.file("s.csv", text)
            let whole = rows(text)
            for byteCount in [1, 2, 5, 17, 1000] {
                var found: [String] = []
                for piece in try pieces(path, byteCount: byteCount) {
                    found += rows(piece.text).dropFirst().map { row in
                        "\(piece.firstLine + row.line - 1 - piece.headerLineCount) \(row.text)"
                    }
                }
                #expect(
                    found == whole.dropFirst().map { "\($0.line) \($0.text)" },
                    "seed \(seed), round \(round), pieces of \(byteCount)")
            }
        }
    }

    /// The rows of a CSV as the service reads them: where each begins, and its fields or refusal.
    private func rows(_ text: String) -> [(line: Int, text: String)] {
        var reader = CSVReader()
        var found: [(Int, String)] = []
        let bytes = text.utf8.span
        while true {
            switch reader.nextRow(bytes, isFinal: true) {
            case .row:
                let fields = (0..<reader.fieldCount).map { bytes.part(reader.field($0).range).text }
                found.append((reader.rowLine, fields.joined(separator: "|")))
            case .refused(let refusal):
                found.append((refusal.line, refusal.code.name.description))
            case .needMore, .end: return found
            }
        }
    }
}
