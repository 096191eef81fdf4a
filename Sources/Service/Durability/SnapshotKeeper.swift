// Takes snapshots: by the clock, by what the journal has grown, on request, and at the end.
//
// Shards are frozen one after the other, each at a marker frame of its own, so that only one shard at a
// time copies pages before it writes to them. Shared data follows, so every name that a shard uses is
// in it. A snapshot is published when the journal is durable past all markers; then old snapshots go,
// and what the two newest whole ones do not need of the journal.

package import Bytes
internal import Engine
internal import History
internal import Journal
internal import Platform
package import Snapshot
internal import Synchronization

/// When snapshots are taken and how many are kept.
package struct SnapshotSchedule: Sendable {
    /// Milliseconds from one to the next; 0: not by the clock.
    package var every: Milliseconds = 300_000
    /// Bytes of journal from one to the next.
    package var journalByteCount: UInt64 = 1 << 30
    /// Snapshots that are kept.
    package var keptCount = 3

    package init() {}
}

/// What became of a snapshot that was asked for.
package enum SnapshotOutcome: Sendable {
    case published(Manifest, milliseconds: Int)
    case failed(String)
}

/// The snapshots of one service. Any thread asks; one thread takes them.
final class SnapshotKeeper: Sendable {
    private struct Requests {
        var asked: UInt64 = 0
        var done: UInt64 = 0
        var last: SnapshotOutcome?
    }

    private let engine: Engine
    private let journal: Journal
    private let folder: String
    private let history: HistoryKeeper
    private let schedule: SnapshotSchedule
    private let clock: ServiceClock
    private let freezes: FreezeRequests
    private let bellOfShard: @Sendable (Int) -> Doorbell
    private let requests = Mutex(Requests())
    private let historyFailed = Mutex<String?>(nil)
    private let isEnding = Atomic(false)
    private let thread = Mutex<RunningThread?>(nil)
    /// The manifests of all there are, newest first.
    private let published: Mutex<[Manifest]>
    /// Where things stood when the last snapshot was begun.
    private let last: Mutex<Standing>

    /// How far the journal is.
    private struct Standing {
        /// Durable bytes.
        var position: UInt64 = 0
        /// Frames of shards, and of shared data; nil: not known, so more than there were.
        var frames: (shards: UInt64, control: UInt64)?
    }

    /// - Parameter isUnchanged: There is a snapshot, and nothing has changed since.
    init(
        engine: Engine, journal: Journal, folder: String, history: HistoryKeeper,
        schedule: SnapshotSchedule, clock: ServiceClock, freezes: FreezeRequests, isUnchanged: Bool,
        bellOfShard: @escaping @Sendable (Int) -> Doorbell
    ) {
        self.engine = engine
        self.journal = journal
        self.folder = folder
        self.history = history
        self.schedule = schedule
        self.clock = clock
        self.freezes = freezes
        self.bellOfShard = bellOfShard
        let frames = isUnchanged ? (engine.changeCount, engine.master.sequence) : nil
        published = Mutex(Self.manifests(in: folder))
        last = Mutex(
            Standing(position: isUnchanged ? journal.durablePosition : 0, frames: frames))
    }

    // MARK: - Asking

    /// Asks for a snapshot that begins from now on.
    ///
    /// - Returns: What `outcome` is asked with.
    func ask() -> UInt64 {
        requests.withLock { requests in
            // Behind the end there is no next one.
            if requests.done == .max { return .max }
            requests.asked = max(requests.asked, requests.done) + 1
            return requests.asked
        }
    }

    /// What became of a snapshot; nil while it is being taken.
    func outcome(_ ticket: UInt64) -> SnapshotOutcome? {
        requests.withLock { $0.done >= ticket ? $0.last : nil }
    }

    /// All that are in the folder, newest first, as they were when one was last taken.
    var list: [Manifest] { published.withLock { $0 } }

