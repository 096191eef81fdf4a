import Bytes
import JSON
import Testing

@Suite struct JSONReaderTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "-1", "1.5", "1E5", "1e-7", "0.0e+00", "\"\"", "[]",
        "{}", " \t\r\n[ \t\r\n] \t\r\n", "{\"\":null}", "[1,2]", "[[],[[]],{}]",
        "{\"a\":{\"b\":[true,false,null,-0.5e1,\"x\"]}}", "[\"a\\u0000\\\"\"]", "{\"a\":1,\"a\":2}",
        "123456789012345678901234567890", "\"\u{7F}\u{2028}\u{FEFF}\"",
        "\"\\/\\b\\f\\n\\r\\t\\\\\"",
        "\"\\uD83D\\uDE00\"", "\"\\uFFFF\"", "[\"\\uDBFF\\uDFFF\"]",
    ])
    func `accepts a document`(text: String) {
        #expect(refusal(of: text) == nil)
    }

    @Test(arguments: [
        ("", JSONErrorCode.truncated, 0), ("  ", .truncated, 2), ("[", .truncated, 1),
        ("[1", .truncated, 2), ("[1,", .truncated, 3), ("{", .truncated, 1),
        ("{\"a", .truncated, 1), ("{\"a\"", .truncated, 4), ("{\"a\":", .truncated, 5),
        ("{\"a\":1", .truncated, 6), ("{\"a\":1,", .truncated, 7), ("tru", .truncated, 3),
        ("-", .truncated, 1), ("1.", .truncated, 2), ("1e", .truncated, 2), ("1e+", .truncated, 3),
        ("\"\\", .truncated, 1), ("\"\\u12", .truncated, 1), ("\"\\uD83D", .truncated, 1),
        ("\"\\uD83D\\", .truncated, 1), ("\"\\uD83D\\uDE0", .truncated, 7),
        ("]", .unexpectedByte, 0), ("}", .unexpectedByte, 0), (",", .unexpectedByte, 0),
        ("[,1]", .unexpectedByte, 1), ("[1,]", .unexpectedByte, 3), ("[1 2]", .unexpectedByte, 3),
        ("[1,,2]", .unexpectedByte, 3), ("[1}", .unexpectedByte, 2),
        ("{\"a\":1]", .unexpectedByte, 6),
        ("{,}", .unexpectedByte, 1), ("{\"a\":1,}", .unexpectedByte, 7),
        ("{\"a\",1}", .unexpectedByte, 4), ("{\"a\" 1}", .unexpectedByte, 5),
        ("{\"a\":}", .unexpectedByte, 5), ("{a:1}", .unexpectedByte, 1),
        ("{1:1}", .unexpectedByte, 1), ("{'a':1}", .unexpectedByte, 1),
        ("{\"a\":1 \"b\":2}", .unexpectedByte, 7), ("{\"a\"::1}", .unexpectedByte, 5),
        ("nul", .truncated, 3), ("nulL", .unexpectedByte, 3), ("True", .unexpectedByte, 0),
        ("NaN", .unexpectedByte, 0), ("Infinity", .unexpectedByte, 0), ("+1", .unexpectedByte, 0),
        (".5", .unexpectedByte, 0), ("-.5", .badNumber, 1), ("-a", .badNumber, 1),
        ("-Infinity", .badNumber, 1), ("1.e1", .badNumber, 2), ("1.a", .badNumber, 2),
        ("1ex", .badNumber, 2), ("1e+x", .badNumber, 3), ("01", .leadingZero, 0),
        ("-012", .leadingZero, 1), ("0x1", .trailingBytes, 1), ("1_000", .trailingBytes, 1),
        ("1 1", .trailingBytes, 2), ("[] []", .trailingBytes, 3), ("{}}", .trailingBytes, 2),
        ("truex", .trailingBytes, 4), ("\"a\"b", .trailingBytes, 3), ("[]\u{0}", .trailingBytes, 2),
        ("// c\n1", .unexpectedByte, 0), ("1/**/", .trailingBytes, 1),
        ("[1]\u{A0}", .trailingBytes, 3), ("\u{FEFF}1", .unexpectedByte, 0),
        ("\u{C}1", .unexpectedByte, 0), ("\u{B}1", .unexpectedByte, 0),
        ("\"\n\"", .controlCharacter, 1), ("\"\u{0}\"", .controlCharacter, 1),
        ("\"a\tb\"", .controlCharacter, 2), ("\"12345678\u{1F}\"", .controlCharacter, 9),
        ("\"\\x\"", .badEscape, 1), ("\"\\'\"", .badEscape, 1), ("\"\\U0041\"", .badEscape, 1),
        ("\"\\u12G4\"", .badEscape, 1), ("\"\\u 123\"", .badEscape, 1),
        ("\"\\u123\"", .badEscape, 1), ("\"\\\u{0}\"", .badEscape, 1),
        ("\"\\uD800\"", .loneSurrogate, 1), ("\"\\uDFFF\"", .loneSurrogate, 1),
        ("\"\\uD83Dx\"", .loneSurrogate, 1), ("\"\\uD83D\\n\"", .loneSurrogate, 1),
        ("\"\\uD83D\\uD83D\"", .loneSurrogate, 1), ("\"\\uD83D\\u0041\"", .loneSurrogate, 1),
    ])
    func `refuses a text that is no document`(text: String, code: JSONErrorCode, offset: Int) {
        #expect(refusal(of: text) == JSONError(code, at: offset))
    }

    @Test func `nests as deep as the limit and no deeper`() {
        for depthMax in [0, 1, 4, 16, 64] {
            let deepest =
                String(repeating: "[", count: depthMax) + "1"
                + String(repeating: "]", count: depthMax)
            #expect(refusal(of: deepest, depthMax: depthMax) == nil)
            #expect(
                refusal(of: "[" + deepest + "]", depthMax: depthMax)
                    == JSONError(.tooDeep, at: depthMax))
        }
    }

    @Test(arguments: ["[", "{\"a\":", "[{\"a\":"])
    func `refuses a nesting of 100,000 at its seventeenth bracket`(opening: String) {
        let text = String(repeating: opening, count: 100_000)
        #expect(refusal(of: text)?.code == .tooDeep)
        #expect((refusal(of: text)?.offset ?? 0) < 17 * opening.utf8.count)
    }

    @Test func `siblings do not add to the depth`() {
        let text = "[" + String(repeating: "[[]],{\"a\":{}},", count: 1000) + "0]"
        #expect(refusal(of: text, depthMax: 3) == nil)
    }

    @Test func `walks an object as its caller asks`() throws {
        let body = Array(" { \"sku\" : \"A1\" , \"qty\" : 3 , \"to\" : [ \"x\", \"y\" ] } ".utf8)
        var reader = JSONReader()
        var found: [String] = []
        try reader.beginObject(body.span)
        while let key = try reader.nextKey(body.span) {
            if key.equals("sku", in: body.span) {
                found.append(decoded(try reader.string(body.span), body.span))
            } else if key.equals("qty", in: body.span) {
                found.append("\(try reader.integer(body.span))")
            } else {
                #expect(key.equals("to", in: body.span) == true)
                try reader.beginArray(body.span)
                while try reader.nextElement(body.span) {
                    #expect(reader.depth == 2)
                    found.append(decoded(try reader.string(body.span), body.span))
                }
            }
        }
        try reader.end(body.span)
        #expect(found == ["A1", "3", "x", "y"])
        #expect(reader.depth == 0 && reader.offset == body.count)
    }

    @Test(arguments: [
        ("{\"qty\":1}", true), ("{\"qty\" :1}", false), ("{ \"qty\":1}", false),
        ("{\"qt\":1}", false), ("{\"qtyy\":1}", false), ("{\"qt\\u0079\":1}", false), ("{}", false),
        ("{\"qty\"", false), ("{\"qty", false), ("{", false),
    ])
    func `takes an expected key only as it is written most often`(text: String, taken: Bool) throws
    {
        let bytes = Array(text.utf8)
        var reader = JSONReader()
        try reader.beginObject(bytes.span)
        let before = reader.offset
        #expect(reader.takeKey(bytes.span, "qty") == taken)
        #expect(reader.offset == (taken ? 7 : before))
    }

    @Test func `an expected key needs its comma`() throws {
        let bytes = Array("{\"a\":1,\"b\":2}".utf8)
        var reader = JSONReader()
        try reader.beginObject(bytes.span)
        #expect(reader.takeKey(bytes.span, "a") == true)
        #expect(try reader.integer(bytes.span) == 1)
        #expect(reader.takeKey(bytes.span, "a") == false)
        #expect(reader.takeKey(bytes.span, "b") == true)
        #expect(try reader.integer(bytes.span) == 2)
        #expect(reader.takeKey(bytes.span, "b") == false)
        #expect(try reader.nextKey(bytes.span) == nil)
        try reader.end(bytes.span)

        let second = Array("{,\"a\":1}".utf8)
        reader = JSONReader()
        try reader.beginObject(second.span)
        #expect(reader.takeKey(second.span, "a") == false)
        let third = Array("{\"a\":1\"b\":2}".utf8)
        reader = JSONReader(offset: 0)
        try reader.beginObject(third.span)
        #expect(reader.takeKey(third.span, "a") == true)
        #expect(try reader.integer(third.span) == 1)
        #expect(reader.takeKey(third.span, "b") == false)
        #expect(throws: JSONError(.unexpectedByte, at: 6)) { try reader.nextKey(third.span) }
    }

    @Test(arguments: ["[1]", "{}", "\"1\"", "1", "true", "null"])
    func `a value of another kind is told from a malformed one`(text: String) {
        let bytes = Array(text.utf8)
        let wrong = JSONError(.wrongKind, at: 0)
        func check(_ kind: Character, _ read: (inout JSONReader) throws -> Void) {
            guard text.first != kind else { return }
            var reader = JSONReader()
            #expect(throws: wrong) { try read(&reader) }
            #expect(reader.offset == 0)
        }
        check("[") { try $0.beginArray(bytes.span) }
        check("{") { try $0.beginObject(bytes.span) }
        check("\"") { _ = try $0.string(bytes.span) }
        check("1") { _ = try $0.integer(bytes.span) }
        check("1") { _ = try $0.fixedPoint(bytes.span, places: 2) }
        check("t") { _ = try $0.boolean(bytes.span) }
        check("n") { try $0.null(bytes.span) }
    }

    @Test func `takes a null only where one is`() throws {
        let bytes = Array("[null,1]".utf8)
        var reader = JSONReader()
        try reader.beginArray(bytes.span)
        #expect(try reader.nextElement(bytes.span) == true)
        #expect(try reader.takeNull(bytes.span) == true)
        #expect(try reader.nextElement(bytes.span) == true)
        #expect(try reader.takeNull(bytes.span) == false)
        #expect(try reader.integer(bytes.span) == 1)
    }

    @Test func `every cut of a document is a truncation`() {
        let text = Array(
            "{\"a\":[1.5e-3,\"é\\uD83D\\uDE00\\n😀\",true,null],\"b\":{\"c\":false}}".utf8)
        for count in 0..<text.count {
            #expect(refusal(of: Array(text[..<count]))?.code == .truncated, "cut at \(count)")
        }
    }

    @Test func `follows bytes dropped from the front`() throws {
        let text = Array("[1,2]".utf8)
        var reader = JSONReader()
        try reader.beginArray(text.span)
        #expect(try reader.nextElement(text.span) == true)
        #expect(try reader.integer(text.span) == 1)
        let rest = Array(text[2...])
        reader.dropped(2)
        #expect(try reader.nextElement(rest.span) == true)
        #expect(try reader.integer(rest.span) == 2)
        #expect(try reader.nextElement(rest.span) == false)
        try reader.end(rest.span)
    }

    @Test func `every code has a stable name of its own`() {
        var names: Set<String> = []
        for code in JSONErrorCode.allCases {
            let name = code.name.description
            #expect(name.allSatisfy { $0 == "_" || $0 == "8" || $0.isLowercase })
            names.insert(name)
        }
        #expect(names.count == JSONErrorCode.allCases.count)
    }
}
