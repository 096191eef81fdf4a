// A data directory that is looked at and not served. Nothing in it is changed, nor made.

package import Columns
internal import Platform

/// What is fixed of a data directory that is there.
package struct StoredDirectory: Sendable {
    package let path: String
    /// Names the directory in marks.
    package let identity: UInt64
    package let shardCount: Int
    package let format: Int
    package let hasher: KeyedHash

    /// Of one that is being served: how far the journal is read, by shard and then of the control stream;
    /// what lies behind may be under way. nil: to its end.
    package var durable: [UInt64]?

    package var journalPath: String { path + "/journal" }
    package var snapshotsPath: String { path + "/snapshots" }
    package var historyPath: String { path + "/history" }
    private var lockPath: String { path + "/lock" }

    package init(_ path: String) throws(StartError) {
        self.path = path
        guard Files.exists(path + "/holdfast.json") else {
            throw StartError("\(path) is no data directory: it has no holdfast.json")
        }
        do {
            let description = try DataDirectory.readDescription(path)
            guard let identity = UInt64(description.identity, radix: 16) else {
                throw StartError("\(path)/holdfast.json: identity is not a hexadecimal number")
            }
            self.identity = identity
            shardCount = description.shards
            format = description.format
            hasher = KeyedHash(words: try DataDirectory.readKey(path))
        } catch { throw StartError("\(error)") }
    }

    /// One that this process serves.
    init(_ directory: DataDirectory) {
        path = directory.path
        identity = directory.identity
        shardCount = directory.shardCount
        format = DataDirectory.format
        hasher = directory.hasher
    }

    /// Whether a process serves it just now. Takes a share of its lock, and gives it back.
    package var isInUse: Bool {
        get throws(StartError) {
            do throws(SystemError) {
                _ = try FileLock(sharing: lockPath)
                return false
            } catch {
                if error.isMissingFile { return false }
                if error.code == FileLock.heldElsewhere { return true }
                throw StartError(error.description)
            }
        }
    }

    /// Runs `body` while nobody can begin to serve the directory.
    ///
    /// - Throws: Also when somebody serves it.
    package func withoutServing<Result: ~Copyable>(
        _ body: () throws(StartError) -> Result
    ) throws(StartError) -> Result {
        // No file: it was copied without, so nobody serves it.
        guard Files.exists(lockPath) else { return try body() }
        let lock: FileLock
        do throws(SystemError) { lock = try FileLock(sharing: lockPath) } catch {
            if error.code == FileLock.heldElsewhere {
                throw StartError("\(path) is in use by another process")
            }
            throw StartError(error.description)
        }
        return try withExtendedLifetime(lock) { () throws(StartError) in try body() }
    }
}
