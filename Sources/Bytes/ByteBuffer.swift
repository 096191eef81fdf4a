// Growable bytes: what a decoder reads from and an encoder writes to.
//
// One owner, no reference counting. Growth doubles, so an encoder that reserved enough at the
// start of an item appends without a branch to the allocator.

/// A growable array of bytes with one owner.
///
/// - Invariant: `base` points at `capacity` bytes, of which the first `count` are initialised.
@safe @usableFromInline
package struct ByteBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>

    /// Bytes held.
    @usableFromInline package var count: Int

    /// Bytes that fit before the next growth.
    @usableFromInline package var capacity: Int

    @inlinable
    package init(capacity: Int = 0) {
        precondition(capacity >= 0)
        unsafe base = .allocate(capacity: capacity)
        count = 0
        self.capacity = capacity
    }

    /// A copy of `bytes`.
    @inlinable
    package init(copying bytes: Span<UInt8>) {
        self.init(capacity: bytes.count)
        append(bytes)
    }

    deinit { unsafe base.deallocate() }

    @inlinable
    package var isEmpty: Bool { count == 0 }

    /// The bytes held.
    @inlinable
    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    @inlinable
    package subscript(offset: Int) -> UInt8 {
        get {
            precondition(offset >= 0 && offset < count)
            return unsafe base[offset]
        }
        set {
            precondition(offset >= 0 && offset < count)
            unsafe base[offset] = newValue
        }
    }

    /// Makes room for `additional` more bytes.
    @inlinable
    package mutating func reserve(_ additional: Int) {
        if capacity &- count < additional { grow(additional) }
    }

    @usableFromInline
    package mutating func grow(_ additional: Int) {
        precondition(additional >= 0)
        let grown = max(64, max(capacity * 2, count + additional))
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
        unsafe moved.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity = grown
    }

    @inlinable
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[count] = byte
        count &+= 1
    }

    @inlinable
    package mutating func append(_ bytes: Span<UInt8>) {
        reserve(bytes.count)
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + count).update(from: start, count: source.count)
        }
        count &+= bytes.count
    }

    /// Appends a number, its lowest byte first.
    @inlinable
    package mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(
        littleEndian value: Value
    ) {
        let byteCount = MemoryLayout<Value>.size
        reserve(byteCount)
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(
            of: value.littleEndian, as: Value.self)
        count &+= byteCount
    }

    /// Appends all that another buffer holds.
    @inlinable
    package mutating func append(contentsOf other: borrowing ByteBuffer) { append(other.span) }

    /// Appends ASCII or UTF-8 text known at compile time.
    @inlinable
    package mutating func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        reserve(length)
        unsafe (base + count).update(from: text.utf8Start, count: length)
        count &+= length
    }

    /// Appends `text` in UTF-8. For the calls that are not hot; a literal takes the overload above.
    @_disfavoredOverload
    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            append(unsafe Span(_unsafeElements: bytes))
        }
    }

    /// Appends `value` in decimal.
    @inlinable @inline(__always)
    package mutating func append(decimal value: Int64) {
        // Most numbers in answers have one digit or two.
        if UInt64(bitPattern: value) < 100, capacity &- count >= 2 {
            let number = UInt8(truncatingIfNeeded: value)
            let tens = number / 10
            unsafe base[count] = UInt8(ascii: "0") &+ tens
            if tens != 0 { count &+= 1 }
            unsafe base[count] = UInt8(ascii: "0") &+ (number &- tens &* 10)
            count &+= 1
        } else {
            appendDigits(of: value)
        }
    }

    @usableFromInline
    mutating func appendDigits(of value: Int64) {
        reserve(20)
        var magnitude = value.magnitude
        if value < 0 {
            unsafe base[count] = UInt8(ascii: "-")
            count &+= 1
        }
        var offset = count &+ decimalDigitCount(magnitude)
        count = offset
        while magnitude >= 100 {
            let (quotient, pair) = magnitude.quotientAndRemainder(dividingBy: 100)
            offset &-= 2
            unsafe write(pair: pair, at: offset)
            magnitude = quotient
        }
        if magnitude >= 10 {
            unsafe write(pair: magnitude, at: offset &- 2)
        } else {
            unsafe base[offset &- 1] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude)
        }
    }

    /// Writes two digits, for which there is room.
    @unsafe @inline(__always)
    private mutating func write(pair: UInt64, at offset: Int) {
        let tens = (pair &* 103) &>> 10  // Exact below 179.
        let digits = tens | (pair &- tens &* 10) &<< 8 | 0x3030
        unsafe UnsafeMutableRawPointer(base + offset).storeBytes(
            of: UInt16(truncatingIfNeeded: digits).littleEndian, as: UInt16.self)
    }

    @inlinable
    package mutating func append(decimal value: Int) { append(decimal: Int64(value)) }

    @inlinable
    package mutating func append(decimal value: Int32) { append(decimal: Int64(value)) }

    /// Forgets everything held; keeps the memory.
    @inlinable
    package mutating func removeAll() { count = 0 }

    /// Forgets the last `length` bytes.
    @inlinable
    package mutating func removeLast(_ length: Int) {
        precondition(length >= 0 && length <= count)
        count &-= length
    }

    /// Forgets the first `length` bytes and moves the rest to the front.
    ///
    /// - Complexity: O(bytes that remain).
    package mutating func removeFirst(_ length: Int) {
        precondition(length >= 0 && length <= count)
        if length == 0 { return }
        unsafe base.update(from: base + length, count: count - length)
        count -= length
    }

    /// Gives the memory back.
    package mutating func releaseMemory() {
        unsafe base.deallocate()
        unsafe base = .allocate(capacity: 0)
        count = 0
        capacity = 0
    }

    /// Lets `fill` write into room for `additional` bytes behind what is held and say how many it
    /// wrote: how a file or a socket is read.
    package mutating func fill<E: Error>(
        _ additional: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) -> Int {
        reserve(additional)
        let written = unsafe try fill(
            UnsafeMutableRawBufferPointer(start: base + count, count: additional))
        precondition(written >= 0 && written <= additional)
        count += written
        return written
    }
}

/// A part of a buffer: `offset ..< offset + count`.
///
/// Decoders answer with ranges instead of copies; they stay valid as long as the buffer's bytes do.
@usableFromInline
package struct ByteRange: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var offset: Int
    @usableFromInline package var count: Int

    @inlinable
    package init(offset: Int, count: Int) {
        self.offset = offset
        self.count = count
    }

    @inlinable
    package init(from start: Int, to end: Int) {
        self.init(offset: start, count: end - start)
    }

    @inlinable package var isEmpty: Bool { count == 0 }
    @inlinable package var end: Int { offset &+ count }

    @inlinable package static var none: ByteRange { ByteRange(offset: 0, count: 0) }
}

/// How many decimal digits `value` has; 1 for zero.
@inlinable
package func decimalDigitCount(_ value: UInt64) -> Int {
    if value < 10 { return 1 }
    if value < 100 { return 2 }
    if value < 1000 { return 3 }
    if value < 10_000 { return 4 }
    var digits = 4
    var rest = value / 10_000
    while rest != 0 {
        digits &+= 1
        rest /= 10
    }
    return digits
}
