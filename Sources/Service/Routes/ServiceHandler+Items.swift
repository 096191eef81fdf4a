// GET /v1/items: the catalogue, page by page.
//
// Pages go shard by shard, in the order in which SKUs came into being; `next` names where to go on,
// as `shard-id`. A page is not one moment: an item that changes meanwhile is shown as it is then.

internal import Bytes
internal import Engine
internal import HTTP

/// A page of items being gathered.
final class ItemsExchange: WaitingExchange {
    var shard: Int
    var firstSKU: UInt32
    var left: Int
    /// The page so far, written when replies come in.
    var page = ByteBuffer()
    let version: UInt64
    private let write: (inout ByteBuffer, borrowing CommandBatch) -> Void

    init(
        shard: Int, firstSKU: UInt32, limit: Int, version: UInt64,
        _ write: @escaping (inout ByteBuffer, borrowing CommandBatch) -> Void
    ) {
        self.shard = shard
        self.firstSKU = firstSKU
        self.version = version
        self.write = write
        left = limit
    }

    override func take(_ batch: BatchReference) {
        batch.withBatch { batch in
            write(&page, batch)
            left = batch.limit
            if let next = batch.firstSKU {
                firstSKU = next
            } else {
                shard += 1
                firstSKU = 0
            }
        }
    }
}

extension ServiceHandler {
    private static let itemsPerPage = 1000
    private static let itemsPerPageMax: Int64 = 10_000

    /// GET /v1/items?after=…&limit=…
    mutating func askItems(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        let version = engine.itemsVersion
        if !head.ifNoneMatch.isEmpty {
            let tag = ByteBuffer(etag: version)
            if Self.matches(bytes.part(head.ifNoneMatch), tag.span) {
                exchange.respond(304) { $0.appendHeader("ETag", tag.span) }
                return .done
            }
        }
        var limit = Self.itemsPerPage
        var start = (shard: 0, sku: UInt32(0))
        var pairs = QueryPairs(head.query)
        while let pair = pairs.next(in: bytes) {
            let value = ByteBuffer(percentDecoding: bytes.part(pair.value))
            if bytes.part(pair.name).equals("limit") {
                guard let number = value.span.decimalInteger(), number >= 1,
                    number <= Self.itemsPerPageMax
                else {
                    exchange.problem(400, "bad_limit", "limit is 1 to 10000")
                    return .done
                }
                limit = Int(number)
            } else if bytes.part(pair.name).equals("after") {
                guard let place = cursor(value.span) else {
                    exchange.problem(400, "bad_cursor", "after is the next of a page")
                    return .done
                }
                start = place
            }
        }
        let state = ItemsExchange(
            shard: start.shard, firstSKU: start.sku, limit: limit, version: version,
            pageWriter())
        enroll(state, exchange.token)
        exchange.state = state
        return produce(state, &exchange)
    }

    private func cursor(_ text: Span<UInt8>) -> (shard: Int, sku: UInt32)? {
        let dash = text.firstOffset(of: UInt8(ascii: "-"), from: 0)
        guard dash < text.count,
            let shard = text.extracting(first: dash).decimalInteger(),
            let sku = text.from(dash + 1).decimalInteger(),
            shard >= 0, shard < Int64(engine.shardCount), let id = UInt32(exactly: sku)
        else { return nil }
        return (Int(shard), id)
    }

    private func pageWriter() -> (inout ByteBuffer, borrowing CommandBatch) -> Void {
        let writer = ItemWriter(categoryNames: engine.master.categoryNames)
        return { page, batch in
            for index in batch.items.indices {
                if !page.isEmpty { page.append(UInt8(ascii: ",")) }
                let item = batch.items[index]
                writer.append(
                    batch.listing.span.part(item.sku), item.category,
                    batch.listing.span.part(item.name), to: &page)
            }
        }
    }

    mutating func produce(_ state: ItemsExchange, _ exchange: inout Exchange) -> Progress {
        if state.outstanding > 0 { return .later }
        if state.left > 0, state.shard < engine.shardCount {
            let (shard, first, limit) = (state.shard, state.firstSKU, state.left)
            if let batch = batches.take() {
                batch.withBatch { batch in
                    batch.task = .listItems
                    batch.shard = shard
                    batch.firstSKU = first
                    batch.limit = limit
                }
                if send(batch, for: state) { return .later }
                batches.give(batch)
            }
            retrying.append(state.number)
            return .later
        }
        release(state)
        exchange.body.append("{\"items\":[")
        exchange.body.append(contentsOf: state.page)
        exchange.body.append("]")
        if state.shard < engine.shardCount {
            exchange.body.append(",\"next\":\"")
            exchange.body.append(decimal: state.shard)
            exchange.body.append("-")
            exchange.body.append(decimal: Int64(state.firstSKU))
            exchange.body.append("\"")
        }
        exchange.body.append("}\n")
        let tag = ByteBuffer(etag: state.version)
        exchange.respond(200) { $0.appendHeader("ETag", tag.span) }
        return .done
    }
}
