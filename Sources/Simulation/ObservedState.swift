// What can be seen of a shard, in the words of the small world: of an engine, or of the model.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Journal

/// One position.
struct ObservedPosition: Equatable {
    var sellable: Int32 = 0
    var returned: Int32 = 0
    var damaged: Int32 = 0
    var blocked: Int32 = 0
    var held: Int32 = 0
    var allocated: Int32 = 0
    var safetyStock: Int32 = 0
    var free: Int32 = 0

    /// free = sellable − held − allocated − safety stock, but not below what 32 bits hold.
    var isBalanced: Bool {
        let claims = Int64(held) + Int64(allocated) + Int64(safetyStock)
        return Int64(free) == max(Int64(Int32.min), Int64(sellable) - claims)
    }
}

struct ObservedItem: Equatable {
    /// By its place in the small world.
    var category: Int?
    var name = ""
    /// By location.
    var positions = [ObservedPosition?](repeating: nil, count: SmallWorld.locations.count)
}

/// An event that stands aside.
struct ObservedLetter: Equatable {
    var number: UInt64
    var outcome: Outcome
    var time: Milliseconds
    var text: String
}

struct ObservedShard: Equatable {
    /// By SKU, those of other shards nil.
    var items = [ObservedItem?](repeating: nil, count: SmallWorld.skus.count)
    var positionCount = 0
    var rememberedCount = 0
    var eventCount: UInt64 = 0
    var parked: [ObservedLetter] = []

    /// Whether any position has claims beyond its stock.
    var hasNegative: Bool {
        items.contains { item in
            item?.positions.contains { ($0?.free ?? 0) < 0 } ?? false
        }
    }

    /// Of all that is seen: the same in every build.
    var hash: UInt64 {
        var hash = StateHash()
        for item in items {
            hash.add(item == nil ? 0 : 1)
            guard let item else { continue }
            hash.add(item.category ?? -1)
            hash.add(item.name)
            for position in item.positions {
                hash.add(position == nil ? 0 : 1)
                guard let position else { continue }
                hash.add(Int(position.sellable))
                hash.add(Int(position.returned))
                hash.add(Int(position.damaged))
                hash.add(Int(position.blocked))
                hash.add(Int(position.safetyStock))
                hash.add(Int(position.free))
            }
        }
        hash.add(rememberedCount)
        hash.add(Int(eventCount))
        for event in parked {
            hash.add(Int(event.number))
            hash.add(Int(event.outcome.rawValue))
            hash.add(Int(event.time))
            hash.add(event.text)
        }
        return hash.value
    }

    /// The first difference, in words.
    func difference(from expected: ObservedShard) -> String? {
        if self == expected { return nil }
        for sku in items.indices where items[sku] != expected.items[sku] {
            return "\(SmallWorld.skus[sku]) is \(Self.text(items[sku]))"
                + " in the place of \(Self.text(expected.items[sku]))"
        }
        if parked != expected.parked {
            return "parked \(parked) in the place of \(expected.parked)"
        }
        return "\(positionCount) positions, \(rememberedCount) remembered, \(eventCount) events"
            + " in the place of \(expected.positionCount), \(expected.rememberedCount),"
            + " \(expected.eventCount)"
    }

    private static func text(_ item: ObservedItem?) -> String {
        guard let item else { return "unknown" }
        let category = item.category.map { "\(SmallWorld.categories[$0])" } ?? "-"
        let places = item.positions.enumerated().compactMap { number, position in
            position.map { position in
                "\(SmallWorld.locations[number]): sellable \(position.sellable) returned "
                    + "\(position.returned) damaged \(position.damaged) blocked "
                    + "\(position.blocked) safety \(position.safetyStock) free \(position.free)"
            }
        }
        return "[\(category) '\(item.name)'; \(places.joined(separator: "; "))]"
    }
}

/// A running hash of numbers and texts.
struct StateHash {
    private(set) var value: UInt64 = 0

    mutating func add(_ word: Int) {
        value = SeededBits.mix(value ^ UInt64(bitPattern: Int64(word)))
    }

    mutating func add(_ text: String) {
        add(text.utf8.count)
        for byte in text.utf8 { add(Int(byte)) }
    }
}

