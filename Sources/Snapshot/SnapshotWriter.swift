// Writes a snapshot, in the order that makes it whole or nothing (RELIABILITY W5):
//
//     files, each synced  ·  all read back from the device and compared  ·  manifest, synced
//     ·  folders synced  ·  renamed from its temporary name  ·  folder of all snapshots synced
//     ·  `latest` moved by a rename  ·  folder synced again
//
//     var writer = try SnapshotWriter(in: place, shardCount: 16, time: now)
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

    private let place: SnapshotPlace
    private let folder: String
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
    ///   - place: The folder of all snapshots; made if it is not there.
    ///   - time: Service time.
    ///   - shouldContinue: Asked before each chunk of a file, some tenths of a megabyte: a place to
    ///     rest, too. When it says no, the call at hand throws `cancelled`.
    package init(
        in place: SnapshotPlace, shardCount: Int, time: Milliseconds,
        shouldContinue: @escaping () -> Bool = { true }
    ) throws(SnapshotError) {
        precondition(shardCount > 0)
        let number: UInt64
        do throws(SystemError) {
            number = try Self.begin(in: place)
        } catch { throw .system(error) }
        self.number = number
        self.place = place
        folder = Self.folder(number, in: place)
        self.shouldContinue = shouldContinue
        self.time = time
        marks = Array(repeating: nil, count: shardCount)
    }

    private static func folder(_ number: UInt64, in place: SnapshotPlace) -> String {
        place.folder(number) + SnapshotFolders.writingSuffix
    }

    /// Makes the folders; the number of the snapshot.
    private static func begin(in place: SnapshotPlace) throws(SystemError) -> UInt64 {
        let (root, storage) = (place.root, place.storage)
        try storage.makeFolder(root)
        try storage.syncFolder("\(root)/..")
        let names = try storage.names(in: root)
        for name in names where SnapshotFolders.isLeftover(name) {
            try SnapshotFolders.remove("\(root)/\(name)", storage)
        }
        let number = (names.compactMap { SnapshotFolders.number($0) }.max() ?? 0) + 1
        let folder = folder(number, in: place)
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
        var tables = ShardTables(shard, names, in: folder, place, shouldContinue)
        files += try tables.write()
        var mark = mark
        if place.defects.has(.markOneBehind) { mark.sequence -= 1 }
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
        var file = try FileSink.create(masterFileName, in: folder, place)
        try file.append(master.facts.span)
        files.append(try file.finish(rowCount: 0))
        versions = master.versions
        if place.defects.has(.versionsForgotten) { versions?.rules = 0 }
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
    package mutating func publish(
        frozenBy: Milliseconds? = nil
    ) throws(SnapshotError) -> Manifest {
        guard let control, let versions else { preconditionFailure("shared data is missing") }
        for file in files {
            guard shouldContinue() else { throw .cancelled }
            try file.check(in: folder, place, isUncached: true)
        }
        let manifest = Manifest(
            format: Manifest.currentFormat, number: number, time: time,
            frozenBy: frozenBy ?? time, shardCount: marks.count, positions: positionCount,
            shards: marks.compactMap { $0 }, control: control,
            versions: versions, files: files)
        if place.defects.has(.renamedBeforeManifest) {
            try takePlace()
            try write(manifest, in: place.folder(number))
        } else {
            try write(manifest, in: folder)
            try takePlace()
        }
        return manifest
    }

    private func write(_ manifest: Manifest, in folder: String) throws(SnapshotError) {
        var file = try FileSink.create(Manifest.fileName, in: folder, place)
        try file.append(manifest.encoded().span)
        _ = try file.finish(rowCount: 0)
    }

    /// Removes what was written so far, so that a disk that is full has its space back at once.
    package func abandon() throws(SnapshotError) {
        do throws(SystemError) { try SnapshotFolders.remove(folder, place.storage) } catch {
            throw .system(error)
        }
    }

    /// Gives the folder its name and moves the link.
    private func takePlace() throws(SnapshotError) {
        do throws(SystemError) { try rename() } catch { throw .system(error) }
    }

    private func rename() throws(SystemError) {
        let storage = place.storage
        if !place.defects.has(.innerFoldersNotSynced) {
            for name in SnapshotFolders.subfolders { try storage.syncFolder("\(folder)/\(name)") }
        }
        if !place.defects.has(.folderNotSynced) { try storage.syncFolder(folder) }
        if place.defects.has(.latestBeforeRename) { try moveLink() }
        try storage.rename(folder, to: place.folder(number))
        if !place.defects.has(.placeNotSynced) { try storage.syncFolder(place.root) }
        try moveLink()
    }

    private func moveLink() throws(SystemError) {
        let (storage, root) = (place.storage, place.root)
        let link = "\(root)/\(SnapshotFolders.newLinkName)"
        try storage.remove(link)
        try storage.link(link, to: "\(number)")
        try storage.rename(link, to: "\(root)/\(SnapshotFolders.linkName)")
        if !place.defects.has(.placeNotSynced) { try storage.syncFolder(root) }
    }
}
