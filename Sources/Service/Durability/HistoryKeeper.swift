// Keeps the past of one service: segments that the journal is about to let go of, and a snapshot a day.

internal import Bytes
internal import History
internal import Journal
internal import Platform
internal import Snapshot

/// The history of a data directory, as the thread of snapshots keeps it.
struct HistoryKeeper: Sendable {
    let journal: String
    let archive: SegmentArchive
    let limits: HistoryLimits
    let shardCount: Int

    init(_ directory: DataDirectory, _ limits: HistoryLimits) {
        journal = directory.journalPath
        archive = SegmentArchive(
            journal: directory.journalPath, history: HistoryFolder(directory.historyPath),
            shardCount: directory.shardCount)
        self.limits = limits
        shardCount = directory.shardCount
    }

    /// The snapshots, of `manifests`, that stay because the past needs them.
    func bases(among manifests: [Manifest]) -> Set<UInt64> {
        limits.age > 0 ? History.bases(among: manifests) : []
    }

    /// Keeps what a trim through `sequences` will remove of the journal.
    ///
    /// - Throws: When that may not be removed yet.
    func keep(
        through sequences: [UInt64], _ shouldContinue: () -> Bool
    ) throws(HistoryError) {
        guard limits.age > 0 else { return }
        _ = try archive.keep(through: sequences, shouldContinue: shouldContinue)
    }

    /// Removes what lies beyond the limits.
    ///
    /// - Parameters:
    ///   - bases: The snapshots that are there for the past alone.
    ///   - oldest: The oldest one that a start may need.
    func prune(
        _ bases: [Manifest], oldest: Manifest, in snapshots: SnapshotReader, now: Milliseconds
    ) throws(HistoryError) {
        var archived: [UInt64: Int] = [:]
        let history = archive.history
        do throws(SystemError) {
            for base in try history.bases() { archived[base] = try history.byteCount(base) }
        } catch { throw .system(error) }
        if archived.isEmpty, bases.isEmpty { return }
        let reach: HistoryReach
        do throws(JournalError) {
            reach = try HistoryReach(journal: journal, history: history, shardCount: shardCount)
        } catch { throw .journal(error) }
        let excess = HistoryExcess(
            bases: bases, oldest: oldest, archived: archived, reach: reach, limits: limits, now: now
        )
        for number in excess.snapshots {
            do throws(SystemError) { try snapshots.remove(number) } catch { throw .system(error) }
        }
        for base in excess.segments { try archive.remove(base) }
    }
}
