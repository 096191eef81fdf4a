// The safety-stock rules in force at one moment, compiled so that the winner for a position is one
// look-up: by category (or none) and location. SKUs with rules of their own are looked up by name.

package import Bytes
package import Domain

/// Which rule wins where; immutable, shared by all shards.
@safe
package final class SafetyStockTable: @unchecked Sendable {
    // Row r of the matrix: winners by location for category row r; row 0 is "no such rules".
    // Written in `init` only.
    private let matrix: UnsafeMutablePointer<SafetyStockAmount>
    private let rowOfCategory: [UInt16]
    private let stride: Int
    private let rulesBySKU: [Identifier: [SafetyStockRule]]
    private let places: [LocationPlaces]

    /// No rule is in force anywhere.
    package let isEmpty: Bool

    /// What a location is, for rules: its name and all groups it belongs to, directly or not.
    package struct LocationPlaces: Sendable {
        package var name: Identifier
        package var groups: Set<Identifier>

        package init(name: Identifier, groups: Set<Identifier>) {
            self.name = name
            self.groups = groups
        }

        func isIn(_ place: RuleScope.Place) -> Bool {
            switch place {
            case .location(let location): location == name
            case .group(let group): groups.contains(group)
            case .all: true
            }
        }
    }

    /// Compiles the rules in force at `now`.
    ///
    /// - Parameters:
    ///   - locations: By location id.
    ///   - categories: By category id.
    /// - Complexity: O(rules × locations).
    package init(
        _ rules: RuleSet, now: Milliseconds, locations: [LocationPlaces], categories: [Identifier]
    ) {
        let inForce = rules.safetyStock.filter { $0.isInForce(at: now) }
            .sorted { $0.precedes($1) }
        var general: [SafetyStockRule] = []
        var byCategory: [Identifier: [SafetyStockRule]] = [:]
        var bySKU: [Identifier: [SafetyStockRule]] = [:]
        for rule in inForce {
            switch rule.scope.goods {
            case .all: general.append(rule)
            case .category(let category): byCategory[category, default: []].append(rule)
            case .sku(let sku): bySKU[sku, default: []].append(rule)
            }
        }
        isEmpty = inForce.isEmpty
        rulesBySKU = bySKU
        places = locations
        // One column more: a location that came after this table was compiled has no rules of its
        // own yet, so what applies everywhere applies to it.
        stride = locations.count + 1
        func winner(_ rules: [SafetyStockRule], at location: Int) -> SafetyStockAmount? {
            rules.first { rule in
                location < locations.count
                    ? locations[location].isIn(rule.scope.place) : rule.scope.place == .all
            }?.amount
        }
        var rowOfCategory = [UInt16](repeating: 0, count: categories.count)
        var rows: [[SafetyStockRule]] = [[]]
        for (id, category) in categories.enumerated() {
            guard let rules = byCategory[category] else { continue }
            rowOfCategory[id] = UInt16(rows.count)
            rows.append(rules)
        }
        self.rowOfCategory = rowOfCategory
        unsafe matrix = .allocate(capacity: rows.count * stride)
        for (row, rules) in rows.enumerated() {
            for location in 0..<stride {
                let amount =
                    winner(rules, at: location) ?? winner(general, at: location) ?? .units(0)
                unsafe (matrix + row * stride + location).initialize(to: amount)
            }
        }
    }

    deinit { unsafe matrix.deallocate() }

    /// Whether a rule in force names this SKU.
    package func namesSKU(_ name: Span<UInt8>) -> Bool {
        if rulesBySKU.isEmpty { return false }
        guard let sku = try? Identifier(name) else { return false }
        return rulesBySKU[sku] != nil
    }

    /// The winner for a SKU without rules of its own.
    ///
    /// - Parameter category: Id plus one; 0 is none.
    package func amount(category: UInt16, location: UInt16) -> SafetyStockAmount {
        let row =
            category > 0 && Int(category) <= rowOfCategory.count
            ? Int(rowOfCategory[Int(category) - 1]) : 0
        return unsafe matrix[row * stride + min(Int(location), stride - 1)]
    }

    /// The winner for a SKU that rules name.
    package func amount(
        sku: Span<UInt8>, category: UInt16, location: UInt16
    ) -> SafetyStockAmount {
        if let name = try? Identifier(sku), let rules = rulesBySKU[name] {
            let own = rules.first { rule in
                Int(location) < places.count
                    ? places[Int(location)].isIn(rule.scope.place) : rule.scope.place == .all
            }
            if let own { return own.amount }
        }
        return amount(category: category, location: location)
    }
}
