// One life of an engine: attached to a journal that is stepped by hand.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Journal

struct Machine: ~Copyable {
    let engine: Engine
    var core: JournalCore<SimulatedStorage>
    private var policy: Policy

    /// Puts an engine that was brought up from `core` to work.
    init(_ engine: Engine, _ core: consuming JournalCore<SimulatedStorage>, now: Milliseconds) {
        self.engine = engine
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
}
