import Testing

@testable import Journal

@Suite struct XXH64Tests {
    private func hash(_ text: [UInt8]) -> UInt64 {
        unsafe text.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe XXH64.hash(start, bytes.count)
        }
    }

    /// From the reference implementation, seed 0.
    @Test(
        arguments: [
            ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64)])
    func `known texts have their known hash`(text: String, expected: UInt64) {
        #expect(hash(Array(text.utf8)) == expected)
    }

    @Test func `every bit of every length counts`() {
        for count in 1...80 {
            var bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let whole = hash(bytes)
            for bit in 0..<count * 8 {
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                if hash(bytes) == whole { Issue.record("bit \(bit) of \(count) bytes") }
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            }
        }
    }

    @Test func `pieces have the hash of the whole, wherever it is cut`() {
        for count in 0...150 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 41 &+ 3) }
            let whole = count == 0 ? 0xEF46_DB37_51D8_E999 : hash(bytes)
            for pieceByteCount in [1, 3, 8, 31, 32, 33, 64, 100, 151] {
                var stream = XXH64Stream()
                var start = 0
                while start < count {
                    let end = min(start + pieceByteCount, count)
                    stream.update(bytes.span.extracting(start..<end))
                    start = end
                }
                #expect(stream.hash == whole, "\(count) bytes by \(pieceByteCount)")
            }
        }
    }
}
