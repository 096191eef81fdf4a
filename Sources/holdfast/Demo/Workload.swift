// What the demo's load asks: requests written beforehand, some SKUs asked for far more often than
// others, as in a shop.

import Bytes
import Client
import HTTP

/// Requests of one shape, ready to be sent, and what their answers must be.
final class Workload: Sendable {
    /// Items that each request asks for.
    let itemCount: Int

    /// The requests, one behind the other.
    private let bytes: [UInt8]
    private let ranges: [ByteRange]

    /// The SKUs that request n asks for, by number: from `n * itemCount` on.
    private let picks: [Int32]

    /// The figure that each SKU must have, by number.
    private let expected: [Int64]

    /// Different requests; they are sent in turn.
    static let requestCount = 4096

    /// - Parameters:
    ///   - skus: The most popular one first.
    ///   - expected: What is available of each.
    init(
        _ skus: [String], expected: [Int64], itemCount: Int, url: ServerURL, channel: String
    ) throws(CommandError) {
        precondition(skus.count == expected.count && !skus.isEmpty)
        self.itemCount = itemCount
        self.expected = expected
        var picker = ZipfPicker(count: skus.count, seed: UInt64(itemCount))
        var output = ByteBuffer()
        var body = ByteBuffer()
        var ranges: [ByteRange] = []
        var picks: [Int32] = []
        for _ in 0..<Self.requestCount {
            var question = AvailabilityQuestion(channel: channel)
            for _ in 0..<itemCount {
                let pick = picker.next()
                picks.append(Int32(pick))
                question.skus.append(skus[pick])
            }
            body.removeAll()
            question.append(to: &body)
            let start = output.count
            let isRequest = output.appendRequest(
                method: "POST", target: "/v1/availability".utf8.span,
                host: url.authority.utf8.span, contentType: "application/json", body: body.span)
            guard isRequest else { throw .failed("\(url) cannot be named in a request") }
            ranges.append(ByteRange(from: start, to: output.count))
        }
        bytes = output.span.array
        self.ranges = ranges
        self.picks = picks
    }

    /// Runs `body` over request `number`, which may be any number from 0.
    func withRequest<E: Error>(
        _ number: Int, _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        let bytes = bytes
        try body(bytes.span.part(ranges[number % ranges.count]))
    }

    /// Whether `items` is the right answer to request `number`.
    func isRight(_ items: [AvailableItem], number: Int) -> Bool {
        let first = number % ranges.count * itemCount
        guard items.count == itemCount else { return false }
        return items.indices.allSatisfy { items[$0].available == expected[Int(picks[first + $0])] }
    }
}

/// Numbers below a bound, the number n in proportion to 1 / (n + 1): Zipf's law with exponent 1.
struct ZipfPicker {
    private var sums: [Double] = []
    private var state: UInt64

    init(count: Int, seed: UInt64) {
        precondition(count > 0)
        state = seed
        var sum = 0.0
        for rank in 1...count {
            sum += 1 / Double(rank)
            sums.append(sum)
        }
    }

    mutating func next() -> Int {
        let wanted = Double(random() >> 11) / 9_007_199_254_740_992 * (sums.last ?? 0)  // 2⁵³
        var low = 0
        var high = sums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > wanted { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// SplitMix64.
    private mutating func random() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
