// What every reactor must know of the service's life: whether it serves yet, and its journal.

internal import Bytes
package import Journal
internal import Synchronization

/// Where a service is in its life, and what its answers may promise. Any thread.
package final class ServiceState: Sendable {
    private let ready: Atomic<Bool>
    private let replayed = Atomic<UInt64>(0)
    private let opened = Mutex<Journal?>(nil)
    private let keeping = Mutex<SnapshotKeeper?>(nil)
    private let remembering = Mutex<PastReader?>(nil)
    private let answering = Mutex<LongCalls?>(nil)
    /// When answers to writers leave; nil: stock is in memory only.
    package let durability: Durability?

    // What marks begin with: the directory (or this life), the generation of its journal, and the
    // changes there were when the generation began.
    private let identity: UInt64
    private let generation = Atomic<UInt64>(1)
    private let changesBefore = Atomic<UInt64>(0)

    init(identity: UInt64, durability: Durability?) {
        self.identity = identity
        self.durability = durability
        ready = Atomic(durability == nil)
    }

    /// Whether all that was kept is loaded. Acquire: who sees it sees what was loaded.
    package var isReady: Bool { ready.load(ordering: .acquiring) }

    /// Frames applied so far, while the service starts.
    package var replayedFrameCount: UInt64 {
        get { replayed.load(ordering: .relaxed) }
        set { replayed.store(newValue, ordering: .relaxed) }
    }

    /// nil as long as the service starts, and where there is none.
    var journal: Journal? { opened.withLock { $0 } }

    var snapshots: SnapshotKeeper? { keeping.withLock { $0 } }

    /// nil likewise.
    var past: PastReader? { remembering.withLock { $0 } }
    var longCalls: LongCalls? { answering.withLock { $0 } }

    /// What can be asked of it now.
    enum Status {
        case ok, starting, journalFull, readOnly

        var name: StaticString {
            switch self {
            case .ok: "ok"
            case .starting: "starting"
            case .journalFull: "journal_full"
            case .readOnly: "read_only"
            }
        }
    }

    var status: Status {
        guard isReady else { return .starting }
        guard let journal else { return .ok }
        switch journal.state {
        case .open: return .ok
        // What was prepared while there was space still takes writes.
        case .full: return journal.isUsedUp ? .journalFull : .ok
        case .failed, .closed: return .readOnly
        }
    }

    func begin(
        _ journal: Journal, _ keeper: SnapshotKeeper, _ past: PastReader, _ longCalls: LongCalls,
        changes: UInt64
    ) {
        opened.withLock { $0 = journal }
        keeping.withLock { $0 = keeper }
        remembering.withLock { $0 = past }
        answering.withLock { $0 = longCalls }
        generation.store(journal.generation, ordering: .relaxed)
        changesBefore.store(changes, ordering: .relaxed)
        // Release: pairs with `isReady`.
        ready.store(true, ordering: .releasing)
    }

    // MARK: - Marks

    /// Appends the mark of so many changes.
    func append(mark changes: UInt64, to output: inout ByteBuffer) {
        output.append(hexadecimal: identity)
        output.append(UInt8(ascii: "-"))
        output.append(decimal: Int64(truncatingIfNeeded: generation.load(ordering: .relaxed)))
        output.append(UInt8(ascii: "-"))
        output.append(decimal: Int64(truncatingIfNeeded: changes))
    }

    /// Whether a mark of ours is reached, after so many changes.
    ///
    /// Memory is never behind an answer, so each mark of this life is. One of an earlier life is,
    /// unless it was of changes that nobody was promised and that did not survive.
    func isReached(_ mark: Span<UInt8>, changes: UInt64) -> Bool {
        var own = ByteBuffer(capacity: 40)
        own.append(hexadecimal: identity)
        own.append(UInt8(ascii: "-"))
        guard mark.count > own.count, mark.extracting(first: own.count).equals(own.span) else {
            return false
        }
        let rest = mark.from(own.count)
        let dash = rest.firstOffset(of: UInt8(ascii: "-"), from: 0)
        guard dash < rest.count, let life = rest.extracting(first: dash).decimalInteger(),
            let count = rest.from(dash + 1).decimalInteger(), life >= 0, count >= 0
        else { return false }
        let current = generation.load(ordering: .relaxed)
        if UInt64(life) == current { return UInt64(count) <= changes }
        return UInt64(life) < current
            && UInt64(count) <= changesBefore.load(ordering: .relaxed)
    }
}
