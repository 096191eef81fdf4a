// What a reactor counts. It adds to plain words and publishes them once per turn.

internal import Synchronization

/// The counters of a reactor.
package enum ReactorCounter: Int, CaseIterable, Sendable {
    /// Connections there are now; the only one that also falls.
    case open

    /// Connections taken, those that were over a limit included.
    case accepted

    /// Connections that were over a limit: answered 503 and closed.
    case refused

    /// Connections closed for want of a head, a body or a next request in time.
    case timedOut

    /// Connections cut because their answers were not read, or for the memory they held.
    case cut

    /// Requests answered or begun, those refused by the parser not included.
    case requests

    /// Requests that could not be framed.
    case malformed

    /// Answers by class of status.
    case answers2xx, answers3xx, answers4xx, answers5xx

    case bytesIn, bytesOut

    /// Turns of the loop.
    case turns

    /// Bytes that connections hold now, received or unsent.
    case bufferedBytes

    static let count = 15

    /// The counter of an answer with `status`.
    static func answers(_ status: Int) -> ReactorCounter {
        switch status {
        case ..<300: .answers2xx
        case ..<400: .answers3xx
        case ..<500: .answers4xx
        default: .answers5xx
        }
    }
}

/// The counters as plain words.
package struct ReactorCounts: Sendable {
    private var words = InlineArray<15, UInt64>(repeating: 0)

    package subscript(counter: ReactorCounter) -> UInt64 {
        get { words[counter.rawValue] }
        set { words[counter.rawValue] = newValue }
    }

    package mutating func add(_ other: ReactorCounts) {
        for counter in ReactorCounter.allCases { self[counter] &+= other[counter] }
    }
}

/// What other threads can read about a reactor.
///
/// - Invariant: `words` points at one atomic per counter.
@safe
package final class ReactorMetrics: Sendable {
    // Safe to share: atomics, freed only with the object.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>

    /// How long calls took, per route.
    package let latency: LatencyRecorder

    package init(routeCount: Int) {
        unsafe words = .allocate(capacity: ReactorCounter.count)
        for index in 0..<ReactorCounter.count { unsafe (words + index).initialize(to: Atomic(0)) }
        latency = LatencyRecorder(routeCount: routeCount)
    }

    deinit {
        unsafe words.deinitialize(count: ReactorCounter.count)
        unsafe words.deallocate()
    }

    /// The owner's thread alone.
    func publish(_ counts: borrowing ReactorCounts) {
        for counter in ReactorCounter.allCases {
            // Relaxed: readers take each counter for itself.
            unsafe words[counter.rawValue].store(counts[counter], ordering: .relaxed)
        }
    }

    /// The counters as of the reactor's last turn; any thread.
    package var counts: ReactorCounts {
        var counts = ReactorCounts()
        for counter in ReactorCounter.allCases {
            counts[counter] = unsafe words[counter.rawValue].load(ordering: .relaxed)
        }
        return counts
    }
}
