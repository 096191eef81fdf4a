// POST /v1/reconciliations: another system's stock file against ours, at that system's own cut-off.
//
//     body ──▶ a file ──▶ the state as of the cut-off ──▶ compared ──▶ the report

internal import Bytes
internal import Domain
internal import HTTP
internal import Platform

/// How a file is to be compared.
struct ReconciliationQuestion: Sendable {
    var cutOff: Milliseconds?
    var tolerance = ReconciliationTolerance()
    /// How far from the cut-off facts are looked for.
    var around: Milliseconds = 86_400_000
    var asJSON = true

    /// Reads one parameter.
    mutating func read(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(RequestRefusal) {
        if name.equals("as_of") {
            guard case .asOf(let time)? = PastMoment(asOf: value) else {
                throw RequestRefusal(
                    400, "bad_time", "as_of is an RFC 3339 time or milliseconds since 1970")
            }
            cutOff = time
        } else if name.equals("tolerance") {
            tolerance.line = try Self.number(name, value)
        } else if name.equals("tolerance_total") {
            tolerance.total = try Self.number(name, value)
        } else if name.equals("around_ms") {
            around = try Self.number(name, value)
        } else {
            throw RequestRefusal(400, "unknown_parameter", "there is no parameter \(name.text)")
        }
    }

    private static func number(
        _ name: Span<UInt8>, _ value: Span<UInt8>
    ) throws(RequestRefusal) -> Int64 {
        guard let number = value.decimalInteger(), number >= 0, number < 1 << 53 else {
            throw RequestRefusal(400, "bad_number", "\(name.text) is a number from 0")
        }
        return number
    }
}

extension ServiceHandler {
    mutating func beginReconciliation(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> RequestPlan {
        var question = ReconciliationQuestion()
        do throws(RequestRefusal) {
            try Self.readQuery(head.query, bytes) { (name, value) throws(RequestRefusal) in
                try question.read(name, value)
            }
            guard question.cutOff != nil else {
                throw RequestRefusal(400, "missing_cut_off", "say as_of: the cut-off of the file")
            }
        } catch {
            exchange.problem(error)
            return .answered
        }
        let accept = bytes.part(head.accept)
        question.asJSON = accept.count < 8 || !accept.extracting(first: 8).equals("text/csv")
        let body = BodyPieces(seat.bell)
        let progress = begin(
            .reconciliation, contentType: question.asJSON ? "application/json" : "text/csv",
            body: body, &exchange
        ) { [question] (pieces, source) throws(RequestRefusal) in
            // Whoever still sends is not waited for.
            defer { body.giveUp() }
            try source.write(question, of: body, to: pieces)
        }
        return progress == .done ? .answered : .stream(limit: BodyLimits.staged)
    }

    /// Hands a piece of the file on.
    mutating func consume(
        _ piece: Span<UInt8>, isLast: Bool, _ state: PiecesExchange, _ exchange: inout Exchange
    ) -> Intake {
        guard let body = state.pieces.body else { return Intake(piece.count, .done) }
        // It has failed before all was sent.
        if state.pieces.isReady { return Intake(0, produce(state, &exchange)) }
        guard body.isReady else {
            expecting.append((exchange.token, body))
            return Intake(0, .later)
        }
        body.offer(piece)
        if !isLast { return Intake(piece.count, .more) }
        body.end()
        return Intake(piece.count, produce(state, &exchange))
    }
}

extension LongCallSource {
    fileprivate func write(
        _ question: ReconciliationQuestion, of body: BodyPieces, to pieces: AnswerPieces
    ) throws(RequestRefusal) {
        guard let cutOff = question.cutOff else { preconditionFailure("it was asked for") }
        let path = try stage(body)
        defer { try? Files.remove(path) }
        try withState(at: .asOf(cutOff), for: pieces) { (state, directory) throws(RequestRefusal) in
            var comparison = Reconciliation(state, cutOff: cutOff)
            try Self.compare(path, &comparison, pieces)
            comparison.finish()
            do {
                try comparison.explain(from: directory, around: question.around)
                try comparison.write(question.tolerance, asJSON: question.asJSON) {
                    (bytes) throws(SystemError) in try pieces.write(bytes)
                }
            } catch { throw RequestRefusal(StartError("\(error)"), directory) }
        }
    }

    /// Keeps a body in a file.
    ///
    /// - Returns: Its path; whoever has it removes it.
    private func stage(_ body: BodyPieces) throws(RequestRefusal) -> String {
        var random = SystemRandomNumberGenerator()
        let path = "\(temporaryPath)/\(String(random.next() as UInt64, radix: 16)).stock"
        do throws(SystemError) {
            try Files.makeFolders(temporaryPath)
            let file = try Descriptor.create(path)
            while let piece = try body.next() { try file.write(piece.span) }
            return path
        } catch {
            try? Files.remove(path)
            if error.isForSpace {
                throw RequestRefusal(507, "no_space", "there is no room to keep the file meanwhile")
            }
            throw RequestRefusal(503, "not_readable", error.reason)
        }
    }

    private static func compare(
        _ path: String, _ comparison: inout Reconciliation, _ pieces: AnswerPieces
    ) throws(RequestRefusal) {
        var text = ByteBuffer()
        var isFinal = false
        do {
            let file = try FileReader(path)
            while !isFinal {
                if pieces.isGivenUp { throw RequestRefusal.givenUp }
                isFinal = try file.read(into: &text, room: 1 << 20) == 0
                text.removeFirst(try comparison.take(text.span, isFinal: isFinal))
            }
        } catch let error as StockFileError {
            throw RequestRefusal(400, "bad_stock_file", "line \(error.line): \(error.code)")
        } catch let error as RequestRefusal {
            throw error
        } catch { throw RequestRefusal(503, "not_readable", "the file cannot be read again") }
    }
}
