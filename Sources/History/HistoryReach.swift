// How far the past can be told: which snapshots are its bases, what of it is kept, where a reading
// begins.
//
//     beginning                base                      base     snapshots of now
//     (or nothing) ── segments ── ▲ ── segments ── segments ▲ ──── ▲ ▲ ▲
//
// A state of the past is a base, which is a snapshot, and the segments behind it; from the very first
// segment on it needs no base. One snapshot a day stays as a base, the first one.

package import Bytes
package import Journal
internal import Platform
package import Snapshot

/// How much of the past is kept.
package struct HistoryLimits: Sendable {
    /// How far back; 0: nothing is kept.
    package var age: Milliseconds = 30 * 86_400_000

    /// Bytes of compressed segments and of bases.
    package var byteCount = 16 << 30

    package init() {}
}

/// The segments of history and journal that follow each other without a gap, and where each begins.
package struct HistoryReach: Sendable {
    /// Oldest first; those that nothing is written in are left out.
    package let starts: [SegmentStart]

    init(_ starts: [SegmentStart]) { self.starts = starts }

    /// - Throws: When a folder or a file cannot be read.
    /// - Complexity: O(segments): of each the first bytes are read.
    package init(
        journal: String, history: HistoryFolder, shardCount: Int
    ) throws(JournalError) {
        let files = HistoryStorage(journal: journal, history: history)
        let bases: [UInt64]
        do throws(SystemError) { bases = try files.segments() } catch { throw .storage(error) }
        var starts: [SegmentStart] = []
        for base in bases.reversed() {
            guard let (start, end) = try Self.segment(base, files, shardCount: shardCount) else {
                // Prepared, damaged or removed meanwhile: what lies before it cannot be gone through.
                if starts.isEmpty { continue }
                break
            }
            if let next = starts.last, end != next.base { break }
            starts.append(start)
        }
        self.starts = starts.reversed()
    }

    /// Where a segment begins and ends; nil where it says nothing of it, or is gone.
    private static func segment(
        _ base: UInt64, _ files: HistoryStorage, shardCount: Int
    ) throws(JournalError) -> (start: SegmentStart, end: UInt64)? {
        do throws(JournalError) {
            guard let start = try files.start(of: base, shardCount: shardCount) else { return nil }
            return (start, base + UInt64(try byteCount(base, files)))
        } catch {
            if case .storage(let failure) = error,
                failure.isMissingFile || failure.code == badMessage
            {
                return nil
            }
            throw error
        }
    }

    private static func byteCount(
        _ base: UInt64, _ files: HistoryStorage
    ) throws(JournalError) -> Int {
        do throws(SystemError) {
            let file = try files.open(.segment(base))
            defer { files.close(file) }
            return try files.byteCount(file)
        } catch { throw .storage(error) }
    }

    /// Whether all that ever was can be told without a base.
    package var hasBeginning: Bool { starts.first?.isBeginning ?? true }

    /// The segment that a reading begins with behind a base; nil: behind nothing at all.
    ///
    /// - Returns: nil where what follows the base is not there.
    package func firstSegment(behind base: Manifest?) -> UInt64? {
        guard let base else { return hasBeginning ? starts.first?.base ?? 0 : nil }
        return starts.last { $0.isCovered(by: base.sequences) }?.base
    }
}

extension Manifest {
    /// Of each shard, then of the control stream.
    package var sequences: [UInt64] { shards.map(\.sequence) + [control.sequence] }
}

/// The snapshots that stay as bases, of `manifests`: the first of each day.
package func bases(among manifests: [Manifest]) -> Set<UInt64> {
    var firstOfDay: [Milliseconds: Manifest] = [:]
    for manifest in manifests {
        let day = manifest.time / 86_400_000
        if firstOfDay[day].map({ manifest.number < $0.number }) ?? true {
            firstOfDay[day] = manifest
        }
    }
    return Set(firstOfDay.values.map(\.number))
}

/// What is to go so that the past stays within its limits.
package struct HistoryExcess: Equatable, Sendable {
    /// Snapshots that no longer serve as bases.
    package var snapshots: [UInt64] = []
    /// Segments of the history, oldest first.
    package var segments: [UInt64] = []

    /// - Parameters:
    ///   - bases: The snapshots that are there for the past alone.
    ///   - oldest: The oldest one that is there for other reasons too.
    ///   - archived: Bytes of each segment of the history.
    ///   - now: Service time.
    package init(
        bases: [Manifest], oldest: Manifest, archived: [UInt64: Int], reach: HistoryReach,
        limits: HistoryLimits, now: Milliseconds
    ) {
        let bases = bases.sorted { $0.number < $1.number }
        let usable = bases.filter { reach.firstSegment(behind: $0) != nil }
        // Where the past may begin: nil is the very beginning.
        var floors: [Manifest?] = usable + [oldest]
        if reach.hasBeginning { floors.insert(nil, at: 0) }
        if limits.age == 0 { floors = [oldest] }
        // The newest that is old enough for all that is to be kept.
        while floors.count > 1, let next = floors[1], next.time <= now - limits.age {
            floors.removeFirst()
        }
        func kept(from floor: Manifest?) -> (bases: [Manifest], segments: [UInt64]) {
            let first = floor.map { reach.firstSegment(behind: $0) ?? .max } ?? 0
            return (
                usable.filter { $0.number >= floor?.number ?? 0 },
                archived.keys.filter { $0 >= first }
            )
        }
        func byteCount(from floor: Manifest?) -> Int {
            let (bases, segments) = kept(from: floor)
            return bases.reduce(0) { $0 + $1.byteCount }
                + segments.reduce(0) { $0 + (archived[$1] ?? 0) }
        }
        while floors.count > 1, byteCount(from: floors[0]) > limits.byteCount {
            floors.removeFirst()
        }
        let stays = kept(from: floors[0])
        // A gap: what lies before it is reached by nothing.
        let first = reach.starts.first?.base ?? 0
        snapshots = bases.map(\.number).filter { number in
            !stays.bases.contains { $0.number == number }
        }
        segments = archived.keys.filter { !stays.segments.contains($0) || $0 < first }.sorted()
    }
}