    /// Why the history is not what it should be, where the last try failed.
    var historyFailure: String? { historyFailed.withLock { $0 } }

    /// Why there is no newer snapshot, where the last try failed.
    var failure: String? {
        requests.withLock { requests in
            if case .failed(let reason) = requests.last { reason } else { nil }
        }
    }

    private static func manifests(in folder: String) -> [Manifest] {
        let reader = SnapshotReader(in: folder)
        return ((try? reader.numbers()) ?? []).compactMap { try? reader.manifest(of: $0) }
    }

    // MARK: - Its life

    func start() throws(SystemError) {
        let started = RunningThread(try Thread.start(name: "snapshots") { [self] in run() })
        thread.withLock { $0 = started }
    }

    /// Ends the thread; a snapshot that is being taken is given up.
    func end() {
        isEnding.store(true, ordering: .relaxed)
        thread.withLock { $0 }?.join()
    }

    /// The last snapshot of a service in order: nobody owns the shards any more.
    ///
    /// - Parameter shouldContinue: Asked now and then; no gives it up.
    func takeLast(_ shouldContinue: @escaping () -> Bool) -> SnapshotOutcome? {
        if isUnchanged { return nil }
        return take(
            shouldContinue,
            freeze: { [engine, clock] shard in
                engine.withShard(shard) { shard in
                    // One that was given up may have left it frozen.
                    shard.thaw()
                    return shard.freezeAtMarker(time: clock.now(.current))
                }
            },
            thaw: { [engine] shard in engine.withShard(shard) { $0.thaw() } })
    }

    private func run() {
        Thread.lowerPriority()
        var last = Clock.monotonicNanoseconds
        while !isEnding.load(ordering: .relaxed) {
            let asked = requests.withLock { $0.asked > $0.done ? $0.asked : nil }
            let elapsed = (Clock.monotonicNanoseconds - last) / 1_000_000
            guard asked != nil || isDue(elapsed: elapsed) else {
                Thread.sleep(milliseconds: 20)
                continue
            }
            last = Clock.monotonicNanoseconds
            let outcome = takeFromOwners()
            requests.withLock { requests in
                requests.last = outcome
                requests.done = max(requests.done, asked ?? 0)
            }
        }
        requests.withLock { requests in
            requests.last = .failed("the service is ending")
            requests.done = .max
        }
    }

    private func isDue(elapsed: UInt64) -> Bool {
        if isUnchanged || journal.isFenced { return false }
        let grown = journal.durablePosition &- last.withLock { $0.position }
        return schedule.every > 0 && elapsed >= UInt64(schedule.every)
            || grown >= schedule.journalByteCount
    }

    /// Nothing was written since the last snapshot but its own marker frames.
    private var isUnchanged: Bool {
        let frames = last.withLock { $0.frames }
        return frames.map { $0 == (engine.changeCount, engine.master.sequence) } ?? false
    }

    private func takeFromOwners() -> SnapshotOutcome {
        let shouldWait = { [self] in !isEnding.load(ordering: .relaxed) && !journal.isFenced }
        return take(
            shouldWait,
            freeze: { [self] shard in
                freezes.freeze(shard, bellOfShard(shard), while: shouldWait)
            },
            thaw: { [self] shard in
                // Not given up for a failed journal: the owner would copy pages for ever.
                freezes.thaw(shard, bellOfShard(shard)) { !isEnding.load(ordering: .relaxed) }
            })
    }

    // MARK: - Taking one

