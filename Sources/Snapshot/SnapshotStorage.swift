// What a snapshot asks of a file system, so that the real one and a simulated one can serve it.

package import Bytes
package import Platform

/// Files and folders by path.
package protocol SnapshotStorage: Sendable {
    /// Makes a folder that survives a loss of power, unless it is there.
    func makeFolder(_ path: String) throws(SystemError)

    /// The names in a folder, in order; none when there is no such folder.
    func names(in path: String) throws(SystemError) -> [String]

    /// Creates a file, or empties the one that is there, for writing.
    func create(_ path: String) throws(SystemError) -> any StoredFile

    /// Opens a file for reading.
    ///
    /// - Parameter isUncached: Drop what memory has of it first, as far as it is on the device.
    func open(_ path: String, isUncached: Bool) throws(SystemError) -> any StoredFile

    /// Waits until the names in a folder are on the device.
    func syncFolder(_ path: String) throws(SystemError)

    /// Gives what is at `path` another name, in the place of a file or a link that has it.
    func rename(_ path: String, to target: String) throws(SystemError)
    func link(_ path: String, to target: String) throws(SystemError)

    /// Removes a file, a link or an empty folder, if it is there.
    func remove(_ path: String) throws(SystemError)
}

/// An open file, for one thread; closed with its last owner.
package protocol StoredFile: AnyObject {
    func byteCount() throws(SystemError) -> Int

    /// Appends all of `bytes`.
    func write(_ bytes: Span<UInt8>) throws(SystemError)

    /// Appends at most `count` bytes of the file, from `offset` on, to `buffer`.
    ///
    /// - Returns: How many; fewer at the end of the file only.
    func read(at offset: Int, _ count: Int, into buffer: inout ByteBuffer) throws(SystemError)
        -> Int

    /// Waits until the content is on the device.
    func sync() throws(SystemError)
}

extension SnapshotStorage {
    /// All bytes of a file.
    ///
    /// - Throws: EFBIG when it has more than `limit` bytes.
    func content(of path: String, limit: Int = 1 << 30) throws(SystemError) -> ByteBuffer {
        let file = try open(path, isUncached: false)
        let byteCount = try file.byteCount()
        guard byteCount <= limit else { throw SystemError("read", on: path, code: 27) }
        var content = ByteBuffer(capacity: byteCount)
        _ = try file.read(at: 0, byteCount, into: &content)
        return content
    }
}
