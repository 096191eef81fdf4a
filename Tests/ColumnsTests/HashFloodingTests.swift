// Names chosen to fill one bucket must not: on 125,000 names a family, which load the index as a
// million do. `holdfast-bench --only flood` takes a million, and compares the rates.

import Bytes
import Collisions
import Platform
import Synchronization
import Testing

@testable import Columns

@Suite struct HashFloodingTests {
    static let nameCount = 125_000
    static let probeMax = 64

    @Test func `the functions attacked are those that were published`() {
        func hash(_ family: CollidingNames, _ text: String) -> UInt64 {
            family.hash(Array(text.utf8))
        }
        let low: UInt64 = 0x3F_FFFF
        // The vectors of the FNV distribution, the check value of CRC-32, the vectors of wyhash's
        // distribution; XXH64 as the xxhsum of the xxHash distribution gives it.
        #expect(hash(.fnv32, "foobar") == 0xBF9C_F968 & low)
        #expect(hash(.fnv64, "foobar") == 0x8594_4171_F739_67E8 & low)
        #expect(hash(.crc32, "123456789") == 0xCBF4_3926)
        #expect(CollidingNames.xxh64.hash((32..<96).map { UInt8($0) }) == 0x40FE_1983_E9C4_2194)
        let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        #expect(Wyhash.hash(letters, seed: 4) == 0xDCA5_A813_8AD3_7C87)
    }

    @Test(arguments: CollidingNames.allCases)
    func `names that collide elsewhere do not collide here`(family: CollidingNames) throws {
        let seed = testSeed()
        let hasher = KeyedHash(seed: seed)
        let names = family.names(Self.nameCount)
        #expect(names.allSatisfy { (1...64).contains($0.count) })
        var dictionary = try emptyDictionary()
        let target = family.hash(names[0])
        for number in stride(from: 0, to: names.count, by: 97)
        where family.hash(names[number]) != target {
            Issue.record("\(names[number]) is no collision: the test would prove nothing")
            return
        }
        for (number, name) in names.enumerated() {
            if number % 16 == 0, family.hash(name) != target {
                Issue.record("\(name) is no collision: the test would prove nothing")
                return
            }
            let key = NameKey(name.span, hasher)
            guard dictionary.view.id(name.span, key) == nil else {
                Issue.record("seed \(seed): \(name) comes twice")
                return
            }
            let id = try dictionary.add(name, hasher)
            if id != UInt32(number) {
                Issue.record("seed \(seed): id \(id) for name \(number)")
                return
            }
        }
        // A name that came twice would be found under its first number.
        let view = dictionary.view
        for (number, name) in names.enumerated() where view.id(name, hasher) != UInt32(number) {
            Issue.record("seed \(seed): \(name) is not \(number)")
            return
        }
        let longest = view.longestProbe()
        #expect(longest <= Self.probeMax, "seed \(seed)")
    }

    @Test(arguments: SimilarNames.allCases)
    func `names that look alike do not collide`(family: SimilarNames) throws {
        let seed = testSeed()
        let hasher = KeyedHash(seed: seed)
        var dictionary = try emptyDictionary()
        for number in 0..<50_000 { _ = try dictionary.add(family.name(number), hasher) }
        #expect(dictionary.view.longestProbe() <= Self.probeMax, "seed \(seed)")
    }

    @Test func `under a secret that is known the flood works, so the test can fail`() throws {
        let family = CollidingNames.ownKnownSecret
        var dictionary = try emptyDictionary()
        for name in family.names(1_000) {
            _ = try dictionary.add(name, KnownSecret.hasher)
        }
        #expect(dictionary.view.longestProbe() == 1_000)
    }

    @Test func `two secrets lay the same names out differently`() throws {
        let seed = testSeed()
        let one = try layout(KeyedHash(seed: seed))
        let again = try layout(KeyedHash(seed: seed))
        let other = try layout(KeyedHash(seed: seed &+ 1))
        #expect(one == again, "seed \(seed)")
        #expect(one != other, "seed \(seed)")
        // Of 1,000 names about one keeps its place by chance.
        let kept = zip(one, other).count { $0 == $1 && $0 != 0 }
        #expect(kept < 50, "seed \(seed)")
    }

    @Test func `a secret drawn from the system differs at each start`() {
        var system = SystemRandomNumberGenerator()
        let name = Array("A1".utf8)
        let hashes = (0..<100).map { _ in KeyedHash(using: &system)(name) }
        #expect(Set(hashes).count == 100)
    }

    private func emptyDictionary() throws -> NameDictionary {
        try NameDictionary(nameCountMax: Self.nameCount, quietPoints: QuietPoints())
    }

    /// Ids plus one in the order of the slots; 0 is an empty slot.
    private func layout(_ hasher: KeyedHash) throws -> [UInt32] {
        var dictionary = try emptyDictionary()
        for number in 0..<1_000 {
            _ = try dictionary.add(numberedName("SKU-", number), hasher)
        }
        let (slots, _, mask) = unsafe dictionary.view.index.slots()
        return (0...mask).map { slot in
            unsafe UInt32(truncatingIfNeeded: slots[slot].load(ordering: .relaxed))
        }
    }
}
