// The files of the sample, written as bytes: CSV by RFC 4180, JSON a line each.

package import Bytes

/// One of the files that the sample consists of.
package enum SampleFile: String, CaseIterable, Sendable {
    case items = "items.csv"
    case locations = "locations.csv"
    case groups = "groups.ndjson"
    case channels = "channels.csv"
    case rules = "rules.json"
    case stock = "stock.csv"
    case events = "events.ndjson"

    /// Whether the file is kept compressed, under its name and `.zst`.
    package var isCompressed: Bool { self == .stock || self == .events }
}

extension SampleRetailer {
    /// Appends the whole of `file`.
    ///
    /// The two large ones can be had a part at a time: `openingStock(ofItems:)`, `SampleDay`.
    package func append(_ file: SampleFile, to output: inout ByteBuffer) {
        switch file {
        case .items: appendItems(to: &output)
        case .locations: appendLocations(to: &output)
        case .groups: appendGroups(to: &output)
        case .channels: appendChannels(to: &output)
        case .rules: appendRules(to: &output)
        case .stock:
            output.append(Self.stockHeader)
            appendStock(ofItems: 0..<items.count, to: &output)
        case .events:
            for event in SampleDay(self).events { append(event, to: &output) }
        }
    }

    /// The first line of the stock file.
    package static var stockHeader: StaticString {
        "sku,location,sellable,returned,damaged,blocked\n"
    }

    private func appendItems(to output: inout ByteBuffer) {
        output.append("sku,category,name\n")
        for item in items {
            output.append(csvField: item.sku)
            output.append(UInt8(ascii: ","))
            output.append(csvField: SampleCategory.all[item.category].name)
            output.append(UInt8(ascii: ","))
            output.append(csvField: item.name)
            output.append(UInt8(ascii: "\n"))
        }
    }

    private func appendLocations(to output: inout ByteBuffer) {
        output.append("location,kind,groups,open,utc_offset\n")
        for location in locations {
            let memberships = groups.filter { $0.members.contains(location.name) }.map(\.name)
            output.append(location.name)
            output.append(location.isWarehouse ? ",warehouse," : ",store,")
            output.append(memberships.joined(separator: "|"))
            output.append(location.isOpen ? ",true," : ",false,")
            output.append(location.utcOffset)
            output.append(UInt8(ascii: "\n"))
        }
    }

    private func appendGroups(to output: inout ByteBuffer) {
        for group in groups {
            output.append("{\"group\":\"")
            output.append(group.name)
            output.append("\",\"members\":[")
            for (index, member) in group.members.enumerated() {
                output.append(index == 0 ? "\"" : ",\"")
                output.append(member)
                output.append(UInt8(ascii: "\""))
            }
            output.append("]}\n")
        }
    }

    private func appendChannels(to output: inout ByteBuffer) {
        output.append("channel,default_ttl_seconds\n")
        for channel in SampleChannel.allCases {
            output.append(channel.rawValue)
            output.append(UInt8(ascii: ","))
            output.append(decimal: channel.ttlSeconds)
            output.append(UInt8(ascii: "\n"))
        }
    }

    /// Appends the rows of the stock file for the items in `range`, without its header.
    package func appendStock(ofItems range: Range<Int>, to output: inout ByteBuffer) {
        for position in openingStock(ofItems: range) {
            output.append(csvField: items[position.item].sku)
            output.append(UInt8(ascii: ","))
            output.append(locations[position.location].name)
            output.append(UInt8(ascii: ","))
            output.append(decimal: position.sellable)
            output.append(UInt8(ascii: ","))
            output.append(decimal: position.returned)
            output.append(UInt8(ascii: ","))
            output.append(decimal: position.damaged)
            output.append(UInt8(ascii: ","))
            output.append(decimal: position.blocked)
            output.append(UInt8(ascii: "\n"))
        }
    }

    /// Appends the line of `event`, with its end.
    package func append(_ event: SampleEvent, to output: inout ByteBuffer) {
        output.append("{\"id\":\"")
        appendSource(of: event, to: &output)
        output.append(UInt8(ascii: "-"))
        output.append(decimal: event.sequence)
        output.append("\",\"kind\":\"")
        output.append(event.kind.rawValue)
        output.append("\",\"sku\":\"")
        output.append(items[event.item].sku)
        output.append("\",\"location\":\"")
        output.append(locations[event.location].name)
        output.append("\",\"qty\":")
        output.append(decimal: event.quantity)
        output.append(field: "to_location", event.destination.map { locations[$0].name })
        output.append(field: "channel", event.channel?.rawValue)
        output.append(field: "from", event.from?.rawValue)
        output.append(field: "to", event.to?.rawValue)
        output.append(field: "reason", event.reason)
        output.append(",\"at\":\"")
        output.append(rfc3339: event.at)
        output.append("\",\"source\":\"")
        appendSource(of: event, to: &output)
        output.append("\",\"seq\":")
        output.append(decimal: event.sequence)
        output.append("}\n")
    }

    private func appendSource(of event: SampleEvent, to output: inout ByteBuffer) {
        guard event.source < locations.count else { return output.append("erp") }
        output.append(locations[event.source].isWarehouse ? "wms-" : "pos-")
        output.append(locations[event.source].name)
    }
}

extension ByteBuffer {
    /// Appends `text` as a field of a CSV row, quoted where RFC 4180 wants it.
    fileprivate mutating func append(csvField text: String) {
        let needsQuotes = text.utf8.contains {
            $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 < 0x20
        }
        guard needsQuotes else { return append(text) }
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { append(byte) }
            append(byte)
        }
        append(UInt8(ascii: "\""))
    }

    /// Appends a further member of a JSON object, if there is a value for it.
    ///
    /// - Precondition: `value` has nothing that JSON escapes; all there is was made here.
    fileprivate mutating func append(field name: StaticString, _ value: String?) {
        guard let value else { return }
        append(",\"")
        append(name)
        append("\":\"")
        append(value)
        append(UInt8(ascii: "\""))
    }
}
