// Answers to availability questions as JSON.
//
//     {"as_of": …, "mark": …, "rules_version": n, "items": [
//         {"sku": …, "available": n, "max_single": n, "level": …, "satisfied": …, "version": n,
//          "locations": [{"location": …, "available": n}, …]}, …]}

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// What an answer says before its items; rendered anew when any of it has changed.
struct AnswerHead: ~Copyable {
    private(set) var bytes = ByteBuffer(capacity: 128)
    private var now = Milliseconds.min
    private var changeCount: UInt64 = 0
    private var rulesVersion: UInt64 = 0
    private var isFenced = false

    /// - Parameter isFenced: What is read may be ahead of what was kept, for good.
    @inline(__always)
    mutating func update(
        _ now: Milliseconds, _ changeCount: UInt64, _ rulesVersion: UInt64, isFenced: Bool,
        _ state: ServiceState
    ) {
        if now == self.now, changeCount == self.changeCount, rulesVersion == self.rulesVersion,
            isFenced == self.isFenced
        {
            return
        }
        self.isFenced = isFenced
        self.now = now
        self.changeCount = changeCount
        self.rulesVersion = rulesVersion
        render(state)
    }

    @inline(never)
    private mutating func render(_ state: ServiceState) {
        bytes.removeAll()
        bytes.append(literal: "{\"as_of\":\"")
        bytes.append(rfc3339: now)
        bytes.append(literal: "\",\"mark\":\"")
        state.append(mark: changeCount, to: &bytes)
        bytes.append(literal: "\"")
        if isFenced { bytes.append(literal: ",\"durable\":false") }
        bytes.append(literal: ",\"rules_version\":")
        bytes.append(decimal: Int64(truncatingIfNeeded: rulesVersion))
        bytes.append(literal: ",\"items\":[")
    }
}

extension AvailabilityRequest {
    /// Appends all items of the query, comma-separated.
    ///
    /// Mutating, so that the request is lent by its address: a borrowed one is copied.
    ///
    /// - Parameter body: What was read.
    mutating func appendItems(
        to output: inout ByteBuffer, _ body: Span<UInt8>, _ locationNames: NameDictionaryView,
        isFirst: Bool
    ) {
        appendItems(query.items.indices, to: &output, body, locationNames, isFirst: isFirst)
    }

    /// Appends a part of the items, comma-separated.
    mutating func appendItems(
        _ items: Range<Int>, to output: inout ByteBuffer, _ body: Span<UInt8>,
        _ locationNames: NameDictionaryView, isFirst: Bool
    ) {
        for index in items {
            if index > items.lowerBound || !isFirst { output.append(UInt8(ascii: ",")) }
            output.append(literal: "{\"sku\":")
            if names.isEmpty {
                // Read from JSON, where it had no escapes.
                output.append(jsonPlain: body.part(query.items[index].name))
                Self.append(query.items[index], to: &output, body)
            } else {
                output.append(jsonString: gathered.span.part(query.items[index].name))
                Self.append(query.items[index], to: &output, gathered.span)
            }
            if query.wantsLocations, query.items[index].hasStock {
                appendLocations(query.items[index], to: &output, body, locationNames)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends an item behind its SKU, without its locations and its closing brace.
    ///
    /// - Parameter text: What names refer to.
    private static func append(
        _ item: QueryItem, to output: inout ByteBuffer, _ text: Span<UInt8>
    ) {
        output.reserve(256)
        output.append(literal: ",\"available\":")
        let available = item.status == .answered ? item.available : 0
        output.append(decimal: available)
        if item.status == .answered {
            output.append(literal: ",\"max_single\":")
            output.append(decimal: item.maxSingle)
        }
        if available > 0 {
            output.append(literal: ",\"level\":\"in\"")
        } else {
            output.append(literal: ",\"level\":\"out\"")
        }
        // Without a quantity the question is whether there is any.
        let isSatisfied = item.status == .answered && available >= max(1, item.quantity)
        if isSatisfied {
            output.append(literal: ",\"satisfied\":true")
        } else {
            output.append(literal: ",\"satisfied\":false")
        }
        switch item.status {
        case .answered, .contended:
            output.append(literal: ",\"version\":")
            output.append(decimal: Int64(truncatingIfNeeded: item.version))
        case .unknownSKU:
            output.append(literal: ",\"error\":\"")
            output.append(Self.problem(ofUnknown: text.part(item.name)))
            output.append(UInt8(ascii: "\""))
        case .unknownLocation: output.append(literal: ",\"error\":\"unknown_location\"")
        case .unknownGroup: output.append(literal: ",\"error\":\"unknown_group\"")
        case .malformed:
            output.append(literal: ",\"error\":\"")
            output.append(ItemProblem(rawValue: item.problem)?.code ?? "bad_item")
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Whether a SKU that is not known could be one. Asked here, because known ones can.
    private static func problem(ofUnknown name: Span<UInt8>) -> StaticString {
        do throws(IdentifierRefusal) { try Identifier.check(name) } catch { return error.code }
        return "unknown_sku"
    }

    private mutating func appendLocations(
        _ item: QueryItem, to output: inout ByteBuffer, _ body: Span<UInt8>,
        _ locationNames: NameDictionaryView
    ) {
        output.append(literal: ",\"locations\":[")
        let first = Int(item.firstAnswer)
        for index in first..<first + Int(item.answerCount) {
            let answer = query.answers[index]
            output.append(index == first ? "{\"location\":" as StaticString : ",{\"location\":")
            if item.scope == .places {
                let name = query.places[Int(answer.place)].name
                if names.isEmpty {
                    output.append(jsonPlain: body.part(name))
                } else {
                    output.append(jsonString: gathered.span.part(name))
                }
            } else {
                locationNames.withName(UInt32(answer.location)) { output.append(jsonString: $0) }
            }
            output.append(literal: ",\"available\":")
            output.append(decimal: answer.available)
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: "]"))
    }
}

extension QueryItem {
    /// Whether there is stock to tell of.
    fileprivate var hasStock: Bool { status == .answered || status == .contended }
}
