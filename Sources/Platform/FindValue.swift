// Looking for a value among a few with vectors.

public import CLinux

/// Where `wanted` is among `count` distinct values from `start` on; nil where it is not.
///
/// Values that change meanwhile may be there twice: the place is then any number.
///
/// - Precondition: 8 to 65,534 values.
/// - Complexity: O(count); five instructions per 8 values.
@inlinable @inline(always)
package func place(
    of wanted: UInt16, in start: UnsafePointer<UInt16>, _ count: Int
) -> Int? {
    let place = unsafe holdfast_find_16(start, count, wanted)
    return place < 0 ? nil : place
}

/// Which of 16 values from `start` on, which is aligned to 64 bytes, are `wanted` in the bits of `mask`.
///
/// - Returns: Bit i for value i.
@inlinable @inline(always)
package func matches(
    of wanted: UInt32, under mask: UInt32, in start: UnsafePointer<UInt32>
) -> UInt32 {
    unsafe holdfast_match_32(start, mask, wanted)
}
