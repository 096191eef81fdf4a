// Numbers and texts of a frame's payload, each checked to be there.

internal import Bytes
internal import Domain

/// A place in a payload.
struct PayloadReader: Sendable {
    private(set) var offset = 0

    mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
        _ payload: Span<UInt8>
    ) throws(FactError) -> Value {
        let range = try readRange(payload, MemoryLayout<Value>.size)
        return payload.littleEndian(at: range.offset)
    }

    mutating func readRange(
        _ payload: Span<UInt8>, _ byteCount: Int
    ) throws(FactError) -> ByteRange {
        guard payload.count - offset >= byteCount else {
            throw FactError(offset: offset, reason: .truncated)
        }
        defer { offset += byteCount }
        return ByteRange(offset: offset, count: byteCount)
    }

    /// The error of what was read last, which has `byteCount` bytes.
    func refusal(_ reason: FactError.Reason, back byteCount: Int = 1) -> FactError {
        FactError(offset: offset - byteCount, reason: reason)
    }
}
