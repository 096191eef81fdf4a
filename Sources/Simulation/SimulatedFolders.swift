// Folders of snapshots on the simulated disk, beside the journal: one cut strikes both.
//
// A folder has the names that programs see, those on the platter, and the changes between them. A
// sync of the folder makes all of them last; a cut lets each happen or not, by itself, in their order.
// So a rename is atomic and not durable, and a file's content may outlast its name or go before it.

internal import Bytes
internal import Journal
internal import Platform
internal import Snapshot

/// A tree of folders: one thread at a time.
///
/// Unchecked: the simulation has one thread.
final class SimulatedFolders: SnapshotStorage, @unchecked Sendable {
    private enum Entry {
        case file(SimulatedFile)
        case folder(Folder)
        case link(String)
    }

    private enum Change {
        case made(String, Entry)
        case removed(String)
        case renamed(String, to: String, Entry)
    }

    private final class Folder {
        let parent: Folder?
        var seen: [String: Entry] = [:]
        var durable: [String: Entry] = [:]
        var changes: [Change] = []

        init(in parent: Folder?) { self.parent = parent }

        func apply(_ change: Change) {
            Self.apply(change, to: &seen)
            changes.append(change)
        }

        private static func apply(_ change: Change, to names: inout [String: Entry]) {
            switch change {
            case .made(let name, let entry): names[name] = entry
            case .removed(let name): names[name] = nil
            case .renamed(let name, let target, let entry):
                names[name] = nil
                names[target] = entry
            }
        }

        func sync() {
            durable = seen
            changes = []
        }

        /// The power goes: changes happen as `chance` has it.
        func survive(_ chance: () -> Bool) {
            for change in changes where chance() { Self.apply(change, to: &durable) }
            seen = durable
            changes = []
        }
    }

    private let disk: SimulatedStorage
    private var root = Folder(in: nil)

    private var device: SimulatedDevice { disk.device }

    /// - Parameter disk: The journal, which has the same device.
    init(beside disk: SimulatedStorage) { self.disk = disk }

    // MARK: - The experimenter's side

    /// A new disk.
    func reset() { root = Folder(in: nil) }

    /// The power goes and comes back.
    func cut() {
        survive(root)
        device.otherByteCount = byteCount(root)
    }

    private func survive(_ folder: Folder) {
        if !folder.changes.isEmpty { folder.survive { device.below(2) == 0 } }
        for name in folder.seen.keys.sorted() {
            switch folder.seen[name] {
            case .file(let file): if !file.isSettled { file.survive() }
            case .folder(let inner): survive(inner)
            case .link, nil: break
            }
        }
    }

    private func byteCount(_ folder: Folder) -> Int {
        folder.seen.values.reduce(0) { sum, entry in
            switch entry {
            case .file(let file): sum + file.seen.count
            case .folder(let inner): sum + byteCount(inner)
            case .link: sum
            }
        }
    }

    /// What a link leads to; nil: there is no such link.
    func target(of path: String) -> String? {
        guard case .link(let target) = find(path) else { return nil }
        return target
    }

    /// The bytes of a file; nil: there is no such file.
    func bytes(of path: String) -> [UInt8]? {
        guard case .file(let file) = find(path) else { return nil }
        return file.seen
    }

    /// Changes a file at rest.
    func damage(_ path: String, _ body: (inout [UInt8]) -> Void) {
        guard case .file(let file) = find(path) else { preconditionFailure("no such file") }
        file.change(body)
    }

    /// Loses a file at rest.
    func lose(_ path: String) {
        let (folder, name) = split(path)
        folder?.seen[name] = nil
        folder?.durable[name] = nil
    }

    // MARK: - Finding

    private func find(_ path: String) -> Entry? {
        var entry = Entry.folder(root)
        for part in path.split(separator: "/") {
            guard case .folder(let folder) = entry else { return nil }
            if part == ".." {
                entry = .folder(folder.parent ?? folder)
            } else {
                guard let next = folder.seen[String(part)] else { return nil }
                entry = next
            }
        }
        return entry
    }

    private func folder(_ path: String) -> Folder? {
        guard case .folder(let folder) = find(path) else { return nil }
        return folder
    }

    /// The folder that a path lies in, and its name there.
    private func split(_ path: String) -> (folder: Folder?, name: String) {
        guard let end = path.lastIndex(of: "/") else { return (root, path) }
        return (folder(String(path[..<end])), String(path[path.index(after: end)...]))
    }

    /// Runs a change of the folder that a path lies in.
    private func change(
        _ operation: String, _ path: String,
        _ body: (Folder, String) throws(SystemError) -> Void
    ) throws(SystemError) {
        try device.change(operation) { () throws(SystemError) in
            let (folder, name) = split(path)
            guard let folder else { throw device.failure(operation, missing) }
            try body(folder, name)
        }
    }

    // MARK: - SnapshotStorage

