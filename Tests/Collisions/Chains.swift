/// Names made of blocks, any of which may stand at its place without changing what comes after
/// (A. Joux, 2004).
enum Chains {
    /// `count` names, each of one block of every place; the blocks are counted through.
    static func names(_ count: Int, _ places: [[[UInt8]]]) -> [[UInt8]] {
        (0..<count).map { number in
            var name: [UInt8] = []
            name.reserveCapacity(64)
            var rest = number
            for blocks in places {
                name += blocks[rest % blocks.count]
                rest /= blocks.count
            }
            return name
        }
    }
}

/// A name of eight characters with three free bits each: 2²⁴ of them.
func eightLetters(_ number: Int) -> [UInt8] {
    (0..<8).map { UInt8(48 + number >> ($0 * 3) & 7) }
}
