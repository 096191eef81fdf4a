// A table of one snapshot, without loading all of it: some shards at a time.

internal import Domain
internal import Engine
internal import Platform
internal import Snapshot

extension StoredDirectory {
    /// Parts that a snapshot is loaded in: a part of its positions is in memory at a time.
    private static let partCount = 16

    /// Writes a table as it is in a snapshot.
    ///
    /// - Parameters:
    ///   - columns: Names of its columns, each once, in the order wanted.
    ///   - shouldContinue: Asked now and then; no gives it up.
    /// - Throws: When a file is not as it was written; what `sink` throws.
    /// - Complexity: O(rows).
    func export(
        snapshot number: UInt64, _ table: ExportTable, columns: [String], as format: ExportFormat,
        to sink: ExportSink, while shouldContinue: () -> Bool
    ) throws(StartError) {
        do {
            let snapshot = try SnapshotReader(in: snapshotsPath).open(number)
            let now = snapshot.manifest.time
            var writing = try TableWriting(table, columns: columns, format)
            let stride = max(1, shardCount / Self.partCount)
            for first in Swift.stride(from: 0, to: shardCount, by: stride) {
                guard shouldContinue() else { throw SystemError.givenUp }
                let shards = first..<first + stride
                var options = StoredState.keepingOptions
                options.shardCount = shardCount
                let engine = try Engine(options: options, reactorCount: 1, hasher: hasher)
                try snapshot.load(into: engine, now: now, shards: Set(shards), threadCount: 1)
                let state = StoredState(
                    engine: engine, summary: RecoverySummary(), now: now, heads: [])
                try writing.write(state, shards: shards, to: sink)
            }
            _ = try writing.finish(sink)
        } catch { throw StartError("\(error)") }
    }
}
