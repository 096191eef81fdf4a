// What only the owner of a shard can tell: all states of a SKU.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import HTTP
internal import JSON

/// A question to the owner of a shard.
final class DetailExchange: WaitingExchange {
    let route: Route
    let sku: ByteBuffer
    let shard: Int
    var isAsked = false
    var isFound = false
    var details = Buffer<PositionDetail>()
    var version: UInt64 = 0
    var category: UInt16 = 0
    var itemName = ByteBuffer()

    init(_ route: Route, sku: consuming ByteBuffer, shard: Int) {
        self.route = route
        self.sku = sku
        self.shard = shard
    }

    override func take(_ batch: BatchReference) {
        batch.withBatch { batch in
            isFound = batch.isFound
            version = batch.version
            category = batch.category
            itemName.append(batch.itemName.span)
            for index in batch.details.indices { details.append(batch.details[index]) }
        }
    }
}

extension ServiceHandler {
    /// GET /v1/availability/{sku}: one item by query parameters.
    mutating func answerOne(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        request.reset()
        // The names are decoded behind the head, which is the text.
        let text = bytes.extracting(first: head.byteCount)
        do throws(RequestRefusal) {
            try readTarget(head, text)
            try request.check(text, engine, state: shared.state)
        } catch {
            exchange.problem(error)
            return .done
        }
        return answerShort(text, &exchange)
    }

