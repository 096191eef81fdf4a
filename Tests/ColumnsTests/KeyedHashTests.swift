import Bytes
import Collisions
import Columns
import Testing

@Suite struct KeyedHashTests {
    let seed = testSeed()

    @Test func `a name hashes the same whatever lies around it`() {
        var random = Seeded(seed)
        let hash = KeyedHash(seed: seed &+ 1)
        for count in 1...64 {
            let name = random.bytes(count)
            let alone = hash(name)
            for _ in 0..<20 {
                let before = random.below(20)
                let buffer = random.bytes(before) + name + random.bytes(random.below(20))
                let inside = buffer.span.extracting(before..<before + count)
                #expect(NameKey(inside, hash).hash == alone, "seed \(seed), \(count) bytes")
            }
        }
    }

    @Test func `the path for short names gives the first half of the full hash`() {
        var random = Seeded(seed)
        let hash = KeyedHash(seed: seed &+ 1)
        for count in 1...15 {
            for _ in 0..<500 {
                let name = random.bytes(count)
                let full = hash.hash128(name.span).0
                #expect(hash(name) == full, "seed \(seed), \(name)")
            }
        }
    }

    @Test func `different secrets give different hashes`() {
        var random = Seeded(seed)
        let one = KeyedHash(seed: seed &+ 1)
        let two = KeyedHash(seed: seed &+ 2)
        for _ in 0..<5_000 {
            let name = random.bytes(1 + random.below(64))
            let (first, second) = (one.hash128(name.span), two.hash128(name.span))
            #expect(first.0 != second.0 && first.1 != second.1, "seed \(seed), \(name)")
        }
    }

    @Test func `names that differ in one byte never collide`() {
        var random = Seeded(seed)
        let hash = KeyedHash(seed: seed &+ 1)
        var name: [UInt8] = []
        for attempt in 0..<100_000 {
            if attempt % 50 == 0 { name = random.bytes(1 + random.below(64)) }
            let before = hash.hash128(name.span)
            let changed = random.below(name.count)
            name[changed] ^= UInt8(1 + random.below(255))
            let after = hash.hash128(name.span)
            if before.0 == after.0 || before.1 == after.1 {
                Issue.record("seed \(seed), attempt \(attempt): \(name), byte \(changed)")
                return
            }
        }
    }

    @Test(arguments: [0x00, 0x20, 0x41, 0xFF] as [UInt8])
    func `names of one byte repeated never collide`(byte: UInt8) {
        for secret in 0..<100 as Range<UInt64> {
            let hash = KeyedHash(seed: seed &+ secret)
            var seen: Set<UInt64> = []
            for count in 1...64 { seen.insert(hash([UInt8](repeating: byte, count: count))) }
            #expect(seen.count == 64, "seed \(seed), secret \(secret)")
        }
    }

    @Test func `a name and its beginnings never collide`() {
        var random = Seeded(seed)
        let hash = KeyedHash(seed: seed &+ 1)
        for _ in 0..<1_600 {
            let name = random.bytes(64)
            var seen: Set<UInt64> = []
            for count in 1...64 {
                seen.insert(NameKey(name.span.extracting(first: count), hash).hash)
            }
            #expect(seen.count == 64, "seed \(seed), \(name)")
        }
    }

    @Test func `every bit of the longest input reaches both halves`() {
        var random = Seeded(seed)
        let hash = KeyedHash(seed: seed &+ 1)
        var input = random.bytes(KeyedHash.byteCountMax)
        let before = hash.hash128(input.span)
        for bit in 0..<input.count * 8 {
            input[bit / 8] ^= 1 << (bit % 8)
            let after = hash.hash128(input.span)
            input[bit / 8] ^= 1 << (bit % 8)
            if before.0 == after.0 || before.1 == after.1 {
                Issue.record("seed \(seed), bit \(bit)")
                return
            }
        }
    }

    @Test func `an input beyond the secret is a bug of the caller`() async {
        await #expect(processExitsWith: .failure) {
            let input = [UInt8](repeating: 65, count: KeyedHash.byteCountMax + 1)
            _ = KeyedHash(seed: 1).hash128(input.span)
        }
    }

    @Test func `a name of no bytes is a bug of the caller`() async {
        await #expect(processExitsWith: .failure) {
            let name: [UInt8] = []
            _ = NameKey(name.span, KeyedHash(seed: 1))
        }
    }

    @Test(arguments: SimilarNames.allCases)
    func `names that look alike spread evenly`(family: SimilarNames) {
        let hash = KeyedHash(seed: seed)
        // The index's homes come from the tag's top bits, the shard from the hash's top bits.
        var homes = Buckets()
        var shards = Buckets()
        var low = Buckets()
        for number in 0..<100_000 {
            let key = NameKey(family.name(number).span, hash)
            homes.add(Int(key.tag >> 22))
            shards.add(Int(key.hash >> 54))
            low.add(Int(key.hash & 1023))
        }
        #expect(homes.chiSquare < Buckets.chiSquareMax, "seed \(seed)")
        #expect(shards.chiSquare < Buckets.chiSquareMax, "seed \(seed)")
        #expect(low.chiSquare < Buckets.chiSquareMax, "seed \(seed)")
    }
}

/// Counts in 1,024 buckets, and how uneven they are.
private struct Buckets {
    private var counts = [Int](repeating: 0, count: 1024)
    private var total = 0

    mutating func add(_ bucket: Int) {
        counts[bucket] += 1
        total += 1
    }

    /// Σ (count − expected)² / expected. For even buckets it is near 1,023, with a standard
    /// deviation of √(2 × 1,023) = 45.
    var chiSquare: Double {
        let expected = Double(total) / Double(counts.count)
        return counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
            / expected
    }

    /// Eight standard deviations: chance alone passes it less than once in 10¹² runs.
    static let chiSquareMax = 1023 + 8 * 45.25
}
