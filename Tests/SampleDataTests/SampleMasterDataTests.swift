import Foundation
import SampleData
import Testing

@Suite struct SampleMasterDataTests {
    static let items = Sample.rows(Sample.text(.items))

    /// Retailers of sizes at which something is absent, or just there.
    static let sizes = [
        SampleOptions(), SampleOptions(seed: 2, skuCount: 100, storeCount: 1, eventCount: 50),
        SampleOptions(seed: 3, skuCount: 777, storeCount: 9, eventCount: 500),
        SampleOptions(seed: 4, skuCount: 6000, storeCount: 999, eventCount: 0),
    ]

    @Test func `5,000 items lie in 24 categories`() {
        #expect(Self.items[0] == ["sku", "category", "name"])
        #expect(Self.items.count == 5001)
        #expect(Self.items.allSatisfy { $0.count == 3 && !$0.contains("") })
        #expect(Set(Self.items.dropFirst().map { $0[1] }).count == 24)
    }

    @Test(arguments: sizes)
    func `every SKU is an identifier and no two are the same`(options: SampleOptions) {
        let skus = SampleRetailer(options).items.map(\.sku)
        // As bytes: `String` takes different spellings of one letter for equal.
        #expect(Set(skus.map { Array($0.utf8) }).count == options.skuCount)
        for sku in skus {
            #expect((1...64).contains(sku.utf8.count))
            #expect(sku.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
            #expect(!sku.contains { "\"\\%, ".contains($0) }, "\(sku)")
        }
    }

    @Test func `bar codes have the right check digit and the company's own prefix`() {
        let codes = Self.items.map { Array($0[0].utf8) }.filter { code in
            code.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        #expect(codes.count > 1000)
        for code in codes {
            let digits = code.map { Int($0) - 48 }
            let sum = digits.enumerated().reduce(0) { $0 + $1.element * ($1.offset % 2 * 2 + 1) }
            #expect(digits.count == 13 && digits[0] == 2 && sum % 10 == 0)
        }
    }

    @Test func `some SKUs differ by case alone`() {
        let byCase = Dictionary(grouping: Self.items.map { $0[0] }) { $0.lowercased() }
        let pairs = byCase.values.filter { $0.count == 2 }
        #expect((5...50).contains(pairs.count))
        #expect(byCase.values.allSatisfy { $0.count <= 2 })
    }

    @Test(arguments: ["/", ".", "-"])
    func `some SKUs have a separator`(separator: String) {
        #expect(Self.items.contains { $0[0].contains(separator) })
    }

    @Test(arguments: ["%", "/", "\"", ",", "&", "é", "Ł", "緑"])
    func `some names have what needs care`(text: String) {
        #expect(Self.items.contains { $0[2].contains(text) })
    }

    @Test func `a few SKUs have letters beyond ASCII`() {
        let count = Self.items.count { row in row[0].utf8.contains { $0 >= 0x80 } }
        #expect((10...250).contains(count))
    }

    @Test func `60 stores and three warehouses, two stores closed`() {
        let rows = Sample.rows(Sample.text(.locations))
        #expect(rows[0] == ["location", "kind", "groups", "open", "utc_offset"])
        let stores = rows.filter { $0[1] == "store" }
        let warehouses = rows.filter { $0[1] == "warehouse" }
        #expect(stores.map { $0[0] } == (1...60).map { ($0 < 10 ? "S0" : "S") + "\($0)" })
        #expect(warehouses.map { $0[0] } == ["DC1", "DC2", "DC3"])
        #expect(stores.count { $0[3] == "false" } == 2)
        #expect(warehouses.allSatisfy { $0[3] == "true" })
        #expect(Set(rows.dropFirst().map { $0[4] }) == ["+00:00", "+01:00", "+02:00"])
    }

    @Test(arguments: sizes)
    func `a location names the groups that name it`(options: SampleOptions) throws {
        let retailer = SampleRetailer(options)
        let groups = try Sample.groups(retailer)
        for row in Sample.rows(Sample.text(.locations, of: retailer)).dropFirst() {
            let naming = groups.filter { $0.members.contains(row[0]) }.map(\.name)
            #expect(row[2].split(separator: "|").map(String.init).sorted() == naming.sorted())
        }
    }

    @Test(arguments: sizes)
    func `groups have members that exist and no cycle`(options: SampleOptions) throws {
        let retailer = SampleRetailer(options)
        var known = Set(retailer.locations.map(\.name))
        // Each group comes after its members, so none can contain itself.
        for group in try Sample.groups(retailer) {
            #expect(!group.members.isEmpty)
            #expect(Set(group.members).count == group.members.count)
            #expect(known.isSuperset(of: group.members), "\(group.name)")
            #expect(known.insert(group.name).inserted, "\(group.name)")
        }
        #expect(known.isSuperset(of: ["north", "stores", "dcs", "online", "everywhere"]))
    }

    @Test func `everywhere is every location`() throws {
        let groups = Dictionary(
            uniqueKeysWithValues: try Sample.groups(Sample.retailer).map { ($0.name, $0.members) })
        func locations(_ name: String) -> [String] {
            groups[name].map { $0.flatMap(locations) } ?? [name]
        }
        #expect(
            locations("everywhere").sorted() == Sample.retailer.locations.map(\.name).sorted())
        #expect(Set(locations("online")).isSuperset(of: ["DC1", "DC2", "DC3", "S01"]))
        #expect(locations("online").count < 20)
    }

