// The semantics, naively: dictionaries of names, lists of all that ever happened, every answer
// computed from the beginning. Shares nothing with the engine but the names of kinds and outcomes.

import Bytes
import Domain
import Engine

struct ModelRule: Equatable {
    var id: String
    var sku: String?
    var category: String?
    var location: String?
    var group: String?
    var units: Int64?
    var basisPoints: Int64 = 0
    var from: Milliseconds?
    var until: Milliseconds?
    var priority: Int32 = 0

    /// The place in the design's list: sku+location, sku+group, sku, category+location, …
    var specificity: Int {
        switch (sku != nil, category != nil, location != nil, group != nil) {
        case (true, _, true, _): 0
        case (true, _, _, true): 1
        case (true, _, _, _): 2
        case (_, true, true, _): 3
        case (_, true, _, true): 4
        case (_, true, _, _): 5
        case (_, _, true, _): 6
        case (_, _, _, true): 7
        default: 8
        }
    }
}

/// What rules depend on, as it was when a policy was made.
struct ModelPolicy {
    var rules: [ModelRule] = []
    /// Group → members.
    var groups: [String: [String]] = [:]
    /// Known locations and the groups that they name themselves.
    var locations: [String: [String]] = [:]
    var categories: Set<String> = []

    func isMember(_ location: String, of group: String) -> Bool {
        guard let own = locations[location] else { return false }
        if own.contains(group) { return true }
        return (groups[group] ?? []).contains { member in
            member == location || isMember(location, of: member)
        }
    }

    func safetyStock(sku: String, category: String?, location: String, sellable: Int64) -> Int64 {
        let applying = rules.filter { rule in
            (rule.sku == nil || rule.sku == sku)
                && (rule.category.map { $0 == category && categories.contains($0) } ?? true)
                && (rule.location == nil
                    || rule.location == location && locations[location] != nil)
                && (rule.group.map { isMember(location, of: $0) } ?? true)
        }
        let winner = applying.min { one, other in
            if one.specificity != other.specificity { return one.specificity < other.specificity }
            if one.priority != other.priority { return one.priority > other.priority }
            return Array(one.id.utf8).lexicographicallyPrecedes(Array(other.id.utf8))
        }
        guard let winner else { return 0 }
        if let units = winner.units { return units }
        let product = max(0, sellable) * winner.basisPoints
        return product / 10_000 + (product % 10_000 > 0 ? 1 : 0)
    }
}

/// One position: everything that happened to it and was not refused.
struct ModelPosition {
    struct Change: Equatable {
        var condition: Condition
        /// Units gained; or, for a count, what was counted.
        var quantity: Int64
        var at: Milliseconds
    }
    var deltas: [Change] = []
    var counts: [Change] = []
    /// The newest effective time of a delta that took effect.
    var newest: Milliseconds?

    /// The count that holds: the one as of the latest time; of several, the one that came last.
    func lastCount(_ condition: Condition) -> Change? {
        let own = counts.filter { $0.condition == condition }
        guard let latest = own.map(\.at).max() else { return nil }
        return own.last { $0.at == latest }
    }

    func units(_ condition: Condition) -> Int64 {
        let count = lastCount(condition)
        return (count?.quantity ?? 0)
            + deltas.filter { $0.condition == condition && $0.at > count?.at ?? .min }
            .map(\.quantity).reduce(0, +)
    }
}

struct ReferenceModel {
    var options: EngineOptions
    var positions: [String: [String: ModelPosition]] = [:]
    /// Known SKUs and their items.
    var skus: [String: (category: String?, name: String)] = [:]

    // Master data as it is now, and all policies made of it: a SKU may still have an older one.
    var rules: [ModelRule] = []
    var current = ModelPolicy()
    var closed: Set<String> = []
    /// Groups that a document or a location named.
    var knownGroups: Set<String> = []
    var policies = [ModelPolicy()]
    /// The oldest policy that a SKU may still have; at first that of the last full adoption.
    var oldestPolicy: [String: Int] = [:]
    var adoptedPolicy = 0

    struct Remembered {
        var id: String
        var command: NamedCommand
        var outcome: Outcome
        var time: Milliseconds
    }
    struct Parked {
        var number: UInt64
        var command: NamedCommand
        var outcome: Outcome
        var time: Milliseconds
    }
    struct Shard {
        var remembered: [Remembered] = []
        var hasForgotten = false
        var parked: [Parked] = []
        var parkedCount: UInt64 = 0
        var outcomes: [Outcome: Int] = [:]
    }
    var shards: [Shard]

