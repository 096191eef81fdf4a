// Calls whose answers take long to make and read files: each kind has a queue of low priority and makes
// one answer at a time.

internal import Bytes
internal import Dispatch
internal import Platform
internal import Synchronization

/// The kinds of calls that are answered away from the reactors.
enum LongCall: Int, CaseIterable, Sendable {
    case export, backup, reconciliation, pastPositions
}

/// The long calls of one service. Any thread asks.
final class LongCalls: Sendable {
    /// What they read.
    let source: LongCallSource

    private let queues = LongCall.allCases.map {
        DispatchQueue(label: "\($0)", qos: .background)
    }
    /// The answers that are being made, by kind.
    private let running = Mutex([AnswerPieces?](repeating: nil, count: LongCall.allCases.count))
    private let isEnding = Atomic(false)

    init(_ source: LongCallSource) { self.source = source }

    /// Begins to make an answer; nil where another one of its kind is under way.
    ///
    /// - Parameters:
    ///   - bell: Of the reactor that will send it.
    ///   - body: Where the request's body will come from.
    ///   - make: Writes it. What it throws is the answer where nothing was written, else its break.
    func begin(
        _ call: LongCall, _ bell: Doorbell, body: BodyPieces?,
        _ make: @escaping @Sendable (AnswerPieces, LongCallSource) throws(RequestRefusal) -> Void
    ) -> AnswerPieces? {
        let pieces = AnswerPieces(bell, body: body)
        let isFree = running.withLock { running in
            guard running[call.rawValue] == nil else { return false }
            running[call.rawValue] = pieces
            return true
        }
        guard isFree else { return nil }
        queues[call.rawValue].async { [self] in
            // A thread of queues of this class alone.
            Thread.lowerPriority()
            do throws(RequestRefusal) {
                if isEnding.load(ordering: .relaxed) { throw Self.ending }
                try make(pieces, source)
                free(call)
                pieces.end()
            } catch {
                free(call)
                pieces.fail(isEnding.load(ordering: .relaxed) ? Self.ending : error)
            }
        }
        return pieces
    }

    /// Before the end of the answer is told: who has it may ask again.
    private func free(_ call: LongCall) { running.withLock { $0[call.rawValue] = nil } }

    private static var ending: RequestRefusal {
        RequestRefusal(503, "ending", "the service is ending")
    }

    /// Gives all answers up that are being made, and those to come.
    func giveUp() {
        isEnding.store(true, ordering: .relaxed)
        running.withLock { running in for case let pieces? in running { pieces.giveUp() } }
    }

    /// Waits for the end of those that were given up.
    func end() {
        giveUp()
        for queue in queues { queue.sync {} }
    }
}
