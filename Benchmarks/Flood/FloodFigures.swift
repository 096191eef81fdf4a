// Names made to collide under functions without a secret: they must cost what random names cost.

import Bytes
import Collisions
import Columns
import Platform

extension Benchmark {
    /// The longest way from a name's home to its slot that is fit for use.
    private static var probeMax: Int { 64 }

    /// Names of each family.
    private var floodCount: Int { options.isSmoke ? 20_000 : 1_000_000 }

    func measureFlood() throws {
        let count = floodCount
        for family in CollidingNames.allCases {
            let names = family.names(count)
            let hash = family.hash(names[0])
            check(
                names.allSatisfy { family.hash($0) == hash }, "\(family): names do not collide")
            try measureFlood(family.rawValue, PackedNames(names))
        }
        for family in SimilarNames.allCases {
            try measureFlood(family.rawValue, PackedNames((0..<count).map(family.name)))
        }
    }

    private func measureFlood(_ shape: String, _ names: PackedNames) throws {
        var random = SplitMix(seed: Self.seed)
        let hasher = KeyedHash(using: &random)
        let others = names.randomNames(&random)
        report.add(
            Figure(
                "flood add", positions: names.count, shape: shape, unit: "names/s",
                roofline: "random names",
                Comparison(rounds: options.repeatCount, rooflines: [{ others.add(hasher).round }]) {
                    names.add(hasher).round
                }, goal: 0.8))
        let flooded = names.add(hasher).dictionary
        let usual = others.add(hasher).dictionary
        let longest = flooded.view.longestProbe()
        check(longest <= Self.probeMax, "\(shape): a probe of \(longest) slots")
        // In another order than they came in, the same for both.
        let order = (0..<names.count).shuffled(using: &random)
        report.add(
            Figure(
                "flood find", positions: names.count, shape: "\(shape), probe \(longest)",
                unit: "names/s", roofline: "random names",
                Comparison(
                    rounds: options.repeatCount,
                    rooflines: [{ others.find(in: usual.view, hasher, order) }],
                    expected: UInt64(names.count) * UInt64(names.count - 1) / 2
                ) { names.find(in: flooded.view, hasher, order) }, goal: 0.8))
    }
}

/// Names one behind the other.
private struct PackedNames {
    private var bytes: [UInt8] = []
    private var ends = [0]

    var count: Int { ends.count - 1 }

    init(_ names: [[UInt8]]) {
        for name in names {
            bytes += name
            ends.append(bytes.count)
        }
    }

    /// As many names of the same lengths, of random bytes.
    func randomNames(_ random: inout SplitMix) -> PackedNames {
        var names = self
        for index in names.bytes.indices { names.bytes[index] = UInt8(random.next() >> 56) }
        return names
    }

    /// Puts all names into a new dictionary.
    func add(_ hasher: KeyedHash) -> Filled {
        do {
            var dictionary = try NameDictionary(nameCountMax: count, quietPoints: QuietPoints())
            var sum: UInt64 = 0
            for index in 0..<count {
                let name = bytes.span.extracting(ends[index]..<ends[index + 1])
                try dictionary.prepare()
                sum &+= UInt64(dictionary.add(name, NameKey(name, hasher)))
            }
            return Filled(dictionary, Round(amount: count, checksum: sum))
        } catch {
            fatalError("\(error)")
        }
    }

    /// Looks all names up.
    func find(in names: NameDictionaryView, _ hasher: KeyedHash, _ order: [Int]) -> Round {
        var sum: UInt64 = 0
        for index in order {
            let name = bytes.span.extracting(ends[index]..<ends[index + 1])
            let id = names.id(name, NameKey(name, hasher))
            check(id != nil, "a name is not found")
            sum &+= UInt64(id ?? 0)
        }
        return Round(amount: count, checksum: sum)
    }
}

/// A dictionary, and what filling it took.
private struct Filled: ~Copyable {
    let dictionary: NameDictionary
    let round: Round

    init(_ dictionary: consuming NameDictionary, _ round: Round) {
        self.dictionary = dictionary
        self.round = round
    }
}
