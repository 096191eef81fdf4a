// One event as JSON, into a command: strict, allocation-free, each refusal with its own code.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// Why an element of a stream is refused.
struct ElementRefusal: Error {
    var code: StaticString
    var detail: String
    /// It was not for the element's own fault: what the whole answer says then.
    var outcome: Outcome?

    init(_ refusal: MasterDataRefusal) {
        self.init(refusal.code, refusal.detail)
        switch refusal {
        case .busy: outcome = .busy
        case .journalFull: outcome = .journalFull
        case .readOnly: outcome = .readOnly
        default: break
        }
    }

    init(_ code: StaticString, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    init(_ error: JSONError) {
        self.init(error.code.name, "the JSON is wrong at byte \(error.offset) of the element")
    }

    init(_ refusal: EventRefusal) { self.init(refusal.code, refusal.detail) }

    init(_ field: StaticString, _ refusal: IdentifierRefusal) {
        self.init(refusal.code, "\(field): \(refusal.code)")
    }
}

/// The fields of an event, by number; the order is that of `names`.
private enum Field: Int, CaseIterable {
    case id, kind, sku, location, qty, at, source, seq, channel, toLocation, from, to, ref, due
    case reason, hold, line, shipment, ttlSeconds, owner

    static func find(_ key: JSONString, _ bytes: Span<UInt8>) -> Field? {
        for field in allCases where key.equals(field.name, in: bytes) { return field }
        return nil
    }

    var name: StaticString {
        switch self {
        case .id: "id"
        case .kind: "kind"
        case .sku: "sku"
        case .location: "location"
        case .qty: "qty"
        case .at: "at"
        case .source: "source"
        case .seq: "seq"
        case .channel: "channel"
        case .toLocation: "to_location"
        case .from: "from"
        case .to: "to"
        case .ref: "ref"
        case .due: "due"
        case .reason: "reason"
        case .hold: "hold"
        case .line: "line"
        case .shipment: "shipment"
        case .ttlSeconds: "ttl_seconds"
        case .owner: "owner"
        }
    }
}

/// Decodes events. One per reactor; memory is kept from event to event.
struct EventDecoder: ~Copyable {
    private var names = DecodedNames()
    private var identity = ByteBuffer(capacity: 512)
    private var draft = EventDraft()
    private var id = ByteRange.none
    private var sku = ByteRange.none
    private var location = ByteRange.none
    private var toLocation = ByteRange.none
    private var channel = ByteRange.none
    private var source = ByteRange.none
    private var ref = ByteRange.none
    private var reason = ByteRange.none
    private var sequence: Int64?
    private var refusal: EventRefusal?

    /// A decoded event: its command, and where its SKU's name is, and the part of its reason that is kept.
    struct Decoded {
        var command: StockCommand
        var sku: ByteRange
        var reason = ByteRange.none
        /// The event's number in the sequence of its source.
        var sequence: Int64?
    }

    /// Decodes one event.
    ///
    /// The checks come in this order: JSON · id · kind and quantity · time · conditions · names.
    mutating func decode(
        _ bytes: Span<UInt8>, _ engine: Engine, now: Milliseconds, index: Int, isBackfill: Bool
    ) throws(ElementRefusal) -> Decoded {
        do throws(JSONError) { try read(bytes) } catch { throw ElementRefusal(error) }
        guard !id.isEmpty else { throw ElementRefusal(.missing("id")) }
        try check(id, "id", bytes, byteCountMax: eventIDByteCountMax)
        if let refusal { throw ElementRefusal(refusal) }
        let effect: EventEffect
        do throws(EventRefusal) { effect = try draft.checked(now: now) } catch {
            throw ElementRefusal(error)
        }
        guard !sku.isEmpty else { throw ElementRefusal(.missing("sku")) }
        try check(sku, "sku", bytes)
        guard !location.isEmpty else { throw ElementRefusal(.missing("location")) }
        try check(location, "location", bytes)
        if !source.isEmpty { try check(source, "source", bytes) }
        if !channel.isEmpty { try check(channel, "channel", bytes) }
        if effect.kind == .transfer, toLocation.isEmpty {
            throw ElementRefusal(.missing("to_location"))
        }
        // Also where the kind has no use for it: it is part of what the event says.
        if !toLocation.isEmpty { try check(toLocation, "to_location", bytes) }
        return try command(effect, bytes, engine, index: index, isBackfill: isBackfill)
    }

    /// The `id` of an event that was refused, as it stands in the text; nil when it has none.
    static func idString(of bytes: Span<UInt8>) -> JSONString? {
        guard let id = string("id", of: bytes), id.range.count <= 1024 else { return nil }
        return id
    }

    /// The `sku` of an event that was decoded once; nil when it has none.
    static func sku(of bytes: Span<UInt8>) -> ByteBuffer? {
        guard let text = string("sku", of: bytes) else { return nil }
        var sku = ByteBuffer()
        sku.append(unescaped: text, from: bytes)
        return sku
    }

