import Bytes
import JSON
import Testing

@Suite struct JSONNumberTests {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("-1", -1), ("10", 10), ("  7 ", 7),
        ("9007199254740993", 9_007_199_254_740_993),
        ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
        ("1000000000000000000", 1_000_000_000_000_000_000),
    ])
    func `reads an integer exactly`(text: String, expected: Int64) throws {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        #expect(try reader.integer(bytes.span) == expected)
        try reader.end(bytes.span)
    }

    @Test(arguments: [
        ("-0", JSONErrorCode.negativeZero), ("-0.0", .notAnInteger), ("0.0", .notAnInteger),
        ("1.5", .notAnInteger), ("1.0", .notAnInteger), ("1e2", .hasExponent),
        ("1E2", .hasExponent),
        ("1e308", .hasExponent), ("1e-1", .hasExponent), ("0e0", .hasExponent),
        ("9223372036854775808", .numberOutOfRange), ("-9223372036854775809", .numberOutOfRange),
        ("9999999999999999999", .numberOutOfRange), ("18446744073709551616", .numberOutOfRange),
        ("100000000000000000000000", .numberOutOfRange), ("01", .leadingZero),
        ("-01", .leadingZero),
        ("00", .leadingZero), ("00000000000000000000000001", .leadingZero), ("-", .truncated),
        ("- 1", .badNumber), ("--1", .badNumber), ("-a", .badNumber), ("+1", .unexpectedByte),
        ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte), ("١", .unexpectedByte),
        ("１", .unexpectedByte), ("\"1\"", .wrongKind), ("[1]", .wrongKind), ("true", .wrongKind),
        ("null", .wrongKind), ("", .truncated),
    ])
    func `refuses what is no integer in range, each by its own code`(
        text: String, code: JSONErrorCode
    ) {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        let error = #expect(throws: JSONError.self) { try reader.integer(bytes.span) }
        #expect(error?.code == code)
        #expect(reader.offset == 0)
    }

    @Test(arguments: ["1", "-9"])
    func `a million digits are out of range, and skipped as a number`(start: String) {
        let text = Array((start + String(repeating: "7", count: 1_000_000)).utf8)
        var reader = JSONReader()
        #expect(throws: JSONError(.numberOutOfRange, at: 0)) { try reader.integer(text.span) }
        #expect(refusal(of: text) == nil)
    }

    @Test func `holds an integer to a range`() throws {
        let bytes = Array("[ 1,5,0,6]".utf8)
        var reader = JSONReader()
        try reader.beginArray(bytes.span)
        for expected: Int64 in [1, 5] {
            #expect(try reader.nextElement(bytes.span) == true)
            #expect(try reader.integer(bytes.span, in: 1...5) == expected)
        }
        #expect(try reader.nextElement(bytes.span) == true)
        #expect(throws: JSONError(.numberOutOfRange, at: 6)) {
            try reader.integer(bytes.span, in: 1...5)
        }
    }

    @Test(arguments: [
        ("2", 200), ("2.5", 250), ("2.50", 250), ("0.01", 1), ("-0.01", -1), ("100", 10_000),
        ("0", 0), ("0.00", 0), ("92233720368547758.07", Int64.max),
        ("-92233720368547758.08", Int64.min),
    ])
    func `reads hundredths exactly`(text: String, expected: Int64) throws {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        #expect(try reader.fixedPoint(bytes.span, places: 2) == expected)
        try reader.end(bytes.span)
    }

    @Test(arguments: [
        ("2.005", JSONErrorCode.notAnInteger), ("2.500", .notAnInteger), ("1e2", .hasExponent),
        ("1.5e1", .hasExponent), ("1.", .truncated), ("1.x", .badNumber), (".5", .unexpectedByte),
        ("-0.00", .negativeZero), ("-0", .negativeZero), ("00.1", .leadingZero),
        ("92233720368547758.08", .numberOutOfRange), ("9223372036854775807", .numberOutOfRange),
    ])
    func `refuses what is no number of hundredths`(text: String, code: JSONErrorCode) {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        let error = #expect(throws: JSONError.self) { try reader.fixedPoint(bytes.span, places: 2) }
        #expect(error?.code == code)
    }

    @Test func `any integer comes back from its decimal form`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<20_000 {
            let value =
                Int64(truncatingIfNeeded: random.next()) >> Int64.random(in: 0...63, using: &random)
            var buffer = ByteBuffer()
            buffer.append(decimal: value)
            var reader = JSONReader()
            let read = try reader.integer(buffer.span)
            #expect(read == value, "seed \(seed)")
        }
    }
}
