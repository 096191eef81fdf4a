// What all files of a simulated disk share: its power, its faults, its chance and its space.

package import Platform

/// What goes wrong, and when. Numbers count from 1 for the first after `plan`; 0: never.
package struct DiskFaults: Sendable {
    /// The power goes at this operation of those that change anything, before or after its effect.
    package var cutAt = 0
    package var cutsAfter = false

    package var failWrite = 0
    package var failSync = 0
    package var failsForEver = false

    /// Every write may take only some of its bytes.
    package var shortWrites = false

    /// Every other write is interrupted before it does anything.
    package var interruptions = false

    /// This sync says yes and keeps nothing for now.
    package var loseSync = 0

    /// This write goes to another place of its file.
    package var misdirectWrite = 0

    package init() {}

    /// Mostly one cut at one of the first `operationCount` operations; sometimes failures; sometimes
    /// nothing.
    package static func drawn(
        using bits: inout SeededBits, operationCount: Int = 32
    ) -> DiskFaults {
        let syncCount = operationCount * 3 / 4
        var faults = DiskFaults()
        faults.shortWrites = bits.oneIn(8)
        faults.interruptions = bits.oneIn(8)
        switch bits.below(8) {
        case 0: break
        case 1:
            faults.failSync = 1 + bits.below(syncCount)
            faults.failsForEver = bits.oneIn(2)
        case 2:
            faults.failWrite = 1 + bits.below(syncCount)
            faults.failsForEver = bits.oneIn(2)
        default:
            faults.cutAt = 1 + bits.below(operationCount)
            faults.cutsAfter = bits.oneIn(2)
        }
        return faults
    }
}

/// A device under one or several simulated folders, so that one cut strikes them all: one thread at
/// a time.
@safe
package final class SimulatedDevice: @unchecked Sendable {
    package static let sectorByteCount = 512

    private struct State {
        var faults = DiskFaults()
        var bits: SeededBits
        var operations = 0
        var writes = 0
        var syncs = 0
        var isOff = false
        var spaceByteCount = Int.max
        var otherByteCount = 0
    }

    private let state: UnsafeMutablePointer<State>

    package init(seed: UInt64) {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State(bits: SeededBits(seed: seed)))
    }

    deinit { unsafe state.deallocate() }

    // MARK: The experimenter's side

    package func reset(seed: UInt64) {
        unsafe state.pointee = State(bits: SeededBits(seed: seed))
    }

    /// Counts operations anew, for these faults.
    package func plan(_ faults: DiskFaults) {
        unsafe state.pointee.faults = faults
        unsafe state.pointee.operations = 0
        unsafe state.pointee.writes = 0
        unsafe state.pointee.syncs = 0
    }

    package var operationCount: Int { unsafe state.pointee.operations }
    package var writeCount: Int { unsafe state.pointee.writes }
    package var syncCount: Int { unsafe state.pointee.syncs }

    /// Whether the planned cut has struck: nothing works until `restart`.
    package var isOff: Bool { unsafe state.pointee.isOff }

    /// Without faults from here on, and with power.
    package func restart() {
        unsafe state.pointee.isOff = false
        plan(DiskFaults())
    }

    /// Bytes that files may have in all.
    package var spaceByteCount: Int {
        get { unsafe state.pointee.spaceByteCount }
        set { unsafe state.pointee.spaceByteCount = newValue }
    }

    /// Bytes of files that are not the journal's.
    package var otherByteCount: Int {
        get { unsafe state.pointee.otherByteCount }
        set { unsafe state.pointee.otherByteCount = newValue }
    }

    // MARK: What files ask

    package func failure(_ operation: String, _ code: Int32 = 5) -> SystemError {
        SystemError(operation, code: code)
    }

    /// Runs an operation that changes something, unless the power goes before it.
    package func change(
        _ operation: String, _ body: () throws(SystemError) -> Void
    ) throws(SystemError) {
        guard unsafe !state.pointee.isOff else { throw failure(operation) }
        unsafe state.pointee.operations += 1
        let isCut = unsafe state.pointee.operations == state.pointee.faults.cutAt
        if isCut {
            unsafe state.pointee.isOff = true
            if unsafe !state.pointee.faults.cutsAfter { throw failure(operation) }
        }
        try body()
        if isCut { throw failure(operation) }
    }

    private func strikes(_ planned: Int, _ count: Int) -> Bool {
        let isRepeated = unsafe state.pointee.faults.failsForEver
        return planned > 0 && (count == planned || isRepeated && count > planned)
    }

    /// Counts a write of `count` bytes.
    ///
    /// - Returns: How many it takes, and whether they go to another place.
    package func beginWrite(_ count: Int) throws(SystemError) -> (count: Int, isAstray: Bool) {
        unsafe state.pointee.writes += 1
        let (faults, number) = unsafe (state.pointee.faults, state.pointee.writes)
        if strikes(faults.failWrite, number) { throw failure("write") }
        if faults.interruptions, number % 2 == 1 { throw failure("write", interrupted) }
        let isShort = faults.shortWrites && count > 1
        return (isShort ? 1 + below(count) : count, number == faults.misdirectWrite)
    }

    package enum SyncFate { case kept, failed, lied }

    /// Counts a sync.
    package func beginSync() -> SyncFate {
        unsafe state.pointee.syncs += 1
        let (faults, number) = unsafe (state.pointee.faults, state.pointee.syncs)
        if strikes(faults.failSync, number) { return .failed }
        return number == faults.loseSync ? .lied : .kept
    }

    /// What a cut leaves of a sector that was not synced: the new bytes of this range.
    package func survival() -> Range<Int> {
        let choice = unsafe state.pointee.bits.next()
        let torn = Int(choice &>> 8) & (Self.sectorByteCount - 1)
        return switch choice & 7 {
        case 0...2: 0..<Self.sectorByteCount
        case 3...5: 0..<0
        case 6: 0..<torn
        default: torn..<Self.sectorByteCount
        }
    }

    /// 0 ..< `bound`, by lot.
    package func below(_ bound: Int) -> Int { unsafe state.pointee.bits.below(bound) }
}
