// Taking a stream in, piece by piece, and answering when all of it is decided.

internal import Bytes
internal import CSV
internal import Columns
internal import Domain
internal import Engine
internal import HTTP
internal import JSON

extension ServiceHandler {
    // MARK: - Beginning

    /// Reads the parameters of POST /v1/events, POST /v1/stock and PUT /v1/items.
    mutating func beginIngest(
        _ match: RouteMatch, _ head: borrowing RequestHead, _ bytes: Span<UInt8>,
        _ exchange: inout Exchange
    ) -> RequestPlan {
        let kind: IngestKind =
            match.route == .events ? .events : match.route == .stock ? .stock : .items
        var isBackfill = false
        var asOf: Milliseconds?
        var pairs = QueryPairs(head.query)
        while let pair = pairs.next(in: bytes) {
            let name = bytes.part(pair.name)
            let value = ByteBuffer(percentDecoding: bytes.part(pair.value))
            if kind == .events, name.equals("backfill") {
                isBackfill = value.span.equals("true")
            } else if kind == .stock, name.equals("mode") {
                guard value.span.equals("upsert") else {
                    exchange.problem(400, "unsupported_mode", "mode must be upsert")
                    return .answered
                }
            } else if kind == .stock, name.equals("as_of") {
                asOf = value.span.rfc3339Milliseconds() ?? value.span.decimalInteger()
                guard let time = asOf, effectiveTimes.contains(time),
                    time <= now + futureToleranceMilliseconds
                else {
                    exchange.problem(
                        400, "bad_time", "as_of must be an RFC 3339 time that is not ahead")
                    return .answered
                }
            }
        }
        if kind == .items {
            do throws(RequestRefusal) {
                let expected = try Self.expectedVersion(bytes.part(head.ifMatch))
                if let expected, expected != engine.itemsVersion {
                    throw RequestRefusal(
                        412, "version_mismatch",
                        "items were changed since: the version is now v\(engine.itemsVersion)")
                }
            } catch {
                exchange.problem(error)
                return .answered
            }
        }
        let type = bytes.part(head.contentType)
        let isCSV = type.count >= 8 && type.extracting(first: 8).equalsIgnoringCase("text/csv")
        if isCSV, kind == .events {
            exchange.problem(415, "unsupported_media_type", "events are JSON or NDJSON")
            return .answered
        }
        let state = IngestExchange(
            kind, shardCount: engine.shardCount, isBackfill: isBackfill, asOf: asOf)
        if isCSV { state.shape = .rows }
        enroll(state, exchange.token)
        exchange.state = state
        return .stream(limit: BodyLimits.streamed)
    }

    // MARK: - Pieces

    mutating func consume(
        _ piece: Span<UInt8>, isLast: Bool, _ state: IngestExchange, _ exchange: inout Exchange
    ) -> Intake {
        if !canGoOn(state) { return Intake(0, .later) }
        if state.isCut || state.streamError != nil {
            return Intake(piece.count, isLast ? end(state) : .more)
        }
        let (consumed, isOver) = take(piece, isLast: isLast, state)
        sendOpen(state)
        state.noteSources(shared.sources, now: now)
        if isLast, isOver { return Intake(consumed, end(state)) }
        if !state.unsent.isEmpty || batches.available == 0 {
            stall(state)
            return Intake(consumed, .later)
        }
        if state.outstanding >= IngestExchange.outstandingMax {
            state.resumeAt = IngestExchange.outstandingResume
            return Intake(consumed, .later)
        }
        return Intake(consumed, .more)
    }

    /// Sends what found no room before, in order.
    ///
    /// - Returns: Whether the stream goes on: there is room, or it has waited too long and is cut.
    ///   If not, it stays in `retrying`.
    mutating func canGoOn(_ state: IngestExchange) -> Bool {
        if sendUnsent(state), batches.available > 0 || state.hasEnded || state.isCut {
            state.stalledSince = nil
            return true
        }
        if let since = state.stalledSince, now - since >= shared.patience {
            cut(state)
            return true
        }
        stall(state)
        return false
    }

