// Order independence and conservation: what the set of events says, whatever way they came.

import Bytes
import Domain
import Engine
import Testing

@Suite struct OrderTests {
    private static let seeds = Array(UInt64(1)...12) + [UInt64.random(in: 0 ... .max)]

    /// Events at different moments, all within the late window.
    private func events(
        _ count: Int, kinds: [EventKind], _ random: inout SeededGenerator
    ) -> [NamedCommand] {
        let times = (0..<Int64(count)).map { testStart - $0 * 60_000 }.shuffled(using: &random)
        return times.enumerated().map { number, time in
            var command = NamedCommand(kind: kinds.randomElement(using: &random) ?? .sale)
            command.sku = ["A", "B"].randomElement(using: &random) ?? "A"
            command.location = ["L0", "L1", "L2"].randomElement(using: &random) ?? "L0"
            command.quantity = Int32.random(in: 1...9, using: &random)
            command.at = time
            command.id = "\(number)"
            if command.kind == .adjust, Bool.random(using: &random) { command.quantity *= -1 }
            if command.kind != .sale {
                command.from = Condition.allCases.randomElement(using: &random) ?? .sellable
                command.to = command.from
            }
            if command.kind == .move {
                let others = Condition.allCases.filter { $0 != command.from }
                command.to = others.randomElement(using: &random) ?? .blocked
            }
            if command.kind == .transfer {
                let others = ["L0", "L1", "L2"].filter { $0 != command.location }
                command.toLocation = others.randomElement(using: &random)
            }
            return command
        }
    }

    private func states(_ fixture: EngineFixture) throws -> [String: [String: Detail.Position]] {
        var states: [String: [String: Detail.Position]] = [:]
        for sku in ["A", "B"] {
            // A position that only ever lost what a count made void may not have come to be.
            states[sku] = try fixture.detail(sku)?.detail.positions.filter {
                $0.value != Detail.Position()
            }
        }
        return states
    }

    /// The state from the definition: the last count, and what moved after it.
    private func defined(_ events: [NamedCommand], _ sku: String, _ location: String)
        -> Detail.Position
    {
        func units(_ condition: Condition) -> Int32 {
            let last = events.filter {
                $0.kind == .count && $0.sku == sku && $0.location == location && $0.to == condition
            }.max { $0.at < $1.at }
            var units = last?.quantity ?? 0
            for event in events where event.sku == sku && event.at > last?.at ?? .min {
                let isHere = event.location == location
                switch event.kind {
                case .receipt, .return, .adjust:
                    if isHere, event.to == condition { units += event.quantity }
                case .sale, .writeOff:
                    if isHere, event.from == condition { units -= event.quantity }
                case .move:
                    if isHere, event.from == condition { units -= event.quantity }
                    if isHere, event.to == condition { units += event.quantity }
                case .transfer:
                    if isHere, event.from == condition { units -= event.quantity }
                    if event.toLocation == location, event.to == condition {
                        units += event.quantity
                    }
                case .count: break
                }
            }
            return units
        }
        return Detail.Position(
            sellable: units(.sellable), returned: units(.returned), damaged: units(.damaged),
            blocked: units(.blocked), safetyStock: 0, free: units(.sellable))
    }

    @Test(arguments: seeds)
    func `the same events in any order, with repeats, end in the same state`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let events = events(60, kinds: EventKind.allCases, &random)
        var expected: [String: [String: Detail.Position]] = ["A": [:], "B": [:]]
        for sku in ["A", "B"] {
            for location in ["L0", "L1", "L2"] {
                let position = defined(events, sku, location)
                if position != Detail.Position() { expected[sku]?[location] = position }
            }
        }
        for round in 0..<6 {
            let fixture = try EngineFixture(EngineFixture.options { $0.shardCount = 1 })
            var sent = (events + events.filter { _ in Bool.random(using: &random) })
            sent.shuffle(using: &random)
            while !sent.isEmpty {
                let count = min(sent.count, Int.random(in: 1...9, using: &random))
                for outcome in try fixture.apply(Array(sent.prefix(count))) {
                    #expect(outcome.verdict == .accepted || outcome == .duplicate)
                }
                sent.removeFirst(count)
            }
            let found = try states(fixture)
            if found != expected {
                Issue.record("seed \(seed), round \(round): \(found) in the place of \(expected)")
                return
            }
        }
    }

    @Test(arguments: seeds)
    func `on hand moves only by physical facts`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let kinds = EventKind.allCases.filter { $0 != .count }
        let fixture = try EngineFixture(EngineFixture.options { $0.policyRowsPerTurn = 1 })
        var expected: Int64 = 0
        for (number, event) in events(150, kinds: kinds, &random).enumerated() {
            // Everything else that the engine is told, in between.
            switch number % 5 {
            case 0:
                try fixture.put(rules: [
                    ModelRule(id: "r", units: nil, basisPoints: Int64(number) * 60)
                ])
            case 1: _ = fixture.adoptSlice()
            case 2:
                try fixture.put(
                    location: "L1", groups: ["G"], isOpen: Bool.random(using: &random))
            case 3: _ = try fixture.apply(.item("A", category: "c\(number)"))
            default: break
            }
            #expect(try fixture.apply(event) == .accepted)
            #expect(try fixture.apply(event) == .duplicate)
            switch event.kind {
            case .receipt, .return, .adjust: expected += Int64(event.quantity)
            case .sale, .writeOff: expected -= Int64(event.quantity)
            case .move, .transfer, .count: break
            }
            var onHand: Int64 = 0
            for sku in ["A", "B"] {
                for position in try fixture.detail(sku)?.detail.positions.values.map({ $0 }) ?? [] {
                    onHand += Int64(position.sellable) + Int64(position.returned)
                    onHand += Int64(position.damaged) + Int64(position.blocked)
                }
            }
            if onHand != expected {
                Issue.record("seed \(seed): \(onHand) in the place of \(expected) after \(event)")
                return
            }
        }
    }
}
