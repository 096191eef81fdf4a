// Answers that are made away from the reactor and sent as they come.

internal import Bytes
internal import HTTP
internal import Journal

/// An exchange whose answer comes in pieces.
final class PiecesExchange {
    let pieces: AnswerPieces
    let contentType: StaticString
    /// What a client may save the answer as; empty: it says nothing of it.
    let fileName: String

    init(_ pieces: AnswerPieces, contentType: StaticString, fileName: String) {
        self.pieces = pieces
        self.contentType = contentType
        self.fileName = fileName
    }
}

extension ServiceHandler {
    /// Has an answer made.
    ///
    /// - Parameters:
    ///   - fileName: What a client may save it as; letters, digits, points and hyphens.
    ///   - body: Where the request's body goes, which is to come yet; the answer waits for its end.
    ///   - make: Writes it, in a queue of its own.
    mutating func begin(
        _ call: LongCall, contentType: StaticString, fileName: String = "",
        body: BodyPieces? = nil, _ exchange: inout Exchange,
        _ make: @escaping @Sendable (AnswerPieces, LongCallSource) throws(RequestRefusal) -> Void
    ) -> Progress {
        guard let calls = shared.state.longCalls else {
            exchange.refuseMemoryOnly()
            return .done
        }
        guard !isDiskFull else {
            exchange.problem(RequestRefusal.diskFull)
            return .done
        }
        guard let pieces = calls.begin(call, seat.bell, body: body, make) else {
            exchange.problem(
                429, "busy", "another call of this kind is under way", retryAfterSeconds: 5)
            return .done
        }
        let state = PiecesExchange(pieces, contentType: contentType, fileName: fileName)
        exchange.endsWithPeer = true
        exchange.state = state
        return body != nil ? .more : produce(state, &exchange)
    }

    /// What a call has pinned is space that the journal needs more.
    private var isDiskFull: Bool { journal?.state == .full }

    mutating func produce(_ state: PiecesExchange, _ exchange: inout Exchange) -> Progress {
        if isDiskFull {
            state.pieces.giveUp()
            return fail(.diskFull, &exchange)
        }
        switch state.pieces.next() {
        case .piece(let bytes):
            beginStream(state, &exchange)
            exchange.writeChunk { $0.append(bytes.span) }
            return .more
        case .waiting:
            expecting.append((exchange.token, state.pieces))
            return .later
        case .ended:
            beginStream(state, &exchange)
            exchange.endStream()
            return .done
        case .failed(let refusal): return fail(refusal, &exchange)
        }
    }

    /// Answers with a problem, or cuts the answer that has begun.
    private func fail(_ refusal: RequestRefusal, _ exchange: inout Exchange) -> Progress {
        if exchange.hasResponded { return .cut }
        exchange.problem(refusal)
        return .done
    }

    private func beginStream(_ state: PiecesExchange, _ exchange: inout Exchange) {
        if exchange.hasResponded { return }
        exchange.beginStream(200, contentType: state.contentType) { head in
            if state.fileName.isEmpty { return }
            let value = "attachment; filename=\"\(state.fileName)\""
            head.appendHeader("Content-Disposition", value.utf8.span)
        }
    }
}

extension RequestRefusal {
    fileprivate static var diskFull: RequestRefusal {
        RequestRefusal(507, "journal_full", "the disk is full: ask again when there is space")
    }
}

extension Exchange {
    /// What is asked for needs a data directory.
    mutating func refuseMemoryOnly() {
        problem(409, "memory_only", "stock is in memory only: start the service with --data")
    }
}
