// Files read from front to back: command-line imports and small whole files.

package import Bytes
internal import Glibc

/// A file, pipe or standard input that is read in pieces.
package struct FileReader: ~Copyable {
    private let descriptor: Descriptor

    /// What it was opened as, for messages.
    package let path: String

    /// Opens `path` for reading; `-` is standard input.
    package init(_ path: String) throws(SystemError) {
        self.path = path
        let number =
            path == "-" ? fcntl(0, F_DUPFD_CLOEXEC, 3) : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard number >= 0 else { throw .last("open", on: path) }
        descriptor = Descriptor(owning: number)
    }

    /// Appends the next piece, at most `room` bytes, to `buffer`.
    ///
    /// - Returns: How many bytes; 0 at the end of the file.
    package func read(
        into buffer: inout ByteBuffer, room: Int = 1 << 18
    ) throws(SystemError) -> Int {
        do {
            return try descriptor.read(into: &buffer, room: room)
        } catch {
            throw SystemError("read", on: path, code: error.code)
        }
    }

    /// Bytes in the file; nil for a pipe or a terminal.
    package var byteCount: Int? {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG
        else { return nil }
        return Int(status.st_size)
    }
}

/// All bytes of a file.
///
/// - Throws: EFBIG when it has more than `limit` bytes.
package func readFile(_ path: String, limit: Int = 1 << 30) throws(SystemError) -> ByteBuffer {
    let reader = try FileReader(path)
    var content = ByteBuffer(capacity: min(limit, reader.byteCount ?? 0) + 1)
    while try reader.read(into: &content, room: max(4096, content.capacity - content.count)) > 0 {
        guard content.count <= limit else { throw SystemError("read", on: path, code: EFBIG) }
    }
    return content
}
