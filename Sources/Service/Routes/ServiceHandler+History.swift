// GET /v1/history/{sku}: the facts that moved it, newest first.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import HTTP
internal import JSON
internal import Journal

/// A call that waits for a reading of the past.
final class HistoryExchange {
    let ticket: PastTicket
    let sku: ByteBuffer

    init(_ ticket: PastTicket, _ sku: consuming ByteBuffer) {
        self.ticket = ticket
        self.sku = sku
    }
}

extension ServiceHandler {
    /// Facts of one answer at the most, but for those of its last frame.
    private static var historyLimitMax: Int64 { 1000 }

    mutating func askHistory(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        guard let past = shared.state.past, let journal = shared.state.journal else {
            exchange.refuseMemoryOnly()
            return .done
        }
        var sku = ByteBuffer()
        do throws(RequestRefusal) {
            try Self.decode(
                Self.lastSegment(head.path, bytes), bytes, plusIsSpace: false, into: &sku)
            guard let reference = engine.reference(sku: sku.span) else {
                throw RequestRefusal(404, "unknown_sku", "the SKU is not known")
            }
            var question = PastQuestion(
                stream: reference.shard, sku: reference.sku,
                before: journal.durableSequence(of: reference.shard) + 1)
            try read(head.query, bytes, into: &question)
            guard let ticket = past.ask(question) else {
                exchange.problem(
                    429, "busy", "another reading of the past is under way", retryAfterSeconds: 1)
                return .done
            }
            remembering.append((exchange.token, ticket))
            exchange.state = HistoryExchange(ticket, sku)
            return .later
        } catch {
            exchange.problem(error)
            return .done
        }
    }

    private func read(
        _ query: ByteRange, _ bytes: Span<UInt8>, into question: inout PastQuestion
    ) throws(RequestRefusal) {
        var value = ByteBuffer()
        var pairs = QueryPairs(query)
        while let pair = pairs.next(in: bytes) {
            value.removeAll()
            try Self.decode(pair.value, bytes, plusIsSpace: true, into: &value)
            let name = bytes.part(pair.name)
            if name.equals("location") {
                let key = NameKey(value.span, engine.hasher)
                guard let id = engine.master.locationNames.id(value.span, key) else {
                    throw RequestRefusal(404, "unknown_location", "the location is not known")
                }
                question.location = UInt16(id)
            } else if name.equals("from") {
                question.from = try Self.time(value.span)
            } else if name.equals("to") {
                question.to = try Self.time(value.span)
            } else if name.equals("limit") {
                guard let limit = value.span.decimalInteger(),
                    limit >= 1, limit <= Self.historyLimitMax
                else { throw RequestRefusal(400, "bad_limit", "limit is a number from 1 to 1000") }
                question.limit = Int(limit)
            } else if name.equals("before") {
                guard let before = value.span.decimalInteger(), before >= 1 else {
                    throw RequestRefusal(400, "bad_before", "before is what an answer calls next")
                }
                question.before = min(question.before, UInt64(before))
            }
        }
    }

    private static func time(_ text: Span<UInt8>) throws(RequestRefusal) -> Milliseconds {
        guard let time = text.rfc3339Milliseconds() ?? text.decimalInteger(),
            effectiveTimes.contains(time)
        else {
            throw RequestRefusal(
                400, "bad_time", "from and to are RFC 3339 times or milliseconds since 1970")
        }
        return time
    }

    private static func decode(
        _ part: ByteRange, _ bytes: Span<UInt8>, plusIsSpace: Bool, into output: inout ByteBuffer
    ) throws(RequestRefusal) {
        do throws(HTTPRefusal) {
            try output.percentDecode(bytes.part(part), plusIsSpace: plusIsSpace)
        } catch {
            throw RequestRefusal(400, "bad_percent_encoding", "the target is malformed")
        }
    }

    func produce(_ state: HistoryExchange, _ exchange: inout Exchange) -> Progress {
        switch state.ticket.outcome {
        case .found(let answer):
            exchange.body.append("{\"sku\":")
            exchange.body.append(jsonString: state.sku)
            exchange.body.append(",\"facts\":[")
            for (index, fact) in answer.facts.enumerated() {
                if index > 0 { exchange.body.append(UInt8(ascii: ",")) }
                exchange.body.append(fact.span)
            }
            exchange.body.append("],\"next\":")
            if let next = answer.next {
                exchange.body.append(decimal: Int64(truncatingIfNeeded: next))
            } else {
                exchange.body.append("null")
            }
            exchange.body.append("}\n")
            exchange.respond(200)
        case .failed(let reason): exchange.problem(503, "history_failed", reason.utf8.span)
        case nil: exchange.problem(503, "history_failed", "it was given up")
        }
        return .done
    }
}
