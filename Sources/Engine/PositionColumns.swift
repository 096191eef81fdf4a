// Positions column by column: how they travel between a shard and the tables of a snapshot.

package import Bytes
package import Domain

/// Some positions, one row each, in the order of SKU ids and then of location ids.
package struct PositionColumns: ~Copyable {
    /// The SKU's id in its shard.
    package var skus = Buffer<UInt32>()
    /// The location's id.
    package var locations = Buffer<UInt32>()
    package var sellable = Buffer<Int32>()
    package var returned = Buffer<Int32>()
    package var damaged = Buffer<Int32>()
    package var blocked = Buffer<Int32>()
    package var held = Buffer<Int32>()
    package var allocated = Buffer<Int32>()
    package var safetyStock = Buffer<Int32>()
    /// May be negative.
    package var free = Buffer<Int32>()
    /// The newest effective time of any movement.
    package var newest = Buffer<Int64>()
    /// As of when sellable units were last counted.
    package var counted = Buffer<Int64>()
    /// 1 where all conditions were counted then.
    package var countedWhole = Buffer<Int32>()

    /// What `newest` and `counted` hold where there is no such time: a millisecond before the first.
    package static let never: Milliseconds = effectiveTimes.lowerBound - 1

    package init() {}

    package var count: Int { skus.count }

    package mutating func removeAll() {
        skus.removeAll()
        locations.removeAll()
        sellable.removeAll()
        returned.removeAll()
        damaged.removeAll()
        blocked.removeAll()
        held.removeAll()
        allocated.removeAll()
        safetyStock.removeAll()
        free.removeAll()
        newest.removeAll()
        counted.removeAll()
        countedWhole.removeAll()
    }
}

/// Movements, and counts of single conditions, by the number of their position in its shard's table.
package struct MomentColumns: ~Copyable {
    package var positions = Buffer<Int32>()
    package var conditions = Buffer<Int32>()
    package var times = Buffer<Int64>()
    /// Units gained or lost; none for counts.
    package var deltas = Buffer<Int32>()

    package init() {}

    package var count: Int { positions.count }

    package mutating func append(_ position: Int, _ movement: KeptMovement) {
        append(position, movement.condition, at: movement.at)
        deltas.append(movement.delta)
    }

    package mutating func append(_ position: Int, _ condition: Condition, at time: Milliseconds) {
        positions.append(Int32(truncatingIfNeeded: position))
        conditions.append(Int32(condition.rawValue))
        times.append(time)
    }

    package mutating func removeAll() {
        positions.removeAll()
        conditions.removeAll()
        times.removeAll()
        deltas.removeAll()
    }
}
