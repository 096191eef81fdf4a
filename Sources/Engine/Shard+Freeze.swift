// A shard as it was at one moment: all that deciding later commands and replaying later facts depend
// on, readable from another thread while the owner goes on.
//
//     by pages         runs, attributes, rows, free, locations; movements; side tables; remembered
//     by a count       names and names in plain words: they are added to, never changed
//     copied           the list of parked events (a reference, until the owner changes it)
//     left out         indexes, which are built again; what follows from rules, which is derived again

package import Bytes
package import Columns
internal import Domain

/// All state of one shard, frozen.
package struct FrozenShard: Sendable {
    package let number: Int
    package let names: NameDictionaryView
    package let positions: FrozenPositions
    package let positionCount: Int
    package let conditions: FrozenSideTable
    package let movements: FrozenMovements
    package let remembered: FrozenRememberedEvents
    package let parked: ParkedEvents
    /// Commands that have left facts, and changes of items.
    package let eventCount: UInt64
    package let itemChangeCount: UInt64
    let itemNames: ColumnView<UInt8>
    package let itemNameOf: FrozenSideTable

    package var skuCount: Int { positions.skuCount }

    /// Appends a SKU's name in plain words, told by the value of its entry in `itemNameOf`.
    package func appendItemName(_ place: Int64, to output: inout ByteBuffer) {
        itemNames.withRows(Int(place >> 16), count: Int(place & 0xFFFF)) { output.append($0) }
    }
}

extension Shard {
    /// Freezes the shard as it is now, between two batches; one freeze at a time.
    ///
    /// Until `thaw`, the first write to a page copies it aside.
    ///
    /// - Complexity: O(pages), a word each; nothing of the columns is copied.
    package mutating func freeze() -> FrozenShard {
        FrozenShard(
            number: number, names: positions.names.view, positions: positions.freeze(),
            positionCount: positions.positionCount, conditions: conditions.freeze(),
            movements: movements.freeze(), remembered: remembered.freeze(), parked: parked,
            eventCount: eventCount, itemChangeCount: itemChangeCount,
            itemNames: itemNames.view, itemNameOf: itemNameOf.freeze())
    }

    /// Ends the freeze: writes copy nothing any more, and what was frozen must not be read again.
    package mutating func thaw() {
        positions.thaw()
        conditions.thaw()
        movements.thaw()
        remembered.thaw()
        itemNameOf.thaw()
    }
}
