// Safety stock: units never promised, set by rule for each position.
//
// For each position one rule wins: the most specific scope, then the highest priority, then the
// first id in byte order. Specificity counts down in this order:
//
//     sku+location  sku+group  sku  category+location  category+group  category  location  group  –

package import Bytes

/// Where a rule applies. At most one of SKU and category, at most one of location and group.
package struct RuleScope: Equatable, Sendable {
    package enum Goods: Equatable, Sendable {
        case sku(Identifier)
        case category(Identifier)
        case all
    }
    package enum Place: Equatable, Sendable {
        case location(Identifier)
        case group(Identifier)
        case all
    }

    package var goods: Goods
    package var place: Place

    package init(goods: Goods, place: Place) {
        self.goods = goods
        self.place = place
    }

    /// The rank in the order above; 0 is the most specific.
    package var rank: Int {
        let goodsRank =
            switch goods {
            case .sku: 0
            case .category: 1
            case .all: 2
            }
        let placeRank =
            switch place {
            case .location: 0
            case .group: 1
            case .all: 2
            }
        return goodsRank * 3 + placeRank
    }
}

/// How much a rule withholds.
@usableFromInline
package enum SafetyStockAmount: Equatable, Sendable {
    /// A fixed number of units, at least 0.
    case units(Int32)
    /// Hundredths of a percent of sellable units, 0 ... 10,000.
    case basisPoints(Int32)

    /// Units withheld of `sellable`: a percentage rounds up, and takes nothing of what is missing.
    @inlinable
    package func units(ofSellable sellable: Int32) -> Int32 {
        switch self {
        case .units(let units): return units
        case .basisPoints(let points):
            // At most (2³¹−1)·10⁴ + 9,999: fits Int64; the quotient is at most `sellable`.
            let scaled = Int64(max(0, sellable)) &* Int64(points) &+ 9999
            return Int32(truncatingIfNeeded: scaled / 10_000)
        }
    }
}

/// One rule of the `safety_stock` list.
package struct SafetyStockRule: Equatable, Sendable {
    package var id: Identifier
    package var scope: RuleScope
    package var amount: SafetyStockAmount
    /// In force from this moment (included) until that (excluded); nil is without bound.
    package var from: Milliseconds?
    package var until: Milliseconds?
    package var priority: Int32

    package init(
        id: Identifier, scope: RuleScope, amount: SafetyStockAmount, from: Milliseconds? = nil,
        until: Milliseconds? = nil, priority: Int32 = 0
    ) {
        self.id = id
        self.scope = scope
        self.amount = amount
        self.from = from
        self.until = until
        self.priority = priority
    }

    package func isInForce(at now: Milliseconds) -> Bool {
        (from ?? .min) <= now && now < (until ?? .max)
    }

    /// Whether this rule beats `other` where both apply.
    package func precedes(_ other: SafetyStockRule) -> Bool {
        if scope.rank != other.scope.rank { return scope.rank < other.scope.rank }
        if priority != other.priority { return priority > other.priority }
        return id < other.id
    }
}

/// A checked rule document.
package struct RuleSet: Equatable, Sendable {
    /// Counts the accepted documents, from 1; 0 is the empty set at start.
    package var version: UInt64
    package var safetyStock: [SafetyStockRule]

    package init(version: UInt64 = 0, safetyStock: [SafetyStockRule] = []) {
        self.version = version
        self.safetyStock = safetyStock
    }

    /// The first moment after `now` at which a rule comes into force or ends; nil when none does.
    package func nextBoundary(after now: Milliseconds) -> Milliseconds? {
        safetyStock.flatMap { [$0.from, $0.until] }.compactMap { $0 }.filter { $0 > now }.min()
    }
}
