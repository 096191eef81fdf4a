import Bytes
import HTTP
import Testing

@Suite struct ChunkedDecoderTests {
    static let bodies: [(wire: String, data: String)] = [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        ("1\r\n\r\r\n2\r\n\r\n\r\n000\r\n\r\n", "\r\r\n"),
        ("a\r\n0123456789\r\nA;x\r\n0123456789\r\n0;y=\"z;\"\r\n\r\n", "01234567890123456789"),
        ("000000000000005\r\nhello\r\n0\r\nTrailer: x\r\ny:\r\n\r\n", "hello"),
        ("1;a=b;c=d\t e\r\nx\r\n0\r\nContent-Length: 9\r\nHost: é\r\n\r\n", "x"),
    ]

    @Test(arguments: bodies)
    func `data comes out and the end is found`(wire: String, data: String) {
        let next = "GET / HTTP/1.1"
        let whole = BodyOutcome.whole(data: Array(data.utf8), byteCount: wire.utf8.count)
        #expect(decode(Array((wire + next).utf8)) == whole)
        #expect(decode(Array(wire.utf8)) == whole)
    }

    @Test(arguments: bodies)
    func `any split gives the same data`(wire: String, data: String) {
        let bytes = Array(wire.utf8)
        let whole = decode(bytes)
        #expect(decode(bytes, stopsAt: 0..<bytes.count) == whole)
        for end in 0...bytes.count { #expect(decode(bytes, stopsAt: [end]) == whole) }
    }

    @Test(arguments: bodies)
    func `a body that is cut off has not ended`(wire: String, data: String) {
        let bytes = Array(wire.utf8)
        for count in 0..<bytes.count {
            guard case .incomplete(let part) = decode(Array(bytes.prefix(count))) else {
                Issue.record("\(count) bytes of \(wire)")
                continue
            }
            #expect(Array(data.utf8).starts(with: part))
        }
    }

    @Test(arguments: [
        ("\r\n", HTTPRefusal.badChunkSize), ("\n", .badChunkSize), (" 5\r\n", .badChunkSize),
        ("5 \r\n", .badChunkSize), ("5\t;x\r\n", .badChunkSize), ("5 ;x\r\n", .badChunkSize),
        ("0x5\r\n", .badChunkSize), ("+5\r\n", .badChunkSize), ("-5\r\n", .badChunkSize),
        ("5_0\r\n", .badChunkSize), ("g\r\n", .badChunkSize), ("5\n", .badChunkSize),
        ("5\r5", .badChunkSize), ("5\rhello", .badChunkSize), (";x\r\n", .badChunkSize),
        ("0000000000000005\r\n", .badChunkSize), ("FFFFFFFFFFFFFFFF\r\n", .badChunkSize),
        ("10000000000000005\r\n", .badChunkSize), ("٥\r\n", .badChunkSize),
        ("5;\r\n", .badChunkExtension), ("5;;x\r\n", .badChunkExtension),
        ("5; x\r\n", .badChunkExtension), ("5;x\n", .badChunkExtension),
        ("5;x\u{0}\r\n", .badChunkExtension), ("5;=x\r\n", .badChunkExtension),
        ("5;x\r5", .badChunkSize),
        ("1\r\nxy", .badChunkEnd), ("1\r\nx\n", .badChunkEnd), ("1\r\nx\rx", .badChunkEnd),
        ("1\r\nx0\r\n\r\n", .badChunkEnd), ("1\r\nx\r\r\n", .badChunkEnd),
        ("0\r\n\n", .badTrailer), ("0\r\n\r\r", .badTrailer), ("0\r\n x: y\r\n", .badTrailer),
        ("0\r\nx\r\n", .badTrailer), ("0\r\n: y\r\n", .badTrailer), ("0\r\nx : y\r\n", .badTrailer),
        ("0\r\nx: y\n", .badTrailer), ("0\r\nx: \u{0}\r\n", .badTrailer),
        ("0\r\nx: y\r\r\n", .badTrailer), ("0\r\nGET / HTTP/1.1\r\n", .badTrailer),
    ])
    func `what is malformed is refused, whole and byte by byte`(
        wire: String, refusal: HTTPRefusal
    ) {
        let bytes = Array(wire.utf8)
        for ends in [Array(0..<bytes.count), []] {
            guard case .refused(let reason, _) = decode(bytes, stopsAt: ends) else {
                Issue.record("\(wire.debugDescription) is taken")
                continue
            }
            #expect(reason == refusal)
        }
    }

    @Test func `the body may have its limit and not a byte more`() {
        let bytes = Array("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".utf8)
        let whole = BodyOutcome.whole(data: Array("abcde".utf8), byteCount: bytes.count)
        #expect(decode(bytes, by: ChunkedDecoder(bodyByteCountMax: 5)) == whole)
        #expect(
            decode(bytes, by: ChunkedDecoder(bodyByteCountMax: 4))
                == .refused(.bodyTooLarge, data: Array("abc".utf8)))
        #expect(
            decode(Array("0\r\n\r\n".utf8), by: ChunkedDecoder(bodyByteCountMax: 0))
                == .whole(data: [], byteCount: 5))
    }

    @Test func `a chunk of a gibibyte is refused before its data`() {
        let decoder = ChunkedDecoder(bodyByteCountMax: 64 << 20)
        #expect(decode(Array("40000000".utf8), by: decoder) == .refused(.bodyTooLarge, data: []))
        #expect(decode(Array("40000000\r\n".utf8)) == .incomplete(data: []))
    }

    @Test func `extensions may have their limit in all and not a byte more`() {
        let limits = HTTPLimits(chunkExtensionByteCountMax: 6)
        for (last, isTaken) in [(";xy", true), (";xyz", false)] {
            let bytes = Array("1;ab\r\nx\r\n0\(last)\r\n\r\n".utf8)
            let outcome = decode(bytes, by: ChunkedDecoder(limits: limits))
            #expect(
                outcome
                    == (isTaken
                        ? .whole(data: [0x78], byteCount: bytes.count)
                        : .refused(.chunkExtensionsTooLarge, data: [0x78])))
        }
        let endless = Array(("1;" + String(repeating: "x", count: 1 << 20)).utf8)
        #expect(decode(endless) == .refused(.chunkExtensionsTooLarge, data: []))
    }

    @Test func `trailers may have their limit in all and not a byte more`() {
        let limits = HTTPLimits(trailerByteCountMax: 14)
        for (value, isTaken) in [("yyy", true), ("yyyy", false)] {
            let bytes = Array("0\r\na:b\r\nc:\(value)\r\n\r\n".utf8)
            let outcome = decode(bytes, by: ChunkedDecoder(limits: limits))
            #expect(
                outcome
                    == (isTaken
                        ? .whole(data: [], byteCount: bytes.count)
                        : .refused(.trailersTooLarge, data: [])))
        }
        let endless = Array(("0\r\n" + String(repeating: "a: b\r\n", count: 100_000)).utf8)
        #expect(decode(endless) == .refused(.trailersTooLarge, data: []))
    }

    @Test func `a decoder that was reset takes another body`() throws {
        let bytes = Array("2\r\nab\r\n0\r\n\r\n".utf8)
        var decoder = ChunkedDecoder(bodyByteCountMax: 2)
        for _ in 0..<2 {
            let data = try decoder.next(bytes.span, from: 0)
            #expect(data == .data(ByteRange(offset: 3, count: 2)))
            let end = try decoder.next(bytes.span, from: 5)
            #expect(end == .end(consumed: bytes.count))
            let again = try decoder.next(bytes.span, from: 7)
            #expect(again == .end(consumed: 7))
            #expect(decoder.bodyByteCount == 2)
            decoder.reset()
        }
    }

    @Test func `what was written in chunks reads back, however it is split`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        for round in 0..<500 {
            var wire = ByteBuffer()
            var data: [UInt8] = []
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let count = Int.random(
                    in: 0...(Bool.random(using: &random) ? 5 : 5000), using: &random)
                let piece = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                data += piece
                if Bool.random(using: &random) {
                    wire.appendChunk(piece.span, framing: .chunked)
                } else {
                    let chunk = wire.beginChunk(framing: .chunked)
                    wire.append(piece.span)
                    wire.endChunk(chunk)
                }
            }
            wire.appendLastChunk(framing: .chunked)
            let bytes = (0..<wire.count).map { wire[$0] }
            let outcome = decode(bytes, stopsAt: random.splits(of: bytes.count))
            if outcome != .whole(data: data, byteCount: bytes.count) {
                Issue.record("seed \(seed), round \(round)")
                return
            }
        }
    }

    @Test func `mutated bodies are read the same, however they are split`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let delicate = Array("\r\n0159aF;x= \t:".utf8)
        for round in 0..<20_000 {
            var bytes = Array(Self.bodies.randomElement(using: &random)!.wire.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let offset = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[offset] = delicate.randomElement(using: &random)!
                case 1: bytes.insert(delicate.randomElement(using: &random)!, at: offset)
                default: if bytes.count > 1 { bytes.remove(at: offset) }
                }
            }
            let whole = decode(bytes)
            if decode(bytes, stopsAt: random.splits(of: bytes.count)) != whole
                || decode(bytes, stopsAt: 0..<bytes.count) != whole
            {
                Issue.record("seed \(seed), round \(round): \(bytes)")
                return
            }
        }
    }
}
