import Bytes
import Domain
import Platform
import Synchronization
import Testing

@testable import Engine
@testable import EngineTests
@testable import Snapshot

@Suite struct EquivalenceTests {
    static let seeds = Array(UInt64(1)...25) + [UInt64.random(in: 0 ... .max)]

    /// The twin stops where the freeze is, so it is what the snapshot must be.
    @Test(arguments: seeds)
    func `what is loaded is what was frozen, and goes on as it would have`(seed: UInt64) throws {
        let history = History(seed: seed, stepCount: 300)
        var random = SeededGenerator(seed: ~seed)
        let cut = Int.random(in: 0...history.steps.count, using: &random)
        let end = Int.random(in: cut...history.steps.count, using: &random)
        let (before, after) = (history.steps[..<cut], history.steps[cut...])
        let twin = try EngineFixture(history.options)
        _ = try twin.play(before)

        let original = try EngineFixture(history.options)
        _ = try original.play(before)
        let shards = original.freeze()
        let master = original.engine.master.freeze().master
        let time = original.now
        _ = try original.play(history.steps[cut..<end])
        let folder = try SnapshotFolder()
        try original.write(shards, master, in: folder.path)
        original.thaw()

        let loaded = try EngineFixture.loaded(from: folder, history.options, now: time)
        if let difference = try loaded.difference(from: twin, history) {
            Issue.record("seed \(seed), frozen at \(cut): \(difference)")
            return
        }
        #expect(try loaded.play(after) == twin.play(after), "seed \(seed), frozen at \(cut)")
        #expect(try loaded.difference(from: twin, history) == nil, "seed \(seed), at the end")
        let repeats = history.steps.filter { if case .command = $0 { true } else { false } }
        #expect(try loaded.play(repeats[...]) == twin.play(repeats[...]), "seed \(seed), repeats")
        #expect(try loaded.difference(from: twin, history) == nil, "seed \(seed), repeats")
    }

    @Test(arguments: seeds.suffix(4))
    func `a crowded history is loaded as it was`(seed: UInt64) throws {
        let history = History(seed: seed, stepCount: 1200, isCrowded: true)
        let fixture = try EngineFixture(history.options)
        _ = try fixture.play(history.steps[...])
        let folder = try SnapshotFolder()
        try fixture.snapshot(in: folder.path)
        let loaded = try EngineFixture.loaded(from: folder, history.options, now: fixture.now)
        #expect(try loaded.difference(from: fixture, history) == nil, "seed \(seed)")
        let repeats = history.steps.filter { if case .command = $0 { true } else { false } }
        #expect(try loaded.play(repeats[...]) == fixture.play(repeats[...]), "seed \(seed)")
        #expect(try loaded.difference(from: fixture, history) == nil, "seed \(seed)")
    }

    @Test(arguments: seeds.prefix(5))
    func `the snapshot of what was loaded is the snapshot that it was loaded from`(
        seed: UInt64
    ) throws {
        var history = History(seed: seed, stepCount: 300)
        // Rules that are brought in are changes, which a SKU counts.
        history.steps.removeAll { if case .rules = $0 { true } else { false } }
        history.steps.removeAll { if case .group = $0 { true } else { false } }
        history.steps.removeAll { if case .location = $0 { true } else { false } }
        let fixture = try EngineFixture(history.options)
        _ = try fixture.play(history.steps[...])
        let folder = try SnapshotFolder()
        let first = try fixture.snapshot(in: folder.path)
        let loaded = try EngineFixture.loaded(from: folder, history.options, now: fixture.now)
        for sku in history.skus {
            #expect(try loaded.detail(sku)?.version == fixture.detail(sku)?.version)
        }
        let second = try loaded.snapshot(in: folder.path)
        #expect(second.number == first.number + 1)
        #expect(second.files.filter { !first.files.contains($0) } == [])
        #expect(second.versions == first.versions)
    }

    @Test func `a second freeze is of the second state, and the first snapshot of the first`()
        throws
    {
        let history = History(seed: 7, stepCount: 400)
        let fixture = try EngineFixture(history.options)
        let twin = try EngineFixture(history.options)
        let folder = try SnapshotFolder()
        let middle = history.steps.count / 2
        _ = try fixture.play(history.steps[..<middle])
        _ = try twin.play(history.steps[..<middle])
        try fixture.snapshot(in: folder.path)
        _ = try fixture.play(history.steps[middle...])
        try fixture.snapshot(in: folder.path)
        let newest = try EngineFixture.loaded(from: folder, history.options, now: fixture.now)
        #expect(try newest.difference(from: fixture, history) == nil)
        let older = try EngineFixture(history.options)
        older.now = twin.now
        try folder.reader.open(1).load(into: older.engine, now: twin.now)
        #expect(try older.difference(from: twin, history) == nil)
    }

    @Test func `an item that was told without words is no change when told again`() throws {
        let options = EngineFixture.options { options in
            options.shardCount = 1
            options.keepsFacts = true
        }
        let fixture = try EngineFixture(options)
        _ = try fixture.apply(.item("told", category: nil))
        _ = try fixture.apply(.event(.receipt, 1, "stock alone"))
        let folder = try SnapshotFolder()
        try fixture.snapshot(in: folder.path)
        let loaded = try EngineFixture.loaded(from: folder, options, now: fixture.now)
        for fixture in [fixture, loaded] {
            let before = fixture.engine.withShard(0) { $0.keptFacts.count }
            for sku in ["told", "stock alone"] {
                #expect(try fixture.apply(.item(sku, category: nil)) == .accepted)
            }
            #expect(fixture.engine.withShard(0) { $0.keptFacts.count } == before)
        }
    }

    @Test(arguments: seeds.prefix(6))
    func `another thread writes what was frozen while commands go on`(seed: UInt64) throws {
        let history = History(seed: seed, stepCount: 1000, isCrowded: true)
        let cut = history.steps.count / 2
        let twin = try EngineFixture(history.options)
        let original = try EngineFixture(history.options)
        _ = try twin.play(history.steps[..<cut])
        _ = try original.play(history.steps[..<cut])
        let folder = try SnapshotFolder()
        let path = folder.path
        let shards = original.freeze()
        let master = original.engine.master.freeze().master
        let (engine, policy, now) = (original.engine, original.policy, original.now)
        let ending = Ending()
        let thread = try Thread.start(name: "snapshot") {
            ending.run {
                let writer = EngineFixture(sharing: engine, policy)
                writer.now = now
                try writer.write(shards, master, in: path)
            }
        }
        var rounds = 0
        while !ending.isDone || rounds == 0 {
            _ = try original.play(history.steps[cut...])
            rounds += 1
        }
        thread.join()
        original.thaw()
        #expect(ending.text == nil)
        let loaded = try EngineFixture.loaded(from: folder, history.options, now: now)
        #expect(try loaded.difference(from: twin, history) == nil, "seed \(seed)")
    }
}

/// How another thread ended.
private final class Ending: Sendable {
    private let failure = Mutex<String?>(nil)
    private let done = Atomic<Bool>(false)

    var isDone: Bool { done.load(ordering: .acquiring) }
    var text: String? { failure.withLock { $0 } }

    func run(_ body: () throws -> Void) {
        do { try body() } catch { failure.withLock { $0 = "\(error)" } }
        done.store(true, ordering: .releasing)
    }
}
