// Master data and policy as JSON documents: strict readers and writers.
//
//     {"locations": [{"location", "kind", "groups", "open", "utc_offset"}]}
//     {"groups":    [{"group", "members"}]}
//     {"channels":  [{"channel", "default_ttl_seconds"}]}
//     {"safety_stock": [{"id", "scope", "units" | "percent", "from", "until", "priority"}]}

internal import Bytes
internal import Domain
internal import Engine
internal import JSON

/// Reads one document; every refusal says where.
struct DocumentReader {
    private var reader = JSONReader()
    /// Which entry is being read, for messages.
    private var entry = ""

    typealias Refusal = RequestRefusal

    private func json<Value>(
        _ body: (inout JSONReader) throws(JSONError) -> Value, _ reader: inout JSONReader
    ) throws(Refusal) -> Value {
        do throws(JSONError) { return try body(&reader) } catch {
            throw Refusal(
                400, error.code.name, "the JSON is wrong at byte \(error.offset)\(entry)")
        }
    }

    /// Reads an object whose keys are all known; each at most once.
    private mutating func object(
        _ bytes: Span<UInt8>, _ names: [StaticString],
        _ read: (inout DocumentReader, Int) throws(Refusal) -> Void
    ) throws(Refusal) {
        try json({ (reader) throws(JSONError) in try reader.beginObject(bytes) }, &reader)
        var seen = JSONSeenFields()
        while true {
            let key = try json(
                { (reader) throws(JSONError) in try reader.nextKey(bytes) }, &reader)
            guard let key else { return }
            guard let number = names.firstIndex(where: { key.equals($0, in: bytes) }) else {
                throw Refusal(
                    400, "unknown_field", "no such field: \(bytes.part(key.range).text)\(entry)")
            }
            try json(
                { (reader) throws(JSONError) in try seen.note(number, at: reader.offset) },
                &reader)
            try read(&self, number)
        }
    }

    private mutating func array(
        _ bytes: Span<UInt8>, _ read: (inout DocumentReader, Int) throws(Refusal) -> Void
    ) throws(Refusal) {
        try json({ (reader) throws(JSONError) in try reader.beginArray(bytes) }, &reader)
        var index = 0
        while try json(
            { (reader) throws(JSONError) in try reader.nextElement(bytes) }, &reader)
        {
            try read(&self, index)
            index += 1
        }
    }

    private mutating func end(_ bytes: Span<UInt8>) throws(Refusal) {
        try json({ (reader) throws(JSONError) in try reader.end(bytes) }, &reader)
    }

    // MARK: - Values

    private mutating func identifier(_ bytes: Span<UInt8>) throws(Refusal) -> Identifier {
        let string = try json(
            { (reader) throws(JSONError) in try reader.string(bytes) }, &reader)
        var text = ByteBuffer()
        text.append(unescaped: string, from: bytes)
        do throws(IdentifierRefusal) { return try Identifier(text.span) } catch {
            throw Refusal(400, error.code, "an identifier is refused: \(error.code)\(entry)")
        }
    }

    private mutating func identifiers(_ bytes: Span<UInt8>) throws(Refusal) -> [Identifier] {
        var found: [Identifier] = []
        try array(bytes) { (document, _) throws(Refusal) in
            found.append(try document.identifier(bytes))
        }
        return found
    }

