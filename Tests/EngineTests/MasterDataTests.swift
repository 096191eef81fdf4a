import Bytes
import Columns
import Domain
import Engine
import Platform
import Testing

@Suite struct MasterDataTests {
    private func rule(
        _ units: Int32, from: Milliseconds? = nil, until: Milliseconds? = nil,
        location: String? = nil, group: String? = nil, id: String = "r"
    ) throws -> SafetyStockRule {
        var place = RuleScope.Place.all
        if let location { place = .location(try Identifier(location)) }
        if let group { place = .group(try Identifier(group)) }
        return SafetyStockRule(
            id: try Identifier(id), scope: RuleScope(goods: .all, place: place),
            amount: .units(units), from: from, until: until)
    }

    private func safetyStock(_ fixture: EngineFixture, _ location: String = "L0") throws -> Int32? {
        try fixture.detail("A")?.detail.positions[location]?.safetyStock
    }

    @Test func `a rule comes into force and ends at its times`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        _ = try fixture.apply(.event(.receipt, 10))
        _ = try fixture.engine.master.put(
            rules: [try rule(4, from: testStart + 100, until: testStart + 200)])
        for (time, expected) in [(0, 0), (99, 0), (100, 4), (199, 4), (200, 0)] {
            fixture.now = testStart + Int64(time)
            fixture.adoptAll()
            #expect(try safetyStock(fixture) == Int32(expected), "after \(time) ms")
        }
    }

    @Test func `a change of locations in the moment of a boundary does not hide it`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        _ = try fixture.apply(.event(.receipt, 10))
        _ = try fixture.engine.master.put(rules: [try rule(4, from: testStart + 100)])
        fixture.adoptAll()
        fixture.now = testStart + 100
        // The policy is compiled anew for the open flag before anybody looks at the clock.
        _ = try fixture.engine.master.put(
            locations: [Location(name: try Identifier("L1"), isOpen: false)])
        fixture.adoptAll()
        #expect(try safetyStock(fixture) == 4)
    }

    @Test func `several reactors that pass one boundary compile one policy`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        let master = fixture.engine.master
        _ = try master.put(rules: [try rule(4, from: testStart + 100)])
        fixture.refreshPolicy()
        let before = fixture.policy
        let now = testStart + 100
        master.advance(to: now, past: before.nextBoundary)
        let first = master.policy(now: now)
        master.advance(to: now, past: before.nextBoundary)
        let second = master.policy(now: now)
        #expect(first.generation == before.generation + 1)
        #expect(second === first)
    }

    @Test func `a location that a rule names gets its rule when it comes into being`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        _ = try fixture.engine.master.put(
            rules: [try rule(1, id: "all"), try rule(4, location: "L7", id: "seven")])
        fixture.adoptAll()
        _ = try fixture.apply(.event(.receipt, 10, at: "L7"))
        fixture.adoptAll()
        #expect(try safetyStock(fixture, "L7") == 4)
    }

    @Test func `a location that a group names gets the group's rule when it comes into being`()
        throws
    {
        let fixture = try EngineFixture(EngineFixture.options())
        _ = try fixture.engine.master.put(rules: [try rule(4, group: "outer")])
        _ = try fixture.engine.master.put(groups: [
            Group(name: try Identifier("outer"), members: [try Identifier("inner")]),
            Group(name: try Identifier("inner"), members: [try Identifier("L7")]),
        ])
        fixture.adoptAll()
        _ = try fixture.apply(.event(.receipt, 10, at: "L7"))
        fixture.adoptAll()
        #expect(try safetyStock(fixture, "L7") == 4)
        #expect(fixture.query(["A"], .group("outer"))[0].available == 6)
    }

    @Test func `another location that no rule names changes no policy`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        _ = try fixture.engine.master.put(rules: [try rule(4, location: "L7")])
        fixture.adoptAll()
        let generation = fixture.engine.master.generation
        _ = try fixture.apply(.event(.receipt, 10, at: "L8"))
        #expect(fixture.engine.master.generation == generation)
    }

    @Test func `a document that names too many channels changes nothing`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        let master = fixture.engine.master
        let web = Channel(name: try Identifier("web"), defaultTTLSeconds: 60)
        let version = try master.put(channels: [web])
        var many = [Channel(name: web.name, defaultTTLSeconds: 900)]
        for number in 0..<MasterData.channelCountMax {
            many.append(Channel(name: try Identifier("c\(number)")))
        }
        #expect(throws: MasterDataRefusal.self) { try master.put(channels: many) }
        #expect(master.channels.version == version)
        #expect(master.channels.value.count == 1)
        #expect(master.channels.value.first == web)
        #expect(try master.put(channels: Array(many.dropLast())) > version)
    }

    @Test func `a document that names too many locations changes nothing`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        let master = fixture.engine.master
        let store = Location(name: try Identifier("S"), isOpen: false)
        let version = try master.put(locations: [store])
        let generation = master.generation
        var many = [Location(name: store.name, isOpen: true)]
        for number in 0..<MasterData.locationCountMax {
            many.append(Location(name: try Identifier("l\(number)")))
        }
        #expect(throws: MasterDataRefusal.self) { try master.put(locations: many) }
        #expect(master.locations.version == version)
        #expect(master.locations.value.count == 1)
        #expect(master.locations.value.first == store)
        #expect(master.generation == generation)
    }

    @Test func `documents read back as they were put, with a higher version`() throws {
        let master = try EngineFixture(EngineFixture.options()).engine.master
        let group = Group(name: try Identifier("g"), members: [try Identifier("S")])
        let other = Group(name: try Identifier("a"), members: [])
        let store = Location(
            name: try Identifier("S"), kind: .warehouse, groups: [try Identifier("g")],
            isOpen: false, utcOffsetMinutes: 60)
        let web = Channel(name: try Identifier("web"), defaultTTLSeconds: 60)
        let rule = try rule(3, group: "g")
        #expect(master.rules.version == 0 && master.rules.value.safetyStock.isEmpty)
        #expect(try master.put(groups: [group, other]) == master.groups.version)
        #expect(try master.put(locations: [store]) == master.locations.version)
        #expect(try master.put(channels: [web]) == master.channels.version)
        #expect(try master.put(rules: [rule], expecting: 0) == 1)
        #expect(master.groups.value == [other, group], "sorted by name")
        #expect(master.locations.value == [store])
        #expect(master.channels.value == [web])
        #expect(master.rules.value == RuleSet(version: 1, safetyStock: [rule]))
        #expect(throws: MasterDataRefusal.self) { try master.put(rules: [], expecting: 0) }
        #expect(try master.put(rules: [], expecting: 1) == 2)
    }

    @Test func `a name that is added again keeps its id`() throws {
        let master = try EngineFixture(EngineFixture.options()).engine.master
        func add(_ name: String) throws -> [UInt16] {
            try [
                withUTF8(name) { (bytes) throws(MasterDataRefusal) in
                    try master.addLocation(bytes)
                },
                withUTF8(name) { (bytes) throws(MasterDataRefusal) in
                    try master.addChannel(bytes)
                },
                withUTF8(name) { (bytes) throws(MasterDataRefusal) in
                    try master.addCategory(bytes)
                },
            ]
        }
        #expect(try add("one") == [0, 0, 0])
        #expect(try add("two") == [1, 1, 1])
        #expect(try add("one") == [0, 0, 0])
        #expect(master.locations.value.map(\.name.description) == ["one", "two"])
        #expect(master.channels.value.map(\.name.description) == ["one", "two"])
    }

    @Test func `a change based on another version is refused`() throws {
        let fixture = try EngineFixture(EngineFixture.options())
        let master = fixture.engine.master
        let location = Location(name: try Identifier("S"))
        let version = try master.put(locations: [location], expecting: 0)
        do throws(MasterDataRefusal) {
            _ = try master.put(locations: [location], expecting: version + 1)
            Issue.record("a stale change was taken")
        } catch {
            guard case .versionMismatch(let current) = error else {
                Issue.record("refused as \(error)")
                return
            }
            #expect(current == version)
        }
    }

    @Test func `groups that contain themselves are refused, and no others`() throws {
        let names = ["a", "b", "c"]
        let fixture = try EngineFixture(EngineFixture.options())
        for edges in 0..<512 {
            func contains(_ outer: Int, _ inner: Int) -> Bool {
                edges >> (outer * 3 + inner) & 1 != 0
            }
            var reach = (0..<3).map { outer in (0..<3).map { contains(outer, $0) } }
            for middle in 0..<3 {
                for outer in 0..<3 where reach[outer][middle] {
                    for inner in 0..<3 where reach[middle][inner] { reach[outer][inner] = true }
                }
            }
            let hasCycle = (0..<3).contains { reach[$0][$0] }
            let groups = try names.indices.map { outer in
                Group(
                    name: try Identifier(names[outer]),
                    members: try names.indices.filter { contains(outer, $0) }
                        .map { try Identifier(names[$0]) } + [try Identifier("L0")])
            }
            var isRefused = false
            do throws(MasterDataRefusal) {
                _ = try fixture.engine.master.put(groups: groups)
            } catch { isRefused = true }
            if isRefused != hasCycle { Issue.record("edges \(edges): refused \(isRefused)") }
        }
    }
}
