// Histories played step by step, and two engines compared by all that can be observed.

import Bytes
import Columns
import Domain
import Testing

@testable import Engine
@testable import EngineTests

extension EngineFixture {
    /// Plays steps; the outcomes of their commands.
    func play(_ steps: ArraySlice<Step>) throws -> [Outcome] {
        var outcomes: [Outcome] = []
        var waiting: [NamedCommand] = []
        for step in steps {
            if case .command(let command) = step {
                waiting.append(command)
                continue
            }
            outcomes += try apply(waiting)
            waiting = []
            switch step {
            case .command, .send: break
            case .tick(let now): self.now = now
            case .rules(let rules): try put(rules: rules)
            case .location(let name, let groups, let isOpen):
                try put(location: name, groups: groups, isOpen: isOpen)
            case .group(let name, let members): try put(group: name, members: members)
            case .adopt: _ = adoptSlice()
            case .settle: adoptAll()
            }
        }
        return try outcomes + apply(waiting)
    }

    /// What the two tell differently, all rules brought in; nil when nothing.
    func difference(from other: EngineFixture, _ history: History) throws -> String? {
        adoptAll()
        other.adoptAll()
        refreshPolicy()
        other.refreshPolicy()
        for sku in history.skus {
            let (mine, its) = (try detail(sku)?.detail, try other.detail(sku)?.detail)
            if mine != its { return "\(sku): \(mine as Any) and \(its as Any)" }
        }
        let groups = History.groups.map(Scope.group)
        for scope in [.everywhere, .places(history.locations)] + groups {
            let (mine, its) = (query(history.skus, scope), other.query(history.skus, scope))
            if mine != its { return "\(scope): \(mine) and \(its)" }
        }
        for number in 0..<engine.shardCount {
            let (mine, its) = (try summary(number), try other.summary(number))
            if mine != its { return "shard \(number): \(mine) and \(its)" }
        }
        return differenceOfMaster(from: other)
    }

    private func summary(_ number: Int) throws -> [String] {
        let counts = engine.withShard(number) { shard in
            [
                "\(shard.positions.skuCount) SKUs", "\(shard.positions.positionCount) positions",
                "\(shard.rememberedCount) remembered",
                "reach \(shard.remembered.reach as Any)", "\(shard.movements.count) movements",
                "letter \(shard.parked.next) is next",
            ]
        }
        return try counts + parked(number).map { "\($0)" } + items(number)
    }

    /// All items of a shard by id: SKU, category, name.
    private func items(_ number: Int) throws -> [String] {
        let batch = try takeBatch()
        batch.withBatch { batch in
            batch.task = .listItems
            batch.shard = number
            batch.limit = 1000
        }
        var lines: [String] = []
        try exchange(batch) { batch in
            for index in batch.items.indices {
                let item = batch.items[index]
                let text = batch.listing.span
                lines.append(
                    "\(text.part(item.sku).text) \(item.category) \(text.part(item.name).text)")
            }
        }
        return lines
    }

    private func differenceOfMaster(from other: EngineFixture) -> String? {
        let (mine, its) = (engine.master, other.engine.master)
        if mine.locations.version != its.locations.version
            || mine.locations.value != its.locations.value
        {
            return "locations"
        }
        if mine.groups.version != its.groups.version || mine.groups.value != its.groups.value {
            return "groups"
        }
        if mine.channels.version != its.channels.version
            || mine.channels.value != its.channels.value
        {
            return "channels"
        }
        if mine.rules.value != its.rules.value { return "rules" }
        for name in History.groups {
            let key = key(name)
            let ids = withUTF8(name) {
                (mine.groupNames.id($0, key), its.groupNames.id($0, key))
            }
            if ids.0 != ids.1 { return "the id of \(name)" }
        }
        for name in ["c0", "c1"] {
            let key = key(name)
            let ids = withUTF8(name) {
                (mine.categoryNames.id($0, key), its.categoryNames.id($0, key))
            }
            if ids.0 != ids.1 { return "the id of \(name)" }
        }
        return nil
    }
}
