// The rooflines of a run, as rounds that a comparison can take.

import Platform

/// One column much larger than the caches, and one as large as the store, with places to gather.
final class Rooflines {
    private let stream: IntegerColumn
    private let gathered: IntegerColumn
    private let places: SampleArray<UInt32>
    private let expectedGather: UInt64

    /// Positions that a request asks for.
    static let batchCount = 20

    /// Requests that are read together where they come pipelined; the service joins up to 32.
    static let joinedCount = 8

    /// The items of so many requests at a time, out of `count`.
    static func batches(_ count: Int, joining requests: Int) -> some Sequence<Range<Int>> {
        let length = batchCount * requests
        return stride(from: 0, to: count, by: length).lazy.map { $0..<min(count, $0 + length) }
    }

    /// - Parameters:
    ///   - positionCount: Integers to gather from.
    ///   - places: Where to gather in a round; as many as a multiple of the batch.
    init(
        positionCount: Int, streamCount: Int, places: [UInt32]
    ) throws(SystemError) {
        precondition(places.count % Self.batchCount == 0)
        let multiple = IntegerColumn.countMultiple
        stream = try IntegerColumn(count: (streamCount + multiple - 1) / multiple * multiple)
        gathered = try IntegerColumn(count: (positionCount + multiple - 1) / multiple * multiple)
        self.places = try SampleArray(count: places.count) { places[$0] }
        expectedGather = places.reduce(0) { $0 &+ UInt64(IntegerColumn.value(Int($1))) }
    }

    /// Sums of the stream; the amount is bytes.
    var streams: [() -> Round] {
        [
            { self.streamRound(self.stream.sum()) },
            { self.streamRound(self.stream.sumWithPrefetch()) },
            { self.streamRound(self.stream.sumInQuarters()) },
        ]
    }

    private func streamRound(_ sum: UInt64) -> Round {
        check(sum == stream.expectedSum, "a stream has a wrong sum")
        return Round(amount: stream.count * 4, checksum: sum)
    }

    /// Gathers in batches; the amount is values.
    var gathers: [() -> Round] {
        [
            { self.gatherRound { self.gathered.gather($0) } },
            { self.gatherRound { self.gathered.gatherWithPrefetch($0) } },
        ]
    }

    @inline(__always)
    private func gatherRound(_ gather: (Span<UInt32>) -> UInt64) -> Round {
        let sum = places.withSpan { places in
            var sum: UInt64 = 0
            var first = 0
            while first < places.count {
                sum &+= gather(places.extracting(first..<first + Self.batchCount))
                first += Self.batchCount
            }
            return sum
        }
        check(sum == expectedGather, "a gather has a wrong sum")
        return Round(amount: places.count, checksum: sum)
    }

    /// Sums of whole runs of `length`, those that the first places lie in; the amount is bytes.
    func runs(_ length: Int, count: Int) -> [() -> Round] {
        [
            {
                let sum = self.places.withSpan { places in
                    var starts = InlineArray<20, UInt32>(repeating: 0)
                    var sum: UInt64 = 0
                    for first in stride(from: 0, to: count, by: Self.batchCount) {
                        for index in 0..<Self.batchCount {
                            starts[index] = places[first + index] / UInt32(length) * UInt32(length)
                        }
                        sum &+= self.gathered.sumRuns(starts.span, length: length)
                    }
                    return sum
                }
                return Round(amount: count * length * 4, checksum: sum)
            }
        ]
    }
}