    @Test func `there are four channels`() {
        let rows = Sample.rows(Sample.text(.channels))
        #expect(rows[0] == ["channel", "default_ttl_seconds"])
        #expect(rows.dropFirst().map { $0[0] } == ["web", "app", "marketplace", "store"])
        #expect(rows.dropFirst().allSatisfy { (1...31_622_400).contains(Int($0[1]) ?? 0) })
    }
}

@Suite struct SampleRulesTests {
    static func rules(_ retailer: SampleRetailer) throws -> [[String: Any]] {
        let document = try Sample.object(Sample.text(.rules, of: retailer))
        #expect(Array(document.keys) == ["safety_stock"])
        return try #require(document["safety_stock"] as? [[String: Any]])
    }

    @Test func `ids are unique and every scope is a set of known names`() throws {
        for options in SampleMasterDataTests.sizes {
            let retailer = SampleRetailer(options)
            let rules = try Self.rules(retailer)
            #expect(Set(rules.compactMap { $0["id"] as? String }).count == rules.count)
            let names = [
                "sku": Set(retailer.items.map(\.sku)),
                "category": Set(SampleMasterDataTests.items.dropFirst().map { $0[1] }),
                "location": Set(retailer.locations.map(\.name)),
                "group": Set(retailer.groups.map(\.name)),
            ]
            for rule in rules {
                let scope = try #require(rule["scope"] as? [String: String])
                for (key, value) in scope {
                    #expect(names[key]?.contains(value) == true, "\(key) \(value)")
                }
            }
        }
    }

    @Test func `every breadth that a rule can have occurs`() throws {
        let scopes = try Self.rules(Sample.retailer).map { rule in
            Set((rule["scope"] as? [String: String] ?? [:]).keys)
        }
        let breadths: [Set<String>] = [
            [], ["group"], ["location"], ["category"], ["category", "group"],
            ["category", "location"], ["sku"], ["sku", "group"], ["sku", "location"],
        ]
        #expect(Set(scopes) == Set(breadths))
    }

    @Test func `a rule sets percent or units, in steps of a hundredth`() throws {
        for rule in try Self.rules(Sample.retailer) {
            let isKnown = Set(rule.keys).isSubset(
                of: ["id", "scope", "percent", "units", "from", "until", "priority"])
            #expect(isKnown)
            #expect((rule["percent"] == nil) != (rule["units"] == nil))
            if let percent = rule["percent"] as? NSNumber {
                // By its shortest text: at most two digits behind the point.
                let digits = "\(percent)".split(separator: ".").dropFirst().first ?? ""
                #expect(digits.count <= 2 && (0...100).contains(percent.doubleValue))
            } else {
                let units = try #require(rule["units"] as? Int)
                #expect(units >= 0)
            }
        }
    }

    @Test func `a rule ends after it begins`() throws {
        let rules = try Self.rules(Sample.retailer)
        let reader = ISO8601DateFormatter()
        var count = 0
        for rule in rules {
            let bounds = try ["from", "until"].map { key in
                try (rule[key] as? String).map { try #require(reader.date(from: $0)) }
            }
            if let from = bounds[0], let until = bounds[1] {
                #expect(from < until)
                count += 1
            }
        }
        #expect(count >= 2)
        #expect(rules.contains { ($0["priority"] as? Int ?? 0) > 0 })
    }
}
