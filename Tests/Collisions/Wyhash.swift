// wyhash, final version 4 (Wang Yi), for names of 17 to 48 bytes, with its default secret.
//
// It multiplies each word, changed by a word of the secret, with the next one, changed by what was
// before. A word that equals its secret makes zero of the product, and the next word is forgotten.

import Bytes

package enum Wyhash {
    private static let secret: [UInt64] = [
        0x2D35_8DCC_AA6C_78A5, 0x8BB8_4B93_962E_ACC9, 0x4B33_A62E_D433_D4A3,
        0x4D5A_2DA5_1DE1_AA47,
    ]

    private static func mix(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = one.multipliedFullWidth(by: other)
        return product.low ^ product.high
    }

    /// - Precondition: 17 to 48 bytes.
    package static func hash(_ name: [UInt8], seed: UInt64) -> UInt64 {
        precondition((17...48).contains(name.count))
        let bytes = name.span
        var state = seed ^ mix(seed ^ secret[0], secret[1])
        var offset = 0
        while name.count - offset > 16 {
            state = mix(bytes.word(at: offset) ^ secret[1], bytes.word(at: offset + 8) ^ state)
            offset += 16
        }
        let last = (bytes.word(at: name.count - 16) ^ secret[1]).multipliedFullWidth(
            by: bytes.word(at: name.count - 8) ^ state)
        return mix(last.low ^ secret[0] ^ UInt64(name.count), last.high ^ secret[1])
    }

    /// 32 bytes: the word of the secret, eight letters that are forgotten, and an end.
    static func names(_ count: Int) -> [[UInt8]] {
        let start = (0..<8).map { UInt8(truncatingIfNeeded: secret[1] >> ($0 * 8)) }
        let end = Array("the same for all".utf8)
        return (0..<count).map { start + eightLetters($0) + end }
    }
}