    /// A field of an event, as it stands in the text; nil when the event has no such string.
    private static func string(_ name: StaticString, of bytes: Span<UInt8>) -> JSONString? {
        var reader = JSONReader()
        do throws(JSONError) {
            try reader.beginObject(bytes)
            while let key = try reader.nextKey(bytes) {
                if key.equals(name, in: bytes) { return try reader.string(bytes) }
                try reader.skipValue(bytes)
            }
        } catch {
            return nil
        }
        return nil
    }

    // MARK: - Reading

    private mutating func reset() {
        names.removeAll()
        draft = EventDraft()
        id = .none
        sku = .none
        location = .none
        toLocation = .none
        channel = .none
        source = .none
        ref = .none
        reason = .none
        sequence = nil
        refusal = nil
    }

    private mutating func read(_ bytes: Span<UInt8>) throws(JSONError) {
        reset()
        var reader = JSONReader()
        var seen = JSONSeenFields()
        try reader.beginObject(bytes)
        while let key = try reader.nextKey(bytes) {
            guard let field = Field.find(key, bytes) else {
                try reader.skipValue(bytes)  // Other systems' own fields are theirs.
                continue
            }
            try seen.note(field.rawValue, at: reader.offset)
            try read(field, &reader, bytes)
        }
        try reader.end(bytes)
    }

    private mutating func read(
        _ field: Field, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        switch field {
        case .id: id = names.range(try reader.string(bytes), in: bytes)
        case .sku: sku = names.range(try reader.string(bytes), in: bytes)
        case .location: location = names.range(try reader.string(bytes), in: bytes)
        case .toLocation: toLocation = names.range(try reader.string(bytes), in: bytes)
        case .channel: channel = names.range(try reader.string(bytes), in: bytes)
        case .source: source = names.range(try reader.string(bytes), in: bytes)
        case .ref: ref = names.range(try reader.string(bytes), in: bytes)
        case .reason: reason = names.range(try reader.string(bytes), in: bytes)
        case .qty: draft.quantity = try reader.integer(bytes)
        case .seq: sequence = try reader.integer(bytes)
        case .ttlSeconds: _ = try reader.integer(bytes)
        case .due, .hold, .line, .shipment, .owner: _ = try reader.string(bytes)
        case .at: try readTime(&reader, bytes)
        case .kind: readKind(names.range(try reader.string(bytes), in: bytes), bytes)
        case .from:
            draft.from = readCondition(names.range(try reader.string(bytes), in: bytes), bytes)
        case .to:
            draft.to = readCondition(names.range(try reader.string(bytes), in: bytes), bytes)
        }
    }

    private mutating func readKind(_ name: ByteRange, _ bytes: Span<UInt8>) {
        draft.kind = names.withName(name, bytes) { EventKind(name: $0) }
        if draft.kind == nil {
            let isKnown = names.withName(name, bytes) { EventKind.isKnownButUnsupported($0) }
            refusal = isKnown ? .unsupportedKind : .unknownKind
        }
    }

    private mutating func readCondition(_ name: ByteRange, _ bytes: Span<UInt8>) -> Condition? {
        let condition = names.withName(name, bytes) { Condition(name: $0) }
        if condition == nil, refusal == nil { refusal = .unknownCondition }
        return condition
    }

    private mutating func readTime(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        if try reader.peek(bytes) == .number {
            draft.at = try reader.integer(bytes)
            return
        }
        let text = names.range(try reader.string(bytes), in: bytes)
        draft.at = names.withName(text, bytes) { $0.rfc3339Milliseconds() }
        if draft.at == nil, refusal == nil { refusal = .badTime }
    }

    private func check(
        _ name: ByteRange, _ field: StaticString, _ bytes: Span<UInt8>,
        byteCountMax: Int = Identifier.byteCountMax
    ) throws(ElementRefusal) {
        try names.withName(name, bytes) { name throws(ElementRefusal) in
            do throws(IdentifierRefusal) {
                try Identifier.check(name, byteCountMax: byteCountMax)
            } catch {
                throw ElementRefusal(field, error)
            }
        }
    }

    // MARK: - The command

