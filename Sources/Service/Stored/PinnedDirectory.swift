// The files of a data directory under names of their own: what a service removes meanwhile stays until
// the names go.

internal import Bytes
internal import History
internal import Journal
internal import Platform
internal import Snapshot

/// Second names of a directory's files, in the directory itself.
final class PinnedDirectory: Sendable {
    /// The same directory by these names.
    let directory: StoredDirectory
    private let source: StoredDirectory

    /// - Parameter source: It may be served. What its journal holds by now is pinned.
    /// - Throws: When a name cannot be made; then there is none.
    init(_ source: StoredDirectory) throws(StartError) {
        var random = SystemRandomNumberGenerator()
        let name = String(random.next() as UInt64, radix: 16)
        let path = "\(source.path)/\(DataDirectory.temporaryName)/\(name)"
        self.source = source
        do {
            try Self.pin(source, as: path)
            var directory = try StoredDirectory(path)
            directory.durable = source.durable
            self.directory = directory
        } catch {
            try? Files.removeTree(path)
            throw StartError("\(source.path) cannot be read while it is served: \(error)")
        }
    }

    deinit { try? Files.removeTree(directory.path) }

    private static func pin(_ source: StoredDirectory, as path: String) throws {
        try Files.makeFolders(path)
        for file in ["key", "holdfast.json"] {
            try Files.shareFile("\(source.path)/\(file)", as: "\(path)/\(file)")
        }
        // The journal first, as what it lets go of meanwhile is in the history by then; and again behind the
        // snapshots, so that it reaches to where they were taken.
        try pinJournal(of: source, as: path + "/journal")
        try pinHistory(of: source, as: path + "/history")
        try pinSnapshots(of: source, as: path + "/snapshots")
        try pinJournal(of: source, as: path + "/journal")
    }

    /// Segments alone: the ballast must go at once when the disk is full.
    private static func pinJournal(
        of source: StoredDirectory, as target: String
    ) throws(SystemError) {
        try Files.makeFolder(target)
        let folder = source.journalPath
        for base in try FileStorage(folder: folder, isReadOnly: true).segments() {
            try pinFile(
                FileStorage.segmentPath(base, in: folder),
                as: FileStorage.segmentPath(base, in: target))
        }
    }

    private static func pinHistory(
        of source: StoredDirectory, as target: String
    ) throws(SystemError) {
        try Files.makeFolder(target)
        for base in try source.history.bases() {
            try pinFile(source.history.file(base), as: HistoryFolder(target).file(base))
        }
    }

    /// A file that is gone by then, or pinned already, is passed over.
    private static func pinFile(_ file: String, as target: String) throws(SystemError) {
        do throws(SystemError) { try Files.shareFile(file, as: target) } catch {
            if !error.isMissingFile, !error.isExistingFile { throw error }
        }
    }

    /// A snapshot that goes meanwhile is left out.
    private static func pinSnapshots(of source: StoredDirectory, as target: String) throws {
        try Files.makeFolder(target)
        let reader = SnapshotReader(in: source.snapshotsPath)
        for number in try reader.numbers() {
            guard let manifest = try? reader.manifest(of: number) else { continue }
            do throws(SystemError) {
                try pin(manifest, in: source.snapshotsPath, as: target)
            } catch {
                try Files.removeTree("\(target)/\(number)")
                if !error.isMissingFile { throw error }
            }
        }
    }

    private static func pin(
        _ manifest: Manifest, in folder: String, as target: String
    ) throws(SystemError) {
        let (source, target) = ("\(folder)/\(manifest.number)", "\(target)/\(manifest.number)")
        try Files.makeFolder(target)
        for inner in manifest.folders { try Files.makeFolder("\(target)/\(inner)") }
        for name in manifest.files.map(\.name) + [Manifest.fileName] {
            try Files.shareFile("\(source)/\(name)", as: "\(target)/\(name)")
        }
    }
}

extension Manifest {
    /// The folders in a snapshot's own that its files lie in.
    var folders: [String] {
        Set(
            files.compactMap { file in
                file.name.lastIndex(of: "/").map { String(file.name[..<$0]) }
            }
        ).sorted()
    }
}
