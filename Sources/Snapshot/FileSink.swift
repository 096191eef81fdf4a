// A file of a snapshot that is being written, and hashed on the way.

internal import Bytes
internal import Journal
internal import Platform

/// A file of a snapshot that is being written.
struct FileSink: ~Copyable {
    private let name: String
    private let storage: any SnapshotStorage
    private let file: Descriptor
    private var hash = XXH64Stream()
    private var byteCount = 0

    private init(_ name: String, _ storage: any SnapshotStorage, _ file: consuming Descriptor) {
        self.name = name
        self.storage = storage
        self.file = file
    }

    /// Creates the file `name` in `folder`.
    static func create(
        _ name: String, in folder: String, _ storage: any SnapshotStorage
    ) throws(SnapshotError) -> FileSink {
        do throws(SystemError) {
            return FileSink(name, storage, try storage.create("\(folder)/\(name)"))
        } catch { throw .system(error) }
    }

    mutating func append(_ bytes: Span<UInt8>) throws(SnapshotError) {
        do throws(SystemError) { try storage.write(bytes, to: file) } catch {
            throw .system(error)
        }
        hash.update(bytes)
        byteCount += bytes.count
    }

    /// Waits until the file is on the device.
    consuming func finish(rowCount: Int) throws(SnapshotError) -> SnapshotFile {
        do throws(SystemError) { try storage.sync(file) } catch { throw .system(error) }
        return SnapshotFile(
            name: name, bytes: byteCount, rows: rowCount, xxh64: HexWord(hash.hash))
    }
}
