// What is in a data directory, every checksum looked at. Nothing is changed, and no lock is kept, so
// the directory of a running service may be inspected.

package import History
package import Journal
internal import Platform
package import Snapshot

/// A data directory, looked through.
package struct DirectoryInspection: Sendable {
    package let directory: StoredDirectory

    /// A process serves it: the end of the journal may be under way.
    package let isInUse: Bool

    /// Newest first.
    package let snapshots: [SnapshotCheck]
    package let journal: JournalSurvey

    /// The files of the history, oldest first.
    package let history: [ArchivedCheck]

    /// Where history and journal are not one journal; nil: they are, or a file of the history is damaged
    /// in itself.
    package let historyProblem: JournalError?

    package let reach: PastReach

    /// Why the journal does not go with the newest whole snapshot; nil: it does.
    package let mismatch: JournalError?

    /// Whether a start finds all that it needs, and nothing is damaged.
    package var isWhole: Bool {
        journal.problem == nil && mismatch == nil && snapshots.allSatisfy { $0.problems.isEmpty }
            && historyProblem == nil && history.allSatisfy { $0.problem == nil }
    }

    /// - Throws: When the directory cannot be read.
    /// - Complexity: O(bytes); holds the largest segment of the journal in memory.
    package init(_ directory: StoredDirectory) throws(StartError) {
        self.directory = directory
        isInUse = try directory.isInUse
        let reader = SnapshotReader(in: directory.snapshotsPath)
        do throws(SnapshotError) {
            let checks = try reader.numbers().map { reader.check($0) }
            // A service may have removed an old one meanwhile.
            let numbers = try reader.numbers()
            snapshots = checks.filter { $0.problems.isEmpty || numbers.contains($0.number) }
        } catch { throw StartError("\(directory.snapshotsPath): \(error)") }
        let newest = snapshots.first { $0.problems.isEmpty }?.manifest
        let starting = newest.map { $0.shards.map(\.head) + [$0.control.head, StreamHead()] } ?? []
        do throws(JournalError) {
            journal = try Self.survey(directory, starting, again: isInUse ? 5 : 0)
        } catch { throw StartError("\(directory.journalPath): \(error)") }
        do throws(SystemError) { history = try directory.history.check() } catch {
            throw StartError(error.description)
        }
        let isReadable = journal.problem == nil && history.allSatisfy { $0.problem == nil }
        do throws(JournalError) {
            historyProblem =
                isReadable && !history.isEmpty
                ? try Self.historyProblem(directory, again: isInUse ? 5 : 0) : nil
        } catch { throw StartError("\(directory.historyPath): \(error)") }
        reach = try directory.pastReach()
        mismatch = journal.problem == nil ? Self.mismatch(newest, journal.extents) : nil
    }

    /// Looks at the journal. What is being written or removed meanwhile may look like damage, but not
    /// twice at the same place.
    private static func survey(
        _ directory: StoredDirectory, _ starting: [StreamHead], again count: Int
    ) throws(JournalError) -> JournalSurvey {
        var found = try JournalSurvey(directory, starting)
        for _ in 0..<count where found.problem != nil {
            let next = try JournalSurvey(directory, starting)
            if next.problem == found.problem { return next }
            found = next
        }
        return found
    }

    /// Walks through history and journal as one; likewise.
    private static func historyProblem(
        _ directory: StoredDirectory, again count: Int
    ) throws(JournalError) -> JournalError? {
        var seen: JournalError?
        for _ in 0...count {
            let files = HistoryStorage(journal: directory.journalPath, history: directory.history)
            let found = try JournalSurvey(files, shardCount: directory.shardCount) { _, _ in }
            guard let problem = found.problem else { return nil }
            if problem == seen { return problem }
            seen = problem
        }
        return seen
    }

    private static func mismatch(_ snapshot: Manifest?, _ extents: [Extent]) -> JournalError? {
        do throws(JournalError) {
            try JournalMarks(snapshot).check(extents)
            return nil
        } catch { return error }
    }
}

extension JournalSurvey {
    fileprivate init(
        _ directory: StoredDirectory, _ starting: [StreamHead]
    ) throws(JournalError) {
        try self.init(
            folder: directory.journalPath, shardCount: directory.shardCount, starting: starting
        ) { _, _ in }
    }
}
