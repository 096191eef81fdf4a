// Moves closed segments from the journal to the history, before the journal lets go of them:
//
//     compressed under a name of its own, synced · read back from the device and compared · renamed ·
//     folder synced
//
// Only then may the journal remove the segment. What is interrupted is begun again; a segment that is
// in both is the same in both.
//
// On a full disk the oldest of the history goes, so that the journal has room; where none is left, the
// history begins anew behind the segment that had no room.

internal import Bytes
internal import Journal
internal import Platform
package import Snapshot
internal import Zstd

/// Hands segments of a journal to its history. One thread at a time.
package struct SegmentArchive: Sendable {
    package let history: HistoryFolder
    private let journal: String
    private let shardCount: Int
    private let storage: any SnapshotStorage

    private static let pieceByteCount = 1 << 20

    /// - Parameter journal: The folder of the journal.
    package init(
        journal: String, history: HistoryFolder, shardCount: Int,
        storage: any SnapshotStorage = FileSystem()
    ) {
        self.journal = journal
        self.history = history
        self.shardCount = shardCount
        self.storage = storage
    }

    /// Keeps the segments that a trim through `sequences` would remove.
    ///
    /// - Parameters:
    ///   - sequences: Of each shard, then of the control stream.
    ///   - shouldContinue: Asked before each piece of a megabyte.
    /// - Returns: The bases of the segments that were kept now.
    /// - Throws: When one could not be kept: none from it on may be trimmed.
    package func keep(
        through sequences: [UInt64], shouldContinue: () -> Bool = { true }
    ) throws(HistoryError) -> [UInt64] {
        let files = FileStorage(folder: journal, isReadOnly: true)
        let (bases, known) = try system { () throws(SystemError) in
            try storage.makeFolder(history.path)
            try removeDrafts()
            return (try files.segments().sorted(), Set(try history.bases()))
        }
        var kept: [UInt64] = []
        for (base, next) in zip(bases, bases.dropFirst()) {
            do throws(JournalError) {
                guard let start = try files.start(of: next, shardCount: shardCount),
                    start.isCovered(by: sequences)
                else { return kept }
            } catch { throw .journal(error) }
            if known.contains(base) { continue }
            if try keepMakingRoom(base, shouldContinue) { kept.append(base) }
        }
        return kept
    }

    private func removeDrafts() throws(SystemError) {
        for name in try Files.names(in: history.path)
        where name.hasSuffix(HistoryFolder.draftSuffix) {
            try storage.remove("\(history.path)/\(name)")
        }
    }

    /// - Returns: false where the disk has no room for it, and all of the history is gone.
    private func keepMakingRoom(
        _ base: UInt64, _ shouldContinue: () -> Bool
    ) throws(HistoryError) -> Bool {
        while true {
            do throws(HistoryError) {
                try keep(base, shouldContinue)
                return true
            } catch {
                guard case .system(let failure) = error, failure.isForSpace else {
                    throw error
                }
            }
            let oldest = try system { () throws(SystemError) -> UInt64? in
                try removeDrafts()
                return try history.bases().first
            }
            guard let oldest else { return false }
            try remove(oldest)
        }
    }

    private func keep(_ base: UInt64, _ shouldContinue: () -> Bool) throws(HistoryError) {
        let path = history.file(base)
        let draft = path + HistoryFolder.draftSuffix
        let hash = try compress(base, to: draft, shouldContinue)
        guard try contentHash(draft, shouldContinue) == hash else {
            throw .readBackDiffers(file: draft)
        }
        try system { () throws(SystemError) in
            try storage.rename(draft, to: path)
            try storage.syncFolder(history.path)
        }
    }

    /// - Returns: The hash of the segment.
    private func compress(
        _ base: UInt64, to draft: String, _ shouldContinue: () -> Bool
    ) throws(HistoryError) -> UInt64 {
        let source = FileStorage.segmentPath(base, in: journal)
        var hash = XXH64Stream()
        var piece = ByteBuffer()
        var output = ByteBuffer()
        do {
            let input = try Descriptor.open(source)
            let file = try storage.create(draft)
            var writer = try ZstdWriter()
            try writer.announce(contentByteCount: try input.byteCount())
            var offset = 0
            while try input.read(at: offset, Self.pieceByteCount, into: &piece) > 0 {
                guard shouldContinue() else { throw HistoryError.cancelled }
                hash.update(piece.span)
                try writer.write(piece.span, into: &output)
                try file.write(output.span)
                offset += piece.count
                piece.removeAll()
                output.removeAll()
            }
            try writer.finish(into: &output)
            try file.write(output.span)
            try file.sync()
        } catch let error as SystemError {
            throw .system(error)
        } catch let error as ZstdError {
            throw .damaged(file: draft, error)
        } catch let error as HistoryError {
            throw error
        } catch { preconditionFailure("no other error is thrown here") }
        return hash.hash
    }

    private func contentHash(
        _ path: String, _ shouldContinue: () -> Bool
    ) throws(HistoryError) -> UInt64 {
        var segment = try ArchivedSegment(path, isUncached: true)
        var hash = XXH64Stream()
        while try segment.read(Self.pieceByteCount, { hash.update($0) }) > 0 {
            guard shouldContinue() else { throw .cancelled }
        }
        return hash.hash
    }

    /// Removes a segment of the history.
    package func remove(_ base: UInt64) throws(HistoryError) {
        try system { () throws(SystemError) in
            try storage.remove(history.file(base))
            try storage.syncFolder(history.path)
        }
    }

    private func system<Value: ~Copyable>(
        _ body: () throws(SystemError) -> Value
    ) throws(HistoryError) -> Value {
        do { return try body() } catch { throw .system(error) }
    }
}
