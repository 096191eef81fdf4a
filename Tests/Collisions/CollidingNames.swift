// Names that all have one hash under a function that has no secret, as an attacker makes them.

/// A family of names that collide.
package enum CollidingNames: String, CaseIterable, Sendable {
    /// FNV-1a with 32 bits: the low 22 bits equal, more than a table of a million names uses.
    case fnv32
    /// FNV-1a with 64 bits: likewise.
    case fnv64
    /// h × 33 + byte: all 64 bits equal.
    case djb2
    /// The CRC-32 of zlib: all bits equal.
    case crc32
    /// XXH64 with seed 0: all bits equal.
    case xxh64
    /// wyhash, final version 4, with its default secret and seed 0: all bits equal.
    case wyhash
    /// Our function under a secret that the attacker knows: all 64 bits equal.
    case ownKnownSecret
    /// Our function under a secret that was never drawn, all zeros: all 64 bits equal.
    case ownZeroSecret

    /// `count` different names of 1 to 64 bytes, at most 2²⁰.
    package func names(_ count: Int) -> [[UInt8]] {
        precondition(count <= 1 << 20)
        return switch self {
        case .fnv32: FNV.names(count, start: FNV.start32, prime: FNV.prime32)
        case .fnv64: FNV.names(count, start: FNV.start64, prime: FNV.prime64)
        case .djb2: Chains.names(count, [[[UInt8]]](repeating: Self.djb2Blocks, count: 13))
        case .crc32: CRC32.names(count)
        case .xxh64: XXH64.names(count)
        case .wyhash: Wyhash.names(count)
        case .ownKnownSecret: KnownSecret.names(count)
        case .ownZeroSecret: KnownSecret.shortNames(count)
        }
    }

    /// The hash under which the names collide.
    package func hash(_ name: [UInt8]) -> UInt64 {
        switch self {
        case .fnv32:
            FNV.hash(name, start: FNV.start32, prime: FNV.prime32) & FNV.mask
        case .fnv64:
            FNV.hash(name, start: FNV.start64, prime: FNV.prime64) & FNV.mask
        case .djb2: name.reduce(5381) { $0 &* 33 &+ UInt64($1) }
        case .crc32: UInt64(CRC32.hash(name))
        case .xxh64: XXH64.hash(name)
        case .wyhash: Wyhash.hash(name, seed: 0)
        case .ownKnownSecret: KnownSecret.hash(name)
        case .ownZeroSecret: KnownSecret.zeroHash(name)
        }
    }

    /// To djb2 these are one: 33 × "E" + "z" = 33 × "F" + "Y" = 33 × "G" + "8".
    private static let djb2Blocks = ["Ez", "FY", "G8"].map { Array($0.utf8) }
}
