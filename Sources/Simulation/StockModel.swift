// The stock of one shard, naively: all that ever happened to each position, every answer computed
// from the beginning.

internal import Bytes
internal import Domain
internal import Engine

/// One position: everything that happened to it and was not refused.
struct PositionModel: Equatable {
    struct Change: Equatable {
        var condition: Condition
        /// Units gained; or, for a count, what was counted.
        var quantity: Int64
        var at: Milliseconds
    }
    var deltas: [Change] = []
    var counts: [Change] = []
    /// The newest effective time of a movement that took effect.
    var newest: Milliseconds?

    /// The count that holds: the one as of the latest time; of several, the one that came last.
    func lastCount(_ condition: Condition) -> Change? {
        var last: Change?
        for count in counts where count.condition == condition {
            if last == nil || count.at >= last?.at ?? .min { last = count }
        }
        return last
    }

    func units(_ condition: Condition) -> Int64 {
        let count = lastCount(condition)
        var units = count?.quantity ?? 0
        for delta in deltas where delta.condition == condition && delta.at > count?.at ?? .min {
            units += delta.quantity
        }
        return units
    }
}

struct StockModel: Equatable {
    struct Place: Hashable {
        var sku: Int
        var location: Int
    }
    /// What was told of an item; nil as long as a SKU is known by its stock alone, which says as
    /// much as no category and the empty name.
    struct Item: Equatable {
        var category: Int?
        var name = ""
    }
    struct Remembered: Equatable {
        var content: ScriptCommand
        var outcome: Outcome
        var time: Milliseconds
    }
    struct Parked: Equatable {
        var number: UInt64
        var command: ScriptCommand
        var outcome: Outcome
        var time: Milliseconds

        /// What its event says, where it can come again: without an id every one is another.
        var content: ScriptCommand? { command.id == nil ? nil : command.content }
    }

    private(set) var items: [Int: Item?] = [:]
    private(set) var positions: [Place: PositionModel] = [:]
    private(set) var remembered: [Remembered] = []
    private(set) var hasForgotten = false
    private(set) var parked: [Parked] = []
    private var parkedCount: UInt64 = 0
    /// Commands that left anything behind.
    private(set) var eventCount: UInt64 = 0

    private let createsUnknown: Bool
    private let lateWindow: Milliseconds
    private let rememberedFor: Milliseconds
    private let rememberedMax: Int
    private let parkedMax: Int

    init(_ options: EngineOptions) {
        createsUnknown = options.createsUnknown
        lateWindow = options.lateWindow
        rememberedFor = options.rememberedFor
        rememberedMax = options.rememberedMax / options.shardCount
        parkedMax = options.parkedMax
    }

    /// Applies a command whose names are known already, if unknown ones are created.
    mutating func apply(_ command: ScriptCommand, now: Milliseconds) -> Outcome {
        if let number = command.discarded { return discard(number, now: now) }
        var reason: Outcome?
        let letter = parked.firstIndex { $0.content == command.content }
        if let id = command.id, let known = remembered.first(where: { $0.content.id == id }) {
            if known.content != command.content { return .idConflict }
            if known.outcome.verdict != .parked {
                if command.isRetry, let letter { end(letter) }
                return .duplicate
            }
            reason = known.outcome
        }
        let isTold = isTold(command)
        let outcome = effect(command, parkedBefore: reason)
        switch outcome.verdict {
        case .accepted:
            if let letter, command.isRetry || reason != nil { parked.remove(at: letter) }
        case .parked:
            if let letter {
                if reason == outcome, parked[letter].outcome == outcome { return outcome }
                parked[letter].outcome = outcome
            } else if parked.count == parkedMax {
                return .parkingFull
            } else {
                parkedCount += 1
                parked.append(
                    Parked(number: parkedCount, command: command, outcome: outcome, time: now))
            }
        case .duplicate, .rejected: return outcome
        }
        if command.id != nil {
            remember(Remembered(content: command.content, outcome: outcome, time: now))
        }
        if !isTold { eventCount += 1 }
        return outcome
    }

    private mutating func end(_ letter: Int) {
        parked.remove(at: letter)
        eventCount += 1
    }

    /// An event that was set aside is never to take effect.
    private mutating func discard(_ number: UInt64, now: Milliseconds) -> Outcome {
        guard let index = parked.firstIndex(where: { $0.number == number }) else {
            return .unknownLetter
        }
        if let content = parked[index].content {
            remember(Remembered(content: content, outcome: .discarded, time: now))
        }
        end(index)
        return .accepted
    }

