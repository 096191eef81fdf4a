// The simplest things that could work: one column of integers, summed from front to back or
// gathered from at random. What the store does is compared with these, in the same run.

import Columns
import Platform

/// Integers in huge-page memory.
///
/// - Invariant: `base` points at `count` written integers.
@safe
struct IntegerColumn: ~Copyable {
    private let memory: PageMemory
    private let base: UnsafeMutablePointer<Int32>
    let count: Int

    /// Integers in `0 ..< 1000`, by place.
    init(count: Int) throws(SystemError) {
        precondition(count % Self.countMultiple == 0)
        let byteCount = count * MemoryLayout<Int32>.stride
        var memory = try PageMemory(reserving: byteCount)
        try memory.commit(byteCount)
        unsafe base = memory.base.bindMemory(to: Int32.self, capacity: count)
        self.memory = memory
        self.count = count
        for place in 0..<count { unsafe base[place] = Self.value(place) }
    }

    /// Sums go by blocks of this many.
    static let countMultiple = 4096

    static func value(_ place: Int) -> Int32 { Int32(truncatingIfNeeded: place & 0x3FF) }

    /// The sum, by arithmetic.
    var expectedSum: UInt64 {
        let whole = UInt64(count / 1024) * 523_776
        let rest = UInt64(count % 1024)
        return whole + rest * (rest &- 1) / 2
    }

    // MARK: - Sums

    /// Sums with four vectors of 16 lanes at a time, wrapping; the values are small.
    @inline(never)
    func sum() -> UInt64 {
        let vectors = unsafe UnsafeRawPointer(base).assumingMemoryBound(to: SIMD16<Int32>.self)
        var a = SIMD16<Int32>()
        var b = SIMD16<Int32>()
        var total: UInt64 = 0
        var place = 0
        while place < count / 16 {
            // A block at a time, so that lanes stay far from their limit.
            let end = place + Self.countMultiple / 16
            while place < end {
                unsafe a &+= vectors[place]
                unsafe b &+= vectors[place &+ 1]
                place &+= 2
            }
            total &+= Self.total(a &+ b)
            a = SIMD16()
            b = SIMD16()
        }
        return total
    }

    /// The same, asking for each cache line one or two kilobytes ahead.
    @inline(never)
    func sumWithPrefetch() -> UInt64 {
        let vectors = unsafe UnsafeRawPointer(base).assumingMemoryBound(to: SIMD16<Int32>.self)
        var a = SIMD16<Int32>()
        var b = SIMD16<Int32>()
        var total: UInt64 = 0
        var place = 0
        while place < count / 16 {
            let end = place + Self.countMultiple / 16
            while place < end {
                unsafe prefetch(vectors + place + 32)
                unsafe prefetch(vectors + place + 33)
                unsafe a &+= vectors[place]
                unsafe b &+= vectors[place &+ 1]
                place &+= 2
            }
            total &+= Self.total(a &+ b)
            a = SIMD16()
            b = SIMD16()
        }
        return total
    }

    /// Four streams side by side, each a quarter of the column.
    @inline(never)
    func sumInQuarters() -> UInt64 {
        let vectors = unsafe UnsafeRawPointer(base).assumingMemoryBound(to: SIMD8<Int32>.self)
        let quarter = count / 32
        var a = SIMD8<Int32>()
        var b = SIMD8<Int32>()
        var c = SIMD8<Int32>()
        var d = SIMD8<Int32>()
        var total: UInt64 = 0
        var place = 0
        while place < quarter {
            let end = min(quarter, place + Self.countMultiple / 8)
            while place < end {
                unsafe a &+= vectors[place]
                unsafe b &+= vectors[place &+ quarter]
                unsafe c &+= vectors[place &+ 2 &* quarter]
                unsafe d &+= vectors[place &+ 3 &* quarter]
                place &+= 1
            }
            total &+= Self.total(a &+ b) &+ Self.total(c &+ d)
            a = SIMD8()
            b = SIMD8()
            c = SIMD8()
            d = SIMD8()
        }
        return total
    }

    private static func total(_ lanes: some SIMD<Int32>) -> UInt64 {
        var total: UInt64 = 0
        for lane in lanes.indices { total &+= UInt64(truncatingIfNeeded: lanes[lane]) }
        return total
    }

    // MARK: - Gathers

    /// Sums the values at `places`, which are within the column.
    @inline(never)
    func gather(_ places: Span<UInt32>) -> UInt64 {
        var sum: UInt64 = 0
        for index in places.indices {
            sum &+= UInt64(truncatingIfNeeded: unsafe base[Int(places[index])])
        }
        return sum
    }

    /// The same, asking for all cache lines first.
    @inline(never)
    func gatherWithPrefetch(_ places: Span<UInt32>) -> UInt64 {
        for index in places.indices { unsafe prefetch(base + Int(places[index])) }
        var sum: UInt64 = 0
        for index in places.indices {
            sum &+= UInt64(truncatingIfNeeded: unsafe base[Int(places[index])])
        }
        return sum
    }

    // MARK: - Runs

    /// Sums `length` values from each of `starts` on, which are within the column, asking for the
    /// cache lines of all first.
    @inline(never)
    func sumRuns(_ starts: Span<UInt32>, length: Int) -> UInt64 {
        for index in starts.indices {
            for offset in stride(from: 0, to: length, by: 16) {
                unsafe prefetch(base + Int(starts[index]) + offset)
            }
        }
        var total: UInt64 = 0
        for index in starts.indices {
            let start = unsafe base + Int(starts[index])
            var sum: Int32 = 0
            for offset in 0..<length { unsafe sum &+= start[offset] }
            total &+= UInt64(truncatingIfNeeded: sum)
        }
        return total
    }
}
