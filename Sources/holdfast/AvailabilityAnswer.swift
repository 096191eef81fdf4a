// What `POST /v1/availability` answers.

import Bytes
import JSON

/// The answer for one SKU.
struct AvailableItem: Equatable, Sendable {
    struct Place: Equatable, Sendable {
        var location = ""
        var available: Int64 = 0
    }

    var sku = ""
    var available: Int64 = 0

    /// The most that a single location has; nil where it is not said.
    var maxSingle: Int64?
    var level = ""
    var isSatisfied = false
    var places: [Place] = []

    /// Why there is no figure; empty where there is one.
    var error = ""
}

/// Reads the items of an answer.
///
/// - Throws: Where the JSON is not what the service writes.
func availableItems(_ bytes: Span<UInt8>) throws(JSONError) -> [AvailableItem] {
    var items: [AvailableItem] = []
    var reader = JSONReader()
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("items", in: bytes) {
            try reader.beginArray(bytes)
            while try reader.nextElement(bytes) { items.append(try item(&reader, bytes)) }
        } else {
            try reader.skipValue(bytes)
        }
    }
    try reader.end(bytes)
    return items
}

private func item(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>
) throws(JSONError) -> AvailableItem {
    var item = AvailableItem()
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("sku", in: bytes) {
            item.sku = try reader.text(bytes)
        } else if key.equals("available", in: bytes) {
            item.available = try reader.integer(bytes)
        } else if key.equals("max_single", in: bytes) {
            item.maxSingle = try reader.integer(bytes)
        } else if key.equals("level", in: bytes) {
            item.level = try reader.text(bytes)
        } else if key.equals("satisfied", in: bytes) {
            item.isSatisfied = try reader.boolean(bytes)
        } else if key.equals("error", in: bytes) {
            item.error = try reader.text(bytes)
        } else if key.equals("locations", in: bytes) {
            try reader.beginArray(bytes)
            while try reader.nextElement(bytes) { item.places.append(try place(&reader, bytes)) }
        } else {
            try reader.skipValue(bytes)
        }
    }
    return item
}

private func place(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>
) throws(JSONError) -> AvailableItem.Place {
    var place = AvailableItem.Place()
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("location", in: bytes) {
            place.location = try reader.text(bytes)
        } else if key.equals("available", in: bytes) {
            place.available = try reader.integer(bytes)
        } else {
            try reader.skipValue(bytes)
        }
    }
    return place
}

/// A question about availability, as the service reads it.
struct AvailabilityQuestion: Sendable {
    var skus: [String] = []
    var channel: String?
    var locations: [String] = []
    var group: String?
    var quantity: Int?
    var wantsLocations = false

    /// Appends the question as JSON.
    func append(to output: inout ByteBuffer) {
        output.append("{" as StaticString)
        if let channel {
            output.append("\"channel\":" as StaticString)
            output.append(jsonString: channel.utf8.span)
            output.append("," as StaticString)
        }
        if wantsLocations { output.append("\"detail\":\"locations\"," as StaticString) }
        output.append("\"items\":[" as StaticString)
        for (index, sku) in skus.enumerated() {
            output.append(index == 0 ? "{\"sku\":" as StaticString : ",{\"sku\":")
            output.append(jsonString: sku.utf8.span)
            appendScope(to: &output)
            output.append("}" as StaticString)
        }
        output.append("]}" as StaticString)
    }

    private func appendScope(to output: inout ByteBuffer) {
        if let quantity {
            output.append(",\"qty\":" as StaticString)
            output.append(decimal: quantity)
        }
        if !locations.isEmpty {
            output.append(",\"locations\":" as StaticString)
            for (index, location) in locations.enumerated() {
                output.append(index == 0 ? "[" as StaticString : ",")
                output.append(jsonString: location.utf8.span)
            }
            output.append("]" as StaticString)
        }
        if let group {
            output.append(",\"group\":" as StaticString)
            output.append(jsonString: group.utf8.span)
        }
    }
}
