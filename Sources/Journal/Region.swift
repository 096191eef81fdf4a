// Bytes at a fixed place: what is gathered, written, read back and checked.

package import Platform

/// Page-aligned bytes with one owner; they read as zero at first.
///
/// Its methods change bytes without being `mutating`: the region is handed to a file system to be
/// filled, and the owner is the only one who writes meanwhile.
///
/// - Invariant: `base` points at `byteCount` usable bytes.
@safe
package struct Region: ~Copyable {
    private let memory: PageMemory
    let base: UnsafeMutableRawPointer
    package let byteCount: Int

    /// - Parameter byteCount: At least 1.
    package init(byteCount: Int) throws(SystemError) {
        var memory = try PageMemory(reserving: byteCount)
        try memory.commit(byteCount)
        unsafe base = memory.base
        self.memory = memory
        self.byteCount = byteCount
    }

    /// The address of `range`, which must lie within.
    func address(_ offset: Int, _ count: Int) -> UnsafeMutableRawPointer {
        precondition(offset >= 0 && count >= 0 && count <= byteCount &- offset)
        return unsafe base + offset
    }

    func word(at offset: Int) -> UInt64 {
        unsafe UInt64(littleEndian: address(offset, 8).loadUnaligned(as: UInt64.self))
    }

    func setWord(_ word: UInt64, at offset: Int) {
        unsafe address(offset, 8).storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    func clear(_ range: Range<Int>) {
        _ = unsafe address(range.lowerBound, range.count).initializeMemory(
            as: UInt8.self, repeating: 0, count: range.count)
    }

    /// The first byte of `range` that is not zero, rounded down to 8 from where the range begins.
    ///
    /// - Precondition: `range` is a multiple of 8 long.
    /// - Complexity: O(bytes that are zero).
    func firstSet(in range: Range<Int>) -> Int? {
        let start = unsafe address(range.lowerBound, range.count)
        var offset = 0
        while offset < range.count {
            if unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != 0 {
                return range.lowerBound + offset
            }
            offset &+= 8
        }
        return nil
    }

    /// The end of the last 8 bytes of `range` that are not all zero.
    func lastSet(in range: Range<Int>) -> Int? {
        let start = unsafe address(range.lowerBound, range.count)
        var offset = range.count
        while offset > 0 {
            offset &-= 8
            if unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != 0 {
                return range.lowerBound + offset + 8
            }
        }
        return nil
    }

    /// Lends the bytes of `range`.
    func withSpan<Result, Failure: Error>(
        _ range: Range<Int>, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let start = unsafe UnsafePointer(
            address(range.lowerBound, range.count).assumingMemoryBound(to: UInt8.self))
        return unsafe try body(Span(_unsafeStart: start, count: range.count))
    }
}

/// A region that can be passed on and kept.
package final class SharedRegion {
    let region: Region

    package init(byteCount: Int) throws(SystemError) { region = try Region(byteCount: byteCount) }
}
