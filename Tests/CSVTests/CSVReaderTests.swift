import Bytes
import CSV
import Testing

/// What a file reads as: rows as their line and fields, refusals as their line and code.
enum Found: Equatable {
    case row(Int, [String])
    case refused(Int, CSVRefusalCode)
}

/// Reads `text` fed in pieces that end at `cuts`, dropping what may be dropped.
func read(_ text: [UInt8], cuts: [Int] = [], bufferMax: inout Int) -> [Found] {
    var reader = CSVReader()
    var buffer = ByteBuffer()
    var fed = 0
    var cuts = cuts[...]
    var found: [Found] = []
    while true {
        switch reader.nextRow(buffer.span, isFinal: fed == text.count) {
        case .row:
            var fields: [String] = []
            for index in 0..<reader.fieldCount {
                var field = ByteBuffer()
                field.append(unquoted: reader.field(index), from: buffer.span)
                fields.append(field.span.text)
            }
            found.append(.row(reader.rowLine, fields))
        case .refused(let refusal): found.append(.refused(refusal.line, refusal.code))
        case .end: return found
        case .needMore(let consumed):
            buffer.removeFirst(consumed)
            reader.dropped(consumed)
            let end = cuts.popFirst() ?? text.count
            buffer.reserve(end - fed)
            for offset in fed..<end { buffer.append(text[offset]) }
            fed = end
            bufferMax = max(bufferMax, buffer.count)
        }
    }
}

func read(_ text: [UInt8], cuts: [Int] = []) -> [Found] {
    var bufferMax = 0
    return read(text, cuts: cuts, bufferMax: &bufferMax)
}

@Suite struct CSVReaderTests {
    static let files: [(String, [Found])] = [
        ("", []), ("\n", []), ("\r\n\n\r\n", []), ("a", [.row(1, ["a"])]),
        ("a\n", [.row(1, ["a"])]), ("a\r\n", [.row(1, ["a"])]), (",", [.row(1, ["", ""])]),
        ("a,b,c\nd,e,f", [.row(1, ["a", "b", "c"]), .row(2, ["d", "e", "f"])]),
        ("a,b\r\n\r\n c ,\n", [.row(1, ["a", "b"]), .row(3, [" c ", ""])]),
        ("\"a\",\"\"\n\"\"", [.row(1, ["a", ""]), .row(2, [""])]),
        ("\"a,\"\"b\"\"\r\nc\",d\r\ne", [.row(1, ["a,\"b\"\r\nc", "d"]), .row(3, ["e"])]),
        ("\"\"\"\"\"\",x", [.row(1, ["\"\"", "x"])]), ("\"a\rb\"\n", [.row(1, ["a\rb"])]),
        ("\u{FEFF}a,b\n", [.row(1, ["a", "b"])]), ("\u{FEFF}", []),
        ("\u{FEFF}\"a\"", [.row(1, ["a"])]),
        ("a\u{FEFF}\n", [.row(1, ["a\u{FEFF}"])]),
        ("é,😀\nx\ty,z", [.row(1, ["é", "😀"]), .row(2, ["x\ty", "z"])]),
        ("a,b\"c\nd", [.refused(1, .badQuoting), .row(2, ["d"])]),
        ("a,b\"c,\"\nd", [.refused(1, .badQuoting), .row(2, ["d"])]),
        (" \"a\"\nb", [.refused(1, .badQuoting), .row(2, ["b"])]),
        ("\"a\" ,b\nc", [.refused(1, .badQuoting), .row(2, ["c"])]),
        ("\"a\nb\"x\nc", [.refused(1, .badQuoting), .row(3, ["c"])]),
        ("a\n\"b\n", [.row(1, ["a"]), .refused(2, .unclosedQuote)]),
        ("\"", [.refused(1, .unclosedQuote)]),
        ("\"a\"\"", [.refused(1, .unclosedQuote)]),
        ("a\rb\nc", [.refused(1, .bareCarriageReturn), .row(2, ["c"])]),
        ("a\r", [.refused(1, .bareCarriageReturn)]), ("\r", [.refused(1, .bareCarriageReturn)]),
        ("\"a\"\r", [.refused(1, .bareCarriageReturn)]),
        ("\"a\"\rb\nc", [.refused(1, .bareCarriageReturn), .row(2, ["c"])]),
        ("a\r\r\nb", [.refused(1, .bareCarriageReturn), .row(2, ["b"])]),
        ("a\u{0}b\nc", [.refused(1, .nulByte), .row(2, ["c"])]),
        ("\"a\n\u{0}\"\nc", [.refused(1, .nulByte), .row(3, ["c"])]),
        (
            String(repeating: ",", count: 31) + "x",
            [.row(1, [String](repeating: "", count: 31) + ["x"])]
        ),
        (String(repeating: ",", count: 32) + "\na", [.refused(1, .tooManyFields), .row(2, ["a"])]),
        (
            "\"\"" + String(repeating: ",\"\"", count: 32) + "\r\na",
            [.refused(1, .tooManyFields), .row(2, ["a"])]
        ),
        ("a,-b,!c\nd#,.", [.row(1, ["a", "-b", "!c"]), .row(2, ["d#", "."])]),
    ]

    @Test(arguments: files)
    func `reads a file, however it is cut`(text: String, expected: [Found]) {
        let bytes = Array(text.utf8)
        #expect(read(bytes) == expected)
        for cut in 0...bytes.count {
            #expect(read(bytes, cuts: [cut]) == expected, "cut at \(cut)")
        }
        #expect(read(bytes, cuts: Array(0...bytes.count)) == expected, "byte by byte")
    }

