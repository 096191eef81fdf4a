// What the sources of events have sent in this life of the process: which numbers of their own sequences
// came, and how new it is. Kept in memory alone, and changed once for all events of a piece of a body.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Synchronization

/// Events of one source that came one after the other.
struct SourceRun: Equatable {
    var source: EventSource
    /// Their numbers, without a gap; nil: they have none.
    var numbers: ClosedRange<Int64>?
    var newestAt: Milliseconds

    /// Takes the next event in, if it goes on where the last one was.
    mutating func extend(
        _ source: EventSource, _ number: Int64?, at: Milliseconds
    ) -> Bool {
        guard source == self.source, (number == nil) == (numbers == nil) else { return false }
        if let number, let numbers {
            guard number > numbers.upperBound, number - 1 == numbers.upperBound else {
                return false
            }
            self.numbers = numbers.lowerBound...number
        }
        newestAt = max(newestAt, at)
        return true
    }
}

/// What is known of one source.
struct WatchedSource: Sendable {
    let source: EventSource
    var sequence = SequenceRanges()
    /// The newest effective time of its events.
    var newestAt: Milliseconds
    /// Service time when the last of them came.
    var arrivedAt: Milliseconds
}

/// What is known of all sources. Any thread.
final class SourceWatch: Sendable {
    /// Since when, in service time.
    let since: Milliseconds
    private let sources = Mutex<[UInt16: WatchedSource]>([:])

    /// Sources that are watched; of others that come later nothing is known.
    static let sourceCountMax = 4096

    init(since: Milliseconds) { self.since = since }

    /// Notes what came.
    ///
    /// - Complexity: O(runs).
    func note(_ runs: [SourceRun], now: Milliseconds) {
        if runs.isEmpty { return }
        sources.withLock { sources in
            for run in runs where run.source != .unknown {
                let key = run.source.rawValue
                if sources[key] == nil, sources.count == Self.sourceCountMax { continue }
                Self.note(
                    run, now,
                    &sources[
                        key,
                        default: WatchedSource(
                            source: run.source, newestAt: run.newestAt, arrivedAt: now)])
            }
        }
    }

    private static func note(_ run: SourceRun, _ now: Milliseconds, _ source: inout WatchedSource) {
        if let numbers = run.numbers { source.sequence.insert(numbers) }
        source.newestAt = max(source.newestAt, run.newestAt)
        source.arrivedAt = max(source.arrivedAt, now)
    }

    /// All that are watched, in the order in which they first came.
    var all: [WatchedSource] {
        sources.withLock { Array($0.values) }.sorted { $0.source.rawValue < $1.source.rawValue }
    }

    /// Those with most gaps, at most `count`.
    func withGaps(count: Int) -> [WatchedSource] {
        let found = all.filter { $0.sequence.gapCount > 0 }
        let worst = found.sorted { one, other in
            let gaps = (one.sequence.gapCount, other.sequence.gapCount)
            return gaps.0 != gaps.1
                ? gaps.0 > gaps.1 : one.source.rawValue < other.source.rawValue
        }
        return Array(worst.prefix(count))
    }
}
