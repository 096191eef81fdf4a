// A file of a snapshot that is being written, and hashed on the way.

internal import Bytes
internal import Journal
internal import Platform

/// A file of a snapshot that is being written.
struct FileSink: ~Copyable {
    private let name: String
    private let file: any StoredFile
    private let defects: SnapshotDefects
    private var hash = XXH64Stream()
    private var byteCount = 0

    private init(_ name: String, _ file: any StoredFile, _ defects: SnapshotDefects) {
        self.name = name
        self.file = file
        self.defects = defects
    }

    /// Creates the file `name` in `folder`.
    static func create(
        _ name: String, in folder: String, _ place: SnapshotPlace
    ) throws(SnapshotError) -> FileSink {
        do throws(SystemError) {
            let file = try place.storage.create("\(folder)/\(name)")
            return FileSink(name, file, place.defects)
        } catch { throw .system(error) }
    }

    mutating func append(_ bytes: Span<UInt8>) throws(SnapshotError) {
        do throws(SystemError) { try file.write(bytes) } catch { throw .system(error) }
        hash.update(bytes)
        byteCount += bytes.count
    }

    /// Waits until the file is on the device.
    consuming func finish(rowCount: Int) throws(SnapshotError) -> SnapshotFile {
        if !isLeftUnsynced {
            do throws(SystemError) { try file.sync() } catch { throw .system(error) }
        }
        return SnapshotFile(
            name: name, bytes: byteCount, rows: rowCount, xxh64: HexWord(hash.hash))
    }

    private var isLeftUnsynced: Bool {
        let isManifest = name == Manifest.fileName
        return defects.has(isManifest ? .manifestNotSynced : .tablesNotSynced)
    }
}
