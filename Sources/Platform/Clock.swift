// The clocks. Only callers outside the engine read them, once per turn.

internal import Glibc

package enum Clock {
    /// Milliseconds since 1970 UTC, by the machine's wall clock, which may jump.
    package static var wallMilliseconds: Int64 {
        let time = read(CLOCK_REALTIME)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Nanoseconds since the machine started, its sleep included. Never jumps. About 25 ns a read.
    package static var bootNanoseconds: UInt64 { nanoseconds(CLOCK_BOOTTIME) }

    /// Nanoseconds since an unspecified moment, not counting the machine's sleep. Never jumps.
    package static var monotonicNanoseconds: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    /// Nanoseconds of processor time that this process has used, all threads together.
    package static var processNanoseconds: UInt64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    /// Nanoseconds of processor time that the calling thread has used. For measurements.
    package static var threadNanoseconds: UInt64 { nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

    private static func nanoseconds(_ clock: Int32) -> UInt64 {
        let time = read(clock)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func read(_ clock: Int32) -> timespec {
        var time = timespec()
        let result = unsafe clock_gettime(clock, &time)
        precondition(result == 0)
        return time
    }
}