    private mutating func readTarget(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(RequestRefusal) {
        let sku = try decoded(Self.lastSegment(head.path, bytes), bytes, plusIsSpace: false)
        var quantity: Int64 = 0
        var group = ByteRange.none
        var hasPlaces = false
        var pairs = QueryPairs(head.query)
        while let pair = pairs.next(in: bytes) {
            let name = bytes.part(pair.name)
            let value = try decoded(pair.value, bytes, plusIsSpace: true)
            if name.equals("channel") {
                request.channel = value
            } else if name.equals("location") {
                hasPlaces = true
                _ = request.appendPlace(value, bytes, engine)
            } else if name.equals("group") {
                group = value
            } else if name.equals("qty") {
                let number = request.names.withName(value, bytes) { $0.decimalInteger() }
                guard let number, number > 0, number <= Int64(Int32.max) else {
                    throw RequestRefusal(400, "bad_quantity", "qty must be a number above 0")
                }
                quantity = number
            } else if name.equals("detail") {
                try readDetail(value, bytes)
            } else if name.equals("after") {
                request.after = value
            } else if name.equals("by") {
                throw RequestRefusal(
                    400, "unsupported_field", "by: dated availability is not in this version")
            }
        }
        if hasPlaces, !group.isEmpty {
            throw RequestRefusal(400, "locations_and_group", "name locations or a group, not both")
        }
        request.setItem(
            sku, quantity: quantity, group: group, hasPlaces: hasPlaces, bytes, engine)
    }

    private mutating func readDetail(
        _ value: ByteRange, _ bytes: Span<UInt8>
    ) throws(RequestRefusal) {
        let (isLocations, isTotal) = request.names.withName(value, bytes) {
            ($0.equals("locations"), $0.equals("total"))
        }
        guard isLocations || isTotal else {
            throw RequestRefusal(400, "bad_detail", "detail is total or locations")
        }
        request.wantsLocations = isLocations
    }

    private mutating func decoded(
        _ part: ByteRange, _ bytes: Span<UInt8>, plusIsSpace: Bool
    ) throws(RequestRefusal) -> ByteRange {
        guard
            let range = request.names.range(
                percentEncoded: part, in: bytes, plusIsSpace: plusIsSpace)
        else { throw RequestRefusal(400, "bad_percent_encoding", "the target is malformed") }
        return range
    }

    /// The part of the path behind its last slash.
    static func lastSegment(_ path: ByteRange, _ bytes: Span<UInt8>) -> ByteRange {
        var start = path.end
        while start > path.offset, bytes[start - 1] != UInt8(ascii: "/") { start -= 1 }
        return ByteRange(from: start, to: path.end)
    }

    // MARK: - Questions to owners

    /// GET /v1/positions/{sku} and GET /v1/items/{sku}.
    mutating func askDetail(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        var sku = ByteBuffer()
        do throws(HTTPRefusal) {
            try sku.percentDecode(
                bytes.part(Self.lastSegment(head.path, bytes)), plusIsSpace: false)
        } catch {
            exchange.problem(400, "bad_percent_encoding", "the target is malformed")
            return .done
        }
        do throws(IdentifierRefusal) { try Identifier.check(sku.span) } catch {
            exchange.problem(400, error.code, "the SKU is no identifier")
            return .done
        }
        let shard = engine.shard(of: NameKey(sku.span, engine.hasher))
        let route = Route(rawValue: exchange.route) ?? .positions
        let state = DetailExchange(route, sku: sku, shard: shard)
        enroll(state, exchange.token)
        exchange.state = state
        return produce(state, &exchange)
    }

    /// - Returns: Whether the owner could be asked.
    private mutating func ask(_ state: DetailExchange) -> Bool {
        guard let batch = batches.take() else { return false }
        batch.withBatch { batch in
            batch.task = .detail
            batch.shard = state.shard
            batch.text.append(contentsOf: state.sku)
        }
        if send(batch, for: state) { return true }
        batches.give(batch)
        return false
    }

    mutating func produce(_ state: DetailExchange, _ exchange: inout Exchange) -> Progress {
        if !state.isAsked {
            state.isAsked = ask(state)
            if !state.isAsked { retrying.append(state.number) }
            return .later
        }
        if state.outstanding > 0 { return .later }
        release(state)
        if !state.isFound {
            exchange.problem(404, "unknown_sku", "the SKU is not known")
        } else if state.route == .items {
            respondItem(state, &exchange)
        } else {
            respondPositions(state, &exchange)
        }
        return .done
    }

    private func respondItem(_ state: DetailExchange, _ exchange: inout Exchange) {
        ItemWriter(categoryNames: engine.master.categoryNames).append(
            state.sku, state.category, state.itemName, to: &exchange.body)
        exchange.body.append("\n")
        let tag = ByteBuffer(etag: engine.itemsVersion)
        exchange.respond(200) { $0.appendHeader("ETag", tag.span) }
    }

    private func respondPositions(_ state: DetailExchange, _ exchange: inout Exchange) {
        exchange.body.append("{\"sku\":")
        exchange.body.append(jsonString: state.sku)
        exchange.body.append(",\"as_of\":\"")
        exchange.body.append(rfc3339: now)
        exchange.body.append("\",\"mark\":\"")
        append(mark: &exchange.body)
        exchange.body.append("\",\"version\":")
        exchange.body.append(decimal: Int64(truncatingIfNeeded: state.version))
        exchange.body.append(",\"positions\":[")
        for index in state.details.indices {
            if index > 0 { exchange.body.append(UInt8(ascii: ",")) }
            append(state.details[index], to: &exchange.body)
        }
        exchange.body.append("]}\n")
        exchange.respond(200)
    }

    private func append(_ detail: PositionDetail, to output: inout ByteBuffer) {
        output.append("{\"location\":")
        engine.master.locationNames.withName(UInt32(detail.location)) {
            output.append(jsonString: $0)
        }
        output.append(",\"on_hand\":")
        output.append(decimal: detail.onHand)
        output.append(",\"sellable\":")
        output.append(decimal: detail.sellable)
        output.append(",\"returned\":")
        output.append(decimal: detail.returned)
        output.append(",\"damaged\":")
        output.append(decimal: detail.damaged)
        output.append(",\"blocked\":")
        output.append(decimal: detail.blocked)
        output.append(",\"held\":")
        output.append(decimal: detail.held)
        output.append(",\"allocated\":")
        output.append(decimal: detail.allocated)
        output.append(",\"safety_stock\":")
        output.append(decimal: detail.safetyStock)
        output.append(",\"free\":")
        output.append(decimal: detail.free)
        output.append(",\"available\":")
        output.append(
            decimal: availableToPromise(
                free: detail.free, isOpen: policy.isOpen(detail.location)))
        output.append(UInt8(ascii: "}"))
    }
}

/// Writes one item as JSON.
struct ItemWriter {
    let categoryNames: NameDictionaryView

    /// - Parameter category: Id plus one; 0 is none.
    func append(
        _ sku: Span<UInt8>, _ category: UInt16, _ name: Span<UInt8>, to output: inout ByteBuffer
    ) {
        output.append("{\"sku\":")
        output.append(jsonString: sku)
        if category > 0 {
            output.append(",\"category\":")
            categoryNames.withName(UInt32(category) - 1) { output.append(jsonString: $0) }
        }
        output.append(",\"name\":")
        output.append(jsonString: name)
        output.append("}")
    }

    func append(
        _ sku: borrowing ByteBuffer, _ category: UInt16, _ name: borrowing ByteBuffer,
        to output: inout ByteBuffer
    ) {
        append(sku.span, category, name.span, to: &output)
    }
}
