// The file system of the machine, as a snapshot needs it.

internal import Bytes
package import Platform

/// Files and folders of the machine.
package struct FileSystem: SnapshotStorage {
    package init() {}

    package func makeFolder(_ path: String) throws(SystemError) { try Files.makeFolder(path) }

    package func names(in path: String) throws(SystemError) -> [String] {
        try Files.names(in: path)
    }

    package func create(_ path: String) throws(SystemError) -> any StoredFile {
        OpenFile(try Descriptor.create(path))
    }

    package func open(_ path: String, isUncached: Bool) throws(SystemError) -> any StoredFile {
        let descriptor = try Descriptor.open(path)
        if isUncached { descriptor.dropCache() }
        return OpenFile(descriptor)
    }

    package func syncFolder(_ path: String) throws(SystemError) { try Files.syncFolder(path) }

    package func rename(_ path: String, to target: String) throws(SystemError) {
        try Files.rename(path, to: target)
    }

    package func link(_ path: String, to target: String) throws(SystemError) {
        try Files.link(path, to: target)
    }

    package func remove(_ path: String) throws(SystemError) { try Files.remove(path) }
}

private final class OpenFile: StoredFile {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    func byteCount() throws(SystemError) -> Int { try descriptor.byteCount() }

    func write(_ bytes: Span<UInt8>) throws(SystemError) { try descriptor.write(bytes) }

    func read(
        at offset: Int, _ count: Int, into buffer: inout ByteBuffer
    ) throws(SystemError) -> Int {
        try descriptor.read(at: offset, count, into: &buffer)
    }

    func sync() throws(SystemError) { try descriptor.sync() }
}
