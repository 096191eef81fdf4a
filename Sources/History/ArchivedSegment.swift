// Reading a compressed segment from front to back.

internal import Bytes
internal import Platform
internal import Zstd

/// A segment of the history, open.
struct ArchivedSegment: ~Copyable {
    /// As the segment was.
    let byteCount: Int

    /// Where in the segment the next bytes lie.
    private(set) var position = 0

    private let path: String
    private let file: Descriptor
    private var reader: ZstdReader
    private var fileOffset = 0
    private var input = ByteBuffer()
    private var inputOffset = 0
    /// What was decompressed; handed out up to `outputOffset`.
    private var output = ByteBuffer()
    private var outputOffset = 0

    private static let pieceByteCount = 256 << 10

    /// - Parameter isUncached: Drop what the page cache has of the file first.
    init(_ path: String, isUncached: Bool = false) throws(HistoryError) {
        var head = ByteBuffer()
        let file = try Self.open(path, isUncached, &head)
        let reader = try zstd(path) { () throws(ZstdError) in try ZstdReader() }
        byteCount = try zstd(path) { () throws(ZstdError) in try zstdContentByteCount(head.span) }
        self.path = path
        self.file = file
        self.reader = reader
    }

    private static func open(
        _ path: String, _ isUncached: Bool, _ head: inout ByteBuffer
    ) throws(HistoryError) -> Descriptor {
        do throws(SystemError) {
            let file = try Descriptor.open(path)
            if isUncached { file.dropCache() }
            _ = try file.read(at: 0, 64, into: &head)
            return file
        } catch { throw .system(error) }
    }

    /// Lends the next bytes, at most `count` of them, at least 1.
    ///
    /// - Returns: How many; 0 at the end alone.
    /// - Throws: `damaged`, before the last bytes where the checksum of all is wrong.
    mutating func read(
        _ count: Int, _ body: (Span<UInt8>) -> Void
    ) throws(HistoryError) -> Int {
        if outputOffset == output.count {
            output.removeAll()
            outputOffset = 0
            while output.isEmpty, try decompress() {}
            // The checksum lies behind the last bytes.
            if position + output.count == byteCount { while try decompress() {} }
        }
        let count = min(count, output.count - outputOffset)
        body(output.span.extracting(outputOffset..<outputOffset + count))
        outputOffset += count
        position += count
        return count
    }

    /// - Returns: Whether there was anything left to decompress.
    private mutating func decompress() throws(HistoryError) -> Bool {
        if inputOffset == input.count, reader.needsInput {
            input.removeAll()
            inputOffset = 0
            do throws(SystemError) {
                fileOffset += try file.read(at: fileOffset, Self.pieceByteCount, into: &input)
            } catch { throw .system(error) }
        }
        let known = position + output.count - outputOffset
        do throws(ZstdError) {
            if input.isEmpty, reader.needsInput {
                try reader.finish()
                guard known == byteCount else { throw .truncated }
                return false
            }
            inputOffset += try Self.read(&reader, input, from: inputOffset, into: &output)
        } catch { throw .damaged(file: path, error) }
        guard position + output.count - outputOffset <= byteCount else {
            throw .damaged(file: path, .tooLarge)
        }
        return true
    }

    private static func read(
        _ reader: inout ZstdReader, _ input: borrowing ByteBuffer, from offset: Int,
        into output: inout ByteBuffer
    ) throws(ZstdError) -> Int {
        try reader.read(input.span.from(offset), into: &output, limit: pieceByteCount)
    }
}

/// Runs `body`; what is wrong with a frame becomes damage of the file.
private func zstd<Value: ~Copyable>(
    _ path: String, _ body: () throws(ZstdError) -> Value
) throws(HistoryError) -> Value {
    do { return try body() } catch { throw .damaged(file: path, error) }
}
