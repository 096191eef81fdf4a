// How long calls took: a log-linear histogram, written by one thread and read by any.
//
// A value of nanoseconds falls into one of 16 equal steps within its power of two, so a bucket's
// width is at most 1/16 of its values. Values below 16 have a bucket each; values from 2³⁷ (137 s)
// share the last one:
//
//     value < 16           bucket = value
//     2ᵉ ≤ value < 2ᵉ⁺¹    bucket = (e − 3) · 16 + (value >> (e − 4)) − 16

internal import Synchronization

/// Counts of values by magnitude: a copy that can be added to others and asked for quantiles.
package struct LatencyHistogram: Sendable, Equatable {
    /// Buckets of every histogram: 16 for small values and 16 for each power of two from 2⁴ to 2³⁶.
    @usableFromInline package static let bucketCount = 16 + (37 - 4) * 16

    package var counts: [UInt64]

    /// The sum of all values, in nanoseconds.
    package var sum: UInt64

    package init() {
        counts = Array(repeating: 0, count: Self.bucketCount)
        sum = 0
    }

    /// How many values were recorded.
    package var count: UInt64 { counts.reduce(0, +) }

    /// The bucket that `nanoseconds` falls into.
    @inlinable
    package static func bucket(of nanoseconds: UInt64) -> Int {
        if nanoseconds < 16 { return Int(nanoseconds) }
        let exponent = 63 &- nanoseconds.leadingZeroBitCount
        let step = Int(truncatingIfNeeded: nanoseconds &>> UInt64(exponent &- 4))
        return min(bucketCount &- 1, (exponent &- 3) &* 16 &+ step &- 16)
    }

    /// The smallest value of the bucket behind `bucket`: what all of its values are below.
    package static func upperBound(ofBucket bucket: Int) -> UInt64 {
        let next = bucket + 1
        if next < 16 { return UInt64(next) }
        return UInt64(16 + next % 16) << UInt64(next / 16 - 1)
    }

    /// The value that `share` (0 ... 1) of all values do not exceed, rounded up to its bucket's
    /// end; 0 when there are none.
    package func quantile(_ share: Double) -> UInt64 {
        let total = count
        if total == 0 { return 0 }
        let wanted = max(1, UInt64((Double(total) * share).rounded(.up)))
        var seen: UInt64 = 0
        for bucket in counts.indices {
            seen += counts[bucket]
            if seen >= wanted { return Self.upperBound(ofBucket: bucket) }
        }
        return Self.upperBound(ofBucket: Self.bucketCount - 1)
    }

    package mutating func add(_ other: LatencyHistogram) {
        for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
        sum &+= other.sum
    }

    package mutating func record(_ nanoseconds: UInt64) {
        counts[Self.bucket(of: nanoseconds)] += 1
        sum &+= nanoseconds
    }
}

/// One histogram per route, written by one thread.
///
/// - Invariant: `words` points at `routeCount * wordsPerRoute` atomics; of each route's, the last
///   is the sum.
@safe
package struct LatencyRecorder: ~Copyable, @unchecked Sendable {
    // Safe to share: atomics behind a pointer that never changes; `record` is its owner's alone.
    private static var wordsPerRoute: Int { LatencyHistogram.bucketCount + 1 }

    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    package let routeCount: Int

    package init(routeCount: Int) {
        precondition(routeCount > 0)
        self.routeCount = routeCount
        let count = routeCount * Self.wordsPerRoute
        unsafe words = .allocate(capacity: count)
        for index in 0..<count { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe words.deinitialize(count: routeCount * Self.wordsPerRoute)
        unsafe words.deallocate()
    }

    /// Counts calls that took equally long; the owner's thread alone. Routes that do not exist
    /// count as route 0.
    func record(_ nanoseconds: UInt64, route: Int, times: UInt64) {
        let row = (route < routeCount ? route : 0) &* Self.wordsPerRoute
        add(times, at: row &+ LatencyHistogram.bucket(of: nanoseconds))
        add(nanoseconds &* times, at: row &+ LatencyHistogram.bucketCount)
    }

    private func add(_ value: UInt64, at index: Int) {
        // Relaxed load and store in place of a locked addition: there is one writer, and readers
        // take each word for itself.
        let word = unsafe words[index].load(ordering: .relaxed)
        unsafe words[index].store(word &+ value, ordering: .relaxed)
    }

    /// The histogram of a route as it is now; any thread.
    package func histogram(route: Int) -> LatencyHistogram {
        precondition(route >= 0 && route < routeCount)
        var histogram = LatencyHistogram()
        let row = route * Self.wordsPerRoute
        for bucket in 0..<LatencyHistogram.bucketCount {
            histogram.counts[bucket] = unsafe words[row + bucket].load(ordering: .relaxed)
        }
        histogram.sum = unsafe words[row + LatencyHistogram.bucketCount].load(ordering: .relaxed)
        return histogram
    }
}
