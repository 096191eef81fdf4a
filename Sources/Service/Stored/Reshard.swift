// The same stock in another number of shards, in a new directory.
//
// The new directory has the key of the old one: events are remembered by keyed hashes of their ids, which
// cannot be computed again. So the shards of the one are parts or unions of the shards of the other:
//
//     4 shards    0       1       2       3            the top bits of a name's hash
//     8 shards    0   1   2   3   4   5   6   7        one bit more
//
// What is remembered of a shard is not known by SKU: all its parts get all of it. Unions get what
// each had, in the order of time; of an id that two of them knew the first decision counts. An event that
// stands aside goes where its SKU does, and gets a number there.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Journal
internal import Platform
package import Snapshot

extension StoredDirectory {
    /// Writes a new directory at `target`, where there must be nothing, with `shardCount` shards.
    ///
    /// - Parameter shardCount: A power of two up to 256.
    /// - Returns: The snapshot that it begins with.
    package func reshard(to target: String, shardCount: Int) throws(StartError) -> Manifest {
        try withoutServing { () throws(StartError) in
            let state = try load()
            let resharding = try Resharding(state, shardCount: shardCount)
            do throws(LoadError) { try resharding.run() } catch {
                throw StartError("\(path): \(error)")
            }
            let none = [StreamHead](repeating: StreamHead(), count: shardCount + 1)
            return try writeDirectory(
                at: target, resharding.target, behind: none, time: state.now)
        }
    }
}

/// One shard that is being filled.
private final class FilledShard {
    let number: Int
    var positionCounts = Buffer<Int32>()
    var nextSKU: UInt32 = 0
    var positionCount = 0
    var movements = PositionPlace()
    var counts = PositionPlace()

    init(number: Int) { self.number = number }
}

/// From the shards of one engine into those of another.
private struct Resharding {
    let source: Engine
    let target: Engine
    private let filled: [FilledShard]

    init(_ state: StoredState, shardCount: Int) throws(StartError) {
        source = state.engine
        var options = StoredState.keepingOptions
        options.shardCount = shardCount
        do throws(SystemError) {
            target = try Engine(options: options, reactorCount: 1, hasher: source.hasher)
        } catch { throw StartError(error.description) }
        filled = (0..<shardCount).map { FilledShard(number: $0) }
        let master = source.master.freeze().master
        do throws(ReplayError) {
            try target.master.load(master.facts.span, master.versions)
        } catch { throw StartError("shared data: \(error)") }
        let policy = target.master.policy(now: state.now)
        for shard in 0..<shardCount { while target.adopt(policy, shard: shard) {} }
    }

    func run() throws(LoadError) {
        for number in 0..<source.shardCount { try loadSKUs(of: number) }
        for shard in filled {
            try target.withShard(shard.number) { (into) throws(LoadError) in
                try into.prepareRuns(shard.positionCounts)
            }
        }
        for number in 0..<source.shardCount { try loadRuns(of: number) }
        for shard in filled { try loadEvents(shard.number) }
    }

    private func withFrozen<E: Error>(
        _ number: Int, _ body: (FrozenShard) throws(E) -> Void
    ) throws(E) {
        let shard = source.withShard(number) { $0.freeze() }
        defer { source.withShard(number) { $0.thaw() } }
        try body(shard)
    }

    /// Where a SKU belongs.
    private func destination(_ shard: FrozenShard, _ sku: UInt32) -> FilledShard {
        shard.names.withName(sku) { filled[target.shard(of: NameKey($0, target.hasher))] }
    }

    /// Where an event that stands aside belongs; nil where it names no SKU.
    private func destination(_ event: ParkedEvent) -> Int? {
        let sku = EventDecoder.sku(of: event.source.span)
        guard let sku, (1...Identifier.byteCountMax).contains(sku.count) else { return nil }
        return target.shard(of: NameKey(sku.span, target.hasher))
    }

