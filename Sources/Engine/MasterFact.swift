// What changed in shared data, as a journal will keep it: the control stream.
//
//     payload   facts, one after the other
//     names     tag 8 (1 location, 2 channel, 3 group, 4 category, 5 source of events) · name
//     documents tag 8 (16 locations, 17 channels, 18 groups, 19 rules) · count 32 · entries
//     location  name · kind 8 · open 8 · UTC offset in minutes 16 · groups
//     channel   name · default TTL in seconds 32
//     group     name · members
//     rule      id · goods · place · percent 8 · amount 32 · bounds 8 · from 64 · until 64 · priority 32
//     goods     tag 8 (0 all, 1 SKU, 2 category) · name, but for all
//     place     tag 8 (0 all, 1 location, 2 group) · name, but for all
//     names of  count 32 · names
//     name      length 8 · bytes
//
// Numbers are little-endian. A name gets the next id of its kind. Documents are what was put, checked;
// each raises its version by one.

package import Bytes
package import Domain

/// One change of shared data.
package enum MasterFact: Equatable, Sendable {
    case locationNamed(Identifier)
    case channelNamed(Identifier)
    case groupNamed(Identifier)
    case categoryNamed(Identifier)
    case sourceNamed(Identifier)
    case locations([Location])
    case channels([Channel])
    case groups([Group])
    case rules([SafetyStockRule])

    enum Tag: UInt8 {
        case locationNamed = 1
        case channelNamed
        case groupNamed
        case categoryNamed
        case sourceNamed
        case locations = 16
        case channels
        case groups
        case rules
    }

    /// Whether it gives a name its id, and changes nothing else.
    var isName: Bool {
        switch self {
        case .locationNamed, .channelNamed, .groupNamed, .categoryNamed, .sourceNamed: true
        case .locations, .channels, .groups, .rules: false
        }
    }

    static let hasFrom: UInt8 = 1
    static let hasUntil: UInt8 = 2
}

// MARK: - Writing

extension MasterFact {
    /// Bytes that it takes in a frame.
    package var byteCount: Int {
        var bytes = ByteBuffer()
        append(to: &bytes)
        return bytes.count
    }

    package func append(to output: inout ByteBuffer) {
        switch self {
        case .locationNamed(let name): Self.append(.locationNamed, name, to: &output)
        case .channelNamed(let name): Self.append(.channelNamed, name, to: &output)
        case .groupNamed(let name): Self.append(.groupNamed, name, to: &output)
        case .categoryNamed(let name): Self.append(.categoryNamed, name, to: &output)
        case .sourceNamed(let name): Self.append(.sourceNamed, name, to: &output)
        case .locations(let entries):
            Self.append(.locations, count: entries.count, to: &output)
            for entry in entries { Self.append(entry, to: &output) }
        case .channels(let entries):
            Self.append(.channels, count: entries.count, to: &output)
            for entry in entries {
                Self.append(entry.name, to: &output)
                output.append(littleEndian: Int32(entry.defaultTTLSeconds))
            }
        case .groups(let entries):
            Self.append(.groups, count: entries.count, to: &output)
            for entry in entries {
                Self.append(entry.name, to: &output)
                Self.append(entry.members, to: &output)
            }
        case .rules(let entries):
            Self.append(.rules, count: entries.count, to: &output)
            for entry in entries { Self.append(entry, to: &output) }
        }
    }

    private static func append(_ tag: Tag, _ name: Identifier, to output: inout ByteBuffer) {
        output.append(tag.rawValue)
        append(name, to: &output)
    }

    private static func append(_ tag: Tag, count: Int, to output: inout ByteBuffer) {
        output.append(tag.rawValue)
        output.append(littleEndian: UInt32(count))
    }

    private static func append(_ name: Identifier, to output: inout ByteBuffer) {
        output.append(UInt8(name.bytes.count))
        output.append(name.bytes.span)
    }

    private static func append(_ names: [Identifier], to output: inout ByteBuffer) {
        output.append(littleEndian: UInt32(names.count))
        for name in names { append(name, to: &output) }
    }

    private static func append(_ location: Location, to output: inout ByteBuffer) {
        append(location.name, to: &output)
        output.append(UInt8(LocationKind.allCases.firstIndex(of: location.kind) ?? 0))
        output.append(location.isOpen ? 1 : 0)
        output.append(littleEndian: Int16(location.utcOffsetMinutes))
        append(location.groups, to: &output)
    }

    private static func append(_ rule: SafetyStockRule, to output: inout ByteBuffer) {
        append(rule.id, to: &output)
        switch rule.scope.goods {
        case .all: output.append(0)
        case .sku(let name): append(1, name, to: &output)
        case .category(let name): append(2, name, to: &output)
        }
        switch rule.scope.place {
        case .all: output.append(0)
        case .location(let name): append(1, name, to: &output)
        case .group(let name): append(2, name, to: &output)
        }
        switch rule.amount {
        case .units(let units):
            output.append(0)
            output.append(littleEndian: units)
        case .basisPoints(let points):
            output.append(1)
            output.append(littleEndian: points)
        }
        output.append((rule.from == nil ? 0 : hasFrom) | (rule.until == nil ? 0 : hasUntil))
        output.append(littleEndian: rule.from ?? 0)
        output.append(littleEndian: rule.until ?? 0)
        output.append(littleEndian: rule.priority)
    }

