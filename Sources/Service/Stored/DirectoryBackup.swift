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
            let summary = try copyAndCheck(into: draft.path)
            try draft.publish()
            return summary
        } catch {
            if attemptsLeft == 1 {
                try? removeTree(draft.path)
                throw error
            }
        }
        try clear(draft.path)
        return try copy(into: draft, attemptsLeft: attemptsLeft - 1)
    }

    private func copyAndCheck(into draft: String) throws -> BackupSummary {
        let snapshot = try SnapshotReader(in: snapshotsPath).newest().snapshot?.manifest
        let marks = JournalMarks(snapshot)
        for name in ["key", "holdfast.json"] {
            let content = try readFile("\(path)/\(name)")
            try Files.replace("\(draft)/\(name)", with: content.span)
        }
        if let snapshot {
            try copy(snapshot, into: draft + "/snapshots")
            try Files.link("\(draft)/snapshots/latest", to: "\(snapshot.number)")
        }
        let found = try settledSurvey(marks.starting)
        try copySegments(of: found, into: draft + "/journal")
        try copyPast(behind: snapshot, found, into: draft)
        // Read back: what counts is that a start on the copy finds all.
        let reader = SnapshotReader(in: draft + "/snapshots")
        for number in try reader.numbers() { _ = try reader.open(number) }
        let copied = try JournalSurvey(
            folder: draft + "/journal", shardCount: shardCount, starting: marks.starting
        ) { _, _ in }
        if let problem = copied.problem { throw problem }
        try marks.check(copied.extents)
        guard copied.extents == found.extents else {
            throw StartError("the copy of the journal is not what was read")
        }
        return BackupSummary(snapshot: snapshot, journal: copied)
    }

    /// A look at the journal that found no damage; what is being written meanwhile may look like it.
    private func settledSurvey(
        _ starting: [StreamHead], seen: JournalError? = nil
    ) throws -> JournalSurvey {
        let survey = try JournalSurvey(
            folder: journalPath, shardCount: shardCount, starting: starting
        ) { _, _ in }
        guard let problem = survey.problem else { return survey }
        // Twice at the same place: it is there.
        if problem == seen { throw problem }
        return try settledSurvey(starting, seen: problem)
    }

    private func copy(_ manifest: Manifest, into folder: String) throws(SystemError) {
        let number = "\(manifest.number)"
        let source = "\(snapshotsPath)/\(number)"
        let target = "\(folder)/\(number)"
        try Files.makeFolder(target)
        var folders: Set<String> = []
        for file in manifest.files {
            if let slash = file.name.lastIndex(of: "/") {
                let inner = String(file.name[..<slash])
                if folders.insert(inner).inserted { try Files.makeFolder("\(target)/\(inner)") }
            }
            try copyFile("\(source)/\(file.name)", to: "\(target)/\(file.name)")
        }
        try copyFile(
            "\(source)/\(Manifest.fileName)", to: "\(target)/\(Manifest.fileName)")
        for inner in folders { try Descriptor.open("\(target)/\(inner)").sync() }
        try Descriptor.open(target).sync()
    }

    /// Copies the history, and the snapshots that are whole: bases of what it tells.
    private func copyPast(
        behind newest: Manifest?, _ survey: JournalSurvey, into draft: String
    ) throws {
        let bases = try history.bases().filter { $0 < survey.segments.first?.base ?? 0 }
        if bases.isEmpty { return }
        try Files.makeFolder(draft + "/history")
        let target = HistoryFolder(draft + "/history")
        for base in bases { try copyFile(history.file(base), to: target.file(base)) }
        try Files.syncFolder(target.path)
        let reader = SnapshotReader(in: snapshotsPath)
        for number in try reader.numbers() where number < newest?.number ?? 0 {
            guard let snapshot = try? reader.open(number) else { continue }
            try copy(snapshot.manifest, into: draft + "/snapshots")
        }
        let copied = try JournalSurvey(
            HistoryStorage(journal: draft + "/journal", history: target), shardCount: shardCount
        ) { _, _ in }
        if let problem = copied.problem { throw problem }
    }

    /// Copies the segments up to where the journal ends, and zeros behind.
    private func copySegments(
        of survey: JournalSurvey, into folder: String
    ) throws(SystemError) {
        let end = survey.report
        for segment in survey.segments where segment.base <= end.endSegment {
            let isLast = segment.base == end.endSegment
            try copyFile(
                "\(journalPath)/\(segment.name)", to: "\(folder)/\(segment.name)",
                through: isLast ? end.endOffset : segment.byteCount,
                zerosTo: segment.byteCount)
        }
    }
}

private let pieceByteCount = 1 << 20

/// Copies the first `byteCount` bytes of a file, all by default, puts zeros behind them up to `end`,
/// and waits until they are on the device.
private func copyFile(
    _ source: String, to target: String, through byteCount: Int = .max, zerosTo end: Int = 0
) throws(SystemError) {
    let input = try Descriptor.open(source)
    let output = try Descriptor.create(target)
    var offset = 0
    var count = 0
    repeat {
        count = try copyPiece(
            from: input, at: offset, min(pieceByteCount, byteCount - offset), to: output)
        offset += count
    } while count > 0
    let zeros = [UInt8](repeating: 0, count: pieceByteCount)
    while offset < end {
        let count = min(pieceByteCount, end - offset)
        try output.write(zeros.span.extracting(first: count))
        offset += count
    }
    try output.sync()
}

/// - Returns: Bytes copied; 0 at the end of the file.
private func copyPiece(
    from input: borrowing Descriptor, at offset: Int, _ count: Int,
    to output: borrowing Descriptor
) throws(SystemError) -> Int {
    var piece = ByteBuffer()
    let count = try input.read(at: offset, count, into: &piece)
    try output.write(piece.span)
    return count
}

/// Removes what a draft has in its folders, which stay.
private func clear(_ draft: String) throws(SystemError) {
    for folder in ["/journal", "/snapshots", "/history"] {
        for name in try Files.names(in: draft + folder) {
            try removeTree("\(draft)\(folder)/\(name)")
        }
    }
}

private func removeTree(_ path: String) throws(SystemError) {
    for name in try Files.names(in: path) where !Files.isLink(path) {
        try removeTree("\(path)/\(name)")
    }
    try Files.remove(path)
}
