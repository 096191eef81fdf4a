// One shard: all state of its SKUs, with one writer.
//
// A command is prepared (room for what it may add), decided (facts, or a refusal), and evolved
// (facts change the columns). Only `evolve` writes columns, so that replaying facts gives the same
// state. The shard reads no clock: the time comes with the batch.

package import Bytes
package import Columns
internal import Domain
package import Platform

/// What all shards of an engine are told at start.
package struct EngineOptions: Sendable {
    /// Shards: a power of two, 1 ... 256.
    package var shardCount = 16
    /// Whether names that are not known come into being with a physical event.
    package var createsUnknown = true
    /// How long movements are kept to evaluate late counts with.
    package var lateWindow: Milliseconds = 7 * 86_400_000
    /// How long, and how many at the most, events are remembered.
    package var rememberedFor: Milliseconds = 7 * 86_400_000
    package var rememberedMax = 100_000_000
    /// Events that may be parked per shard.
    package var parkedMax = 10_000
    /// Batches that fit in a lane of a shard's inbox.
    package var inboxCapacity = 64
    /// Commands that may wait in a shard's inbox.
    package var queuedCommandMax = 4096
    /// Whether shards keep the facts they decide, encoded, until somebody takes them.
    package var keepsFacts = false
    /// Rows looked at in one turn while another policy is brought in.
    package var policyRowsPerTurn = 50_000

    // How much fits in a shard. Addresses are reserved for all of it at start; memory is taken as
    // it is needed. Smaller numbers serve where addresses are limited.
    package var skuCountMax = 1 << 28
    package var positionCountMax = 1 << 31
    package var movementCountMax = 1 << 30 - 1
    /// Entries of rare states: units in other conditions, and when they were counted.
    package var conditionCountMax = 1 << 30
    package var itemNameByteCountMax = 1 << 34

    /// What is done wrong, for tests of the tests.
    package var defects = EngineDefects()

    package init() {}
}

/// What happened in a shard since start, for metrics.
package struct ShardCounters: Sendable {
    package var accepted: UInt64 = 0
    package var recorded: UInt64 = 0
    package var duplicates: UInt64 = 0
    package var parked: UInt64 = 0
    package var rejected: UInt64 = 0
    package var batches: UInt64 = 0
}

