// An engine with data in it, loaded as an import loads: stock rows, SKU by SKU.

import Bytes
import Columns
import Domain
import Engine
import Platform

/// A loaded engine and what is in it.
final class World {
    let engine: Engine
    let layout: Layout

    /// Time, in milliseconds, that commands are given.
    var now: Milliseconds = 1_790_000_000_000

    /// What the figure `load` and the memory are told by.
    private(set) var loadNanoseconds: UInt64 = 0
    private(set) var residentByteCount = 0

    /// An empty engine with all locations known.
    private init(_ layout: Layout, rememberedMax: Int) throws {
        self.layout = layout
        var random = SplitMix(seed: Benchmark.seed)
        var options = EngineOptions()
        options.rememberedMax = rememberedMax
        if layout.positionCount <= 1_000_000 {
            // So few addresses that tools which count instructions can follow.
            options.skuCountMax = 1 << 17
            options.positionCountMax = 1 << 22
            options.movementCountMax = 1 << 22
            options.conditionCountMax = 1 << 16
            options.itemNameByteCountMax = 1 << 20
        }
        engine = try Engine(options: options, using: &random)
        var text = ByteBuffer()
        for location in 0..<UInt16(Layout.locationCount) {
            text.removeAll()
            Layout.appendLocation(location, to: &text)
            let id = try engine.master.addLocation(text.span)
            check(id == location, "locations are not numbered as they come")
        }
    }

    /// - Parameter rememberedMax: Events that the engine remembers; then it forgets the oldest.
    static func load(_ layout: Layout, rememberedMax: Int) throws -> World {
        let world = try World(layout, rememberedMax: rememberedMax)
        var sender = BatchSender(world.engine)
        sender.touch()
        let residentBefore = Machine.residentByteCount
        let start = Clock.threadNanoseconds
        world.fill(&sender)
        world.loadNanoseconds = Clock.threadNanoseconds - start
        world.residentByteCount = Machine.residentByteCount - residentBefore
        check(
            world.engine.totalAvailable() == world.expectedTotal,
            "the sum over all positions is wrong after the load")
        return world
    }

    var policy: Policy { engine.master.policy(now: now) }

    /// The sum of all units.
    var expectedTotal: Int64 = 0

    private var idSpaces: UInt64 = 0

    /// A first id for events; as many as anybody needs follow it.
    func takeIDs() -> UInt64 {
        idSpaces += 1
        return idSpaces << 40
    }

    private func fill(_ sender: inout BatchSender) {
        var name = ByteBuffer()
        let allLocations = layout.locations(of: 0)
        for sku in 0..<layout.skuCount {
            name.removeAll()
            Layout.appendSKU(sku, to: &name)
            let key = NameKey(name.span, engine.hasher)
            let locations = layout.shape == .full ? allLocations : layout.locations(of: sku)
            for location in locations {
                let units = layout.units(sku, location)
                expectedTotal += Int64(units)
                var row = StockCommand(
                    verb: .stock, key: key, textOffset: 0,
                    location: location, quantity: 0, at: now, index: 0)
                row[counted: .sellable] = units
                sender.add(row, name.span, now: now)
            }
        }
        sender.finish()
    }
}

/// Collects commands into a batch a shard and has each batch worked on as it fills: sender and
/// owner of all shards at once.
struct BatchSender: ~Copyable {
    private let engine: Engine
    private var pool: BatchPool
    private var open: [BatchReference?]

    init(_ engine: Engine) {
        self.engine = engine
        pool = BatchPool(origin: 0)
        open = Array(repeating: nil, count: engine.shardCount)
    }

    /// Takes the memory of the batches now, so that it is not counted as the engine's.
    mutating func touch() {
        for shard in 0..<engine.shardCount {
            let batch = pool.take() ?? { fatalError("no batch") }()
            batch.withBatch { batch in
                let command = StockCommand(
                    verb: .stock, key: NameKey([1].span, engine.hasher), textOffset: 0,
                    location: 0, quantity: 0, at: 0, index: 0)
                for _ in 0..<CommandBatch.commandCountMax {
                    batch.commands.append(command)
                    batch.outcomes.append(.accepted)
                }
                while batch.text.count < 8192 { batch.text.append(0) }
                batch.reset()
                batch.shard = shard
            }
            open[shard] = batch
        }
    }

    mutating func add(_ command: StockCommand, _ name: Span<UInt8>, now: Milliseconds) {
        let shard = engine.shard(of: command.key)
        let batch = open[shard] ?? take(shard)
        let isFull = batch.withBatch { batch in
            batch.now = now
            var command = command
            let last = batch.commands.count - 1
            if last >= 0, batch.commands[last].key.hash == command.key.hash {
                command.textOffset = batch.commands[last].textOffset
            } else {
                command.textOffset = UInt32(batch.text.count)
                batch.text.append(name)
            }
            batch.commands.append(command)
            return batch.commands.count == CommandBatch.commandCountMax
        }
        if isFull { flush(shard) }
    }

    mutating func finish() {
        for shard in 0..<engine.shardCount where open[shard] != nil { flush(shard) }
    }

    private mutating func take(_ shard: Int) -> BatchReference {
        guard let batch = pool.take() else { fatalError("more batches on their way than places") }
        batch.withBatch { $0.shard = shard }
        open[shard] = batch
        return batch
    }

    private mutating func flush(_ shard: Int) {
        guard let batch = open[shard] else { return }
        open[shard] = nil
        check(engine.send(batch), "an empty inbox refused a batch")
        check(engine.drain(shard, limit: 1) == 1, "a batch was sent and not there")
        guard let done = engine.receiveReply(0) else { fatalError("no reply to a batch") }
        done.withBatch { batch in
            for index in batch.outcomes.indices {
                check(batch.outcomes[index] == .accepted, "a stock row was not accepted")
            }
        }
        pool.give(done)
    }
}
