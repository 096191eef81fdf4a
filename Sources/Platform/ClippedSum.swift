// Sums over 32-bit integers with the widest vectors that the processor has.

internal import CLinux

/// Sum and maximum of max(0, value) over `count` values from `start` on.
///
/// The loads are plain: see the caller for why values that change meanwhile do no harm.
///
/// - Complexity: O(count); nine instructions per 64 bytes where there is AVX2.
package func clippedSum(
    _ start: UnsafePointer<Int32>, _ count: Int
) -> (total: Int64, largest: Int32) {
    let sum = unsafe holdfast_sum_clipped(start, count)
    return (sum.total, sum.largest)
}

/// The same as on a processor that has vectors of 16 bytes only; so that any can test it.
package func clippedSumInNarrowVectors(
    _ start: UnsafePointer<Int32>, _ count: Int
) -> (total: Int64, largest: Int32) {
    let sum = unsafe holdfast_sum_16(start, count)
    return (sum.total, sum.largest)
}