    init(_ options: EngineOptions) {
        self.options = options
        shards = .init(repeating: Shard(), count: options.shardCount)
    }

    // MARK: - Master data

    /// Whatever rules depend on may have changed.
    mutating func makePolicy(now: Milliseconds) {
        current.rules = rules.filter { $0.from ?? .min <= now && now < $0.until ?? .max }
        policies.append(current)
    }

    mutating func know(location: String, now: Milliseconds) {
        if current.locations[location] != nil { return }
        current.locations[location] = []
        makePolicy(now: now)
    }

    mutating func know(category: String, now: Milliseconds) {
        if current.categories.insert(category).inserted { makePolicy(now: now) }
    }

    /// All SKUs have the newest policy.
    mutating func adopted() {
        adoptedPolicy = policies.count - 1
        oldestPolicy = [:]
    }

    mutating func put(rules: [ModelRule], now: Milliseconds) {
        self.rules = rules
        makePolicy(now: now)
    }

    mutating func put(location: String, groups: [String], isOpen: Bool, now: Milliseconds) {
        current.locations[location] = groups
        knownGroups.formUnion(groups)
        if isOpen { closed.remove(location) } else { closed.insert(location) }
        makePolicy(now: now)
    }

    mutating func put(group: String, members: [String], now: Milliseconds) {
        current.groups[group] = members
        knownGroups.insert(group)
        makePolicy(now: now)
    }

    // MARK: - Commands

    /// Applies a command whose locations are known already, if unknown ones are created.
    mutating func apply(_ command: NamedCommand, shard: Int, now: Milliseconds) -> Outcome {
        let outcome = decide(command, shard: shard, now: now)
        shards[shard].outcomes[outcome, default: 0] += 1
        return outcome
    }

    private mutating func decide(
        _ command: NamedCommand, shard: Int, now: Milliseconds
    ) -> Outcome {
        if let number = command.letter { return discard(number, shard, now: now) }
        let letter = shards[shard].parked.firstIndex {
            command.id != nil && isSame($0.command, command)
        }
        var reason: Outcome?
        if let id = command.id, let known = shards[shard].remembered.first(where: { $0.id == id }) {
            if !isSame(known.command, command) { return .idConflict }
            switch known.outcome {
            case .accepted, .recorded, .discarded:
                if command.isRetry, let letter { shards[shard].parked.remove(at: letter) }
                return .duplicate
            default: reason = known.outcome
            }
        }
        let isKnown = reason != nil && reason != .parkedBeforeMemory
        let outcome = effect(command, shard, isKnown: isKnown)
        switch outcome {
        case .accepted, .recorded:
            if let letter, reason != nil || command.isRetry {
                shards[shard].parked.remove(at: letter)
            }
        case .parkedBeforeMemory, .parkedBeforeWindow, .parkedUnknownSKU, .parkedUnknownLocation:
            if let letter {
                shards[shard].parked[letter].outcome = outcome
            } else if shards[shard].parked.count == options.parkedMax {
                return .parkingFull
            } else {
                shards[shard].parkedCount += 1
                shards[shard].parked.append(
                    Parked(
                        number: shards[shard].parkedCount, command: command, outcome: outcome,
                        time: now))
            }
        default: return outcome
        }
        if let id = command.id {
            remember(Remembered(id: id, command: command, outcome: outcome, time: now), shard)
        }
        return outcome
    }

    /// Whether one is a repeat of the other.
    private func isSame(_ first: NamedCommand, _ second: NamedCommand) -> Bool {
        var first = first
        first.isBackfill = second.isBackfill
        first.isRetry = second.isRetry
        first.text = second.text
        return first == second
    }

    private mutating func discard(
        _ number: UInt64, _ shard: Int, now: Milliseconds
    ) -> Outcome {
        guard let index = shards[shard].parked.firstIndex(where: { $0.number == number }) else {
            return .unknownLetter
        }
        let command = shards[shard].parked.remove(at: index).command
        if let id = command.id {
            remember(
                Remembered(id: id, command: command, outcome: .discarded, time: now), shard)
        }
        return .accepted
    }

