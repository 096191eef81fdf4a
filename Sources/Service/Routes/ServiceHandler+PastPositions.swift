// GET /v1/positions/{sku}?as_of=…  GET /v1/positions?sku=…&sku=…&as_of=…: positions of SKUs as they were.

internal import Bytes
internal import Domain
internal import HTTP
internal import JSON
internal import Platform

/// SKUs of one question.
private let skuCountMax = 100

extension ServiceHandler {
    /// Whether the call asks for the past, or for several SKUs, which only a call for the past may.
    static func asksPast(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        if bytes.part(head.path).equals("/v1/positions") { return true }
        var pairs = QueryPairs(head.query)
        while let pair = pairs.next(in: bytes) {
            let name = bytes.part(pair.name)
            if name.equals("as_of") || name.equals("known_at") { return true }
        }
        return false
    }

    mutating func askPastPositions(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        var moment: PastMoment?
        var skus: [String] = []
        let isSingle = !bytes.part(head.path).equals("/v1/positions")
        do throws(RequestRefusal) {
            if isSingle {
                skus = [try Self.decoded(Self.lastSegment(head.path, bytes), bytes)]
            }
            try Self.readQuery(head.query, bytes) { (name, value) throws(RequestRefusal) in
                if !isSingle, name.equals("sku") {
                    skus.append(value.text)
                } else if try !moment.take(name, value) {
                    throw RequestRefusal(
                        400, "unknown_parameter", "there is no parameter \(name.text)")
                }
            }
            guard !skus.isEmpty, skus.count <= skuCountMax else {
                throw RequestRefusal(400, "bad_sku_count", "sku is given 1 to 100 times")
            }
        } catch {
            exchange.problem(error)
            return .done
        }
        guard let moment else {
            exchange.problem(400, "missing_moment", "say as_of or known_at")
            return .done
        }
        return begin(
            .pastPositions, contentType: isSingle ? "application/json" : "application/x-ndjson",
            &exchange
        ) { [skus] (pieces, source) throws(RequestRefusal) in
            try source.withState(at: moment, skus: skus, for: pieces) {
                (state, directory) throws(RequestRefusal) in
                var output = ByteBuffer()
                for sku in skus {
                    let positions = state.positions(of: sku)
                    if isSingle, positions == nil {
                        throw RequestRefusal(404, "unknown_sku", "the SKU was not known")
                    }
                    output.append(sku, positions, at: state.now)
                }
                do throws(SystemError) { try pieces.write(output.span) } catch { throw .givenUp }
            }
        }
    }

    private static func decoded(
        _ segment: ByteRange, _ bytes: Span<UInt8>
    ) throws(RequestRefusal) -> String {
        var text = ByteBuffer()
        do throws(HTTPRefusal) {
            try text.percentDecode(bytes.part(segment), plusIsSpace: false)
        } catch {
            throw RequestRefusal(400, "bad_percent_encoding", "the target is malformed")
        }
        return text.span.text
    }
}

extension ByteBuffer {
    /// Appends a SKU's positions as a line of JSON.
    ///
    /// - Parameter positions: nil: the SKU was not known.
    fileprivate mutating func append(
        _ sku: String, _ positions: [StoredPosition]?, at time: Milliseconds
    ) {
        append("{\"sku\":")
        append(jsonString: sku.utf8.span)
        append(",\"as_of\":\"")
        append(rfc3339: time)
        append("\"")
        guard let positions else { return append(",\"error\":\"unknown_sku\"}\n") }
        append(",\"positions\":[")
        for (index, position) in positions.enumerated() {
            if index > 0 { append(",") }
            append(position)
        }
        append("]}\n")
    }

    private mutating func append(_ position: StoredPosition) {
        append("{\"location\":")
        append(jsonString: position.location.utf8.span)
        let units = position.units
        for (name, number) in [
            ("on_hand", units.onHand), ("sellable", Int64(units.sellable)),
            ("returned", Int64(units.returned)), ("damaged", Int64(units.damaged)),
            ("blocked", Int64(units.blocked)), ("held", Int64(units.held)),
            ("allocated", Int64(units.allocated)), ("safety_stock", Int64(units.safetyStock)),
            ("free", Int64(units.free)), ("available", Int64(position.available)),
        ] {
            append(",\"\(name)\":")
            append(decimal: number)
        }
        append("}")
    }
}
