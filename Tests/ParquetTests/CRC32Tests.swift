import Bytes
import Testing

@testable import Parquet

@Suite struct CRC32Tests {
    @Test func `known checksums`() {
        // The check value of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC), and
        // those of no byte, one zero and 32 of them.
        #expect(CRC32.checksum(of: Array("123456789".utf8).span) == 0xCBF4_3926)
        #expect(CRC32.checksum(of: [UInt8]().span) == 0)
        #expect(CRC32.checksum(of: [UInt8(0)].span) == 0xD202_EF8D)
        #expect(CRC32.checksum(of: [UInt8](repeating: 0, count: 32).span) == 0x190A_55AD)
    }

    @Test func `eight bytes a step are like one bit a step`() {
        var random = SeededGenerator(seed: 1)
        for count in 0..<100 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            var expected = UInt32.max
            for byte in bytes {
                expected ^= UInt32(byte)
                for _ in 0..<8 { expected = expected >> 1 ^ (expected & 1) * 0xEDB8_8320 }
            }
            #expect(CRC32.checksum(of: bytes.span) == ~expected)
        }
    }
}
