// Loading: a shard's state put into an empty shard, before anybody reads it.
//
//     prepareLoad · load(sku) for each · prepareRuns · loadRun for each · loadMovements · loadCounts · events
//
// SKUs get the ids that they had. Safety stock and free are derived by the policy that the shard has
// by then, so it has to have adopted one. What does not fit is an error, never a trap.

package import Bytes
package import Columns
package import Domain
internal import Platform

/// Why a shard cannot be loaded.
package enum LoadError: Error, Equatable, Sendable {
    /// The shard has state already.
    case notEmpty
    case outOfMemory
    /// What a row of a table says cannot be; the text says what.
    case contradiction(String, row: Int)
}

/// How much there is to load, so that memory is prepared at once.
package struct LoadCounts: Sendable {
    package var skus: Int
    package var movements: Int
    package var remembered: Int

    package init(skus: Int, movements: Int, remembered: Int) {
        self.skus = skus
        self.movements = movements
        self.remembered = remembered
    }
}

/// Where rows that name positions by number have come to.
package struct PositionPlace: Sendable {
    var sku: UInt32 = 0
    /// The number of the SKU's first position.
    var first = 0
    /// Rows of the table that came before.
    var row = 0

    package init() {}
}

extension Shard {
    package mutating func prepareLoad(_ counts: LoadCounts) throws(LoadError) {
        guard positions.skuCount == 0, remembered.count == 0, parked.next == 1, movements.count == 0
        else { throw .notEmpty }
        do throws(SystemError) {
            try positions.prepare(skus: counts.skus)
            try movements.prepare(counts.movements)
            try remembered.prepare(min(counts.remembered, remembered.capacity))
        } catch { throw .outOfMemory }
    }

    /// Adds the next SKU.
    ///
    /// - Parameters:
    ///   - key: That of `name`.
    ///   - category: Id plus one; 0 is none.
    ///   - itemName: In plain words; may be empty.
    package mutating func load(
        sku name: Span<UInt8>, _ key: NameKey, category: UInt16, itemName: Span<UInt8>
    ) throws(LoadError) {
        guard positions.reader.names.id(name, key) == nil else {
            throw .contradiction("a SKU is there twice", row: positions.skuCount)
        }
        guard itemName.count <= Int(UInt16.max) else {
            throw .contradiction("a name is too long", row: positions.skuCount)
        }
        do throws(SystemError) {
            try positions.prepareForSKU()
            if !itemName.isEmpty {
                try itemNames.prepare(rows: itemName.count)
                try itemNameOf.prepare(keys: 1)
            }
        } catch { throw .outOfMemory }
        let sku = positions.addSKU(name, key)
        if category > 0 { positions.attributes.update(Int(sku)) { $0.category = category } }
        markRules(sku, name, policy.safetyStock)
        if !itemName.isEmpty { setItemName(sku, itemName) }
    }

    /// Makes room for the positions of all SKUs at once.
    ///
    /// - Parameter counts: Of each SKU; what cannot be is refused when it is loaded.
    package mutating func prepareRuns(_ counts: borrowing Buffer<Int32>) throws(LoadError) {
        var rowCount = 0
        for index in counts.indices {
            rowCount += PositionStore.rowCount(
                ofRun: max(0, min(RunExtent.countMax, Int(counts[index]))))
        }
        do throws(SystemError) { try positions.prepare(loadedRows: rowCount) } catch {
            throw .outOfMemory
        }
    }

    /// Gives a SKU its positions: the rows `range` of `columns`.
    ///
    /// - Parameter number: Of the first of them in the shard's table.
    package mutating func loadRun(
        _ sku: UInt32, changeCount: UInt64, _ columns: borrowing PositionColumns,
        _ range: Range<Int>, number: Int
    ) throws(LoadError) {
        guard Int(sku) < positions.skuCount, range.count <= RunExtent.countMax,
            changeCount <= UInt64.max >> 1
        else { throw .contradiction("a SKU that cannot be", row: number) }
        var start = 0
        if !range.isEmpty {
            do throws(SystemError) {
                start = try positions.beginRun(sku, count: range.count)
            } catch { throw .outOfMemory }
        }
        var last = -1
        for index in range {
            let location = columns.locations[index]
            let newest = columns.newest[index]
            let counted = columns.counted[index]
            guard Int(location) > last, location <= UInt32(UInt16.max),
                Self.isTime(newest), Self.isTime(counted)
            else {
                throw .contradiction(
                    "a location out of order, or a time", row: number + index - range.lowerBound)
            }
            last = Int(location)
            let key = PositionKey(sku: sku, location: UInt16(location))
            var row = PositionRow()
            row.sellable = columns.sellable[index]
            row.held = columns.held[index]
            row.allocated = columns.allocated[index]
            if newest != PositionColumns.never { row.newestAt = newest }
            if counted != PositionColumns.never {
                row.sellableCountedAt = counted
                row.wasCountedWhole = columns.countedWhole[index] != 0
            }
            if columns.returned[index] | columns.damaged[index] | columns.blocked[index] != 0 {
                try loadConditions(&row, key, columns, index)
            }
            row.safetyStock = safetyStock(key, sellable: row.sellable)
            let free = freeUnits(
                sellable: row.sellable, held: row.held, allocated: row.allocated,
                safetyStock: row.safetyStock)
            positions.loadRow(start + index - range.lowerBound, key.location, row, free: free)
        }
        positions.endRun(sku, start: start, count: range.count, changeCount: changeCount)
    }