    private func loadSKUs(of number: Int) throws(LoadError) {
        let reader = source.reader(number)
        try withFrozen(number) { (shard) throws(LoadError) in
            let itemNames = shard.itemNameOf.sorted()
            var next = 0
            for sku in 0..<UInt32(shard.skuCount) {
                var itemName = ByteBuffer()
                if next < itemNames.count, itemNames[next].key == UInt64(sku) {
                    shard.appendItemName(itemNames[next].value, to: &itemName)
                    next += 1
                }
                var name = ByteBuffer()
                shard.names.append(sku, to: &name)
                let filled = destination(shard, sku)
                let category = shard.positions.attributes[Int(sku)].category
                try target.withShard(filled.number) { (into) throws(LoadError) in
                    try into.load(
                        sku: name.span, NameKey(name.span, target.hasher), category: category,
                        itemName: itemName.span)
                }
                filled.positionCounts.append(Int32(reader.extent(sku).count))
            }
        }
    }

    private func loadRuns(of number: Int) throws(LoadError) {
        try withFrozen(number) { (shard) throws(LoadError) in
            var runs = FrozenRuns(shard)
            var positions = PositionColumns()
            var movements = MomentColumns()
            var counts = MomentColumns()
            var sku: UInt32 = 0
            while let next = runs.next {
                let filled = destination(shard, sku)
                let shift = filled.positionCount - runs.positionCount
                runs.appendRun(&positions, &movements, &counts)
                for index in movements.positions.indices {
                    movements.positions[index] += Int32(shift)
                }
                for index in counts.positions.indices { counts.positions[index] += Int32(shift) }
                try target.withShard(filled.number) { (into) throws(LoadError) in
                    try into.loadRun(
                        filled.nextSKU, changeCount: next.changeCount, positions,
                        0..<positions.count, number: filled.positionCount)
                    try into.loadMovements(movements, &filled.movements)
                    try into.loadCounts(counts, &filled.counts)
                }
                filled.nextSKU += 1
                filled.positionCount += positions.count
                sku += 1
                positions.removeAll()
                movements.removeAll()
                counts.removeAll()
            }
        }
    }

    /// The shards whose SKUs are in shard `number` of the target, and whether it is the first that
    /// has any of theirs.
    private func origins(of number: Int) -> (shards: Range<Int>, isFirst: Bool) {
        if target.shardCount >= source.shardCount {
            let parts = target.shardCount / source.shardCount
            return (number / parts..<number / parts + 1, number % parts == 0)
        }
        let parts = source.shardCount / target.shardCount
        return (number * parts..<(number + 1) * parts, true)
    }

    private func loadEvents(_ number: Int) throws(LoadError) {
        let (origins, isFirst) = origins(of: number)
        var remembered: [RememberedEvent] = []
        var parked: [ParkedEvent] = []
        var hasForgotten = false
        var (eventCount, itemChangeCount): (UInt64, UInt64) = (0, 0)
        for origin in origins {
            withFrozen(origin) { shard in
                var events = Buffer<RememberedEvent>()
                shard.remembered.append(0..<shard.remembered.count, to: &events)
                for index in events.indices { remembered.append(events[index]) }
                hasForgotten = hasForgotten || shard.remembered.hasForgotten
                parked += shard.parked.events.filter {
                    destination($0) == number || destination($0) == nil && isFirst
                }
                eventCount += shard.eventCount
                itemChangeCount += shard.itemChangeCount
            }
        }
        if origins.count > 1 { remembered = Self.merged(remembered) }
        try target.withShard(number) { (into) throws(LoadError) in
            if remembered.count > into.rememberedCountMax { hasForgotten = true }
            if hasForgotten { into.loadForgotten() }
            var events = Buffer<RememberedEvent>()
            for event in remembered.suffix(into.rememberedCountMax) { events.append(event) }
            try into.load(events)
            parked.sort { $0.parkedAt < $1.parkedAt }
            for index in parked.indices { parked[index].number = UInt64(index) + 1 }
            try into.load(parked, next: UInt64(parked.count) + 1)
        }
        if isFirst {
            target.resume(
                shard: number, eventCount: eventCount, itemChangeCount: itemChangeCount)
        }
    }

    /// In the order of time, each identity once.
    private static func merged(_ events: [RememberedEvent]) -> [RememberedEvent] {
        struct Identity: Hashable {
            var first: UInt64
            var second: UInt32
        }
        var known: Set<Identity> = []
        let order = events.indices.sorted { (events[$0].time, $0) < (events[$1].time, $1) }
        return order.map { events[$0] }.filter {
            known.insert(
                Identity(first: $0.fingerprint.first, second: $0.fingerprint.second)
            ).inserted
        }
    }
}
