// The end of a journal that a shard's owner holds.

internal import Bytes
internal import Platform

/// Appends the frames of one stream. One thread owns it; nothing here waits, locks or allocates.
///
/// The owner reserves space before it decides, appends what it has decided, gives back what is left
/// of the reserve, and later compares the sequences it was given with what became durable.
package struct StreamWriter: ~Copyable {
    package let stream: UInt16
    private let outbox: Outbox
    private let shared: SharedState
    private let configuration: JournalConfiguration
    private let doorbell: Doorbell?
    private var head: StreamHead
    private let generation: UInt64
    private var reservedByteCount = 0

    init(
        stream: UInt16, outbox: Outbox, shared: SharedState, configuration: JournalConfiguration,
        head: StreamHead, generation: UInt64, doorbell: Doorbell?
    ) {
        self.stream = stream
        self.outbox = outbox
        self.shared = shared
        self.configuration = configuration
        self.head = head
        self.generation = generation
        self.doorbell = doorbell
    }

    /// The sequence of the newest frame appended.
    package var sequence: UInt64 { head.sequence }

    /// The hash of the newest frame appended.
    package var chainHash: UInt64 { head.hash }

    /// The newest frame appended.
    package var streamHead: StreamHead { head }

    /// Bytes of payload of the largest frame.
    package var payloadByteCountMax: Int {
        configuration.frameByteCountMax - FrameHeader.byteCount
    }

    package var releasedSequence: UInt64 { outbox.releasedSequence }
    package var durableSequence: UInt64 { outbox.durableSequence }
    package var state: JournalState { shared.state }

    /// Sets space aside for a frame with so many bytes of payload at most.
    ///
    /// - Returns: False: the journal is full, or being enlarged, or takes no frames any more.
    package mutating func reserve(payloadByteCount: Int) -> Bool {
        reserve(payloadByteCount, leaving: configuration.markerRoom)
    }

    /// Sets space aside for a marker frame, also where facts find none any more.
    package mutating func reserveMarker() -> Bool { reserve(0, leaving: 0) }

    private mutating func reserve(_ payloadByteCount: Int, leaving spare: Int) -> Bool {
        let byteCount = FrameHeader.frameByteCount(payload: payloadByteCount)
        precondition(byteCount <= configuration.frameByteCountMax)
        let cost = configuration.cost(ofFrame: byteCount)
        guard shared.state.rawValue <= JournalState.full.rawValue,
            shared.reserve(cost, leaving: spare)
        else { return false }
        reservedByteCount += cost
        return true
    }

    /// Whether a frame with so many bytes of payload can be sent now. It stays so until one is.
    package func hasRoom(payloadByteCount: Int) -> Bool {
        outbox.hasRoom(FrameHeader.frameByteCount(payload: payloadByteCount))
    }

    /// Gives back what was reserved and not used.
    package mutating func releaseReserve() {
        if reservedByteCount > 0 { shared.giveBack(reservedByteCount) }
        reservedByteCount = 0
    }

    /// Appends a frame behind sequence `after`, in space reserved before.
    ///
    /// - Parameters:
    ///   - after: Where the caller believes the stream to stand.
    ///   - time: Service time, milliseconds since 1970 UTC.
    /// - Complexity: O(bytes): one copy and one hash.
    package mutating func append(
        _ kind: FrameKind = .facts, after: UInt64, firstEvent: UInt64, eventCount: UInt32,
        time: Int64, payload: Span<UInt8>
    ) -> Appended {
        precondition(!kind.isMark)
        let byteCount = FrameHeader.frameByteCount(payload: payload.count)
        if let refusal = refusal(after: after, byteCount) { return refusal }
        var header = FrameHeader(
            kind, stream: stream, payloadByteCount: payload.count,
            generation: max(generation, head.generation), sequence: head.sequence + 1,
            previousHash: head.hash)
        header.firstEvent = firstEvent
        header.eventCount = eventCount
        header.time = time
        let isPut = outbox.put(byteCount) { ring, offset in
            if byteCount > FrameHeader.byteCount {
                ring.setWord(0, at: offset + byteCount - 8)
                copy(payload, to: ring, at: offset + FrameHeader.byteCount)
            }
            header.seal(ring, at: offset)
            return true
        }
        return sent(isPut, header)
    }

    /// Appends a frame of another journal, byte for byte, at its own sequence.
    ///
    /// - Parameter frame: Header, payload and padding, as a reader delivers them.
    /// - Returns: `fenced` also where the frame does not continue our chain.
    /// - Throws: `damaged` where the bytes are not a whole frame of this stream.
    package mutating func importFrame(_ frame: Span<UInt8>) throws(JournalError) -> Appended {
        let byteCount = frame.count
        guard byteCount >= FrameHeader.byteCount, byteCount & 7 == 0,
            byteCount <= configuration.frameByteCountMax
        else { throw damage() }
        // Checked where it lies in the ring; a frame that is refused is not sent.
        var refused: JournalError?
        var answer: Appended?
        var accepted: FrameHeader?
        let isPut = outbox.put(byteCount) { ring, offset in
            copy(frame, to: ring, at: offset)
            guard let header = FrameHeader(ring, at: offset), header.frameByteCount == byteCount,
                header.stream == stream, !header.kind.isMark,
                frameHash(ring, at: offset, byteCount) == header.hash
            else {
                refused = damage()
                return false
            }
            guard header.previousHash == head.hash, header.generation >= head.generation else {
                answer = .fenced(head: head.sequence)
                return false
            }
            answer = refusal(after: header.sequence &- 1, byteCount)
            accepted = header
            return answer == nil
        }
        if let refused { throw refused }
        if let answer { return answer }
        guard let accepted else { return .busy }
        return sent(isPut, accepted)
    }

    private func damage() -> JournalError {
        .damaged(
            Damage(
                reason: .badFrame, segment: 0, offset: 0, stream: stream,
                sequence: head.sequence + 1))
    }

    private func copy(_ bytes: Span<UInt8>, to ring: borrowing Region, at offset: Int) {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe ring.address(offset, source.count).copyMemory(
                from: start, byteCount: source.count)
        }
    }

    private func refusal(after: UInt64, _ byteCount: Int) -> Appended? {
        guard shared.state.rawValue <= JournalState.full.rawValue else { return .failed }
        guard after == head.sequence else { return .fenced(head: head.sequence) }
        precondition(configuration.cost(ofFrame: byteCount) <= reservedByteCount)
        return nil
    }

    private mutating func sent(_ isPut: Bool, _ header: FrameHeader) -> Appended {
        guard isPut else { return .busy }
        reservedByteCount -= configuration.cost(ofFrame: header.frameByteCount)
        head = StreamHead(
            sequence: header.sequence, hash: header.hash, generation: header.generation)
        return .taken(header.sequence)
    }

    /// Wakes the journal thread, once per turn that appended something.
    package func submit() { doorbell?.ring() }

    /// Whether the answer to what the frame with this sequence says may leave.
    package func acknowledgement(of sequence: UInt64) -> Acknowledgement {
        // In this order: what was released before the journal failed or closed is told so.
        let state = shared.state
        if sequence <= outbox.releasedSequence { return .given }
        return state.rawValue >= JournalState.failed.rawValue ? .unknown : .pending
    }

    /// What became of the frame with this sequence; nil while it is under way.
    package func outcome(of sequence: UInt64) -> FrameOutcome? {
        precondition(sequence <= head.sequence)
        // In this order: what became durable before the journal failed or closed is told so.
        let state = shared.state
        if sequence <= outbox.durableSequence { return .durable(sequence) }
        return state.rawValue >= JournalState.failed.rawValue ? .unknown : nil
    }
}
