// What long calls read of a service: files that stay while they are read, up to what is durable.

internal import Bytes
internal import Dispatch
internal import Domain
internal import Engine
internal import Journal
internal import Platform
internal import Snapshot

/// The data directory of one service, as long calls see it. Any thread but reactors.
final class LongCallSource: Sendable {
    private let engine: Engine
    private let journal: Journal
    private let snapshots: SnapshotKeeper
    private let directory: StoredDirectory
    /// Whoever loads a state of the past has it: it takes as much memory as the service's own.
    private let statePermit = DispatchSemaphore(value: 0)

    init(
        _ engine: Engine, _ journal: Journal, _ snapshots: SnapshotKeeper,
        _ directory: DataDirectory
    ) {
        self.engine = engine
        self.journal = journal
        self.snapshots = snapshots
        self.directory = StoredDirectory(directory)
        statePermit.signal()
    }

    /// Where a call may keep what it is sent.
    var temporaryPath: String { "\(directory.path)/\(DataDirectory.temporaryName)" }

    /// How late a count may come.
    var lateWindow: Milliseconds { engine.options.lateWindow }

    /// The directory with all that has been acknowledged by now, and nothing that is not durable.
    func pinned(for pieces: AnswerPieces) throws(RequestRefusal) -> PinnedDirectory {
        var source = directory
        source.durable = try durableSequences(for: pieces)
        do throws(StartError) { return try PinnedDirectory(source) } catch {
            throw RequestRefusal(503, "not_readable", error.description)
        }
    }

    /// Runs `body` with the state of a moment.
    ///
    /// - Parameter skus: Those that are asked for; nil: all.
    func withState(
        at moment: PastMoment, skus: [String]? = nil, for pieces: AnswerPieces,
        _ body: (StoredState, StoredDirectory) throws(RequestRefusal) -> Void
    ) throws(RequestRefusal) {
        statePermit.wait()
        defer { statePermit.signal() }
        let pinned = try pinned(for: pieces)
        try withExtendedLifetime(pinned) { () throws(RequestRefusal) in
            let state: StoredState
            do throws(StartError) {
                state = try pinned.directory.load(at: moment, lateWindow: lateWindow, skus: skus) {
                    !pieces.isGivenUp
                }
            } catch { throw RequestRefusal(error, pinned.directory) }
            try body(state, pinned.directory)
        }
    }

    /// Runs `body` with a snapshot of now.
    func withSnapshot(
        for pieces: AnswerPieces,
        _ body: (UInt64, StoredDirectory) throws(RequestRefusal) -> Void
    ) throws(RequestRefusal) {
        let ticket = snapshots.ask()
        while true {
            switch snapshots.outcome(ticket) {
            case .published(let manifest, _):
                let pinned = try pinned(for: pieces)
                return try withExtendedLifetime(pinned) { () throws(RequestRefusal) in
                    try body(manifest.number, pinned.directory)
                }
            case .failed(let reason): throw RequestRefusal(503, "snapshot_failed", reason)
            case nil:
                if pieces.isGivenUp { throw .givenUp }
                Thread.sleep(milliseconds: 2)
            }
        }
    }

    /// Waits until all that happened before is durable.
    ///
    /// - Returns: Of each shard, then of the control stream.
    @discardableResult
    func durableSequences(for pieces: AnswerPieces) throws(RequestRefusal) -> [UInt64] {
        let (changes, shared) = (engine.changeCount, engine.master.sequence)
        while true {
            if journal.isFenced {
                throw RequestRefusal(
                    503, "read_only", "the journal has failed: nothing is told that may not be kept"
                )
            }
            // Shared data last: it has all names that the shards' frames use.
            let sequences = (0..<engine.shardCount).map { journal.durableSequence(of: UInt16($0)) }
            let control = journal.durableSequence(of: StreamNumber.control)
            if sequences.reduce(0, +) >= changes, control >= shared { return sequences + [control] }
            if pieces.isGivenUp { throw .givenUp }
            journal.sync()
            Thread.sleep(milliseconds: 1)
        }
    }
}

extension RequestRefusal {
    /// Nobody waits for the answer.
    static var givenUp: RequestRefusal { RequestRefusal(503, "given_up", "nobody waits for it") }

    /// What keeps a moment from being told, without the path that it was read by.
    init(_ error: StartError, _ directory: StoredDirectory) {
        let detail = error.description.replacing(directory.path + ": ", with: "")
            .replacing(directory.path + "/", with: "")
        if error.isOutOfReach {
            self.init(404, "moment_not_kept", detail)
        } else {
            self.init(503, "not_readable", detail)
        }
    }
}
