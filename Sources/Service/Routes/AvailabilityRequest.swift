// The body of POST /v1/availability, read into an engine query.
//
// A body of one slice of items is read in one pass. A longer one is first read over
// whole, so that a malformed document is refused before any of it is answered, and then item by
// item while the answer goes out.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// Why a request as a whole is refused.
struct RequestRefusal: Error {
    var status: Int
    var code: StaticString
    var detail: String

    init(_ status: Int, _ code: StaticString, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    init(_ error: JSONError) {
        self.init(400, error.code.name, "the JSON is wrong at byte \(error.offset)")
    }
}

/// What is wrong with one item.
enum ItemProblem: UInt8 {
    case missingSKU = 1
    case identifierEmpty
    case identifierTooLong
    case badQuantity
    case badPlaces
    case wrongKind

    var code: StaticString {
        switch self {
        case .missingSKU: "missing_field"
        case .identifierEmpty: "identifier_empty"
        case .identifierTooLong: "identifier_too_long"
        case .badQuantity: "bad_quantity"
        case .badPlaces: "locations_and_group"
        case .wrongKind: "bad_item"
        }
    }
}

/// The members of an item, by their numbers in `JSONSeenFields`.
private enum ItemField: Int {
    case sku, locations, quantity, group, unknown

    /// Reads the next key; nil when the item ends.
    @inline(__always)
    static func next(
        _ reader: inout JSONReader, _ body: Span<UInt8>
    ) throws(JSONError) -> ItemField? {
        if reader.takeKey(body, "sku") { return .sku }
        if reader.takeKey(body, "locations") { return .locations }
        guard let key = try reader.nextKey(body) else { return nil }
        if key.equals("sku", in: body) { return .sku }
        if key.equals("locations", in: body) { return .locations }
        if key.equals("qty", in: body) { return .quantity }
        if key.equals("group", in: body) { return .group }
        return .unknown
    }
}

/// A request being read and answered. One per reactor for short ones; memory is kept.
struct AvailabilityRequest: ~Copyable {
    /// Items answered at a time, and places listed by them: what a reactor does before it looks at
    /// other connections.
    static let sliceItemCount = 512
    static let slicePlaceCount = 8192

    /// Answers of single locations that a slice may have where items do not list them.
    static let sliceAnswerCount = 16_384

    var query = AvailabilityQuery()
    var names = DecodedNames()
    /// The names of the slice, gathered when some of them were decoded.
    private(set) var gathered = ByteBuffer()
    var channel = ByteRange.none
    /// The channel that was accepted last: once accepted, it always is.
    var acceptedChannel = ByteBuffer()
    var after = ByteRange.none
    var wantsLocations = false

    /// Where the next slice of items begins; nil when all are read.
    private(set) var rest: JSONReader?
    private var firstItem: JSONReader?
    private var itemCountMax = sliceItemCount
    private var hasItems = false

    mutating func reset() {
        query.removeAll()
        beginQuestion()
    }

    /// Forgets all but the items and places read.
    private mutating func beginQuestion() {
        names.removeAll()
        channel = .none
        after = .none
        wantsLocations = false
        rest = nil
        firstItem = nil
        itemCountMax = Self.sliceItemCount
        hasItems = false
    }

    // MARK: - The document

    /// Reads all members; of the items the first slice.
    mutating func read(
        _ body: Span<UInt8>, _ engine: Engine
    ) throws(RequestRefusal) {
        try readDocument(body, from: 0, engine)
        query.wantsLocations = wantsLocations
        if wantsLocations { shortenSlices(body, engine) }
    }

    /// Reads one more question behind those that were read, if it is a plain one: without fault,
    /// of one slice, about totals, with no escapes in its names.
    ///
    /// - Parameters:
    ///   - text: What all names refer to; ends with the document.
    ///   - start: Where the document starts.
    /// - Returns: false, with nothing added, when it is not so plain.
    mutating func join(
        _ text: Span<UInt8>, from start: Int, _ engine: Engine, state: ServiceState
    ) -> Bool {
        let itemCount = query.items.count
        let placeCount = query.places.count
        beginQuestion()
        do throws(RequestRefusal) {
            try readDocument(text, from: start, engine)
            try check(text, engine, state: state)
            if rest == nil, !wantsLocations, names.isEmpty { return true }
        } catch {}
        query.items.removeLast(query.items.count - itemCount)
        query.places.removeLast(query.places.count - placeCount)
        names.removeAll()
        return false
    }

