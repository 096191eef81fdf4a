// One snapshot from its first freeze to what it makes needless, one step at a time:
//
//     for each shard: freeze at a marker · write its tables · thaw
//     shared data · wait until the journal is durable past all marks · publish
//     prune · trim the journal by what the two newest whole ones hold
//
// A plain struct that starts nothing and waits for nothing: the service's thread steps it, and so
// does the simulation. Shards are frozen one after the other, so that only one at a time copies pages
// before it writes to them. Shared data follows, so every name that a shard uses is in it.

package import Bytes
package import Engine
package import Journal

/// What a snapshot needs of the owners of shards and of the journal.
package protocol SnapshotHost: ~Copyable {
    var engine: Engine { get }

    /// Service time.
    var now: Milliseconds { get }

    /// Snapshots that stay whatever the limits say.
    var bases: Set<UInt64> { get }

    /// Has a shard frozen at a marker of its stream.
    ///
    /// - Returns: nil to give the snapshot up.
    mutating func freeze(_ shard: Int) -> (shard: FrozenShard, head: StreamHead)?
    mutating func thaw(_ shard: Int)

    /// The newest sequence of a stream that survives a loss of power.
    func durableSequence(of stream: UInt16) -> UInt64

    /// Has the journal forget what lies before `sequences`: of each shard, then of the control
    /// stream.
    mutating func trim(through sequences: [UInt64])
}

extension SnapshotHost where Self: ~Copyable {
    package var bases: Set<UInt64> { [] }
}

/// What a step did.
package enum SnapshotProgress: Sendable {
    case worked
    /// The journal is not durable past all marks yet; nothing was done.
    case waiting
    case published(Manifest)
    /// Nothing is left to do.
    case finished(Pruned)
}

/// A snapshot that is being taken, by one thread.
package struct SnapshotTaking: ~Copyable {
    private enum Stage {
        case freeze(Int)
        case write(FrozenShard, StreamHead)
        case shared
        case wait
        case prune
    }

    private let place: SnapshotPlace
    package let retention: Retention
    private let shardCount: Int
    private var writer: SnapshotWriter
    private var stage = Stage.freeze(0)
    private var heads: [StreamHead] = []
    private var master: (master: FrozenMaster, head: StreamHead)?
    /// When the last of what it holds had been frozen.
    private var frozenBy: Milliseconds?
    package private(set) var isPublished = false

    /// Begins the next snapshot; removes what earlier ones left unfinished.
    ///
    /// - Parameters:
    ///   - retention: Which snapshots stay behind it.
    ///   - shouldContinue: Asked before each chunk of a file; no gives the snapshot up.
    package init(
        in place: SnapshotPlace, keeping retention: Retention,
        _ host: borrowing some SnapshotHost & ~Copyable,
        shouldContinue: @escaping () -> Bool = { true }
    ) throws(SnapshotError) {
        self.place = place
        self.retention = retention
        shardCount = host.engine.shardCount
        writer = try SnapshotWriter(
            in: place, shardCount: shardCount, time: host.now, shouldContinue: shouldContinue)
    }

    package var number: UInt64 { writer.number }

    /// The shard that is frozen now.
    package var frozenShard: Int? {
        if case .write(let frozen, _) = stage { frozen.number } else { nil }
    }

    /// All is written: what is left is its publication, once the journal is far enough, and the rest.
    package var isWritten: Bool {
        if case .wait = stage { true } else { false }
    }

    /// Does the next thing.
    ///
    /// - Throws: When it fails. A snapshot that was not published is to be abandoned then.
    package mutating func step(
        _ host: inout some SnapshotHost & ~Copyable
    ) throws(SnapshotError) -> SnapshotProgress {
        switch stage {
        case .freeze(let shard): try freeze(shard, &host)
        case .write(let frozen, let head): try write(frozen, head, &host)
        case .shared: try writeShared(host)
        case .wait: return try publish(&host)
        case .prune: return .finished(try forgetWhatIsOld(&host))
        }
        return .worked
    }

    private mutating func freeze(
        _ shard: Int, _ host: inout some SnapshotHost & ~Copyable
    ) throws(SnapshotError) {
        if shard == 0, place.defects.has(.sharedDataFirst) { master = host.engine.master.freeze() }
        guard let frozen = host.freeze(shard) else { throw .cancelled }
        heads.append(frozen.head)
        stage = .write(frozen.shard, frozen.head)
    }

    private mutating func write(
        _ frozen: FrozenShard, _ head: StreamHead, _ host: inout some SnapshotHost & ~Copyable
    ) throws(SnapshotError) {
        let next = frozen.number + 1
        stage = next < shardCount ? .freeze(next) : .shared
        // Behind the last read of what is frozen.
        defer { host.thaw(frozen.number) }
        var frozen = frozen
        if place.defects.has(.tablesAheadOfMark) {
            host.thaw(frozen.number)
            frozen = host.freeze(frozen.number)?.shard ?? frozen
        }
        let policy = host.engine.master.policy(now: host.now)
        try writer.write(frozen, of: host.engine, policy, at: StreamMark(head))
    }

    private mutating func writeShared(
        _ host: borrowing some SnapshotHost & ~Copyable
    ) throws(SnapshotError) {
        let (master, head) = master ?? host.engine.master.freeze()
        heads.append(head)
        frozenBy = host.now
        try writer.write(master, at: StreamMark(head))
        stage = .wait
    }

    private mutating func publish(
        _ host: inout some SnapshotHost & ~Copyable
    ) throws(SnapshotError) -> SnapshotProgress {
        let isDurable = heads.indices.allSatisfy { index in
            let stream = index < shardCount ? UInt16(index) : StreamNumber.control
            return host.durableSequence(of: stream) >= heads[index].sequence
        }
        guard isDurable || place.defects.has(.publishedTooSoon) else { return .waiting }
        if place.defects.has(.trimmedBeforePublication) {
            host.trim(through: heads.map(\.sequence))
        }
        let manifest = try writer.publish(frozenBy: frozenBy)
        isPublished = true
        stage = .prune
        return .published(manifest)
    }

    /// Removes old snapshots, and what the two newest whole ones do not need of the journal.
    private func forgetWhatIsOld(
        _ host: inout some SnapshotHost & ~Copyable
    ) throws(SnapshotError) -> Pruned {
        var retention = retention
        if place.defects.has(.onlyOneKept) { retention = Retention(wholeCountMin: 1, countMax: 1) }
        let pruned = try SnapshotReader(place).prune(
            keeping: retention, bases: host.bases, now: host.now)
        guard pruned.whole.count >= retention.wholeCountMin, let oldest = pruned.whole.last else {
            return pruned
        }
        let needed = place.defects.has(.trimmedToNewest) ? pruned.whole[0] : oldest
        host.trim(through: needed.shards.map(\.sequence) + [needed.control.sequence])
        return pruned
    }

    /// Gives up: thaws what is frozen, and removes what was written unless it is published.
    package consuming func abandon(
        _ host: inout some SnapshotHost & ~Copyable
    ) throws(SnapshotError) {
        if case .write(let frozen, _) = stage { host.thaw(frozen.number) }
        if !isPublished { try writer.abandon() }
    }
}
