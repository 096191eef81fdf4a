// A file of the simulated folders: what programs see, and what is on the platter.
//
// A write changes the first and marks sectors; a sync brings these over, and the size. A cut keeps,
// drops or tears each sector that was not synced, and leaves a size between both. A sync that fails
// drops what was marked: the next one reports success.

internal import Bytes
internal import Journal

/// The bytes of a file.
final class SimulatedFile {
    private let device: SimulatedDevice
    private(set) var seen: [UInt8] = []
    private var platter: [UInt8] = []
    /// By sector: differs, and a sync would bring it over; or its sync has failed.
    private var isDirty: [Bool] = []
    private var isLost: [Bool] = []

    init(_ device: SimulatedDevice) { self.device = device }

    private static let sectorByteCount = SimulatedDevice.sectorByteCount

    /// Empties what programs see.
    func truncate() { seen.removeAll() }

    /// Puts bytes at a place; zeros before it where the file ended earlier.
    func put(_ bytes: Span<UInt8>, at offset: Int) {
        let end = offset + bytes.count
        if seen.count < offset {
            seen.append(contentsOf: repeatElement(0, count: offset - seen.count))
        }
        let overlap = min(bytes.count, seen.count - offset)
        for index in 0..<overlap { seen[offset + index] = bytes[index] }
        unsafe bytes.from(overlap).withUnsafeBufferPointer { unsafe seen.append(contentsOf: $0) }
        mark(offset..<end)
    }

    private func mark(_ range: Range<Int>) {
        if range.isEmpty { return }
        let last = (range.upperBound - 1) / Self.sectorByteCount
        while isDirty.count <= last {
            isDirty.append(false)
            isLost.append(false)
        }
        for sector in range.lowerBound / Self.sectorByteCount...last { isDirty[sector] = true }
    }

    func sync(_ fate: SimulatedDevice.SyncFate) {
        if fate == .lied { return }
        for sector in isDirty.indices where isDirty[sector] {
            isDirty[sector] = false
            if fate == .failed { isLost[sector] = true }
        }
        guard fate == .kept else { return }
        let before = platter
        platter = seen
        for sector in isLost.indices where isLost[sector] { copy(before, to: &platter, sector) }
    }

    /// Copies a sector as far as both have it; zeros for the rest.
    private func copy(
        _ source: [UInt8], to target: inout [UInt8], _ sector: Int,
        part: Range<Int> = 0..<sectorByteCount
    ) {
        let start = sector * Self.sectorByteCount
        for offset in start + part.lowerBound..<start + part.upperBound where offset < target.count
        {
            target[offset] = offset < source.count ? source[offset] : 0
        }
    }

    /// Forgets what memory has and the platter has not, as far as nobody will bring it over.
    func dropCache() {
        for sector in isLost.indices where isLost[sector] {
            copy(platter, to: &seen, sector)
            isLost[sector] = false
        }
    }

    /// The power goes and comes back.
    func survive() {
        let sizes = min(platter.count, seen.count)...max(platter.count, seen.count)
        let byteCount =
            switch device.below(4) {
            case 0: sizes.lowerBound
            case 1: sizes.lowerBound + device.below(sizes.count)
            default: seen.count
            }
        platter = Array(platter.prefix(byteCount))
        platter += repeatElement(0, count: byteCount - platter.count)
        for sector in isDirty.indices where isDirty[sector] {
            copy(seen, to: &platter, sector, part: device.survival())
        }
        seen = platter
        isDirty = []
        isLost = []
    }

    /// Whether a cut can change anything.
    var isSettled: Bool {
        seen.count == platter.count && !isDirty.contains(true) && !isLost.contains(true)
    }

    /// Changes the file at rest.
    func change(_ body: (inout [UInt8]) -> Void) {
        body(&platter)
        seen = platter
    }
}
