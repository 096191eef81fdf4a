// Opening stock: which location keeps what, and how much of it.

/// One SKU at one location before the day begins.
package struct SamplePosition: Equatable, Sendable {
    /// Its place in `SampleRetailer.items`.
    package let item: Int
    /// Its place in `SampleRetailer.locations`.
    package let location: Int
    package var sellable: Int32
    package var returned: Int32
    package var damaged: Int32
    package var blocked: Int32
}

extension SampleRetailer {
    /// The opening stock of the items in `range`, by item, then by location.
    ///
    /// Every item lies in every warehouse. A store keeps the best part of each category, how much
    /// of it by its size, with some chance at the edge.
    package func openingStock(ofItems range: Range<Int>) -> [SamplePosition] {
        var positions: [SamplePosition] = []
        let demand = Demand(self)
        for index in range {
            let item = items[index]
            let category = SampleCategory.all[item.category]
            var random = SampleRandom(seed: options.seed, .stock, index: index)
            for (place, location) in locations.enumerated() {
                if location.isWarehouse {
                    let units = demand.units(of: item, at: location)
                    positions.append(warehouse(index, place, category, units, &random))
                } else {
                    let depth = location.size.depth * category.reach / 1000
                    guard item.rankPermille + random.within(-60...60) < depth else { continue }
                    let units = demand.units(of: item, at: location)
                    positions.append(store(index, place, category, units, &random))
                }
            }
        }
        return positions
    }

    /// Expected sales of the day, in units / 256.
    private struct Demand {
        let counter: Int
        let online: Int
        let storeWeight: Int
        let warehouseWeight: Int
        let itemWeight: Int

        init(_ retailer: borrowing SampleRetailer) {
            // Four events in five are sales, of one unit or a few: about one unit for each event.
            let units = max(1000, retailer.options.eventCount) * 256
            counter = units * SampleRetailer.counterPermille / 1000
            online = units - counter
            storeWeight = retailer.locations.reduce(0) { $0 + ($1.isWarehouse ? 0 : $1.weight) }
            warehouseWeight = retailer.locations.reduce(0) { $0 + ($1.isWarehouse ? $1.weight : 0) }
            itemWeight = retailer.itemChoice.total
        }

        func units(of item: SampleItem, at location: SampleLocation) -> Int {
            let here =
                location.isWarehouse
                ? online * location.weight / warehouseWeight
                : counter * location.weight / storeWeight
            let (high, low) = here.multipliedFullWidth(by: item.weight)
            return itemWeight.dividingFullWidth((high, low)).quotient
        }
    }

    private func store(
        _ item: Int, _ location: Int, _ category: SampleCategory, _ units: Int,
        _ random: inout SampleRandom
    ) -> SamplePosition {
        // From half a day to four days of it; one in ten is short, one in thirty sold out.
        let cover = random.oneIn(10) ? random.within(1...8) : random.within(8...64)
        let shelf = 1 + random.below(category.facing) * locations[location].size.depth / 760
        let sellable = random.oneIn(30) ? 0 : shelf + units * cover / (16 * 256)
        return SamplePosition(
            item: item, location: location, sellable: Int32(sellable),
            returned: random.oneIn(25) ? Int32(random.within(1...3)) : 0,
            damaged: random.oneIn(60) ? Int32(random.within(1...2)) : 0,
            blocked: random.oneIn(250) ? Int32(random.within(1...4)) : 0)
    }

    private func warehouse(
        _ item: Int, _ location: Int, _ category: SampleCategory, _ units: Int,
        _ random: inout SampleRandom
    ) -> SamplePosition {
        // From a day to ten days of it, in cases; one in sixty waits for its delivery.
        let cover = random.within(16...160)
        let wanted = category.facing * random.within(2...6) + units * cover / (16 * 256)
        let sellable = random.oneIn(60) ? 0 : (wanted + 5) / 6 * 6 - random.below(6)
        return SamplePosition(
            item: item, location: location, sellable: Int32(sellable),
            returned: random.oneIn(4) ? Int32(random.within(1...20)) : 0,
            damaged: random.oneIn(8) ? Int32(random.within(1...12)) : 0,
            blocked: random.oneIn(40) ? Int32(random.within(1...24)) : 0)
    }
}