/// All state of one shard. The reactor that owns it calls it; readers use `positions.reader`.
package struct Shard: ~Copyable {
    package let number: Int
    package var positions: PositionStore
    var conditions: SideTable
    var movements: MovementLog
    var remembered: RememberedEvents
    package internal(set) var parked = ParkedEvents()
    package internal(set) var counters = ShardCounters()

    var itemNames: Column<UInt8>
    var itemNameOf: SideTable  // SKU id → offset << 16 | byte count in `itemNames`.

    // The policy in force, and the one that is being brought in run by run.
    package internal(set) var policy: Policy
    var nextPolicy: Policy?
    var nextPolicySKU = 0

    var facts = Buffer<Fact>()
    /// The commands of the frame that is replayed, whose facts are in `facts`.
    var replayed = Buffer<ReplayedCommand>()
    /// The facts decided since this was last emptied, as `FactFormat` has them, and of how many
    /// commands they are.
    package var keptFacts = ByteBuffer()
    var keptCommandCount: UInt32 = 0
    var keepsFacts: Bool
    /// Set where only what took effect by a time is replayed.
    var asOf: AsOf?
    /// The shard's end of the journal, and replies that wait for it.
    var journal: StreamEnd?
    var heldReplies = HeldReplies()
    /// A batch that the journal has no room for just now.
    var stalled: UInt64?
    /// Batches and frames that changed items.
    var itemChangeCount: UInt64 = 0
    /// Commands that have left facts, in all lives.
    package internal(set) var eventCount: UInt64 = 0
    /// Where the commands that are looked ahead were found.
    var places = Buffer<FoundPlace>()
    let options: EngineOptions
    var defects: EngineDefects { options.defects }
    let hasher: KeyedHash

    package init(
        number: Int, options: EngineOptions, policy: Policy, hasher: KeyedHash,
        quietPoints: QuietPoints
    ) throws(SystemError) {
        let positions = try PositionStore(
            skuCountMax: options.skuCountMax, positionCountMax: options.positionCountMax,
            quietPoints: quietPoints)
        let conditions = try SideTable(
            entryCountMax: options.conditionCountMax, quietPoints: quietPoints)
        let movements = try MovementLog(
            window: options.lateWindow, countMax: options.movementCountMax)
        let remembered = try RememberedEvents(
            countMax: max(16, options.rememberedMax / options.shardCount),
            retention: options.rememberedFor)
        let itemNames = try Column<UInt8>(rowCountMax: options.itemNameByteCountMax)
        let itemNameOf = try SideTable(
            entryCountMax: options.skuCountMax, quietPoints: quietPoints)
        self.positions = positions
        self.conditions = conditions
        self.movements = movements
        self.remembered = remembered
        self.itemNames = itemNames
        self.itemNameOf = itemNameOf
        self.number = number
        self.options = options
        self.policy = policy
        self.hasher = hasher
        keepsFacts = options.keepsFacts
    }

    /// Bytes of memory given to the shard.
    package var byteCount: Int {
        positions.byteCount + conditions.byteCount + movements.byteCount + remembered.byteCount
            + itemNames.committedByteCount + itemNameOf.byteCount
    }

    package var rememberedCount: Int { remembered.count }

    /// The key of a condition's units, or of the time it was last counted, in the side table.
    static func sideKey(_ position: PositionKey, _ condition: Condition, isCount: Bool) -> UInt64 {
        UInt64(position.sku) << 32 | UInt64(position.location) << 16
            | UInt64(condition.rawValue) << 1 | (isCount ? 1 : 0)
    }

    /// Units of one condition.
    @inline(__always)
    func units(_ row: PositionRow, _ key: PositionKey, _ condition: Condition) -> Int32 {
        if condition == .sellable { return row.sellable }
        guard row.hasOtherConditions else { return 0 }
        return otherUnits(key, condition)
    }

    @inline(never)
    private func otherUnits(_ key: PositionKey, _ condition: Condition) -> Int32 {
        let value = conditions[Self.sideKey(key, condition, isCount: false)] ?? 0
        return Int32(truncatingIfNeeded: value)
    }

    /// As of when the condition was last counted.
    @inline(__always)
    func countedAt(
        _ row: PositionRow, _ key: PositionKey, _ condition: Condition
    ) -> Milliseconds? {
        if condition == .sellable || row.wasCountedWhole { return row.sellableCountedAt }
        guard row.hasOtherConditions else { return nil }
        return conditions[Self.sideKey(key, condition, isCount: true)]
    }

    /// The rule in force for a position.
    @inline(__always)
    func safetyStock(_ key: PositionKey, sellable: Int32) -> Int32 {
        // No rules at all is the usual case: nothing to look up, nothing to hold on to.
        if nextPolicy == nil, policy.safetyStock.isEmpty { return 0 }
        return safetyStockByRule(key, sellable: sellable)
    }

    @inline(never)
    private func safetyStockByRule(_ key: PositionKey, sellable: Int32) -> Int32 {
        let table: SafetyStockTable
        if let nextPolicy, Int(key.sku) < nextPolicySKU {
            table = nextPolicy.safetyStock
        } else {
            table = policy.safetyStock
        }
        if table.isEmpty { return 0 }
        let attributes = positions.attributes[Int(key.sku)]
        if attributes.flags & SKUAttributes.hasRulesFlag != 0 {
            return positions.reader.names.withName(key.sku) { name in
                table.amount(sku: name, category: attributes.category, location: key.location)
                    .units(ofSellable: sellable)
            }
        }
        return table.amount(category: attributes.category, location: key.location)
            .units(ofSellable: sellable)
    }
}