    private mutating func integer(
        _ bytes: Span<UInt8>, _ range: ClosedRange<Int64>
    ) throws(Refusal) -> Int64 {
        try json({ (reader) throws(JSONError) in try reader.integer(bytes, in: range) }, &reader)
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(Refusal) -> Span<UInt8>.Index {
        let string = try json(
            { (reader) throws(JSONError) in try reader.string(bytes) }, &reader)
        lastString = string
        return string.range.count
    }

    private var lastString = JSONString(range: .none, hasEscapes: false)

    private mutating func time(_ bytes: Span<UInt8>) throws(Refusal) -> Milliseconds? {
        let isNull = try json(
            { (reader) throws(JSONError) in try reader.takeNull(bytes) }, &reader)
        if isNull { return nil }
        _ = try string(bytes)
        guard let time = bytes.part(lastString.range).rfc3339Milliseconds() else {
            throw Refusal(400, "bad_time", "a time must be RFC 3339\(entry)")
        }
        return time
    }

    // MARK: - Documents

    /// A list of entries: the named member of an object, or a bare array.
    private mutating func list(
        _ bytes: Span<UInt8>, _ member: StaticString,
        _ read: (inout DocumentReader) throws(Refusal) -> Void
    ) throws(Refusal) {
        let kind = try json({ (reader) throws(JSONError) in try reader.peek(bytes) }, &reader)
        if kind == .array {
            try entries(bytes, member, read)
        } else {
            var isPresent = false
            try object(bytes, [member]) { (document, _) throws(Refusal) in
                isPresent = true
                try document.entries(bytes, member, read)
            }
            guard isPresent else {
                throw Refusal(400, "missing_field", "the member \(member) is required")
            }
        }
        try end(bytes)
    }

    private mutating func entries(
        _ bytes: Span<UInt8>, _ member: StaticString,
        _ read: (inout DocumentReader) throws(Refusal) -> Void
    ) throws(Refusal) {
        try array(bytes) { (document, index) throws(Refusal) in
            document.entry = " in \(member)[\(index)]"
            try read(&document)
            document.entry = ""
        }
    }

    static func locations(_ bytes: Span<UInt8>) throws(Refusal) -> [Location] {
        var document = DocumentReader()
        var found: [Location] = []
        try document.list(bytes, "locations") { (document) throws(Refusal) in
            found.append(try document.location(bytes))
        }
        return found
    }

    private mutating func location(_ bytes: Span<UInt8>) throws(Refusal) -> Location {
        var name: Identifier?
        var location: (LocationKind, [Identifier], Bool, Int) = (.store, [], true, 0)
        let names: [StaticString] = ["location", "kind", "groups", "open", "utc_offset"]
        try object(bytes, names) { (document, number) throws(Refusal) in
            switch number {
            case 0: name = try document.identifier(bytes)
            case 1:
                _ = try document.string(bytes)
                let text = bytes.part(document.lastString.range).text
                guard let kind = LocationKind(rawValue: text) else {
                    throw Refusal(
                        400, "unknown_location_kind",
                        "kind is store, warehouse, supplier or marketplace\(document.entry)")
                }
                location.0 = kind
            case 2: location.1 = try document.identifiers(bytes)
            case 3:
                location.2 = try document.json(
                    { (reader) throws(JSONError) in try reader.boolean(bytes) }, &document.reader)
            default:
                _ = try document.string(bytes)
                guard let offset = utcOffset(bytes.part(document.lastString.range)) else {
                    throw Refusal(
                        400, "bad_utc_offset", "utc_offset is like +01:00 or Z\(document.entry)")
                }
                location.3 = offset
            }
        }
        guard let name else {
            throw Refusal(400, "missing_field", "location is required\(entry)")
        }
        return Location(
            name: name, kind: location.0, groups: location.1, isOpen: location.2,
            utcOffsetMinutes: location.3)
    }

    static func groups(_ bytes: Span<UInt8>) throws(Refusal) -> [Group] {
        var document = DocumentReader()
        var found: [Group] = []
        try document.list(bytes, "groups") { (document) throws(Refusal) in
            var name: Identifier?
            var members: [Identifier]?
            try document.object(bytes, ["group", "members"]) {
                (document, number) throws(Refusal) in
                if number == 0 {
                    name = try document.identifier(bytes)
                } else {
                    members = try document.identifiers(bytes)
                }
            }
            guard let name, let members else {
                throw Refusal(
                    400, "missing_field", "group and members are required\(document.entry)")
            }
            found.append(Group(name: name, members: members))
        }
        return found
    }

    static func channels(_ bytes: Span<UInt8>) throws(Refusal) -> [Channel] {
        var document = DocumentReader()
        var found: [Channel] = []
        try document.list(bytes, "channels") { (document) throws(Refusal) in
            var name: Identifier?
            var seconds: Int64 = 900
            try document.object(bytes, ["channel", "default_ttl_seconds"]) {
                (document, number) throws(Refusal) in
                if number == 0 {
                    name = try document.identifier(bytes)
                } else {
                    seconds = try document.integer(bytes, 1...31_622_400)
                }
            }
            guard let name else {
                throw Refusal(400, "missing_field", "channel is required\(document.entry)")
            }
            found.append(Channel(name: name, defaultTTLSeconds: Int(seconds)))
        }
        return found
    }

    // MARK: - Rules

    /// Rule lists of the document that this version does not take; empty ones are accepted.
    private static let laterLists: [StaticString] = [
        "allocation", "oversell", "levels", "limits", "inbound",
    ]

    static func rules(_ bytes: Span<UInt8>) throws(Refusal) -> [SafetyStockRule] {
        var document = DocumentReader()
        var rules: [SafetyStockRule] = []
        try document.object(bytes, ["safety_stock"] + laterLists) {
            (document, number) throws(Refusal) in
            try document.array(bytes) { (document, index) throws(Refusal) in
                guard number == 0 else {
                    throw Refusal(
                        422, "unsupported_rules",
                        "\(laterLists[number - 1]): this version takes safety_stock rules only")
                }
                document.entry = " in safety_stock[\(index)]"
                rules.append(try document.rule(bytes))
                document.entry = ""
            }
        }
        try document.end(bytes)
        var ids = Set<Identifier>()
        for rule in rules where !ids.insert(rule.id).inserted {
            throw Refusal(422, "duplicate_rule_id", "two rules have the id \(rule.id)")
        }
        return rules
    }

    private mutating func rule(_ bytes: Span<UInt8>) throws(Refusal) -> SafetyStockRule {
        var id: Identifier?
        var scope: RuleScope?
        var units: Int32?
        var points: Int32?
        var from: Milliseconds?
        var until: Milliseconds?
        var priority: Int32 = 0
        let names: [StaticString] = [
            "id", "scope", "units", "percent", "from", "until", "priority",
        ]
        try object(bytes, names) { (document, number) throws(Refusal) in
            switch number {
            case 0: id = try document.identifier(bytes)
            case 1: scope = try document.scope(bytes)
            case 2: units = Int32(try document.integer(bytes, 0...Int64(Int32.max)))
            case 3: points = try document.percent(bytes)
            case 4: from = try document.time(bytes)
            case 5: until = try document.time(bytes)
            default:
                priority = Int32(
                    try document.integer(bytes, Int64(Int32.min)...Int64(Int32.max)))
            }
        }
        guard let id else { throw Refusal(422, "missing_field", "id is required\(entry)") }
        guard let scope else { throw Refusal(422, "missing_field", "scope is required\(entry)") }
        if let from, let until, from >= until {
            throw Refusal(422, "empty_period", "from must lie before until\(entry)")
        }
        let amount: SafetyStockAmount
        switch (units, points) {
        case (let units?, nil): amount = .units(units)
        case (nil, let points?): amount = .basisPoints(points)
        default:
            throw Refusal(422, "units_or_percent", "give units or percent, one of them\(entry)")
        }
        return SafetyStockRule(
            id: id, scope: scope, amount: amount, from: from, until: until, priority: priority)
    }

    private mutating func percent(_ bytes: Span<UInt8>) throws(Refusal) -> Int32 {
        let points = try json(
            { (reader) throws(JSONError) in try reader.fixedPoint(bytes, places: 2) }, &reader)
        guard (0...10_000).contains(points) else {
            throw Refusal(422, "percent_out_of_range", "percent is 0 to 100\(entry)")
        }
        return Int32(points)
    }

    private mutating func scope(_ bytes: Span<UInt8>) throws(Refusal) -> RuleScope {
        var names: [Identifier?] = [nil, nil, nil, nil]
        try object(bytes, ["sku", "category", "location", "group"]) {
            (document, number) throws(Refusal) in
            names[number] = try document.identifier(bytes)
        }
        if names[0] != nil && names[1] != nil || names[2] != nil && names[3] != nil {
            throw Refusal(
                422, "contradicting_scope",
                "a scope has one of sku and category, one of location and group\(entry)")
        }
        let goods: RuleScope.Goods =
            names[0].map { .sku($0) } ?? names[1].map { .category($0) } ?? .all
        let place: RuleScope.Place =
            names[2].map { .location($0) } ?? names[3].map { .group($0) } ?? .all
        return RuleScope(goods: goods, place: place)
    }
}

/// Minutes east of UTC of `+01:00`, `-05:30` or `Z`.
func utcOffset(_ text: Span<UInt8>) -> Int? {
    if text.equals("Z") { return 0 }
    guard text.count == 6, text[3] == UInt8(ascii: ":") else { return nil }
    var digits: [Int] = []
    for offset in [1, 2, 4, 5] {
        guard text[offset] &- UInt8(ascii: "0") < 10 else { return nil }
        digits.append(Int(text[offset] - UInt8(ascii: "0")))
    }
    let hours = digits[0] * 10 + digits[1]
    let minutes = digits[2] * 10 + digits[3]
    guard hours <= 14, minutes < 60 else { return nil }
    switch text[0] {
    case UInt8(ascii: "+"): return hours * 60 + minutes
    case UInt8(ascii: "-"): return -(hours * 60 + minutes)
    default: return nil
    }
}
