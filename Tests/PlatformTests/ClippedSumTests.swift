// Vector sums against a loop.

import Platform
import Testing

struct ClippedSumTests {
    private static let extremes: [Int32] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]

    private func expectSums(
        of values: [Int32], _ note: Comment, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var total: Int64 = 0
        var largest: Int32 = 0
        for value in values where value > 0 {
            total += Int64(value)
            largest = max(largest, value)
        }
        unsafe values.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            let wide = unsafe clippedSum(start, buffer.count)
            let narrow = unsafe clippedSumInNarrowVectors(start, buffer.count)
            #expect(wide.total == total, note, sourceLocation: sourceLocation)
            #expect(wide.largest == largest, note, sourceLocation: sourceLocation)
            #expect(narrow.total == total, note, sourceLocation: sourceLocation)
            #expect(narrow.largest == largest, note, sourceLocation: sourceLocation)
        }
    }

    @Test func `every count up to six vectors and around the four streams sums every value`() {
        for count in Array(1...100) + Array(8180...8260) {
            expectSums(of: (0..<Int32(count)).map { $0 + 1 }, "\(count) values")
        }
    }

    @Test(arguments: extremes)
    func `a column of one extreme value sums without a wrap`(_ value: Int32) {
        expectSums(of: Array(repeating: value, count: 10_007), "\(value)")
    }

    @Test func `the largest value is found wherever it lies`() {
        for place in 0..<70 {
            var values = [Int32](repeating: -5, count: 70)
            values[place] = .max
            expectSums(of: values, "at \(place)")
        }
    }

    @Test func `random values sum as a loop sums them`() {
        let seed = UInt64.random(in: 0 ... .max)
        var state = seed
        func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 32
        }
        for round in 0..<200 {
            let values = (0..<Int(next() % 9000) + 1).map { _ in
                next() % 8 == 0
                    ? Self.extremes[Int(next() % 7)] : Int32(truncatingIfNeeded: next())
            }
            expectSums(of: values, "seed \(seed), round \(round), \(values.count) values")
        }
    }
}
