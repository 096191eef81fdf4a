// Repeatable chance: the same seed gives the same data on every machine.

/// SplitMix64 (Steele, Lea, Flood, 2014): one multiplication chain per word.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mixed(state)
    }

    /// A number in `0 ..< bound`, by multiplication: the bias is below bound / 2⁶⁴.
    mutating func below(_ bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number in 0 ..< 1.
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// The finaliser of SplitMix64: a permutation of 64-bit words that looks like chance.
func mixed(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ word &>> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word &>> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word &>> 31
}

/// How keys are drawn.
enum KeyDistribution: String, CaseIterable {
    case uniform
    /// Rank r has a weight of 1/r; ranks are spread over the keys by a fixed permutation.
    case zipf
}

/// Draws keys of `0 ..< count`.
struct KeySampler {
    private let count: Int
    private let distribution: KeyDistribution
    private var random: SplitMix
    private var keyOfRank: [UInt32] = []

    init(count: Int, _ distribution: KeyDistribution, seed: UInt64) {
        self.count = count
        self.distribution = distribution
        random = SplitMix(seed: seed)
        if distribution == .zipf {
            keyOfRank = (0..<UInt32(count)).map { $0 }
            keyOfRank.shuffle(using: &random)
        }
    }

    mutating func next() -> Int {
        switch distribution {
        case .uniform: return random.below(count)
        case .zipf:
            // The continuous law with density 1/x on 1 ... n+1, cut to whole ranks: the inverse of
            // its distribution function is (n+1)^u.
            let rank = Int(power(Double(count + 1), random.fraction()))
            return Int(keyOfRank[min(count, max(1, rank)) - 1])
        }
    }
}
