import Bytes
import Domain
import Testing

@Suite struct SafetyStockTests {
    /// The order of the design, most specific first.
    private static let ladder = [
        "sku+location", "sku+group", "sku", "category+location", "category+group", "category",
        "location", "group", "",
    ]

    private func scope(_ text: String) throws -> RuleScope {
        let name = try Identifier("x")
        let goods: RuleScope.Goods =
            text.contains("sku")
            ? .sku(name) : text.contains("category") ? .category(name) : .all
        let place: RuleScope.Place =
            text.contains("location")
            ? .location(name) : text.contains("group") ? .group(name) : .all
        return RuleScope(goods: goods, place: place)
    }

    @Test func `specificity, then priority, then id decide between every two rules`() throws {
        struct Case {
            var step: Int
            var priority: Int32
            var id: String
            var rule: SafetyStockRule
        }
        var cases: [Case] = []
        for (step, text) in Self.ladder.enumerated() {
            for priority in [Int32.min, -1, 0, 7, .max] {
                for id in ["B", "a", "a1", "é"] {
                    let rule = SafetyStockRule(
                        id: try Identifier(id), scope: try scope(text), amount: .units(1),
                        priority: priority)
                    cases.append(Case(step: step, priority: priority, id: id, rule: rule))
                }
            }
        }
        for one in cases {
            for other in cases {
                let expected: Bool
                if one.step != other.step {
                    expected = one.step < other.step
                } else if one.priority != other.priority {
                    expected = one.priority > other.priority
                } else {
                    expected = Array(one.id.utf8).lexicographicallyPrecedes(Array(other.id.utf8))
                }
                if one.rule.precedes(other.rule) != expected {
                    Issue.record("\(one) against \(other)")
                    return
                }
            }
        }
    }

    @Test(
        arguments: [
            (100, 0, 0), (100, 1, 1), (100, 100, 1), (100, 101, 2), (1, 1, 1), (1, 10_000, 1),
            (0, 10_000, 0), (-1, 10_000, 0), (.min, 10_000, 0), (.max, 10_000, .max),
            (.max, 1, 214_749),
            (.max, 9_999, 2_147_268_899), (10_000, 1, 1), (10_001, 1, 2), (10_000, 250, 250),
            (40, 250, 1), (41, 250, 2),
        ] as [(Int32, Int32, Int32)])
    func `a percentage of sellable units rounds up`(
        sellable: Int32, points: Int32, expected: Int32
    ) {
        #expect(SafetyStockAmount.basisPoints(points).units(ofSellable: sellable) == expected)
    }

    @Test func `a percentage is the fewest units that are at least that share`() {
        for points in stride(from: Int32(0), through: 10_000, by: 37) {
            for sellable in Int32(-3)...250 {
                let units = SafetyStockAmount.basisPoints(points).units(ofSellable: sellable)
                let share = Int64(max(0, sellable)) * Int64(points)
                let isFewest = Int64(units) * 10_000 >= share && Int64(units - 1) * 10_000 < share
                if !(isFewest || (share == 0 && units == 0)) {
                    Issue.record("\(points) of \(sellable): \(units)")
                }
            }
        }
    }

    @Test(arguments: [Int32.min, -1, 0, 5, .max])
    func `fixed units do not depend on stock`(sellable: Int32) {
        #expect(SafetyStockAmount.units(3).units(ofSellable: sellable) == 3)
    }

    @Test func `a rule is in force from its beginning until before its end`() throws {
        var rule = SafetyStockRule(
            id: try Identifier("r"), scope: RuleScope(goods: .all, place: .all), amount: .units(1))
        #expect(rule.isInForce(at: .min) && rule.isInForce(at: .max - 1))
        rule.from = 100
        rule.until = 200
        let expected: [(Milliseconds, Bool)] = [
            (99, false), (100, true), (199, true), (200, false),
        ]
        for (time, isInForce) in expected { #expect(rule.isInForce(at: time) == isInForce) }
        rule.until = 100
        #expect(!rule.isInForce(at: 100))
    }

    @Test func `the next boundary is the first moment after now at which a rule changes`() throws {
        func rule(_ from: Milliseconds?, _ until: Milliseconds?) throws -> SafetyStockRule {
            SafetyStockRule(
                id: try Identifier("r"), scope: RuleScope(goods: .all, place: .all),
                amount: .units(1), from: from, until: until)
        }
        let rules = RuleSet(
            version: 1, safetyStock: [try rule(nil, nil), try rule(10, 30), try rule(20, nil)])
        let expected: [(Milliseconds, Milliseconds?)] = [
            (.min, 10), (9, 10), (10, 20), (19, 20), (20, 30), (29, 30), (30, nil),
        ]
        for (now, boundary) in expected { #expect(rules.nextBoundary(after: now) == boundary) }
        #expect(RuleSet().nextBoundary(after: 0) == nil)
    }
}
