// One life of an engine: attached to a journal that is stepped by hand.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Journal
internal import Snapshot

struct Machine: ~Copyable {
    let engine: Engine
    var core: JournalCore<SimulatedStorage>
    /// The snapshot that is being taken.
    var taking: SnapshotTaking?
    var now: Milliseconds
    /// The marker that a shard was frozen at in the last step of a snapshot.
    var marker: (shard: Int, sequence: UInt64)?
    /// What the journal was told to forget, and has not yet.
    private var trims: [[UInt64]] = []
    private var policy: Policy

    /// Puts an engine that was brought up from `core` to work.
    init(_ engine: Engine, _ core: consuming JournalCore<SimulatedStorage>, now: Milliseconds) {
        self.engine = engine
        self.now = now
        policy = Self.derive(engine, now: now)
        let writers = core
        engine.attach { writers.writer(of: $0) }
        self.core = writers
    }

    /// Derives what follows from the rules in force, everywhere.
    static func derive(_ engine: Engine, now: Milliseconds) -> Policy {
        let policy = engine.master.policy(now: now)
        engine.adoptEverywhere(policy)
        return policy
    }

    var isTakingFrames: Bool { core.state.rawValue <= JournalState.full.rawValue }

    /// What a reactor does between two turns.
    ///
    /// - Returns: Whether a rule came into force or ended.
    mutating func refreshPolicy(now: Milliseconds) -> Bool {
        if engine.master.generation != policy.generation { policy = engine.master.policy(now: now) }
        let isPast = now >= policy.nextBoundary
        engine.master.advance(to: now, past: policy.nextBoundary)
        if engine.master.generation != policy.generation { policy = engine.master.policy(now: now) }
        return isPast
    }

    /// Brings a part of the newest policy into a shard; whether there is more to do.
    func adoptSlice(_ shard: Int) -> Bool { engine.adopt(policy, shard: shard) }

    mutating func adoptAll(now: Milliseconds) {
        _ = refreshPolicy(now: now)
        engine.adoptEverywhere(policy)
    }

    var hasTrims: Bool { !trims.isEmpty }

    /// Has the journal forget what it was told to, as its thread does before it works.
    ///
    /// - Returns: Segments removed.
    mutating func trim() -> Int {
        var removed = 0
        for sequences in trims { removed += (try? core.trim(through: sequences)) ?? 0 }
        trims = []
        return removed
    }
}

extension Machine: SnapshotHost {
    mutating func freeze(_ shard: Int) -> (shard: FrozenShard, head: StreamHead)? {
        guard let frozen = engine.withShard(shard, { $0.freezeAtMarker(time: now) }) else {
            return nil
        }
        engine.noteMarker()
        marker = (shard, frozen.1.sequence)
        return (shard: frozen.0, head: frozen.1)
    }

    mutating func thaw(_ shard: Int) { engine.withShard(shard) { $0.thaw() } }

    func durableSequence(of stream: UInt16) -> UInt64 { core.durableSequence(of: stream) }

    mutating func trim(through sequences: [UInt64]) { trims.append(sequences) }
}
