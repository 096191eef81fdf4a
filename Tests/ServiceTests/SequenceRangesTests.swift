import Testing

@testable import Service

@Suite struct SequenceRangesTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    /// The missing numbers between the lowest and the highest, one by one.
    private func missing(_ seen: Set<Int64>) -> [Int64] {
        guard let low = seen.min(), let high = seen.max() else { return [] }
        return (low...high).filter { !seen.contains($0) }
    }

    @Test(arguments: UInt64(1)...20)
    func `what is missing is what no one has sent, whatever the order`(seed: UInt64) {
        var random = Generator(state: seed)
        var ranges = SequenceRanges()
        var seen: Set<Int64> = []
        for _ in 0..<200 {
            let low = Int64.random(in: -60...60, using: &random)
            let numbers = low...low + Int64.random(in: 0...3, using: &random)
            ranges.insert(numbers)
            seen.formUnion(numbers)
            let told = ranges.missing(rangeCountMax: .max)
            #expect(told.ranges.flatMap { Array($0) } == missing(seen))
            #expect(told.moreCount == 0)
            #expect(ranges.gapCount == told.ranges.count)
            #expect(ranges.highest == seen.max())
        }
    }

    @Test func `a late number that fills a gap shrinks it, and a repeat changes nothing`() {
        var ranges = SequenceRanges()
        ranges.insert(1...3)
        ranges.insert(8...8)
        #expect(ranges.missing(rangeCountMax: 64).ranges == [4...7])
        ranges.insert(5...5)
        ranges.insert(5...5)
        #expect(ranges.missing(rangeCountMax: 64).ranges == [4...4, 6...7])
        ranges.insert(4...7)
        #expect(ranges.seen == [1...8])
    }

    @Test func `of many gaps the first are told, and how much more is missing`() {
        var ranges = SequenceRanges()
        for number in Int64(0)..<100 { ranges.insert(number * 3...number * 3) }
        let told = ranges.missing(rangeCountMax: 64)
        #expect(told.ranges.count == 64 && told.ranges.first == 1...2)
        #expect(told.moreCount == (99 - 64) * 2)
    }

    @Test func `of too many gaps the lowest are only counted`() {
        var ranges = SequenceRanges()
        let count = Int64(SequenceRanges.rangeCountMax) + 10
        for number in 0..<count { ranges.insert(number * 2...number * 2) }
        #expect(ranges.seen.count == SequenceRanges.rangeCountMax)
        let told = ranges.missing(rangeCountMax: 64)
        #expect(told.ranges.first == 21...21)
        #expect(told.moreCount == UInt64(count - 1 - 64))
        ranges.insert(1...1)
        #expect(ranges.missing(rangeCountMax: 64).moreCount == told.moreCount)
    }

    @Test func `numbers at the ends of what there is do not trap`() {
        var ranges = SequenceRanges()
        ranges.insert(.max ... .max)
        ranges.insert(.min ... .min)
        ranges.insert(0...0)
        #expect(ranges.missing(rangeCountMax: 64).ranges == [.min + 1 ... -1, 1 ... .max - 1])
        #expect(ranges.missing(rangeCountMax: 0).moreCount == UInt64.max - 2)
        ranges.insert(.min ... .max)
        #expect(ranges.seen == [.min ... .max])
    }
}