    private mutating func command(
        _ effect: EventEffect, _ bytes: Span<UInt8>, _ engine: Engine, index: Int,
        isBackfill: Bool
    ) throws(ElementRefusal) -> Decoded {
        var flags = StockCommand.hasIdentityFlag
        if isBackfill { flags |= StockCommand.backfillFlag }
        if draft.at == nil { flags |= StockCommand.arrivalFlag }
        let here = try locationID(location, bytes, engine, &flags)
        var there = here
        if effect.kind == .transfer {
            there = try locationID(toLocation, bytes, engine, &flags)
            guard there != here || flags & StockCommand.unknownLocationFlag != 0 else {
                throw ElementRefusal(.sameLocation)
            }
        }
        if !channel.isEmpty { try noteChannel(bytes, engine, &flags) }
        let key = names.key(sku, bytes, engine.hasher)
        var command = StockCommand(
            verb: .event, key: key, textOffset: 0, location: here,
            quantity: effect.quantity, at: effect.at, index: index)
        command.kind = effect.kind
        command.from = effect.from
        command.to = effect.to
        command.toLocation = there
        command.flags = flags
        command.fingerprint = fingerprint(effect, bytes, engine.hasher)
        command.eventSource = try eventSource(bytes, engine)
        let kept = names.withName(reason, bytes) { Self.keptByteCount($0) }
        command.reasonByteCount = UInt8(kept)
        return Decoded(
            command: command, sku: sku, reason: ByteRange(offset: reason.offset, count: kept),
            sequence: sequence)
    }

    private func eventSource(
        _ bytes: Span<UInt8>, _ engine: Engine
    ) throws(ElementRefusal) -> EventSource {
        if source.isEmpty { return .none }
        return try names.withName(source, bytes) { name throws(ElementRefusal) in
            do throws(MasterDataRefusal) { return try engine.master.eventSource(name) } catch {
                throw ElementRefusal(error)
            }
        }
    }

    /// Bytes of a reason that are kept: whole characters.
    private static func keptByteCount(_ reason: Span<UInt8>) -> Int {
        if reason.count <= eventReasonByteCountMax { return reason.count }
        var count = eventReasonByteCountMax
        while reason[count] & 0xC0 == 0x80 { count -= 1 }
        return count
    }

    private func locationID(
        _ name: ByteRange, _ bytes: Span<UInt8>, _ engine: Engine, _ flags: inout UInt8
    ) throws(ElementRefusal) -> UInt16 {
        let master = engine.master
        let known = names.withName(name, bytes) {
            master.locationNames.id($0, NameKey($0, engine.hasher))
        }
        if let known { return UInt16(truncatingIfNeeded: known) }
        guard engine.options.createsUnknown else {
            flags |= StockCommand.unknownLocationFlag
            return 0
        }
        return try names.withName(name, bytes) { name throws(ElementRefusal) in
            do throws(MasterDataRefusal) { return try master.addLocation(name) } catch {
                throw ElementRefusal(error)
            }
        }
    }

    private func noteChannel(
        _ bytes: Span<UInt8>, _ engine: Engine, _ flags: inout UInt8
    ) throws(ElementRefusal) {
        let master = engine.master
        let isKnown = names.withName(channel, bytes) {
            master.channelNames.id($0, NameKey($0, engine.hasher)) != nil
        }
        if isKnown { return }
        guard engine.options.createsUnknown else {
            flags |= StockCommand.unknownChannelFlag
            return
        }
        try names.withName(channel, bytes) { name throws(ElementRefusal) in
            do throws(MasterDataRefusal) { _ = try master.addChannel(name) } catch {
                throw ElementRefusal(error)
            }
        }
    }

    /// The keyed hash of (source, id), and one of all that the event says.
    private mutating func fingerprint(
        _ effect: EventEffect, _ bytes: Span<UInt8>, _ hasher: KeyedHash
    ) -> EventFingerprint {
        identity.removeAll()
        append(source, bytes)
        append(id, bytes)
        let who = hasher.hash128(identity.span)
        identity.removeAll()
        identity.append(effect.kind.rawValue)
        identity.append(effect.from.rawValue)
        identity.append(effect.to.rawValue)
        identity.append(decimal: effect.quantity)
        identity.append(0)
        // Only a time that was given: the arrival of a repeat is another one.
        if let at = draft.at { identity.append(decimal: at) }
        identity.append(0)
        for name in [sku, location, toLocation, channel] { append(name, bytes) }
        var what = hasher.hash128(identity.span).0
        for text in [ref, reason] where !text.isEmpty {
            let hash = names.withName(text, bytes) {
                hasher.hash128($0.extracting(first: min($0.count, KeyedHash.byteCountMax))).0
            }
            what = (what ^ hash) &* 0x9E37_79B9_7F4A_7C15
        }
        return EventFingerprint(
            first: who.0, second: UInt32(truncatingIfNeeded: who.1),
            body: UInt32(truncatingIfNeeded: what >> 32))
    }

    private mutating func append(_ name: ByteRange, _ bytes: Span<UInt8>) {
        names.withName(name, bytes) { identity.append($0) }
        identity.append(0)  // No identifier has a NUL.
    }

    /// Appends a part of the event that was decoded last to a batch's text.
    func append(_ part: ByteRange, of bytes: Span<UInt8>, to text: inout ByteBuffer) {
        names.withName(part, bytes) { text.append($0) }
    }
}
