import Bytes
import HTTP
import Testing

@Suite struct RequestSplitTests {
    /// Heads, good and bad, that mutations start from.
    static let corpus = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: till/3 (\u{e9})\r\n"
            + "Content-Type: application/json\r\nContent-Length: 118\r\n\r\n{\"id\": 1}",
        "PUT /v1/holds/a%2Fb?x=1&y HTTP/1.1\r\nHost:[::1]:80\r\nTransfer-Encoding: chunked\r\n"
            + "Expect: 100-continue\r\nIf-Match: \"e\"\r\n\r\n0\r\n\r\n",
        "\r\nDELETE /x HTTP/1.0\r\nConnection: keep-alive\r\nAuthorization: Bearer k\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nIf-None-Match:\t*\r\nAccept: */*\r\n\r\nGET / HTTP/1.1",
        "GET http://shop.example/x?y HTTP/1.1\r\nHost: Shop.Example\r\nx: y\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Encoding: zstd\r\nRetry-After: 1\r\nETag: x\r\n\r\n",
    ].map { Array($0.utf8) }

    @Test(arguments: corpus)
    func `byte by byte is like all at once`(bytes: [UInt8]) {
        #expect(outcome(of: bytes, stopsAt: 0..<bytes.count) == outcome(of: bytes))
    }

    @Test(arguments: corpus)
    func `a split at any byte changes nothing`(bytes: [UInt8]) {
        let whole = outcome(of: bytes)
        for end in 0...bytes.count {
            #expect(outcome(of: bytes, stopsAt: [end]) == whole, "split at \(end)")
        }
    }

    @Test(arguments: corpus)
    func `no byte behind the head changes it`(bytes: [UInt8]) {
        guard case .head(let head) = outcome(of: bytes) else { return }
        #expect(outcome(of: Array(bytes.prefix(head.byteCount))) == .head(head))
        #expect(outcome(of: Array(bytes.prefix(head.byteCount - 1))) == .incomplete)
        #expect(outcome(of: Array(bytes.prefix(head.byteCount)) + [0, 10, 13]) == .head(head))
    }

    @Test func `mutated requests are read like the naive reading, however they are split`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        var acceptedCount = 0
        for round in 0..<20_000 {
            let bytes = mutated(Self.corpus.randomElement(using: &random)!, using: &random)
            let whole = outcome(of: bytes)
            let pieces = outcome(of: bytes, stopsAt: random.splits(of: bytes.count))
            let strict = StrictReading(bytes)
            var isSame = pieces == whole
            if case .head(let head) = whole {
                acceptedCount += 1
                isSame =
                    isSame && strict?.framing == head.framing
                    && strict?.byteCount == head.byteCount
                    && strict?.target == bytes.text(head.target)
                    && strict?.version == "HTTP/1.\(head.minorVersion)"
                    && (strict?.fields["if-match"]?.first ?? "") == latin1(bytes, head.ifMatch)
            } else {
                isSame = isSame && strict == nil
            }
            if !isSame {
                Issue.record("seed \(seed), round \(round): \(bytes.span.text.debugDescription)")
                Issue.record("\(whole), \(pieces), \(String(describing: strict))")
                return
            }
        }
        #expect(acceptedCount > 1000)
    }

    private func latin1(_ bytes: [UInt8], _ range: ByteRange) -> String {
        String(bytes[range.offset..<range.end].map { Character(Unicode.Scalar($0)) })
    }

    /// `bytes` with a few bytes changed, taken out, put in or repeated.
    private func mutated(_ bytes: [UInt8], using random: inout SeededRandom) -> [UInt8] {
        let delicate = Array("\r\n\r\n\t :;,/?#*%019aZ-_\u{0}\u{7F}\"".utf8) + [0x80, 0xFF]
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let offset = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[offset] = delicate.randomElement(using: &random)!
            case 1: bytes[offset] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes.remove(at: offset)
            case 3: bytes.insert(delicate.randomElement(using: &random)!, at: offset)
            case 4: bytes[offset] ^= 0x20
            default:
                let length = min(Int.random(in: 1...30, using: &random), bytes.count - offset)
                bytes.insert(contentsOf: bytes[offset..<offset + length], at: offset)
            }
            if bytes.isEmpty { return [0x0D] }
        }
        return bytes
    }
}