    /// Notes that there is no room now; every turn looks whether there is.
    mutating func stall(_ state: IngestExchange) {
        if state.stalledSince == nil { state.stalledSince = now }
        retrying.append(state.number)
    }

    /// All of the body was taken: the answer waits for the last replies.
    private mutating func end(_ state: IngestExchange) -> Progress {
        state.hasEnded = true
        state.resumeAt = 0
        if !state.unsent.isEmpty || state.outstanding == 0 { stall(state) }
        return .later
    }

    /// Decodes elements until the piece is used up or too much is on its way.
    ///
    /// - Returns: Bytes taken, and whether the stream is over.
    private mutating func take(
        _ piece: Span<UInt8>, isLast: Bool, _ state: IngestExchange
    ) -> (consumed: Int, isOver: Bool) {
        if state.shape == .undecided {
            state.shape = IngestShape(of: piece)
            if state.shape == .undecided { return (isLast ? piece.count : 0, isLast) }
        }
        let result =
            state.shape == .rows
            ? takeRows(piece, isLast: isLast, state) : takeElements(piece, isLast: isLast, state)
        if !result.isOver { state.dropped(result.consumed) }
        return result
    }

    private mutating func takeElements(
        _ piece: Span<UInt8>, isLast: Bool, _ state: IngestExchange
    ) -> (consumed: Int, isOver: Bool) {
        while true {
            switch state.nextElement(piece, isLast: isLast) {
            case .element(let range):
                take(json: piece.part(range), state)
                if isFull(state) { return (range.end, false) }
            case .needMore(let consumed): return (consumed, isLast)
            case .end(let offset): return (offset, true)
            case .refused(let error):
                if state.shape == .array {
                    state.streamError = (
                        error.code.name, "the array is malformed; what came before it was taken"
                    )
                    return (piece.count, true)
                }
                state.reject(
                    index: state.elementCount, line: state.line, error.code.name,
                    "the line is too long", source: piece.extracting(first: 0))
                state.elementCount += 1
            }
        }
    }

    private mutating func takeRows(
        _ piece: Span<UInt8>, isLast: Bool, _ state: IngestExchange
    ) -> (consumed: Int, isOver: Bool) {
        while true {
            switch state.rows.nextRow(piece, isFinal: isLast) {
            case .row:
                guard let header = state.header else {
                    do throws(CSVRefusal) {
                        state.header = try CSVHeader(
                            RowDecoder.columns(state.kind), row: state.rows, in: piece)
                    } catch {
                        state.streamError = (error.code.name, "the header is not accepted")
                        return (piece.count, true)
                    }
                    continue
                }
                state.line = state.rows.rowLine
                takeRow(header, piece, state)
                if isFull(state) { return (state.rows.rowEnd, false) }
            case .needMore(let consumed): return (consumed, isLast)
            case .end: return (piece.count, true)
            case .refused(let refusal):
                state.reject(
                    index: state.elementCount, line: refusal.line, refusal.code.name,
                    "the row is not accepted", source: piece.extracting(first: 0))
                state.elementCount += 1
            }
        }
    }

    /// Whether the next element has to wait: a batch may be needed for it.
    private func isFull(_ state: IngestExchange) -> Bool {
        !state.unsent.isEmpty || state.outstanding >= IngestExchange.outstandingMax
            || batches.available == 0
    }

    // MARK: - Elements

