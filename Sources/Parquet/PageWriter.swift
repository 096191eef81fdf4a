// Compresses pages and puts their headers before them.

import Bytes
import Zstd

/// What the footer will say of a column chunk.
struct ChunkRecord {
    /// Where it begins in the file.
    let offset: Int
    var dictionaryOffset: Int?
    var dataOffset = 0
    var dataPageCount = 0

    /// How the data pages are written.
    var encoding = Encoding.plain

    /// Bytes with the headers, before and after compression.
    var uncompressedByteCount = 0
    var byteCount = 0

    /// The smallest and the largest value, PLAIN.
    var extremes: (minimum: [UInt8], maximum: [UInt8])?

    init(offset: Int) { self.offset = offset }
}

struct RowGroupRecord {
    var rowCount = 0
    var chunks: [ChunkRecord] = []
}

struct PageWriter: ~Copyable {
    /// The page at hand, not yet compressed.
    var content = ByteBuffer()

    /// Bytes of the file so far.
    private(set) var byteCount = 0

    private var compressor: ZstdFrameWriter
    private var compressed = ByteBuffer()
    private var header = ThriftWriter()

    init(level: Int) throws(ZstdError) { compressor = try ZstdFrameWriter(level: level) }

    mutating func writeMark(into output: inout ByteBuffer) {
        output.append(fileMark)
        byteCount += fileMark.utf8CodeUnitCount
    }

    /// Writes `content` as a page and empties it.
    mutating func write(
        _ kind: PageKind, _ encoding: Encoding, valueCount: Int, of chunk: inout ChunkRecord,
        into output: inout ByteBuffer
    ) throws(ZstdError) {
        try compress()
        header.removeAll()
        header.pageHeader(
            kind, encoding, valueCount: valueCount, uncompressedByteCount: content.count,
            byteCount: compressed.count, checksum: CRC32.checksum(of: compressed.span))
        output.append(header.output.span)
        output.append(compressed.span)
        if kind == .dictionary {
            chunk.dictionaryOffset = byteCount
        } else {
            if chunk.dataPageCount == 0 { chunk.dataOffset = byteCount }
            chunk.encoding = encoding
            chunk.dataPageCount += 1
        }
        let written = header.output.count + compressed.count
        chunk.byteCount += written
        chunk.uncompressedByteCount += header.output.count + content.count
        byteCount += written
        content.removeAll()
    }

    /// How many bytes `content` takes once compressed; empties it.
    mutating func measure() throws(ZstdError) -> Int {
        try compress()
        content.removeAll()
        return compressed.count
    }

    private mutating func compress() throws(ZstdError) {
        compressed.removeAll()
        try compressor.write(content, into: &compressed)
    }
}

extension ZstdFrameWriter {
    /// All that a buffer holds, as one frame.
    fileprivate mutating func write(
        _ content: borrowing ByteBuffer, into output: inout ByteBuffer
    ) throws(ZstdError) {
        try write(content.span, into: &output)
    }
}
