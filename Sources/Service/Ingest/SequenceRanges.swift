// Which numbers of a source's own sequence have come, as ranges; what lies between them is missing.

/// The numbers of one source that were seen.
///
/// Of more than `rangeCountMax` ranges the lowest two are taken for one: what is missing between them is
/// counted, but nobody can tell any more when it comes.
struct SequenceRanges: Sendable {
    /// Ascending, at least one number apart.
    private(set) var seen: [ClosedRange<Int64>] = []
    /// Numbers that were missing where ranges were joined.
    private(set) var untoldCount: UInt64 = 0

    static let rangeCountMax = 1025

    var highest: Int64? { seen.last?.upperBound }

    /// Ranges of missing numbers that can be told.
    var gapCount: Int { max(0, seen.count - 1) }

    /// The missing numbers below `seen[index]`.
    private func gap(below index: Int) -> ClosedRange<Int64> {
        seen[index - 1].upperBound + 1...seen[index].lowerBound - 1
    }

    /// The lowest ranges of missing numbers, and how many more numbers are missing.
    func missing(rangeCountMax: Int) -> (ranges: [ClosedRange<Int64>], moreCount: UInt64) {
        var ranges: [ClosedRange<Int64>] = []
        var more = untoldCount
        for index in seen.indices.dropFirst() {
            let gap = gap(below: index)
            if ranges.count < rangeCountMax { ranges.append(gap) } else { more.add(gap) }
        }
        return (ranges, more)
    }

    /// Notes numbers that came.
    ///
    /// - Complexity: O(log ranges) for what comes in order or again, else O(ranges).
    mutating func insert(_ numbers: ClosedRange<Int64>) {
        // The ranges that touch the numbers or overlap them.
        let first = index {
            $0.upperBound >= numbers.lowerBound || $0.upperBound + 1 == numbers.lowerBound
        }
        let end = index {
            $0.lowerBound > numbers.upperBound && $0.lowerBound - 1 > numbers.upperBound
        }
        if first == end {
            seen.insert(numbers, at: first)
        } else {
            let low = min(numbers.lowerBound, seen[first].lowerBound)
            let high = max(numbers.upperBound, seen[end - 1].upperBound)
            seen.replaceSubrange(first..<end, with: CollectionOfOne(low...high))
        }
        if seen.count > Self.rangeCountMax {
            untoldCount.add(gap(below: 1))
            seen.replaceSubrange(
                0..<2, with: CollectionOfOne(seen[0].lowerBound...seen[1].upperBound))
        }
    }

    /// The first range that fulfils what all behind it fulfil too.
    private func index(where isBehind: (ClosedRange<Int64>) -> Bool) -> Int {
        var (low, high) = (0, seen.count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(seen[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension UInt64 {
    /// Adds how many numbers the range has, up to what fits.
    fileprivate mutating func add(_ range: ClosedRange<Int64>) {
        let count = UInt64(bitPattern: range.upperBound &- range.lowerBound)
        let sum = addingReportingOverflow(count)
        let next = sum.partialValue.addingReportingOverflow(1)
        self = sum.overflow || next.overflow ? .max : next.partialValue
    }
}