    private mutating func readDocument(
        _ text: Span<UInt8>, from start: Int, _ engine: Engine
    ) throws(RequestRefusal) {
        do throws(JSONError) {
            try readMembers(text, from: start, engine)
        } catch {
            throw RequestRefusal(error)
        }
        if let refusal = memberRefusal { throw refusal }
        guard hasItems else {
            throw RequestRefusal(400, "missing_field", "the member items is required")
        }
    }

    /// Where every location is told, a short question may have a very long answer: takes as many
    /// items at a time as their answers allow.
    private mutating func shortenSlices(_ body: Span<UInt8>, _ engine: Engine) {
        guard query.items.count > 1, var reader = firstItem else { return }
        let locationCount = engine.master.locations.value.count
        let limit = max(1, Self.sliceAnswerCount / max(1, locationCount))
        guard limit < query.items.count else { return }
        itemCountMax = limit
        do throws(JSONError) {
            for _ in 0..<limit {
                try reader.skipValue(body)
                _ = try reader.nextElement(body)
            }
        } catch {
            fatalError("a document that was read before cannot be read again")
        }
        query.items.removeLast(query.items.count - limit)
        rest = reader
    }

    private var isSliceFull: Bool {
        query.items.count >= itemCountMax || query.places.count >= Self.slicePlaceCount
    }

    private var memberRefusal: RequestRefusal?

    private mutating func readMembers(
        _ body: Span<UInt8>, from start: Int, _ engine: Engine
    ) throws(JSONError) {
        if memberRefusal != nil { memberRefusal = nil }
        var reader = JSONReader(offset: start)
        var seen = JSONSeenFields()
        try reader.beginObject(body)
        while true {
            if reader.takeKey(body, "channel") {
                try seen.note(0, at: reader.offset)
                channel = names.range(try reader.string(body), in: body)
            } else if reader.takeKey(body, "items") {
                try seen.note(1, at: reader.offset)
                try readItems(&reader, body, engine)
            } else {
                guard let key = try reader.nextKey(body) else { break }
                try readMember(key, &reader, body, engine, &seen)
            }
        }
        try reader.end(body)
    }

    private mutating func readMember(
        _ key: JSONString, _ reader: inout JSONReader, _ body: Span<UInt8>, _ engine: Engine,
        _ seen: inout JSONSeenFields
    ) throws(JSONError) {
        if key.equals("channel", in: body) {
            try seen.note(0, at: reader.offset)
            channel = names.range(try reader.string(body), in: body)
        } else if key.equals("items", in: body) {
            try seen.note(1, at: reader.offset)
            try readItems(&reader, body, engine)
        } else if key.equals("detail", in: body) {
            try seen.note(2, at: reader.offset)
            let value = try reader.string(body)
            wantsLocations = value.equals("locations", in: body)
            if !wantsLocations, !value.equals("total", in: body) {
                memberRefusal = RequestRefusal(400, "bad_detail", "detail is total or locations")
            }
        } else if key.equals("after", in: body) {
            try seen.note(3, at: reader.offset)
            after = names.range(try reader.string(body), in: body)
        } else if key.equals("by", in: body) {
            try seen.note(4, at: reader.offset)
            try reader.skipValue(body)
            memberRefusal = RequestRefusal(
                400, "unsupported_field", "by: dated availability is not in this version")
        } else if key.equals("owner", in: body) {
            try seen.note(5, at: reader.offset)
            _ = try reader.string(body)  // There are no holds to leave out.
        } else if key.equals("hold", in: body) {
            try seen.note(6, at: reader.offset)
            _ = try reader.string(body)
        } else {
            try reader.skipValue(body)
        }
    }

    // MARK: - Items

    private mutating func readItems(
        _ reader: inout JSONReader, _ body: Span<UInt8>, _ engine: Engine
    ) throws(JSONError) {
        hasItems = true
        try reader.beginArray(body)
        while try reader.nextElement(body) {
            if firstItem == nil { firstItem = reader }
            if rest != nil || isSliceFull {
                if rest == nil { rest = reader }
                try reader.skipValue(body)
            } else {
                try readItem(&reader, body, engine)
            }
        }
    }

