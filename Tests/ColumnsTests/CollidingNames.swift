// Names that all have one hash under a function that is not ours, as an attacker makes them.

import Bytes
import Columns

/// A family of names that collide.
enum CollidingNames: CaseIterable, Sendable {
    /// FNV-1a with 32 bits: the low 20 bits equal, more than a table of 200,000 names uses.
    case fnv32
    /// FNV-1a with 64 bits: likewise.
    case fnv64
    /// h × 33 + byte: all 64 bits equal.
    case djb2
    /// The CRC-32 of zlib: all bits equal.
    case crc32
    /// Our function under a secret that the attacker knows: all 64 bits equal.
    case ownKnownSecret

    /// `count` different names, in an order that tells nothing.
    func names(_ count: Int) -> [[UInt8]] {
        switch self {
        case .fnv32: Self.fnv(count, start: 0x811C_9DC5, prime: 0x0100_0193)
        case .fnv64: Self.fnv(count, start: 0x8422_2325, prime: 0x0000_01B3)
        case .djb2: Self.djb2(count)
        case .crc32: Self.crc32(count)
        case .ownKnownSecret: Self.own(count)
        }
    }

    /// The hash under which the names collide.
    func hash(_ name: [UInt8]) -> UInt64 {
        switch self {
        case .fnv32:
            let whole = name.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
            return UInt64(whole & 0xF_FFFF)
        case .fnv64:
            let whole = name.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
            }
            return whole & 0xF_FFFF
        case .djb2:
            return name.reduce(5381) { $0 &* 33 &+ UInt64($1) }
        case .crc32:
            return UInt64(Self.crc(name))
        case .ownKnownSecret:
            return Self.knownSecret(name)
        }
    }

    // MARK: - FNV-1a: blocks that collide, again and again (A. Joux, 2004)

    /// Twelve triples of blocks, each colliding from where the one before ended: 3¹² names.
    ///
    /// The low bits of the state depend on no higher ones. A triple takes about 20,000 tries.
    private static func fnv(_ count: Int, start: UInt32, prime: UInt32) -> [[UInt8]] {
        var state = start & 0xF_FFFF
        var triples: [[[UInt8]]] = []
        while triples.count < 12 {
            var blocksByState: [UInt32: [Int]] = [:]
            var number = 0
            while true {
                var after = state
                for byte in letters(number) { after = (after ^ UInt32(byte)) &* prime & 0xF_FFFF }
                blocksByState[after, default: []].append(number)
                if let found = blocksByState[after], found.count == 3 {
                    triples.append(found.map(letters))
                    state = after
                    break
                }
                number += 1
            }
        }
        return chains(count, triples)
    }

    /// Four of 64 characters: 2²⁴ blocks.
    private static func letters(_ number: Int) -> [UInt8] {
        [
            UInt8(48 + number & 63), UInt8(48 + number >> 6 & 63),
            UInt8(48 + number >> 12 & 63), UInt8(48 + number >> 18 & 63),
        ]
    }

    /// Names made of one block of each triple.
    private static func chains(_ count: Int, _ triples: [[[UInt8]]]) -> [[UInt8]] {
        (0..<count).map { number in
            var name: [UInt8] = []
            name.reserveCapacity(48)
            var rest = number
            for triple in triples {
                name += triple[rest % 3]
                rest /= 3
            }
            return name
        }
    }

    // MARK: - djb2: "Ez", "FY" and "G8" are one to it

    private static func djb2(_ count: Int) -> [[UInt8]] {
        let blocks = ["Ez", "FY", "G8"].map { Array($0.utf8) }
        return chains(count, [[[UInt8]]](repeating: blocks, count: 12))
    }

    // MARK: - CRC-32: linear, so whatever is in the kernel may be added

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { state, byte in
            (0..<8).reduce(state ^ UInt32(byte)) { word, _ in
                word & 1 == 1 ? word >> 1 ^ 0xEDB8_8320 : word >> 1
            }
        }
    }

    /// Of 15 letters from `a` to `o` the low four bits are free: 60 bits, of which 32 equations
    /// leave 28 or more.
    private static func crc32(_ count: Int) -> [[UInt8]] {
        let start = [UInt8](repeating: 0x60, count: 15)
        // What each free bit does to the checksum; rows reduced by elimination.
        var rows: [(effect: UInt32, bits: UInt64)] = []
        var kernel: [UInt64] = []
        for bit in 0..<60 {
            let effect = crc(flipped(start, 1 << bit)) ^ crc(start)
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

    // MARK: - Ours, with the secret known

    /// What the first word of a name has added to it cancels "ATTACKER", so that the product is
    /// zero whatever the second word is.
    private static let attack = Array("ATTACKER".utf8)

    static let knownSecret: KeyedHash = {
        var random = Seeded(1)
        var words = (0..<68).map { _ in random.next() }
        words[4] = 0 &- attack.span.word(at: 0)
        var listed = ListedWords(words)
        return KeyedHash(using: &listed)
    }()

    private static func own(_ count: Int) -> [[UInt8]] {
        (0..<count).map { number in
            var name = attack
            for index in 0..<7 { name.append(UInt8(48 + number >> (index * 3) & 7)) }
            return name
        }
    }
}
