// Stock rows and items, as CSV rows or JSON objects, into commands.

internal import Bytes
internal import CSV
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// The columns of a stock file, by number; the names are those of its header and its JSON.
private let stockColumns: [CSVColumn] = [
    CSVColumn("sku", isRequired: true), CSVColumn("location", isRequired: true),
    CSVColumn("sellable"), CSVColumn("returned"), CSVColumn("damaged"), CSVColumn("blocked"),
    CSVColumn("on_hand"),
]

private let itemColumns: [CSVColumn] = [
    CSVColumn("sku", isRequired: true), CSVColumn("category"), CSVColumn("name"),
]

/// Decodes stock rows and items. One per reactor; memory is kept from row to row.
struct RowDecoder: ~Copyable {
    private var names = DecodedNames()
    private var places = InlineArray<8, ByteRange>(repeating: .none)
    private var units = InlineArray<8, Int64>(repeating: -1)  // −1: not given.

    static func columns(_ kind: IngestKind) -> [CSVColumn] {
        kind == .stock ? stockColumns : itemColumns
    }

    // MARK: - CSV

    /// Decodes the row that `reader` is at.
    ///
    /// - Parameters:
    ///   - at: As of when it holds; nil: as of its arrival.
    ///   - now: When it arrives.
    mutating func decode(
        _ kind: IngestKind, _ reader: borrowing CSVReader, _ header: CSVHeader,
        _ bytes: Span<UInt8>, _ engine: Engine, at: Milliseconds?, now: Milliseconds, index: Int
    ) throws(ElementRefusal) -> EventDecoder.Decoded {
        if let refusal = header.refusal(of: reader) {
            throw ElementRefusal(refusal.code.name, "the row has another number of fields")
        }
        reset()
        let columnCount = kind == .stock ? stockColumns.count : itemColumns.count
        for number in 0..<columnCount {
            guard let field = header.field(number, of: reader), !field.range.isEmpty else {
                continue
            }
            if kind == .stock, number >= 2 {
                units[number] = try Self.units(bytes.part(field.range), stockColumns[number].name)
            } else {
                places[number] = names.range(field, in: bytes)
            }
        }
        return try command(kind, bytes, engine, at: at, now: now, index: index)
    }

    private static func units(
        _ text: Span<UInt8>, _ column: StaticString
    ) throws(ElementRefusal) -> Int64 {
        guard let value = text.decimalInteger() else {
            throw ElementRefusal("bad_quantity", "\(column) must be a whole number")
        }
        return try checked(value, column)
    }

    private static func checked(
        _ value: Int64, _ column: StaticString
    ) throws(ElementRefusal) -> Int64 {
        guard value >= 0 else {
            throw ElementRefusal("bad_quantity", "\(column) must be at least 0")
        }
        guard value <= Int64(Int32.max) else {
            throw ElementRefusal("quantity_out_of_range", "\(column) does not fit 32 bits")
        }
        return value
    }

    // MARK: - JSON

    /// Decodes one object.
    mutating func decode(
        _ kind: IngestKind, json bytes: Span<UInt8>, _ engine: Engine, at: Milliseconds?,
        now: Milliseconds, index: Int
    ) throws(ElementRefusal) -> EventDecoder.Decoded {
        reset()
        var refusal: ElementRefusal?
        do throws(JSONError) {
            try read(kind, bytes, &refusal)
        } catch {
            throw ElementRefusal(error)
        }
        if let refusal { throw refusal }
        return try command(kind, bytes, engine, at: at, now: now, index: index)
    }

    private mutating func read(
        _ kind: IngestKind, _ bytes: Span<UInt8>, _ refusal: inout ElementRefusal?
    ) throws(JSONError) {
        var reader = JSONReader()
        var seen = JSONSeenFields()
        try reader.beginObject(bytes)
        while let key = try reader.nextKey(bytes) {
            let columns = Self.columns(kind)
            guard let number = columns.firstIndex(where: { key.equals($0.name, in: bytes) })
            else {
                try reader.skipValue(bytes)
                continue
            }
            try seen.note(number, at: reader.offset)
            if kind == .stock, number >= 2 {
                let value = try reader.integer(bytes)
                do throws(ElementRefusal) {
                    units[number] = try Self.checked(value, columns[number].name)
                } catch {
                    refusal = error
                }
            } else {
                places[number] = names.range(try reader.string(bytes), in: bytes)
            }
        }
        try reader.end(bytes)
    }

    // MARK: - The command

    private mutating func reset() {
        names.removeAll()
        for index in 0..<8 {
            places[index] = .none
            units[index] = -1
        }
    }

