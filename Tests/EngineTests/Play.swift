import Bytes
import Domain
import Engine

/// One history, played to an engine and to the model side by side.
final class Play {
    let history: History
    let fixture: EngineFixture
    private var model: ReferenceModel
    private var waiting: [NamedCommand] = []
    private var versions: [String: UInt64] = [:]
    private(set) var outcomes: [Outcome: Int] = [:]

    init(_ history: History) throws {
        self.history = history
        fixture = try EngineFixture(history.options)
        model = ReferenceModel(history.options)
    }

    /// What told the two apart first; nil when nothing did.
    func difference() throws -> String? {
        for (index, step) in history.steps.enumerated() {
            if case .command(let command) = step {
                waiting.append(command)
                continue
            }
            // What queries say follows from the details, so not every step need ask them.
            let difference =
                try send() ?? perform(step) ?? compareDetails()
                ?? (index % 4 == 0 ? compareReads() : nil)
            if let difference {
                return "at step \(index): \(difference)"
            }
        }
        return try send() ?? compareDetails() ?? compareReads()
    }

    private func perform(_ step: Step) throws -> String? {
        switch step {
        case .command, .send: break
        case .tick(let now):
            fixture.now = now
            model.makePolicy(now: now)
        case .rules(let rules):
            try fixture.put(rules: rules)
            model.put(rules: rules, now: fixture.now)
        case .location(let name, let groups, let isOpen):
            try fixture.put(location: name, groups: groups, isOpen: isOpen)
            model.put(location: name, groups: groups, isOpen: isOpen, now: fixture.now)
        case .group(let name, let members):
            try fixture.put(group: name, members: members)
            model.put(group: name, members: members, now: fixture.now)
        case .adopt:
            if !fixture.adoptSlice() { model.adopted() }
        case .settle:
            fixture.adoptAll()
            model.adopted()
        }
        return nil
    }

    private func send() throws -> String? {
        if waiting.isEmpty { return nil }
        let commands = waiting
        waiting = []
        for case let category? in commands.map(\.category) {
            model.know(category: category, now: fixture.now)
        }
        if history.options.createsUnknown {
            for command in commands where command.verb == .event || command.verb == .stock {
                model.know(location: command.location, now: fixture.now)
                if let other = command.toLocation { model.know(location: other, now: fixture.now) }
            }
        }
        let found = try fixture.apply(commands)
        for (index, command) in commands.enumerated() {
            let expected = model.apply(
                command, shard: fixture.shard(of: command.sku), now: fixture.now)
            outcomes[expected, default: 0] += 1
            if found[index] != expected {
                return "\(found[index]) in the place of \(expected) for \(command)"
            }
        }
        return nil
    }

    // MARK: - Comparing

    private func compareReads() throws -> String? {
        fixture.refreshPolicy()
        return try compareQueries() ?? compareReferences() ?? compareShards()
    }

    private func compareDetails() throws -> String? {
        for sku in history.skus {
            let found = try fixture.detail(sku)
            if !model.agrees(sku, found?.detail) {
                let expected = model.policies.last.map { model.detail(sku, $0) }
                return "\(sku) is \(found as Any) in the place of \(expected as Any)"
            }
            if let found {
                if found.version < versions[sku] ?? 0 { return "\(sku) goes back in versions" }
                versions[sku] = found.version
            }
        }
        return nil
    }

    /// Free units are those of the detail just compared; the query must say what follows.
    private func compareQueries() throws -> String? {
        let skus = history.skus + ["nobody"]
        let details = try skus.map { try fixture.detail($0)?.detail }
        let places: [[String]] = [
            ["L0"], ["nowhere"], ["L1", "L0", "L1"], ["nowhere", "L4", "nowhere", "L4", "L5"],
            history.locations,
        ]
        let scopes: [EngineFixture.Scope] =
            [.everywhere] + History.groups.map { .group($0) } + places.map { .places($0) }
        for scope in scopes {
            for wantsLocations in [false, true] {
                let found = fixture.query(skus, scope, wantsLocations: wantsLocations)
                for (index, sku) in skus.enumerated() {
                    let expected = model.answer(
                        details[index], scope, wantsLocations: wantsLocations)
                    if found[index] != expected {
                        return "\(sku) \(scope): \(found[index]) in the place of \(expected)"
                    }
                }
            }
        }
        return nil
    }

    private func compareReferences() throws -> String? {
        for sku in history.skus + ["nobody"] {
            let detail = try fixture.detail(sku)?.detail
            for location in history.locations + ["nowhere"] {
                let position = detail?.positions[location]
                let expected = position.map {
                    model.closed.contains(location) ? 0 : max(0, $0.free)
                }
                let found = fixture.byReference(sku, location)
                if found != expected {
                    return "\(sku) at \(location) by reference: \(found as Any)"
                }
            }
        }
        return nil
    }

    private func compareShards() throws -> String? {
        for (number, shard) in model.shards.enumerated() {
            let counters = fixture.counters[number]
            let remembered = fixture.engine.withShard(number) { $0.rememberedCount }
            func count(_ verdict: Outcome.Verdict) -> UInt64 {
                UInt64(
                    shard.outcomes.filter { $0.key.verdict == verdict }.map(\.value).reduce(0, +))
            }
            if counters.accepted != count(.accepted) || counters.parked != count(.parked)
                || counters.rejected != count(.rejected)
                || counters.duplicates != count(.duplicate)
                || counters.recorded != UInt64(shard.outcomes[.recorded] ?? 0)
            {
                return "\(counters) for \(shard.outcomes)"
            }
            if remembered != shard.remembered.count {
                return "\(remembered) remembered in the place of \(shard.remembered.count)"
            }
            let parked = try fixture.parked(number)
            let expected = shard.parked.map { letter in
                EngineFixture.Letter(
                    number: letter.number, outcome: letter.outcome, parkedAt: letter.time,
                    text: letter.command.text)
            }
            if parked != expected { return "parked: \(parked) in the place of \(expected)" }
        }
        return nil
    }
}
