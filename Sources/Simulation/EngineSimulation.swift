// Many lives of an engine on a disk that loses power and fails, judged by a naive model.
//
// The real code of engine, journal and replay, on one thread, with a simulated clock and disk: what a
// seed gives, it gives again. A run is one disk with twenty lives. A life brings an engine up from
// the newest snapshot and the journal, does some work, often takes a snapshot, and ends. Faults:
//
//     power     goes at a write, a sync or a change of a folder, before or after its effect, also
//               during recovery; each sector that was not synced is kept, dropped or torn at any byte,
//               each change of a folder that was not synced happens or not
//     process   killed between two steps; what it wrote stays
//     write     fails once or for ever; takes only some of its bytes; is interrupted
//     sync      fails once or for ever, and drops what was to be synced without a trace
//     space     none left for a segment or a snapshot, until it is freed
//     damage    one of two snapshots: a bit flips, a file is shorter, gone or another one
//     lies      at the end of a disk: a bit flips at rest, a sync keeps nothing, a write goes astray
//     clients   repeat what was answered unknown or not at all, or give it up; repeat what was
//               accepted, with the same content or another; send late and out of order
//
// After each start: the newest snapshot that was published is found, unless it was damaged, which is
// told with the file, and the one before is used; every stream is a prefix of what was appended and holds all that was
// acknowledged; each shard and shared data are what the model is behind just these batches; free is
// what is left of sellable. Then the life goes on from there, and every answer is compared with the
// model's: a repeat of what was kept is a duplicate, of what was lost is accepted.

internal import Bytes
internal import Columns
internal import Domain
package import Engine
internal import Journal
package import Platform
package import Snapshot

