// The bytes of a long answer on their way from the queue that makes them to the reactor that sends them.
//
//     queue:    write, write, … end | fail        waits while too much is on its way
//     reactor:  next ──▶ piece | not yet | end | failure
//
// Whoever is told nothing more of the other side has left: a reactor that gives the answer up makes the
// queue's next write throw.

internal import Bytes
internal import Dispatch
internal import Platform
internal import Synchronization

extension SystemError {
    /// Nobody waits for what is being made. ECANCELED, the same on every Linux.
    static var givenUp: SystemError { SystemError("go on", code: 125) }
}

/// One long answer. Written by one queue, taken by one reactor.
final class AnswerPieces: Awaited {
    /// What comes next.
    enum Step {
        case piece([UInt8])
        /// Nothing yet.
        case waiting
        case ended
        case failed(RequestRefusal)
    }

    private struct State {
        var pieces: [[UInt8]] = []
        var hasEnded = false
        var failure: RequestRefusal?
    }

    private let state = Mutex(State())
    private let givenUp = Atomic(false)
    private let room = DispatchSemaphore(value: 0)
    private let bell: Doorbell

    /// Where the request's body comes from; nil: it has none.
    let body: BodyPieces?

    /// Bytes of a piece at the most, and pieces on their way.
    private static let byteCountMax = 256 << 10
    private static let countMax = 4

    /// - Parameter bell: Wakes the reactor.
    init(_ bell: Doorbell, body: BodyPieces?) {
        self.bell = bell
        self.body = body
        for _ in 0..<Self.countMax { room.signal() }
    }

    // MARK: - The queue

    /// Whether nobody waits for the answer any more. Relaxed: nothing is handed over with it.
    var isGivenUp: Bool { givenUp.load(ordering: .relaxed) }

    /// Hands bytes on; waits while there is no room.
    ///
    /// - Throws: When nobody waits for them any more.
    func write(_ bytes: Span<UInt8>) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let end = min(offset + Self.byteCountMax, bytes.count)
            room.wait()
            if isGivenUp { throw .givenUp }
            let piece = bytes.extracting(offset..<end).array
            state.withLock { $0.pieces.append(piece) }
            bell.ring()
            offset = end
        }
    }

    /// All was written.
    func end() {
        state.withLock { $0.hasEnded = true }
        bell.ring()
    }

    /// What was written is not followed by the rest.
    func fail(_ refusal: RequestRefusal) {
        state.withLock { $0.failure = refusal }
        bell.ring()
    }

    // MARK: - The reactor

    /// Whether `next` has something else than `waiting`.
    var isReady: Bool {
        state.withLock { !$0.pieces.isEmpty || $0.hasEnded || $0.failure != nil }
    }

    func next() -> Step {
        let step = state.withLock { state -> Step in
            if let failure = state.failure { return .failed(failure) }
            if !state.pieces.isEmpty { return .piece(state.pieces.removeFirst()) }
            return state.hasEnded ? .ended : .waiting
        }
        if case .piece = step { room.signal() }
        return step
    }

    /// Nobody waits for the answer any more, and nobody sends what it is to be about. Any thread.
    func giveUp() {
        givenUp.store(true, ordering: .relaxed)
        room.signal()
        body?.giveUp()
    }
}
