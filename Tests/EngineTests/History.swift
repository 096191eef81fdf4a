// Random histories: what a seed draws, how it is played to the engine and to the model, and how a
// history that tells them apart is made shorter.

import Bytes
import Domain
import Engine

enum Step {
    case command(NamedCommand)
    /// Commands up to here go as one message a shard.
    case send
    case tick(Milliseconds)
    case rules([ModelRule])
    case location(String, groups: [String], isOpen: Bool)
    case group(String, members: [String])
    case adopt
    /// Adopts until there is no more to do.
    case settle
}

struct History {
    var options: EngineOptions
    var steps: [Step]
    var skus = ["A", "B", "é-3", "a-name-of-more-than-15-bytes", "E"]
    var locations = ["L0", "L1", "L2", "a-location-with-a-long-name", "L4", "L5"]

    static let groups = ["G0", "G1", "G2"]
    static let categories: [String?] = [nil, "c0", "c1"]

    /// - Parameter isCrowded: Long runs, and long batches of commands that meet in them.
    init(seed: UInt64, stepCount: Int, isCrowded: Bool = false) {
        if isCrowded {
            skus += (0..<12).map { "S\($0)" }
            locations += (6..<96).map { "L\($0)" }
        }
        var draw = Draw(
            random: SeededGenerator(seed: seed), skus: skus, locations: locations,
            commandPercent: isCrowded ? 97 : 76)
        options = draw.options()
        steps = []
        for _ in 0..<stepCount { steps.append(draw.step()) }
        steps.append(.send)
        draw.settle(&steps)
    }
}

/// Draws steps one by one; remembers what it drew, to repeat it.
private struct Draw {
    var random: SeededGenerator
    let skus: [String]
    let locations: [String]
    let commandPercent: Int
    var now = testStart
    var sent: [NamedCommand] = []
    var number = 0
    var window: Milliseconds = 0

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    mutating func options() -> EngineOptions {
        var options = EngineOptions()
        options.shardCount = pick([1, 2, 4])
        options.createsUnknown = chance(75)
        options.lateWindow = pick([0, 600_000, 3_600_000, 7 * 86_400_000])
        options.rememberedMax = pick([16, 1 << 16])
        options.rememberedFor = pick([1_800_000, 7 * 86_400_000])
        options.parkedMax = pick([2, 10_000])
        options.policyRowsPerTurn = pick([1, 4, 50_000])
        window = min(options.lateWindow, 7_200_000)
        return options
    }

    mutating func step() -> Step {
        if chance(commandPercent) { return .command(command()) }
        switch Int.random(in: 76..<100, using: &random) {
        case 76..<84: return .send
        case 84..<87:
            now += pick([1, 1000, 60_000, 600_000])
            return .tick(now)
        case 87..<90: return .rules(rules())
        case 90..<93:
            let groups = History.groups.filter { _ in chance(30) }
            return .location(pick(locations), groups: groups, isOpen: chance(70))
        case 93..<95: return group()
        default: return .adopt
        }
    }

    /// Lets all that is under way come to its end.
    mutating func settle(_ steps: inout [Step]) {
        now += 1
        steps.append(.tick(now))
        steps.append(.settle)
    }

    mutating func time() -> Milliseconds {
        let back = Int64.random(in: -300_000...(window + window / 4 + 60_000), using: &random)
        // Whole minutes, half of the time: several things at one moment.
        return chance(50) ? (now - back) / 60_000 * 60_000 : now - back
    }

