import Bytes
import HTTP
import Testing

@Suite struct RequestParserTests {
    @Test func `a typical request is read whole`() throws {
        let text =
            "PUT /v1/holds/cart-77?partial=true HTTP/1.1\r\nHost: shop.example:8080\r\n"
            + "User-Agent: till/3\r\nContent-Type: application/json\r\nContent-Length: 118\r\n"
            + "Authorization: Bearer k1\r\nIf-Match: \"a\"\r\nIf-None-Match: *\r\n"
            + "Accept: application/json\r\nContent-Encoding: zstd\r\n\r\n{}"
        let bytes = Array(text.utf8)
        let head = try #require(acceptedHead(of: text))
        #expect(head.method == .put)
        #expect(bytes.text(head.target) == "/v1/holds/cart-77?partial=true")
        #expect(bytes.text(head.path) == "/v1/holds/cart-77")
        #expect(bytes.text(head.query) == "partial=true")
        #expect(head.minorVersion == 1)
        #expect(head.keepsAlive)
        #expect(!head.expectsContinue)
        #expect(head.framing == .length(118))
        #expect(bytes.text(head.host) == "shop.example:8080")
        #expect(bytes.text(head.contentType) == "application/json")
        #expect(bytes.text(head.contentEncoding) == "zstd")
        #expect(bytes.text(head.accept) == "application/json")
        #expect(bytes.text(head.authorization) == "Bearer k1")
        #expect(bytes.text(head.ifMatch) == "\"a\"")
        #expect(bytes.text(head.ifNoneMatch) == "*")
        #expect(head.byteCount == bytes.count - 2)
    }

    @Test func `what is absent or empty is none`() throws {
        let text = "GET /? HTTP/1.1\r\nHost: a\r\nAccept:\r\nContent-Type: \t \r\n\r\n"
        let head = try #require(acceptedHead(of: text))
        for range in [
            head.query, head.accept, head.contentType, head.contentEncoding, head.authorization,
            head.ifMatch, head.ifNoneMatch,
        ] {
            #expect(range == .none)
        }
        #expect(head.framing == .none)
    }

