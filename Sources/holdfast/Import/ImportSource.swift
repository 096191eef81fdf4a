// A file to import, as a stream of its text: plain or compressed, a file or standard input.

import Bytes
import Platform
import Zstd

/// The text of a file, read from front to back. A zstd frame is told by its first bytes, whatever
/// the file's name is.
struct ImportSource: ~Copyable {
    /// What it was opened as, for messages.
    let path: String

    /// Bytes of the file as it is stored; nil for a pipe.
    let byteCount: Int?

    /// Of them, those read so far.
    private(set) var readByteCount = 0

    private let file: FileReader
    private var zstd: ZstdReader?

    /// Bytes of the file that were read and not yet handed out: its first four, and later what is
    /// to be decompressed.
    private var raw: ByteBuffer
    private var rawOffset = 0

    private static let rawByteCount = 256 << 10

    /// The first bytes of a zstd frame (RFC 8878 §3.1.1).
    private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    private init(
        _ file: consuming FileReader, raw: consuming ByteBuffer, zstd: consuming ZstdReader?
    ) {
        path = file.path
        byteCount = file.byteCount
        readByteCount = raw.count
        self.file = file
        self.raw = raw
        self.zstd = zstd
    }

    static func open(_ path: String) throws(CommandError) -> ImportSource {
        let file = try orFailed { () throws(SystemError) in try FileReader(path) }
        var raw = ByteBuffer(capacity: rawByteCount)
        try orFailed { () throws(SystemError) in
            while raw.count < zstdMagic.count {
                if try file.read(into: &raw, room: zstdMagic.count - raw.count) == 0 { break }
            }
        }
        guard raw.span.equals(zstdMagic.span) else {
            if path.hasSuffix(".zst") {
                throw .failed("\(path) is not compressed by zstd, in spite of its name")
            }
            return ImportSource(file, raw: raw, zstd: nil)
        }
        return ImportSource(file, raw: raw, zstd: try reader(for: path))
    }

    private static func reader(for path: String) throws(CommandError) -> ZstdReader {
        do { return try ZstdReader() } catch { throw failure(path, error) }
    }

    private static func failure(_ path: String, _ error: ZstdError) -> CommandError {
        .failed("\(path) cannot be decompressed: \(error.code)")
    }

    /// Appends the next bytes of text, at most `room`, to `output`.
    ///
    /// - Returns: How many; 0 at the end.
    mutating func read(
        into output: inout ByteBuffer, room: Int
    ) throws(CommandError) -> Int {
        let before = output.count
        if zstd == nil {
            if rawOffset < raw.count {
                let first = min(room, raw.count - rawOffset)
                output.append(raw.span.part(ByteRange(offset: rawOffset, count: first)))
                rawOffset += first
                return first
            }
            let count = try Self.read(file, into: &output, room: room)
            readByteCount += count
            return count
        }
        while output.count == before {
            if rawOffset == raw.count, zstd?.needsInput == true {
                raw.removeAll()
                rawOffset = 0
                let count = try Self.read(file, into: &raw, room: Self.rawByteCount)
                readByteCount += count
                if count == 0 {
                    do { try zstd?.finish() } catch { throw Self.failure(path, error) }
                    return 0
                }
            }
            do throws(ZstdError) {
                rawOffset += try Self.decompress(&zstd, raw, rawOffset, into: &output, room)
            } catch {
                throw Self.failure(path, error)
            }
        }
        return output.count - before
    }

    private static func read(
        _ file: borrowing FileReader, into buffer: inout ByteBuffer, room: Int
    ) throws(CommandError) -> Int {
        do throws(SystemError) { return try file.read(into: &buffer, room: room) } catch {
            throw .failed(error.description)
        }
    }

    /// - Returns: How many bytes of `raw`, from `offset` on, are done with.
    private static func decompress(
        _ zstd: inout ZstdReader?, _ raw: borrowing ByteBuffer, _ offset: Int,
        into output: inout ByteBuffer, _ room: Int
    ) throws(ZstdError) -> Int {
        try zstd?.read(raw.span.from(offset), into: &output, limit: room) ?? 0
    }
}
