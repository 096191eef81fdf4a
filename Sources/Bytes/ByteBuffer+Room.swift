// Filling and moving bytes inside a buffer: what a socket loop does, without a generic call.

extension ByteBuffer {
    /// Like `fill`, for a source that cannot throw: `body` writes into room for `additional` bytes
    /// and says how many it wrote.
    @inlinable
    package mutating func fillRoom(
        _ additional: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int
    ) {
        reserve(additional)
        let written = unsafe body(
            UnsafeMutableRawBufferPointer(start: base + count, count: additional))
        precondition(written >= 0 && written <= additional)
        count &+= written
    }

    /// Copies the bytes of `range` so that they start at `offset`; the two may overlap.
    ///
    /// - Precondition: Both lie within what is held.
    /// - Complexity: O(`range.count`).
    @inlinable
    package mutating func moveBytes(_ range: ByteRange, to offset: Int) {
        precondition(range.offset >= 0 && range.count >= 0 && range.end <= count)
        precondition(offset >= 0 && offset &+ range.count <= count)
        if range.count == 0 || range.offset == offset { return }
        unsafe (base + offset).update(from: base + range.offset, count: range.count)
    }

    /// Takes the bytes of `range` out and closes the gap.
    ///
    /// - Complexity: O(bytes behind the range).
    @inlinable
    package mutating func remove(_ range: ByteRange) {
        precondition(range.offset >= 0 && range.count >= 0 && range.end <= count)
        moveBytes(ByteRange(from: range.end, to: count), to: range.offset)
        count &-= range.count
    }
}
