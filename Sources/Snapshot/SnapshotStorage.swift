// What a snapshot asks of a file system, so that a test can let each step fail.

internal import Bytes
package import Platform

/// Files and folders by path.
package protocol SnapshotStorage: Sendable {
    func makeFolder(_ path: String) throws(SystemError)

    func create(_ path: String) throws(SystemError) -> Descriptor
    func write(_ bytes: Span<UInt8>, to file: borrowing Descriptor) throws(SystemError)
    func sync(_ file: borrowing Descriptor) throws(SystemError)

    /// Waits until the names in a folder are on the device.
    func syncFolder(_ path: String) throws(SystemError)

    func rename(_ path: String, to target: String) throws(SystemError)
    func link(_ path: String, to target: String) throws(SystemError)

    /// Removes a file, a link or an empty folder, if it is there.
    func remove(_ path: String) throws(SystemError)
}

/// The file system of the machine.
package struct FileSystem: SnapshotStorage {
    package init() {}

    package func makeFolder(_ path: String) throws(SystemError) { try Files.makeFolder(path) }

    package func create(_ path: String) throws(SystemError) -> Descriptor {
        try Descriptor.create(path)
    }

    package func write(
        _ bytes: Span<UInt8>, to file: borrowing Descriptor
    ) throws(SystemError) { try file.write(bytes) }

    package func sync(_ file: borrowing Descriptor) throws(SystemError) { try file.sync() }

    package func syncFolder(_ path: String) throws(SystemError) {
        try Descriptor.open(path).sync()
    }

    package func rename(_ path: String, to target: String) throws(SystemError) {
        try Files.rename(path, to: target)
    }

    package func link(_ path: String, to target: String) throws(SystemError) {
        try Files.link(path, to: target)
    }

    package func remove(_ path: String) throws(SystemError) { try Files.remove(path) }
}