    /// Reads the next slice in the place of the last one.
    mutating func readNextSlice(_ body: Span<UInt8>, _ engine: Engine) {
        guard var reader = rest else { return }
        query.removeAll()
        query.wantsLocations = wantsLocations
        names.removeAll()
        rest = nil
        // The document was read over before, so nothing here can fail.
        do throws(JSONError) {
            repeat {
                if isSliceFull {
                    rest = reader
                    return
                }
                try readItem(&reader, body, engine)
            } while try reader.nextElement(body)
        } catch {
            fatalError("a document that was read before cannot be read again")
        }
    }

    /// Reads one item. What is wrong with it alone is noted in it.
    ///
    /// - Throws: When the document is malformed.
    private mutating func readItem(
        _ reader: inout JSONReader, _ body: Span<UInt8>, _ engine: Engine
    ) throws(JSONError) {
        let start = reader
        let placeCount = query.places.count
        var sku = ByteRange.none
        do throws(JSONError) {
            try readFields(&reader, &sku, body, engine)
        } catch {
            // Of the right form as JSON? Then only this item is wrong.
            reader = start
            try reader.skipValue(body)
            query.places.removeLast(query.places.count - placeCount)
            append(failed: .wrongKind, name: sku, engine)
        }
    }

    private mutating func readFields(
        _ reader: inout JSONReader, _ sku: inout ByteRange, _ body: Span<UInt8>, _ engine: Engine
    ) throws(JSONError) {
        var seen = JSONSeenFields()
        var quantity: Int64 = 0
        var scope = QueryScope.everywhere
        var group = ByteRange.none
        var problem: ItemProblem?
        let firstPlace = query.places.count
        var hasUnknownPlace = false
        try reader.beginObject(body)
        while let field = try ItemField.next(&reader, body) {
            if field != .unknown { try seen.note(field.rawValue, at: reader.offset) }
            switch field {
            case .sku: sku = names.range(try reader.string(body), in: body)
            case .locations:
                if scope == .group { problem = .badPlaces }
                scope = .places
                try reader.beginArray(body)
                while try reader.nextElement(body) {
                    let name = names.range(try reader.string(body), in: body)
                    if !appendPlace(name, body, engine) { hasUnknownPlace = true }
                }
            case .quantity:
                quantity = try Self.readQuantity(&reader, body)
                if quantity <= 0 || quantity > Int64(Int32.max) { problem = .badQuantity }
            case .group:
                if scope == .places { problem = .badPlaces }
                scope = .group
                group = names.range(try reader.string(body), in: body)
            case .unknown: try reader.skipValue(body)
            }
        }
        if !seen.contains(ItemField.sku.rawValue) { problem = .missingSKU }
        if problem == nil { problem = Self.check(sku.count) }
        if let problem {
            append(failed: problem, name: sku, engine)
            return
        }
        append(sku, quantity, scope, group, firstPlace, body, engine)
        if hasUnknownPlace, !engine.options.createsUnknown {
            query.items[query.items.count - 1].fail(.unknownLocation)
        }
    }

    /// Reads a value that should be a whole number; −1 where it is something else.
    private static func readQuantity(
        _ reader: inout JSONReader, _ body: Span<UInt8>
    ) throws(JSONError) -> Int64 {
        let start = reader
        do throws(JSONError) { return try reader.integer(body) } catch {
            reader = start
            try reader.skipValue(body)
            return -1
        }
    }

    private static func check(_ byteCount: Int) -> ItemProblem? {
        if byteCount == 0 { return .identifierEmpty }
        return byteCount > Identifier.byteCountMax ? .identifierTooLong : nil
    }

    private mutating func append(failed problem: ItemProblem, name: ByteRange, _ engine: Engine) {
        let none: InlineArray<1, UInt8> = [UInt8(ascii: "-")]
        // What is too long for a name is not repeated.
        let shown = name.count > Identifier.byteCountMax ? .none : name
        var item = QueryItem(key: NameKey(none.span, engine.hasher), name: shown)
        item.fail(.malformed, problem: problem.rawValue)
        query.items.append(item)
    }

