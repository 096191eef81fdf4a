import Bytes
import HTTP
import Testing

@Suite struct QueryTests {
    @Test(arguments: [
        ("", []),
        ("a=1", [["a", "1"]]),
        ("a=1&b=2", [["a", "1"], ["b", "2"]]),
        ("a&b=&=c", [["a", ""], ["b", ""], ["", "c"]]),
        ("&&a=1&&b=2&", [["a", "1"], ["b", "2"]]),
        ("a=b=c&d==", [["a", "b=c"], ["d", "="]]),
        ("a%3Db=%26+", [["a%3Db", "%26+"]]),
        ("a;b=c?d/e", [["a;b", "c?d/e"]]),
    ])
    func `a query is its pairs`(query: String, expected: [[String]]) {
        // Somewhere inside other bytes.
        let bytes = Array("=&\(query)&=x".utf8)
        var pairs = QueryPairs(ByteRange(offset: 2, count: query.utf8.count))
        var found: [[String]] = []
        while let pair = pairs.next(in: bytes.span) {
            found.append([bytes.text(pair.name), bytes.text(pair.value)])
        }
        #expect(found == expected)
        let none = pairs.next(in: bytes.span)
        #expect(none == nil)
    }

    @Test(arguments: [
        ("", []), ("/", [""]), ("/v1", ["v1"]), ("/v1/holds/a%2Fb", ["v1", "holds", "a%2Fb"]),
        ("/v1/", ["v1", ""]), ("//v1", ["", "v1"]), ("/./../%2e;x", [".", "..", "%2e;x"]),
    ])
    func `a path is its segments, none skipped or resolved`(path: String, expected: [String]) {
        let bytes = Array("/x\(path)/y".utf8)
        var segments = PathSegments(ByteRange(offset: 2, count: path.utf8.count))
        var found: [String] = []
        while let segment = segments.next(in: bytes.span) { found.append(bytes.text(segment)) }
        #expect(found == expected)
    }

    @Test(arguments: [
        ("", ""), ("abc", "abc"), ("a%2Fb", "a/b"), ("%2f%2E%41", "/.A"), ("%2541", "%41"),
        ("%C3%A9", "é"), ("a+b", "a+b"), ("%00", "\u{0}"),
    ])
    func `percent escapes are decoded once`(encoded: String, decoded: String) throws {
        var buffer = ByteBuffer(copying: ">".utf8.span)
        try buffer.percentDecode(encoded.utf8.span, plusIsSpace: false)
        #expect(buffer.span.text == ">" + decoded)
        let isEncoded = encoded.utf8.span.isPercentEncoded(plusIsSpace: false)
        #expect(isEncoded == (encoded != decoded))
    }

    @Test func `a plus is a space in queries`() throws {
        var buffer = ByteBuffer()
        try buffer.percentDecode("a+b%2B".utf8.span, plusIsSpace: true)
        #expect(buffer.span.text == "a b+")
        let isEncoded = "a+b".utf8.span.isPercentEncoded(plusIsSpace: true)
        #expect(isEncoded)
    }

    @Test(arguments: [
        "%", "a%", "%4", "a%4", "%4g", "%g4", "%%41", "% 1", "%+1", "%u0041", "ab%zz",
    ])
    func `a malformed escape is refused and nothing is appended`(encoded: String) {
        var buffer = ByteBuffer(copying: ">".utf8.span)
        #expect(throws: HTTPRefusal.badPercentEncoding) {
            try buffer.percentDecode(encoded.utf8.span, plusIsSpace: false)
        }
        #expect(buffer.span.text == ">")
    }

    @Test func `what is percent-encoded is plain and decodes to itself`() throws {
        let bytes = Array(UInt8.min...UInt8.max)
        var encoded = ByteBuffer()
        encoded.percentEncode(bytes.span)
        let unreserved = Set("-._~0123456789".utf8)
            .union("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        let text = Array(encoded.span.text.utf8)
        #expect(text.count == 66 + 3 * (256 - 66))
        for byte in text { #expect(unreserved.contains(byte) || byte == UInt8(ascii: "%")) }
        for plusIsSpace in [true, false] {
            var decoded = ByteBuffer()
            try decoded.percentDecode(encoded.span, plusIsSpace: plusIsSpace)
            let isSame = decoded.span.equals(bytes.span)
            #expect(isSame)
        }
    }
}
