// Reading numbers, words and parts of a span of bytes.

extension Span<UInt8> {
    /// The bytes of `range`.
    @inlinable
    @_lifetime(copy self)
    package func part(_ range: ByteRange) -> Span<UInt8> {
        precondition(range.count >= 0)
        return extracting(range.offset..<range.end)
    }

    /// The bytes from `offset` to the end.
    @inlinable
    @_lifetime(copy self)
    package func from(_ offset: Int) -> Span<UInt8> {
        extracting(offset..<count)
    }

    @inlinable
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var offset = 0
        while offset &+ 8 <= count {
            if word(at: offset) != other.word(at: offset) { return false }
            offset &+= 8
        }
        while offset < count {
            if unsafe self[unchecked: offset] != other[unchecked: offset] { return false }
            offset &+= 1
        }
        return true
    }

    @inlinable @inline(__always)
    package func equals(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && holds(text, at: 0)
    }

    /// Whether the bytes are `text` (given in lower case) without regard to ASCII case.
    @inlinable
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<count {
            var byte = unsafe self[unchecked: offset]
            if byte &- 65 < 26 { byte |= 0x20 }
            if unsafe byte != text.utf8Start[offset] { return false }
        }
        return true
    }

    /// The number whose lowest byte is at `offset`.
    @inlinable
    package func littleEndian<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Value {
        precondition(offset >= 0 && count &- offset >= MemoryLayout<Value>.size)
        return unsafe withUnsafeBytes { bytes in
            Value(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
    }

    /// The eight bytes at `offset` as a little-endian word.
    @inlinable
    package func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= count)
        return unsafe withUnsafeBufferPointer { bytes in
            let raw = unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped)
            return unsafe UInt64(
                littleEndian: raw.loadUnaligned(
                    fromByteOffset: offset, as: UInt64.self))
        }
    }

    /// Up to eight bytes at `offset` as a little-endian word, the missing ones zero.
    @inlinable
    package func partialWord(at offset: Int) -> UInt64 {
        let length = count &- offset
        if length >= 8 { return word(at: offset) }
        precondition(offset >= 0 && length >= 0)
        if count >= 8 {
            // The last eight bytes, shifted: one load in place of a loop.
            return length == 0 ? 0 : word(at: count &- 8) &>> UInt64(8 &* (8 &- length))
        }
        var word: UInt64 = 0
        var index = 0
        while index < length {
            word |= UInt64(unsafe self[unchecked: offset &+ index]) &<< UInt64(8 &* index)
            index &+= 1
        }
        return word
    }

    /// The whole span as a decimal integer: an optional minus, then digits without a leading zero.
    ///
    /// - Returns: nil when it is anything else, or does not fit.
    @inlinable
    package func decimalInteger() -> Int64? {
        var offset = 0
        var isNegative = false
        if count > 0, unsafe self[unchecked: 0] == UInt8(ascii: "-") {
            isNegative = true
            offset = 1
        }
        guard offset < count, count &- offset <= 19 else { return nil }
        if unsafe self[unchecked: offset] == UInt8(ascii: "0"), count &- offset > 1 { return nil }
        var magnitude: UInt64 = 0
        while offset < count {
            let digit = unsafe self[unchecked: offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            magnitude = magnitude &* 10 &+ UInt64(digit)  // At most 19 digits: fits UInt64.
            offset &+= 1
        }
        if isNegative {
            guard magnitude > 0, magnitude <= UInt64(Int64.max) + 1 else { return nil }
            return Int64(truncatingIfNeeded: 0 &- magnitude)
        }
        return Int64(exactly: magnitude)
    }

    /// A copy of the bytes.
    package var array: [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for offset in 0..<count { copy.append(self[offset]) }
        return copy
    }

    /// The bytes as text, invalid UTF-8 repaired. For messages and the calls that are not hot.
    package var text: String {
        unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// Runs `body` over the UTF-8 bytes of `text`.
@inlinable
package func withUTF8<Result: ~Copyable, E: Error>(
    _ text: String, _ body: (Span<UInt8>) throws(E) -> Result
) throws(E) -> Result {
    try body(text.utf8.span)
}
