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
internal import Synchronization

/// A storage for simulations: one thread at a time.
@safe
package final class SimulatedStorage: Storage, @unchecked Sendable {
    package static let sectorByteCount = SimulatedDevice.sectorByteCount

    private struct Slot {
        var name: FileName?
        var durableName: FileName?
        var byteCount = 0

        /// One bit a sector: differs, and a sync would bring it over.
        var dirty: UInt64 = 0

        /// Sectors whose sync failed: seen by programs, but not on the platter.
        var lost: UInt64 = 0
    }

    package let device: SimulatedDevice
    private let slots: UnsafeMutablePointer<Slot>
    private let isLocked = Atomic(false)
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
        device = SimulatedDevice(seed: seed)
        let byteCount = slotCount * fileByteCountMax
        unsafe seen = .allocate(byteCount: byteCount, alignment: 64)
        unsafe platter = .allocate(byteCount: byteCount, alignment: 64)
        reset(seed: seed)
    }

    deinit {
        unsafe slots.deallocate()
        unsafe seen.deallocate()
        unsafe platter.deallocate()
    }

    /// A new disk, all zero.
    package func reset(seed: UInt64) {
        unsafe slots.update(repeating: Slot(), count: slotCount)
        device.reset(seed: seed)
        unlock()
        let byteCount = slotCount * fileByteCountMax
        _ = unsafe seen.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        _ = unsafe platter.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    }

    // MARK: The experimenter's side

    /// Counts operations anew, for these faults.
    package func plan(_ faults: DiskFaults) { device.plan(faults) }

    package var operationCount: Int { device.operationCount }
    package var writeCount: Int { device.writeCount }
    package var syncCount: Int { device.syncCount }

    /// Whether the planned cut has struck: nothing works until `cut`.
    package var isOff: Bool { device.isOff }

    /// Bytes that files may have in all.
    package var spaceByteCount: Int {
        get { device.spaceByteCount }
        set { device.spaceByteCount = newValue }
    }

    /// The process ends; what it wrote stays seen.
    package func kill() {
        unlock()
        device.restart()
    }

    /// The power goes and comes back.
    package func cut() {
        for slot in 0..<slotCount {
            survive(slot)
            // Unsynced changes of the folder happen or not, each by itself.
            if unsafe slots[slot].name != slots[slot].durableName {
                if device.below(2) == 0 {
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
            let kept = device.survival()
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

    // MARK: Storage

    package func lock() throws(SystemError) {
        let wasLocked = isLocked.exchange(true, ordering: .relaxed)
        guard !wasLocked else { throw device.failure("lock", wouldBlock) }
    }

    package func unlock() { isLocked.store(false, ordering: .relaxed) }

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
        try device.change("create") { () throws(SystemError) in
            guard try freeByteCount() >= byteCount else {
                throw device.failure("create", SystemError.noSpace)
            }
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
        guard !isOff else { throw device.failure("open") }
        guard let slot = find(name) else { throw device.failure("open", 2) }
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
        try device.change("rename") { () throws(SystemError) in
            guard let slot = find(name) else { throw device.failure("rename", 2) }
            if let old = find(new) { unsafe slots[old].name = nil }
            unsafe slots[slot].name = new
        }
    }

    package func remove(_ name: FileName) throws(SystemError) {
        try device.change("remove") { () throws(SystemError) in
            guard let slot = find(name) else { throw device.failure("remove", 2) }
            unsafe slots[slot].name = nil
        }
    }

    package func syncDirectory() throws(SystemError) {
        try device.change("sync a folder") { () throws(SystemError) in
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
        return max(0, spaceByteCount - used - device.otherByteCount)
    }

    package func write(
        _ file: FileNumber, at offset: Int, _ region: borrowing Region, _ range: Range<Int>
    ) throws(SystemError) -> Int {
        let slot = Int(file.value)
        var count = range.count
        var place = offset
        precondition(count > 0 && offset >= 0 && offset + count <= fileByteCountMax)
        let source = unsafe region.address(range.lowerBound, count)
        try device.change("write") { () throws(SystemError) in
            let taken = try device.beginWrite(count)
            count = taken.count
            if taken.isAstray {
                let places = (fileByteCountMax - count) / Self.sectorByteCount + 1
                place = device.below(places) * Self.sectorByteCount
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
        guard !isOff else { throw device.failure("read") }
        let slot = Int(file.value)
        let count = min(range.count, unsafe slots[slot].byteCount - offset)
        guard count > 0 else { return 0 }
        unsafe region.address(range.lowerBound, count).copyMemory(
            from: seen + slot * fileByteCountMax + offset, byteCount: count)
        return count
    }

    package func sync(_ file: FileNumber) throws(SystemError) {
        let slot = Int(file.value)
        try device.change("sync") { () throws(SystemError) in
            switch device.beginSync() {
            case .kept: break
            case .lied: return
            case .failed:
                unsafe slots[slot].lost |= slots[slot].dirty
                unsafe slots[slot].dirty = 0
                throw device.failure("sync")
            }
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
