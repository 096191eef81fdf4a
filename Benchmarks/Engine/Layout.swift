// The data that the figures are measured on: which SKU is where, and how much of it.

import Bytes

/// Which locations a SKU is at.
enum RunShape: String {
    /// Every SKU at all locations: location ids are slots.
    case full = "all of 100 locations"
    /// Every SKU at 40 locations of its own choice.
    case sparse = "40 of 100 locations"
}

/// SKUs, locations and quantities by arithmetic: nothing is kept, anything can be checked.
struct Layout {
    let skuCount: Int
    let shape: RunShape

    static let locationCount = 100

    init(positionCount: Int, _ shape: RunShape) {
        self.shape = shape
        skuCount = max(1, positionCount / (shape == .full ? Self.locationCount : 40))
    }

    /// Positions of each SKU.
    var runCount: Int { shape == .full ? Self.locationCount : 40 }

    var positionCount: Int { skuCount * runCount }

    /// Units at a position in the beginning: 1001 ... 2000, so that no figure sells more.
    func units(_ sku: Int, _ location: UInt16) -> Int32 {
        let word = mixed(UInt64(sku) << 16 | UInt64(location))
        return Int32(truncatingIfNeeded: (word >> 32 &* 1000) >> 32) + 1001
    }

    /// Locations of a SKU, ascending; `runCount` of them.
    ///
    /// Selection sampling (Knuth, TAOCP vol. 2, algorithm S), seeded by the SKU.
    func locations(of sku: Int) -> [UInt16] {
        if shape == .full { return (0..<UInt16(Self.locationCount)).map { $0 } }
        var random = SplitMix(seed: mixed(UInt64(sku) ^ 0x5BA3))
        var chosen: [UInt16] = []
        chosen.reserveCapacity(runCount)
        for location in 0..<Self.locationCount
        where random.below(Self.locationCount - location) < runCount - chosen.count {
            chosen.append(UInt16(location))
        }
        return chosen
    }

    // MARK: - Names

    static let skuByteCount = 11
    static let locationByteCount = 4

    /// Appends `SKU-0012345`.
    static func appendSKU(_ number: Int, to text: inout ByteBuffer) {
        text.append("SKU-")
        append(number, digits: 7, to: &text)
    }

    /// Appends `S042`.
    static func appendLocation(_ number: UInt16, to text: inout ByteBuffer) {
        text.append("S")
        append(Int(number), digits: 3, to: &text)
    }

    private static func append(_ number: Int, digits: Int, to text: inout ByteBuffer) {
        var scale = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            text.append(UInt8(ascii: "0") + UInt8(number / scale % 10))
            scale /= 10
        }
    }
}

/// A position by numbers: what the samples of a figure consist of.
struct SampledPosition {
    var sku: UInt32
    var location: UInt16
    /// Its place in a column that holds all positions SKU by SKU.
    var place: UInt32
}

extension Layout {
    /// Random positions: SKUs by `distribution`, one of their locations each.
    func samplePositions(
        _ count: Int, _ distribution: KeyDistribution, seed: UInt64
    ) -> [SampledPosition] {
        var sampler = KeySampler(count: skuCount, distribution, seed: seed)
        var random = SplitMix(seed: ~seed)
        return (0..<count).map { _ in
            let sku = sampler.next()
            let slot = random.below(runCount)
            let location = shape == .full ? UInt16(slot) : locations(of: sku)[slot]
            return SampledPosition(
                sku: UInt32(sku), location: location, place: UInt32(sku * runCount + slot))
        }
    }
}
