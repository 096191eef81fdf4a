// What clients and the clock do, drawn by seed.

internal import Bytes
internal import Domain
internal import Engine
internal import Journal

struct Script {
    var bits: SeededBits
    private(set) var now = SmallWorld.start
    private let window: Milliseconds
    private var number = 0
    /// Commands with an id that were drawn lately, by shard: what clients may repeat.
    private var sent: [[ScriptCommand]]
    private static let sentMax = 64

    init(bits: SeededBits, _ options: EngineOptions) {
        self.bits = bits
        window = options.lateWindow
        sent = Array(repeating: [], count: options.shardCount)
    }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[bits.below(values.count)] }
    mutating func chance(_ percent: Int) -> Bool { bits.below(100) < percent }

    /// How an engine is set up: small, and otherwise drawn.
    static func options(_ bits: inout SeededBits) -> EngineOptions {
        var options = EngineOptions()
        options.shardCount = 2
        options.createsUnknown = !bits.oneIn(4)
        options.lateWindow = [0, 600_000, 3_600_000][bits.below(3)]
        options.rememberedMax = [32, 32, 1 << 12][bits.below(3)]
        options.rememberedFor = [1_800_000, 7 * 86_400_000][bits.below(2)]
        options.parkedMax = [2, 1000][bits.below(2)]
        options.policyRowsPerTurn = [1, 4, 50_000][bits.below(3)]
        options.inboxCapacity = 4
        options.queuedCommandMax = 8
        options.skuCountMax = 64
        options.positionCountMax = 1 << 12
        options.movementCountMax = 1 << 16
        options.conditionCountMax = 1 << 12
        options.itemNameByteCountMax = 1 << 16
        return options
    }

    mutating func tick() { now += pick([1, 1000, 60_000, 60_000, 600_000, 3_600_000]) }

    // MARK: - Commands

    /// A command about one of `skus`, which all live in `shard`.
    mutating func command(of skus: [Int], shard: Int) -> ScriptCommand {
        if let last = sent[shard].last, chance(22) {
            var command = chance(30) ? last : pick(sent[shard])
            if chance(20) { command.quantity = command.quantity == 1 ? 2 : 1 }
            if chance(25) { command.isBackfill.toggle() }
            return command
        }
        number += 1
        var command = ScriptCommand(
            sku: pick(skus), location: bits.below(SmallWorld.locations.count), at: time())
        command.text = "{\"n\": \(number)}"
        switch bits.below(100) {
        case 0..<8: makeItem(&command)
        case 8..<20: makeStockRow(&command)
        default: makeEvent(&command)
        }
        if command.id != nil {
            if sent[shard].count == Self.sentMax { sent[shard].removeFirst() }
            sent[shard].append(command)
        }
        return command
    }

    /// Now and then one of the events that stand aside is taken up again, or discarded.
    mutating func command(about letters: [StockModel.Parked]) -> ScriptCommand? {
        guard !letters.isEmpty, chance(8) else { return nil }
        let letter = pick(letters)
        if letter.content == nil || chance(30) {
            var command = ScriptCommand(sku: letter.command.sku, location: 0, at: now)
            command.verb = .discard
            command.discarded = letter.number
            return command
        }
        var command = letter.command
        command.isRetry = true
        command.isBackfill = letter.outcome == .parkedBeforeMemory
        return command
    }

    /// Now or late; often at a whole minute, so that several things are at one moment.
    private mutating func time() -> Milliseconds {
        if chance(40) { return now }
        let reach = window + window / 4 + 60_000
        let at = now - Milliseconds(bits.below(Int(reach))) + 60_000
        return chance(70) ? at / 60_000 * 60_000 : at
    }

    private mutating func makeItem(_ command: inout ScriptCommand) {
        command.verb = .item
        command.category = pick([nil, 0, 1])
        command.text = pick(SmallWorld.itemNames)
    }

    private mutating func units() -> Int32 {
        chance(5) ? pick([.max, .max - 1, 2_000_000_000]) : pick([1, 2, 3, 7, 20])
    }

    private mutating func makeStockRow(_ command: inout ScriptCommand) {
        command.verb = .stock
        command.quantity = 0
        let isWhole = chance(50)
        let always = pick(Condition.allCases)
        for condition in Condition.allCases where isWhole || condition == always || chance(30) {
            command.counted[condition] = chance(30) ? 0 : units()
        }
    }

    private mutating func makeEvent(_ command: inout ScriptCommand) {
        command.kind = pick(EventKind.allCases)
        command.quantity = units()
        command.id = chance(92) ? number : nil
        command.isBackfill = chance(15)
        switch command.kind {
        case .sale: break
        case .move:
            command.from = pick(Condition.allCases)
            let other = 1 + bits.below(Condition.allCases.count - 1)
            let place = (Int(command.from.rawValue) + other) % Condition.allCases.count
            command.to = Condition.allCases[place]
        case .transfer:
            let other = 1 + bits.below(SmallWorld.locations.count - 1)
            command.toLocation = (command.location + other) % SmallWorld.locations.count
            if chance(20) { command.to = pick(Condition.allCases) }
            if chance(20) { command.from = pick(Condition.allCases) }
        case .receipt, .return, .writeOff, .adjust, .count:
            if chance(40) { command.to = pick(Condition.allCases) }
            command.from = command.to
        }
        if command.kind == .adjust, chance(50) { command.quantity = -command.quantity }
        if command.kind == .count, chance(20) { command.quantity = 0 }
    }

    // MARK: - Documents

    mutating func document() -> SharedChange {
        switch bits.below(8) {
        case 0...2:
            let count = bits.below(2) + 1
            return .locations((0..<count).map { _ in location() })
        case 3, 4: return .groups([group()])
        case 5:
            let name = pick(SmallWorld.channels)
            return .channels([Channel(name: name, defaultTTLSeconds: pick([60, 900]))])
        default: return .rules(rules())
        }
    }

    private mutating func location() -> Location {
        var groups: [Identifier] = []
        for group in SmallWorld.groups where chance(30) { groups.append(group) }
        return Location(
            name: pick(SmallWorld.locations), kind: pick(LocationKind.allCases), groups: groups,
            isOpen: chance(70), utcOffsetMinutes: pick([0, 60]))
    }

    /// Now and then one that would contain itself.
    private mutating func group() -> Group {
        let number = bits.below(SmallWorld.groups.count)
        var members: [Identifier] = []
        for location in SmallWorld.locations where chance(40) { members.append(location) }
        if chance(40) { members.append(SmallWorld.groups[1 - number]) }
        return Group(name: SmallWorld.groups[number], members: members)
    }

    private mutating func rules() -> [SafetyStockRule] {
        let count = pick([0, 1, 2, 4])
        return (0..<count).map { rule($0) }
    }

    private mutating func rule(_ number: Int) -> SafetyStockRule {
        let goods: RuleScope.Goods =
            switch bits.below(3) {
            case 0: .sku(pick(SmallWorld.skus))
            case 1: .category(pick(SmallWorld.categories))
            default: .all
            }
        let place: RuleScope.Place =
            switch bits.below(3) {
            case 0: .location(pick(SmallWorld.locations))
            case 1: .group(pick(SmallWorld.groups))
            default: .all
            }
        guard let id = try? Identifier("r\(number)") else { preconditionFailure("no name") }
        var rule = SafetyStockRule(
            id: id, scope: RuleScope(goods: goods, place: place),
            amount: chance(50)
                ? .units(pick([0, 1, 5])) : .basisPoints(pick([0, 1, 250, 3333, 10_000])),
            priority: pick([0, 0, 1]))
        if chance(30) { rule.from = now + pick([-60_000, 1, 1000, 60_000]) }
        if chance(30) { rule.until = now + pick([-60_000, 1, 1000, 60_000, 600_000]) }
        return rule
    }
}
