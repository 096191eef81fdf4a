import Bytes
import Testing

@testable import Parquet

/// Pages put together by hand, some as Encodings.md has them, some damaged.
@Suite struct DecoderTests {
    /// The numbers in a page of runs and packed bits.
    static func hybrid(
        _ bytes: [UInt8], width: Int, count: Int, limit: Int = .max
    ) throws(ParquetError.Reason) -> [UInt32] {
        var values = [UInt32](repeating: 99, count: count)
        var span = values.mutableSpan
        let page = bytes + [UInt8](repeating: 0xFF, count: packingSlackByteCount)
        try decodeHybrid(
            page.span, from: 0, end: bytes.count, width: width, through: IndexMap(limit: limit),
            into: &span, rows: 0..<count)
        return values
    }

    static func delta<Value: ColumnInteger>(
        _ bytes: [UInt8], count: Int
    ) throws(ParquetError.Reason) -> [Value] {
        var values = [Value](repeating: 99, count: count)
        var span = values.mutableSpan
        let page = bytes + [UInt8](repeating: 0xFF, count: packingSlackByteCount)
        try decodeDelta(page.span, from: 0, end: bytes.count, into: &span, rows: 0..<count)
        return values
    }

    @Test func `the packed numbers of the specification`() throws {
        // "The numbers 0 through 7 using bit width 3": 10001000 11000110 11111010.
        let packed: [UInt8] = [0b1000_1000, 0b1100_0110, 0b1111_1010]
        #expect(try Self.hybrid([3] + packed, width: 3, count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
        #expect(try Self.hybrid([3] + packed, width: 3, count: 5) == [0, 1, 2, 3, 4])
        var buffer = ByteBuffer()
        buffer.append(packed: [UInt32](0...7).span, width: 3)
        let written = buffer.span.array
        #expect(written == packed)
    }

    @Test func `runs and packed numbers in turns`() throws {
        // Five of 300 (two bytes at width 9), then a group of eight at width 9 that holds zeros.
        let bytes: [UInt8] = [10, 0x2C, 0x01, 3] + [UInt8](repeating: 0, count: 9) + [4, 1, 0]
        #expect(
            try Self.hybrid(bytes, width: 9, count: 15)
                == [300, 300, 300, 300, 300, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
        // Nothing is needed for zeros of no width.
        #expect(try Self.hybrid([8], width: 0, count: 4) == [0, 0, 0, 0])
        #expect(try Self.hybrid([3], width: 0, count: 4) == [0, 0, 0, 0])
    }

    @Test(arguments: 1...32)
    func `numbers of every width, in runs and not, come back`(width: Int) throws {
        var random = SeededGenerator(seed: UInt64(width))
        for count in [1, 7, 8, 9, 64, 65, 200] {
            var numbers = Buffer<UInt32>()
            while numbers.count < count {
                let number = UInt32(truncatingIfNeeded: random.next() & lowBits(width))
                let length = random.next() % 4 == 0 ? 70 : 1
                numbers.append(repeating: number, count: min(length, count - numbers.count))
            }
            var page = ByteBuffer()
            page.append(hybrid: numbers, width: width)
            let expected = (0..<count).map { numbers[$0] }
            #expect(try Self.hybrid(page.span.array, width: width, count: count) == expected)
        }
    }

    @Test(arguments: [
        ([], ParquetError.Reason.truncated),
        ([0], .corrupt("an empty run")),
        ([1], .corrupt("an empty run")),
        ([8], .truncated),  // A run without its number.
        ([0x80], .truncated),  // A count that does not end.
        ([UInt8](repeating: 0xFF, count: 10), .truncated),  // One of more than 64 bits.
        ([10, 1], .corrupt("more values than the page has")),
        ([8, 5], .corrupt("a number is not in the dictionary")),
        ([3, 0, 0], .truncated),  // A group of eight at width 3 takes three bytes.
        ([3, 0xFF, 0xFF, 0xFF], .corrupt("a number is not in the dictionary")),
        ([8, 1, 0], .corrupt("bytes behind the last value")),
        ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], .truncated),
    ])
    func `damaged runs are errors`(bytes: [UInt8], reason: ParquetError.Reason) {
        #expect(throws: reason) { try Self.hybrid(bytes, width: 3, count: 4, limit: 5) }
    }

    @Test func `the differences of the specification, in a block of 128`() throws {
        // 7, 5, 3, 1, 2, 3, 4, 5: the smallest difference is −2; packed at width 2 are
        // 0, 0, 0, 3, 3, 3, 3 and padding.
        let head: [UInt8] = [0x80, 1, 4, 8, 14]
        let block: [UInt8] = [3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111]
        let padding = [UInt8](repeating: 0, count: 6)
        let values: [Int32] = [7, 5, 3, 1, 2, 3, 4, 5]
        #expect(try Self.delta(head + block + padding, count: 8) == values)
        var page = ByteBuffer()
        page.append(delta: values.span)
        let written = page.span.array
        #expect(written == head + block + padding)
        // Padding and the widths of miniblocks that do not follow may be anything.
        let other: [UInt8] = [3, 2, 99, 99, 99, 0b1100_0000, 0b1111_1111]
        #expect(try Self.delta(head + other + [1, 2, 3, 4, 5, 6], count: 8) == values)
    }

    @Test(arguments: [1, 2, 32, 33, 34, 128, 129, 130, 300])
    func `integers of all widths come back through differences`(count: Int) throws {
        var random = SeededGenerator(seed: UInt64(count))
        for shift: Int64 in 0..<64 {
            let longs = (0..<count).map { _ in
                Int64.random(in: .min ... .max, using: &random) >> shift
            }
            var page = ByteBuffer()
            page.append(delta: longs.span)
            #expect(try Self.delta(page.span.array, count: count) == longs)
            let integers = longs.map { Int32(truncatingIfNeeded: $0) }
            page.removeAll()
            page.append(delta: integers.span)
            #expect(try Self.delta(page.span.array, count: count) == integers)
        }
    }

    @Test(arguments: [
        ([], ParquetError.Reason.truncated),
        ([0x80, 1, 4, 2], .truncated),
        ([0, 4, 2, 0], .corrupt("the shape of the blocks")),
        ([0x81, 1, 4, 2, 0], .corrupt("the shape of the blocks")),
        ([0x80, 1, 0, 2, 0], .corrupt("the shape of the blocks")),
        ([0x80, 1, 8, 2, 0], .corrupt("the shape of the blocks")),
        ([0x80, 0x80, 0x80, 1, 4, 2, 0], .corrupt("the shape of the blocks")),
        ([0x80, 1, 4, 3, 0], .corrupt("the count of values")),
        ([0x80, 1, 4, 2, 0, 2, 0, 0], .truncated),  // Two of four widths.
        ([0x80, 1, 4, 2, 0, 2, 33, 0, 0, 0], .corrupt("a width of packed numbers")),
        ([0x80, 1, 4, 2, 0, 2, 1, 0, 0, 0, 0], .truncated),
        ([0x80, 1, 4, 2, 0, 2, 0, 0, 0, 0, 7], .corrupt("bytes behind the last value")),
    ])
    func `damaged differences are errors`(bytes: [UInt8], reason: ParquetError.Reason) {
        #expect(throws: reason) {
            let values: [Int32] = try Self.delta(bytes, count: 2)
            Issue.record("\(values)")
        }
    }
}
