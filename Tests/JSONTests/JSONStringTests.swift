import Bytes
import JSON
import Testing

@Suite struct JSONStringTests {
    @Test(arguments: [
        ("\"\"", "", false), ("\"abc\"", "abc", false), ("\"é😀\"", "é😀", false),
        ("\"12345678901234567\"", "12345678901234567", false),
        ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t", true),
        ("\"\\u0041\\u00e9\\u20AC\\uFFFD\"", "Aé€\u{FFFD}", true),
        ("\"\\u0000\"", "\u{0}", true),
        ("\"\\u007F\\u0080\\u07ff\\u0800\"", "\u{7F}\u{80}\u{7FF}\u{800}", true),
        ("\"\\ud83d\\uDE00\"", "😀", true), ("\"\\uD800\\uDC00\"", "\u{10000}", true),
        ("\"\\uDBFF\\uDFFF\"", "\u{10FFFF}", true), ("\"x\\u0022y\"", "x\"y", true),
    ])
    func `decodes a string`(text: String, expected: String, hasEscapes: Bool) throws {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        let string = try reader.string(bytes.span)
        try reader.end(bytes.span)
        #expect(string.hasEscapes == hasEscapes)
        #expect(string.range == ByteRange(from: 1, to: bytes.count - 1))
        #expect(Array(decoded(string, bytes.span).utf8) == Array(expected.utf8))
    }

    /// Sequences around each border of RFC 3629 §4; true: well-formed.
    static let sequences: [([UInt8], Bool)] = [
        ([0x7F], true), ([0x80], false), ([0xBF], false), ([0xC0, 0x80], false),
        ([0xC1, 0xBF], false), ([0xC2, 0x80], true), ([0xDF, 0xBF], true), ([0xC2, 0x7F], false),
        ([0xC2, 0xC0], false), ([0xE0, 0x9F, 0xBF], false), ([0xE0, 0xA0, 0x80], true),
        ([0xE1, 0x80, 0x80], true), ([0xEC, 0xBF, 0xBF], true), ([0xED, 0x9F, 0xBF], true),
        ([0xED, 0xA0, 0x80], false), ([0xED, 0xBF, 0xBF], false), ([0xEE, 0x80, 0x80], true),
        ([0xEF, 0xBF, 0xBF], true), ([0xE1, 0x80, 0x41], false), ([0xF0, 0x8F, 0xBF, 0xBF], false),
        ([0xF0, 0x90, 0x80, 0x80], true), ([0xF3, 0xBF, 0xBF, 0xBF], true),
        ([0xF4, 0x8F, 0xBF, 0xBF], true), ([0xF4, 0x90, 0x80, 0x80], false),
        ([0xF5, 0x80, 0x80, 0x80], false), ([0xF8, 0x88, 0x80, 0x80, 0x80], false),
        ([0xFE], false), ([0xFF], false), ([0xF0, 0x90, 0x80, 0x22], false),
    ]

    @Test(arguments: sequences, [0, 1, 6, 7, 8, 9])
    func `takes well-formed UTF-8 alone, wherever it stands`(
        sequence: ([UInt8], Bool), before: Int
    ) {
        let plain = [UInt8](repeating: UInt8(ascii: "x"), count: before)
        for after in [0, 1, 9] {
            let text =
                [0x22] + plain + sequence.0 + plain + [UInt8](repeating: 0x61, count: after) + [
                    0x22
                ]
            let expected = sequence.1 ? nil : JSONError(.badUTF8, at: 1 + before)
            #expect(refusal(of: text) == expected, "\(sequence.0) after \(before)")
        }
    }

    @Test(arguments: 0..<40)
    func `finds a string's end at any length and place`(length: Int) throws {
        for before in 0..<9 {
            for after in [0, 1, 5, 12] {
                let text =
                    [UInt8](repeating: 0x20, count: before) + [0x22]
                    + [UInt8](repeating: 0x61, count: length) + [0x22]
                    + [UInt8](repeating: 0x20, count: after)
                var reader = JSONReader()
                let string = try reader.string(text.span)
                #expect(string.range == ByteRange(offset: before + 1, count: length))
            }
        }
    }

    @Test(arguments: [
        ("\"sku\"", true), ("\"sk\"", false), ("\"skuu\"", false), ("\"skv\"", false),
        ("\"SKU\"", false), ("\"\\u0073ku\"", true), ("\"sk\\u0075\"", true),
        ("\"sk\\u0075x\"", false), ("\"\\u0073k\"", false), ("\"\"", false),
    ])
    func `compares with a name, its escapes decoded`(text: String, expected: Bool) throws {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        let string = try reader.string(bytes.span)
        #expect(string.equals("sku", in: bytes.span) == expected)
    }

    @Test func `refuses a key said twice, however it is written`() throws {
        let bytes = Array("{\"a\":1,\"b\":2,\"\\u0061\":3}".utf8)
        var reader = JSONReader()
        var seen = JSONSeenKeys()
        var error: JSONError?
        try reader.beginObject(bytes.span)
        while let key = try reader.nextKey(bytes.span) {
            do throws(JSONError) {
                try seen.insert(key, in: bytes.span)
            } catch let thrown {
                error = thrown
            }
            try reader.skipValue(bytes.span)
        }
        #expect(error == JSONError(.duplicateKey, at: 14))
        #expect(seen.count == 2)
    }

    @Test func `takes 64 distinct keys and refuses one more`() throws {
        let bytes = Array(
            ("{" + (0...64).map { "\"key\($0)\":0" }.joined(separator: ",") + "}").utf8)
        var reader = JSONReader()
        var seen = JSONSeenKeys()
        var errors: [JSONErrorCode] = []
        try reader.beginObject(bytes.span)
        while let key = try reader.nextKey(bytes.span) {
            do throws(JSONError) {
                try seen.insert(key, in: bytes.span)
            } catch let thrown {
                errors.append(thrown.code)
            }
            try reader.skipValue(bytes.span)
        }
        #expect(errors == [.tooManyKeys])
        #expect(seen.count == 64)
    }

    @Test func `notes each known field once`() throws {
        var seen = JSONSeenFields()
        try seen.note(0, at: 1)
        try seen.note(63, at: 2)
        #expect(seen.contains(0) && seen.contains(63) && !seen.contains(1))
        #expect(throws: JSONError(.duplicateKey, at: 3)) { try seen.note(63, at: 3) }
    }
}
