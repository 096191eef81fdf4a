// What exactly happens: which item, where, how many.

import Bytes

/// Turns one action after the other into an event that fits the stock.
struct SampleDayMaker {
    private(set) var events: [SampleEvent] = []

    private let retailer: SampleRetailer
    private let openStores: [Int]
    private let storeChoice: WeightedChoice
    private let warehouses: [Int]
    private let warehouseChoice: WeightedChoice
    private let shippingStores: [Int]
    private var ledger: SampleLedger
    private var random: SampleRandom

    /// The next sequence number of each source: one for each location, then head office.
    private var sequences: [Int]

    /// How often another item is looked at when one is sold out.
    private static let tryCount = 8

    init(_ retailer: SampleRetailer) {
        let locations = retailer.locations
        self.retailer = retailer
        openStores = locations.indices.filter { locations[$0].isOpen && !locations[$0].isWarehouse }
        storeChoice = WeightedChoice(openStores.map { locations[$0].weight })
        warehouses = locations.indices.filter { locations[$0].isWarehouse }
        warehouseChoice = WeightedChoice(warehouses.map { locations[$0].weight })
        shippingStores = openStores.filter { locations[$0].isShipping }
        ledger = SampleLedger(retailer)
        var random = SampleRandom(seed: retailer.options.seed, .subjects)
        sequences = (0...locations.count).map { _ in random.within(10_000...799_999) }
        self.random = random
        events.reserveCapacity(retailer.options.eventCount)
    }

    /// Lets `action` happen; where nothing fits it, an order is sent instead.
    mutating func make(_ action: SampleDay.Action, at instant: Milliseconds) {
        let made = event(for: action) ?? onlineSale()
        guard let index = ledger.index(item: made.item, location: made.location) else {
            preconditionFailure("an event where the item is not kept")
        }
        ledger.book(made, at: index)
        let isFromHeadOffice = made.kind == .transfer
        let source = isFromHeadOffice ? retailer.locations.count : made.location
        events.append(made.stamped(at: instant, source: source, sequence: sequences[source]))
        sequences[source] += 1
    }

    private mutating func event(for action: SampleDay.Action) -> SampleEvent? {
        switch action {
        case .counterSale: counterSale()
        case .onlineSale: onlineSale()
        case .counterReturn: goodsBack(toWarehouse: false)
        case .onlineReturn: goodsBack(toWarehouse: true)
        case .delivery: delivery()
        case .transfer: random.oneIn(20) ? clearance() : replenishment()
        case .inspection: inspection()
        case .damage: damage()
        case .writeOff: writeOff()
        case .adjustment: adjustment()
        case .count: count()
        }
    }

    // MARK: Sales

    private mutating func randomItem() -> Int { retailer.itemChoice.draw(&random) }

    private mutating func randomStore() -> Int { openStores[storeChoice.draw(&random)] }

    private mutating func randomWarehouse() -> Int { warehouses[warehouseChoice.draw(&random)] }

    /// Units that one customer takes of `item`: mostly one.
    private mutating func basket(of item: Int) -> Int32 {
        let most = SampleCategory.all[retailer.items[item].category].basket
        var units = 1
        while units < most, random.oneIn(3) { units += 1 }
        return Int32(units)
    }

    /// `wanted` units, or what the book says is there. Now and then the shelf has more than the
    /// book, and the customer takes them.
    private mutating func taken(_ wanted: Int32, at index: Int) -> Int32? {
        let there = ledger.positions[index].sellable
        if there >= wanted || random.oneIn(40) { return wanted }
        return there > 0 ? there : nil
    }

    private mutating func counterSale() -> SampleEvent? {
        let store = randomStore()
        for _ in 0..<Self.tryCount {
            let item = randomItem()
            guard let index = ledger.index(item: item, location: store),
                let units = taken(basket(of: item), at: index)
            else { continue }
            var event = SampleEvent(.sale, item, at: store, units)
            event.channel = .store
            return event
        }
        return nil
    }

    private mutating func onlineSale() -> SampleEvent {
        for _ in 0..<Self.tryCount {
            let item = randomItem()
            let isFromStore = !shippingStores.isEmpty && random.oneIn(10)
            let place = isFromStore ? random.element(of: shippingStores) : randomWarehouse()
            guard let index = ledger.index(item: item, location: place),
                let units = taken(basket(of: item), at: index)
            else { continue }
            return order(item, place, units)
        }
        // Sold in spite of it: the order was taken before the stock was gone.
        return order(randomItem(), randomWarehouse(), 1)
    }

    private mutating func order(_ item: Int, _ place: Int, _ units: Int32) -> SampleEvent {
        var event = SampleEvent(.sale, item, at: place, units)
        let isMarketplace = retailer.locations[place].isWarehouse && random.oneIn(6)
        event.channel = isMarketplace ? .marketplace : random.below(5) < 3 ? .web : .app
        return event
    }

    // MARK: Goods in and between