    @inline(__always)
    private static func isTime(_ time: Milliseconds) -> Bool {
        time >= PositionColumns.never && time <= effectiveTimes.upperBound
    }

    private mutating func loadConditions(
        _ row: inout PositionRow, _ key: PositionKey, _ columns: borrowing PositionColumns,
        _ index: Int
    ) throws(LoadError) {
        do throws(SystemError) { try conditions.prepare(keys: 3) } catch { throw .outOfMemory }
        row.hasOtherConditions = true
        func load(_ condition: Condition, _ units: Int32) {
            if units == 0 { return }
            conditions.set(Self.sideKey(key, condition, isCount: false), Int64(units))
        }
        load(.returned, columns.returned[index])
        load(.damaged, columns.damaged[index])
        load(.blocked, columns.blocked[index])
    }

    // MARK: - What belongs to positions

    /// Puts movements into the lists of their positions, which ascend.
    package mutating func loadMovements(
        _ columns: borrowing MomentColumns, _ place: inout PositionPlace
    ) throws(LoadError) {
        do throws(SystemError) { try movements.prepare(columns.count) } catch {
            throw .outOfMemory
        }
        for index in 0..<columns.count {
            let row = try find(columns.positions[index], &place)
            let condition = try Self.moment(columns, index, place)
            guard positions.rows[row].newestAt != nil else {
                throw .contradiction("a movement where nothing moved", row: place.row)
            }
            let movement = KeptMovement(
                at: columns.times[index], delta: columns.deltas[index], condition: condition)
            positions.rows.update(row) { movements.load(movement, &$0) }
            place.row += 1
        }
    }

    /// Sets when conditions other than sellable were counted, where they were counted apart.
    package mutating func loadCounts(
        _ columns: borrowing MomentColumns, _ place: inout PositionPlace
    ) throws(LoadError) {
        do throws(SystemError) { try conditions.prepare(keys: columns.count) } catch {
            throw .outOfMemory
        }
        for index in 0..<columns.count {
            let row = try find(columns.positions[index], &place)
            let condition = try Self.moment(columns, index, place)
            let key = PositionKey(sku: place.sku, location: positions.reader.location(at: row))
            conditions.set(Self.sideKey(key, condition, isCount: true), columns.times[index])
            positions.rows.update(row) { $0.hasOtherConditions = true }
            place.row += 1
        }
    }

    private static func moment(
        _ columns: borrowing MomentColumns, _ index: Int, _ place: PositionPlace
    ) throws(LoadError) -> Condition {
        guard effectiveTimes.contains(columns.times[index]),
            let number = UInt8(exactly: columns.conditions[index]),
            let condition = Condition(rawValue: number)
        else { throw .contradiction("a time or a condition", row: place.row) }
        return condition
    }

    /// The row of a position by its number: of the SKU of the last call, or of a later one.
    private func find(_ number: Int32, _ place: inout PositionPlace) throws(LoadError) -> Int {
        while Int(place.sku) < positions.skuCount {
            let extent = positions.reader.extent(place.sku)
            let slot = Int(number) - place.first
            if slot < 0 { break }
            if slot < extent.count { return extent.start + slot }
            place.first += extent.count
            place.sku += 1
        }
        throw .contradiction("a position out of order, or one that there is not", row: place.row)
    }

    // MARK: - Events

    /// Says that the shard has forgotten events, so that older ones than it remembers may be repeats.
    package mutating func loadForgotten() { remembered.loadForgotten() }

    /// Events that fit: of more, the oldest must be left out.
    package var rememberedCountMax: Int { remembered.capacity }

    /// Remembers events, oldest first.
    package mutating func load(_ events: borrowing Buffer<RememberedEvent>) throws(LoadError) {
        do throws(SystemError) {
            try remembered.prepare(events.count)
        } catch { throw .outOfMemory }
        for index in events.indices {
            // The index lines of later ones are on their way meanwhile.
            remembered.prefetch(events[min(index + 16, events.count - 1)].fingerprint)
            guard effectiveTimes.contains(events[index].time) else {
                throw .contradiction("a time that cannot be", row: index)
            }
            guard remembered.count < remembered.capacity else {
                throw .contradiction("more events than there are", row: index)
            }
            guard remembered.load(events[index]) else {
                throw .contradiction("an event is there twice", row: index)
            }
        }
    }

    /// - Parameter next: The number that the next event gets which is set aside.
    package mutating func load(_ events: [ParkedEvent], next: UInt64) throws(LoadError) {
        parked = try ParkedEvents(events, next: next)
    }
}
