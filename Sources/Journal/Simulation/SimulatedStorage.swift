// A disk in memory that loses power, lies and fails as disks do.
//
// Files consist of sectors of 512 bytes. Every file has two images: what programs see, and what is on
// the platter. A write changes the first and marks sectors dirty; a sync copies dirty sectors over.
// A cut decides for each dirty sector apart: kept, dropped, or torn at any byte, the new bytes before
// or behind. What was created, renamed or removed and not yet synced with the folder happens or not.
//
// A sync that fails drops what was dirty without a trace: the next sync of the same file reports
// success. A file that is created holds whatever its place held before.
//
// Faults are planned by number: the k-th write, the k-th sync, the k-th operation of any kind. The
// same seed and the same calls give the same disk, bit for bit.

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
        var faults = DiskFaults()
        faults.shortWrites = bits.oneIn(8)
        faults.interruptions = bits.oneIn(8)
        switch bits.below(8) {
        case 0: break
        case 1:
            faults.failSync = 1 + bits.below(24)
            faults.failsForEver = bits.oneIn(2)
        case 2:
            faults.failWrite = 1 + bits.below(24)
            faults.failsForEver = bits.oneIn(2)
        default:
            faults.cutAt = 1 + bits.below(operationCount)
            faults.cutsAfter = bits.oneIn(2)
        }
        return faults
    }
}

