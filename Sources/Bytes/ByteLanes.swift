// Searching eight bytes at a time in a plain word.
//
// A mask has bit 7 of a lane set where the lane's byte matches. The lowest set bit is always
// exact; a lane above it may be set falsely, because a subtraction borrows from the lane above a
// match. So take the first match, or look at the byte itself before believing a later one.

/// `byte` in each of the eight lanes.
@inlinable
package func lanes(_ byte: UInt8) -> UInt64 {
    UInt64(byte) &* 0x0101_0101_0101_0101
}

/// Bit 7 of each lane.
@inlinable package var laneHighBits: UInt64 { 0x8080_8080_8080_8080 }

/// The lanes of `word` that hold `byte`, among those below 0x80; bits other than 7 are noise.
///
/// Terms for several bytes may be joined by `|` before they are masked once by `laneHighBits` and
/// `~word` (left out where lanes at or above 0x80 count as matches too).
///
/// - Precondition: `byte` is below 0x80.
@inlinable
package func laneTerm(_ word: UInt64, equalTo byte: UInt8) -> UInt64 {
    (word ^ lanes(byte)) &- lanes(1)
}

/// The lanes of `word` that lie below `bound`, as a term like `laneTerm(_:equalTo:)`.
///
/// - Precondition: `bound` is at most 0x80.
@inlinable
package func laneTerm(_ word: UInt64, below bound: UInt8) -> UInt64 {
    word &- lanes(bound)
}

/// The first lane (0 ... 7) that `mask` has set.
///
/// - Precondition: `mask` is a non-zero part of `laneHighBits`.
@inlinable
package func firstLane(_ mask: UInt64) -> Int {
    mask.trailingZeroBitCount &>> 3
}

extension Span<UInt8> {
    /// The eight bytes at `offset` as a little-endian word, unchecked: the caller has made sure
    /// that `0 <= offset` and `offset + 8 <= count`.
    @unsafe @inlinable @inline(__always)
    package func word(unchecked offset: Int) -> UInt64 {
        assert(offset >= 0 && offset &+ 8 <= count)
        return unsafe withUnsafeBufferPointer { bytes in
            let raw = unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
            return unsafe UInt64(
                littleEndian: raw.loadUnaligned(
                    fromByteOffset: offset, as: UInt64.self))
        }
    }

    /// Whether `text` stands at `offset`, compared a word at a time: a few instructions where
    /// `text` is a literal, as its length is then known when this is compiled.
    ///
    /// - Precondition: `offset` is at least 0.
    @inlinable @inline(__always)
    package func holds(_ text: StaticString, at offset: Int) -> Bool {
        let length = text.utf8CodeUnitCount
        precondition(offset >= 0)
        guard count &- length >= offset else { return false }
        if length == 0 { return true }
        return unsafe withUnsafeBufferPointer { bytes in
            let mine = unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped + offset)
            let other = unsafe UnsafeRawPointer(text.utf8Start)
            if length >= 8 {
                var offset = 0
                while offset < length &- 8 {
                    if unsafe differs(mine, other, offset, UInt64.self) { return false }
                    offset &+= 8
                }
                return unsafe !differs(mine, other, length &- 8, UInt64.self)
            }
            if length >= 4 {
                return unsafe !differs(mine, other, 0, UInt32.self)
                    && !differs(mine, other, length &- 4, UInt32.self)
            }
            if length >= 2 {
                return unsafe !differs(mine, other, 0, UInt16.self)
                    && !differs(mine, other, length &- 2, UInt16.self)
            }
            return unsafe !differs(mine, other, 0, UInt8.self)
        }
    }

    /// The offset of the first `byte` at or after `offset`, or `count`.
    ///
    /// - Precondition: `byte` is below 0x80; `offset` is in `0 ... count`.
    package func firstOffset(of byte: UInt8, from offset: Int) -> Int {
        var offset = offset
        while offset < count {
            let word = partialWord(at: offset)
            let mask = laneTerm(word, equalTo: byte) & ~word & laneHighBits
            if mask != 0 { return Swift.min(offset &+ firstLane(mask), count) }
            offset &+= 8
        }
        return count
    }
}

/// Whether the integers of a kind at `offset` of two places in memory differ.
@unsafe @inlinable @inline(__always)
func differs<Word: FixedWidthInteger & BitwiseCopyable>(
    _ one: UnsafeRawPointer, _ other: UnsafeRawPointer, _ offset: Int, _ kind: Word.Type
) -> Bool {
    unsafe one.loadUnaligned(fromByteOffset: offset, as: kind)
        != other.loadUnaligned(fromByteOffset: offset, as: kind)
}

extension ByteBuffer {
    /// Appends the `byteCount` low bytes of `word`, the lowest first.
    ///
    /// - Precondition: `byteCount` is in `0 ... 8`.
    @inlinable
    package mutating func append(word: UInt64, byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= 8)
        reserve(8)
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(
            of: word.littleEndian, as: UInt64.self)
        count &+= byteCount
    }
}
