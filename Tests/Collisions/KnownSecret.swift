// Our own function when the secret is no secret.

import Bytes
package import Columns

package enum KnownSecret {
    /// What the first word of a name has added to it cancels "ATTACKER", so that the product is
    /// zero whatever the second word is.
    private static let attack = Array("ATTACKER".utf8)

    package static let hasher: KeyedHash = {
        var words = SecretWords(fifth: 0 &- attack.span.word(at: 0))
        return KeyedHash(using: &words)
    }()

    private static let zeros: KeyedHash = {
        var words = Zeros()
        return KeyedHash(using: &words)
    }()

    static func hash(_ name: [UInt8]) -> UInt64 { NameKey(name.span, hasher).hash }

    static func zeroHash(_ name: [UInt8]) -> UInt64 { NameKey(name.span, zeros).hash }

    /// Names that collide under `hasher`.
    static func names(_ count: Int) -> [[UInt8]] {
        (0..<count).map { attack + eightLetters($0).dropLast() }
    }

    /// Names that collide under zeros: a name of one word is multiplied by its second, which is 0.
    static func shortNames(_ count: Int) -> [[UInt8]] { (0..<count).map(eightLetters) }
}

/// Words that look like chance, but for the fifth: the one that is added to the first of a name.
private struct SecretWords: RandomNumberGenerator {
    private let fifth: UInt64
    private var count: UInt64 = 0

    init(fifth: UInt64) { self.fifth = fifth }

    mutating func next() -> UInt64 {
        count += 1
        return count == 5 ? fifth : count &* 0x9E37_79B9_7F4A_7C15
    }
}

private struct Zeros: RandomNumberGenerator {
    func next() -> UInt64 { 0 }
}