    private func take(
        _ shouldContinue: @escaping () -> Bool,
        freeze: (Int) -> (shard: FrozenShard, head: StreamHead)?, thaw: (Int) -> Void
    ) -> SnapshotOutcome {
        let start = Clock.monotonicNanoseconds
        // With the marker frames to come.
        let frames = (engine.changeCount + UInt64(engine.shardCount), engine.master.sequence)
        let position = journal.durablePosition
        // Until it is published there is more than the snapshot before has.
        last.withLock { $0 = Standing(position: position, frames: nil) }
        do throws(SnapshotError) {
            var writer = try SnapshotWriter(
                in: folder, shardCount: engine.shardCount, time: clock.now(.current),
                shouldContinue: shouldContinue)
            do throws(SnapshotError) {
                try write(to: &writer, shouldContinue, freeze: freeze, thaw: thaw)
            } catch {
                // A full disk has its space back at once.
                try? writer.abandon()
                throw error
            }
            let manifest = try writer.publish(frozenBy: clock.now(.current))
            last.withLock { $0.frames = frames }
            try forgetWhatIsOld(shouldContinue)
            let manifests = Self.manifests(in: folder)
            published.withLock { $0 = manifests }
            let elapsed = Clock.monotonicNanoseconds - start
            return .published(manifest, milliseconds: Int(elapsed / 1_000_000))
        } catch { return .failed(error.description) }
    }

    /// Writes all tables, and waits until the journal is durable past their marks.
    private func write(
        to writer: inout SnapshotWriter, _ shouldContinue: () -> Bool,
        freeze: (Int) -> (shard: FrozenShard, head: StreamHead)?, thaw: (Int) -> Void
    ) throws(SnapshotError) {
        var heads: [StreamHead] = []
        for shard in 0..<engine.shardCount {
            guard let frozen = freeze(shard) else { throw .cancelled }
            // Behind the last read of what is frozen.
            defer { thaw(shard) }
            heads.append(frozen.head)
            let policy = engine.master.policy(now: clock.now(.current))
            try writer.write(frozen.shard, of: engine, policy, at: StreamMark(frozen.head))
        }
        let (master, control) = engine.master.freeze()
        try writer.write(master, at: StreamMark(control))
        try waitUntilDurable(heads, control, shouldContinue)
    }

    private func waitUntilDurable(
        _ heads: [StreamHead], _ control: StreamHead, _ shouldContinue: () -> Bool
    ) throws(SnapshotError) {
        while true {
            let isDurable =
                heads.indices.allSatisfy {
                    journal.durableSequence(of: UInt16($0)) >= heads[$0].sequence
                } && journal.durableSequence(of: StreamNumber.control) >= control.sequence
            if isDurable { return }
            guard shouldContinue(), !journal.isFenced else { throw .cancelled }
            journal.sync()
            Thread.sleep(milliseconds: 1)
        }
    }

    private func forgetWhatIsOld(_ shouldContinue: () -> Bool) throws(SnapshotError) {
        let retention = Retention(wholeCountMin: 2, countMax: max(2, schedule.keptCount))
        let reader = SnapshotReader(in: folder)
        let bases = history.bases(among: Self.manifests(in: folder))
        let pruned = try reader.prune(keeping: retention, bases: bases, now: clock.now(.current))
        guard pruned.whole.count >= 2, let oldest = pruned.whole.last else { return }
        let recent = Set(try reader.numbers().prefix(retention.countMax))
            .union(pruned.whole.map(\.number))
        let past = Self.manifests(in: folder).filter { !recent.contains($0.number) }
        do throws(HistoryError) {
            try history.keep(through: oldest.sequences, shouldContinue)
            journal.trim(through: oldest.sequences)
            try history.prune(past, oldest: oldest, in: reader, now: clock.now(.current))
            noteHistory(nil)
        } catch {
            // The journal keeps what the history could not take; the next snapshot tries again.
            if error != .cancelled { noteHistory(error.description) }
        }
    }

    private func noteHistory(_ failure: String?) { historyFailed.withLock { $0 = failure } }
}

extension Moment {
    /// Now, by the machine's clocks.
    static var current: Moment {
        Moment(
            bootNanoseconds: Clock.bootNanoseconds, wallMilliseconds: Clock.wallMilliseconds)
    }
}
