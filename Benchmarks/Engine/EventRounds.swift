// Batches of events, built before they are measured.

import Bytes
import Columns
import Domain
import Engine
import Platform

/// Receipts of three units and sales of one, in turns, in batches of one shard each.
///
/// One thread at a time uses it: the owner of all shards.
final class EventRounds: @unchecked Sendable {
    private let engine: Engine
    private var pool = BatchPool(origin: 0, limit: .max)
    private var batches: [BatchReference] = []
    private var unitsOfBatch: [Int64] = []
    private let world: World
    private var nextID: UInt64

    /// Events in a round.
    let count: Int

    /// Units that all events so far have added.
    private(set) var addedUnits: Int64 = 0

    /// - Parameter firstID: Ids count from here; no other rounds may use them.
    init(_ world: World, _ sample: [SampledPosition], firstID: UInt64) {
        engine = world.engine
        self.world = world
        nextID = firstID
        count = sample.count
        var open = [BatchReference?](repeating: nil, count: engine.shardCount)
        var name = ByteBuffer()
        for position in sample {
            name.removeAll()
            Layout.appendSKU(Int(position.sku), to: &name)
            let key = NameKey(name.span, engine.hasher)
            let shard = engine.shard(of: key)
            let batch = open[shard] ?? take(shard)
            open[shard] = add(key, name.span, position.location, to: batch) ? nil : batch
        }
        unitsOfBatch = batches.map { batch in
            batch.withBatch { batch in
                batch.commands.indices.reduce(0) { $0 + Self.units(batch.commands[$1]) }
            }
        }
    }

    private func take(_ shard: Int) -> BatchReference {
        guard let batch = pool.take() else { fatalError("no more batches") }
        batch.withBatch { $0.shard = shard }
        batches.append(batch)
        return batch
    }

    /// Appends an event; true when the batch is full now.
    private func add(
        _ key: NameKey, _ name: Span<UInt8>, _ location: UInt16, to batch: BatchReference
    ) -> Bool {
        batch.withBatch { batch in
            let number = batch.commands.count
            let kind = number % 2 == 0 ? EventKind.receipt : .sale
            var command = StockCommand(
                verb: .event, key: key, textOffset: batch.text.count,
                location: location, quantity: kind == .receipt ? 3 : 1, at: 0, index: number)
            command.kind = kind
            command.flags = StockCommand.hasIdentityFlag
            batch.text.append(name)
            batch.commands.append(command)
            return batch.commands.count == CommandBatch.commandCountMax
        }
    }

    private static func units(_ command: StockCommand) -> Int64 {
        command.kind == .receipt
            ? Int64(command.quantity) : -Int64(command.quantity)
    }

    // MARK: - Rounds

    /// Gives all events ids of their own, or none, and a later time, as new events have.
    func renew(hasIDs: Bool = true) {
        for batch in batches { renew(batch, hasIDs) }
    }

    private func renew(_ batch: BatchReference, _ hasIDs: Bool) {
        world.now += 1
        let now = world.now
        batch.withBatch { batch in
            batch.now = now
            for index in batch.commands.indices {
                let word = mixed(nextID)
                batch.commands[index].fingerprint = EventFingerprint(
                    first: word, second: UInt32(truncatingIfNeeded: word &>> 7),
                    body: UInt32(truncatingIfNeeded: nextID))
                batch.commands[index].at = now
                batch.commands[index].flags = hasIDs ? StockCommand.hasIdentityFlag : 0
                nextID += 1
            }
        }
    }

    /// Applies every batch once; the time taken leaves out the check of the outcomes.
    func round(expecting outcome: Outcome = .accepted) -> Round {
        let start = Clock.threadNanoseconds
        for batch in batches { apply(batch) }
        let elapsed = Clock.threadNanoseconds - start
        if outcome == .accepted { addedUnits += unitsOfBatch.reduce(0, +) }
        for batch in batches {
            batch.withBatch { batch in
                for index in batch.outcomes.indices {
                    check(
                        batch.outcomes[index] == outcome,
                        "an event has the outcome \(batch.outcomes[index])")
                }
            }
        }
        return Round(
            amount: count, checksum: UInt64(bitPattern: addedUnits), nanoseconds: elapsed)
    }

    /// Applies new events until `isOver` says so, batch by batch.
    ///
    /// - Parameter each: Told the processor time of each batch, in nanoseconds; nil: nothing is timed.
    /// - Returns: How many were applied.
    func apply(until isOver: () -> Bool, each: ((UInt64) -> Void)? = nil) -> Int {
        var applied = 0
        var next = 0
        while !isOver() {
            renew(batches[next], true)
            let start = each == nil ? 0 : Clock.threadNanoseconds
            apply(batches[next])
            each?(Clock.threadNanoseconds - start)
            addedUnits += unitsOfBatch[next]
            applied += batches[next].withBatch { $0.commands.count }
            next = (next + 1) % batches.count
        }
        return applied
    }

    @inline(__always)
    private func apply(_ batch: BatchReference) {
        let isSent = engine.send(batch)
        let done = engine.drain(batch.withBatch { $0.shard }, limit: 1)
        check(isSent && done == 1 && engine.receiveReply(0) != nil, "a batch got lost")
    }
}
