// Writes a snapshot, in the order that makes it whole or nothing (RELIABILITY W5):
//
//     files, each synced  ·  all read back from the device and compared  ·  manifest, synced
//     ·  folders synced  ·  renamed from its temporary name  ·  folder of all snapshots synced
//     ·  `latest` moved by a rename  ·  folder synced again
//
//     var writer = try SnapshotWriter(in: folder, shardCount: 16, time: now)
//     for shard in shards {                       // each frozen at a marker frame of its own
//         try writer.write(frozen, of: engine, policy, at: mark)
//         …the owner thaws the shard…
//     }
//     try writer.write(engine.master.freeze(…), at: mark)     // behind all shards
//     …wait until the journal is durable past every mark…
//     let manifest = try writer.publish()
//
// A snapshot that is being written is in a folder `<number>.writing`, which nobody reads.

package import Bytes
package import Engine
internal import Platform

/// A snapshot that is being written, by one thread.
package struct SnapshotWriter: ~Copyable {
    package let number: UInt64

    private let root: String
    private let folder: String
    private let storage: any SnapshotStorage
    private let shouldContinue: () -> Bool
    private let time: Milliseconds
    private var marks: [StreamMark?]
    private var control: StreamMark?
    private var versions: MasterVersions?
    private var positionCount = 0
    private var files: [SnapshotFile] = []

    /// Begins the next snapshot; removes what earlier ones left unfinished.
    ///
    /// - Parameters:
    ///   - root: The folder of all snapshots; made if it is not there.
    ///   - time: Service time.
    ///   - shouldContinue: Asked before each chunk of a file, some tenths of a megabyte: a place to
    ///     rest, too. When it says no, the call at hand throws `cancelled`.
    package init(
        in root: String, shardCount: Int, time: Milliseconds,
        storage: any SnapshotStorage = FileSystem(),
        shouldContinue: @escaping () -> Bool = { true }
    ) throws(SnapshotError) {
        precondition(shardCount > 0)
        let number: UInt64
        do throws(SystemError) {
            number = try Self.begin(in: root, storage)
        } catch { throw .system(error) }
        self.number = number
        self.root = root
        folder = Self.folder(number, in: root)
        self.storage = storage
        self.shouldContinue = shouldContinue
        self.time = time
        marks = Array(repeating: nil, count: shardCount)
    }

    private static func folder(_ number: UInt64, in root: String) -> String {
        "\(root)/\(number)\(SnapshotFolders.writingSuffix)"
    }

    /// Makes the folders; the number of the snapshot.
    private static func begin(
        in root: String, _ storage: any SnapshotStorage
    ) throws(SystemError) -> UInt64 {
        try storage.makeFolder(root)
        try storage.syncFolder("\(root)/..")
        let names = try Files.names(in: root)
        for name in names where SnapshotFolders.isLeftover(name) {
            try SnapshotFolders.remove("\(root)/\(name)", storage)
        }
        let number = (names.compactMap { SnapshotFolders.number($0) }.max() ?? 0) + 1
        let folder = folder(number, in: root)
        try storage.makeFolder(folder)
        for name in SnapshotFolders.subfolders { try storage.makeFolder("\(folder)/\(name)") }
        return number
    }

    /// Writes the tables of a shard.
    ///
    /// - Parameters:
    ///   - policy: Tells which locations are open.
    ///   - mark: The frame of the shard's stream at which it was frozen.
    package mutating func write(
        _ shard: FrozenShard, of engine: Engine, _ policy: Policy, at mark: StreamMark
    ) throws(SnapshotError) {
        precondition(marks[shard.number] == nil, "a shard is written once")
        let names = SharedNames(
            locations: engine.master.locationNames, categories: engine.master.categoryNames,
            counts: engine.master.nameCounts, policy: policy)
        var tables = ShardTables(shard, names, in: folder, storage, shouldContinue)
        files += try tables.write()
        var mark = mark
        mark.events = shard.eventCount
        mark.itemChanges = shard.itemChangeCount
        marks[shard.number] = mark
        positionCount += shard.positionCount
    }

    /// Writes shared data, frozen when all shards had been.
    ///
    /// - Parameter mark: The frame of the control stream at which it was frozen.
    package mutating func write(
        _ master: FrozenMaster, at mark: StreamMark
    ) throws(SnapshotError) {
        precondition(marks.allSatisfy { $0 != nil }, "shared data comes behind the shards")
        var file = try FileSink.create(masterFileName, in: folder, storage)
        try file.append(master.facts.span)
        files.append(try file.finish(rowCount: 0))
        versions = master.versions
        control = mark
    }

    /// Makes what was written the newest snapshot.
    ///
    /// - Parameter frozenBy: Service time when shared data had been frozen, the last; by default that of
    ///   its beginning.
    /// - Precondition: All shards and shared data were written, and the journal is durable past their
    ///   marks.
    /// - Throws: When a step fails or the device gives back other bytes; there is no new snapshot then,
    ///   unless only the link `latest` could not be moved.
    package consuming func publish(
        frozenBy: Milliseconds? = nil
    ) throws(SnapshotError) -> Manifest {
        guard let control, let versions else { preconditionFailure("shared data is missing") }
        for file in files {
            guard shouldContinue() else { throw .cancelled }
            try file.check(in: folder, isUncached: true)
        }
        let manifest = Manifest(
            format: Manifest.currentFormat, number: number, time: time,
            frozenBy: frozenBy ?? time, shardCount: marks.count, positions: positionCount,
            shards: marks.compactMap { $0 }, control: control,
            versions: versions, files: files)
        var file = try FileSink.create(Manifest.fileName, in: folder, storage)
        try file.append(manifest.encoded().span)
        _ = try file.finish(rowCount: 0)
        do throws(SystemError) { try takePlace() } catch { throw .system(error) }
        return manifest
    }

    /// Removes what was written so far, so that a disk that is full has its space back at once.
    package consuming func abandon() throws(SnapshotError) {
        do throws(SystemError) { try SnapshotFolders.remove(folder, storage) } catch {
            throw .system(error)
        }
    }

    /// Gives the folder its name and moves the link.
    private func takePlace() throws(SystemError) {
        for name in SnapshotFolders.subfolders { try storage.syncFolder("\(folder)/\(name)") }
        try storage.syncFolder(folder)
        try storage.rename(folder, to: "\(root)/\(number)")
        try storage.syncFolder(root)
        let link = "\(root)/\(SnapshotFolders.newLinkName)"
        try storage.remove(link)
        try storage.link(link, to: "\(number)")
        try storage.rename(link, to: "\(root)/\(SnapshotFolders.linkName)")
        try storage.syncFolder(root)
    }
}
