import Bytes
import HTTP
import Testing

@Suite struct ResponseWriterTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    @Test func `a whole response is written in one go`() {
        var buffer = ByteBuffer()
        buffer.appendResponse(
            status: 200, contentType: "application/json", date: Self.date.utf8.span,
            body: "{}".utf8.span
        ) { buffer in
            buffer.appendHeader("ETag", "\"a1\"".utf8.span)
            buffer.appendHeader("Cache-Control", "no-store")
            buffer.appendHeader("Retry-After", decimal: 5)
        }
        #expect(
            buffer.span.text
                == "HTTP/1.1 200 OK\r\nDate: \(Self.date)\r\nContent-Type: application/json\r\n"
                + "ETag: \"a1\"\r\nCache-Control: no-store\r\nRetry-After: 5\r\n"
                + "Content-Length: 2\r\n\r\n{}")
    }

    @Test func `the least response has a length`() {
        var buffer = ByteBuffer()
        buffer.appendResponse(status: 404)
        #expect(buffer.span.text == "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    }

    @Test func `responses follow one another`() {
        var buffer = ByteBuffer()
        buffer.appendContinue()
        buffer.appendResponse(status: 201, connection: .keepAlive, body: "a".utf8.span)
        buffer.appendResponse(status: 429, connection: .close, body: "b".utf8.span)
        #expect(
            buffer.span.text
                == "HTTP/1.1 100 Continue\r\n\r\n"
                + "HTTP/1.1 201 Created\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"
                + "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 1\r\n\r\nb"
        )
    }

    @Test func `an answer to HEAD states the length of the body it leaves out`() {
        var buffer = ByteBuffer()
        buffer.appendResponse(status: 200, isToHead: true, body: "hello".utf8.span)
        #expect(buffer.span.text == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    }

    @Test(arguments: [204, 304])
    func `a response that never has a body states no length`(status: Int) {
        var buffer = ByteBuffer()
        buffer.appendResponse(status: status, contentType: "a/b")
        #expect(buffer.span.text.hasPrefix("HTTP/1.1 \(status) N"))
        #expect(buffer.span.text.split(separator: "\r\n").count == 1)
    }

    @Test func `every status has a line that reads back`() throws {
        for status in 200...599 where status != 204 && status != 304 {
            var buffer = ByteBuffer()
            buffer.appendResponse(status: status)
            var parser = ResponseParser()
            let head = try parser.parse(buffer.span)
            #expect(head?.status == status)
        }
        for refusal in HTTPRefusal.allCases {
            var buffer = ByteBuffer()
            buffer.appendResponse(status: refusal.status)
            let line = buffer.span.text.prefix { $0 != "\r\n" }
            #expect(line.count > "HTTP/1.1 400 ".count)
        }
    }

    @Test func `a value that holds a control character is left out`() {
        let start = "before"
        for byte in UInt8.min...UInt8.max {
            var value = Array("0123456789".utf8)
            value[7] = byte
            var buffer = ByteBuffer(copying: start.utf8.span)
            let isControl = (byte < 0x20 && byte != 0x09) || byte == 0x7F
            let isAppended = buffer.appendHeader("ETag", value.span)
            let count = buffer.count
            #expect(isAppended == !isControl)
            #expect((count == start.utf8.count) == isControl)
        }
        var buffer = ByteBuffer()
        let isAppended = buffer.appendHeader("ETag", "a\r\nSet-Cookie: b".utf8.span)
        #expect(!isAppended)
        #expect(buffer.span.text == "")
    }

    @Test func `a stream in 1_1 is chunked`() {
        var buffer = ByteBuffer()
        let framing = StreamFraming(minorVersion: 1)
        buffer.appendStreamHead(status: 200, contentType: "application/x-ndjson", framing: framing)
        buffer.appendChunk("hello".utf8.span, framing: framing)
        buffer.appendChunk("".utf8.span, framing: framing)
        buffer.appendChunk(Array(repeating: 0x78, count: 26).span, framing: framing)
        let chunk = buffer.beginChunk(framing: framing)
        buffer.append("0123456789abcdefg")
        buffer.endChunk(chunk)
        buffer.endChunk(buffer.beginChunk(framing: framing))
        buffer.appendLastChunk(framing: framing)
        #expect(
            buffer.span.text
                == "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                + "1A\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n00000011\r\n0123456789abcdefg\r\n0\r\n\r\n")
    }

    @Test func `a stream in 1_0 ends with the connection`() {
        var buffer = ByteBuffer()
        let framing = StreamFraming(minorVersion: 0)
        buffer.appendStreamHead(status: 200, framing: framing, connection: .keepAlive)
        buffer.appendChunk("hello".utf8.span, framing: framing)
        let chunk = buffer.beginChunk(framing: framing)
        buffer.append("!")
        buffer.endChunk(chunk)
        buffer.appendLastChunk(framing: framing)
        #expect(buffer.span.text == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello!")
    }

    @Test(arguments: [
        (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (1_795_813_198_123, "Fri, 27 Nov 2026 20:59:58 GMT"),
        (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 GMT"),
    ])
    func `dates are IMF-fixdates`(instant: Milliseconds, text: String) {
        var buffer = ByteBuffer()
        buffer.append(imfFixdate: instant)
        #expect(buffer.span.text == text)
    }

    @Test func `a request that was written is one that is taken`() throws {
        var buffer = ByteBuffer()
        var target = ByteBuffer(copying: "/v1/holds/".utf8.span)
        target.percentEncode("a/b é".utf8.span)
        let isWritten = buffer.appendRequest(
            method: "PUT", target: target.span, host: "[::1]:8080".utf8.span,
            contentType: "application/json", connection: .close, body: "{}".utf8.span
        ) { $0.appendHeader("Authorization", "Bearer k".utf8.span) }
        #expect(isWritten)
        let head = try #require(acceptedHead(of: buffer.span.text))
        #expect(head.method == .put)
        #expect(buffer.span.part(head.path).text == "/v1/holds/a%2Fb%20%C3%A9")
        #expect(head.framing == .length(2))
        #expect(!head.keepsAlive)
        #expect(buffer.span.part(head.authorization).text == "Bearer k")
    }

    @Test(arguments: [
        ("", "a"), ("x", "a"), ("/a b", "a"), ("/a\r\nX: y", "a"), ("/é", "a"), ("/a#b", "a"),
        ("/", ""), ("/", "a b"), ("/", "a\r\nX: y"),
        ("/", "shop.example\r"), ("/", "shop\rexample"), ("/", "shop\u{E}example"),
    ])
    func `a request that would not be taken is not written`(target: String, host: String) {
        var buffer = ByteBuffer()
        let isWritten = buffer.appendRequest(
            method: "GET", target: target.utf8.span, host: host.utf8.span)
        #expect(!isWritten)
        #expect(buffer.span.text == "")
    }
}

@Suite struct ResponseParserTests {
    @Test func `a typical response is read whole`() throws {
        let text =
            "HTTP/1.1 429 Too Many Requests\r\nServer: x\r\nContent-Type: a/b\r\nETag: \"e\"\r\n"
            + "Retry-After: 3\r\nContent-Length: 12\r\n\r\nbody"
        let bytes = Array(text.utf8)
        var parser = ResponseParser()
        let parsed = try parser.parse(bytes.span)
        let head = try #require(parsed)
        #expect(head.status == 429)
        #expect(head.framing == .length(12))
        #expect(head.keepsAlive)
        #expect(bytes.text(head.contentType) == "a/b")
        #expect(bytes.text(head.etag) == "\"e\"")
        #expect(bytes.text(head.retryAfter) == "3")
        #expect(head.byteCount == bytes.count - 4)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\n", ResponseFraming.untilClose, false),
        ("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", .length(1), true),
        ("HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", .length(1), true),
        ("HTTP/1.9 200 Gut\u{e9}\r\nContent-Length: 1\r\n\r\n", .length(1), true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 01\r\nContent-Length: 1\r\n\r\n", .length(1), true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", .chunked, true),
        ("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", .none, true),
        ("HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n", .none, true),
        ("HTTP/1.1 100 Continue\r\n\r\n", .none, true),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", .length(0), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", .length(0), false),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", .length(0),
            true
        ),
    ])
    func `framing follows status and headers, however it is split`(
        text: String, framing: ResponseFraming, isKept: Bool
    ) throws {
        let bytes = Array(text.utf8)
        var parser = ResponseParser()
        let parsed = try parser.parse(bytes.span)
        let head = try #require(parsed)
        #expect(head.framing == framing)
        #expect(head.keepsAlive == isKept)
        parser.reset()
        for count in 0..<bytes.count {
            let none = try parser.parse(bytes.span.extracting(0..<count))
            #expect(none == nil)
        }
        let again = try parser.parse(bytes.span)
        #expect(again == head)
    }

    @Test func `an answer to HEAD has no body`() throws {
        var parser = ResponseParser()
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        let head = try parser.parse(text.utf8.span, isToHead: true)
        #expect(head?.framing == ResponseFraming.none)
    }

    @Test(arguments: [
        ("HTTP/2.0 200 OK\r\n\r\n", HTTPRefusal.unsupportedVersion),
        ("HTTP/1.1 20 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 2000 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 099 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1  200 OK\r\n\r\n", .badStatusLine),
        ("HTP/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 OK\n\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", .whitespaceBeforeColon),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            .repeatedContentLength
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", .badContentLength),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            .ambiguousFraming
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .unsupportedTransferEncoding),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInOldVersion),
    ])
    func `a response that cannot be framed is refused`(text: String, refusal: HTTPRefusal) {
        #expect(throws: refusal) {
            var parser = ResponseParser()
            _ = try parser.parse(text.utf8.span)
        }
    }

    @Test func `limits hold for responses too`() {
        let lines = String(repeating: "X: y\r\n", count: 65)
        #expect(throws: HTTPRefusal.tooManyHeaders) {
            var parser = ResponseParser()
            _ = try parser.parse("HTTP/1.1 200 OK\r\n\(lines)\r\n".utf8.span)
        }
        #expect(throws: HTTPRefusal.headerTooLarge) {
            var parser = ResponseParser()
            let value = String(repeating: "v", count: 10_000)
            _ = try parser.parse("HTTP/1.1 200 OK\r\nX: \(value)".utf8.span)
        }
    }
}
