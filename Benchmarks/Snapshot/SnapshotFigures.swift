// A snapshot of a store: its size, how fast it is written and loaded, and what the owner of the
// shards notices while it is written.

import Columns
import Engine
import Foundation
import Platform
import Snapshot

extension Benchmark {
    func measureSnapshot(_ world: World) throws {
        let folder = NSTemporaryDirectory() + "holdfast-bench-snapshot-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try measureSnapshot(world, folder, "imported", bytesMax: 4)
        // As many random events as there are positions.
        for round in 1..<max(1, world.layout.positionCount / eventCount) {
            _ = randomEvents(world, round)
        }
        let events = randomEvents(world, 0)
        try measureSnapshot(world, folder, "after events", bytesMax: 8)
        try measureWriters(world, events, folder)
    }

    /// Events at random positions, other ones for each number, applied once.
    private func randomEvents(_ world: World, _ number: Int) -> EventRounds {
        let sample = world.layout.samplePositions(
            eventCount, .uniform, seed: Self.seed &+ 5 &+ UInt64(number) << 8)
        let events = EventRounds(world, sample, firstID: world.takeIDs())
        events.renew()
        _ = events.round()
        return events
    }

    private func measureSnapshot(
        _ world: World, _ folder: String, _ state: String, bytesMax: Int
    ) throws {
        let count = world.layout.positionCount
        let total = world.engine.totalAvailable()
        let shape = "\(state), \(world.layout.shape.rawValue)"
        func add(_ name: String, _ unit: String, _ values: [Double], goal: String? = nil) {
            report.add(
                Figure(
                    name, positions: count, shape: shape, unit: unit, Spread(values),
                    checksum: UInt64(bitPattern: total), goal: goal))
        }
        var writeRates: [Double] = []
        var manifest: Manifest?
        for _ in 0..<min(3, options.repeatCount) {
            let start = Clock.threadNanoseconds
            manifest = try world.snapshot(in: folder)
            writeRates.append(positionRate(count, since: start))
        }
        guard let manifest else { return }
        let tables = Dictionary(grouping: manifest.files) { $0.name.prefix { $0 != "/" } }
        // What is remembered grows with the ids, of which 12 bytes each are random, not with positions.
        var sum = 0.0
        for (table, files) in tables.sorted(by: { $0.key < $1.key }) {
            let bytes = Double(files.reduce(0) { $0 + $1.bytes }) / Double(count)
            if table != "remembered" { sum += bytes }
            if bytes >= 0.005 { add("\(table) size", "bytes/position", [bytes]) }
        }
        add("size without ids", "bytes/position", [sum], goal: "<= \(bytesMax)")
        add("snap. write", "positions/s", writeRates)
        var loadRates: [Double] = []
        for _ in 0..<options.repeatCount {
            let (engine, rate) = try world.load(from: folder)
            loadRates.append(rate)
            check(engine.totalAvailable() == total, "what was loaded is not what was written")
        }
        // Shards are loaded side by side and share nothing, so two processors make it 10M.
        add("snap. load", "positions/s", loadRates, goal: ">= 5M")
    }

    /// Batches of the owner while what was frozen is written on another processor, against alone.
    private func measureWriters(_ world: World, _ events: EventRounds, _ folder: String) throws {
        guard let otherProcessor else {
            report.note("snapshot, beside events: skipped, there is one processor only")
            return
        }
        var rates: [Double] = []
        var tails: [Double] = []
        for round in 0...options.repeatCount {
            let quiet = TimedOwner(events)
            quiet.start(on: otherProcessor)
            Thread.sleep(milliseconds: options.isSmoke ? 20 : 500)
            quiet.stop()
            let frozen = world.freeze()
            let busy = TimedOwner(events)
            busy.start(on: otherProcessor)
            _ = try world.write(frozen, in: folder)
            busy.stop()
            world.thaw()
            if round == 0 { continue }
            rates.append(busy.rate / quiet.rate)
            tails.append(Double(busy.percentile(99)) / Double(max(1, quiet.percentile(99))))
        }
        world.expectedTotal = world.engine.totalAvailable()
        for (name, values, goal) in [
            ("snap. events", rates, ""), ("snap. p99", tails, "<= 2"),
        ] {
            report.add(
                Figure(
                    name, positions: world.layout.positionCount,
                    shape: "batches beside a snapshot", unit: "of quiet", Spread(values),
                    checksum: UInt64(bitPattern: world.expectedTotal), goal: goal))
        }
    }
}

/// Positions per second of this thread's processor time.
private func positionRate(_ count: Int, since start: UInt64) -> Double {
    Double(count) * 1e9 / Double(max(1, Clock.threadNanoseconds - start))
}

extension World {
    func freeze() -> [FrozenShard] {
        (0..<engine.shardCount).map { number in engine.withShard(number) { $0.freeze() } }
    }

    func thaw() {
        for number in 0..<engine.shardCount { engine.withShard(number) { $0.thaw() } }
    }

    func write(_ shards: [FrozenShard], in folder: String) throws -> Manifest {
        let mark = StreamMark(sequence: 1, hash: 1, generation: 1)
        let policy = policy
        var writer = try SnapshotWriter(
            in: SnapshotPlace(folder), shardCount: shards.count, time: now)
        for shard in shards { try writer.write(shard, of: engine, policy, at: mark) }
        try writer.write(engine.master.freeze().master, at: mark)
        let manifest = try writer.publish()
        _ = try SnapshotReader(in: folder).prune(
            keeping: Retention(wholeCountMin: 1, countMax: 1), now: now)
        return manifest
    }

    func snapshot(in folder: String) throws -> Manifest {
        defer { thaw() }
        return try write(freeze(), in: folder)
    }

    /// Loads the newest snapshot into an engine of its own.
    ///
    /// - Returns: And positions per second, the check of the files included.
    func load(from folder: String) throws -> (engine: Engine, rate: Double) {
        var random = SplitMix(seed: Benchmark.seed)
        let loaded = try Engine(options: engine.options, using: &random)
        let start = Clock.threadNanoseconds
        guard let snapshot = try SnapshotReader(in: folder).newest().snapshot else {
            fatalError("there is no whole snapshot")
        }
        try snapshot.load(into: loaded, now: now, threadCount: 1)
        return (loaded, positionRate(layout.positionCount, since: start))
    }
}