    func makeFolder(_ path: String) throws(SystemError) {
        if folder(path) != nil { return }
        try change("make a folder", path) { (folder, name) in
            folder.apply(.made(name, .folder(Folder(in: folder))))
        }
        try syncFolder(path + "/..")
    }

    func names(in path: String) throws(SystemError) -> [String] {
        guard !device.isOff else { throw device.failure("list") }
        return folder(path)?.seen.keys.sorted() ?? []
    }

    func create(_ path: String) throws(SystemError) -> any StoredFile {
        var made: SimulatedFile?
        try change("create", path) { (folder, name) throws(SystemError) in
            if case .file(let file) = folder.seen[name] {
                device.otherByteCount -= file.seen.count
                file.truncate()
                made = file
            } else {
                let file = SimulatedFile(device)
                folder.apply(.made(name, .file(file)))
                made = file
            }
        }
        guard let made else { throw device.failure("create", missing) }
        return OpenSimulatedFile(made, disk)
    }

    func open(_ path: String, isUncached: Bool) throws(SystemError) -> any StoredFile {
        guard !device.isOff else { throw device.failure("open") }
        guard case .file(let file) = find(path) else { throw device.failure("open", missing) }
        if isUncached { file.dropCache() }
        return OpenSimulatedFile(file, disk)
    }

    func syncFolder(_ path: String) throws(SystemError) {
        try device.change("sync a folder") { () throws(SystemError) in
            guard let folder = folder(path) else { throw device.failure("sync", missing) }
            switch device.beginSync() {
            case .kept: folder.sync()
            case .lied: break
            case .failed: throw device.failure("sync a folder")
            }
        }
    }

    func rename(_ path: String, to target: String) throws(SystemError) {
        try change("rename", path) { (folder, name) throws(SystemError) in
            let (other, newName) = split(target)
            precondition(other === folder, "all renames are within a folder")
            guard let entry = folder.seen[name] else { throw device.failure("rename", missing) }
            if case .folder(let old) = folder.seen[newName], !old.seen.isEmpty {
                throw device.failure("rename", notEmpty)
            }
            folder.apply(.renamed(name, to: newName, entry))
        }
    }

    func link(_ path: String, to target: String) throws(SystemError) {
        try change("link", path) { (folder, name) throws(SystemError) in
            guard folder.seen[name] == nil else { throw device.failure("link", existing) }
            folder.apply(.made(name, .link(target)))
        }
    }

    func remove(_ path: String) throws(SystemError) {
        guard let entry = find(path) else { return }
        try change("remove", path) { (folder, name) throws(SystemError) in
            switch entry {
            case .folder(let old):
                guard old.seen.isEmpty else { throw device.failure("remove", notEmpty) }
            case .file(let file): device.otherByteCount -= file.seen.count
            case .link: break
            }
            folder.apply(.removed(name))
        }
    }
}

/// ENOENT, EEXIST and ENOTEMPTY, the same on every Linux.
private let missing: Int32 = 2
private let existing: Int32 = 17
private let notEmpty: Int32 = 39

/// EINTR, the same on every Linux.
private let interrupted: Int32 = 4

private final class OpenSimulatedFile: StoredFile {
    private let file: SimulatedFile
    private let disk: SimulatedStorage
    private var offset = 0

    init(_ file: SimulatedFile, _ disk: SimulatedStorage) {
        self.file = file
        self.disk = disk
    }

    func byteCount() throws(SystemError) -> Int { file.seen.count }

    /// In as many writes as it takes, as the real one does.
    func write(_ bytes: Span<UInt8>) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            do throws(SystemError) {
                done += try writeOnce(bytes.extracting(done..<bytes.count))
            } catch {
                if error.code != interrupted { throw error }
            }
        }
    }

    private func writeOnce(_ bytes: Span<UInt8>) throws(SystemError) -> Int {
        let device = disk.device
        var taken = 0
        try device.change("write") { () throws(SystemError) in
            let write = try device.beginWrite(bytes.count)
            guard try disk.freeByteCount() >= write.count else {
                throw device.failure("write", SystemError.noSpace)
            }
            let sector = SimulatedDevice.sectorByteCount
            let place = write.isAstray ? device.below(offset / sector + 1) * sector : offset
            let before = file.seen.count
            file.put(bytes.extracting(first: write.count), at: place)
            device.otherByteCount += file.seen.count - before
            taken = write.count
        }
        offset += taken
        return taken
    }

    func read(
        at offset: Int, _ count: Int, into buffer: inout ByteBuffer
    ) throws(SystemError) -> Int {
        guard !disk.isOff else { throw disk.device.failure("read") }
        let end = min(file.seen.count, offset + count)
        guard offset < end else { return 0 }
        let bytes = file.seen
        buffer.append(bytes.span.extracting(offset..<end))
        return end - offset
    }

    func sync() throws(SystemError) {
        let device = disk.device
        try device.change("sync") { () throws(SystemError) in
            let fate = device.beginSync()
            file.sync(fate)
            if fate == .failed { throw device.failure("sync") }
        }
    }
}