    private mutating func take(json bytes: Span<UInt8>, _ state: IngestExchange) {
        let index = state.elementCount
        state.elementCount += 1
        do throws(ElementRefusal) {
            let decoded =
                state.kind == .events
                ? try eventDecoder.decode(
                    bytes, engine, now: now, index: index, isBackfill: state.isBackfill)
                : try rowDecoder.decode(
                    state.kind, json: bytes, engine, at: state.asOf, now: now, index: index)
            gather(decoded, state, bytes)
            if state.kind == .events {
                state.keep(decoded.command.eventSource, decoded.sequence, at: decoded.command.at)
            }
        } catch {
            state.noteFailure(error.outcome)
            state.reject(
                index: index, line: state.line, error.code, error.detail, source: bytes)
        }
    }

    private mutating func takeRow(
        _ header: CSVHeader, _ piece: Span<UInt8>, _ state: IngestExchange
    ) {
        let index = state.elementCount
        state.elementCount += 1
        do throws(ElementRefusal) {
            let decoded = try rowDecoder.decode(
                state.kind, state.rows, header, piece, engine, at: state.asOf, now: now,
                index: index)
            gather(decoded, state, piece)
        } catch {
            state.noteFailure(error.outcome)
            state.reject(
                index: index, line: state.line, error.code, error.detail,
                source: piece.extracting(first: 0))
        }
    }

    /// Puts a command into the open batch of its shard, with the names that it refers to.
    ///
    /// - Parameter bytes: What it was decoded from.
    mutating func gather(
        _ decoded: EventDecoder.Decoded, _ state: IngestExchange, _ bytes: Span<UInt8>
    ) {
        let shard = engine.shard(of: decoded.command.key)
        guard let batch = openBatch(shard, state) else {
            state.note(.busy, decoded.command, source: bytes)
            return
        }
        let isFull = batch.withBatch { batch in
            var command = decoded.command
            command.textOffset = UInt32(batch.text.count)
            command.line = UInt32(state.line)
            if state.kind == .events {
                eventDecoder.append(decoded.sku, of: bytes, to: &batch.text)
                batch.text.append(bytes)  // Kept if it is parked, and for its id in answers.
                eventDecoder.append(decoded.reason, of: bytes, to: &batch.text)
                command.sourceByteCount = UInt32(bytes.count)
            } else {
                let count = rowDecoder.append(
                    sku: decoded.sku, state.kind, of: bytes, to: &batch.text)
                command.sourceByteCount = UInt32(count)
            }
            batch.commands.append(command)
            return batch.commands.count == CommandBatch.commandCountMax
                || batch.text.count >= CommandBatch.textByteCountMax
        }
        if isFull {
            state.open[shard] = nil
            sendOrKeep(batch, state)
        }
    }

    mutating func openBatch(_ shard: Int, _ state: IngestExchange) -> BatchReference? {
        if let batch = state.open[shard] { return batch }
        guard let batch = batches.take() else { return nil }
        batch.withBatch { $0.shard = shard }
        state.open[shard] = batch
        return batch
    }

    // MARK: - Sending

    mutating func sendOpen(_ state: IngestExchange) {
        for shard in state.open.indices {
            guard let batch = state.open[shard] else { continue }
            state.open[shard] = nil
            sendOrKeep(batch, state)
        }
    }

    private mutating func sendOrKeep(_ batch: BatchReference, _ state: IngestExchange) {
        // Behind one that waits, others wait too: the commands of a SKU keep their order.
        if !state.unsent.isEmpty || !send(batch, for: state) { state.unsent.append(batch) }
    }

    /// Sends what found no room before; whether all of it went.
    private mutating func sendUnsent(_ state: IngestExchange) -> Bool {
        var sent = 0
        while sent < state.unsent.count, send(state.unsent[sent], for: state) { sent += 1 }
        if sent > 0, state.stalledSince != nil { state.stalledSince = now }
        state.unsent.removeFirst(sent)
        return state.unsent.isEmpty
    }

