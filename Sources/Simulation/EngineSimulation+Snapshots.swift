// Snapshots in a life: begun, taken step by step between other steps, given up where one fails, and
// damaged between lives.

internal import Engine
internal import Journal
internal import Platform
internal import Snapshot

extension EngineSimulation {
    var place: SnapshotPlace {
        SnapshotPlace(Self.snapshots, on: folders, defects: snapshotDefects)
    }

    static let snapshots = "snapshots"

    // MARK: - Taking one

    /// Begins a snapshot, or does the next thing of the one that is being taken.
    ///
    /// - Returns: Whether there is more to do.
    mutating func stepSnapshot(_ machine: inout Machine) -> Bool {
        machine.now = script.now
        guard var taking = machine.taking.take() else { return beginSnapshot(&machine) }
        let isPublishing = taking.isWritten
        if isPublishing { oracle.snapshots.attempt(taking.number) }
        if isPublishing || taking.isPublished { cutSoon(within: 24, oneIn: 6) }
        do throws(SnapshotError) {
            let progress = try taking.step(&machine)
            noteMarker(&machine)
            switch progress {
            case .worked: record("snapshot \(taking.number): a step")
            case .waiting: oracle.visit(.snapshotWaited)
            case .published(let manifest): notePublication(manifest)
            case .finished(let pruned):
                record("snapshot \(taking.number): removed \(pruned.removed)")
                oracle.visit(.snapshotsPruned, if: !pruned.removed.isEmpty)
                return false
            }
            machine.taking = consume taking
            return true
        } catch {
            noteMarker(&machine)
            noteFailure(error, isPublishing: isPublishing, isPublished: taking.isPublished)
            abandon(taking, &machine)
            return false
        }
    }

    /// Now and then has the power go where it seldom would by chance.
    mutating func cutSoon(within operationCount: Int, oneIn count: Int) {
        guard drawsCuts, !disk.isOff, script.bits.oneIn(count) else { return }
        var faults = DiskFaults()
        faults.cutAt = 1 + script.bits.below(operationCount)
        faults.cutsAfter = script.bits.oneIn(2)
        disk.plan(faults)
    }

    private mutating func beginSnapshot(_ machine: inout Machine) -> Bool {
        do throws(SnapshotError) {
            machine.taking = try SnapshotTaking(
                in: place, keeping: Retention(countMax: keptCount), machine)
            record("a snapshot is begun")
            return true
        } catch {
            noteFailure(error, isPublishing: false, isPublished: false)
            return false
        }
    }

    /// A shard was frozen at a frame of its own.
    private mutating func noteMarker(_ machine: inout Machine) {
        guard let marker = machine.marker.take() else { return }
        oracle.shards[marker.shard].mark()
        record("shard \(marker.shard): marker \(marker.sequence)")
        oracle.visit(.markedWhileFull, if: machine.core.state == .full)
        if marker.sequence != oracle.shards[marker.shard].sequence {
            oracle.note(
                "shard \(marker.shard): marker \(marker.sequence) in the place of "
                    + "\(oracle.shards[marker.shard].sequence)")
        }
    }

    /// What a snapshot holds is promised from here on.
    private mutating func notePublication(_ manifest: Manifest) {
        record("snapshot \(manifest.number) is published")
        oracle.visit(.snapshotPublished)
        oracle.snapshots.acknowledge(manifest.number)
        for (shard, mark) in manifest.shards.enumerated() {
            oracle.shards[shard].acknowledge(mark.sequence)
        }
        oracle.shared.acknowledge(manifest.control.sequence)
    }

    private mutating func noteFailure(
        _ error: SnapshotError, isPublishing: Bool, isPublished: Bool
    ) {
        record("snapshot: \(error)")
        if disk.isOff {
            oracle.visit(
                isPublished
                    ? .pruningCut : isPublishing ? .publicationCut : .snapshotCut)
            return
        }
        switch error {
        case .cancelled: oracle.visit(.snapshotGivenUp)
        case .file: oracle.visit(.snapshotReadBackWrong)
        case .system(let error) where error.isForSpace: oracle.visit(.snapshotWithoutSpace)
        case .system: oracle.visit(.snapshotFailed)
        case .outOfMemory, .shardCount: oracle.note("snapshot: \(error)")
        }
        if case .file = error, !isLying { oracle.note("snapshot: \(error)") }
    }

    /// Takes a whole snapshot, with nothing else in between.
    mutating func takeSnapshot(_ machine: inout Machine) {
        var stepCount = 0
        while stepCount < 64, stepSnapshot(&machine), !isOver {
            commit(&machine)
            if !disk.isOff { takeReplies(&machine) }
            stepCount += 1
        }
    }