    mutating func command() -> NamedCommand {
        if let first = sent.last, chance(18) {
            var command = chance(30) ? first : pick(sent)
            if command.id != nil {
                if chance(25) { command.quantity = command.quantity == 1 ? 2 : 1 }
                if chance(25) { command.isBackfill.toggle() }
                if chance(25) { command.isRetry.toggle() }
                return command
            }
        }
        if chance(3) { return .discard(pick([1, 1, 2, 3, 5, 8]), pick(skus)) }
        number += 1
        var command = NamedCommand(sku: pick(skus), location: pick(locations))
        command.at = time()
        if chance(25) {
            command.at = now
            command.isArrival = true
        }
        command.text = "{\"n\": \(number)}"
        if chance(5) {
            command.verb = .item
            command.category = pick(History.categories)
            command.text = pick(["", "A thing", "Ein Ding mit Namen"])
            return command
        }
        let quantity: Int32 =
            chance(4) ? pick([.max, .max - 1, 2_000_000_000]) : pick([1, 2, 3, 7, 20])
        if chance(10) {
            command.verb = .stock
            let isWhole = chance(50)
            let always = pick(Condition.allCases)
            for condition in Condition.allCases where isWhole || condition == always || chance(30) {
                command.counted[condition] =
                    chance(30) ? 0 : chance(90) ? pick([1, 4, 9]) : quantity
            }
            return command
        }
        event(&command, quantity)
        sent.append(command)
        return command
    }

    mutating func event(_ command: inout NamedCommand, _ quantity: Int32) {
        command.kind = pick(EventKind.allCases)
        command.quantity = quantity
        command.id = chance(92) ? "source/\(number)" : nil
        if number % 3 > 0 { command.source = "till \(number % 3)" }
        if number % 5 == 0 { command.reason = "because of \(number)" }
        command.isBackfill = chance(15)
        switch command.kind {
        case .sale: break
        case .move:
            command.from = pick(Condition.allCases)
            command.to = pick(Condition.allCases.filter { [from = command.from] in $0 != from })
        case .transfer:
            command.toLocation = pick(
                locations.filter { [here = command.location] in $0 != here })
            if chance(20) { command.to = pick(Condition.allCases) }
            if chance(20) { command.from = pick(Condition.allCases) }
        case .receipt, .return, .writeOff, .adjust, .count:
            if chance(40) { command.to = pick(Condition.allCases) }
            command.from = command.to
        }
        if command.kind == .adjust, chance(50) {
            command.quantity = -quantity - (chance(5) ? 1 : 0)
        }
        if command.kind == .count, chance(20) { command.quantity = 0 }
    }

    mutating func rules() -> [ModelRule] {
        (0..<pick([0, 1, 3, 8])).map { number in
            var rule = ModelRule(id: "r\(number)", priority: pick([0, 0, 1]))
            switch pick([0, 1, 2]) {
            case 0: rule.sku = pick(skus)
            case 1: rule.category = pick(["c0", "c1"])
            default: break
            }
            switch pick([0, 1, 2]) {
            case 0: rule.location = pick(locations)
            case 1: rule.group = pick(History.groups)
            default: break
            }
            if chance(50) {
                rule.units = pick([0, 1, 5])
            } else {
                rule.basisPoints = pick([0, 1, 250, 3333, 10_000])
            }
            if chance(30) { rule.from = now + pick([-60_000, 1, 1000, 60_000]) }
            if chance(30) { rule.until = now + pick([-60_000, 1, 1000, 60_000, 600_000]) }
            return rule
        }
    }

    /// Groups contain locations and groups of a lower number, so there is no cycle.
    mutating func group() -> Step {
        let number = Int.random(in: 0..<History.groups.count, using: &random)
        let members = (locations + History.groups[..<number]).filter { _ in chance(40) }
        return .group(History.groups[number], members: members)
    }
}

extension History {
    /// Removes steps as long as what is left still tells engine and model apart.
    ///
    /// - Parameter attempts: How many shorter histories are tried at the most.
    func shortened(attempts: Int) throws -> History {
        var shortest = self
        var left = attempts
        var length = max(1, steps.count / 2)
        while length >= 1, left > 0 {
            var start = 0
            var isShorter = false
            while start < shortest.steps.count, left > 0 {
                var candidate = shortest
                let end = min(start + length, candidate.steps.count)
                candidate.steps.removeSubrange(start..<end)
                left -= 1
                if try Play(candidate).difference() != nil {
                    shortest = candidate
                    isShorter = true
                } else {
                    start += length
                }
            }
            if !isShorter || length > 1 {
                if length == 1 { break }
                length /= 2
            }
        }
        return shortest
    }
}
