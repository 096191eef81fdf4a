// evolve: applies facts to the columns; decides nothing and cannot fail.
//
// All facts of one command are of one SKU and are applied inside one version of its run, so a
// reader sees all of them or none. What follows from stock and rules alone (safety stock, free) is
// derived here, in replay as in life.

internal import Bytes
internal import Columns
internal import Domain

extension Shard {
    /// Applies the facts of one command.
    ///
    /// - Parameters:
    ///   - text: What ranges in the facts refer to.
    ///   - place: The SKU that the facts are about, none when the first of them adds it; and the
    ///     row of the first position they name, where it is known.
    ///   - positionCount: Positions that this SKU is about to gain, for the size of its run.
    mutating func evolve(
        _ text: Span<UInt8>, _ place: FoundPlace, expecting positionCount: Int = 1
    ) {
        var evolution = Evolution(known: place, expected: positionCount)
        for index in facts.indices { evolve(facts[index], text, &evolution) }
        end(evolution)
    }

    /// How far the facts of one command have been applied.
    struct Evolution {
        /// The position that facts named last.
        var known: FoundPlace
        /// Positions that the SKU is about to gain.
        var expected = 1
        /// The SKU that is being changed; `max` while none is.
        var openSKU: UInt32 = .max
    }

    /// Applies one fact. Facts of one command that change positions are all of one SKU.
    @inline(__always)
    mutating func evolve(_ fact: Fact, _ text: Span<UInt8>, _ evolution: inout Evolution) {
        switch fact {
        case .skuAdded(let range):
            addSKU(text.part(range))
        case .positionAdded(let key):
            open(key.sku, &evolution)
            let row = positions.addPosition(
                key.sku, at: key.location, expecting: evolution.expected)
            evolution.known.found(key.location, row)
        case .moved(let fact):
            open(fact.position.sku, &evolution)
            let row = row(of: fact.position, &evolution.known)
            evolve(fact, at: row, from: positions.rows[row])
        case .counted(let fact):
            open(fact.position.sku, &evolution)
            evolve(fact, row(of: fact.position, &evolution.known))
        case .movementRecorded, .countRecorded, .reasonGiven:
            break
        case .categorised(let fact):
            open(fact.sku, &evolution)
            evolve(fact, text)
        case .remembered(let event, _):
            remembered.add(event)
        case .parked(let fact):
            parked.park(fact, text)
        case .letterEnded(let fact):
            evolve(fact)
        }
    }

    private mutating func evolve(_ fact: LetterEnded) {
        guard let event = parked.remove(fact.number) else {
            fatalError("a fact about an event that does not stand aside")
        }
        if fact.ending == .taken || event.fingerprint == .none || defects.has(.discardForgotten) {
            return
        }
        remembered.add(
            RememberedEvent(fingerprint: event.fingerprint, outcome: .discarded, time: fact.time))
    }

    /// Shows readers what the facts of the command changed.
    @inline(__always)
    mutating func end(_ evolution: Evolution) {
        if evolution.openSKU != .max { positions.endChange(evolution.openSKU) }
    }

    @inline(__always)
    private func row(of position: PositionKey, _ known: inout FoundPlace) -> Int {
        if known.hasRow, known.location == position.location { return Int(known.row) }
        guard let row = positions.row(of: position.sku, at: position.location) else {
            fatalError("a fact about a position that does not exist")
        }
        known.found(position.location, row)
        return row
    }

    @inline(__always)
    private mutating func open(_ sku: UInt32, _ evolution: inout Evolution) {
        if evolution.openSKU != .max { return }
        positions.beginChange(sku)
        evolution.openSKU = sku
    }

    private mutating func addSKU(_ name: Span<UInt8>) {
        let sku = positions.addSKU(name, NameKey(name, hasher))
        markRules(sku, name, policy.safetyStock)
    }

    func markedFlags(_ flags: UInt16, _ hasRules: Bool) -> UInt16 {
        hasRules
            ? flags | SKUAttributes.hasRulesFlag : flags & ~SKUAttributes.hasRulesFlag
    }

    mutating func markRules(_ sku: UInt32, _ name: Span<UInt8>, _ table: SafetyStockTable) {
        let flags = positions.attributes[Int(sku)].flags
        let marked = markedFlags(flags, table.namesSKU(name))
        if marked != flags { positions.attributes.update(Int(sku)) { $0.flags = marked } }
    }

