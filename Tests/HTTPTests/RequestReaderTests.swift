import Bytes
import HTTP
import Testing

/// What a reader says about a head must not depend on the heads it has read before.
@Suite struct RequestReaderTests {
    /// Heads that share lines in many ways, good and bad.
    static let heads = [
        "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 17\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\ncontent-length:0\r\nX: y\r\nConnection: close\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 05\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nHost: shop\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\n\r\nContent-Length: 5\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\n Content-Length: 5\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: 5\r\nHost: shop\r\nAccept: a\r\n\r\n",
        "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        "POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
        "POST /b HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\n",
        "\r\nPOST /a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\n",
        "POST http://shop/a HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        "POST http://shop/a HTTP/1.1\r\nContent-Length: 5\r\nHost: other\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer k\r\nContent-Length: 5\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer K\r\nContent-Length: 5\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: shop\r\nX: \(String(repeating: "x", count: 3000))\r\n"
            + "Content-Length: 5\r\n\r\n",
    ].map { Array($0.utf8) }

    private static let small = HTTPLimits(
        requestLineByteCountMax: 20, headerByteCountMax: 40, headByteCountMax: 70,
        headerCountMax: 2)

    private func read(_ bytes: [UInt8], _ reader: inout RequestReader) -> Outcome {
        do {
            return try reader.read(bytes.span) ? .head(reader.parser.head) : .incomplete
        } catch {
            return .refused(error)
        }
    }

    @Test(arguments: heads)
    func `any head is read behind any other as it is alone`(first: [UInt8]) {
        for limits in [HTTPLimits.standard, Self.small] {
            for second in Self.heads {
                var reader = RequestReader(limits: limits)
                for bytes in [first, second, first, second] {
                    let found = read(bytes, &reader)
                    #expect(
                        found == outcome(of: bytes, limits: limits), "\(bytes.span.text)")
                }
            }
        }
    }

    @Test(arguments: heads)
    func `any part of a head is read behind the head as it is alone`(bytes: [UInt8]) {
        var reader = RequestReader()
        _ = read(bytes, &reader)
        for count in 0...bytes.count {
            let part = Array(bytes.prefix(count))
            #expect(read(part, &reader) == outcome(of: part), "\(count) bytes")
        }
    }

    @Test func `a byte that is not the familiar one is seen wherever it stands`() {
        for familiar in Self.heads {
            for offset in familiar.indices {
                for change: UInt8 in [0x01, 0x20, 0x80] {
                    var bytes = familiar
                    bytes[offset] ^= change
                    var reader = RequestReader()
                    _ = read(familiar, &reader)
                    let found = read(bytes, &reader)
                    #expect(found == outcome(of: bytes), "\(offset) of \(familiar.span.text)")
                }
            }
        }
    }
}
