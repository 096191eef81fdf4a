// Chunks, copied in or written in place (RFC 9112 §7.1).

package import Bytes

/// A chunk that is being written: where its size goes.
package struct OpenChunk: Sendable {
    fileprivate let offset: Int
    fileprivate let framing: StreamFraming
}

/// Digits of the size of a chunk written in place, zeros in front.
private let sizeDigitCount = 8

extension ByteBuffer {
    /// Appends `bytes` as one chunk; nothing when there are none, as an empty chunk ends the body.
    package mutating func appendChunk(_ bytes: Span<UInt8>, framing: StreamFraming) {
        if bytes.isEmpty { return }
        reserve(bytes.count &+ 20)
        guard framing == .chunked else { return append(bytes) }
        var shift = (63 &- bytes.count.leadingZeroBitCount) & ~3
        while shift >= 0 {
            append(hexDigit(UInt8(truncatingIfNeeded: bytes.count &>> shift) & 15))
            shift &-= 4
        }
        append("\r\n")
        append(bytes)
        append("\r\n")
    }

    /// Starts a chunk; what is appended until `endChunk` is its data.
    ///
    /// Saves the copy of `appendChunk`. Until then nothing that was there may be removed.
    package mutating func beginChunk(framing: StreamFraming) -> OpenChunk {
        let chunk = OpenChunk(offset: count, framing: framing)
        if framing == .chunked { append("00000000\r\n") }
        return chunk
    }

    /// Ends a chunk; when nothing was appended, it is as if it had not begun.
    ///
    /// - Precondition: The chunk has less than 4 GiB.
    package mutating func endChunk(_ chunk: OpenChunk) {
        guard chunk.framing == .chunked else { return }
        var size = count - chunk.offset - sizeDigitCount - 2
        precondition(size >= 0 && size <= UInt32.max)
        if size == 0 { return removeLast(sizeDigitCount + 2) }
        var offset = chunk.offset + sizeDigitCount
        while size != 0 {
            offset -= 1
            self[offset] = hexDigit(UInt8(truncatingIfNeeded: size) & 15)
            size >>= 4
        }
        append("\r\n")
    }

    /// Ends the body. With `untilClose` nothing is written: the connection must be closed.
    package mutating func appendLastChunk(framing: StreamFraming) {
        if framing == .chunked { append("0\r\n\r\n") }
    }
}
