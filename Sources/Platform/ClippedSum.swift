// Sums over 32-bit integers with the widest vectors that the processor has.

internal import CLinux

/// Sum and maximum of max(0, value) over `count` values from `start` on.
///
/// The loads are plain: see the caller for why values that change meanwhile do no harm.
///
/// - Complexity: O(count), 32 bytes an instruction where there is AVX2 or NEON.
package func clippedSum(
    _ start: UnsafePointer<Int32>, _ count: Int
) -> (total: Int64, largest: Int32) {
    let sum = unsafe holdfast_sum_clipped(start, count)
    return (sum.total, sum.largest)
}