    private func isTold(_ command: ScriptCommand) -> Bool {
        guard command.verb == .item, let item = items[command.sku] else { return false }
        return item ?? Item() == Item(category: command.category, name: command.text)
    }

    private mutating func remember(_ event: Remembered) {
        if let index = remembered.firstIndex(where: { $0.content.id == event.content.id }) {
            remembered[index].outcome = event.outcome
            return
        }
        if remembered.count == rememberedMax { forgetOldest() }
        remembered.append(event)
        // What is too old goes two at a time.
        for _ in 0..<2
        where remembered.count > 1 && remembered[0].time < event.time - rememberedFor {
            forgetOldest()
        }
    }

    private mutating func forgetOldest() {
        remembered.removeFirst()
        hasForgotten = true
    }

    /// - Parameter parkedBefore: Why it stands aside, if it is remembered that it does.
    private mutating func effect(_ command: ScriptCommand, parkedBefore: Outcome?) -> Outcome {
        if command.id != nil, !command.isBackfill, hasForgotten, let oldest = remembered.first,
            command.at < oldest.time, (parkedBefore ?? .parkedBeforeMemory) == .parkedBeforeMemory
        {
            return .parkedBeforeMemory
        }
        if command.verb == .item {
            items[command.sku] = .some(Item(category: command.category, name: command.text))
            return .accepted
        }
        if command.hasUnknownLocation {
            return command.verb == .stock ? .rowUnknownLocation : .parkedUnknownLocation
        }
        if items[command.sku] == nil, !createsUnknown {
            return command.verb == .stock ? .rowUnknownSKU : .parkedUnknownSKU
        }
        if command.verb == .stock { return stock(command) }
        return command.kind == .count ? count(command) : move(command)
    }

    private mutating func set(_ position: PositionModel, _ sku: Int, _ location: Int) {
        if items[sku] == nil { items[sku] = .some(nil) }
        positions[Place(sku: sku, location: location)] = position
    }

    private func position(_ sku: Int, _ location: Int) -> PositionModel {
        positions[Place(sku: sku, location: location)] ?? PositionModel()
    }

    /// A row of the system of record: a count of each condition that it gives, together or not.
    private mutating func stock(_ command: ScriptCommand) -> Outcome {
        var position = position(command.sku, command.location)
        if let newest = position.newest, command.at < newest - lateWindow {
            return .rowBeforeWindow
        }
        var hasEffect = false
        for condition in Condition.allCases {
            guard let units = command.counted[condition] else { continue }
            if let last = position.lastCount(condition), command.at < last.at { continue }
            hasEffect = true
            position.counts.append(
                PositionModel.Change(
                    condition: condition, quantity: Int64(units), at: command.at))
            guard Int32(exactly: position.units(condition)) != nil else { return .overflow }
        }
        if !hasEffect { return .recorded }
        set(position, command.sku, command.location)
        return .accepted
    }

    private mutating func count(_ command: ScriptCommand) -> Outcome {
        var position = position(command.sku, command.location)
        if let last = position.lastCount(command.to), command.at < last.at { return .recorded }
        if let newest = position.newest, command.at < newest - lateWindow {
            return .parkedBeforeWindow
        }
        position.counts.append(
            PositionModel.Change(
                condition: command.to, quantity: Int64(command.quantity), at: command.at))
        guard Int32(exactly: position.units(command.to)) != nil else { return .overflow }
        set(position, command.sku, command.location)
        return .accepted
    }

    private typealias Leg = (location: Int, condition: Condition, quantity: Int64)

    private static func legs(_ command: ScriptCommand) -> [Leg] {
        let quantity = Int64(command.quantity)
        let gain: Leg = (command.toLocation ?? command.location, command.to, quantity)
        let loss: Leg = (command.location, command.from, -quantity)
        switch command.kind {
        case .receipt, .return, .adjust: return [gain]
        case .sale, .writeOff: return [loss]
        case .move, .transfer: return [loss, gain]
        case .count: return []
        }
    }

    private mutating func move(_ command: ScriptCommand) -> Outcome {
        var after: [Int: PositionModel] = [:]
        for leg in Self.legs(command) {
            var position = after[leg.location] ?? position(command.sku, leg.location)
            if let last = position.lastCount(leg.condition), command.at <= last.at { continue }
            position.deltas.append(
                PositionModel.Change(
                    condition: leg.condition, quantity: leg.quantity, at: command.at))
            guard Int32(exactly: position.units(leg.condition)) != nil else { return .overflow }
            position.newest = max(position.newest ?? .min, command.at)
            after[leg.location] = position
        }
        if after.isEmpty { return .recorded }
        for (location, position) in after { set(position, command.sku, location) }
        return .accepted
    }
}
