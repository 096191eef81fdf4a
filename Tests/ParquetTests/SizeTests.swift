import Bytes
import Testing

@testable import Parquet

/// Bytes that typical columns take: what an encoding is chosen for.
@Suite struct SizeTests {
    /// Bytes per row of a file of one column.
    static func bytesPerRow(_ values: Table.Values) throws -> Double {
        Double(try Table([.init("a", values)]).file().count) / Double(values.count)
    }

    @Test func `a run takes its count and its number`() {
        var numbers = Buffer<UInt32>()
        numbers.append(repeating: 300, count: 1000)
        var page = ByteBuffer()
        page.append(hybrid: numbers, width: 9)
        // varint(1000 « 1), and 300 in two bytes.
        let bytes = page.span.array
        #expect(bytes == [0xD0, 0x0F, 0x2C, 0x01])
    }

    @Test func `columns take what their values carry`() throws {
        var random = SeededGenerator(seed: 3)
        let count = 200_000
        let units = (0..<count).map { _ in Int32.random(in: 0..<1000, using: &random) }
        // A thousand values carry 9.97 bits.
        #expect(try Self.bytesPerRow(.int32(units)) < 1.28)
        #expect(try Self.bytesPerRow(.int64(units.map { Int64($0) << 40 })) < 1.33)
        #expect(try Self.bytesPerRow(.int32([Int32](repeating: -5, count: count))) < 0.01)
        let hundreds = (0..<count).map { "SKU-\($0 / 100)" }
        #expect(try Self.bytesPerRow(.string(hundreds)) < 0.2)
        let places = (0..<count).map { "S\($0 % 100)" }
        #expect(try Self.bytesPerRow(.string(places)) < 0.1)
        // Steps below 1,000 from value to value: 10 bits and a little for the blocks.
        var at: Int64 = 1_790_000_000_000
        let instants = units.map { step in
            at += Int64(step)
            return at
        }
        #expect(try Self.bytesPerRow(.timestamp(instants)) < 1.4)
        // One row of twenty is not zero: 0.29 bits of where, 0.22 of what.
        let few = units.map { $0 < 50 ? 1 + $0 % 20 : 0 }
        #expect(try Self.bytesPerRow(.int32(few)) < 0.15)
    }
}
