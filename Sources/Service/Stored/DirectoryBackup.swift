// A copy of a data directory, at rest or beside the service that runs in it.
//
// What is copied never changes again: a snapshot that is published, and the journal up to a place
// where all frames before it are good. A service that starts on the copy finds the stock of that
// moment. The service may remove an old snapshot or segment while it is copied; then all begins anew.

internal import Bytes
internal import History
package import Journal
internal import Platform
package import Snapshot

/// What was copied.
package struct BackupSummary: Sendable {
    /// nil: there is none, and the journal has everything.
    package let snapshot: Manifest?
    /// As the copy has it.
    package let journal: JournalSurvey
}

/// One thing of a copy; names are those in the copy.
enum BackupItem: Sendable {
    case folder(String)
    /// The first `through` bytes of a file, and zeros behind them up to `byteCount`.
    case file(String, source: String, through: Int, byteCount: Int)
    case link(String, target: String)
}

/// What a copy consists of, in order. `holdfast.json` comes last: what breaks off is no data directory.
struct BackupPlan: Sendable {
    let snapshot: Manifest?
    let journal: JournalSurvey
    private(set) var items: [BackupItem] = []

    /// - Parameter shouldContinue: Asked now and then; no gives it up.
    /// - Throws: Also when what is to be copied is damaged.
    /// - Complexity: O(bytes): all is read.
    init(_ directory: StoredDirectory, _ shouldContinue: () -> Bool = { true }) throws {
        snapshot = try SnapshotReader(in: directory.snapshotsPath).newest().snapshot?.manifest
        let starting = JournalMarks(snapshot).starting
        journal = try Self.settledSurvey(directory, starting, shouldContinue)
        items = [.folder("journal"), .folder("snapshots")]
        if let snapshot {
            try add(snapshot, of: directory)
            items.append(.link("snapshots/latest", target: "\(snapshot.number)"))
        }
        for segment in journal.segments where segment.base <= journal.report.endSegment {
            let isLast = segment.base == journal.report.endSegment
            items.append(
                .file(
                    "journal/\(segment.name)", source: "\(directory.journalPath)/\(segment.name)",
                    through: isLast ? journal.report.endOffset : segment.byteCount,
                    byteCount: segment.byteCount))
        }
        try addPast(of: directory)
        for name in ["key", "holdfast.json"] { try add(name, source: "\(directory.path)/\(name)") }
    }

    /// A look at the journal that found no damage; what is being written meanwhile may look like it.
    private static func settledSurvey(
        _ directory: StoredDirectory, _ starting: [StreamHead], seen: JournalError? = nil,
        _ shouldContinue: () -> Bool
    ) throws -> JournalSurvey {
        let survey = try JournalSurvey(
            folder: directory.journalPath, shardCount: directory.shardCount, starting: starting
        ) { (_, _) throws(JournalError) in
            guard shouldContinue() else { throw .storage(.givenUp) }
        }
        guard let problem = survey.problem else { return survey }
        // Twice at the same place: it is there.
        if problem == seen { throw problem }
        return try settledSurvey(directory, starting, seen: problem, shouldContinue)
    }

    private mutating func add(_ name: String, source: String) throws(SystemError) {
        let byteCount = try Descriptor.open(source).byteCount()
        items.append(.file(name, source: source, through: byteCount, byteCount: byteCount))
    }

    private mutating func add(
        _ manifest: Manifest, of directory: StoredDirectory
    ) throws(SystemError) {
        let folder = "snapshots/\(manifest.number)"
        items.append(.folder(folder))
        for inner in manifest.folders { items.append(.folder("\(folder)/\(inner)")) }
        for name in manifest.files.map(\.name) + [Manifest.fileName] {
            try add(
                "\(folder)/\(name)", source: "\(directory.snapshotsPath)/\(manifest.number)/\(name)"
            )
        }
    }