    /// Gives up on what found no room: it is listed as not taken.
    private mutating func cut(_ state: IngestExchange) {
        state.isCut = true
        for batch in state.unsent {
            batch.withBatch { batch in
                for index in batch.commands.indices {
                    let command = batch.commands[index]
                    state.note(.busy, command, source: batch.text.span.part(command.sourceRange))
                }
            }
            batches.give(batch)
        }
        state.unsent = []
    }

    /// Gives back what was not sent: nobody waits for it any more.
    mutating func discard(_ state: IngestExchange) {
        for batch in state.unsent { batches.give(batch) }
        state.unsent = []
        for shard in state.open.indices {
            if let batch = state.open[shard] { batches.give(batch) }
            state.open[shard] = nil
        }
    }

    // MARK: - The answer

    /// Called when replies came in, or something is to be tried again, after the body's end.
    mutating func finish(_ state: IngestExchange, _ exchange: inout Exchange) -> Progress {
        if !canGoOn(state) { return .later }
        if !state.hasEnded { finishBody(state) }
        if state.outstanding > 0 { return .later }
        return respond(state, &exchange) { _ in false }
    }

    /// - Parameter appendCounts: Appends what was counted, its object left open; or false: it is
    ///   counted as events are.
    mutating func respond(
        _ state: IngestExchange, _ exchange: inout Exchange,
        _ appendCounts: (inout ByteBuffer) -> Bool
    ) -> Progress {
        release(state)
        if !appendCounts(&exchange.body) { append(countsOf: state, &exchange.body) }
        appendRest(of: state, &exchange.body)
        if let error = state.streamError, state.elementCount == 0 {
            exchange.problem(400, error.code, error.detail.utf8.span)
        } else if let status = state.failure?.status {
            exchange.respond(status) { $0.appendHeader("Retry-After", decimal: 1) }
        } else {
            let tag = ByteBuffer(etag: engine.itemsVersion)
            exchange.respond(state.streamError == nil ? 200 : 400) { head in
                if state.kind == .items { head.appendHeader("ETag", tag.span) }
            }
        }
        return .done
    }

    /// The last element was taken when there was no room for more, and nothing is left: what it
    /// was the last of may still be incomplete.
    private mutating func finishBody(_ state: IngestExchange) {
        let nothing = ByteBuffer()
        if !state.isCut, state.streamError == nil { _ = take(nothing.span, isLast: true, state) }
        state.noteSources(shared.sources, now: now)
        state.hasEnded = true
        state.resumeAt = 0
    }

    private func append(countsOf state: IngestExchange, _ output: inout ByteBuffer) {
        output.append("{\"accepted\":")
        output.append(decimal: Int64(state.accepted))
        output.append(",\"duplicates\":")
        output.append(decimal: Int64(state.duplicates))
        output.append(",\"parked\":")
        output.append(decimal: Int64(state.parked))
        output.append(",\"rejected\":[")
        output.append(contentsOf: state.rejections)
        output.append("],\"rejected_count\":")
        output.append(decimal: Int64(state.rejected))
    }

    private func appendRest(of state: IngestExchange, _ output: inout ByteBuffer) {
        if let error = state.streamError {
            output.append(",\"code\":\"")
            output.append(error.code)
            output.append("\",\"detail\":")
            output.append(jsonString: error.detail.utf8.span)
        } else if let failure = state.failure {
            output.append(",\"code\":\"")
            output.append(failure.code)
            output.append("\",\"detail\":\"")
            output.append(failure.detail)
            output.append("\"")
        }
        if state.isCut {
            output.append(",\"not_taken_from\":")
            output.append(decimal: state.elementCount)
        }
        output.append(",\"mark\":\"")
        append(mark: &output)
        output.append("\"}\n")
    }
}

extension ByteBuffer {
    /// The decoded value of a query parameter; empty when its escapes are malformed.
    init(percentDecoding value: Span<UInt8>) {
        self.init(capacity: value.count)
        do throws(HTTPRefusal) { try percentDecode(value, plusIsSpace: true) } catch {
            removeAll()
        }
    }
}
