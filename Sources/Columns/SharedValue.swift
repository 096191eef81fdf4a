// Plain values that one thread writes while others read: relaxed, acquiring and releasing access.
//
// On x86-64 and arm64 these are the ordinary loads and stores, in program order for the compiler;
// ThreadSanitizer sees them as what they are. The standard library's atomics have no generic form
// over the width, hence one conformance a width.

public import Synchronization

/// A value that is read and written in one piece by the processor.
@usableFromInline
package protocol SharedValue: BitwiseCopyable {
    static func loadRelaxed(_ place: UnsafeMutablePointer<Self>) -> Self
    static func loadAcquiring(_ place: UnsafeMutablePointer<Self>) -> Self
    static func storeRelaxed(_ value: Self, _ place: UnsafeMutablePointer<Self>)
    static func storeReleasing(_ value: Self, _ place: UnsafeMutablePointer<Self>)
}

extension UInt16: SharedValue {
    @inlinable @inline(always)
    package static func loadRelaxed(_ place: UnsafeMutablePointer<UInt16>) -> UInt16 {
        unsafe asAtomic(place).pointee.load(ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func loadAcquiring(_ place: UnsafeMutablePointer<UInt16>) -> UInt16 {
        unsafe asAtomic(place).pointee.load(ordering: .acquiring)
    }

    @inlinable @inline(always)
    package static func storeRelaxed(_ value: UInt16, _ place: UnsafeMutablePointer<UInt16>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func storeReleasing(_ value: UInt16, _ place: UnsafeMutablePointer<UInt16>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .releasing)
    }
}

extension Int32: SharedValue {
    @inlinable @inline(always)
    package static func loadRelaxed(_ place: UnsafeMutablePointer<Int32>) -> Int32 {
        unsafe asAtomic(place).pointee.load(ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func loadAcquiring(_ place: UnsafeMutablePointer<Int32>) -> Int32 {
        unsafe asAtomic(place).pointee.load(ordering: .acquiring)
    }

    @inlinable @inline(always)
    package static func storeRelaxed(_ value: Int32, _ place: UnsafeMutablePointer<Int32>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func storeReleasing(_ value: Int32, _ place: UnsafeMutablePointer<Int32>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .releasing)
    }
}

extension UInt32: SharedValue {
    @inlinable @inline(always)
    package static func loadRelaxed(_ place: UnsafeMutablePointer<UInt32>) -> UInt32 {
        unsafe asAtomic(place).pointee.load(ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func loadAcquiring(_ place: UnsafeMutablePointer<UInt32>) -> UInt32 {
        unsafe asAtomic(place).pointee.load(ordering: .acquiring)
    }

    @inlinable @inline(always)
    package static func storeRelaxed(_ value: UInt32, _ place: UnsafeMutablePointer<UInt32>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func storeReleasing(_ value: UInt32, _ place: UnsafeMutablePointer<UInt32>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .releasing)
    }
}

extension UInt64: SharedValue {
    @inlinable @inline(always)
    package static func loadRelaxed(_ place: UnsafeMutablePointer<UInt64>) -> UInt64 {
        unsafe asAtomic(place).pointee.load(ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func loadAcquiring(_ place: UnsafeMutablePointer<UInt64>) -> UInt64 {
        unsafe asAtomic(place).pointee.load(ordering: .acquiring)
    }

    @inlinable @inline(always)
    package static func storeRelaxed(_ value: UInt64, _ place: UnsafeMutablePointer<UInt64>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .relaxed)
    }

    @inlinable @inline(always)
    package static func storeReleasing(_ value: UInt64, _ place: UnsafeMutablePointer<UInt64>) {
        unsafe asAtomic(place).pointee.store(value, ordering: .releasing)
    }
}

/// The value as an atomic: same size, same place.
@inlinable @inline(always)
func asAtomic<Value: AtomicRepresentable>(
    _ place: UnsafeMutablePointer<Value>
) -> UnsafeMutablePointer<Atomic<Value>> {
    unsafe UnsafeMutableRawPointer(place).assumingMemoryBound(to: Atomic<Value>.self)
}
