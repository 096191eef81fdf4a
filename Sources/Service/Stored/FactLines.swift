// Facts of the journal as lines of JSON, for people and their tools. Names stand where facts have ids.
//
//     {"stream":3,"sequence":17,"time":"…","fact":"moved","sku":"A1","location":"DC1",
//      "condition":"sellable","delta":-3,"at":"…","kind":"sale","source":"till-3"}

package import Bytes
internal import Columns
internal import Domain
package import Engine
internal import JSON
package import Journal

/// The names of a shard's SKUs by id.
private struct SKUNames {
    let names: NameDictionaryView
    let count: Int
}

/// Writes the facts of frames, a line each.
package struct FactLines: ~Copyable {
    private let engine: Engine
    private var facts = Buffer<Fact>()

    /// - Parameter engine: Knows the names that the facts use.
    package init(_ engine: Engine) { self.engine = engine }

    /// Appends the facts of a frame; a marker is a line too.
    ///
    /// - Throws: Where the payload is malformed; the lines before stay.
    package mutating func append(
        _ header: FrameHeader, _ frame: Span<UInt8>, to output: inout ByteBuffer
    ) throws(FactError) {
        let payload = frame.extracting(
            FrameHeader.byteCount..<FrameHeader.byteCount + header.payloadByteCount)
        switch (header.kind, header.stream) {
        case (.facts, StreamNumber.control): try appendControl(header, payload, to: &output)
        case (.facts, _): try appendShard(header, payload, to: &output)
        default:
            begin(header, "marker", to: &output)
            output.append("}\n")
        }
    }

    private func begin(
        _ header: FrameHeader, _ fact: StaticString, to output: inout ByteBuffer
    ) {
        output.append("{\"stream\":")
        if header.stream == StreamNumber.control {
            output.append("\"control\"")
        } else {
            output.append(decimal: Int64(header.stream))
        }
        output.append(",\"sequence\":")
        output.append(decimal: Int64(truncatingIfNeeded: header.sequence))
        output.append(",\"time\":\"")
        output.append(rfc3339: header.time)
        output.append("\",\"fact\":\"")
        output.append(fact)
        output.append("\"")
    }

    // MARK: - Facts of shards

    private mutating func appendShard(
        _ header: FrameHeader, _ payload: Span<UInt8>, to output: inout ByteBuffer
    ) throws(FactError) {
        let skus = engine.withShard(Int(header.stream)) { shard in
            SKUNames(names: shard.positions.names.view, count: shard.positions.skuCount)
        }
        let sources = SourceNames(engine.master)
        var reader = FactReader(time: header.time)
        facts.removeAll()
        while try reader.readCommand(payload, into: &facts) {
            let telling = CommandTelling(facts)
            for index in facts.indices {
                append(facts[index], telling, sources, header, payload, skus, to: &output)
                output.append("}\n")
            }
            facts.removeAll()
        }
    }

    private func append(
        _ fact: Fact, _ telling: CommandTelling, _ sources: SourceNames, _ header: FrameHeader,
        _ payload: Span<UInt8>, _ skus: SKUNames, to output: inout ByteBuffer
    ) {
        func tell(_ name: StaticString, _ fact: StockMoved) {
            begin(header, name, to: &output)
            append(fact.position, skus, to: &output)
            append(fact.condition, "delta", fact.delta, fact.at, to: &output)
            telling.append(payload, sources, to: &output)
        }
        func tell(_ name: StaticString, _ fact: StockCounted) {
            begin(header, name, to: &output)
            append(fact.position, skus, to: &output)
            append(fact.condition, "value", fact.value, fact.at, to: &output)
            telling.append(payload, sources, to: &output)
        }
        switch fact {
        case .skuAdded(let name):
            begin(header, "sku_added", to: &output)
            output.append(",\"sku\":")
            output.append(jsonString: payload.part(name))
        case .positionAdded(let position):
            begin(header, "position_added", to: &output)
            append(position, skus, to: &output)
        case .moved(let fact): tell("moved", fact)
        case .movementRecorded(let fact): tell("movement_recorded", fact)
        case .countRecorded(let fact): tell("count_recorded", fact)
        case .counted(let fact):
            tell("counted", fact)
            output.append(",\"whole\":")
            output.append(jsonBoolean: fact.isWhole)
        case .categorised(let fact):
            begin(header, "categorised", to: &output)
            append(sku: fact.sku, skus, to: &output)
            if fact.category > 0 {
                output.append(",\"category\":")
                append(
                    UInt32(fact.category) - 1, engine.master.categoryNames,
                    count: engine.master.nameCounts.categories, to: &output)
            }
            output.append(",\"name\":")
            output.append(jsonString: payload.part(fact.name))
        case .remembered(let event, _):
            begin(header, "remembered", to: &output)
            output.append(",\"fingerprint\":\"")
            output.append(hexadecimal: event.fingerprint.first)
            output.append("\"")
            append(event.outcome, to: &output)
            telling.append(payload, sources, to: &output)
        case .reasonGiven(let reason):
            begin(header, "reason_given", to: &output)
            output.append(",\"reason\":")
            output.append(jsonString: payload.part(reason))
        case .parked(let fact):
            begin(header, "parked", to: &output)
            output.append(",\"fingerprint\":\"")
            output.append(hexadecimal: fact.fingerprint.first)
            output.append("\"")
            append(fact.outcome, to: &output)
            output.append(",\"event\":")
            output.append(jsonString: payload.part(fact.source))
        case .letterEnded(let fact):
            begin(header, "letter_ended", to: &output)
            output.append(",\"letter\":\"")
            output.append(letter: fact.number, shard: Int(header.stream))
            output.append("\",\"ending\":\"")
            output.append(fact.ending == .taken ? "taken" : "discarded")
            output.append("\"")
        }
    }

    private func append(_ outcome: Outcome, to output: inout ByteBuffer) {
        output.append(",\"outcome\":\"")
        output.append(outcome.code)
        output.append("\"")
    }

    private func append(
        sku: UInt32, _ skus: SKUNames, to output: inout ByteBuffer
    ) {
        output.append(",\"sku\":")
        append(sku, skus.names, count: skus.count, to: &output)
    }

    /// Appends a name; null for an id that nobody gave out.
    private func append(
        _ id: UInt32, _ names: NameDictionaryView, count: Int, to output: inout ByteBuffer
    ) {
        if Int(id) < count {
            names.withName(id) { output.append(jsonString: $0) }
        } else {
            output.append("null")
        }
    }

    private func append(
        _ position: PositionKey, _ skus: SKUNames, to output: inout ByteBuffer
    ) {
        append(sku: position.sku, skus, to: &output)
        output.append(",\"location\":")
        append(
            UInt32(position.location), engine.master.locationNames,
            count: engine.master.nameCounts.locations, to: &output)
    }

    private func append(
        _ condition: Condition, _ member: StaticString, _ units: Int32, _ at: Milliseconds,
        to output: inout ByteBuffer
    ) {
        output.append(",\"condition\":\"")
        output.append(condition.name)
        output.append("\",\"")
        output.append(member)
        output.append("\":")
        output.append(decimal: units)
        output.append(",\"at\":\"")
        output.append(rfc3339: at)
        output.append("\"")
    }

    // MARK: - Facts of shared data

    private func appendControl(
        _ header: FrameHeader, _ payload: Span<UInt8>, to output: inout ByteBuffer
    ) throws(FactError) {
        var reader = MasterFactReader()
        while let fact = try reader.next(payload) {
            switch fact {
            case .locationNamed(let name): append("location", name, header, to: &output)
            case .channelNamed(let name): append("channel", name, header, to: &output)
            case .groupNamed(let name): append("group", name, header, to: &output)
            case .categoryNamed(let name): append("category", name, header, to: &output)
            case .sourceNamed(let name): append("source", name, header, to: &output)
            case .locations(let entries):
                appendDocument(header, "locations", to: &output) { $0.append(locations: entries) }
            case .channels(let entries):
                appendDocument(header, "channels", to: &output) { $0.append(channels: entries) }
            case .groups(let entries):
                appendDocument(header, "groups", to: &output) { $0.append(groups: entries) }
            case .rules(let entries):
                var rules = RuleSet()
                rules.safetyStock = entries
                appendDocument(header, "rules", to: &output) { $0.append(rules: rules) }
            }
        }
    }

    private func append(
        _ kind: StaticString, _ name: Identifier, _ header: FrameHeader,
        to output: inout ByteBuffer
    ) {
        begin(header, "named", to: &output)
        output.append(",\"")
        output.append(kind)
        output.append("\":")
        output.append(jsonString: name.bytes.span)
        output.append("}\n")
    }

    /// Appends a line whose member `document` is what `write` appends, with its line feed.
    private func appendDocument(
        _ header: FrameHeader, _ fact: StaticString, to output: inout ByteBuffer,
        _ write: (inout ByteBuffer) -> Void
    ) {
        begin(header, fact, to: &output)
        output.append(",\"document\":")
        write(&output)
        output.removeLast(1)
        output.append("}\n")
    }
}
