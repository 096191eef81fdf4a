// Dead letters that are taken up again, or discarded.
//
//     owner: a piece of the list ──▶ events as they came, or their numbers ──▶ batches ──▶ outcomes
//                    ▲                                                                │
//                    └────────── the next piece, when these are durable ◀─────────────┘
//
// A retry goes the way of an event that comes just then, but that it arrived when it was set aside.
// What is set aside meanwhile is not waited for.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import HTTP

/// A call that works through dead letters.
final class LetterWork: IngestExchange {
    enum Action { case retry, discard }

    let action: Action
    /// The call names one letter.
    let isSingle: Bool
    private(set) var shard: Int
    private(set) var range = LetterRange()
    private let shardCount: Int

    /// The present piece of the list, and its texts.
    fileprivate var letters = Buffer<LetterEntry>()
    fileprivate var texts = ByteBuffer()
    /// The shard that they stand aside in.
    private(set) var letterShard = 0

    private(set) var letterCount = 0
    private(set) var discarded: UInt64 = 0
    /// Letters that were gone when it came to them.
    private(set) var missing = 0

    /// - Parameter letter: The only one; nil: all that have `reason`, if that is given.
    init(_ action: Action, letter: LetterID?, reason: Outcome?, shardCount: Int) {
        self.action = action
        self.shardCount = shardCount
        isSingle = letter != nil
        shard = letter?.shard ?? 0
        range.reason = reason
        range.limit = CommandBatch.commandCountMax
        if let letter {
            range.after = letter.number - 1
            range.through = letter.number
        }
        super.init(.events, shardCount: shardCount, isBackfill: false, asOf: nil)
    }

    /// Whether there are letters to work on, or to ask for. What the whole answer fails for ends it.
    var isOver: Bool { shard == shardCount || isCut || failure != nil }

    override func take(_ batch: BatchReference) {
        let isList = batch.withBatch { $0.task == .listParked }
        if isList { return batch.withBatch { takeList(&$0) } }
        if action == .retry { return super.take(batch) }
        batch.withBatch { batch in
            for index in batch.outcomes.indices {
                switch batch.outcomes[index] {
                case .accepted: discarded += 1
                case .unknownLetter: missing += 1
                case let outcome: note(outcome, batch.commands[index], source: Span())
                }
            }
        }
    }

    private func takeList(_ batch: inout CommandBatch) {
        swap(&letters, &batch.letters)
        swap(&texts, &batch.listing)
        letterShard = shard
        letterCount += letters.count
        range = batch.letterRange
        guard batch.isLastLetter else { return }
        shard = isSingle ? shardCount : shard + 1
        range.after = 0
        range.through = .max
    }
}

extension ServiceHandler {
    /// Calls of /v1/dead-letters.
    mutating func answerLetters(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        guard let path = LetterPath(head.path, bytes) else {
            exchange.problem(404, "not_found", "there is no such path")
            return .done
        }
        let parameters: LetterParameters
        do throws(RequestRefusal) {
            parameters = try LetterParameters(head, bytes, shardCount: engine.shardCount)
        } catch {
            exchange.problem(error)
            return .done
        }
        switch path {
        case .all where head.method == .delete:
            guard let reason = parameters.reason else {
                exchange.problem(400, "missing_reason", "say which letters: reason=CODE")
                return .done
            }
            return work(.discard, nil, reason, &exchange)
        case .all: return listLetters(parameters, &exchange)
        case .retryAll: return work(.retry, nil, parameters.reason, &exchange)
        case .one(let segment), .retryOne(let segment):
            guard let id = LetterID(bytes.part(segment), shardCount: engine.shardCount) else {
                exchange.refuseUnknownLetter()
                return .done
            }
            return work(head.method == .delete ? .discard : .retry, id, nil, &exchange)
        }
    }

    private mutating func work(
        _ action: LetterWork.Action, _ letter: LetterID?, _ reason: Outcome?,
        _ exchange: inout Exchange
    ) -> Progress {
        let state = LetterWork(
            action, letter: letter, reason: reason, shardCount: engine.shardCount)
        enroll(state, exchange.token)
        exchange.state = state
        return produce(state, &exchange)
    }

    mutating func produce(_ state: LetterWork, _ exchange: inout Exchange) -> Progress {
        if !canGoOn(state) || state.outstanding > 0 { return .later }
        if state.letters.count > 0 {
            takeLetters(state)
            sendOpen(state)
            if !state.unsent.isEmpty { stall(state) }
            if !state.unsent.isEmpty || state.outstanding > 0 { return .later }
        }
        if !state.isOver {
            askLetters(state.shard, state.range, for: state)
            return .later
        }
        return answer(state, &exchange)
    }

    /// Makes commands of the present piece, which is over then.
    private mutating func takeLetters(_ state: LetterWork) {
        var letters = Buffer<LetterEntry>()
        var texts = ByteBuffer()
        swap(&letters, &state.letters)
        swap(&texts, &state.texts)
        for index in letters.indices {
            let letter = letters[index]
            switch state.action {
            case .retry: retry(letter, texts.span.part(letter.source), state)
            case .discard: discard(letter, state)
            }
        }
    }

    private mutating func retry(
        _ letter: LetterEntry, _ source: Span<UInt8>, _ state: LetterWork
    ) {
        let index = state.elementCount
        state.elementCount += 1
        do throws(ElementRefusal) {
            var decoded = try eventDecoder.decode(
                source, engine, now: letter.parkedAt, index: index,
                isBackfill: letter.outcome == .parkedBeforeMemory)
            // It has arrived before what came since.
            decoded.command.flags &= ~StockCommand.arrivalFlag
            decoded.command.flags |= StockCommand.retryFlag
            gather(decoded, state, source)
        } catch {
            state.noteFailure(error.outcome)
            state.reject(index: index, line: 0, error.code, error.detail, source: source)
        }
    }

    /// The command goes to the letter's shard under the letter's id, as a name.
    private mutating func discard(_ letter: LetterEntry, _ state: LetterWork) {
        var name = ByteBuffer()
        name.append(letter: letter.number, shard: state.letterShard)
        var command = StockCommand(
            verb: .discard, key: NameKey(name.span, engine.hasher), textOffset: 0, location: 0,
            quantity: 0, at: now, index: state.elementCount)
        command.letter = letter.number
        state.elementCount += 1
        guard let batch = openBatch(state.letterShard, state) else {
            state.note(.busy, command, source: Span())
            return
        }
        batch.withBatch { batch in
            command.textOffset = UInt32(batch.text.count)
            batch.text.append(name.span)
            batch.commands.append(command)
        }
    }

    private mutating func answer(_ state: LetterWork, _ exchange: inout Exchange) -> Progress {
        if state.isSingle, state.failure == nil, state.letterCount == state.missing {
            release(state)
            exchange.refuseUnknownLetter()
            return .done
        }
        return respond(state, &exchange) { output in
            if state.action == .retry { return false }
            output.append("{\"discarded\":")
            output.append(decimal: Int64(state.discarded))
            output.append(",\"rejected_count\":")
            output.append(decimal: Int64(state.rejected))
            return true
        }
    }
}

extension Exchange {
    fileprivate mutating func refuseUnknownLetter() {
        problem(404, Outcome.unknownLetter.code, Outcome.unknownLetter.detail)
    }
}
