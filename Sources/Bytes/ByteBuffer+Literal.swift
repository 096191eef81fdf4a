// Text known at compile time, appended as constants.

extension ByteBuffer {
    /// Appends `text`, which is to be a literal.
    ///
    /// The label matters: a bare literal takes the overload for `String`, at ten times the cost.
    /// Inlined with its length known, a short literal is a few stores.
    @inlinable @inline(__always)
    package mutating func append(literal text: StaticString) {
        let length = text.utf8CodeUnitCount
        if capacity &- count < length { grow(length) }
        unsafe (base + count).update(from: text.utf8Start, count: length)
        count &+= length
    }
}
