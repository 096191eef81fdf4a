// When remembered events were decided, by the second: one word for all in a row of one second.

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

    /// The second of the oldest entry. There is one.
    var oldest: Int64 { runs[oldestRun].second }

    /// A time as seconds, rounded down, and milliseconds.
    @inline(__always)
    static func parts(_ time: Milliseconds) -> (second: Int64, milliseconds: Int) {
        let second = (time >= 0 ? time : time &- 999) / 1000
        return (second, Int(time &- second &* 1000))
    }

    func after(_ run: Int) -> Int { run &+ 1 == runs.rowCountMax ? 0 : run &+ 1 }

    /// Makes room for `additional` more entries.
    mutating func prepare(_ additional: Int) throws(SystemError) {
        try runs.prepare(rows: min(additional, runs.rowCountMax - runs.rowCount))
    }

    /// Adds an entry, for which `prepare` made room.
    @inline(__always)
    mutating func append(_ second: Int64) {
        if runCount > 0, runs[newestRun].canTakeOne(of: second) {
            runs.update(newestRun) { $0.add(1) }
            return
        }
        newestRun = after(newestRun)
        if newestRun == runs.rowCount { runs.appendPrepared(rows: 1) }
        runs[newestRun] = SecondsRun(second)
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

/// Entries in a row that have one second: second << 24 | entries.
struct SecondsRun: BitwiseCopyable {
    private var word: Int64

    init(_ second: Int64) { word = second << 24 | 1 }

    var count: Int { Int(truncatingIfNeeded: word & 0xFF_FFFF) }
    var second: Int64 { word >> 24 }

    func canTakeOne(of second: Int64) -> Bool {
        word >> 24 == second && word & 0xFF_FFFF != 0xFF_FFFF
    }

    mutating func add(_ change: Int64) { word &+= change }
}
