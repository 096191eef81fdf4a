// The service: an engine, and reactors whose handlers put HTTP in front of it.

internal import Bytes
internal import Columns
internal import Domain
package import Engine
package import History
package import Journal
package import Platform
internal import Snapshot

/// What a service is to be.
package struct ServiceConfiguration: Sendable {
    package var address = Address.loopback(port: 8080)
    package var reactorCount = Machine.processorCount
    package var engine = EngineOptions()
    package var limits = ServerLimits()
    /// Bind reactor n to processor n.
    package var pinsThreads = false
    package var scheme = ListenerScheme.perReactor
    /// How long a shard's inbox may stay full before a stream that waits for it is cut with 429.
    package var patienceMilliseconds = 1000
    /// What is kept on disk; nil: nothing is.
    package var data: DataConfiguration?

    package init() {}
}

/// What a service keeps on disk, and how.
package struct DataConfiguration: Sendable {
    /// The folder; made if it is not there.
    package var path: String
    /// Of a new directory; nil: the default.
    package var shardCount: Int?
    package var durability = Durability.sync
    /// Bytes of a segment of the journal, a multiple of 4096, and of the space that is kept for a
    /// full disk.
    package var segmentByteCount = 64 << 20
    package var ballastByteCount = 64 << 20
    package var snapshots = SnapshotSchedule()
    package var history = HistoryLimits()

    /// Bytes that a segment may have: from what holds two of the largest frames with their marks.
    package static let segmentByteCounts = 2 * frameByteCountMax + (1 << 20)...1 << 30

    package init(path: String) { self.path = path }
}