    /// Adds the history, and the snapshots that are whole: bases of what it tells.
    private mutating func addPast(of directory: StoredDirectory) throws {
        let first = journal.segments.first?.base ?? 0
        let bases = try directory.history.bases().filter { $0 < first }
        if bases.isEmpty { return }
        items.append(.folder("history"))
        let target = HistoryFolder("history")
        for base in bases { try add(target.file(base), source: directory.history.file(base)) }
        let reader = SnapshotReader(in: directory.snapshotsPath)
        for number in try reader.numbers() where number < snapshot?.number ?? 0 {
            guard let older = try? reader.open(number) else { continue }
            try add(older.manifest, of: directory)
        }
    }
}

extension StoredDirectory {
    /// Copies the directory to `target`, where there must be nothing: a whole copy, or none.
    ///
    /// - Throws: Also when what is to be copied is damaged.
    /// - Complexity: O(bytes): all is read, written, and read back.
    package func backUp(to target: String) throws(StartError) -> BackupSummary {
        do {
            let draft = try DirectoryDraft(at: target)
            return try copy(into: draft, attemptsLeft: 3)
        } catch { throw StartError("\(path) cannot be copied: \(error)") }
    }

    private func copy(
        into draft: DirectoryDraft, attemptsLeft: Int
    ) throws -> BackupSummary {
        do {
            let plan = try BackupPlan(self)
            for item in plan.items { try draft.add(item) }
            let summary = try StoredDirectory(draft.path).checkedBackup()
            guard summary.journal.extents == plan.journal.extents else {
                throw StartError("the copy of the journal is not what was read")
            }
            try draft.publish()
            return summary
        } catch {
            if attemptsLeft == 1 {
                try? Files.removeTree(draft.path)
                throw error
            }
        }
        try draft.clear()
        return try copy(into: draft, attemptsLeft: attemptsLeft - 1)
    }

    /// Reads a copy back: what counts is that a start on it finds all.
    ///
    /// - Complexity: O(bytes).
    func checkedBackup() throws -> BackupSummary {
        let reader = SnapshotReader(in: snapshotsPath)
        let snapshots = try reader.numbers().map { number throws(SnapshotError) in
            try reader.open(number).manifest
        }
        let marks = JournalMarks(snapshots.first)
        let journal = try JournalSurvey(
            folder: journalPath, shardCount: shardCount, starting: marks.starting
        ) { _, _ in }
        if let problem = journal.problem { throw problem }
        try marks.check(journal.extents)
        if Files.exists(historyPath) {
            let files = HistoryStorage(journal: journalPath, history: history)
            let past = try JournalSurvey(files, shardCount: shardCount) { _, _ in }
            if let problem = past.problem { throw problem }
        }
        return BackupSummary(snapshot: snapshots.first, journal: journal)
    }
}

private let pieceByteCount = 1 << 20

extension DirectoryDraft {
    /// Copies one thing, and waits until it is on the device.
    func add(_ item: BackupItem) throws(SystemError) {
        switch item {
        case .folder(let name): try Files.makeFolder("\(path)/\(name)")
        case .link(let name, let target): try Files.link("\(path)/\(name)", to: target)
        case .file(let name, _, _, _):
            let file = try create(name)
            try item.read { (bytes) throws(SystemError) in try file.write(bytes) }
            try file.sync()
        }
    }
}

extension BackupItem {
    /// Delivers the bytes that a file has in the copy, in pieces.
    ///
    /// - Throws: Also when the source has fewer.
    func read(_ deliver: (Span<UInt8>) throws(SystemError) -> Void) throws(SystemError) {
        guard case .file(_, let source, let through, let byteCount) = self else { return }
        let input = try Descriptor.open(source)
        var offset = 0
        while offset < through {
            var piece = ByteBuffer()
            let count = min(pieceByteCount, through - offset)
            guard try input.read(at: offset, count, into: &piece) == count else {
                // EIO, the same on every Linux.
                throw SystemError("read all", on: source, code: 5)
            }
            try deliver(piece.span)
            offset += count
        }
        let zeros = [UInt8](repeating: 0, count: offset < byteCount ? pieceByteCount : 0)
        while offset < byteCount {
            let count = min(pieceByteCount, byteCount - offset)
            try deliver(zeros.span.extracting(first: count))
            offset += count
        }
    }
}
