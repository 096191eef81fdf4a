// How many connections there are, in all and from each address: the one count reactors share.

internal import Synchronization

/// Admission of connections.
///
/// A lock is taken per connection, not per request: an accept costs microseconds anyway.
final class ConnectionCensus: Sendable {
    private struct Counts {
        var total = 0
        var byOrigin: [UInt64: Int] = [:]
    }

    private let counts = Mutex(Counts())
    private let countMax: Int
    private let countMaxPerOrigin: Int

    init(limits: ServerLimits) {
        countMax = limits.connectionCountMax
        countMaxPerOrigin = limits.connectionCountMaxPerAddress
    }

    /// Counts a connection in, unless a limit is reached.
    ///
    /// - Parameter origin: `Address.origin`.
    func enter(_ origin: UInt64) -> Bool {
        counts.withLock { counts in
            let here = counts.byOrigin[origin, default: 0]
            guard counts.total < countMax, here < countMaxPerOrigin else { return false }
            counts.total += 1
            counts.byOrigin[origin] = here + 1
            return true
        }
    }

    /// Counts a connection out that was counted in.
    func leave(_ origin: UInt64) {
        counts.withLock { counts in
            counts.total -= 1
            let here = counts.byOrigin[origin, default: 0] - 1
            counts.byOrigin[origin] = here > 0 ? here : nil
        }
    }
}
