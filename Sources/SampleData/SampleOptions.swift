// How large the invented retailer is.

/// The seed and the sizes that a sample retailer follows from.
package struct SampleOptions: Equatable, Sendable {
    package static let skuCounts: ClosedRange<Int> = 100...1_000_000
    package static let storeCounts: ClosedRange<Int> = 1...999
    package static let eventCounts: ClosedRange<Int> = 0...10_000_000

    /// Warehouses, whatever the number of stores.
    static let warehouseCount = 3

    package let seed: UInt64
    package let skuCount: Int
    package let storeCount: Int
    /// Events of the day, without the repeats among them.
    package let eventCount: Int

    /// - Precondition: The sizes lie in `skuCounts`, `storeCounts` and `eventCounts`.
    package init(
        seed: UInt64 = 1, skuCount: Int = 5000, storeCount: Int = 60, eventCount: Int = 120_000
    ) {
        precondition(Self.skuCounts.contains(skuCount))
        precondition(Self.storeCounts.contains(storeCount))
        precondition(Self.eventCounts.contains(eventCount))
        self.seed = seed
        self.skuCount = skuCount
        self.storeCount = storeCount
        self.eventCount = eventCount
    }
}