/// A running Holdfast: start it, load it, ask it where it listens, drain it, join it, close it.
package final class HoldfastService: Sendable {
    package let engine: Engine
    private let server: Server
    private let shared: SharedService
    private let data: (configuration: DataConfiguration, directory: DataDirectory)?

    /// Takes the data directory, if there is to be one; nothing is loaded yet.
    package convenience init(_ configuration: ServiceConfiguration) throws(StartError) {
        var directory: DataDirectory?
        if let data = configuration.data {
            directory = try DataDirectory(data.path, shardCount: data.shardCount)
        }
        do throws(SystemError) {
            try self.init(configuration, directory)
        } catch { throw StartError(error.description) }
    }

    private init(
        _ configuration: ServiceConfiguration, _ directory: DataDirectory?
    ) throws(SystemError) {
        var random = SystemRandomNumberGenerator()
        var options = configuration.engine
        if let directory { options.shardCount = directory.shardCount }
        engine = try Engine(
            options: options, reactorCount: configuration.reactorCount,
            hasher: directory?.hasher ?? KeyedHash(using: &random))
        if let data = configuration.data, let directory {
            self.data = (data, directory)
        } else {
            data = nil
        }
        var server = ServerConfiguration(
            address: configuration.address, reactorCount: configuration.reactorCount)
        server.scheme = configuration.scheme
        server.limits = configuration.limits
        server.pinsThreads = configuration.pinsThreads
        server.routeCount = Route.allCases.count
        self.server = try Server(server)
        shared = SharedService(
            engine: engine, seats: self.server.seats,
            state: ServiceState(
                identity: directory?.identity ?? random.next(),
                durability: configuration.data?.durability),
            patience: Milliseconds(configuration.patienceMilliseconds),
            start: .current)
    }

    /// Listens; returns at once. Without a data directory it serves, with one it says that it is not
    /// ready until `load` has ended.
    package func start() throws(SystemError) {
        let shared = shared
        try server.start { seat in ServiceHandler(shared, seat: seat) }
    }

    package var state: ServiceState { shared.state }

    /// Loads what the data directory keeps, and begins to serve.
    package func load() throws(StartError) -> RecoverySummary {
        guard let data else { return RecoverySummary() }
        return try load(data.configuration, data.directory)
    }

    private func load(
        _ configuration: DataConfiguration, _ directory: DataDirectory
    ) throws(StartError) -> RecoverySummary {
        var summary = RecoverySummary()
        let start = Clock.monotonicNanoseconds
        do throws(SnapshotError) {
            try loadSnapshot(directory.snapshotsPath, &summary)
        } catch { throw StartError("\(directory.snapshotsPath): \(error)") }
        let loaded = Clock.monotonicNanoseconds
        summary.snapshotMilliseconds = Int((loaded - start) / 1_000_000)
        let crew: ReplayCrew
        do throws(SystemError) { crew = try ReplayCrew(engine) } catch {
            throw StartError(error.description)
        }
        var replay = TailReplay(engine, behind: summary.snapshot, crew: crew)
        // Its threads end whatever comes.
        defer { try? replay.finish() }
        let journal: Journal
        do throws(JournalError) {
            journal = try Journal(
                folder: directory.journalPath, self.configuration(configuration),
                doorbells: doorbells, starting: replay.starting,
                verified: { (extents) throws(JournalError) in
                    try replay.finish()
                    try replay.check(extents)
                },
                { (header, frame) throws(JournalError) in
                    try replay.apply(header, frame)
                    shared.state.replayedFrameCount += 1
                })
        } catch { throw StartError("\(directory.journalPath): \(error)") }
        summary.journal = journal.report
        summary.factCount = replay.factCount
        summary.frameCount = replay.frameCount
        summary.newestTime = replay.newestTime
        let replayed = Clock.monotonicNanoseconds
        summary.replayMilliseconds = Int((replayed - loaded) / 1_000_000)
        if let newest = replay.newestTime { shared.clock.raise(to: newest, at: .current) }
        engine.adoptEverywhere(engine.master.policy(now: shared.clock.now(.current)))
        summary.rulesMilliseconds = Int((Clock.monotonicNanoseconds - replayed) / 1_000_000)
        do throws(SystemError) {
            try begin(
                journal, configuration, directory,
                isUnchanged: summary.snapshot != nil && summary.frameCount == 0)
        } catch { throw StartError(error.description) }
        return summary
    }

    private func loadSnapshot(
        _ folder: String, _ summary: inout RecoverySummary
    ) throws(SnapshotError) {
        let (snapshot, passedOver) = try SnapshotReader(in: folder).newestToStay()
        summary.passedOver = passedOver
        guard let snapshot else { return }
        try snapshot.load(
            into: engine, now: max(snapshot.manifest.time, shared.clock.now(.current)))
        summary.snapshot = snapshot.manifest
    }

    /// Everything is loaded: the journal is written from here on, and calls are answered.
    private func begin(
        _ journal: Journal, _ configuration: DataConfiguration, _ directory: DataDirectory,
        isUnchanged: Bool
    ) throws(SystemError) {
        let changes = journal.extents.prefix(engine.shardCount).reduce(0) { $0 + $1.head.sequence }
        engine.resume(changeCount: changes)
        engine.attach { journal.writer(of: $0) }
        let shared = shared
        let keeper = SnapshotKeeper(
            engine: engine, journal: journal, folder: directory.snapshotsPath,
            history: HistoryKeeper(directory, configuration.history),
            schedule: configuration.snapshots, clock: shared.clock, freezes: shared.freezes,
            isUnchanged: isUnchanged
        ) { shared.seats[shared.owner(ofShard: $0)].bell }
        try keeper.start()
        shared.state.begin(
            journal, keeper, PastReader(engine, directory),
            LongCalls(LongCallSource(engine, journal, keeper, directory)), changes: changes)
        shared.ringAll()
    }

    private func configuration(_ data: DataConfiguration) -> JournalConfiguration {
        var journal = JournalConfiguration()
        journal.shardCount = engine.shardCount
        journal.durability = data.durability
        journal.segmentByteCount = data.segmentByteCount
        journal.ballastByteCount = data.ballastByteCount
        journal.frameByteCountMax = frameByteCountMax
        return journal
    }

    /// The bells of the threads that own the shards, and then of the one that looks after the
    /// control stream.
    private var doorbells: [Doorbell?] {
        (0..<engine.shardCount).map { shared.seats[shared.owner(ofShard: $0)].bell }
            + [shared.seats[0].bell]
    }

    /// Where it listens, once started.
    package var address: Address { server.address }

    /// No new connections; requests under way are answered, but for long calls, then all ends.
    package func drain() {
        shared.state.longCalls?.giveUp()
        server.drain()
    }

    /// Ends at once.
    package func stop() { server.stop() }

    /// Waits for the end of the reactors.
    package func join() { server.join() }

    /// Takes a last snapshot and closes the journal in order, after `join`. Again: nothing.
    ///
    /// - Parameter shouldContinue: Asked now and then; no gives the snapshot up.
    /// - Returns: What became of the snapshot; nil when nothing has changed since the one before.
    package func close(
        _ shouldContinue: @escaping () -> Bool = { true }
    ) -> SnapshotOutcome? {
        guard let journal = shared.state.journal else { return nil }
        shared.state.past?.end()
        shared.state.longCalls?.end()
        shared.state.snapshots?.end()
        var outcome: SnapshotOutcome?
        if !journal.isFenced {
            outcome = shared.state.snapshots?.takeLast(shouldContinue)
        }
        journal.close()
        return outcome
    }

    package var counts: ReactorCounts { server.counts }

    package func latency(_ route: Route) -> LatencyHistogram {
        server.latency(route: Int(route.rawValue))
    }
}

/// Bytes of the largest frame: the facts of a batch with the largest text (`CommandBatch`), or of a
/// document of `BodyLimits`, whose facts are no longer than its JSON but for names told twice.
private let frameByteCountMax = 2 << 20

/// What the handlers of all reactors share. Immutable, or safe for any thread.
final class SharedService: Sendable {
    let engine: Engine
    let seats: [ReactorSeat]
    let clock: ServiceClock
    let start: Moment
    let state: ServiceState
    let freezes = FreezeRequests()
    let sources: SourceWatch
    /// How long a stream waits for room.
    let patience: Milliseconds

    init(
        engine: Engine, seats: [ReactorSeat], state: ServiceState, patience: Milliseconds,
        start: Moment
    ) {
        self.engine = engine
        self.seats = seats
        self.state = state
        self.patience = patience
        self.start = start
        clock = ServiceClock(start)
        sources = SourceWatch(since: clock.now(start))
    }

    /// The reactor that owns a shard.
    func owner(ofShard shard: Int) -> Int { shard % seats.count }

    /// Wakes all reactors: something that concerns every shard has changed.
    func ringAll() { for seat in seats { seat.bell.ring() } }
}
