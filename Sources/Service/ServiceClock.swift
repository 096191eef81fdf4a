// Service time: what the engine is told, in milliseconds since 1970.
//
// The wall clock at start, plus the time the machine has run since: a wall clock that jumps moves
// nothing at once. Service time is slewed towards the wall clock by at most 1/200 of what elapses,
// so it never goes back and no deadline comes early by more than that.

package import Bytes
internal import Synchronization

/// The clock of one service; any reactor reads it, once per turn.
package final class ServiceClock: Sendable {
    // Service milliseconds less boot milliseconds. Written by reactor 0, read by all.
    private let offset: Atomic<Int64>

    package init(_ start: Moment) {
        offset = Atomic(start.wallMilliseconds - Int64(start.bootNanoseconds / 1_000_000))
    }

    /// Service time at a moment. Relaxed: a reader may slew a turn later than another.
    package func now(_ moment: Moment) -> Milliseconds {
        Int64(moment.bootNanoseconds / 1_000_000) + offset.load(ordering: .relaxed)
    }

    /// Moves on to `time`, if that is ahead: service time never goes back, also over a restart.
    package func raise(to time: Milliseconds, at moment: Moment) {
        let missing = time - now(moment)
        if missing > 0 { offset.wrappingAdd(missing, ordering: .relaxed) }
    }

    /// Moves towards the wall clock. One thread alone, now and then.
    package func slew(_ moment: Moment, elapsedMilliseconds: Int64) {
        let difference = moment.wallMilliseconds - now(moment)
        let step = max(0, elapsedMilliseconds / 200)
        let change = max(-step, min(step, difference))
        if change != 0 { offset.wrappingAdd(change, ordering: .relaxed) }
    }

    /// Wall clock less service time: what health answers show.
    package func skew(_ moment: Moment) -> Milliseconds { moment.wallMilliseconds - now(moment) }
}
