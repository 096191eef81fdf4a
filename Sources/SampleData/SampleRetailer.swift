// An invented retailer of any size, made from a seed: the same seed, the same bytes, everywhere.
//
// All arithmetic is on integers, and each purpose draws from a stream of its own. The day's sales
// follow from the same weights as the opening stock, so that the stock lasts, mostly.

/// A retailer: catalogue, locations, groups and how well what sells where.
///
/// Stock and events are worked out when they are asked for, so that a large retailer can be
/// written a part at a time.
package struct SampleRetailer: Sendable {
    package let options: SampleOptions
    package let items: [SampleItem]
    package let locations: [SampleLocation]
    package let groups: [SampleGroup]

    /// Items by how well they sell.
    let itemChoice: WeightedChoice

    /// Of 1,000 units sold, those sold over the counter.
    static let counterPermille = 600

    /// - Complexity: O(n log n) in the number of SKUs.
    package init(_ options: SampleOptions = SampleOptions()) {
        self.options = options
        items = SampleItem.catalogue(options)
        locations = SampleLocation.network(options)
        groups = SampleGroup.all(over: locations)
        itemChoice = WeightedChoice(items.lazy.map(\.weight))
    }

    /// The item of `category` that sells best.
    func bestSeller(of category: String) -> SampleItem {
        let best = items.filter { SampleCategory.all[$0.category].name == category }
            .min { $0.rankPermille < $1.rankPermille }
        guard let best else { preconditionFailure("no such category") }
        return best
    }
}
