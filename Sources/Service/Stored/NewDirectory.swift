// Making data directories: under another name first, so that there is a whole one or none.

internal import Bytes
internal import Columns
internal import Engine
internal import Journal
internal import Platform
internal import Snapshot

/// A directory that is being made.
struct DirectoryDraft {
    let target: String
    var path: String { target + ".writing" }

    /// Makes the folders of a directory that is to be at `target`, where there must be nothing.
    init(at target: String) throws(SystemError) {
        var target = target
        while target.count > 1, target.hasSuffix("/") { target.removeLast() }
        self.target = target
        // EEXIST: also what an earlier try has left.
        for path in [target, path] where Files.exists(path) {
            throw SystemError("make", on: path, code: 17)
        }
        try Files.makeFolders(path)
        try Files.makeFolder(path + "/journal")
        try Files.makeFolder(path + "/snapshots")
    }

    /// Creates a file; the key of names may be read by its owner alone.
    func create(_ name: String) throws(SystemError) -> Descriptor {
        let file = try Descriptor.create("\(path)/\(name)")
        if name == "key" || name == "holdfast.json" { try file.protect() }
        return file
    }

    /// Removes what it has in its folders, which stay.
    func clear() throws(SystemError) {
        for name in try Files.names(in: path) { try Files.removeTree("\(path)/\(name)") }
        try Files.makeFolder(path + "/journal")
        try Files.makeFolder(path + "/snapshots")
    }

    /// Gives it its name, once all in it is on the device.
    func publish() throws(SystemError) {
        try Self.syncFolders(path)
        try Files.rename(path, to: target)
        try Descriptor.open(target + "/..").sync()
    }

    /// A folder, and those in it.
    private static func syncFolders(_ path: String) throws(SystemError) {
        if Files.isLink(path) || !Files.isFolder(path) { return }
        for name in try Files.names(in: path) { try syncFolders("\(path)/\(name)") }
        try Files.syncFolder(path)
    }
}

/// Writes the state of an engine as a new directory that begins with a snapshot.
///
/// - Parameters:
///   - heads: Where the streams go on: of each shard, then of the control stream.
///   - time: Service time.
func writeDirectory(
    at target: String, _ engine: Engine, behind heads: [StreamHead], time: Milliseconds
) throws(StartError) -> Manifest {
    do {
        let draft = try DirectoryDraft(at: target)
        var random = SystemRandomNumberGenerator()
        // Names of its own: what a mark of the old directory says need not hold here.
        try DataDirectory.write(
            draft.path, engine.hasher, identity: random.next(), shardCount: engine.shardCount)
        let manifest = try writeSnapshot(
            in: draft.path + "/snapshots", engine, behind: heads, time: time)
        try draft.publish()
        return manifest
    } catch { throw StartError("\(error)") }
}

private func writeSnapshot(
    in folder: String, _ engine: Engine, behind heads: [StreamHead], time: Milliseconds
) throws(SnapshotError) -> Manifest {
    var writer = try SnapshotWriter(
        in: SnapshotPlace(folder), shardCount: engine.shardCount, time: time)
    let policy = engine.master.policy(now: time)
    for number in 0..<engine.shardCount {
        let shard = engine.withShard(number) { $0.freeze() }
        defer { engine.withShard(number) { $0.thaw() } }
        try writer.write(shard, of: engine, policy, at: StreamMark(heads[number]))
    }
    try writer.write(engine.master.freeze().master, at: StreamMark(heads[engine.shardCount]))
    return try writer.publish()
}
