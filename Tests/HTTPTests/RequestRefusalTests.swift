import Bytes
import HTTP
import Testing

@Suite struct RequestRefusalTests {
    /// The first line, or what stands in its place, up to the empty line.
    @Test(arguments: [
        // Lines.
        ("GET / HTTP/1.1\nHost: a\n\n", HTTPRefusal.bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\rHost: a\r\r", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", .bareCarriageReturn),
        ("GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", .controlCharacter),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", .controlCharacter),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{7F}\r\n\r\n", .controlCharacter),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{1B}[31m\r\n\r\n", .controlCharacter),
        ("\u{16}\u{3}\u{1}\u{0}", .controlCharacter),
        // Request line.
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET\r\n\r\n", .badRequestLine),
        ("GET /\r\n\r\n", .badRequestLine),
        ("GET HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET  HTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        ("Get / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        ("GËT / HTTP/1.1\r\nHost: a\r\n\r\n", .badMethod),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET / HTTPS/1.1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/01.1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1.1.1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1.x\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/1,1\r\nHost: a\r\n\r\n", .badVersion),
        ("GET / HTTP/ 1.1\r\nHost: a\r\n\r\n", .badRequestLine),
        ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
        // Targets.
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET /é HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("OPTIONS *?a HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .badTarget),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", .hostMismatch),
        ("GET http://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", .hostMismatch),
        ("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
    ])
    func `a bad line, request line or target is refused`(text: String, refusal: HTTPRefusal) {
        #expect(outcome(of: text) == .refused(refusal))
    }

    @Test(arguments: [
        (" X: y", HTTPRefusal.foldedHeader),
        ("\tX: y", .foldedHeader),
        ("X: y\r\n folded", .foldedHeader),
        ("Transfer-Encoding:\r\n chunked", .badTransferEncoding),
        ("X", .missingColon),
        ("a-name-longer-than-one-word", .missingColon),
        ("12345678", .missingColon),
        ("X ", .missingColon),
        (": y", .emptyHeaderName),
        ("X : y", .whitespaceBeforeColon),
        ("X\t: y", .whitespaceBeforeColon),
        ("Content-Length : 5", .whitespaceBeforeColon),
        ("Transfer-Encoding : chunked", .whitespaceBeforeColon),
        ("Content-Length\t:5", .whitespaceBeforeColon),
        ("X Y: z", .badHeaderName),
        ("Bad[Name: y", .badHeaderName),
        ("Bad/Name-of-some-length: y", .badHeaderName),
        ("Näme: y", .badHeaderName),
        ("\"X\": y", .badHeaderName),
    ])
    func `a bad header line is refused`(line: String, refusal: HTTPRefusal) {
        expectRefusal(refusal, of: line)
    }

    @Test(arguments: [
        "", "+5", "-1", "-0", "0x5", "0o5", "5,5", "5, 5", "5 5", "5;", "5_0", "1e3", "1.0", "a",
        "٣", "05", "00", "000000000000000000000005", "5\u{A0}", "18446744073709551617x",
    ])
    func `a Content-Length that is no plain number is refused`(value: String) {
        expectRefusal(.badContentLength, of: "Content-Length: \(value)")
    }

    @Test(arguments: [
        "1000000000000000000", "9223372036854775807", "9223372036854775808",
        "18446744073709551617", "99999999999999999999999999999999999999999999999999",
    ])
    func `a Content-Length beyond all bounds is too large`(value: String) {
        expectRefusal(.bodyTooLarge, of: "Content-Length: \(value)")
    }

    @Test(arguments: [
        ("", HTTPRefusal.badTransferEncoding),
        ("chunked, chunked", .badTransferEncoding),
        ("chunked, gzip", .badTransferEncoding),
        ("chunked,", .badTransferEncoding),
        (", chunked", .badTransferEncoding),
        ("chunked;q=1", .badTransferEncoding),
        ("\"chunked\"", .badTransferEncoding),
        ("chun ked", .badTransferEncoding),
        ("chunked\u{A0}", .badTransferEncoding),
        (";", .badTransferEncoding),
        ("gzip", .unsupportedTransferEncoding),
        ("gzip, chunked", .unsupportedTransferEncoding),
        ("identity", .unsupportedTransferEncoding),
        ("xchunked", .unsupportedTransferEncoding),
        ("chunked1", .unsupportedTransferEncoding),
        ("x;a=1, chunked", .unsupportedTransferEncoding),
    ])
    func `any coding but chunked is refused`(value: String, refusal: HTTPRefusal) {
        expectRefusal(refusal, of: "Transfer-Encoding: \(value)")
    }

    @Test(arguments: [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", HTTPRefusal.ambiguousFraming),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", .ambiguousFraming),
        ("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: x", .ambiguousFraming),
        ("Content-Length: 5\r\nContent-Length: 5", .repeatedContentLength),
        ("Content-Length: 5\r\ncontent-length: 6", .repeatedContentLength),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .repeatedTransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", .repeatedTransferEncoding),
        ("Host: a", .repeatedHost),
        ("Host: b", .repeatedHost),
        ("Authorization: x\r\nAuthorization: x", .repeatedHeader),
        ("Authorization:\r\nAuthorization: x", .repeatedHeader),
        ("Content-Type: a/b\r\nContent-Type: a/b", .repeatedHeader),
        ("Content-Encoding: zstd\r\nContent-Encoding: zstd", .repeatedHeader),
        ("If-Match: \"a\"\r\nIf-Match: \"b\"", .repeatedHeader),
        ("If-None-Match: \"a\"\r\nIf-None-Match: \"b\"", .repeatedHeader),
        ("Expect: 100-continue\r\nExpect: 100-continue", .repeatedHeader),
        ("If-Match:", .emptyHeader),
        ("If-None-Match: ", .emptyHeader),
        ("Expect: 200-ok", .unsupportedExpectation),
        ("Expect:", .unsupportedExpectation),
        ("Expect: 100-continue, x", .unsupportedExpectation),
    ])
    func `what is repeated or contradicts itself is refused`(lines: String, refusal: HTTPRefusal) {
        expectRefusal(refusal, of: lines)
    }

    @Test(arguments: [
        "", "a b", "a,b", "a/b", "u@a", "u:p@a", "a:b", "a:80:80", "a:123456", ":80", "[", "[]",
        "[::1", "[::1]x", "[::g]", "a?b", "a#b", "ä", "a%2e", "a\\b", "[::1]:8x",
    ])
    func `an invalid Host is refused`(host: String) {
        #expect(
            outcome(of: "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") == .refused(.badHost))
        #expect(
            outcome(of: "GET / HTTP/1.0\r\nHost: \(host)\r\n\r\n") == .refused(.badHost))
    }

    @Test func `a request without Host is refused in 1_1 and taken in 1_0`() {
        #expect(outcome(of: "GET / HTTP/1.1\r\n\r\n") == .refused(.missingHost))
        #expect(acceptedHead(of: "GET / HTTP/1.0\r\n\r\n")?.host == ByteRange.none)
        #expect(acceptedHead(of: "GET / HTTP/1.0\r\n\r\n")?.minorVersion == 0)
    }

    @Test func `Transfer-Encoding in 1_0 is refused`() {
        let text = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(outcome(of: text) == .refused(.transferEncodingInOldVersion))
    }

    @Test func `a refusal comes as soon as its bytes are there`() {
        #expect(outcome(of: "GET / HTTP/2.0\r\n") == .refused(.unsupportedVersion))
        #expect(outcome(of: "GET /\n") == .refused(.bareLineFeed))
        #expect(outcome(of: "GET /\u{1}") == .refused(.controlCharacter))
        #expect(outcome(of: "GET / HTTP/1.1\r\nA : b\r\n") == .refused(.whitespaceBeforeColon))
    }

    @Test(arguments: [
        "", "\r", "\r\n", "\r\nG", "GET / HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r",
    ])
    func `what may still become a request waits`(text: String) {
        #expect(outcome(of: text) == .incomplete)
    }

    @Test func `codes are stable names and statuses are errors`() {
        var codes: Set<String> = []
        for refusal in HTTPRefusal.allCases {
            let code = refusal.code.description
            #expect(codes.insert(code).inserted, "\(code)")
            #expect(
                code.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains($0) })
            #expect([400, 413, 414, 417, 431, 501, 505].contains(refusal.status))
            #expect(refusal.detail.description.hasSuffix("."))
        }
        #expect(HTTPRefusal.uriTooLong.status == 414)
        #expect(HTTPRefusal.headerTooLarge.status == 431)
        #expect(HTTPRefusal.tooManyHeaders.status == 431)
        #expect(HTTPRefusal.bodyTooLarge.status == 413)
        #expect(HTTPRefusal.unsupportedExpectation.status == 417)
        #expect(HTTPRefusal.unsupportedTransferEncoding.status == 501)
        #expect(HTTPRefusal.unsupportedVersion.status == 505)
        #expect(HTTPRefusal.ambiguousFraming.code.description == "ambiguous_framing")
    }

    private func expectRefusal(_ refusal: HTTPRefusal, of lines: String) {
        let text = "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n"
        #expect(outcome(of: text) == .refused(refusal))
    }
}
