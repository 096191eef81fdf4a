// XXH64 (Yann Collet, xxHash specification 0.1.1), for names of 64 bytes and seed 0.
//
// Eight words are read by four lanes, two words each. A lane's step can be undone, so its second
// word can be chosen to bring it to any state, whatever its first word was.

import Bytes

enum XXH64 {
    private static let primes: [UInt64] = [
        0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9,
        0x85EB_CA77_C2B2_AE63, 0x27D4_EB2F_1656_67C5,
    ]

    /// The states of the lanes before the first word.
    private static let lanes: [UInt64] = [
        primes[0] &+ primes[1], primes[1], 0, 0 &- primes[0],
    ]

    private static func step(_ state: UInt64, _ word: UInt64) -> UInt64 {
        (state &+ word &* primes[1]).rotated(by: 31) &* primes[0]
    }

    /// The word that brings `state` to `after`.
    private static func word(from state: UInt64, to after: UInt64) -> UInt64 {
        ((after &* primes[0].inverse).rotated(by: 33) &- state) &* primes[1].inverse
    }

    /// - Precondition: 64 bytes.
    static func hash(_ name: [UInt8]) -> UInt64 {
        precondition(name.count == 64)
        var states = lanes
        for index in 0..<8 {
            states[index % 4] = step(states[index % 4], name.span.word(at: index * 8))
        }
        var hash =
            states[0].rotated(by: 1) &+ states[1].rotated(by: 7)
            &+ states[2].rotated(by: 12) &+ states[3].rotated(by: 18)
        for state in states { hash = (hash ^ step(0, state)) &* primes[0] &+ primes[3] }
        hash &+= 64
        hash = (hash ^ hash >> 33) &* primes[1]
        hash = (hash ^ hash >> 29) &* primes[2]
        return hash ^ hash >> 32
    }

    /// 32 pairs of words for each lane with one state behind them: 2²⁰ names of printable
    /// characters.
    static func names(_ count: Int) -> [[UInt8]] {
        let pairsByLane = lanes.map { pairs(from: $0, to: step(step($0, 0), 0)) }
        return (0..<count).map { number in
            let chosen = (0..<4).map { pairsByLane[$0][number >> ($0 * 5) & 31] }
            return chosen.flatMap { $0.first } + chosen.flatMap { $0.second }
        }
    }

    /// Pairs of printable words that bring a lane from `state` to `after`. One of 3,000 first words
    /// has a second one that is printable.
    private static func pairs(
        from state: UInt64, to after: UInt64
    ) -> [(first: [UInt8], second: [UInt8])] {
        var pairs: [(first: [UInt8], second: [UInt8])] = []
        var number = 0
        while pairs.count < 32 {
            let first = eightLetters(number)
            let second = word(from: step(state, first.span.word(at: 0)), to: after)
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: second >> ($0 * 8)) }
            if bytes.allSatisfy({ (0x21...0x7E).contains($0) }) { pairs.append((first, bytes)) }
            number += 1
        }
        return pairs
    }
}

extension UInt64 {
    fileprivate func rotated(by count: UInt64) -> UInt64 { self << count | self >> (64 - count) }

    /// The number whose product with this odd one is 1, by Newton's iteration.
    fileprivate var inverse: UInt64 {
        (0..<6).reduce(self) { inverse, _ in inverse &* (2 &- self &* inverse) }
    }
}
