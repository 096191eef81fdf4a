// A keyed hash for names: chosen SKU names cannot flood a bucket.
//
// The mixing step is NH of UMAC (Black, Halevi, Krawczyk, Krovetz, Rogaway, 1999) over 64-bit
// words: each pair of words has a pair of secret words added and is multiplied to 128 bits; the
// products are summed. For a secret drawn at random two different inputs of one length collide
// with a probability of 2⁻⁶⁴, whatever the inputs are, and the length is hashed with them. A second
// keyed multiplication folds the sum to the 64 bits that tables use. One multiplication per
// 16 bytes.

public import Bytes

/// The secret of one data set, and the hashes under it.
///
/// Immutable, so any thread may use it.
@safe @usableFromInline
package final class KeyedHash: @unchecked Sendable {
    /// Words of secret: two per 16 bytes of input, and four for the folding.
    @usableFromInline package static let wordCount = 4 + 2 * 32

    /// The longest input, in bytes.
    @usableFromInline package static let byteCountMax = 16 * 32

    // Written in `init` only.
    @usableFromInline let secret: UnsafeMutablePointer<UInt64>

    /// Draws the secret from `generator`.
    package init(using generator: inout some RandomNumberGenerator) {
        unsafe secret = .allocate(capacity: Self.wordCount)
        for index in 0..<Self.wordCount {
            unsafe (secret + index).initialize(to: generator.next())
        }
    }

    /// The hashes under a secret that was drawn before.
    ///
    /// - Precondition: `words` are `wordCount`.
    package init(words: [UInt64]) {
        precondition(words.count == Self.wordCount)
        unsafe secret = .allocate(capacity: Self.wordCount)
        for index in 0..<Self.wordCount { unsafe (secret + index).initialize(to: words[index]) }
    }

    /// The secret, for a file that only its owner may read.
    package var words: [UInt64] { (0..<Self.wordCount).map { unsafe secret[$0] } }

    deinit { unsafe secret.deallocate() }

    /// Both halves of the hash of `bytes`: 128 bits, of which tables use the first.
    ///
    /// - Precondition: At most `byteCountMax` bytes.
    @inlinable
    package func hash128(_ bytes: Span<UInt8>) -> (UInt64, UInt64) {
        precondition(bytes.count <= Self.byteCountMax)
        var low: UInt64 = 0
        var high: UInt64 = 0
        var offset = 0
        var key = 4
        while offset < bytes.count {
            let first = bytes.partialWord(at: offset)
            let second = offset &+ 8 < bytes.count ? bytes.partialWord(at: offset &+ 8) : 0
            let product = unsafe (first &+ secret[key]).multipliedFullWidth(
                by: second &+ secret[key &+ 1])
            let (sum, carry) = low.addingReportingOverflow(product.low)
            low = sum
            high = high &+ product.high &+ (carry ? 1 : 0)
            offset &+= 16
            key &+= 2
        }
        return fold(low, high, byteCount: bytes.count)
    }

    /// The hash of a name of at most 15 bytes, given as two little-endian words.
    @inlinable @inline(always)
    package func hash(first: UInt64, second: UInt64, byteCount: Int) -> UInt64 {
        let product = unsafe (first &+ secret[4]).multipliedFullWidth(by: second &+ secret[5])
        return fold(product.low, product.high, byteCount: byteCount).0
    }

    /// The two words of a name of 1 to 15 bytes, zeros behind its end.
    ///
    /// Loads that overlap stand in for a loop over the bytes.
    @inlinable @inline(always)
    static func words(_ name: Span<UInt8>) -> (UInt64, UInt64) {
        let count = name.count
        precondition(count >= 1 && count <= 15)
        return unsafe name.withUnsafeBufferPointer { bytes in
            let raw = unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
            if count >= 8 {
                let first = unsafe raw.loadUnaligned(as: UInt64.self).littleEndian
                let last = unsafe raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
                // In two steps, because a shift by 64 would be a shift by 0.
                let unused = UInt64(truncatingIfNeeded: 8 &* (15 &- count))
                return (first, (last.littleEndian &>> unused) &>> 8)
            }
            if count >= 4 {
                let first = unsafe raw.loadUnaligned(as: UInt32.self).littleEndian
                let last = unsafe raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
                let shift = UInt64(truncatingIfNeeded: 8 &* (count &- 4))
                return (UInt64(first) | UInt64(last.littleEndian) &<< shift, 0)
            }
            let middle = count &>> 1
            let last = count &- 1
            return unsafe (
                UInt64(bytes[0])
                    | UInt64(bytes[middle]) &<< UInt64(truncatingIfNeeded: 8 &* middle)
                    | UInt64(bytes[last]) &<< UInt64(truncatingIfNeeded: 8 &* last), 0
            )
        }
    }

    /// The two words of a name of 1 to 15 bytes inside a text; nil for one that is longer, or so
    /// near to the start of the text that the eight bytes before its end are not all there.
    @inlinable @inline(always)
    static func words(_ text: Span<UInt8>, _ name: ByteRange) -> (UInt64, UInt64)? {
        let end = name.offset &+ name.count
        guard name.count >= 1, name.count <= 15, name.offset >= 0, end >= 8, end <= text.count
        else { return nil }
        return unsafe text.withUnsafeBufferPointer { bytes in
            let raw = unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
            // Ends with the name; what is before it, or was read with the first word, goes out.
            let last = unsafe raw.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self)
            let rest = last.littleEndian &>> UInt64(truncatingIfNeeded: 0 &- 8 &* name.count)
            if name.count <= 8 { return (rest, 0) }
            let first = unsafe raw.loadUnaligned(fromByteOffset: name.offset, as: UInt64.self)
            return (first.littleEndian, rest)
        }
    }

    @inlinable @inline(always)
    func fold(_ low: UInt64, _ high: UInt64, byteCount: Int) -> (UInt64, UInt64) {
        let one = unsafe (low ^ secret[0]).multipliedFullWidth(
            by: (high ^ secret[1]) &+ UInt64(truncatingIfNeeded: byteCount))
        let two = unsafe (one.low ^ secret[2]).multipliedFullWidth(by: one.high ^ secret[3])
        return (two.low ^ two.high, two.low &+ one.high)
    }
}
