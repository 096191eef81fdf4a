// Takes snapshots: by the clock, by what the journal has grown, on request, and at the end.
//
// What a snapshot consists of, step by step, is `SnapshotTaking`; here is when, and how the owners of
// shards are asked.

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

    fileprivate static func manifests(in folder: String) -> [Manifest] {
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
        var relief = FullDiskRelief()
        while !isEnding.load(ordering: .relaxed) {
            let asked = requests.withLock { $0.asked > $0.done ? $0.asked : nil }
            let elapsed = (Clock.monotonicNanoseconds - last) / 1_000_000
            guard asked != nil || isDue(elapsed: elapsed) || isDue(&relief) else {
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

    /// Whether the disk is full, and a snapshot may help.
    private func isDue(_ relief: inout FullDiskRelief) -> Bool {
        relief.isDue(
            isFull: journal.state == .full,
            hasRoom: journal.hasRoom(forMarkers: engine.shardCount) && hasRoom)
    }

    /// Whether the disk has room for a snapshot a quarter larger than the newest.
    private var hasRoom: Bool {
        let newest = list.first?.files.reduce(0) { $0 + $1.bytes } ?? 0
        guard let free = try? Files.freeByteCount(folder) else { return false }
        return free >= newest * 5 / 4 + 1 << 20
    }

    /// Nothing was written since the last snapshot but its own marker frames.
    private var isUnchanged: Bool {
        let frames = last.withLock { $0.frames }
        return frames.map { $0 == (engine.changeCount, engine.master.sequence) } ?? false
    }

    private func takeFromOwners() -> SnapshotOutcome {
        let shouldWait = { [self] in
            !isEnding.load(ordering: .relaxed) && !journal.isFenced
                && journal.hasRoom(forMarkers: 1)
        }
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
        freeze: @escaping (Int) -> (shard: FrozenShard, head: StreamHead)?,
        thaw: @escaping (Int) -> Void
    ) -> SnapshotOutcome {
        let start = Clock.monotonicNanoseconds
        // With the marker frames to come.
        let frames = (engine.changeCount + UInt64(engine.shardCount), engine.master.sequence)
        let position = journal.durablePosition
        // Until it is published there is more than the snapshot before has.
        last.withLock { $0 = Standing(position: position, frames: nil) }
        var host = KeeperHost(
            engine: engine, journal: journal, clock: clock, history: history, folder: folder,
            freezing: freeze, thawing: thaw, shouldContinue: shouldContinue)
        do throws(SnapshotError) {
            let retention = Retention(wholeCountMin: 2, countMax: max(2, schedule.keptCount))
            var taking = try SnapshotTaking(
                in: SnapshotPlace(folder), keeping: retention, host,
                shouldContinue: shouldContinue)
            do throws(SnapshotError) {
                let manifest = try finish(&taking, &host, shouldContinue) {
                    last.withLock { $0.frames = frames }
                }
                let failure = host.historyFailure
                historyFailed.withLock { $0 = failure }
                let manifests = Self.manifests(in: folder)
                published.withLock { $0 = manifests }
                let elapsed = Clock.monotonicNanoseconds - start
                return .published(manifest, milliseconds: Int(elapsed / 1_000_000))
            } catch {
                // A full disk has its space back at once.
                try? taking.abandon(&host)
                throw error
            }
        } catch {
            return .failed(
                journal.hasRoom(forMarkers: 1)
                    ? error.description : "the journal is full: \(error)")
        }
    }

    /// Goes through all steps, and waits where there is something to wait for.
    private func finish(
        _ taking: inout SnapshotTaking, _ host: inout KeeperHost, _ shouldContinue: () -> Bool,
        onPublished: () -> Void
    ) throws(SnapshotError) -> Manifest {
        var published: Manifest?
        while true {
            switch try taking.step(&host) {
            case .worked: break
            case .waiting:
                guard shouldContinue(), !journal.isFenced else { throw .cancelled }
                journal.sync()
                Thread.sleep(milliseconds: 1)
            case .published(let manifest):
                published = manifest
                onPublished()
            case .finished(let pruned):
                guard let published else { preconditionFailure("it ends behind its publication") }
                try host.pruneHistory(pruned, taking.retention)
                return published
            }
        }
    }
}

/// Snapshots that a full disk asks for, so that the journal can let go of segments: the first frees
/// what only the one before it needed, the second the rest. More would free nothing.
private struct FullDiskRelief {
    private var takenCount = 0

    /// Whether to take one now; says so twice at the most while the disk is full.
    mutating func isDue(isFull: Bool, hasRoom: @autoclosure () -> Bool) -> Bool {
        guard isFull else {
            takenCount = 0
            return false
        }
        guard takenCount < 2, hasRoom() else { return false }
        takenCount += 1
        return true
    }
}

/// The service as a snapshot sees it.
private struct KeeperHost: SnapshotHost {
    let engine: Engine
    let journal: Journal
    let clock: ServiceClock
    let history: HistoryKeeper
    let folder: String
    let freezing: (Int) -> (shard: FrozenShard, head: StreamHead)?
    let thawing: (Int) -> Void
    let shouldContinue: () -> Bool

    /// Why the history could not be brought up to date.
    private(set) var historyFailure: String?
    private var isTrimmed = false

    init(
        engine: Engine, journal: Journal, clock: ServiceClock, history: HistoryKeeper,
        folder: String, freezing: @escaping (Int) -> (shard: FrozenShard, head: StreamHead)?,
        thawing: @escaping (Int) -> Void, shouldContinue: @escaping () -> Bool
    ) {
        self.engine = engine
        self.journal = journal
        self.clock = clock
        self.history = history
        self.folder = folder
        self.freezing = freezing
        self.thawing = thawing
        self.shouldContinue = shouldContinue
    }

    var now: Milliseconds { clock.now(.current) }

    /// The snapshots that the history builds on.
    var bases: Set<UInt64> { history.bases(among: SnapshotKeeper.manifests(in: folder)) }

    func freeze(_ shard: Int) -> (shard: FrozenShard, head: StreamHead)? { freezing(shard) }

    func thaw(_ shard: Int) { thawing(shard) }

    func durableSequence(of stream: UInt16) -> UInt64 { journal.durableSequence(of: stream) }

    /// The history takes what the journal is to forget. What it cannot take stays in the journal; the
    /// next snapshot tries again.
    mutating func trim(through sequences: [UInt64]) {
        do throws(HistoryError) {
            try history.keep(through: sequences, shouldContinue)
            journal.trim(through: sequences)
            isTrimmed = true
        } catch { note(error) }
    }

    /// Removes what has become too old of the history, once the journal was trimmed.
    mutating func pruneHistory(
        _ pruned: Pruned, _ retention: Retention
    ) throws(SnapshotError) {
        guard isTrimmed, let oldest = pruned.whole.last else { return }
        let reader = SnapshotReader(in: folder)
        let recent = Set(try reader.numbers().prefix(retention.countMax))
            .union(pruned.whole.map(\.number))
        let past = SnapshotKeeper.manifests(in: folder).filter { !recent.contains($0.number) }
        do throws(HistoryError) {
            try history.prune(past, oldest: oldest, in: reader, now: now)
        } catch { note(error) }
    }

    private mutating func note(_ error: HistoryError) {
        if error != .cancelled { historyFailure = error.description }
    }
}

extension Moment {
    /// Now, by the machine's clocks.
    static var current: Moment {
        Moment(
            bootNanoseconds: Clock.bootNanoseconds, wallMilliseconds: Clock.wallMilliseconds)
    }
}
