// Looking for a value among a few with vectors.

public import CLinux

/// Where `wanted` is among `count` values from `start` on, for the first time; nil where it is not.
///
/// - Precondition: `placeCountMin` to `placeCountMax` values.
/// - Complexity: At most 40 instructions, none of them a branch on what is found.
@inlinable @inline(always)
package func place(
    of wanted: UInt16, in start: UnsafePointer<UInt16>, _ count: Int
) -> Int? {
    let places = unsafe holdfast_match_16(start, count, wanted)
    return places == 0 ? nil : places.trailingZeroBitCount
}

/// The fewest values that `place` looks among.
@inlinable package var placeCountMin: Int { 8 }

/// The most values that `place` looks among.
@inlinable package var placeCountMax: Int { 64 }

/// Which of 16 values from `start` on, which is aligned to 64 bytes, are `wanted` in the bits of `mask`.
///
/// - Returns: Bit i for value i.
@inlinable @inline(always)
package func matches(
    of wanted: UInt32, under mask: UInt32, in start: UnsafePointer<UInt32>
) -> UInt32 {
    unsafe holdfast_match_32(start, mask, wanted)
}
