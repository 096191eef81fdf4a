import Bytes
import JSON
import Testing

@Suite struct JSONWriterTests {
    @Test(arguments: [
        ("", "\"\""), ("A1", "\"A1\""), ("SKU-0004711", "\"SKU-0004711\""),
        ("12345678", "\"12345678\""), ("a\"b", "\"a\\\"b\""), ("a\\b", "\"a\\\\b\""),
        ("é😀/", "\"é😀/\""),
        ("\u{8}\u{9}\u{A}\u{C}\u{D}", "\"\\b\\t\\n\\f\\r\""),
        ("\u{0}\u{1B}[31m", "\"\\u0000\\u001b[31m\""),
        ("1234567\"\n", "\"1234567\\\"\\n\""), ("\u{7F}\u{2028}", "\"\u{7F}\u{2028}\""),
    ])
    func `writes a string`(text: String, expected: String) {
        var buffer = ByteBuffer()
        buffer.append(jsonString: Array(text.utf8).span)
        #expect(buffer.span.text == expected)
    }

    @Test(
        arguments: [
            ([0x61, 0xFF, 0x62], "\"a\u{FFFD}b\""), ([0xE2, 0x82], "\"\u{FFFD}\u{FFFD}\""),
            ([0xED, 0xA0, 0x80], "\"\u{FFFD}\u{FFFD}\u{FFFD}\""), ([0xC3], "\"\u{FFFD}\""),
        ] as [([UInt8], String)])
    func `writes bytes that are no text as replacement characters`(bytes: [UInt8], expected: String)
    {
        var buffer = ByteBuffer()
        buffer.append(jsonString: bytes.span)
        #expect(buffer.span.text == expected)
    }

    @Test func `whatever is written is one string on one line, and reads back`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<5000 {
            let text = Value.randomString(using: &random)
            var buffer = ByteBuffer()
            buffer.append(jsonString: Array(text.utf8).span)
            var reader = JSONReader()
            let string = try reader.string(buffer.span)
            try reader.end(buffer.span)
            #expect(Array(decoded(string, buffer.span).utf8) == Array(text.utf8), "seed \(seed)")
            #expect(!buffer.span.text.utf8.contains { $0 < 0x20 }, "seed \(seed)")
        }
    }

    @Test func `every byte in every lane is written readably`() {
        for byte in UInt8.min...UInt8.max {
            for before in 0..<9 {
                var buffer = ByteBuffer()
                let text = [UInt8](repeating: 0x61, count: before) + [byte, 0x62]
                buffer.append(jsonString: text.span)
                var written: [UInt8] = []
                for offset in 0..<buffer.count { written.append(buffer[offset]) }
                #expect(refusal(of: written) == nil, "\(byte) after \(before)")
            }
        }
    }

    @Test func `copies what is known to be plain or escaped`() throws {
        let bytes = Array("\"a\\nb\"".utf8)
        var reader = JSONReader()
        let string = try reader.string(bytes.span)
        var buffer = ByteBuffer()
        buffer.append(jsonEscaped: string, from: bytes.span)
        buffer.append(jsonPlain: Array("A1".utf8).span)
        buffer.append(jsonBoolean: true)
        buffer.append(jsonBoolean: false)
        #expect(buffer.span.text == "\"a\\nb\"\"A1\"truefalse")
    }
}
