// A growable array of plain values with one owner: no reference counting, no exclusivity checks,
// memory kept from use to use.

/// A growable array of plain values.
///
/// - Invariant: `base` points at `capacity` places, of which the first `count` are initialised.
@safe @usableFromInline
package struct Buffer<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<Element>
    @usableFromInline package var count: Int
    @usableFromInline var capacity: Int

    @inlinable
    package init(capacity: Int = 0) {
        unsafe base = .allocate(capacity: capacity)
        count = 0
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    @inlinable package var isEmpty: Bool { count == 0 }
    @inlinable package var indices: Range<Int> { 0..<count }

    /// An element, in its place: an element of many bytes is not copied to read one field of it.
    @inlinable
    package subscript(index: Int) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(index >= 0 && index < count)
            return unsafe UnsafePointer(base + index)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(index >= 0 && index < count)
            return unsafe base + index
        }
    }

    @inlinable
    package mutating func append(_ element: Element) {
        if count == capacity { grow(1) }
        unsafe (base + count).initialize(to: element)
        count &+= 1
    }

    /// Appends `additional` copies of `element`.
    @inlinable
    package mutating func append(repeating element: Element, count additional: Int) {
        if capacity &- count < additional { grow(additional) }
        unsafe (base + count).initialize(repeating: element, count: additional)
        count &+= additional
    }

    /// Apart from the appends, which are everywhere and seldom come here.
    @inlinable @inline(never)
    mutating func grow(_ additional: Int) {
        let grown = max(16, max(capacity * 2, count + additional))
        let moved = UnsafeMutablePointer<Element>.allocate(capacity: grown)
        unsafe moved.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity = grown
    }

    /// Forgets the elements; keeps the memory.
    @inlinable
    package mutating func removeAll() { count = 0 }

    /// Forgets the last `length` elements.
    @inlinable
    package mutating func removeLast(_ length: Int) {
        precondition(length >= 0 && length <= count)
        count &-= length
    }

    @inlinable
    package mutating func popLast() -> Element? {
        if count == 0 { return nil }
        count &-= 1
        return unsafe base[count]
    }

    @inlinable
    package var span: Span<Element> {
        @_lifetime(borrow self)
        get {
            let span = unsafe Span(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The elements held, to be written: without a check for room at each.
    @inlinable
    package var mutableSpan: MutableSpan<Element> {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableSpan(_unsafeStart: base, count: count)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }
}
