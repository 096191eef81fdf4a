// What ties a shard to the journal: room before a batch is decided, its facts as one frame, and
// replies that wait until what they say may be told.
//
//     admit ── no room: the batch waits, or is refused
//     apply ── decide, evolve, facts
//     append ── one frame with the time of the batch
//     hold ── the reply, until the frame and all before it are acknowledged

internal import Bytes
internal import Columns
internal import Domain
package import Journal

/// Replies in the order of the frames that they wait for.
struct HeldReplies {
    // Those before `first` have left.
    private(set) var replies: [(sequence: UInt64, word: UInt64)] = []
    private var first = 0

    var isEmpty: Bool { first == replies.count }

    /// The frame that the first reply waits for; nil when there is none.
    var frontSequence: UInt64? { isEmpty ? nil : replies[first].sequence }

    mutating func append(_ word: UInt64, after sequence: UInt64) {
        // Also where some are always held: what has left takes no more than what is there.
        if first >= 64, first * 2 >= replies.count {
            replies.removeFirst(first)
            first = 0
        }
        replies.append((sequence, word))
    }

    mutating func removeFirst() -> UInt64 {
        defer {
            first += 1
            if first == replies.count {
                replies.removeAll(keepingCapacity: true)
                first = 0
            }
        }
        return replies[first].word
    }
}

/// A writer that can be there or not, and be asked while it is.
///
/// Unchecked: it belongs to a shard's owner, or is used under the lock of shared data.
final class StreamEnd: @unchecked Sendable {
    var writer: StreamWriter

    init(_ writer: consuming StreamWriter) { self.writer = writer }
}

extension Shard {
    /// Whether a batch may be decided.
    enum Admission {
        case go
        /// The journal thread has to catch up, or to enlarge the journal.
        case wait
        case refused(Outcome)
    }

    /// Takes space for the facts of a batch, before anything is decided.
    func admit(_ batch: borrowing CommandBatch) -> Admission {
        guard let journal else { return .go }
        if journal.writer.state.rawValue >= JournalState.failed.rawValue,
            !defects.has(.readOnlyIgnored)
        {
            return .refused(.readOnly)
        }
        let byteCount = FactFormat.byteCountMax(
            commandCount: batch.commands.count, textByteCount: batch.text.count)
        guard journal.writer.hasRoom(payloadByteCount: byteCount) else { return .wait }
        if journal.writer.reserve(payloadByteCount: byteCount) { return .go }
        let isFull = journal.writer.state == .full && !defects.has(.fullTakenForBusy)
        return isFull ? .refused(.journalFull) : .wait
    }

    /// Applies a batch that was admitted and appends its facts to the journal.
    ///
    /// - Returns: Whether anything changed.
    mutating func applyAndAppend(_ batch: inout CommandBatch) -> Bool {
        apply(&batch)
        guard let journal else { return true }
        defer { if !defects.has(.reserveKept) { journal.writer.releaseReserve() } }
        if keptFacts.isEmpty { return false }
        let sequence = journal.writer.sequence
        let appended = journal.writer.append(
            after: sequence, firstEvent: eventCount, eventCount: keptCommandCount,
            time: batch.now, payload: keptFacts.span)
        eventCount += UInt64(keptCommandCount)
        keptFacts.removeAll()
        keptCommandCount = 0
        switch appended {
        case .taken: break
        case .failed: batch.refuse(.unknown)
        case .busy, .fenced: fatalError("a frame was refused that there was room for")
        }
        return true
    }

    /// Holds the reply back, unless all that the shard has decided so far is acknowledged.
    ///
    /// A repeat, or a refusal, may rest on a frame that is under way still, and waits with it.
    ///
    /// - Returns: Whether it is held.
    mutating func hold(_ word: UInt64) -> Bool {
        guard let journal, !defects.has(.replyNotHeld) else { return false }
        if defects.has(.onlyFirstReplyHeld), !heldReplies.isEmpty { return false }
        let sequence = journal.writer.sequence
        if heldReplies.isEmpty, journal.writer.acknowledgement(of: sequence) == .given {
            return false
        }
        heldReplies.append(word, after: sequence)
        return true
    }

    /// Whether the first reply that is held may leave.
    var canRelease: Bool {
        guard let sequence = heldReplies.frontSequence, let journal else { return false }
        return journal.writer.acknowledgement(of: sequence) != .pending
    }

    /// The next reply that may leave; nil when there is none.
    mutating func takeReleased() -> (word: UInt64, isUnknown: Bool)? {
        guard let sequence = heldReplies.frontSequence, let journal else { return nil }
        switch journal.writer.acknowledgement(of: sequence) {
        case .pending: return nil
        case .given: return (heldReplies.removeFirst(), false)
        case .unknown:
            return (heldReplies.removeFirst(), !defects.has(.unknownTakenForGiven))
        }
    }
}

extension Engine {
    /// Has every shard, and shared data, write to a journal from here on.
    ///
    /// - Parameter writer: The writer of a stream; called once for each.
    package func attach(_ writer: (_ stream: UInt16) -> StreamWriter) {
        for number in 0..<shardCount {
            withShard(number) { shard in
                shard.journal = StreamEnd(writer(UInt16(number)))
                shard.keepsFacts = true
            }
        }
        master.attach(writer(StreamNumber.control))
    }
}
