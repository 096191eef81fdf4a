// Decompression of a stream of zstd frames (RFC 8878), fed as it arrives.
//
// The output of one call is bounded, so a small input that unfolds into gigabytes costs a caller no
// more memory than it asked for. The window of a frame is bounded too: it is what libzstd must keep.

package import Bytes
import CZstd

/// Decompresses one stream: any number of frames, one behind the other.
///
///     var offset = 0
///     while offset < input.count || !reader.needsInput {
///         offset += try reader.read(input.from(offset), into: &output, limit: 1 << 16)
///         …take what lies in `output`…
///     }
///     try reader.finish()  // when no more input will come
///
/// - Invariant: `context` is a context of libzstd's that is freed in `deinit`.
@safe
package struct ZstdReader: ~Copyable {
    /// The largest window a frame may ask for: 128 MiB, what the `zstd` command takes by default.
    package static let windowByteCountMax = 1 << windowLogMax
    private static let windowLogMax = 27

    /// Output asked of libzstd at once: the largest block (RFC 8878 §3.1.1.2.4).
    private static let stepByteCount = 128 << 10

    /// True when everything that follows from the input so far has been handed out.
    package private(set) var needsInput = true

    private let context: OpaquePointer
    private var isInsideFrame = false
    private var hasSeenFrame = false
    private var failure: ZstdError?

    /// - Throws: `ZstdError.outOfMemory`.
    package init() throws(ZstdError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw .outOfMemory }
        let result = unsafe ZSTD_DCtx_setParameter(
            context, ZSTD_d_windowLogMax, Int32(Self.windowLogMax))
        precondition(ZSTD_isError(result) == 0)
        unsafe self.context = context
    }

    deinit { _ = unsafe ZSTD_freeDCtx(context) }

    /// Decompresses from the front of `input` and appends at most `limit` bytes to `output`.
    ///
    /// Stops where the limit is reached or the input is used up; when the limit came first, the
    /// rest follows in the next call, which may bring no input.
    ///
    /// - Parameter limit: Bytes, at least 1.
    /// - Returns: How many bytes of `input` are done with.
    /// - Throws: What is wrong with the stream, and the same again for every later call. Bytes that
    ///   came before the damage have been appended.
    package mutating func read(
        _ input: Span<UInt8>, into output: inout ByteBuffer, limit: Int
    ) throws(ZstdError) -> Int {
        precondition(limit > 0)
        if let failure { throw failure }
        var consumed = 0
        var room = limit
        while room > 0, consumed < input.count || !needsInput {
            let asked = min(room, Self.stepByteCount)
            do throws(ZstdError) {
                let rest = input.from(consumed)
                let step = try step(rest, into: &output, asked)
                consumed += step.consumed
                room -= step.produced
            } catch {
                failure = error
                throw error
            }
        }
        return consumed
    }

    /// Says that the input has ended.
    ///
    /// Nothing at all is no stream either: a file of no bytes is a transfer that failed, and must
    /// not pass for an empty list. (Compressing nothing gives a frame.)
    ///
    /// - Throws: `ZstdError.truncated` inside a frame or before the first one.
    package borrowing func finish() throws(ZstdError) {
        if let failure { throw failure }
        guard hasSeenFrame, !isInsideFrame else { throw .truncated }
    }

    /// One call of libzstd.
    private mutating func step(
        _ input: Span<UInt8>, into output: inout ByteBuffer, _ asked: Int
    ) throws(ZstdError) -> (consumed: Int, produced: Int) {
        // libzstd may have been built to read what was written before the format was settled, too.
        if !isInsideFrame, input.count > 0, !Self.mayBeginFrame(input[0]) { throw .notZstd }
        var consumed = 0
        var result = 0
        let produced = unsafe output.fill(asked) { room in
            unsafe input.withUnsafeBufferPointer { bytes in
                var source = unsafe ZSTD_inBuffer(
                    src: bytes.baseAddress, size: bytes.count, pos: 0)
                var target = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: asked, pos: 0)
                result = unsafe ZSTD_decompressStream(context, &target, &source)
                unsafe consumed = source.pos
                return unsafe target.pos
            }
        }
        if let error = ZstdError(result: result) { throw error }
        // Zero means that a frame has ended and all of it is out; anything else is a hint.
        if result == 0 {
            isInsideFrame = false
            hasSeenFrame = true
            needsInput = true
        } else {
            isInsideFrame = isInsideFrame || consumed > 0
            needsInput = produced < asked
        }
        return (consumed, produced)
    }

    /// Whether a frame of RFC 8878, compressed (§3.1.1) or to be skipped (§3.1.2), begins with `byte`.
    private static func mayBeginFrame(_ byte: UInt8) -> Bool {
        byte == 0x28 || byte & 0xF0 == 0x50
    }
}

/// How many bytes the frame that begins with `head` says that it holds.
///
/// - Parameter head: The first 18 bytes of the frame, or all where it has fewer.
/// - Throws: `notZstd`, or `corrupt` where the frame does not say it.
package func zstdContentByteCount(_ head: Span<UInt8>) throws(ZstdError) -> Int {
    let count = unsafe head.withUnsafeBufferPointer { head in
        unsafe ZSTD_getFrameContentSize(head.baseAddress, head.count)
    }
    // ZSTD_CONTENTSIZE_ERROR and ZSTD_CONTENTSIZE_UNKNOWN of zstd.h.
    if count == .max - 1 { throw .notZstd }
    guard let count = Int(exactly: count) else { throw .corrupt(detail: 0) }
    return count
}