    private mutating func goodsBack(toWarehouse isWarehouse: Bool) -> SampleEvent? {
        for _ in 0..<Self.tryCount {
            guard let index = ledger.recentSale(&random) else { return nil }
            let sold = ledger.positions[index]
            guard retailer.locations[sold.location].isWarehouse == isWarehouse else { continue }
            var event = SampleEvent(.return, sold.item, at: sold.location, 1)
            switch random.below(10) {
            case 0: (event.to, event.reason) = (.damaged, "faulty")
            case 1..<5 where !isWarehouse: (event.to, event.reason) = (.sellable, "unopened")
            default: (event.to, event.reason) = (.returned, random.oneIn(3) ? "wrong size" : nil)
            }
            return event
        }
        return nil
    }

    private mutating func delivery() -> SampleEvent {
        let item = randomItem()
        if random.oneIn(5) {
            // Straight to the shop, by the supplier.
            let store = randomStore()
            if ledger.index(item: item, location: store) != nil {
                return SampleEvent(.receipt, item, at: store, random.oneIn(2) ? 6 : 12)
            }
        }
        let cases = [6, 12, 12, 24, 24, 48, 96] as [Int32]
        return SampleEvent(.receipt, item, at: randomWarehouse(), random.element(of: cases))
    }

    /// From a warehouse to a store that has sold some.
    private mutating func replenishment() -> SampleEvent? {
        for _ in 0..<Self.tryCount {
            let item: Int
            let store: Int
            if let index = ledger.recentSale(&random) {
                (item, store) = (ledger.positions[index].item, ledger.positions[index].location)
            } else {
                (item, store) = (randomItem(), randomStore())
            }
            let warehouse = randomWarehouse()
            guard !retailer.locations[store].isWarehouse,
                ledger.index(item: item, location: store) != nil,
                let index = ledger.index(item: item, location: warehouse)
            else { continue }
            let units = min(Int32(random.within(1...12)), ledger.positions[index].sellable)
            guard units > 0 else { continue }
            var event = SampleEvent(.transfer, item, at: warehouse, units)
            event.destination = store
            return event
        }
        return nil
    }

    /// From a closed store back to a warehouse.
    private mutating func clearance() -> SampleEvent? {
        guard let index = ledger.strandedPosition(&random) else { return nil }
        let position = ledger.positions[index]
        guard position.sellable > 0 else { return nil }
        var event = SampleEvent(
            .transfer, position.item, at: position.location, position.sellable)
        event.destination = warehouses[0]
        return event
    }

    // MARK: In the back room

    private mutating func inspection() -> SampleEvent? {
        guard let index = ledger.returnedPosition(&random) else { return nil }
        let position = ledger.positions[index]
        let units = min(position.returned, Int32(random.within(1...3)))
        var event = SampleEvent(.move, position.item, at: position.location, units)
        event.from = .returned
        let isBroken = random.oneIn(5)
        event.to = isBroken ? .damaged : .sellable
        event.reason = isBroken ? "scratched" : "as new"
        return event
    }

    /// A position at an open location, popular items first, with units to sell.
    private mutating func stockedPosition() -> SamplePosition? {
        for _ in 0..<Self.tryCount {
            let place = random.oneIn(4) ? randomWarehouse() : randomStore()
            guard let index = ledger.index(item: randomItem(), location: place),
                ledger.positions[index].sellable > 0
            else { continue }
            return ledger.positions[index]
        }
        return nil
    }

    private mutating func damage() -> SampleEvent? {
        guard let position = stockedPosition() else { return nil }
        let units = min(position.sellable, Int32(random.within(1...3)))
        var event = SampleEvent(.move, position.item, at: position.location, units)
        event.from = .sellable
        switch random.below(6) {
        case 0: (event.to, event.reason) = (.blocked, "recall")
        case 1: (event.to, event.reason) = (.blocked, "on display")
        case 2: (event.to, event.reason) = (.damaged, "water")
        default: (event.to, event.reason) = (.damaged, "dropped")
        }
        return event
    }

    private mutating func writeOff() -> SampleEvent? {
        if random.oneIn(3) {
            guard let position = stockedPosition() else { return nil }
            var event = SampleEvent(.writeOff, position.item, at: position.location, 1)
            event.from = .sellable
            event.reason = random.oneIn(2) ? "theft" : "expired"
            return event
        }
        guard let index = ledger.damagedPosition(&random) else { return nil }
        let position = ledger.positions[index]
        var event = SampleEvent(
            .writeOff, position.item, at: position.location, position.damaged)
        event.from = .damaged
        event.reason = "beyond repair"
        return event
    }

    private mutating func adjustment() -> SampleEvent? {
        guard let position = stockedPosition() else { return nil }
        let isFound = random.oneIn(3)
        let units: Int32 = isFound ? Int32(random.within(1...3)) : -1
        var event = SampleEvent(.adjust, position.item, at: position.location, units)
        event.reason = isFound ? "found" : "missing"
        return event
    }

    private mutating func count() -> SampleEvent? {
        guard let position = stockedPosition() else { return nil }
        let difference = random.oneIn(3) ? Int32(random.within(-2...2)) : 0
        let counted = max(0, position.sellable + difference)
        return SampleEvent(.count, position.item, at: position.location, counted)
    }
}
