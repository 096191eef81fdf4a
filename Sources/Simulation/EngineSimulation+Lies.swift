// The end of a disk: it lies. What is at rest must be reported as damaged or be as it was; after a
// sync that kept nothing, or a write that went astray, the past may be shorter, but is one.

internal import Bytes
internal import Domain
internal import Engine
internal import Journal
internal import Platform
internal import Snapshot

extension EngineSimulation {
    mutating func lie() throws(SystemError) {
        disk.plan(DiskFaults())
        disk.spaceByteCount = .max
        switch script.bits.below(8) {
        case 0, 1: try flip()
        case 2: try damageAllSnapshots()
        case 3: try exchangeSnapshot()
        case 4, 5: try shortenJournal()
        default: try liveOnALiar()
        }
        oracle.allowsLoss = false
        isLying = false
        clients.forget()
    }

    /// A bit changes while the journal is at rest, closed in order.
    private mutating func flip() throws(SystemError) {
        var machine = try start()
        guard let machine = machine.take() else { return oracle.note("the last start failed") }
        let base = machine.core.report.endSegment
        let end = close(machine).end
        guard oracle.finding == nil, end > base else { return }
        let byteCount = min(Int(end - base), configuration.segmentByteCount)
        let bit = script.bits.below(byteCount * 8)
        record("bit \(bit) of segment \(base) flips")
        disk.flip(bit: bit, of: .segment(base))
        isLying = true
        if try start() != nil { oracle.visit(.flipHarmless) }
        disk.kill()
    }

    /// - Returns: Where the last segment begins, and the position behind the last mark.
    private func close(_ machine: consuming Machine) -> (segment: UInt64, end: UInt64) {
        machine.core.close()
        disk.kill()
        return (machine.core.segmentBase, machine.core.position)
    }

    /// One more life, in which a sync keeps nothing or a write goes to another place.
    private mutating func liveOnALiar() throws(SystemError) {
        var faults = DiskFaults()
        let takesSnapshot = script.bits.oneIn(2)
        let operationCount = takesSnapshot ? 60 : 8
        // Behind those of the start: what was there before is not what is lied about.
        if script.bits.oneIn(2) {
            faults.loseSync = 4 + script.bits.below(operationCount)
        } else {
            faults.misdirectWrite = 4 + script.bits.below(operationCount)
        }
        disk.plan(faults)
        isLying = true
        oracle.allowsLoss = true
        try live(takesSnapshot: takesSnapshot)
        guard oracle.finding == nil else { return }
        let sequences = oracle.shards.map(\.sequence)
        if try start() != nil, oracle.shards.map(\.sequence) != sequences {
            oracle.visit(.pastShorter)
        }
        disk.kill()
    }

    /// The end of the journal is gone, perhaps with what a snapshot was taken at.
    private mutating func shortenJournal() throws(SystemError) {
        var machine = try start()
        guard var machine = machine.take() else { return oracle.note("the last start failed") }
        for _ in 0..<8 { step(&machine) }
        takeSnapshot(&machine)
        let (segment, end) = close(machine)
        clients.crash()
        guard oracle.finding == nil, end > segment else { return }
        let offset = script.bits.below(Int(end - segment))
        record("segment \(segment) ends at \(offset)")
        disk.erase(offset..<configuration.segmentByteCount, of: .segment(segment))
        isLying = true
        oracle.allowsLoss = true
        let isFound = try start() != nil
        oracle.visit(isFound ? .pastShorter : .journalTooShort)
        disk.kill()
    }

    /// No snapshot is left: the journal alone must do, or its missing beginning be noticed.
    private mutating func damageAllSnapshots() throws(SystemError) {
        let reader = SnapshotReader(place)
        for number in (try? reader.numbers()) ?? [] where oracle.snapshots.damaged[number] == nil {
            damageSnapshot(number)
        }
        isLying = true
        oracle.visit(.allSnapshotsDamaged)
        _ = try start()
        disk.kill()
    }

    /// The newest snapshot is one of another past, at a frame of the same number.
    private mutating func exchangeSnapshot() throws(SystemError) {
        guard let number = oracle.snapshots.whole.last,
            var manifest = try? SnapshotReader(place).newest().snapshot?.manifest,
            manifest.number >= number
        else { return }
        let shard = script.bits.below(options.shardCount)
        manifest.shards[shard].hash.value ^= 1
        let bytes = manifest.encoded().span.array
        folders.damage("\(Self.snapshots)/\(manifest.number)/\(Manifest.fileName)") { $0 = bytes }
        record("the mark of shard \(shard) is another")
        isLying = true
        if try start() != nil, oracle.finding == nil {
            oracle.note("a snapshot of another past is used")
        }
        oracle.visit(.strangeSnapshotRefused)
        disk.kill()
    }
}