    private mutating func remember(_ event: Remembered, _ shard: Int) {
        if let index = shards[shard].remembered.firstIndex(where: { $0.id == event.id }) {
            shards[shard].remembered[index].outcome = event.outcome
            return
        }
        let capacity = max(16, options.rememberedMax / options.shardCount)
        if shards[shard].remembered.count == capacity { forgetOldest(shard) }
        shards[shard].remembered.append(event)
        // What is too old goes two at a time.
        for _ in 0..<2 {
            if shards[shard].remembered.count > 1,
                shards[shard].remembered[0].time < event.time - options.rememberedFor
            {
                forgetOldest(shard)
            }
        }
    }

    private mutating func forgetOldest(_ shard: Int) {
        shards[shard].remembered.removeFirst()
        shards[shard].hasForgotten = true
    }

    /// - Parameter isKnown: It is remembered that it stands aside, and not for its age.
    private mutating func effect(
        _ command: NamedCommand, _ shard: Int, isKnown: Bool
    ) -> Outcome {
        if command.id != nil, !command.isBackfill, !isKnown, shards[shard].hasForgotten,
            let oldest = shards[shard].remembered.first, command.at < oldest.time
        {
            return .parkedBeforeMemory
        }
        if command.verb == .item {
            add(command.sku)
            skus[command.sku] = (command.category, command.text)
            return .accepted
        }
        for location in [command.location, command.toLocation ?? command.location]
        where current.locations[location] == nil {
            return command.verb == .stock ? .rowUnknownLocation : .parkedUnknownLocation
        }
        if skus[command.sku] == nil, !options.createsUnknown {
            return command.verb == .stock ? .rowUnknownSKU : .parkedUnknownSKU
        }
        var command = command
        if command.isArrival { command.at = arrival(command) }
        if command.verb == .stock { return stock(command) }
        return command.kind == .count ? count(command) : move(command)
    }

    /// Behind what came before within the same second: of counts, for what moves units; of anything, for counts.
    private func arrival(_ command: NamedCommand) -> Milliseconds {
        func position(_ location: String) -> ModelPosition {
            positions[command.sku]?[location] ?? ModelPosition()
        }
        let here = position(command.location)
        let there = position(command.toLocation ?? command.location)
        func count(_ position: ModelPosition, _ condition: Condition) -> Milliseconds? {
            position.lastCount(condition)?.at
        }
        let former: [Milliseconds?]
        if command.verb == .stock {
            former = command.counted.keys.map { count(here, $0) } + [here.newest]
        } else {
            former =
                switch command.kind {
                case .count: [count(here, command.to), here.newest]
                case .receipt, .return, .adjust: [count(here, command.to).map { $0 + 1 }]
                case .sale, .writeOff: [count(here, command.from).map { $0 + 1 }]
                case .move, .transfer:
                    [
                        count(here, command.from).map { $0 + 1 },
                        count(there, command.to).map { $0 + 1 },
                    ]
                }
        }
        return former.compactMap { $0 }.filter { $0 - command.at < 1000 }.reduce(command.at) {
            max($0, $1)
        }
    }

    private mutating func add(_ sku: String) {
        if skus[sku] != nil { return }
        skus[sku] = (nil, "")
    }

    /// A row of the system of record: a count of each condition that it gives, together or not.
    private mutating func stock(_ command: NamedCommand) -> Outcome {
        var position = positions[command.sku]?[command.location] ?? ModelPosition()
        if let newest = position.newest, command.at < newest - options.lateWindow {
            return .rowBeforeWindow
        }
        var hasEffect = false
        for (condition, units) in command.counted {
            if let last = position.lastCount(condition), command.at < last.at { continue }
            hasEffect = true
            position.counts.append(
                ModelPosition.Change(
                    condition: condition, quantity: Int64(units), at: command.at))
            guard Int32(exactly: position.units(condition)) != nil else { return .overflow }
        }
        if !hasEffect { return .recorded }
        add(command.sku)
        positions[command.sku, default: [:]][command.location] = position
        return .accepted
    }

