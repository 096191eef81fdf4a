// Availability: one slice of items at a time, read from the columns by this thread.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import HTTP
internal import Journal

/// A long question, or one whose SKUs must be read by their owners.
@safe
final class AvailabilityExchange: WaitingExchange {
    // In memory of its own: its address travels to the owners of shards.
    let request: UnsafeMutablePointer<AvailabilityRequest>
    let body: UnsafeMutablePointer<ByteBuffer>
    /// The present slice has been read, and run.
    var isRead = true
    var isFirstSlice = true

    init(_ body: Span<UInt8>) {
        unsafe request = .allocate(capacity: 1)
        unsafe request.initialize(to: AvailabilityRequest())
        unsafe self.body = .allocate(capacity: 1)
        unsafe self.body.initialize(to: ByteBuffer(copying: body))
    }

    /// The address of the query, for the owners of shards.
    var queryAddress: UInt64 {
        unsafe withUnsafeMutablePointer(to: &request.pointee.query) {
            UInt64(UInt(bitPattern: $0))
        }
    }

    deinit {
        unsafe request.deinitialize(count: 1)
        unsafe request.deallocate()
        unsafe body.deinitialize(count: 1)
        unsafe body.deallocate()
    }
}

extension ServiceHandler {
    mutating func answerAvailability(
        _ body: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        request.reset()
        do throws(RequestRefusal) {
            try request.read(body, engine)
            try request.check(body, engine, state: shared.state)
        } catch {
            exchange.problem(error)
            return .done
        }
        if request.rest == nil { return answerShort(body, &exchange) }
        _ = request.run(engine, policy, body)
        return beginLong(body, &exchange)
    }

    /// Runs and answers the request of this turn.
    mutating func answerShort(
        _ body: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        if request.run(engine, policy, body) { return beginLong(body, &exchange) }
        appendHead(&exchange.body)
        request.appendItems(
            to: &exchange.body, body, engine.master.locationNames, isFirst: true)
        exchange.body.append(literal: "]}\n")
        exchange.respondWithJSON()
        return .done
    }

    // MARK: - Together

    mutating func join(
        _ head: borrowing RequestHead, _ text: Span<UInt8>, at start: Int
    ) -> Bool {
        guard RouteMatch.isAvailabilityBatch(head, text.from(start)), head.contentEncoding.isEmpty
        else { return false }
        if start == 0 {
            request.reset()
            joinedItems.removeAll()
        }
        guard
            request.join(
                text, from: start &+ head.byteCount, engine, state: shared.state)
        else { return false }
        joinedItems.append(request.query.items.count)
        return true
    }

    /// Their look-ups are made together, so that the cache misses of one are those of all.
    mutating func answerJoined(_ text: Span<UInt8>, _ exchange: inout Exchange) -> Int {
        let isContended = request.run(engine, policy, text)
        var first = 0
        for index in joinedItems.indices {
            let items = first..<joinedItems[index]
            first = items.upperBound
            // That one waits for its SKUs' owners, and all behind it for its answer.
            if isContended, request.isContended(items) { return index }
            exchange.body.removeAll()
            appendHead(&exchange.body)
            request.appendItems(
                items, to: &exchange.body, text, engine.master.locationNames, isFirst: true)
            exchange.body.append(literal: "]}\n")
            exchange.respondWithJSON()
        }
        return joinedItems.count
    }

    // MARK: - Heads

    mutating func appendHead(_ output: inout ByteBuffer) {
        answerHead.update(
            now, engine.changeCount, policy.rules.version,
            isFenced: journal.map { $0.isFenced } ?? false, shared.state)
        output.append(contentsOf: answerHead.bytes)
    }

    /// Appends the mark of now.
    func append(mark output: inout ByteBuffer) {
        shared.state.append(mark: engine.changeCount, to: &output)
    }

    // MARK: - Long ones

    /// Goes on with the request of this turn, whose first slice has been run, in memory of its own.
    private mutating func beginLong(
        _ body: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        let state = AvailabilityExchange(body)
        unsafe swap(&request, &state.request.pointee)
        enroll(state, exchange.token)
        exchange.state = state
        return produce(state, &exchange)
    }

    mutating func produce(
        _ state: AvailabilityExchange, _ exchange: inout Exchange
    ) -> Progress {
        // The owner of a shard has the query until its reply.
        if state.outstanding > 0 { return .later }
        if !state.isRead {
            unsafe state.request.pointee.readNextSlice(state.body.pointee.span, engine)
            state.isRead = true
            _ = unsafe state.request.pointee.run(engine, policy, state.body.pointee.span)
        }
        if let shard = unsafe state.request.pointee.contendedShard {
            return ask(ownerOf: shard, state)
        }
        let isLastSlice = unsafe state.request.pointee.rest == nil
        if state.isFirstSlice {
            if isLastSlice {
                appendHead(&exchange.body)
                appendSlice(state, &exchange.body)
                exchange.body.append("]}\n")
                exchange.respond(200)
                release(state)
                return .done
            }
            exchange.beginStream(200, contentType: "application/json")
        }
        var head = ByteBuffer()
        if state.isFirstSlice { appendHead(&head) }
        exchange.writeChunk { output in
            output.append(contentsOf: head)
            appendSlice(state, &output)
            if isLastSlice { output.append("]}\n") }
        }
        state.isFirstSlice = false
        state.isRead = false
        if !isLastSlice { return .more }
        exchange.endStream()
        release(state)
        return .done
    }

    private func appendSlice(_ state: AvailabilityExchange, _ output: inout ByteBuffer) {
        unsafe state.request.pointee.appendItems(
            to: &output, state.body.pointee.span, engine.master.locationNames,
            isFirst: state.isFirstSlice)
    }

    /// Sends what could not be read consistently to the owner of its shard. To one after the other:
    /// an owner fills in the answers of its shard in the query itself.
    private mutating func ask(ownerOf shard: Int, _ state: AvailabilityExchange) -> Progress {
        if let batch = batches.take() {
            let address = state.queryAddress
            batch.withBatch { batch in
                batch.task = .read
                batch.shard = shard
                batch.query = address
            }
            if send(batch, for: state) { return .later }
            batches.give(batch)
        }
        // Its inbox is full, or there is no batch to be had: once more in the next turn.
        retrying.append(state.number)
        return .later
    }
}
