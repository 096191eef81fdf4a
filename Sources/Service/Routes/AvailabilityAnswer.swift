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

extension AvailabilityRequest {
    /// Appends all items of the query, comma-separated.
    ///
    /// - Parameter text: What the names of items and places refer to.
    func appendItems(
        to output: inout ByteBuffer, _ text: Span<UInt8>, _ locationNames: NameDictionaryView,
        isFirst: Bool
    ) {
        for index in query.items.indices {
            if index > 0 || !isFirst { output.append(UInt8(ascii: ",")) }
            append(query.items[index], to: &output, text, locationNames)
        }
    }

    private func append(
        _ item: QueryItem, to output: inout ByteBuffer, _ text: Span<UInt8>,
        _ locationNames: NameDictionaryView
    ) {
        output.reserve(256)
        output.append(literal: "{\"sku\":")
        output.append(jsonString: text.part(item.name))
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
            if query.wantsLocations { appendLocations(item, to: &output, text, locationNames) }
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
        output.append(UInt8(ascii: "}"))
    }

    /// Whether a SKU that is not known could be one. Asked here, because known ones can.
    private static func problem(ofUnknown name: Span<UInt8>) -> StaticString {
        do throws(IdentifierRefusal) { try Identifier.check(name) } catch { return error.code }
        return "unknown_sku"
    }

    private func appendLocations(
        _ item: QueryItem, to output: inout ByteBuffer, _ text: Span<UInt8>,
        _ locationNames: NameDictionaryView
    ) {
        output.append(literal: ",\"locations\":[")
        let first = Int(item.firstAnswer)
        for index in first..<first + Int(item.answerCount) {
            let answer = query.answers[index]
            output.append(index == first ? "{\"location\":" as StaticString : ",{\"location\":")
            if item.scope == .places {
                output.append(jsonString: text.part(query.places[Int(answer.place)].name))
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