    /// Gives up the one that is being taken.
    mutating func abandonSnapshot(_ machine: inout Machine) {
        guard let taking = machine.taking.take() else { return }
        abandon(taking, &machine)
    }

    /// What it has taken of the disk is free again, unless that fails too.
    private mutating func abandon(_ taking: consuming SnapshotTaking, _ machine: inout Machine) {
        do throws(SnapshotError) {
            try taking.abandon(&machine)
            let names = (try? folders.names(in: Self.snapshots)) ?? []
            if names.contains(where: { $0.hasSuffix(".writing") }) {
                oracle.note("a snapshot that was given up is still there")
            }
        } catch { record("given up: \(error)") }
    }

    // MARK: - Finding one

    /// Loads the newest snapshot that is whole; nil where there is none.
    ///
    /// - Throws: Where faults prevent it.
    mutating func loadSnapshot(into engine: Engine) throws(SnapshotError) -> Snapshot? {
        let found = try SnapshotReader(place).newestToStay()
        judge(found.snapshot?.manifest.number, found.passedOver)
        if let snapshot = found.snapshot { try load(snapshot, into: engine) }
        return found.snapshot
    }

    /// All of a snapshot, the shards in any order.
    mutating func load(_ snapshot: Snapshot, into engine: Engine) throws(SnapshotError) {
        try snapshot.loadMaster(into: engine, now: max(snapshot.manifest.time, script.now))
        let last = options.shardCount - 1
        let isBackwards = script.bits.oneIn(2)
        for shard in 0...last {
            try snapshot.loadShard(isBackwards ? last - shard : shard, into: engine)
        }
    }

    private mutating func judge(_ found: UInt64?, _ passedOver: [PassedOver]) {
        record("start: snapshot \(found ?? 0), passed over \(passedOver.map(\.number))")
        if oracle.allowsLoss { return }
        if let fault = oracle.snapshots.fault(of: found, passedOver: passedOver) {
            return oracle.note(fault)
        }
        oracle.visit(.startedWithoutSnapshot, if: found == nil)
        oracle.visit(.startedFromNewest, if: found != nil && passedOver.isEmpty)
        oracle.visit(.startedFromOlder, if: found != nil && !passedOver.isEmpty)
        if let found, !oracle.snapshots.promised.contains(found) {
            oracle.visit(.unansweredSnapshotKept)
            oracle.snapshots.find(found)
        }
        checkNames()
    }

    /// Each snapshot with a number for a name is whole, and `latest` leads to one that was published.
    private mutating func checkNames() {
        let reader = SnapshotReader(SnapshotPlace(Self.snapshots, on: folders))
        let numbers = (try? reader.numbers()) ?? []
        if let target = folders.target(of: Self.snapshots + "/latest") {
            let number = UInt64(target) ?? 0
            if !numbers.contains(number) { oracle.note("latest leads to \(target): nothing") }
            if number < oracle.snapshots.answered {
                oracle.note("latest leads to \(target), and a newer one was published")
            }
        } else if oracle.snapshots.answered > 0 {
            oracle.note("there is a snapshot and no latest")
        }
        guard script.bits.oneIn(4) else { return }
        for number in numbers where oracle.snapshots.damaged[number] == nil {
            if let problem = reader.check(number).problems.first {
                oracle.note("snapshot \(number) has its name and is not whole: \(problem)")
            }
        }
    }

    // MARK: - Damage at rest

    /// Damages a file of a snapshot: a bit flips, its end is missing, all of it, or it is that of
    /// another shard or another snapshot.
    mutating func damageSnapshot(_ number: UInt64) {
        let reader = SnapshotReader(SnapshotPlace(Self.snapshots, on: folders))
        guard let manifest = try? reader.manifest(of: number) else { return }
        let name = script.pick([Manifest.fileName] + manifest.files.map(\.name))
        let path = "\(Self.snapshots)/\(number)/\(name)"
        let content = folders.bytes(of: path) ?? []
        let other = script.pick(manifest.files.map(\.name))
        let strange = folders.bytes(of: "\(Self.snapshots)/\(number)/\(other)") ?? []
        switch script.bits.below(4) {
        case 0: folders.lose(path)
        case 1: folders.damage(path) { $0.removeLast(1 + script.bits.below(content.count)) }
        case 2 where strange != content: folders.damage(path) { $0 = strange }
        default:
            let bit = script.bits.below(content.count * 8)
            folders.damage(path) { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
        }
        record("\(name) of snapshot \(number) is damaged")
        oracle.snapshots.damage(number, [name])
    }

    /// Between two lives now and then one of two snapshots is damaged: the other must do.
    mutating func damageOneOfTwo() {
        let whole = oracle.snapshots.whole
        guard whole.count == 2, script.bits.oneIn(8) else { return }
        damageSnapshot(script.pick(whole))
    }
}