    @Test(arguments: [
        ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put), ("DELETE", .delete),
        ("OPTIONS", .options), ("PATCH", .other), ("TRACE", .other), ("G", .other),
        ("GETS", .other), ("POSTS", .other), ("OPTION", .other), ("A-LONG.METHOD_1!", .other),
    ])
    func `methods are told apart`(name: String, method: Method) throws {
        let head = try #require(acceptedHead(of: "\(name) /x HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(head.method == method)
    }

    @Test(arguments: [
        ("/", "/", ""), ("/a/b", "/a/b", ""), ("/a?b", "/a", "b"), ("/a??b?", "/a", "?b?"),
        ("/?", "/", ""), ("//x/../%2e%2F;a=1", "//x/../%2e%2F;a=1", ""),
        ("http://A/x?y", "/x", "y"), ("HTTP://a", "", ""), ("http://a?q=/r", "", "q=/r"),
        ("http://a/", "/", ""),
    ])
    func `a target is path and query`(target: String, path: String, query: String) throws {
        let text = "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
        let head = try #require(acceptedHead(of: text))
        let bytes = Array(text.utf8)
        #expect(bytes.text(head.target) == target)
        #expect(bytes.text(head.path) == path)
        #expect(bytes.text(head.query) == query)
        #expect(bytes.text(head.host).lowercased() == "a")
    }

    @Test func `every visible byte but the number sign may stand in a target`() {
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "?") {
            for padding in 0..<9 {
                var bytes =
                    Array("GET /".utf8) + Array(repeating: UInt8(ascii: "p"), count: padding)
                bytes += [byte] + Array("rest HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
                let isAllowed = byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
                guard case .head = outcome(of: bytes) else {
                    #expect(!isAllowed, "byte \(byte) after \(padding)")
                    continue
                }
                #expect(isAllowed, "byte \(byte) after \(padding)")
            }
        }
    }

    @Test func `asterisk is a target of OPTIONS`() throws {
        let text = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
        let head = try #require(acceptedHead(of: text))
        #expect(Array(text.utf8).text(head.path) == "*")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x , CLOSE\t,y\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nconnection: keep-alive\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed, upgrade\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: \r\n\r\n", true),
        ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
    ])
    func `the connection is kept as version and options say`(text: String, isKept: Bool) throws {
        #expect(try #require(acceptedHead(of: text)).keepsAlive == isKept)
    }

    @Test(arguments: [
        ("Content-Length: 0", BodyFraming.length(0)),
        ("content-length:7", .length(7)),
        ("CONTENT-LENGTH: \t 10737418240 ", .length(10 << 30)),
        ("Content-Length: 999999999999999999", .length(999_999_999_999_999_999)),
        ("Transfer-Encoding: chunked", .chunked),
        ("transfer-encoding:\tCHUNKED\t", .chunked),
        ("X-Content-Length: 5", .none),
        ("Content_Length: 5", .none),
    ])
    func `framing follows the one header`(line: String, framing: BodyFraming) throws {
        for method in ["GET", "HEAD", "POST", "DELETE", "PATCH"] {
            let head = try #require(
                acceptedHead(of: "\(method) / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n"))
            #expect(head.framing == framing)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1\r\nHost: a\r\nContent-Length: 1", true),
        ("HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked", true),
        ("HTTP/1.1\r\nHost: a\r\nContent-Length: 0", false),
        ("HTTP/1.1\r\nHost: a", false),
        ("HTTP/1.0\r\nContent-Length: 1", false),
    ])
    func `only a client with a body waits for 100`(rest: String, isExpected: Bool) throws {
        let head = try #require(acceptedHead(of: "POST / \(rest)\r\nExpect: 100-Continue\r\n\r\n"))
        #expect(head.expectsContinue == isExpected)
    }

    @Test(arguments: [
        "a", "a:", "a:1", "A-b.c_d~1:65535", "[::1]", "[::1]:80", "[1:2:3:4:5:6:7.8.9.10]:1",
        "127.0.0.1:8080", "a-very-long-name.of-some-kind.example.com:443",
    ])
    func `hosts of every form are taken`(host: String) throws {
        let text = "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n"
        #expect(Array(text.utf8).text(try #require(acceptedHead(of: text)).host) == host)
    }

    @Test func `one empty line before a request is passed over`() throws {
        let text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try #require(acceptedHead(of: text)).byteCount == text.utf8.count)
    }

    @Test func `header names are tokens, wherever the odd byte stands`() {
        let odd = "!#$%&'*+-.^_`|~"
        let token = Set(odd.utf8).union("0123456789".utf8)
            .union("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
            for length in 1..<27 {
                for position in Set([0, length / 2, length - 1]) {
                    var name = Array(repeating: UInt8(ascii: "n"), count: length)
                    name[position] = byte
                    let bytes =
                        Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + name
                        + Array(": v\r\n\r\n".utf8)
                    var isTaken = false
                    if case .head = outcome(of: bytes) { isTaken = true }
                    #expect(isTaken == token.contains(byte), "\(byte) at \(position) of \(length)")
                }
            }
        }
    }

    @Test func `values may hold tabs and bytes from 0x80 and no controls`() throws {
        for byte in UInt8.min...UInt8.max where byte != 0x0D {
            for padding in 0..<17 {
                let value = Array(repeating: UInt8(ascii: "v"), count: padding) + [byte, 0x76]
                let bytes =
                    Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + value + Array("\r\n\r\n".utf8)
                let isControl = (byte < 0x20 && byte != 0x09) || byte == 0x7F
                var isTaken = false
                if case .head = outcome(of: bytes) { isTaken = true }
                #expect(isTaken == !isControl, "byte \(byte) after \(padding)")
            }
        }
    }

    @Test func `an Accept that is repeated counts the first time`() throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nAccept: x/y\r\nAccept: z/z\r\n\r\n"
        #expect(Array(text.utf8).text(try #require(acceptedHead(of: text)).accept) == "x/y")
    }

    @Test func `pipelined requests come out one after the other`() throws {
        let first = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz"
        let second = "GET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        let third = "\r\nDELETE /c HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        var rest = Array((first + second + third).utf8)
        var parser = RequestParser()
        var paths: [String] = []
        while let head = try parser.parse(rest.span) {
            paths.append(rest.text(head.path))
            var byteCount = head.byteCount
            if case .length(let length) = head.framing { byteCount += length }
            rest.removeFirst(byteCount)
            parser.reset()
        }
        #expect(paths == ["/a", "/b", "/c"])
        #expect(rest.isEmpty)
    }
}

extension [UInt8] {
    func text(_ range: ByteRange) -> String { span.part(range).text }
}
