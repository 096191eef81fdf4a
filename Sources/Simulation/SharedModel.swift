// Shared data, naively: what was put, and which rule wins found by looking at all of them.

internal import Bytes
internal import Domain
internal import Engine

/// One change of shared data: one frame of the control stream.
enum SharedChange: Equatable {
    case location(Identifier)
    case category(Identifier)
    case source(Identifier)
    case locations([Location])
    case channels([Channel])
    case groups([Group])
    case rules([SafetyStockRule])
}

struct SharedModel: Equatable {
    private(set) var locations: [Location] = []  // By id.
    private(set) var channels: [Channel] = []  // By id.
    private(set) var categories: [Identifier] = []  // By id.
    private(set) var sources: [Identifier] = []  // By id.
    private(set) var groups: [Identifier: Group] = [:]
    /// By id: those that a document or a location named.
    private(set) var groupNames: [Identifier] = []
    private(set) var rules: [SafetyStockRule] = []
    private(set) var locationsVersion: UInt64 = 0
    private(set) var groupsVersion: UInt64 = 0
    private(set) var channelsVersion: UInt64 = 0
    private(set) var rulesVersion: UInt64 = 0

    func location(_ name: Identifier) -> Int? { locations.firstIndex { $0.name == name } }

    /// The version that a document replaces, or names get.
    func version(of change: SharedChange) -> UInt64 {
        switch change {
        case .location, .locations: locationsVersion
        case .category, .source: 0
        case .channels: channelsVersion
        case .groups: groupsVersion
        case .rules: rulesVersion
        }
    }

    mutating func apply(_ change: SharedChange) {
        switch change {
        case .location(let name): know(location: name)
        case .category(let name): if !categories.contains(name) { categories.append(name) }
        case .source(let name): if !sources.contains(name) { sources.append(name) }
        case .locations(let changed):
            for location in changed {
                for group in location.groups { know(group: group) }
                know(location: location.name)
                if let id = self.location(location.name) { locations[id] = location }
            }
            locationsVersion += 1
        case .channels(let changed):
            for channel in changed {
                if let id = channels.firstIndex(where: { $0.name == channel.name }) {
                    channels[id] = channel
                } else {
                    channels.append(channel)
                    channelsVersion += 1
                }
            }
            channelsVersion += 1
        case .groups(let changed):
            for group in changed {
                know(group: group.name)
                groups[group.name] = group
            }
            groupsVersion += 1
        case .rules(let changed):
            rules = changed
            rulesVersion += 1
        }
    }

    private mutating func know(location name: Identifier) {
        if location(name) != nil { return }
        locations.append(Location(name: name))
        locationsVersion += 1
    }

    private mutating func know(group name: Identifier) {
        if !groupNames.contains(name) { groupNames.append(name) }
    }

    // MARK: - Groups

    /// Whether a document has a group contain itself.
    func hasCycle(_ change: SharedChange) -> Bool {
        guard case .groups(let changed) = change else { return false }
        var after = self
        after.apply(change)
        return changed.contains { after.contains($0.name, in: $0.name, depth: groups.count + 2) }
    }

    /// Whether `name` is among the members of `group`, over at most `depth` levels.
    private func contains(_ name: Identifier, in group: Identifier, depth: Int) -> Bool {
        guard depth > 0, let members = groups[group]?.members else { return false }
        return members.contains { $0 == name || contains(name, in: $0, depth: depth - 1) }
    }

    private func isMember(_ location: Location, of group: Identifier) -> Bool {
        if location.groups.contains(group) { return true }
        return (groups[group]?.members ?? []).contains { member in
            member == location.name || isMember(location, of: member)
        }
    }

    // MARK: - Rules

    /// Units withheld of `sellable` by the rule that wins at `now`.
    func safetyStock(
        sku: Identifier, category: Identifier?, location: Location, sellable: Int64,
        now: Milliseconds
    ) -> Int64 {
        var winner: SafetyStockRule?
        for rule in rules where applies(rule, sku, category, location, now) {
            guard let best = winner else {
                winner = rule
                continue
            }
            if Self.beats(rule, best) { winner = rule }
        }
        switch winner?.amount {
        case nil: return 0
        case .units(let units): return Int64(units)
        case .basisPoints(let points):
            let product = max(0, sellable) * Int64(points)
            return product / 10_000 + (product % 10_000 > 0 ? 1 : 0)
        }
    }

    private func applies(
        _ rule: SafetyStockRule, _ sku: Identifier, _ category: Identifier?,
        _ location: Location, _ now: Milliseconds
    ) -> Bool {
        if let from = rule.from, now < from { return false }
        if let until = rule.until, now >= until { return false }
        switch rule.scope.goods {
        case .sku(let name): if name != sku { return false }
        case .category(let name): if name != category { return false }
        case .all: break
        }
        switch rule.scope.place {
        case .location(let name): return name == location.name
        case .group(let name): return isMember(location, of: name)
        case .all: return true
        }
    }

    private static func beats(_ one: SafetyStockRule, _ other: SafetyStockRule) -> Bool {
        let (left, right) = (specificity(one), specificity(other))
        if left != right { return left < right }
        if one.priority != other.priority { return one.priority > other.priority }
        return one.id.bytes.lexicographicallyPrecedes(other.id.bytes)
    }

    /// The place in the list sku+location, sku+group, sku, category+location, … of the rules.
    private static func specificity(_ rule: SafetyStockRule) -> Int {
        switch (rule.scope.goods, rule.scope.place) {
        case (.sku, .location): 0
        case (.sku, .group): 1
        case (.sku, .all): 2
        case (.category, .location): 3
        case (.category, .group): 4
        case (.category, .all): 5
        case (.all, .location): 6
        case (.all, .group): 7
        case (.all, .all): 8
        }
    }
}
