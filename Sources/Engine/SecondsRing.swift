// When remembered events were decided, in whole seconds: one word for all in a row of one second.

internal import Bytes
internal import Columns
internal import Platform

/// The times of a ring's entries, oldest first out. Owner only.
struct SecondsRing: ~Copyable {
    var runs: Column<SecondsRun>
    // Places in the ring of runs; the oldest is there while there is any entry.
    private(set) var oldestRun = 0
    private var newestRun = -1
    /// Runs in use.
    private(set) var runCount = 0

    /// - Parameter countMax: Entries at the most.
    init(countMax: Int) throws(SystemError) { runs = try Column(rowCountMax: countMax) }

    var byteCount: Int { runs.committedByteCount }

    /// The time of the oldest entry, in milliseconds. There is one.
    var oldest: Milliseconds { runs[oldestRun].time }

    func after(_ run: Int) -> Int { run &+ 1 == runs.rowCountMax ? 0 : run &+ 1 }

    /// Makes room for `additional` more entries.
    mutating func prepare(_ additional: Int) throws(SystemError) {
        try runs.prepare(rows: min(additional, runs.rowCountMax - runs.rowCount))
    }

    /// Adds an entry, for which `prepare` made room.
    @inline(__always)
    mutating func append(_ time: Milliseconds) {
        let seconds = SecondsRun.seconds(time)
        if runCount > 0, runs[newestRun].canTakeOne(of: seconds) {
            runs.update(newestRun) { $0.add(1) }
            return
        }
        newestRun = after(newestRun)
        if newestRun == runs.rowCount { runs.appendPrepared(rows: 1) }
        runs[newestRun] = SecondsRun(seconds)
        runCount &+= 1
    }

    @inline(__always)
    mutating func removeOldest() {
        runs.update(oldestRun) { $0.add(-1) }
        if runs[oldestRun].count > 0 { return }
        oldestRun = after(oldestRun)
        runCount &-= 1
    }
}

/// Entries in a row that have one time: seconds << 24 | entries.
struct SecondsRun: BitwiseCopyable {
    private var word: Int64

    init(_ seconds: Int64) { word = seconds << 24 | 1 }

    var count: Int { Int(truncatingIfNeeded: word & 0xFF_FFFF) }
    var time: Milliseconds { (word >> 24) * 1000 }

    /// A time in whole seconds, rounded up: what is older than the oldest entry was surely forgotten
    /// before it, or is not known.
    static func seconds(_ time: Milliseconds) -> Int64 {
        // Division goes towards 0, which is up below it.
        time > 0 ? (time &+ 999) / 1000 : time / 1000
    }

    func canTakeOne(of seconds: Int64) -> Bool {
        word >> 24 == seconds && word & 0xFF_FFFF != 0xFF_FFFF
    }

    mutating func add(_ change: Int64) { word &+= change }
}
