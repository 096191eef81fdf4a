// The bytes of a long body on their way from the reactor that receives them to the queue that keeps them.
//
//     reactor:  offer, offer, … end          a connection is not read while there is no room
//     queue:    next, next, … nil

internal import Bytes
internal import Dispatch
internal import Platform
internal import Synchronization

/// Something that an exchange waits for.
protocol Awaited: AnyObject, Sendable {
    /// Whether the exchange can go on. Any thread.
    var isReady: Bool { get }
}

/// One long body. Offered by one reactor, taken by one queue.
final class BodyPieces: Awaited {
    private struct State {
        var pieces: [[UInt8]] = []
        var hasEnded = false
        /// Nobody takes any more, or nobody offers any more.
        var isGivenUp = false
    }

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    private let bell: Doorbell

    /// Pieces on their way.
    private static let countMax = 4

    /// - Parameter bell: Wakes the reactor.
    init(_ bell: Doorbell) { self.bell = bell }

    // MARK: - The reactor

    /// Whether there is room, or no more is wanted.
    var isReady: Bool { state.withLock { $0.isGivenUp || $0.pieces.count < Self.countMax } }

    /// Hands bytes on; what nobody wants any more is dropped.
    ///
    /// - Precondition: `isReady`.
    func offer(_ bytes: Span<UInt8>) {
        if bytes.isEmpty { return }
        let piece = bytes.array
        state.withLock { state in if !state.isGivenUp { state.pieces.append(piece) } }
        filled.signal()
    }

    /// All was offered.
    func end() {
        state.withLock { $0.hasEnded = true }
        filled.signal()
    }

    /// No more is to come, or to be taken. Any thread.
    func giveUp() {
        state.withLock { state in
            state.isGivenUp = true
            state.pieces = []
        }
        filled.signal()
        bell.ring()
    }

    // MARK: - The queue

    /// The next bytes; waits for them. nil at the end.
    ///
    /// - Throws: When the body breaks off.
    func next() throws(SystemError) -> [UInt8]? {
        while true {
            let (piece, hasEnded, isGivenUp) = state.withLock { state in
                (
                    state.pieces.isEmpty ? nil : state.pieces.removeFirst(), state.hasEnded,
                    state.isGivenUp
                )
            }
            if isGivenUp { throw .givenUp }
            if let piece {
                bell.ring()
                return piece
            }
            if hasEnded { return nil }
            filled.wait()
        }
    }
}
