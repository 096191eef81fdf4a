// A start: the newest snapshot is loaded, the journal behind it replayed, and what comes of it is
// judged.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Journal
internal import Platform
internal import Snapshot

/// A frame as recovery delivered it.
private struct KeptFrame {
    var header: FrameHeader
    var bytes: [UInt8]
}

extension EngineSimulation {
    /// Brings an engine up from the disk and compares it with the model; nil where the faults of
    /// this life prevent it.
    mutating func start() throws(SystemError) -> Machine? {
        let engine = try makeEngine()
        let snapshot: Snapshot?
        do throws(SnapshotError) { snapshot = try loadSnapshot(into: engine) } catch {
            record("start: snapshots: \(error)")
            noteFailedStart(error)
            return nil
        }
        if oracle.finding != nil { return nil }
        let marks = JournalMarks(snapshot?.manifest, defects: snapshotDefects)
        var replay = Replay(engine)
        var kept: [KeptFrame]?
        if script.bits.oneIn(8) { kept = [] }
        let core: JournalCore<SimulatedStorage>
        do throws(JournalError) {
            core = try JournalCore.open(
                disk, configuration, memory, reading: reading, starting: marks.starting,
                verified: { (extents) throws(JournalError) in try marks.check(extents) },
                { (header, frame) throws(JournalError) in
                    guard try marks.isBehind(header) else { return }
                    try replay.apply(header, frame)
                    if kept != nil {
                        kept?.append(KeptFrame(header: header, bytes: frame.array))
                    }
                })
        } catch {
            record("start: \(error)")
            noteFailedStart(error)
            return nil
        }
        let heads = core.extents.map(\.head.sequence)
        let control = heads[options.shardCount]
        let report = core.report
        record(
            "start: frames \(heads), \(report.segmentCount) segments, cut \(report.cutByteCount)")
        oracle.visit(.emptyJournal, if: report.frameCount == 0)
        oracle.visit(.tornTail, if: report.cutByteCount > 0)
        oracle.visit(.journalRolled, if: report.segmentCount > 1)
        result.replayedCount += report.frameCount
        oracle.checkHeads(heads, control: control)
        oracle.visitRemains(heads, control: control)
        oracle.begin(heads, control: control)
        let machine = Machine(engine, core, now: script.now)
        compare(engine, "after the start")
        if let kept { try compareInAnotherOrder(kept, behind: snapshot, with: engine) }
        return machine
    }

    /// With any number of reactors.
    private mutating func makeEngine() throws(SystemError) -> Engine {
        try Engine(options: options, reactorCount: 1 + script.bits.below(3), hasher: hasher)
    }

    private mutating func noteFailedStart(_ error: JournalError) {
        if case .storage = error {
            oracle.visit(disk.isOff ? .crashInRecovery : .errorInRecovery)
        } else if isLying {
            oracle.visit(.damageReported)
        } else {
            oracle.note("start: \(error)")
        }
    }

    private mutating func noteFailedStart(_ error: SnapshotError) {
        if case .system = error {
            oracle.visit(disk.isOff ? .crashInRecovery : .errorInRecovery)
        } else {
            oracle.note("snapshots: \(error)")
        }
    }

    /// A second start without anything in between finds the same.
    mutating func startAgain(_ first: consuming Machine) throws(SystemError) -> Machine? {
        oracle.visit(.secondRecovery)
        let found = first.core.extents.map(\.head.sequence).dropLast()
        release(first)
        disk.kill()
        record("a second start")
        let wasOff = disk.isOff
        guard let second = try start() else {
            if oracle.finding == nil, !wasOff { oracle.note("a second start failed") }
            return nil
        }
        if second.core.extents.map(\.head.sequence).dropLast() != found {
            oracle.note("a second start found other frames")
        }
        return second
    }

    private func release(_ machine: consuming Machine) {}

    // MARK: - Judging

    /// Compares an engine that has the newest policy everywhere with the model.
    mutating func compare(_ engine: Engine, _ when: String) {
        let shared = oracle.shared.current
        if let difference = shared.difference(from: engine.master) {
            return oracle.note("\(when): \(difference)")
        }
        for number in oracle.shards.indices {
            let found = ObservedShard(engine, shard: number, skus[number], shared)
            let expected = ObservedShard(oracle.shards[number].current, shared, now: script.now)
            if let difference = found.difference(from: expected) {
                oracle.note("\(when), shard \(number): \(difference)")
            }
            let isBalanced = found.items.allSatisfy { item in
                item?.positions.allSatisfy { $0?.isBalanced ?? true } ?? true
            }
            if !isBalanced { oracle.note("\(when), shard \(number): free is not what is left") }
            oracle.visit(.freeNegative, if: found.hasNegative)
            result.stateHash = SeededBits.mix(result.stateHash ^ found.hash)
        }
    }

    /// Shards may be replayed one after the other, in any order, behind the control stream.
    private mutating func compareInAnotherOrder(
        _ frames: [KeptFrame], behind snapshot: Snapshot?, with engine: Engine
    ) throws(SystemError) {
        let other = try makeEngine()
        var replay = Replay(other)
        let streams = [StreamNumber.control, 1, 0]
        if let snapshot {
            do throws(SnapshotError) { try load(snapshot, into: other) } catch {
                return oracle.note("loaded again: \(error)")
            }
        }
        do throws(JournalError) {
            for stream in streams {
                for frame in frames where frame.header.stream == stream {
                    try replay.apply(frame.header, frame.bytes.span)
                }
            }
        } catch {
            return oracle.note("replayed in another order: \(error)")
        }
        _ = Machine.derive(other, now: script.now)
        oracle.visit(.replayedInAnotherOrder)
        let shared = oracle.shared.current
        for number in oracle.shards.indices {
            let one = ObservedShard(engine, shard: number, skus[number], shared)
            let two = ObservedShard(other, shard: number, skus[number], shared)
            if let difference = two.difference(from: one) {
                oracle.note("replayed in another order, shard \(number): \(difference)")
            }
        }
    }
}
