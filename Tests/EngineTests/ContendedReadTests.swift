import Bytes
import Columns
import Domain
import Engine
import Testing

@Suite struct ContendedReadTests {
    /// Makes the SKU's version odd for as long as `body` runs, as an owner that lost its processor
    /// in the middle of a change would.
    private func midChange(
        _ fixture: EngineFixture, _ sku: String, _ body: () throws -> Void
    ) throws {
        let shard = fixture.shard(of: sku)
        let key = fixture.key(sku)
        let id = try #require(
            withUTF8(sku) { fixture.engine.reader(shard).names.id($0, key) })
        fixture.engine.withShard(shard) { $0.positions.beginChange(id) }
        defer { fixture.engine.withShard(shard) { $0.positions.endChange(id) } }
        try body()
    }

    /// Stock at three locations, one of them closed.
    private func stocked() throws -> EngineFixture {
        let fixture = try EngineFixture(EngineFixture.options())
        try fixture.put(location: "L2", groups: ["G"], isOpen: false)
        try fixture.put(group: "G", members: ["L1"])
        for (number, sku) in ["A", "B", "C"].enumerated() {
            for location in 0..<3 {
                let quantity = Int32(number * 100 + location + 1)
                _ = try fixture.apply(.event(.receipt, quantity, sku, at: "L\(location)"))
            }
        }
        fixture.adoptAll()
        return fixture
    }

    @Test(arguments: [
        EngineFixture.Scope.everywhere, .group("G"), .places(["L1", "L0", "L1"]), .places(["L0"]),
    ])
    func `an item amid a change is contended, the others are answered, its owner answers it`(
        scope: EngineFixture.Scope
    ) throws {
        let fixture = try stocked()
        let expected = fixture.query(["A", "B", "C"], scope)
        #expect(expected.allSatisfy { $0.status == .answered && $0.available > 0 })

        let query = UnsafeMutablePointer<AvailabilityQuery>.allocate(capacity: 1)
        unsafe query.initialize(to: AvailabilityQuery())
        defer {
            unsafe query.deinitialize(count: 1)
            unsafe query.deallocate()
        }
        var text = ByteBuffer()
        unsafe query.pointee.wantsLocations = true
        for sku in ["A", "B", "C"] { unsafe fixture.ask(&query.pointee, &text, sku, scope) }
        try midChange(fixture, "B") {
            let isContended = unsafe query.pointee.run(fixture.engine, fixture.policy, text.span)
            #expect(isContended)
            let statuses = (0..<3).map { unsafe query.pointee.items[$0].status }
            #expect(statuses == [.answered, .contended, .answered])
            for index in [0, 2] {
                let found = unsafe fixture.answer(query.pointee, index)
                #expect(found == expected[index])
            }
        }

        let batch = try fixture.takeBatch()
        batch.withBatch { batch in
            batch.task = .read
            batch.shard = fixture.shard(of: "B")
            batch.query = UInt64(UInt(bitPattern: query))
        }
        try fixture.exchange(batch) { _ in }
        for index in 0..<3 {
            let found = unsafe fixture.answer(query.pointee, index)
            #expect(found == expected[index])
        }
    }

    @Test func `an owner answers only the items of its own shard`() throws {
        let fixture = try stocked()
        let skus = (0..<16).map { "X\($0)" }
        for sku in skus { _ = try fixture.apply(.event(.receipt, 7, sku)) }
        let mine = try #require(skus.first { fixture.shard(of: $0) == 0 })
        let other = try #require(skus.first { fixture.shard(of: $0) == 1 })
        var query = AvailabilityQuery()
        var text = ByteBuffer()
        fixture.ask(&query, &text, mine, .everywhere)
        fixture.ask(&query, &text, other, .everywhere)
        try midChange(fixture, mine) {
            try midChange(fixture, other) {
                let isContended = query.run(fixture.engine, fixture.policy, text.span)
                #expect(isContended)
            }
        }
        query.readContended(shard: 1, fixture.engine, fixture.policy)
        #expect(query.items[0].status == .contended)
        #expect(query.items[1].status == .answered)
        #expect(query.items[1].available == 7)
        query.readContended(shard: 0, fixture.engine, fixture.policy)
        #expect(query.items[0].status == .answered)
        #expect(query.items[0].available == 7)
    }

    @Test func `a reference amid a change is answered, and none is found`() throws {
        let fixture = try stocked()
        let reference = try reference(fixture, "B", "L0")
        try midChange(fixture, "B") {
            let (answer, stale) = read(reference, fixture)
            #expect(answer == 101 && stale == 0)
            let again = withUTF8("B") { sku in
                withUTF8("L0") { fixture.engine.reference(sku: sku, location: $0) }
            }
            #expect(again == nil)
        }
        #expect(fixture.byReference("B", "L0") == 101)
    }

    @Test func `a reference from before its shard grew is read under its run's version`() throws {
        let fixture = try stocked()
        let reference = try reference(fixture, "B", "L0")
        let neighbour = try #require(
            (0..<100).map { "N\($0)" }.first { fixture.shard(of: $0) == fixture.shard(of: "B") })
        _ = try fixture.apply(.event(.receipt, 7, neighbour, at: "L0"))
        _ = try fixture.apply(.event(.receipt, 9, "B", at: "L0"))
        let (answer, stale) = read(reference, fixture)
        #expect(answer == 110 && stale == 0)
        try midChange(fixture, "B") {
            let (answer, stale) = read(reference, fixture)
            #expect(answer == -1 && stale == 1)
        }
    }

    private func reference(
        _ fixture: EngineFixture, _ sku: String, _ location: String
    ) throws -> PositionReference {
        try #require(
            withUTF8(sku) { sku in
                withUTF8(location) { fixture.engine.reference(sku: sku, location: $0) }
            })
    }

    private func read(
        _ reference: PositionReference, _ fixture: EngineFixture
    ) -> (answer: Int32, staleCount: Int) {
        var answers: [Int32] = [-2]
        var span = answers.mutableSpan
        let stale = fixture.engine.availableToPromise(
            [reference].span, fixture.policy, into: &span)
        return (answers[0], stale)
    }

    @Test func `a reference is out of date once its SKU has another position`() throws {
        let fixture = try stocked()
        let reference = try reference(fixture, "B", "L1")
        _ = try fixture.apply(.event(.receipt, 1, "B", at: "L9"))
        var answers: [Int32] = [-2, -2]
        var span = answers.mutableSpan
        let stale = fixture.engine.availableToPromise(
            [reference, reference].span, fixture.policy, into: &span)
        #expect(stale == 2 && answers == [-1, -1])
        #expect(fixture.byReference("B", "L1") == 102)
        #expect(fixture.byReference("B", "L2") == 0, "closed")
    }
}
