// Address space that columns live in: reserved once at full size, given memory page by page.
//
// Reserving costs nothing but addresses, so a column never moves while it grows: readers on other
// threads keep one base address for the life of the process, and there is no table of pages to
// chase on a read. Ranges beyond a few megabytes ask for huge pages (transparent, 2 MiB): random
// reads over gigabytes then miss the TLB a few hundred times less often.

internal import Glibc
internal import Synchronization

/// A reserved range of addresses with one owner; the first `committedByteCount` bytes are usable.
///
/// Fresh memory reads as zero. The range is unmapped with its owner.
@safe @usableFromInline
package struct PageMemory: ~Copyable {
    /// The granularity of huge pages, and of commits once a range is large.
    package static let hugePageByteCount = 2 << 20

    /// Below this a range stays on ordinary pages, so that many small columns cost little.
    package static let hugePageThreshold = 4 << 20

    @usableFromInline package let base: UnsafeMutableRawPointer
    package let reservedByteCount: Int

    /// Committed bytes from which this range has huge pages.
    private let threshold: Int

    // An atomic, so that metrics may read it from any thread. It also keeps this struct, and all
    // that hold one, in its place in memory: the compiler lends a struct of plain fields to a
    // function as a copy of all its bytes, and a shard has hundreds.
    private let committed = Atomic<Int>(0)

    /// The granularity of commits while a range is small.
    private static let smallStepByteCount = 64 << 10

    /// Reserves `byteCount` bytes of addresses, rounded up to huge pages, or to 64 KiB where they are
    /// fewer than a huge page has.
    ///
    /// - Parameter threshold: Committed bytes from which the range has huge pages: one at least.
    /// - Throws: The error of `mmap`, when the address space or a limit on it is used up.
    package init(
        reserving byteCount: Int, hugePagesFrom threshold: Int = hugePageThreshold
    ) throws(SystemError) {
        precondition(byteCount > 0 && threshold >= Self.hugePageByteCount)
        self.threshold = threshold
        guard byteCount >= Self.hugePageByteCount else {
            let small = Self.smallStepByteCount
            reservedByteCount = (byteCount + small - 1) & ~(small - 1)
            unsafe base = try Self.map(reservedByteCount)
            return
        }
        let huge = Self.hugePageByteCount
        reservedByteCount = (byteCount + huge - 1) & ~(huge - 1)
        // One huge page more, so that the base can be aligned to one.
        let mapped = unsafe try Self.map(reservedByteCount + huge)
        let start = UInt(bitPattern: mapped)
        let aligned = (start + UInt(huge) - 1) & ~UInt(huge - 1)
        let before = Int(aligned - start)
        if before > 0 { unsafe munmap(mapped, before) }
        unsafe base = mapped + before
        unsafe munmap(base + reservedByteCount, huge - before)
    }

    private static func map(_ byteCount: Int) throws(SystemError) -> UnsafeMutableRawPointer {
        let mapped = unsafe mmap(
            nil, byteCount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw SystemError.last("reserve memory")
        }
        return unsafe mapped
    }

    deinit { unsafe munmap(base, reservedByteCount) }

    /// Bytes that are usable, from the start. Relaxed: a count, not a message.
    package private(set) var committedByteCount: Int {
        get { committed.load(ordering: .relaxed) }
        nonmutating set { committed.store(newValue, ordering: .relaxed) }
    }

    /// Makes at least the first `byteCount` bytes usable.
    ///
    /// Grows by an eighth at a time, so that a range that grows to n bytes makes O(log n) calls.
    ///
    /// - Precondition: `byteCount` is within what was reserved.
    /// - Throws: The error of `mprotect`, when there is no memory to be had.
    package mutating func commit(_ byteCount: Int) throws(SystemError) {
        guard byteCount > committedByteCount else { return }
        precondition(byteCount <= reservedByteCount)
        let ahead = max(byteCount, committedByteCount + committedByteCount / 8)
        let isLarge = ahead >= threshold
        let step = isLarge ? Self.hugePageByteCount : Self.smallStepByteCount
        let target = min(reservedByteCount, (ahead + step - 1) & ~(step - 1))
        let start = unsafe base + committedByteCount
        guard unsafe mprotect(start, target - committedByteCount, PROT_READ | PROT_WRITE) == 0
        else { throw SystemError.last("commit memory") }
        adviseHugePages(upTo: target)
        committedByteCount = target
    }

    /// Asks for huge pages up to `target`, which is about to be the end of what is usable.
    ///
    /// Advice only: without huge pages everything works, a little slower.
    private func adviseHugePages(upTo target: Int) {
        let mask = ~(Self.hugePageByteCount - 1)
        let from = committedByteCount & mask
        if target >= threshold {
            _ = unsafe madvise(base + from, target - from, MADV_HUGEPAGE)
        }
        // A huge page that began on ordinary ones is whole now, and mostly in use: have it made
        // one, by a copy. Linux 6.1; older ones refuse.
        let end = min(target, threshold) & mask
        if from < end, committedByteCount > 0 {
            _ = unsafe madvise(base + from, end - from, Self.collapseAdvice)
        }
    }

    /// MADV_COLLAPSE of the kernel's mman-common.h.
    private static let collapseAdvice: Int32 = 25
}