    private mutating func count(_ command: NamedCommand) -> Outcome {
        var position = positions[command.sku]?[command.location] ?? ModelPosition()
        let count = ModelPosition.Change(
            condition: command.to, quantity: Int64(command.quantity), at: command.at)
        if let last = position.lastCount(command.to), count.at < last.at { return .recorded }
        if let newest = position.newest, count.at < newest - options.lateWindow {
            return .parkedBeforeWindow
        }
        position.counts.append(count)
        guard Int32(exactly: position.units(command.to)) != nil else { return .overflow }
        add(command.sku)
        positions[command.sku, default: [:]][command.location] = position
        return .accepted
    }

    private mutating func move(_ command: NamedCommand) -> Outcome {
        let quantity = Int64(command.quantity)
        typealias Leg = (location: String, condition: Condition, quantity: Int64)
        let legs: [Leg] =
            switch command.kind {
            case .receipt, .return, .adjust: [(command.location, command.to, quantity)]
            case .sale, .writeOff: [(command.location, command.from, -quantity)]
            case .move:
                [
                    (command.location, command.from, -quantity),
                    (command.location, command.to, quantity),
                ]
            case .transfer:
                [
                    (command.location, command.from, -quantity),
                    (command.toLocation ?? command.location, command.to, quantity),
                ]
            case .count: []
            }
        var after = positions[command.sku] ?? [:]
        var hasEffect = false
        for leg in legs {
            var position = after[leg.location] ?? ModelPosition()
            if let last = position.lastCount(leg.condition), command.at <= last.at { continue }
            hasEffect = true
            position.deltas.append(
                ModelPosition.Change(
                    condition: leg.condition, quantity: leg.quantity, at: command.at))
            guard Int32(exactly: position.units(leg.condition)) != nil else { return .overflow }
            position.newest = max(position.newest ?? .min, command.at)
            after[leg.location] = position
        }
        if !hasEffect { return .recorded }
        add(command.sku)
        positions[command.sku] = after
        return .accepted
    }

    // MARK: - Answers

    func position(_ sku: String, _ location: String, _ policy: ModelPolicy) -> Detail.Position {
        let position = positions[sku]?[location] ?? ModelPosition()
        let sellable = position.units(.sellable)
        let safetyStock = policy.safetyStock(
            sku: sku, category: skus[sku]?.category ?? nil, location: location, sellable: sellable)
        return Detail.Position(
            sellable: Int32(sellable), returned: Int32(position.units(.returned)),
            damaged: Int32(position.units(.damaged)), blocked: Int32(position.units(.blocked)),
            safetyStock: Int32(safetyStock),
            free: Int32(max(-2_147_483_648, sellable - safetyStock)))
    }

    /// A SKU under one of the policies.
    func detail(_ sku: String, _ policy: ModelPolicy) -> Detail? {
        guard let item = skus[sku] else { return nil }
        var detail = Detail(category: item.category, itemName: item.name)
        for location in (positions[sku] ?? [:]).keys {
            detail.positions[location] = position(sku, location, policy)
        }
        return detail
    }

    /// Whether `found` is the SKU's state under a policy that it may have; notes which.
    mutating func agrees(_ sku: String, _ found: Detail?) -> Bool {
        for number in (oldestPolicy[sku] ?? adoptedPolicy)..<policies.count
        where detail(sku, policies[number]) == found {
            oldestPolicy[sku] = number
            return true
        }
        return false
    }

    /// What a query says, given the free units of the SKU's positions.
    func answer(
        _ detail: Detail?, _ scope: EngineFixture.Scope, wantsLocations: Bool
    ) -> Answer {
        if case .group(let group) = scope, !knownGroups.contains(group) {
            return Answer(status: .unknownGroup)
        }
        guard let detail else { return Answer(status: .unknownSKU) }
        var asked: [String]
        switch scope {
        case .everywhere: asked = Array(detail.positions.keys)
        case .group(let group):
            asked = detail.positions.keys.filter { current.isMember($0, of: group) }
        case .places(let names): asked = names
        }
        var answer = Answer()
        var seen: Set<String> = []
        for (place, name) in asked.enumerated() {
            let isKnown = current.locations[name] != nil
            if isKnown, !seen.insert(name).inserted { continue }
            let free = detail.positions[name]?.free ?? 0
            let available = isKnown && !closed.contains(name) ? max(0, free) : 0
            answer.available += Int64(available)
            answer.maxSingle = max(answer.maxSingle, available)
            if wantsLocations { answer.locations[isKnown ? name : "?\(place)"] = available }
        }
        return answer
    }
}
