// The end of a disk: it lies. What is at rest must be reported as damaged or be as it was; after a
// sync that kept nothing, or a write that went astray, the past may be shorter, but is one.

internal import Domain
internal import Engine
internal import Journal
internal import Platform

extension EngineSimulation {
    mutating func lie() throws(SystemError) {
        disk.plan(DiskFaults())
        disk.spaceByteCount = .max
        if script.bits.oneIn(2) { try flip() } else { try liveOnALiar() }
        oracle.allowsLoss = false
        isLying = false
        clients.forget()
    }

    /// A bit changes while the journal is at rest, closed in order.
    private mutating func flip() throws(SystemError) {
        var machine = try start()
        guard let machine = machine.take() else { return oracle.note("the last start failed") }
        let base = machine.core.report.endSegment
        let end = close(machine)
        guard oracle.finding == nil, end > base else { return }
        let byteCount = min(Int(end - base), configuration.segmentByteCount)
        let bit = script.bits.below(byteCount * 8)
        record("bit \(bit) of segment \(base) flips")
        disk.flip(bit: bit, of: .segment(base))
        isLying = true
        if try start() != nil { oracle.visit(.flipHarmless) }
        disk.kill()
    }

    /// - Returns: The position behind the last mark.
    private func close(_ machine: consuming Machine) -> UInt64 {
        machine.core.close()
        disk.kill()
        return machine.core.position
    }

    /// One more life, in which a sync keeps nothing or a write goes to another place.
    private mutating func liveOnALiar() throws(SystemError) {
        var faults = DiskFaults()
        // Behind those of the start: what was there before is not what is lied about.
        if script.bits.oneIn(2) {
            faults.loseSync = 4 + script.bits.below(8)
        } else {
            faults.misdirectWrite = 4 + script.bits.below(8)
        }
        disk.plan(faults)
        isLying = true
        oracle.allowsLoss = true
        try live()
        guard oracle.finding == nil else { return }
        let sequences = oracle.shards.map(\.sequence)
        if try start() != nil, oracle.shards.map(\.sequence) != sequences {
            oracle.visit(.pastShorter)
        }
        disk.kill()
    }
}
