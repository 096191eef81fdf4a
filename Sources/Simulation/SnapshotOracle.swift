// What the simulation knows of the snapshots on a disk: which must be found again, and which must not be
// used.

internal import Snapshot

/// What is known of one disk's snapshots.
struct SnapshotOracle {
    /// The two newest whose publication was answered, or that a start has found, oldest first: those
    /// that are promised.
    private(set) var promised: [UInt64] = []
    /// The newest whose publication was answered: `latest` leads to it or to a newer one.
    private(set) var answered: UInt64 = 0
    /// Numbers that a publication was begun for.
    private(set) var attempted: Set<UInt64> = []
    /// Those that were damaged at rest, and the files that say so.
    private(set) var damaged: [UInt64: [String]] = [:]

    mutating func attempt(_ number: UInt64) { attempted.insert(number) }

    /// A publication was answered.
    mutating func acknowledge(_ number: UInt64) {
        answered = number
        find(number)
    }

    /// A snapshot was found, whose publication perhaps was not answered: it stays.
    mutating func find(_ number: UInt64) {
        promised.removeAll { damaged[$0] != nil }
        promised = promised.suffix(1) + [number]
    }

    /// Promised ones that are whole.
    var whole: [UInt64] { promised.filter { damaged[$0] == nil } }

    mutating func damage(_ number: UInt64, _ files: [String]) {
        damaged[number, default: []] += files
    }

    /// What is wrong with what a start has found; nil: nothing.
    func fault(of found: UInt64?, passedOver: [PassedOver]) -> String? {
        for other in passedOver {
            guard let files = damaged[other.number] else {
                return "snapshot \(other.number) is passed over: \(other.reason)"
            }
            guard case .file(let name, _) = other.reason, files.contains(name) else {
                return "snapshot \(other.number) is damaged in \(files), not: \(other.reason)"
            }
        }
        if let newest = whole.last, found ?? 0 < newest {
            return "snapshot \(newest) was published, found is \(found ?? 0): lost"
        }
        guard let found else { return nil }
        if damaged[found] != nil { return "snapshot \(found) is used and damaged" }
        if !attempted.contains(found) { return "snapshot \(found) is used: a ghost" }
        return nil
    }
}
