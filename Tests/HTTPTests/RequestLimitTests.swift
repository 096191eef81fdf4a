import HTTP
import Testing

@Suite struct RequestLimitTests {
    private static let limits = HTTPLimits(
        requestLineByteCountMax: 40, headerByteCountMax: 30, headByteCountMax: 120,
        headerCountMax: 4)

    @Test func `the standard limits are those of the service`() {
        let limits = HTTPLimits.standard
        #expect(limits.requestLineByteCountMax == 8192)
        #expect(limits.headerByteCountMax == 8192)
        #expect(limits.headByteCountMax == 32_768)
        #expect(limits.headerCountMax == 64)
    }

    @Test(arguments: [false, true])
    func `a request line may have its limit and not a byte more`(hasEmptyLine: Bool) {
        let start = hasEmptyLine ? "\r\n" : ""
        for (excess, refusal) in [(0, nil), (1, HTTPRefusal.uriTooLong)] {
            let target = "/" + String(repeating: "t", count: 40 - "GET / HTTP/1.1".count + excess)
            let text = start + "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
            expect(text, refusal)
        }
        // Also when its end never comes.
        let endless = start + "GET /" + String(repeating: "t", count: 35)
        #expect(outcome(of: endless, limits: Self.limits) == .incomplete)
        #expect(outcome(of: endless + "\r", limits: Self.limits) == .incomplete)
        expect(endless + "t", .uriTooLong)
    }

    @Test func `a header line may have its limit and not a byte more`() {
        for (excess, refusal) in [(0, nil), (1, HTTPRefusal.headerTooLarge)] {
            let line = "X: " + String(repeating: "v", count: 27 + excess)
            expect("GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n", refusal)
        }
        let endless = "GET / HTTP/1.1\r\nX: " + String(repeating: "v", count: 27)
        #expect(outcome(of: endless, limits: Self.limits) == .incomplete)
        expect(endless + "v", .headerTooLarge)
    }

    @Test func `a head may have its limit and not a byte more`() {
        for (excess, refusal) in [(0, nil), (1, HTTPRefusal.headTooLarge)] {
            let start = "GET / HTTP/1.1\r\nHost: a\r\n"
            let line = "X: " + String(repeating: "v", count: 27) + "\r\n"
            let rest = 120 - start.utf8.count - 2 * line.utf8.count - 2 - 5 + excess
            let last = "X: " + String(repeating: "v", count: rest) + "\r\n"
            let text = start + line + line + last + "\r\n"
            #expect(text.utf8.count == 120 + excess)
            expect(text, refusal)
        }
    }

    @Test func `there may be as many headers as the limit and not one more`() {
        for (count, refusal) in [(4, nil), (5, HTTPRefusal.tooManyHeaders)] {
            let lines = String(repeating: "X: y\r\n", count: count - 1)
            expect("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n", refusal)
        }
    }

    @Test func `a mebibyte of URL is refused at the limit`() {
        let text = "GET /" + String(repeating: "a", count: 1 << 20) + " HTTP/1.1\r\n\r\n"
        #expect(outcome(of: text) == .refused(.uriTooLong))
    }

    @Test func `a mebibyte of header is refused at the limit`() {
        let text = "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 1 << 20) + "\r\n\r\n"
        #expect(outcome(of: text) == .refused(.headerTooLarge))
    }

    @Test func `a hundred thousand headers are refused at the limit`() {
        let text = "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 100_000) + "\r\n"
        #expect(outcome(of: text) == .refused(.tooManyHeaders))
        let wide = "X: " + String(repeating: "v", count: 1000) + "\r\n"
        #expect(
            outcome(of: "GET / HTTP/1.1\r\n" + String(repeating: wide, count: 100_000))
                == .refused(.headTooLarge))
    }

    @Test func `ten gibibytes announced are the caller's to refuse`() {
        let text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10737418240\r\n\r\n"
        #expect(acceptedHead(of: text)?.framing == .length(10 << 30))
    }

    /// Expects the refusal, or a head, whole and byte by byte.
    private func expect(_ text: String, _ refusal: HTTPRefusal?) {
        let bytes = Array(text.utf8)
        let whole = outcome(of: bytes, limits: Self.limits)
        if let refusal {
            #expect(whole == .refused(refusal))
        } else if case .head = whole {
        } else {
            Issue.record("\(whole) for \(text)")
        }
        #expect(outcome(of: bytes, stopsAt: 0..<bytes.count, limits: Self.limits) == whole)
    }
}