    private mutating func command(
        _ kind: IngestKind, _ bytes: Span<UInt8>, _ engine: Engine, at: Milliseconds?,
        now: Milliseconds, index: Int
    ) throws(ElementRefusal) -> EventDecoder.Decoded {
        let sku = places[0]
        try check(sku, "sku", bytes)
        let key = names.key(sku, bytes, engine.hasher)
        if kind == .items {
            var command = StockCommand(
                verb: .item, key: key, textOffset: 0, location: 0,
                quantity: 0, at: at ?? now, index: index)
            if !places[1].isEmpty {
                try check(places[1], "category", bytes)
                command.quantity = Int32(try categoryID(bytes, engine)) + 1
            }
            guard places[2].count <= 1024 else {
                throw ElementRefusal("name_too_long", "name has more than 1,024 bytes")
            }
            return EventDecoder.Decoded(command: command, sku: sku)
        }
        try check(places[1], "location", bytes)
        try resolveOnHand()
        var flags: UInt8 = 0
        let location = try locationID(bytes, engine, &flags)
        var command = StockCommand(
            verb: .stock, key: key, textOffset: 0, location: location,
            quantity: 0, at: at ?? now, index: index)
        command.flags = flags | (at == nil ? StockCommand.arrivalFlag : 0)
        for condition in Condition.allCases where units[2 + Int(condition.rawValue)] >= 0 {
            command[counted: condition] = Int32(
                truncatingIfNeeded: units[2 + Int(condition.rawValue)])
        }
        return EventDecoder.Decoded(command: command, sku: sku)
    }

    /// `on_hand` is the sum of the conditions: sellable is what the others leave of it.
    private mutating func resolveOnHand() throws(ElementRefusal) {
        let others = max(0, units[3]) + max(0, units[4]) + max(0, units[5])
        if units[6] < 0 {
            for number in 2...5 where units[number] >= 0 { return }
            throw ElementRefusal("missing_field", "no quantity is given")
        }
        if units[2] < 0 {
            guard units[6] >= others else {
                throw ElementRefusal(
                    "contradicting_quantities", "on_hand is less than its other conditions")
            }
            units[2] = units[6] - others
        } else if units[2] + others != units[6] {
            throw ElementRefusal(
                "contradicting_quantities", "on_hand is not the sum of its conditions")
        }
    }

    private func check(
        _ name: ByteRange, _ field: StaticString, _ bytes: Span<UInt8>
    ) throws(ElementRefusal) {
        guard !name.isEmpty else {
            throw ElementRefusal("missing_field", "the field \(field) is required")
        }
        try names.withName(name, bytes) { name throws(ElementRefusal) in
            do throws(IdentifierRefusal) { try Identifier.check(name) } catch {
                throw ElementRefusal(field, error)
            }
        }
    }

    private func locationID(
        _ bytes: Span<UInt8>, _ engine: Engine, _ flags: inout UInt8
    ) throws(ElementRefusal) -> UInt16 {
        let master = engine.master
        return try names.withName(places[1], bytes) { name throws(ElementRefusal) in
            if let id = master.locationNames.id(name, NameKey(name, engine.hasher)) {
                return UInt16(truncatingIfNeeded: id)
            }
            guard engine.options.createsUnknown else {
                flags |= StockCommand.unknownLocationFlag
                return 0
            }
            do throws(MasterDataRefusal) { return try master.addLocation(name) } catch {
                throw ElementRefusal(error)
            }
        }
    }

    private func categoryID(
        _ bytes: Span<UInt8>, _ engine: Engine
    ) throws(ElementRefusal) -> UInt16 {
        try names.withName(places[1], bytes) { name throws(ElementRefusal) in
            do throws(MasterDataRefusal) { return try engine.master.addCategory(name) } catch {
                throw ElementRefusal(error)
            }
        }
    }

    /// Lends a name of the row that was decoded last.
    func withName<Result>(
        _ name: ByteRange, of bytes: Span<UInt8>, _ body: (Span<UInt8>) -> Result
    ) -> Result { names.withName(name, bytes, body) }

    /// Appends what the command refers to: the SKU's name and, for an item, its plain name.
    func append(
        sku: ByteRange, _ kind: IngestKind, of bytes: Span<UInt8>, to text: inout ByteBuffer
    ) -> Int {
        names.withName(sku, bytes) { text.append($0) }
        if kind != .items { return 0 }
        names.withName(places[2], bytes) { text.append($0) }
        return places[2].count
    }
}
