// One piece of memory, one frame: pages of a file, whose sizes are known on both sides.
//
// A context is kept from frame to frame: making one costs more than a small page does. Frames
// written here carry their content's size and no checksum; who stores them has one already.

package import Bytes
import CZstd

/// Compresses pieces of memory, each into a frame of its own.
///
/// - Invariant: `context` is a context of libzstd's that is freed in `deinit`.
@safe
package struct ZstdFrameWriter: ~Copyable {
    private let context: OpaquePointer

    /// - Parameter level: One of `ZstdWriter.levels`.
    /// - Throws: `ZstdError.outOfMemory`.
    package init(level: Int) throws(ZstdError) {
        precondition(ZstdWriter.levels.contains(level))
        guard let context = unsafe ZSTD_createCCtx() else { throw .outOfMemory }
        unsafe self.context = context
        let result = unsafe ZSTD_CCtx_setParameter(
            context, ZSTD_c_compressionLevel, Int32(level))
        precondition(ZSTD_isError(result) == 0)
    }

    deinit { _ = unsafe ZSTD_freeCCtx(context) }

    /// Appends `bytes` to `output` as one frame.
    ///
    /// - Throws: `ZstdError.outOfMemory`; `output` is then as it was.
    package mutating func write(
        _ bytes: Span<UInt8>, into output: inout ByteBuffer
    ) throws(ZstdError) {
        var result = 0
        _ = unsafe output.fill(ZSTD_compressBound(bytes.count)) { room in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                result = unsafe ZSTD_compress2(
                    context, room.baseAddress, room.count, bytes.baseAddress, bytes.count)
            }
            return ZSTD_isError(result) == 0 ? result : 0
        }
        if let error = ZstdError(result: result) { throw error }
    }
}

/// Decompresses pieces of memory that hold whole frames.
///
/// - Invariant: `context` is a context of libzstd's that is freed in `deinit`.
@safe
package struct ZstdFrameReader: ~Copyable {
    private let context: OpaquePointer

    /// - Throws: `ZstdError.outOfMemory`.
    package init() throws(ZstdError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw .outOfMemory }
        unsafe self.context = context
    }

    deinit { _ = unsafe ZSTD_freeDCtx(context) }

    /// Appends what the frames in `bytes` hold.
    ///
    /// - Parameter byteCount: What they must hold, in bytes; so much memory is used, whatever the
    ///   frames say of themselves.
    /// - Throws: What is wrong with the frames; `ZstdError.tooLarge` when they hold more than
    ///   `byteCount`, `.truncated` when they hold less. `output` is then as it was.
    package mutating func read(
        _ bytes: Span<UInt8>, byteCount: Int, into output: inout ByteBuffer
    ) throws(ZstdError) {
        var result = 0
        _ = unsafe output.fill(byteCount) { room in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                result = unsafe ZSTD_decompressDCtx(
                    context, room.baseAddress, room.count, bytes.baseAddress, bytes.count)
            }
            return result == byteCount ? result : 0
        }
        if let error = ZstdError(result: result) {
            throw error == .corrupt(detail: Self.targetTooSmall) ? .tooLarge : error
        }
        guard result == byteCount else { throw .truncated }
    }

    /// ZSTD_error_dstSize_tooSmall of zstd_errors.h.
    private static let targetTooSmall: Int32 = 70
}
