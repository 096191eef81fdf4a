// Numbers of a fixed count of bits, one behind the other, the lowest bit first.

import Bytes

extension ByteBuffer {
    /// Appends `numbers`, each in `width` bits, padded with zeros to whole bytes.
    ///
    /// - Precondition: `width` is in `0 ... 64`, and every number fits.
    mutating func append<Number: FixedWidthInteger & UnsignedInteger>(
        packed numbers: Span<Number>, width: Int
    ) {
        reserve((numbers.count * width + 7) / 8 + 8)
        var word: UInt64 = 0
        var filled = 0
        for index in numbers.indices {
            let number = UInt64(truncatingIfNeeded: unsafe numbers[unchecked: index])
            word |= number &<< UInt64(filled)
            filled &+= width
            if filled >= 64 {
                append(word: word, byteCount: 8)
                filled &-= 64
                word = filled == 0 ? 0 : number &>> UInt64(width &- filled)
            }
        }
        append(word: word, byteCount: (filled + 7) / 8)
    }
}

/// The lowest `width` bits set; `width` is in `0 ... 64`.
func lowBits(_ width: Int) -> UInt64 { width == 64 ? .max : 1 << UInt64(width) - 1 }

/// Bytes that must be readable behind the last packed number, as whole words are read.
let packingSlackByteCount = 8

/// The number in the bits of `mask` from bit `position` on.
///
/// - Precondition: The number lies in `bytes`, and `packingSlackByteCount` bytes behind it.
@inline(__always)
func unpacked(_ bytes: Span<UInt8>, at position: Int, mask: UInt64) -> UInt64 {
    // Bits above the 57th may lie in a ninth byte.
    assert(mask <= lowBits(57))
    return unsafe bytes.word(unchecked: position &>> 3) &>> UInt64(position & 7) & mask
}

/// The same for numbers of any width up to 64.
@inline(__always)
func unpackedWide(_ bytes: Span<UInt8>, at position: Int, mask: UInt64) -> UInt64 {
    let shift = UInt64(position & 7)
    let low = unsafe bytes.word(unchecked: position &>> 3) &>> shift
    let high = shift == 0 ? 0 : UInt64(bytes[position &>> 3 &+ 8]) &<< (64 &- shift)
    return (low | high) & mask
}
