import Bytes
import Testing

@testable import Parquet

@Suite struct ThriftTests {
    /// The error that passing over a structure ends in, or nil.
    static func skipping(_ bytes: [UInt8]) -> ParquetError? {
        var reader = ThriftReader(bytes.span, fileOffset: 1000)
        do throws(ParquetError) {
            try reader.skip(.structure)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        [0],
        [0x11, 0x12, 0],  // Two Booleans.
        [0x13, 7, 0x14, 1, 0x15, 0x80, 1, 0x16, 2, 0],  // Integers of 8, 16, 32 and 64 bits.
        [0x17, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0],  // Floating point.
        [0x18, 3, 1, 2, 3, 0],  // A byte string.
        [0x19, 0x21, 1, 2, 0],  // A list of two Booleans.
        [0x19, 0x2C, 0, 0, 0],  // One of two structures.
        [0x1A, 0x15, 4, 0],  // A set.
        [0x1B, 0, 0],  // A map of nothing.
        [0x1B, 1, 0x85, 1, 7, 4, 0],  // One of a byte string to an integer.
        [0x1C, 0x15, 2, 0, 0],  // A structure inside.
        [0x05, 0x80, 0x7D, 2, 0],  // A field whose number stands in full.
    ])
    func `every type of value is passed over`(bytes: [UInt8]) {
        var reader = ThriftReader(bytes.span, fileOffset: 0)
        #expect(throws: Never.self) { try reader.skip(.structure) }
        let offset = reader.offset
        #expect(offset == bytes.count)
        for count in 0..<bytes.count {
            #expect(Self.skipping(Array(bytes.prefix(count)))?.reason == .truncated, "\(count)")
        }
    }

    @Test(arguments: [
        ([0x1D], ParquetError(.corrupt("there is no such type of value"), at: 1001)),
        ([0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], ParquetError(.truncated, at: 1006)),
        ([0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], ParquetError(.truncated, at: 1007)),
        (
            [0x15] + [UInt8](repeating: 0xFF, count: 10) + [0],
            ParquetError(.corrupt("a number is too long"), at: 1010)
        ),
        (
            [0x05, 0xFE, 0xFF, 0x03, 0, 0x25],
            ParquetError(.corrupt("a field's number is too large"), at: 1006)
        ),
        (
            [UInt8](repeating: 0x1C, count: 40),
            ParquetError(.corrupt("structures are too deep"), at: 1016)
        ),
    ])
    func `damaged structures are errors`(bytes: [UInt8], error: ParquetError) {
        #expect(Self.skipping(bytes) == error)
    }

    @Test func `what is written is read`() throws {
        var writer = ThriftWriter()
        writer.integer(1, .min)
        writer.long(3, .max)
        writer.beginList(4, of: .int32, count: 20)
        for number: Int32 in 0..<20 { writer.integerElement(number - 10) }
        writer.beginStructure(5)
        writer.boolean(9, true)
        writer.endStructure()
        writer.string(20, "ä")
        writer.endStructure()
        let bytes = writer.output.span.array

        var reader = ThriftReader(bytes.span, fileOffset: 0)
        var before: Int16 = 0
        var seen: [String] = []
        while let field = try reader.field(after: &before) {
            switch field.number {
            case 1: seen.append("\(try reader.integer())")
            case 3: seen.append("\(try reader.long())")
            case 4:
                let count = try reader.list(of: .int32)
                var sum: Int32 = 0
                for _ in 0..<count { sum += try reader.integer() }
                seen.append("\(count) \(sum)")
            case 20: seen.append(try reader.string())
            default: try reader.skip(field.type)
            }
        }
        #expect(seen == ["-2147483648", "9223372036854775807", "20 -10", "ä"])
        let offset = reader.offset
        #expect(offset == bytes.count)
    }
}