    private static func append(_ tag: UInt8, _ name: Identifier, to output: inout ByteBuffer) {
        output.append(tag)
        append(name, to: &output)
    }
}

// MARK: - Reading

/// Reads the facts of a control frame. Trusts nothing: what does not decode has an offset.
package struct MasterFactReader: Sendable {
    private var place = PayloadReader()

    package init() {}

    package var offset: Int { place.offset }

    /// The next fact; nil at the end of the payload.
    package mutating func next(_ payload: Span<UInt8>) throws(FactError) -> MasterFact? {
        if offset == payload.count { return nil }
        let tag: UInt8 = try place.read(payload)
        switch MasterFact.Tag(rawValue: tag) {
        case .locationNamed: return .locationNamed(try readName(payload))
        case .channelNamed: return .channelNamed(try readName(payload))
        case .groupNamed: return .groupNamed(try readName(payload))
        case .categoryNamed: return .categoryNamed(try readName(payload))
        case .sourceNamed: return .sourceNamed(try readName(payload))
        case .locations:
            return .locations(
                try readList(payload) { (reader) throws(FactError) in
                    try reader.readLocation(payload)
                })
        case .channels:
            return .channels(
                try readList(payload) { (reader) throws(FactError) in
                    try reader.readChannel(payload)
                })
        case .groups:
            return .groups(
                try readList(payload) { (reader) throws(FactError) in
                    Group(
                        name: try reader.readName(payload), members: try reader.readNames(payload))
                })
        case .rules:
            return .rules(
                try readList(payload) { (reader) throws(FactError) in
                    try reader.readRule(payload)
                })
        case nil: throw place.refusal(.unknownKind)
        }
    }

    private mutating func readName(_ payload: Span<UInt8>) throws(FactError) -> Identifier {
        let length: UInt8 = try place.read(payload)
        let range = try place.readRange(payload, Int(length))
        guard let name = try? Identifier(payload.part(range)) else {
            throw FactError(offset: range.offset, reason: .badName)
        }
        return name
    }

    /// A list grows as it is read: what it claims to hold takes no memory.
    private mutating func readList<Entry>(
        _ payload: Span<UInt8>, _ entry: (inout Self) throws(FactError) -> Entry
    ) throws(FactError) -> [Entry] {
        let count: UInt32 = try place.read(payload)
        var entries: [Entry] = []
        for _ in 0..<count { entries.append(try entry(&self)) }
        return entries
    }

    private mutating func readNames(_ payload: Span<UInt8>) throws(FactError) -> [Identifier] {
        try readList(payload) { (reader) throws(FactError) in try reader.readName(payload) }
    }

    private mutating func readLocation(_ payload: Span<UInt8>) throws(FactError) -> Location {
        let name = try readName(payload)
        let kind: UInt8 = try place.read(payload)
        guard Int(kind) < LocationKind.allCases.count else {
            throw place.refusal(.unknownKind)
        }
        let isOpen: UInt8 = try place.read(payload)
        let utcOffset: Int16 = try place.read(payload)
        return Location(
            name: name, kind: LocationKind.allCases[Int(kind)], groups: try readNames(payload),
            isOpen: isOpen != 0, utcOffsetMinutes: Int(utcOffset))
    }

    private mutating func readChannel(_ payload: Span<UInt8>) throws(FactError) -> Channel {
        let name = try readName(payload)
        let seconds: Int32 = try place.read(payload)
        return Channel(name: name, defaultTTLSeconds: Int(seconds))
    }

    private mutating func readRule(_ payload: Span<UInt8>) throws(FactError) -> SafetyStockRule {
        let id = try readName(payload)
        let goods = try readScope(
            payload, all: RuleScope.Goods.all, { .sku($0) }, { .category($0) })
        let places = try readScope(
            payload, all: RuleScope.Place.all, { .location($0) }, { .group($0) })
        let isPercent: UInt8 = try place.read(payload)
        let amount: Int32 = try place.read(payload)
        guard amount >= 0, isPercent == 0 || amount <= 10_000 else {
            throw place.refusal(.badNumber, back: 4)
        }
        let bounds: UInt8 = try place.read(payload)
        let from: Int64 = try place.read(payload)
        let until: Int64 = try place.read(payload)
        return SafetyStockRule(
            id: id, scope: RuleScope(goods: goods, place: places),
            amount: isPercent == 0 ? .units(amount) : .basisPoints(amount),
            from: bounds & MasterFact.hasFrom == 0 ? nil : from,
            until: bounds & MasterFact.hasUntil == 0 ? nil : until,
            priority: try place.read(payload))
    }

    private mutating func readScope<Scope>(
        _ payload: Span<UInt8>, all: Scope, _ first: (Identifier) -> Scope,
        _ second: (Identifier) -> Scope
    ) throws(FactError) -> Scope {
        let tag: UInt8 = try place.read(payload)
        switch tag {
        case 0: return all
        case 1: return first(try readName(payload))
        case 2: return second(try readName(payload))
        default: throw place.refusal(.unknownKind)
        }
    }
}
