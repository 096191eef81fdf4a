/// FNV-1a (Fowler, Noll, Vo): the low bits of the state depend on no higher ones.
enum FNV {
    static let start32: UInt64 = 0x811C_9DC5
    static let prime32: UInt64 = 0x0100_0193
    static let start64: UInt64 = 0xCBF2_9CE4_8422_2325
    static let prime64: UInt64 = 0x0000_0100_0000_01B3

    /// The bits that collide.
    static let mask: UInt64 = 0x3F_FFFF

    /// Right in its low 32 bits for the function of 32 bits.
    static func hash(_ name: [UInt8], start: UInt64, prime: UInt64) -> UInt64 {
        name.reduce(start) { ($0 ^ UInt64($1)) &* prime }
    }

    /// Twenty pairs of blocks, each colliding from where the one before ended: 2²⁰ names.
    static func names(_ count: Int, start: UInt64, prime: UInt64) -> [[UInt8]] {
        var state = start & mask
        var pairs: [[[UInt8]]] = []
        while pairs.count < 20 {
            let (after, blocks) = pair(from: state, prime)
            state = after
            pairs.append(blocks)
        }
        return Chains.names(count, pairs)
    }

    /// Two blocks with one state behind them. Takes some 2,500 tries.
    private static func pair(
        from state: UInt64, _ prime: UInt64
    ) -> (after: UInt64, blocks: [[UInt8]]) {
        var numberByState: [UInt64: Int] = [:]
        var number = 0
        while true {
            let after = hash(block(number), start: state, prime: prime) & mask
            if let found = numberByState.updateValue(number, forKey: after) {
                return (after, [block(found), block(number)])
            }
            number += 1
        }
    }

    /// Three of 64 characters: 2¹⁸ blocks.
    private static func block(_ number: Int) -> [UInt8] {
        (0..<3).map { UInt8(48 + number >> ($0 * 6) & 63) }
    }
}
