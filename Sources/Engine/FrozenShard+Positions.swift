// A frozen shard's positions in the order of SKU ids, with what lies apart put beside them.

internal import Bytes
internal import Columns
internal import Domain

/// Goes through the positions of a frozen shard, run by run.
///
/// Holds some pages and the entries of the shard's side table, which are few.
package struct FrozenRuns: ~Copyable {
    private let shard: FrozenShard
    private let entries: [SideEntry]
    private var entry = 0
    private var sku = 0

    /// Run words of the SKUs from `firstSKU` on.
    private var words = Buffer<UInt64>()
    private var firstSKU = 0
    private static let skusAtOnce = 4096

    private var rows = Buffer<PositionRow>()
    private var locations = Buffer<UInt16>()
    private var free = Buffer<Int32>()
    private var list = Buffer<KeptMovement>()

    /// Positions gone through.
    package private(set) var positionCount = 0

    package init(_ shard: FrozenShard) {
        self.shard = shard
        entries = shard.conditions.sorted()
        rows.append(repeating: PositionRow(), count: RunExtent.countMax)
        locations.append(repeating: 0, count: RunExtent.countMax)
        free.append(repeating: 0, count: RunExtent.countMax)
        readWords()
    }

    /// The SKU that comes next: how many positions it has, and its change count; nil at the end.
    package var next: (positionCount: Int, changeCount: UInt64)? {
        if sku == shard.skuCount { return nil }
        let place = 2 * (sku - firstSKU)
        return (
            RunExtent(word: words[place + 1]).count,
            PositionStore.changeCount(ofVersion: words[place])
        )
    }

    private mutating func readWords() {
        let first = sku
        firstSKU = first
        let count = 2 * min(Self.skusAtOnce, shard.skuCount - sku)
        words.removeAll()
        words.append(repeating: 0, count: count)
        let runs = shard.positions.runs
        var span = words.mutableSpan
        runs.read(2 * first, count, into: &span)
    }

    /// Appends the positions of the next SKU, the movements of each (oldest arrival first) and the
    /// counts of its conditions.
    ///
    /// - Complexity: O(positions and movements): three reads of frozen rows, and one a movement.
    package mutating func appendRun(
        _ positions: inout PositionColumns, _ movements: inout MomentColumns,
        _ counts: inout MomentColumns
    ) {
        let extent = RunExtent(word: words[2 * (sku - firstSKU) + 1])
        if extent.count > 0 { readRows(extent) }
        for slot in 0..<extent.count { append(slot, &positions, &movements, &counts) }
        sku += 1
        if sku == firstSKU + Self.skusAtOnce { readWords() }
    }

    private mutating func readRows(_ extent: RunExtent) {
        let frozen = shard.positions
        var rows = self.rows.mutableSpan
        frozen.rows.read(extent.start, extent.count, into: &rows)
        var locations = self.locations.mutableSpan
        frozen.locations.read(extent.start, extent.count, into: &locations)
        var free = self.free.mutableSpan
        frozen.free.read(extent.start, extent.count, into: &free)
    }

    private mutating func append(
        _ slot: Int, _ positions: inout PositionColumns, _ movements: inout MomentColumns,
        _ counts: inout MomentColumns
    ) {
        let row = rows[slot]
        let location = locations[slot]
        positions.skus.append(UInt32(sku))
        positions.locations.append(UInt32(location))
        positions.sellable.append(row.sellable)
        positions.held.append(row.held)
        positions.allocated.append(row.allocated)
        positions.safetyStock.append(row.safetyStock)
        positions.free.append(free[slot])
        positions.newest.append(row.newestAt ?? PositionColumns.never)
        positions.counted.append(row.sellableCountedAt ?? PositionColumns.never)
        positions.countedWhole.append(row.wasCountedWhole ? 1 : 0)
        appendConditions(location, row, &positions, &counts)
        if row.movements != 0 {
            list.removeAll()
            let log = shard.movements
            log.forEach(row) { list.append($0) }
            while let movement = list.popLast() { movements.append(positionCount, movement) }
        }
        positionCount += 1
    }

    /// Appends returned, damaged and blocked units of a position and the times of their counts.
    private mutating func appendConditions(
        _ location: UInt16, _ row: PositionRow, _ positions: inout PositionColumns,
        _ counts: inout MomentColumns
    ) {
        var units: InlineArray<4, Int32> = [0, 0, 0, 0]
        let prefix = UInt64(sku) << 16 | UInt64(location)
        while entry < entries.count, entries[entry].key >> 16 == prefix {
            let found = entries[entry]
            entry += 1
            guard let condition = Condition(rawValue: UInt8(found.key >> 1 & 3)) else { continue }
            if found.key & 1 == 0 {
                units[Int(condition.rawValue)] = Int32(truncatingIfNeeded: found.value)
            } else if !row.wasCountedWhole {
                counts.append(positionCount, condition, at: found.value)
            }
        }
        positions.returned.append(units[Int(Condition.returned.rawValue)])
        positions.damaged.append(units[Int(Condition.damaged.rawValue)])
        positions.blocked.append(units[Int(Condition.blocked.rawValue)])
    }
}
