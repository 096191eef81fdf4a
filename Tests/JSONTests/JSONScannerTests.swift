import Bytes
import JSON
import Testing

@Suite struct JSONScannerTests {
    /// Feeds `text` to a value scanner in pieces that end at `cuts`, then says that it ended.
    private func scan(
        _ text: [UInt8], cuts: [Int], depthMax: Int = 16, byteCountMax: Int = .max
    ) -> JSONValueScanner.Step {
        var scanner = JSONValueScanner(depthMax: depthMax, byteCountMax: byteCountMax)
        for cut in cuts {
            let step = scanner.scan(Array(text[..<cut]).span, isFinal: false)
            if step != .needMore { return step }
        }
        return scanner.scan(text.span, isFinal: true)
    }

    @Test(arguments: [
        ("1 ", 1), (" 12,", 3), ("null]", 4), ("\"a]\\\"\" x", 6), ("[]", 2), ("[1,[2]] ", 7),
        ("{\"a\":\"}\"}}", 9), ("{\"\\\\\":[{}]}x", 11), ("-1.5e3\n", 6),
        ("\"12345678901\\\\\"1", 15),
    ])
    func `finds the end of a value, however it is cut`(text: String, end: Int) {
        let bytes = Array(text.utf8)
        #expect(scan(bytes, cuts: []) == .complete(end: end))
        for cut in 0...bytes.count {
            #expect(scan(bytes, cuts: [cut]) == .complete(end: end), "cut at \(cut)")
        }
        #expect(scan(bytes, cuts: Array(0...bytes.count)) == .complete(end: end))
    }

