/// The CRC-32 of zlib. It is linear, so whatever is in its kernel may be added to a name.
enum CRC32 {
    static func hash(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { state, byte in
            (0..<8).reduce(state ^ UInt32(byte)) { word, _ in
                word & 1 == 1 ? word >> 1 ^ 0xEDB8_8320 : word >> 1
            }
        }
    }

    /// Of 15 letters from `a` to `o` the low four bits are free: 60 bits, of which 32 equations
    /// leave 28 or more.
    static func names(_ count: Int) -> [[UInt8]] {
        let start = [UInt8](repeating: 0x60, count: 15)
        // What each free bit does to the checksum; rows reduced by elimination.
        var rows: [(effect: UInt32, bits: UInt64)] = []
        var kernel: [UInt64] = []
        for bit in 0..<60 {
            let effect = hash(flipped(start, 1 << bit)) ^ hash(start)
            var row = (effect: effect, bits: 1 << bit as UInt64)
            for pivot in rows where row.effect ^ pivot.effect < row.effect {
                row = (row.effect ^ pivot.effect, row.bits ^ pivot.bits)
            }
            if row.effect == 0 {
                kernel.append(row.bits)
            } else {
                rows.append(row)
                rows.sort { $0.effect > $1.effect }
            }
        }
        // In the order of a Gray code: one vector more or less from name to name.
        var bits: UInt64 = 0
        return (1...count).map { number in
            bits ^= kernel[number.trailingZeroBitCount]
            return flipped(start, bits)
        }
    }

    private static func flipped(_ name: [UInt8], _ bits: UInt64) -> [UInt8] {
        var name = name
        for index in 0..<15 { name[index] ^= UInt8(bits >> (index * 4) & 15) }
        return name
    }
}
