// The stock as the day goes by, so that what happens next fits what happened before.

/// All positions, and those that are likely to be next.
struct SampleLedger {
    private(set) var positions: [SamplePosition]

    /// Where the run of each item begins, and where the last one ends.
    private var starts: [Int] = [0]

    /// Positions that had a sale of late, each as often as it had one.
    private var recentSales: [Int] = []
    private var nextSale = 0
    private static let recentCount = 4096

    /// Positions that have, or had, returned or damaged units to be looked at or thrown away.
    /// Those that have none any more leave when they are met.
    private var returned: [Int] = []
    private var damaged: [Int] = []

    /// Positions of closed stores.
    private var stranded: [Int] = []

    init(_ retailer: SampleRetailer) {
        positions = retailer.openingStock(ofItems: 0..<retailer.items.count)
        for (index, position) in positions.enumerated() {
            while starts.count <= position.item { starts.append(index) }
            guard retailer.locations[position.location].isOpen else {
                stranded.append(index)
                continue
            }
            if position.returned > 0 { returned.append(index) }
            if position.damaged > 0 { damaged.append(index) }
        }
        while starts.count <= retailer.items.count { starts.append(positions.count) }
    }

    /// The position of `item` at `location`, if it is kept there.
    ///
    /// - Complexity: O(log of the locations that keep it).
    func index(item: Int, location: Int) -> Int? {
        var low = starts[item]
        var high = starts[item + 1]
        while low < high {
            let middle = (low + high) / 2
            if positions[middle].location < location { low = middle + 1 } else { high = middle }
        }
        let isFound = low < starts[item + 1] && positions[low].location == location
        return isFound ? low : nil
    }

    func recentSale(_ random: inout SampleRandom) -> Int? {
        recentSales.isEmpty ? nil : random.element(of: recentSales)
    }

    func strandedPosition(_ random: inout SampleRandom) -> Int? {
        stranded.isEmpty ? nil : random.element(of: stranded)
    }

    /// A position with returned units.
    mutating func returnedPosition(_ random: inout SampleRandom) -> Int? {
        while !returned.isEmpty {
            let place = random.below(returned.count)
            if positions[returned[place]].returned > 0 { return returned[place] }
            returned.swapAt(place, returned.count - 1)
            returned.removeLast()
        }
        return nil
    }

    /// A position with damaged units.
    mutating func damagedPosition(_ random: inout SampleRandom) -> Int? {
        while !damaged.isEmpty {
            let place = random.below(damaged.count)
            if positions[damaged[place]].damaged > 0 { return damaged[place] }
            damaged.swapAt(place, damaged.count - 1)
            damaged.removeLast()
        }
        return nil
    }

    /// Books `event`, which is about the position at `index`.
    mutating func book(_ event: SampleEvent, at index: Int) {
        switch event.kind {
        case .receipt, .return: add(event.quantity, to: event.to ?? .sellable, index)
        case .sale:
            add(-event.quantity, to: .sellable, index)
            noteSale(index)
        case .move:
            add(-event.quantity, to: event.from ?? .sellable, index)
            add(event.quantity, to: event.to ?? .sellable, index)
        case .writeOff: add(-event.quantity, to: event.from ?? .sellable, index)
        case .adjust: add(event.quantity, to: .sellable, index)
        case .count: add(event.quantity - positions[index].sellable, to: .sellable, index)
        case .transfer:
            add(-event.quantity, to: .sellable, index)
            guard let destination = event.destination,
                let other = self.index(item: event.item, location: destination)
            else { preconditionFailure("a transfer to where the item is not kept") }
            add(event.quantity, to: .sellable, other)
        }
    }

    private mutating func noteSale(_ index: Int) {
        if recentSales.count < Self.recentCount {
            recentSales.append(index)
        } else {
            recentSales[nextSale] = index
            nextSale = (nextSale + 1) % Self.recentCount
        }
    }

    private mutating func add(_ quantity: Int32, to condition: SampleCondition, _ index: Int) {
        switch condition {
        case .sellable: positions[index].sellable += quantity
        case .returned:
            positions[index].returned += quantity
            if quantity > 0, positions[index].returned == quantity { returned.append(index) }
        case .damaged:
            positions[index].damaged += quantity
            if quantity > 0, positions[index].damaged == quantity { damaged.append(index) }
        case .blocked: positions[index].blocked += quantity
        }
    }
}