    private mutating func append(
        _ sku: ByteRange, _ quantity: Int64, _ scope: QueryScope, _ group: ByteRange,
        _ firstPlace: Int, _ body: Span<UInt8>, _ engine: Engine
    ) {
        var item = QueryItem(key: names.key(sku, body, engine.hasher), name: sku)
        engine.prefetch(item.key)
        item.quantity = quantity
        item.scope = scope
        item.firstPlace = UInt32(firstPlace)
        item.placeCount = UInt32(query.places.count - firstPlace)
        if scope == .group {
            let id = names.withName(group, body) { name in
                name.count >= 1 && name.count <= Identifier.byteCountMax
                    ? engine.master.groupNames.id(name, NameKey(name, engine.hasher)) : nil
            }
            if let id { item.group = UInt16(id) } else { item.fail(.unknownGroup) }
        }
        query.items.append(item)
    }

    /// Adds a place to the item being read; false when no such location is known.
    mutating func appendPlace(_ name: ByteRange, _ body: Span<UInt8>, _ engine: Engine) -> Bool {
        var id: UInt32?
        if name.count >= 1, name.count <= Identifier.byteCountMax {
            let locations = engine.master.locationNames
            if name.offset < body.count {
                id = query.recentLocations.id(body, name, locations, engine.hasher)
            } else {
                let key = names.key(name, body, engine.hasher)
                id = names.withName(name, body) { locations.id($0, key) }
            }
        }
        query.places.append(
            QueryPlace(name: name, location: id.map { UInt16($0) } ?? QueryPlace.unknown))
        return id != nil
    }

    // MARK: - Running

    /// Answers the slice just read; whether some items are left to the owners of their shards.
    mutating func run(_ engine: Engine, _ policy: Policy, _ body: Span<UInt8>) -> Bool {
        if names.isEmpty { return query.run(engine, policy, body) }
        gatherNames(body)
        return Service.run(&query, engine, policy, gathered)
    }

    /// Puts all names of the slice into one text, where some lie in the body and some do not.
    ///
    /// - Complexity: O(bytes of the names): never O(body), which every slice would pay.
    private mutating func gatherNames(_ body: Span<UInt8>) {
        gathered.removeAll()
        for index in query.items.indices {
            let name = query.items[index].name
            query.items[index].name = gather(name, body)
        }
        for index in query.places.indices {
            let name = query.places[index].name
            query.places[index].name = gather(name, body)
        }
    }

    private mutating func gather(_ name: ByteRange, _ body: Span<UInt8>) -> ByteRange {
        let start = gathered.count
        names.withName(name, body) { gathered.append($0) }
        return ByteRange(from: start, to: gathered.count)
    }

    /// Whether some of `items` could not be read consistently.
    mutating func isContended(_ items: Range<Int>) -> Bool {
        for index in items where query.items[index].status == .contended { return true }
        return false
    }

    /// A shard with items that could not be read consistently; nil when there are none left.
    var contendedShard: Int? {
        for index in query.items.indices where query.items[index].status == .contended {
            return Int(query.items[index].shard)
        }
        return nil
    }

    // MARK: - One item, from a target

    /// Sets the only item, as GET asks for it.
    mutating func setItem(
        _ sku: ByteRange, quantity: Int64, group: ByteRange, hasPlaces: Bool,
        _ bytes: Span<UInt8>, _ engine: Engine
    ) {
        query.wantsLocations = wantsLocations
        if let problem = Self.check(sku.count) {
            append(failed: problem, name: sku, engine)
            return
        }
        let scope: QueryScope = hasPlaces ? .places : group.isEmpty ? .everywhere : .group
        append(sku, quantity, scope, group, 0, bytes, engine)
        if !engine.options.createsUnknown {
            for place in query.places.indices
            where query.places[place].location == QueryPlace.unknown {
                query.items[0].fail(.unknownLocation)
            }
        }
    }
}

/// Query and text as separate parameters: a span of one part would bar changes to the other.
private func run(
    _ query: inout AvailabilityQuery, _ engine: Engine, _ policy: Policy,
    _ text: borrowing ByteBuffer
) -> Bool {
    query.run(engine, policy, text.span)
}