    @Test(arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
    func `refuses a row that is no UTF-8 and goes on`(bad: [UInt8]) {
        for before in 0..<10 {
            let plain = [UInt8](repeating: 0x61, count: before)
            let text = plain + bad + Array(",x\nb".utf8)
            let expected: [Found] = [.refused(1, .badUTF8), .row(2, ["b"])]
            #expect(read(text) == expected)
            #expect(read(text, cuts: Array(0...text.count)) == expected)
        }
    }

    @Test(arguments: ["y,", "\"y\",", "\"y\",\""], ["\n", "\r\n"])
    func `a row may have 64 KiB with its line end`(opening: String, lineEnd: String) {
        let ending = (opening.hasSuffix("\"") ? "\"" : "") + lineEnd
        for (byteCount, isAccepted) in [(65_535, true), (65_536, true), (65_537, false)] {
            let fieldCount = byteCount - opening.utf8.count - ending.utf8.count
            let field = String(repeating: "x", count: fieldCount)
            let first: Found = isAccepted ? .row(1, ["y", field]) : .refused(1, .rowTooLong)
            let text = Array((opening + field + ending + "z").utf8)
            #expect(read(text) == [first, .row(2, ["z"])], "\(byteCount)")
            #expect(read(text, cuts: [65_535, 65_536, 65_537]) == [first, .row(2, ["z"])])
        }
    }

    @Test(arguments: [1000, 65_536, 1_000_000])
    func `a line of 10 MB is skipped in little memory`(size: Int) {
        let text = Array(("a\n" + String(repeating: "x,y", count: 3_500_000) + "\nb\n").utf8)
        var bufferMax = 0
        let found = read(
            text, cuts: Array(stride(from: size, to: text.count, by: size)), bufferMax: &bufferMax)
        // The commas end more fields than a row may have long before it is too long.
        #expect(found == [.row(1, ["a"]), .refused(2, .tooManyFields), .row(3, ["b"])])
        #expect(bufferMax <= 65_536 + size)
    }

    @Test(arguments: [1000, 65_536, 1_000_000, 20_000_000])
    func `a field of 10 MB is skipped in little memory`(size: Int) {
        for quote in ["", "\""] {
            let field = String(repeating: "x", count: 10_000_000)
            let text = Array("a\n\(quote)\(field)\(quote)\nb\n".utf8)
            var bufferMax = 0
            let found = read(
                text, cuts: Array(stride(from: size, to: text.count, by: size)),
                bufferMax: &bufferMax)
            #expect(found == [.row(1, ["a"]), .refused(2, .rowTooLong), .row(3, ["b"])])
            #expect(bufferMax <= 65_536 + size)
        }
    }

    @Test func `a quoted field that is too long is left at the next line, in any pieces`() {
        let text = Array(("\"x" + String(repeating: "line\n", count: 20_000)).utf8)
        let whole = read(text)
        #expect(whole.first == .refused(1, .rowTooLong))
        // 65,536 bytes are two, 13,106 lines of five bytes, and four bytes of line 13,107.
        #expect(whole.dropFirst().first == .row(13_108, ["line"]))
        #expect(read(text, cuts: Array(stride(from: 777, to: text.count, by: 777))) == whole)
    }

    @Test func `a doubled quote marks its own field alone`() {
        let text = Array("\"a\"\"\",b,\"c\"\n\"\"\"\"\nd".utf8)
        var reader = CSVReader()
        var marks: [Bool] = []
        while reader.nextRow(text.span, isFinal: true) == .row {
            for index in 0..<reader.fieldCount {
                marks.append(reader.field(index).hasDoubledQuotes)
            }
        }
        #expect(marks == [true, false, false, true, false])
    }

    @Test func `numbers physical lines`() {
        let text = Array("\n\"a\nb\nc\"\n\n\"d\"x\n\ne\n".utf8)
        #expect(
            read(text) == [.row(2, ["a\nb\nc"]), .refused(6, .badQuoting), .row(8, ["e"])])
    }

    @Test func `a random table reads as it was written, in random pieces`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<1000 {
            var buffer = ByteBuffer()
            var expected: [Found] = []
            var line = 1
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                var fields: [String] = []
                for index in 0...Int.random(in: 0...5, using: &random) {
                    if index > 0 { buffer.append(UInt8(ascii: ",")) }
                    let field = randomField(&random)
                    if field.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
                        buffer.append("\"" + field.replacing("\"", with: "\"\"") + "\"")
                    } else {
                        buffer.append(csvField: Array(field.utf8).span)
                    }
                    fields.append(field)
                }
                expected.append(.row(line, fields))
                line += 1 + fields.reduce(0) { $0 + $1.utf8.count { $0 == 0x0A } }
                buffer.append(Bool.random(using: &random) ? "\n" : "\r\n" as StaticString)
            }
            var text: [UInt8] = []
            for offset in 0..<buffer.count { text.append(buffer[offset]) }
            let cuts = (0..<4).map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()
            #expect(read(text, cuts: cuts) == expected, "seed \(seed)")
        }
    }

    @Test func `random bytes read the same whole and in pieces`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        let telling = Array("ab,,\"\"\n\n\r\u{0}é-".utf8) + [0xFF]
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                telling.randomElement(using: &random)!
            }
            let whole = read(text)
            let cuts = (0..<4).map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()
            #expect(read(text, cuts: cuts) == whole, "seed \(seed): \(text)")
            #expect(read(text, cuts: Array(0...text.count)) == whole, "seed \(seed): \(text)")
        }
    }

    private func randomField(_ random: inout SeededRandom) -> String {
        let alphabet = ["a", "B", "7", " ", ",", "\"", "\n", "\r", "\r\n", "é", "😀", "'", "|"]
        return (0..<Int.random(in: 0...12, using: &random))
            .map { _ in alphabet.randomElement(using: &random)! }.joined()
    }
}

/// A repeatable source of random numbers (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
