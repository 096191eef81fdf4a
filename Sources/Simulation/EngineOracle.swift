// What the simulation knows of every batch and every change of shared data: what was decided, as
// which frame, and what was acknowledged.
//
// After a crash each stream must be a prefix of what was appended that holds all that was
// acknowledged, and the state of each shard that of the model behind just these batches. What a
// batch builds on (frames of the control stream) must be there with it.

internal import Bytes
internal import Domain
internal import Engine

/// A batch that a shard has worked on.
struct AppliedBatch {
    var commands: [ScriptCommand]
    var now: Milliseconds
    /// The newest frame of its shard behind it.
    var sequence: UInt64
    /// Whether it has a frame of its own.
    var isFrame: Bool
    /// The newest frame of the control stream then.
    var controlSequence: UInt64
    /// Its clients were told that its outcome is unknown.
    var isUnknown = false
}

/// One shard.
struct ShardRecord {
    /// As recovery found it last; and what came since.
    private(set) var recovered: StockModel
    private(set) var current: StockModel
    var log: [AppliedBatch] = []
    private(set) var sequence: UInt64 = 0
    private(set) var acknowledged: UInt64 = 0

    init(_ options: EngineOptions) {
        recovered = StockModel(options)
        current = recovered
    }

    /// Applies a batch to the model.
    ///
    /// - Parameter isFrame: Whether the engine appended a frame for it.
    mutating func apply(
        _ commands: [ScriptCommand], now: Milliseconds, isFrame: Bool, controlSequence: UInt64
    ) -> [Outcome] {
        let outcomes = commands.map { current.apply($0, now: now) }
        if isFrame { sequence += 1 }
        log.append(
            AppliedBatch(
                commands: commands, now: now, sequence: sequence, isFrame: isFrame,
                controlSequence: controlSequence))
        return outcomes
    }

    mutating func acknowledge(_ sequence: UInt64) { acknowledged = max(acknowledged, sequence) }

    /// Counts the marker frame of a snapshot.
    mutating func mark() { sequence += 1 }

    /// The state behind frame `head`.
    func model(at head: UInt64) -> StockModel {
        var model = recovered
        for batch in log where batch.sequence <= head {
            for command in batch.commands { _ = model.apply(command, now: batch.now) }
        }
        return model
    }

    /// Goes on from what recovery has found, which was synced: it stays.
    mutating func begin(at head: UInt64) {
        recovered = model(at: head)
        current = recovered
        log.removeAll(keepingCapacity: true)
        sequence = head
        acknowledged = head
    }
}

/// Shared data.
struct SharedRecord {
    private(set) var recovered = SharedModel()
    private(set) var current = SharedModel()
    private(set) var log: [(change: SharedChange, sequence: UInt64)] = []
    private(set) var sequence: UInt64 = 0
    private(set) var acknowledged: UInt64 = 0

    mutating func apply(_ change: SharedChange) {
        current.apply(change)
        sequence += 1
        log.append((change, sequence))
    }

    mutating func acknowledge(_ sequence: UInt64) { acknowledged = max(acknowledged, sequence) }

    func model(at head: UInt64) -> SharedModel {
        var model = recovered
        for entry in log where entry.sequence <= head { model.apply(entry.change) }
        return model
    }

    mutating func begin(at head: UInt64) {
        recovered = model(at: head)
        current = recovered
        log.removeAll(keepingCapacity: true)
        sequence = head
        acknowledged = head
    }
}

/// All that the simulation knows of one disk.
struct EngineOracle {
    var shards: [ShardRecord]
    var shared = SharedRecord()
    var snapshots = SnapshotOracle()
    private(set) var visits = [Int](repeating: 0, count: SometimesState.allCases.count)

    /// The disk has lied about more than a journal can tell: its newest frames may be gone.
    var allowsLoss = false

    /// The first thing that was not as it must be.
    private(set) var finding: String?

    init(_ options: EngineOptions) {
        shards = Array(repeating: ShardRecord(options), count: options.shardCount)
    }

    mutating func note(_ text: String) { if finding == nil { finding = text } }

    mutating func visit(_ state: SometimesState, if isSo: Bool = true) {
        if isSo { visits[state.rawValue] += 1 }
    }

    /// Compares where the streams of a journal end with what was appended and acknowledged.
    mutating func checkHeads(_ heads: [UInt64], control: UInt64) {
        for (number, record) in shards.enumerated() {
            let head = heads[number]
            if head > record.sequence {
                note("shard \(number): \(head) frames, appended were \(record.sequence): a ghost")
            }
            if head < record.acknowledged, !allowsLoss {
                note("shard \(number): kept \(head), acknowledged \(record.acknowledged): lost")
            }
            let last = record.log.last { $0.sequence <= head && $0.isFrame }
            if let last, last.controlSequence > control, !allowsLoss {
                note(
                    "shard \(number): frame \(head) is there, control frame "
                        + "\(last.controlSequence) that it builds on is not")
            }
        }
        if control > shared.sequence {
            note("control: \(control) frames, appended were \(shared.sequence): a ghost")
        }
        if control < shared.acknowledged, !allowsLoss {
            note("control: kept \(control), acknowledged \(shared.acknowledged): lost")
        }
    }

    /// Counts what a crash has left of what was under way.
    mutating func visitRemains(_ heads: [UInt64], control: UInt64) {
        var lostCount = 0
        for (number, record) in shards.enumerated() {
            let head = heads[number]
            if head < record.sequence { lostCount += 1 }
            visit(.unacknowledgedFrameKept, if: head > record.acknowledged)
            for batch in record.log {
                let isKept = batch.sequence <= head
                visit(isKept ? .unknownFoundDurable : .unknownFoundLost, if: batch.isUnknown)
                let isAhead =
                    batch.controlSequence <= control
                    && batch.controlSequence > shared.acknowledged
                visit(.controlFrameWithoutShardFrame, if: !isKept && isAhead)
            }
        }
        visit(.frameLost, if: lostCount > 0)
        visit(.bothShardsLost, if: lostCount == shards.count)
        visit(.documentLost, if: control < shared.sequence)
        visit(.unacknowledgedDocumentKept, if: control > shared.acknowledged)
    }

    mutating func begin(_ heads: [UInt64], control: UInt64) {
        for number in shards.indices { shards[number].begin(at: heads[number]) }
        shared.begin(at: control)
    }
}