    /// Applies a movement at a row that is in `state`, inside the SKU's open version.
    @inline(always)
    mutating func evolve(_ fact: StockMoved, at row: Int, from state: PositionRow) {
        let key = fact.position
        var state = state
        let units = self.units(state, key, fact.condition)
        guard let changed = moved(units, by: Int64(fact.delta)) else {
            fatalError("a movement beyond 32 bits was decided")
        }
        set(&state, key, fact.condition, changed)
        movements.add(&state, condition: fact.condition, delta: fact.delta, at: fact.at)
        store(state, row, key)
    }

    private mutating func evolve(_ fact: StockCounted, _ row: Int) {
        let key = fact.position
        var state = positions.rows[row]
        if state.wasCountedWhole, !fact.isWhole { tellCountsApart(&state, key) }
        set(&state, key, fact.condition, fact.value)
        if fact.condition == .sellable {
            state.sellableCountedAt = fact.at
            state.wasCountedWhole = fact.isWhole
        } else if !fact.isWhole {
            conditions.set(Self.sideKey(key, fact.condition, isCount: true), fact.at)
        }
        if state.movements != 0 {
            movements.forget(
                &state, condition: fact.isWhole ? nil : fact.condition, through: fact.at)
        }
        store(state, row, key)
    }

    /// The conditions have times of their own from here on.
    private mutating func tellCountsApart(_ state: inout PositionRow, _ key: PositionKey) {
        guard let at = state.sellableCountedAt else { return }
        for condition in Condition.allCases where condition != .sellable {
            conditions.set(Self.sideKey(key, condition, isCount: true), at)
        }
        state.hasOtherConditions = true
        state.wasCountedWhole = false
    }

    @inline(always)
    private mutating func set(
        _ state: inout PositionRow, _ key: PositionKey, _ condition: Condition, _ units: Int32
    ) {
        if condition == .sellable {
            state.sellable = units
        } else {
            state.hasOtherConditions = true
            conditions.set(Self.sideKey(key, condition, isCount: false), Int64(units))
        }
    }

    /// Derives safety stock and free, and writes the row.
    @inline(always)
    private mutating func store(_ state: PositionRow, _ row: Int, _ key: PositionKey) {
        var state = state
        state.safetyStock = safetyStock(key, sellable: state.sellable)
        positions.rows[row] = state
        positions.setFree(
            freeUnits(
                sellable: state.sellable, held: state.held, allocated: state.allocated,
                safetyStock: state.safetyStock), at: row)
    }

    private mutating func evolve(_ fact: SKUCategorised, _ text: Span<UInt8>) {
        positions.attributes.update(Int(fact.sku)) { $0.category = fact.category }
        let name = text.part(fact.name)
        // A catalogue that is sent again every night takes no more memory for it.
        if !hasItemName(fact.sku, name) { setItemName(fact.sku, name) }
        if !defects.has(.categoryNotDerived) { rederive(fact.sku) }
    }

    /// Whether the item has this name in plain words already. The empty name is as good as none.
    func hasItemName(_ sku: UInt32, _ name: Span<UInt8>) -> Bool {
        guard let place = itemNameOf[UInt64(sku)] else { return name.isEmpty }
        guard Int(place & 0xFFFF) == name.count else { return false }
        let offset = Int(place >> 16)
        for index in 0..<name.count where itemNames[offset + index] != name[index] { return false }
        return true
    }

    mutating func setItemName(_ sku: UInt32, _ name: Span<UInt8>) {
        let offset = itemNames.rowCount
        itemNames.appendPrepared(rows: name.count)
        for index in 0..<name.count { itemNames[offset + index] = name[index] }
        itemNameOf.set(UInt64(sku), Int64(offset) << 16 | Int64(name.count))
    }

    /// Derives safety stock and free of all positions of a SKU, inside its open version.
    mutating func rederive(_ sku: UInt32) {
        for row in positions.reader.extent(sku).rows {
            let location = positions.reader.location(at: row)
            store(positions.rows[row], row, PositionKey(sku: sku, location: location))
        }
    }
}
