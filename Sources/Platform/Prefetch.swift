public import CLinux

/// Asks for the cache line at `address`, for reading; returns at once.
///
/// A hint: any address is safe, mapped or not.
@inlinable @inline(always)
public func prefetch(_ address: UnsafeRawPointer) {
    unsafe holdfast_prefetch(address)
}

/// Asks for the cache line at `address`, for writing; returns at once.
@inlinable @inline(always)
public func prefetchForWriting(_ address: UnsafeRawPointer) {
    unsafe holdfast_prefetch_write(address)
}