/// A long simulation of an engine.
package struct EngineSimulation: ~Copyable {
    /// What a simulation did.
    package struct Result: Equatable, Sendable {
        package var runCount = 0
        package var crashCount = 0
        package var commandCount = 0
        package var frameCount = 0
        /// Frames replayed by all starts.
        package var replayedCount = 0
        /// By `SometimesState`.
        package var visits = [Int](repeating: 0, count: SometimesState.allCases.count)

        /// Of what all starts have found: the same for the same seed, in any build.
        package var stateHash: UInt64 = 0

        /// The first violation, the seed of its run, and what led to it.
        package var finding: String?
        package var findingSeed: UInt64?
        package var history: [String] = []

        package init() {}
    }

    package static let lifeCount = 20

    let defects: EngineDefects
    let snapshotDefects: SnapshotDefects
    let configuration: JournalConfiguration
    let disk: SimulatedStorage
    let folders: SimulatedFolders
    let memory: JournalMemory
    let reading: SharedRegion
    /// The secret of the name hashes, always the same: SKUs live in the same shards.
    let hasher: KeyedHash
    let skus: [[Int]]

    var options: EngineOptions
    /// Snapshots that are kept.
    var keptCount = 2
    var script: Script
    var oracle: EngineOracle
    var clients: Clients
    var result = Result()
    let history: SimulationHistory
    var isLying = false
    /// Cuts may be added to those that a life begins with.
    var drawsCuts = false

    /// Small in everything, so that a crash costs little and meets the ends of segments often.
    private static func smallConfiguration() -> JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.shardCount = 2
        configuration.segmentByteCount = 4096
        configuration.frameByteCountMax = 1024
        configuration.outboxByteCount = 2048
        configuration.ballastByteCount = 4096
        configuration.prepareByteCount = 4096
        return configuration
    }

    init(
        defects: EngineDefects, snapshots: SnapshotDefects = SnapshotDefects(),
        keepsHistory: Bool = false
    ) throws(SystemError) {
        let configuration = Self.smallConfiguration()
        let memory = try JournalMemory(configuration)
        let reading = try SharedRegion(byteCount: configuration.segmentByteCount)
        self.defects = defects
        snapshotDefects = snapshots
        self.configuration = configuration
        self.memory = memory
        self.reading = reading
        history = SimulationHistory(isKept: keepsHistory)
        disk = SimulatedStorage(
            seed: 0, fileByteCountMax: configuration.segmentByteCount, slotCount: 192)
        folders = SimulatedFolders(beside: disk)
        var secret = SeededBits(seed: 5)
        let hasher = KeyedHash(using: &secret)
        self.hasher = hasher
        skus = (0..<2).map { shard in
            SmallWorld.skus.indices.filter { sku in
                SmallWorld.key(sku, hasher).hash >> 63 == UInt64(shard)
            }
        }
        var bits = SeededBits(seed: 0)
        options = Script.options(&bits)
        script = Script(bits: bits, options)
        oracle = EngineOracle(options)
        clients = Clients(shardCount: options.shardCount)
    }

    /// Runs `runs` disks, of this seed and those that follow; stops at the first violation.
    ///
    /// - Throws: When there is no memory for it.
    package static func run(
        seed: UInt64, runs: Int, defects: EngineDefects = EngineDefects(),
        snapshots: SnapshotDefects = SnapshotDefects()
    ) throws(SystemError) -> Result {
        var simulation = try EngineSimulation(defects: defects, snapshots: snapshots)
        for run in 0..<runs where simulation.result.finding == nil {
            try simulation.runDisk(seed: seed &+ UInt64(run))
        }
        if let failed = simulation.result.findingSeed {
            // Again, and written down.
            var again = try EngineSimulation(
                defects: defects, snapshots: snapshots, keepsHistory: true)
            try again.runDisk(seed: failed)
            simulation.result.history = again.history.lines
        }
        return simulation.result
    }

    private mutating func runDisk(seed: UInt64) throws(SystemError) {
        begin(seed: seed)
        drawsCuts = true
        for life in 0..<Self.lifeCount where oracle.finding == nil {
            damageOneOfTwo()
            // Early on names still come into being, which a snapshot must have all of.
            let takesSnapshot = script.bits.below(life < 2 ? 3 : 6) < 2
            disk.plan(
                DiskFaults.drawn(using: &script.bits, operationCount: takesSnapshot ? 256 : 32))
            limitSpace()
            try live(takesSnapshot: takesSnapshot)
        }
        drawsCuts = false
        if oracle.finding == nil { try lie() }
        end(seed: seed)
    }

    mutating func begin(seed: UInt64) {
        var bits = SeededBits(seed: seed)
        disk.reset(seed: bits.next())
        folders.reset()
        options = Script.options(&bits)
        options.defects = defects
        keptCount = 2 + bits.below(2)
        script = Script(bits: bits, options)
        oracle = EngineOracle(options)
        result.runCount += 1
    }

    mutating func end(seed: UInt64) {
        clients.forget()
        for state in SometimesState.allCases {
            result.visits[state.rawValue] += oracle.visits[state.rawValue]
        }
        if let finding = oracle.finding {
            result.finding = finding
            result.findingSeed = seed
            record("found: \(finding)")
        }
    }

    func record(_ text: @autoclosure () -> String) {
        history.record(text())
    }

    // MARK: - One life

    /// Now and then there is no room for a segment or a snapshot more.
    private mutating func limitSpace() {
        disk.spaceByteCount = .max
        guard script.bits.oneIn(3), let free = try? disk.freeByteCount() else { return }
        disk.spaceByteCount = Int.max - free + 4096 * script.bits.below(4)
        record("space for \(disk.spaceByteCount) bytes")
    }

    mutating func live(takesSnapshot: Bool) throws(SystemError) {
        result.crashCount += 1
        var machine = try start()
        if script.bits.oneIn(6), let first = machine.take() { machine = try startAgain(first) }
        if let machine = machine.take() {
            let stepCount = script.bits.oneIn(16) ? 160 : script.bits.below(40)
            let isSettled = script.bits.oneIn(3)
            work(
                machine, stepCount: stepCount, takesSnapshot: takesSnapshot,
                isSettled: isSettled)
        }
        crash()
    }

    /// The power goes and comes back.
    func cut() {
        folders.cut()
        disk.cut()
    }

    /// The process is killed, or the power goes.
    mutating func crash() {
        clients.crash()
        if disk.isOff || !script.bits.oneIn(5) {
            record("power lost")
            oracle.visit(.powerLost)
            cut()
        } else {
            record("killed")
            oracle.visit(.killed)
            disk.kill()
        }
    }
}
