// What only the owner can tell: every state of a SKU's positions, items, and what is parked.

package import Bytes
internal import Columns
package import Domain

extension Shard {
    /// Fills the reply with every position of the SKU that the batch's text names.
    ///
    /// - Complexity: O(positions of the SKU).
    package mutating func detail(_ batch: inout CommandBatch) {
        let key = NameKey(batch.text.span, hasher)
        guard let sku = positions.reader.names.id(batch.text.span, key) else { return }
        batch.isFound = true
        batch.category = positions.attributes[Int(sku)].category
        appendItemName(sku, to: &batch.itemName)
        batch.version = positions.reader.consistent(sku) { _ in } ?? 0
        appendDetails(of: sku, to: &batch.details)
    }

    /// Appends every position of a SKU.
    ///
    /// - Complexity: O(positions of the SKU).
    package func appendDetails(of sku: UInt32, to details: inout Buffer<PositionDetail>) {
        for row in positions.reader.extent(sku).rows {
            let location = positions.reader.location(at: row)
            let key = PositionKey(sku: sku, location: location)
            let state = positions.rows[row]
            details.append(
                PositionDetail(
                    location: location, sellable: state.sellable,
                    returned: units(state, key, .returned), damaged: units(state, key, .damaged),
                    blocked: units(state, key, .blocked), held: state.held,
                    allocated: state.allocated, safetyStock: state.safetyStock,
                    free: positions.reader.free(at: row)))
        }
    }

    /// The row of a position, and its units by condition; nil where there is none.
    package func stock(of key: PositionKey) -> (row: Int, units: PositionState)? {
        guard let row = positions.row(of: key.sku, at: key.location) else { return nil }
        let state = positions.rows[row]
        var units = PositionState()
        units.sellable = state.sellable
        if state.hasOtherConditions {
            units.returned = self.units(state, key, .returned)
            units.damaged = self.units(state, key, .damaged)
            units.blocked = self.units(state, key, .blocked)
        }
        return (row, units)
    }

    /// Appends the name of a SKU in plain words, if it has one.
    private func appendItemName(_ sku: UInt32, to output: inout ByteBuffer) {
        guard let place = itemNameOf[UInt64(sku)] else { return }
        let offset = Int(place >> 16)
        for index in 0..<Int(place & 0xFFFF) { output.append(itemNames[offset + index]) }
    }

    /// Lists the next items, in the order in which their SKUs came into being.
    ///
    /// - Complexity: O(limit).
    mutating func listItems(_ batch: inout CommandBatch) {
        var sku = Int(batch.firstSKU ?? 0)
        while sku < positions.skuCount, batch.limit > 0 {
            let start = batch.listing.count
            positions.reader.names.append(UInt32(sku), to: &batch.listing)
            let middle = batch.listing.count
            appendItemName(UInt32(sku), to: &batch.listing)
            batch.items.append(
                ItemEntry(
                    sku: ByteRange(from: start, to: middle),
                    name: ByteRange(from: middle, to: batch.listing.count),
                    category: positions.attributes[sku].category))
            batch.limit -= 1
            sku += 1
        }
        batch.firstSKU = sku < positions.skuCount ? UInt32(sku) : nil
    }

    /// Lists the next parked events of a range, up to `listedByteCountMax` of their texts.
    ///
    /// - Complexity: O(parked events).
    mutating func listParked(_ batch: inout CommandBatch) {
        // What is set aside from here on is not waited for.
        batch.letterRange.through = min(batch.letterRange.through, parked.next - 1)
        let range = batch.letterRange
        var index = parked.index(from: range.after &+ 1)
        while index < parked.count, parked.events[index].number <= range.through {
            let event = parked.events[index]
            if batch.letters.count == range.limit
                || batch.listing.count >= Self.listedByteCountMax
            {
                return
            }
            index += 1
            batch.letterRange.after = event.number
            if let reason = range.reason, reason != event.outcome { continue }
            let start = batch.listing.count
            batch.listing.append(event.source.span)
            batch.letters.append(
                LetterEntry(
                    number: event.number, outcome: event.outcome, parkedAt: event.parkedAt,
                    source: ByteRange(from: start, to: batch.listing.count)))
        }
        batch.isLastLetter = true
    }

    /// Bytes of texts behind which a list ends.
    private static var listedByteCountMax: Int { 128 << 10 }
}