/// A storage for simulations: one thread at a time.
@safe
package final class SimulatedStorage: Storage, @unchecked Sendable {
    package static let sectorByteCount = 512

    private struct Slot {
        var name: FileName?
        var durableName: FileName?
        var byteCount = 0

        /// One bit a sector: differs, and a sync would bring it over.
        var dirty: UInt64 = 0

        /// Sectors whose sync failed: seen by programs, but not on the platter.
        var lost: UInt64 = 0
    }

    private struct State {
        var faults = DiskFaults()
        var bits: SeededBits
        var operations = 0
        var writes = 0
        var syncs = 0
        var isOff = false
        var isLocked = false
        var spaceByteCount = Int.max
    }

    private let slots: UnsafeMutablePointer<Slot>
    private let state: UnsafeMutablePointer<State>
    private let seen: UnsafeMutableRawPointer
    private let platter: UnsafeMutableRawPointer
    private let slotCount: Int
    private let fileByteCountMax: Int

    /// - Parameter fileByteCountMax: A multiple of 512, at most 64 sectors.
    package init(seed: UInt64, fileByteCountMax: Int, slotCount: Int = 12) {
        precondition(fileByteCountMax % Self.sectorByteCount == 0)
        precondition(fileByteCountMax <= 64 * Self.sectorByteCount)
        self.slotCount = slotCount
        self.fileByteCountMax = fileByteCountMax
        unsafe slots = .allocate(capacity: slotCount)
        unsafe slots.initialize(repeating: Slot(), count: slotCount)
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State(bits: SeededBits(seed: seed)))
        let byteCount = slotCount * fileByteCountMax
        unsafe seen = .allocate(byteCount: byteCount, alignment: 64)
        unsafe platter = .allocate(byteCount: byteCount, alignment: 64)
        reset(seed: seed)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe state.deallocate()
        unsafe seen.deallocate()
        unsafe platter.deallocate()
    }

    /// A new disk, all zero.
    package func reset(seed: UInt64) {
        unsafe slots.update(repeating: Slot(), count: slotCount)
        unsafe state.pointee = State(bits: SeededBits(seed: seed))
        let byteCount = slotCount * fileByteCountMax
        _ = unsafe seen.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        _ = unsafe platter.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    // MARK: The experimenter's side

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

    /// Whether the planned cut has struck: nothing works until `cut`.
    package var isOff: Bool { unsafe state.pointee.isOff }

    /// Bytes that files may have in all.
    package var spaceByteCount: Int {
        get { unsafe state.pointee.spaceByteCount }
        set { unsafe state.pointee.spaceByteCount = newValue }
    }

    /// The process ends; what it wrote stays seen.
    package func kill() {
        unsafe state.pointee.isLocked = false
        unsafe state.pointee.isOff = false
        plan(DiskFaults())
    }

    /// The power goes and comes back.
    package func cut() {
        for slot in 0..<slotCount {
            survive(slot)
            // Unsynced changes of the folder happen or not, each by itself.
            if unsafe slots[slot].name != slots[slot].durableName {
                if unsafe state.pointee.bits.oneIn(2) {
                    let old = unsafe slots[slot].durableName
                    unsafe slots[slot].name = nil
                    if let old, find(old) == nil { unsafe slots[slot].name = old }
                    unsafe slots[slot].durableName = slots[slot].name
                } else {
                    unsafe slots[slot].durableName = slots[slot].name
                }
            }
        }
        kill()
    }

    private func survive(_ slot: Int) {
        var dirty = unsafe slots[slot].dirty
        while dirty != 0 {
            let sector = dirty.trailingZeroBitCount
            dirty &= dirty &- 1
            let place = slot * fileByteCountMax + sector * Self.sectorByteCount
            let choice = unsafe state.pointee.bits.next()
            let torn = Int(choice &>> 8) & (Self.sectorByteCount - 1)
            let kept: Range<Int> =
                switch choice & 7 {
                case 0...2: 0..<Self.sectorByteCount
                case 3...5: 0..<0
                case 6: 0..<torn
                default: torn..<Self.sectorByteCount
                }
            unsafe (platter + place + kept.lowerBound).copyMemory(
                from: seen + place + kept.lowerBound, byteCount: kept.count)
        }
        seePlatter(slot, unsafe slots[slot].dirty | slots[slot].lost)
        unsafe slots[slot].dirty = 0
        unsafe slots[slot].lost = 0
    }

    /// Makes sectors look as they are on the platter.
    private func seePlatter(_ slot: Int, _ sectors: UInt64) {
        var rest = sectors
        while rest != 0 {
            let place =
                slot * fileByteCountMax + rest.trailingZeroBitCount * Self.sectorByteCount
            unsafe (seen + place).copyMemory(
                from: platter + place, byteCount: Self.sectorByteCount)
            rest &= rest &- 1
        }
    }

    /// Changes one bit of a file at rest.
    package func flip(bit: Int, of name: FileName) {
        guard let slot = find(name) else { preconditionFailure("there is no such file") }
        let place = slot * fileByteCountMax + bit / 8
        let mask = UInt8(1) &<< UInt8(bit % 8)
        let byte = unsafe platter.load(fromByteOffset: place, as: UInt8.self) ^ mask
        unsafe platter.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
        unsafe seen.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
    }

    /// Overwrites bytes of a file at rest with those at another place of it.
    package func overwrite(_ range: Range<Int>, from offset: Int, of name: FileName) {
        guard let slot = find(name) else { preconditionFailure("there is no such file") }
        let base = slot * fileByteCountMax
        unsafe (platter + base + range.lowerBound).copyMemory(
            from: platter + base + offset, byteCount: range.count)
        unsafe (seen + base + range.lowerBound).copyMemory(
            from: platter + base + offset, byteCount: range.count)
    }

    /// Makes bytes of a file at rest zero.
    package func erase(_ range: Range<Int>, of name: FileName) {
        guard let slot = find(name) else { preconditionFailure("there is no such file") }
        let place = slot * fileByteCountMax + range.lowerBound
        _ = unsafe (platter + place).initializeMemory(
            as: UInt8.self, repeating: 0, count: range.count)
        _ = unsafe (seen + place).initializeMemory(
            as: UInt8.self, repeating: 0, count: range.count)
    }

    /// A hash of all names and bytes on the platter.
    package var stateHash: UInt64 {
        var hash: UInt64 = 0
        for slot in 0..<slotCount {
            guard case .segment(let base) = unsafe slots[slot].durableName else { continue }
            let content = unsafe XXH64.hash(
                platter + slot * fileByteCountMax, slots[slot].byteCount)
            hash ^= SeededBits.mix(content &+ base)
        }
        return hash
    }

    // MARK: Faults

    private func failure(_ operation: String, _ code: Int32 = 5) -> SystemError {
        SystemError(operation, code: code)
    }

    /// Runs an operation that changes something, unless the power goes before it.
    private func change(
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

    // MARK: Storage

    package func lock() throws(SystemError) {
        guard unsafe !state.pointee.isLocked else { throw failure("lock", wouldBlock) }
        unsafe state.pointee.isLocked = true
    }

    package func unlock() { unsafe state.pointee.isLocked = false }

    private func find(_ name: FileName) -> Int? {
        for slot in 0..<slotCount where unsafe slots[slot].name == name { return slot }
        return nil
    }

    package func segments() throws(SystemError) -> [UInt64] {
        var bases: [UInt64] = []
        for slot in 0..<slotCount {
            if case .segment(let base) = unsafe slots[slot].name { bases.append(base) }
        }
        return bases
    }

    package func exists(_ name: FileName) -> Bool { find(name) != nil }

    package func create(_ name: FileName, byteCount: Int) throws(SystemError) -> FileNumber {
        precondition(byteCount <= fileByteCountMax)
        var made = 0
        try change("create") { () throws(SystemError) in
            guard try freeByteCount() >= byteCount else { throw failure("create", noSpace) }
            var slot = 0
            if let old = find(name) {
                slot = old
            } else {
                while slot < slotCount,
                    unsafe slots[slot].name != nil || slots[slot].durableName != nil
                { slot += 1 }
                precondition(slot < slotCount, "the simulated folder is too small")
                unsafe slots[slot] = Slot(name: name)
                let start = slot * fileByteCountMax
                unsafe (seen + start).copyMemory(
                    from: platter + start, byteCount: fileByteCountMax)
            }
            unsafe slots[slot].byteCount = byteCount
            made = slot
        }
        return FileNumber(Int32(made))
    }

    package func open(_ name: FileName) throws(SystemError) -> FileNumber {
        guard unsafe !state.pointee.isOff else { throw failure("open") }
        guard let slot = find(name) else { throw failure("open", 2) }
        return FileNumber(Int32(slot))
    }

    package func openUncached(_ name: FileName) throws(SystemError) -> FileNumber {
        let file = try open(name)
        let slot = Int(file.value)
        seePlatter(slot, unsafe slots[slot].lost)
        unsafe slots[slot].lost = 0
        return file
    }

    package func close(_ file: FileNumber) {}

    package func byteCount(_ file: FileNumber) throws(SystemError) -> Int {
        unsafe slots[Int(file.value)].byteCount
    }

    package func rename(_ name: FileName, to new: FileName) throws(SystemError) {
        try change("rename") { () throws(SystemError) in
            guard let slot = find(name) else { throw failure("rename", 2) }
            if let old = find(new) { unsafe slots[old].name = nil }
            unsafe slots[slot].name = new
        }
    }

    package func remove(_ name: FileName) throws(SystemError) {
        try change("remove") { () throws(SystemError) in
            guard let slot = find(name) else { throw failure("remove", 2) }
            unsafe slots[slot].name = nil
        }
    }

    package func syncDirectory() throws(SystemError) {
        try change("sync a folder") { () throws(SystemError) in
            for slot in 0..<slotCount {
                unsafe slots[slot].durableName = slots[slot].name
            }
        }
    }

    package func freeByteCount() throws(SystemError) -> Int {
        var used = 0
        for slot in 0..<slotCount where unsafe slots[slot].name != nil {
            used += unsafe slots[slot].byteCount
        }
        return max(0, spaceByteCount - used)
    }

    package func write(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int {
        let slot = Int(file.value)
        var count = range.count
        var place = offset
        precondition(count > 0 && offset >= 0 && offset + count <= fileByteCountMax)
        let source = unsafe region.address(range.lowerBound, count)
        try change("write") { () throws(SystemError) in
            unsafe state.pointee.writes += 1
            let (faults, number) = unsafe (state.pointee.faults, state.pointee.writes)
            if strikes(faults.failWrite, number) { throw failure("write") }
            if faults.interruptions, number % 2 == 1 { throw failure("write", interrupted) }
            if faults.shortWrites, count > 1 {
                count = unsafe 1 + state.pointee.bits.below(count)
            }
            if number == faults.misdirectWrite {
                let places = (fileByteCountMax - count) / Self.sectorByteCount + 1
                place = unsafe state.pointee.bits.below(places) * Self.sectorByteCount
            }
            unsafe (seen + slot * fileByteCountMax + place).copyMemory(
                from: source, byteCount: count)
            let first = place / Self.sectorByteCount
            let last = (place + count - 1) / Self.sectorByteCount
            for sector in first...last { unsafe slots[slot].dirty |= 1 &<< UInt64(sector) }
        }
        return count
    }

    package func read(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int {
        guard unsafe !state.pointee.isOff else { throw failure("read") }
        let slot = Int(file.value)
        let count = min(range.count, unsafe slots[slot].byteCount - offset)
        guard count > 0 else { return 0 }
        unsafe region.address(range.lowerBound, count).copyMemory(
            from: seen + slot * fileByteCountMax + offset, byteCount: count)
        return count
    }

    package func sync(_ file: FileNumber) throws(SystemError) {
        let slot = Int(file.value)
        try change("sync") { () throws(SystemError) in
            unsafe state.pointee.syncs += 1
            let (faults, number) = unsafe (state.pointee.faults, state.pointee.syncs)
            if strikes(faults.failSync, number) {
                unsafe slots[slot].lost |= slots[slot].dirty
                unsafe slots[slot].dirty = 0
                throw failure("sync")
            }
            if number == faults.loseSync { return }
            var dirty = unsafe slots[slot].dirty
            while dirty != 0 {
                let place =
                    slot * fileByteCountMax + dirty.trailingZeroBitCount * Self.sectorByteCount
                unsafe (platter + place).copyMemory(
                    from: seen + place, byteCount: Self.sectorByteCount)
                dirty &= dirty &- 1
            }
            unsafe slots[slot].dirty = 0
        }
    }
}
