// Where it is sold: stores in five regions, three warehouses, and the groups they form.

/// A store or a warehouse.
package struct SampleLocation: Sendable {
    package let name: String
    package let isWarehouse: Bool
    package let isOpen: Bool

    let size: Size

    /// The group of its region; nil for a warehouse.
    let region: String?

    /// How much it sells, against other stores or other warehouses.
    let weight: Int

    /// As in RFC 3339: `+01:00`.
    let utcOffset: String

    enum Size {
        case flagship, large, medium, small, warehouse

        /// How much of a category it keeps, in thousandths.
        var depth: Int {
            switch self {
            case .flagship: 950
            case .large: 760
            case .medium: 520
            case .small: 300
            case .warehouse: 1000
            }
        }

        /// How much it sells, against a store of another size.
        var weight: Int {
            switch self {
            case .flagship: 20
            case .large: 12
            case .medium: 6
            case .small: 3
            case .warehouse: 0
            }
        }
    }
}

/// A named set of locations and groups.
package struct SampleGroup: Sendable {
    package let name: String
    package let members: [String]
}

extension SampleLocation {
    /// Region and offset from UTC in November.
    private static let regions = [
        ("north", "+01:00"), ("west", "+00:00"), ("centre", "+01:00"), ("south", "+01:00"),
        ("east", "+02:00"),
    ]

    /// The stores, region by region, then the warehouses.
    static func network(_ options: SampleOptions) -> [SampleLocation] {
        var random = SampleRandom(seed: options.seed, .locations)
        let count = options.storeCount
        let width = max(2, "\(count)".count)
        // Two closed for refitting, where there are stores enough.
        let closed = count < 10 ? [] : [count * 3 / 10, count * 7 / 10]
        let stores = (0..<count).map { index in
            let region = regions[index * regions.count / count]
            let size = index == 0 ? .flagship : randomSize(&random)
            return SampleLocation(
                name: "S" + padded(index + 1, width: width), isWarehouse: false,
                isOpen: !closed.contains(index), size: size, region: region.0, weight: size.weight,
                utcOffset: region.1)
        }
        let warehouses = (0..<SampleOptions.warehouseCount).map { index in
            SampleLocation(
                name: "DC\(index + 1)", isWarehouse: true, isOpen: true, size: .warehouse,
                region: nil, weight: [5, 3, 2][index], utcOffset: "+01:00")
        }
        return stores + warehouses
    }

    private static func randomSize(_ random: inout SampleRandom) -> Size {
        switch random.below(100) {
        case 0..<8: .flagship
        case 8..<30: .large
        case 30..<70: .medium
        default: .small
        }
    }

    private static func padded(_ number: Int, width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: width - digits.count) + digits
    }
}

extension SampleGroup {
    /// The groups over `locations`, each named before it is a member of another.
    static func all(over locations: [SampleLocation]) -> [SampleGroup] {
        let stores = locations.filter { !$0.isWarehouse }
        var groups: [SampleGroup] = []
        for store in stores where groups.last?.name != store.region {
            guard let region = store.region else { continue }
            let members = stores.filter { $0.region == region }.map(\.name)
            groups.append(SampleGroup(name: region, members: members))
        }
        let coast = groups.map(\.name).filter { $0 == "north" || $0 == "west" }
        let warehouses = locations.filter(\.isWarehouse).map(\.name)
        let shipping = stores.filter(\.isShipping).map(\.name)
        return groups + [
            SampleGroup(name: "coast", members: coast),
            SampleGroup(name: "stores", members: stores.map(\.name)),
            SampleGroup(name: "dcs", members: warehouses),
            SampleGroup(name: "online", members: ["dcs"] + shipping),
            SampleGroup(name: "everywhere", members: ["stores", "dcs"]),
        ]
    }
}

extension SampleLocation {
    /// Whether online orders are sent from this store.
    var isShipping: Bool { isOpen && size == .flagship }
}