extension ObservedShard {
    /// What the model says of a shard under these shared data.
    init(_ model: StockModel, _ shared: SharedModel, now: Milliseconds) {
        for sku in SmallWorld.skus.indices {
            guard let known = model.items[sku] else { continue }
            var item = ObservedItem(category: known?.category, name: known?.name ?? "")
            let category = item.category.map { SmallWorld.categories[$0] }
            for location in SmallWorld.locations.indices {
                let place = StockModel.Place(sku: sku, location: location)
                guard let position = model.positions[place],
                    let id = shared.location(SmallWorld.locations[location])
                else { continue }
                let sellable = position.units(.sellable)
                let withheld = shared.safetyStock(
                    sku: SmallWorld.skus[sku], category: category,
                    location: shared.locations[id], sellable: sellable, now: now)
                item.positions[location] = ObservedPosition(
                    sellable: Int32(sellable), returned: Int32(position.units(.returned)),
                    damaged: Int32(position.units(.damaged)),
                    blocked: Int32(position.units(.blocked)), safetyStock: Int32(withheld),
                    free: Int32(max(Int64(Int32.min), sellable - withheld)))
                positionCount += 1
            }
            items[sku] = item
        }
        rememberedCount = model.remembered.count
        eventCount = model.eventCount
        parked = model.parked.map { letter in
            ObservedLetter(
                number: letter.number, outcome: letter.outcome, time: letter.time,
                text: letter.command.text)
        }
    }

    /// What an engine shows of a shard; names go by those of `shared`, which is compared apart.
    init(_ engine: Engine, shard number: Int, _ skus: [Int], _ shared: SharedModel) {
        let places = shared.locations.map { SmallWorld.locations.firstIndex(of: $0.name) ?? 0 }
        let kinds = shared.categories.map { SmallWorld.categories.firstIndex(of: $0) ?? 0 }
        engine.withShard(number) { shard in
            for sku in skus {
                var batch = CommandBatch()
                SmallWorld.append(sku, to: &batch.text)
                shard.detail(&batch)
                guard batch.isFound else { continue }
                var item = ObservedItem()
                let category = Int(batch.category) - 1
                item.category = category < 0 ? nil : category < kinds.count ? kinds[category] : -1
                item.name = batch.itemName.span.text
                for index in batch.details.indices {
                    let found = batch.details[index]
                    guard Int(found.location) < places.count else { continue }
                    item.positions[places[Int(found.location)]] = ObservedPosition(
                        sellable: found.sellable, returned: found.returned,
                        damaged: found.damaged, blocked: found.blocked, held: found.held,
                        allocated: found.allocated, safetyStock: found.safetyStock,
                        free: found.free)
                }
                items[sku] = item
            }
            positionCount = shard.positions.positionCount
            rememberedCount = shard.rememberedCount
            eventCount = shard.eventCount
            parked = shard.parked.events.map { event in
                ObservedLetter(
                    number: event.number, outcome: event.outcome, time: event.parkedAt,
                    text: event.source.span.text)
            }
        }
    }
}

extension SharedModel {
    /// What an engine's shared data is other than it must be; nil: nothing.
    func difference(from master: MasterData) -> String? {
        let (locations, channels) = (master.locations, master.channels)
        let (groups, rules) = (master.groups, master.rules)
        if locations.version != locationsVersion || locations.value != self.locations {
            return "locations are v\(locations.version) \(locations.value.map(\.name)) in the "
                + "place of v\(locationsVersion) \(self.locations.map(\.name))"
        }
        if channels.version != channelsVersion || channels.value != self.channels {
            return "channels are v\(channels.version) in the place of v\(channelsVersion)"
        }
        let expected = groupNames.compactMap { self.groups[$0] }.sorted { $0.name < $1.name }
        if groups.version != groupsVersion || groups.value != expected {
            return "groups are v\(groups.version) in the place of v\(groupsVersion)"
        }
        if rules.version != rulesVersion || rules.value.safetyStock != self.rules {
            return "rules are v\(rules.version) in the place of v\(rulesVersion)"
        }
        if master.nameCounts.categories != categories.count {
            return "there are \(master.nameCounts.categories) categories, not \(categories.count)"
        }
        for (id, name) in categories.enumerated()
        where master.categoryNames.text(UInt32(id)) != name.description {
            return "category \(id) is not \(name)"
        }
        if master.nameCounts.sources != sources.count {
            return "there are \(master.nameCounts.sources) sources, not \(sources.count)"
        }
        for (id, name) in sources.enumerated()
        where master.sourceNames.text(UInt32(id)) != name.description {
            return "source \(id) is not \(name)"
        }
        for (id, name) in groupNames.enumerated()
        where master.groupNames.text(UInt32(id)) != name.description {
            return "group \(id) is not \(name)"
        }
        return nil
    }
}