    @Test(arguments: [
        ("", JSONErrorCode.truncated, 0), ("  ", .truncated, 2), (" [", .truncated, 1),
        ("\"a", .truncated, 0), ("\"a\\\"", .truncated, 0), ("x", .unexpectedByte, 0),
        ("]", .unexpectedByte, 0), ("[}", .unexpectedByte, 1), ("{]", .unexpectedByte, 1),
        ("[[[1]]]", .tooDeep, 2), ("{\"a\":[1,2,3,4,5,6,7,8,9]}", .valueTooLong, 0),
    ])
    func `refuses what can be no value, however it is cut`(
        text: String, code: JSONErrorCode, offset: Int
    ) {
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            let step = scan(bytes, cuts: [cut], depthMax: 2, byteCountMax: 16)
            #expect(step == .refused(JSONError(code, at: offset)), "cut at \(cut)")
        }
    }

    @Test func `a number at the end of a piece may go on`() {
        var scanner = JSONValueScanner()
        #expect(scanner.scan(Array("12".utf8).span, isFinal: false) == .needMore)
        #expect(scanner.scan(Array("123".utf8).span, isFinal: false) == .needMore)
        #expect(scanner.scan(Array("123".utf8).span, isFinal: true) == .complete(end: 3))
    }

    @Test func `a refusal is for good`() {
        var scanner = JSONValueScanner()
        let expected = JSONValueScanner.Step.refused(JSONError(.unexpectedByte, at: 0))
        #expect(scanner.scan(Array("x".utf8).span, isFinal: false) == expected)
        #expect(scanner.scan(Array("x1".utf8).span, isFinal: true) == expected)
    }

    @Test func `random documents end where they end, in random pieces`() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededRandom(seed: seed)
        for _ in 0..<1000 {
            let text = Value.random(depth: 4, using: &random).written(using: &random)
            let cuts = (0..<5).map { _ in Int.random(in: 0...text.count, using: &random) }.sorted()
            guard case .complete(let end) = scan(text, cuts: cuts) else {
                Issue.record("seed \(seed)")
                return
            }
            #expect(refusal(of: Array(text[..<end])) == nil, "seed \(seed)")
            #expect(text[end...].allSatisfy { $0 <= 0x20 }, "seed \(seed)")
        }
    }

    // MARK: Streams

    /// Runs a stream scanner over `text` in pieces of `size` bytes with a buffer that drops what
    /// it may; what it found, and the most the buffer held.
    private func run(
        _ text: [UInt8], size: Int, goesOn: Bool, next: (Span<UInt8>, Bool) -> JSONStreamStep,
        dropped: (Int) -> Void
    ) -> (found: [String], bufferMax: Int) {
        var buffer = ByteBuffer()
        var fed = 0
        var found: [String] = []
        var bufferMax = 0
        while true {
            switch next(buffer.span, fed == text.count) {
            case .element(let range): found.append(buffer.span.part(range).text)
            case .end:
                found.append("end")
                return (found, bufferMax)
            case .refused(let error):
                found.append(error.code.name.description)
                if error.code != .valueTooLong || !goesOn { return (found, bufferMax) }
            case .needMore(let consumed):
                buffer.removeFirst(consumed)
                dropped(consumed)
                let count = min(size, text.count - fed)
                for offset in fed..<(fed + count) { buffer.append(text[offset]) }
                fed += count
                bufferMax = max(bufferMax, buffer.count)
            }
        }
    }

    private func elements(
        _ text: String, size: Int, byteCountMax: Int = .max
    ) -> (found: [String], bufferMax: Int) {
        var scanner = JSONElementScanner(byteCountMax: byteCountMax)
        return run(
            Array(text.utf8), size: size, goesOn: false,
            next: { scanner.next($0, isFinal: $1) }, dropped: { scanner.dropped($0) })
    }

    private func lines(
        _ text: String, size: Int, byteCountMax: Int = .max
    ) -> (found: [String], bufferMax: Int) {
        var scanner = JSONLineScanner(byteCountMax: byteCountMax)
        return run(
            Array(text.utf8), size: size, goesOn: true,
            next: { scanner.next($0, isFinal: $1) }, dropped: { scanner.dropped($0) })
    }

    @Test(
        arguments: [
            ("[]", ["end"]), (" [ ] ", ["end"]), ("[1]", ["1", "end"]),
            (
                " [ 1 , {\"a\":[2,3]} ,\"x,]\", null ]\n ",
                ["1", "{\"a\":[2,3]}", "\"x,]\"", "null", "end"]
            ),
            ("", ["truncated"]), ("[", ["truncated"]), ("[1", ["1", "truncated"]),
            ("[1,", ["1", "truncated"]), ("[{\"a\":1}", ["{\"a\":1}", "truncated"]),
            ("{}", ["unexpected_byte"]), ("[1,]", ["1", "unexpected_byte"]),
            ("[,1]", ["unexpected_byte"]), ("[1 2]", ["1", "unexpected_byte"]),
            ("[1}", ["1", "unexpected_byte"]), ("[1] 2", ["1", "trailing_bytes"]),
        ] as [(String, [String])], [1, 2, 3, 7, 100])
    func `cuts an array into its elements`(table: (String, [String]), size: Int) {
        #expect(elements(table.0, size: size).found == table.1)
    }

    @Test func `an array of any length needs room for one element`() {
        let text = "[" + String(repeating: "{\"id\":\"e-1\",\"qty\":1}, ", count: 5000) + "0]"
        let result = elements(text, size: 64)
        #expect(result.found.count == 5002)
        #expect(result.bufferMax < 128)
    }

    @Test func `an element that is too long is refused before it is all there`() {
        let text = "[1,\"" + String(repeating: "x", count: 10_000)
        let scanned = elements(text, size: 10, byteCountMax: 100)
        #expect(scanned.found == ["1", "value_too_long"])
        #expect(scanned.bufferMax <= 111)
    }

    @Test func `reads an array inside of an object, then what follows`() throws {
        let body = Array("{\"items\": [ 1 ,[2]] ,\"owner\":\"x\"}".utf8)
        var reader = JSONReader()
        try reader.beginObject(body.span)
        #expect(try reader.nextKey(body.span)?.equals("items", in: body.span) == true)
        try reader.beginArray(body.span)
        var scanner = JSONElementScanner(inside: reader)
        #expect(scanner.next(body.span, isFinal: true) == .element(ByteRange(offset: 12, count: 1)))
        #expect(scanner.next(body.span, isFinal: true) == .element(ByteRange(offset: 15, count: 3)))
        #expect(scanner.next(body.span, isFinal: true) == .end(19))
        reader.leaveArray(at: 19)
        #expect(try reader.nextKey(body.span)?.equals("owner", in: body.span) == true)
        #expect(decoded(try reader.string(body.span), body.span) == "x")
        #expect(try reader.nextKey(body.span) == nil)
        try reader.end(body.span)
    }

    @Test(
        arguments: [
            ("", ["end"]), ("\n\n", ["end"]), ("1", ["1", "end"]), ("1\n", ["1", "end"]),
            (" {\"a\":1} \r\n\n{bad\n2", ["{\"a\":1}", "{bad", "2", "end"]),
            ("  \n \t1", ["1", "end"]),
        ] as [(String, [String])], [1, 2, 3, 7, 100])
    func `cuts lines`(table: (String, [String]), size: Int) {
        #expect(lines(table.0, size: size).found == table.1)
    }

    @Test(arguments: [1, 10, 1000])
    func `skips a line that is too long in little memory`(size: Int) {
        let long = String(repeating: "x", count: 20_000)
        let result = lines("1\n\(long)\n2\n\(long)", size: size, byteCountMax: 100)
        #expect(result.found == ["1", "value_too_long", "2", "value_too_long", "end"])
        #expect(result.bufferMax <= 101 + size)
    }

    @Test func `numbers lines, blank ones too`() {
        let text = Array("1\n\n2".utf8)
        var scanner = JSONLineScanner()
        _ = scanner.next(text.span, isFinal: true)
        #expect(scanner.line == 1)
        _ = scanner.next(text.span, isFinal: true)
        #expect(scanner.line == 3)
    }
}
