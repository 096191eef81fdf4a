// Master data and policy as JSON, as they are read by DocumentReader.

internal import Bytes
internal import Domain
internal import Engine
internal import JSON

extension ByteBuffer {
    private mutating func append(list: [Identifier]) {
        append(UInt8(ascii: "["))
        for (index, name) in list.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            append(jsonString: name.bytes.span)
        }
        append(UInt8(ascii: "]"))
    }

    private mutating func append<Element>(
        _ member: StaticString, _ elements: [Element], _ write: (inout ByteBuffer, Element) -> Void
    ) {
        append("{\"")
        append(member)
        append("\":[")
        for (index, element) in elements.enumerated() {
            if index > 0 { append(UInt8(ascii: ",")) }
            write(&self, element)
        }
        append("]}\n")
    }

    mutating func append(locations: [Location]) {
        append("locations", locations) { output, location in
            output.append("{\"location\":")
            output.append(jsonString: location.name.bytes.span)
            output.append(",\"kind\":\"")
            output.append(location.kind.rawValue as String)
            output.append("\",\"groups\":")
            output.append(list: location.groups)
            output.append(",\"open\":")
            output.append(jsonBoolean: location.isOpen)
            output.append(",\"utc_offset\":\"")
            output.append(utcOffset: location.utcOffsetMinutes)
            output.append("\"}")
        }
    }

    /// Appends `+02:00`.
    mutating func append(utcOffset minutes: Int) {
        append(UInt8(ascii: minutes < 0 ? "-" : "+"))
        append(padded: abs(minutes) / 60, width: 2)
        append(UInt8(ascii: ":"))
        append(padded: abs(minutes) % 60, width: 2)
    }

    mutating func append(groups: [Group]) {
        append("groups", groups) { output, group in
            output.append("{\"group\":")
            output.append(jsonString: group.name.bytes.span)
            output.append(",\"members\":")
            output.append(list: group.members)
            output.append("}")
        }
    }

    mutating func append(channels: [Channel]) {
        append("channels", channels) { output, channel in
            output.append("{\"channel\":")
            output.append(jsonString: channel.name.bytes.span)
            output.append(",\"default_ttl_seconds\":")
            output.append(decimal: channel.defaultTTLSeconds)
            output.append("}")
        }
    }

    mutating func append(rules: RuleSet) {
        append("safety_stock", rules.safetyStock) { output, rule in output.append(rule) }
    }

    private mutating func append(_ rule: SafetyStockRule) {
        append("{\"id\":")
        append(jsonString: rule.id.bytes.span)
        append(",\"scope\":{")
        var isFirst = true
        func member(_ name: StaticString, _ value: Identifier, _ output: inout ByteBuffer) {
            output.append(isFirst ? "\"" as StaticString : ",\"")
            isFirst = false
            output.append(name)
            output.append("\":")
            output.append(jsonString: value.bytes.span)
        }
        switch rule.scope.goods {
        case .sku(let sku): member("sku", sku, &self)
        case .category(let category): member("category", category, &self)
        case .all: break
        }
        switch rule.scope.place {
        case .location(let location): member("location", location, &self)
        case .group(let group): member("group", group, &self)
        case .all: break
        }
        append("}")
        switch rule.amount {
        case .units(let units):
            append(",\"units\":")
            append(decimal: units)
        case .basisPoints(let points):
            append(",\"percent\":")
            append(decimal: points / 100)
            if points % 100 != 0 {
                append(UInt8(ascii: "."))
                append(padded: Int(points % 100), width: 2)
            }
        }
        if let from = rule.from {
            append(",\"from\":\"")
            append(rfc3339: from)
            append("\"")
        }
        if let until = rule.until {
            append(",\"until\":\"")
            append(rfc3339: until)
            append("\"")
        }
        append(",\"priority\":")
        append(decimal: rule.priority)
        append("}")
    }
}
