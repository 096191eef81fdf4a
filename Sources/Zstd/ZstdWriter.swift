// Compression into zstd frames (RFC 8878), as the bytes are made.

package import Bytes
import CZstd

/// Compresses a stream into frames that carry a checksum of their content.
///
/// - Invariant: `context` is a context of libzstd's that is freed in `deinit`.
@safe
package struct ZstdWriter: ~Copyable {
    /// The levels to choose from: 1 is fastest, 22 smallest. No level needs a window larger than
    /// `ZstdReader` accepts.
    package static let levels: ClosedRange<Int> = 1...22

    /// Room offered to libzstd at once.
    private static let stepByteCount = 128 << 10

    private let context: OpaquePointer

    /// - Parameter level: One of `levels`.
    /// - Throws: `ZstdError.outOfMemory`.
    package init(level: Int = 3) throws(ZstdError) {
        precondition(Self.levels.contains(level))
        guard let context = unsafe ZSTD_createCCtx() else { throw .outOfMemory }
        unsafe self.context = context
        for (parameter, value) in [(ZSTD_c_compressionLevel, level), (ZSTD_c_checksumFlag, 1)] {
            let result = unsafe ZSTD_CCtx_setParameter(context, parameter, Int32(value))
            precondition(ZSTD_isError(result) == 0)
        }
    }

    deinit { _ = unsafe ZSTD_freeCCtx(context) }

    /// Has the next frame say how many bytes it holds, which must be written then.
    package mutating func announce(contentByteCount: Int) throws(ZstdError) {
        let result = unsafe ZSTD_CCtx_setPledgedSrcSize(context, UInt64(contentByteCount))
        if let error = ZstdError(result: result) { throw error }
    }

    /// Takes in all of `bytes`; appends to `output` what has become ready, often nothing.
    package mutating func write(
        _ bytes: Span<UInt8>, into output: inout ByteBuffer
    ) throws(ZstdError) {
        try run(bytes, ZSTD_e_continue, into: &output)
    }

    /// Appends everything written so far, so that a reader can have it without the frame's end.
    package mutating func flush(into output: inout ByteBuffer) throws(ZstdError) {
        try run(Span(), ZSTD_e_flush, into: &output)
    }

    /// Ends the frame. What is written next begins another one; ended without a byte written, it is
    /// an empty frame.
    package mutating func finish(into output: inout ByteBuffer) throws(ZstdError) {
        try run(Span(), ZSTD_e_end, into: &output)
    }

    private mutating func run(
        _ bytes: Span<UInt8>, _ directive: ZSTD_EndDirective, into output: inout ByteBuffer
    ) throws(ZstdError) {
        var consumed = 0
        var result = 0
        repeat {
            _ = unsafe output.fill(Self.stepByteCount) { room in
                unsafe bytes.withUnsafeBufferPointer { bytes in
                    var source = unsafe ZSTD_inBuffer(
                        src: bytes.baseAddress, size: bytes.count, pos: consumed)
                    var target = unsafe ZSTD_outBuffer(
                        dst: room.baseAddress, size: room.count, pos: 0)
                    result = unsafe ZSTD_compressStream2(context, &target, &source, directive)
                    unsafe consumed = source.pos
                    return unsafe target.pos
                }
            }
            if let error = ZstdError(result: result) { throw error }
            // While bytes are taken in, `result` is a hint; for the other directives it is how
            // many bytes have yet to come out.
        } while consumed < bytes.count || (directive != ZSTD_e_continue && result > 0)
    }
}

/// `bytes` as one frame.
package func zstdCompressed(
    _ bytes: Span<UInt8>, level: Int = 3
) throws(ZstdError) -> ByteBuffer {
    var writer = try ZstdWriter(level: level)
    var output = ByteBuffer(capacity: bytes.count / 4)
    try writer.write(bytes, into: &output)
    try writer.finish(into: &output)
    return output
}

/// All that the frames in `bytes` hold, if it is at most `limit` bytes.
///
/// - Throws: What is wrong with the frames; `ZstdError.tooLarge` when they hold more.
package func zstdDecompressed(
    _ bytes: Span<UInt8>, limit: Int
) throws(ZstdError) -> ByteBuffer {
    precondition(limit >= 0 && limit < Int.max)
    var reader = try ZstdReader()
    var output = ByteBuffer()
    var offset = 0
    while offset < bytes.count || !reader.needsInput {
        // One byte of room more than is wanted: the end of the stream may lie just behind.
        let room = limit + 1 - output.count
        offset += try reader.read(bytes.from(offset), into: &output, limit: room)
        guard output.count <= limit else { throw .tooLarge }
    }
    try reader.finish()
    return output
}
