// The catalogue: what is sold, and how well.

/// One SKU.
package struct SampleItem: Sendable {
    package let sku: String
    package let name: String

    /// The category's place in `SampleCategory.all`.
    let category: Int

    /// How often it sells, against the other items: close to Zipf's law, weighted by category.
    let weight: Int

    /// Place among the items of its category by `weight`, in thousandths: 0 sells best.
    fileprivate(set) var rankPermille = 0
}

extension SampleItem {
    /// `options.skuCount` items, category by category.
    ///
    /// - Complexity: O(n log n).
    static func catalogue(_ options: SampleOptions) -> [SampleItem] {
        let categories = SampleCategory.all
        let shares = categories.reduce(0) { $0 + $1.share }
        var random = SampleRandom(seed: options.seed, .popularity)
        var ranks = (0..<Int32(options.skuCount)).map { $0 }
        random.shuffle(&ranks)

        var items: [SampleItem] = []
        items.reserveCapacity(options.skuCount)
        var shareSum = 0
        for (index, category) in categories.enumerated() {
            shareSum += category.share
            let start = items.count
            let count = options.skuCount * shareSum / shares - start
            for number in 0..<count {
                items.append(
                    SampleItem(
                        sku: category.itemSKU(number, of: count, category: index),
                        name: category.itemName(number, of: count), category: index,
                        weight: (category.popularity << 24) / (Int(ranks[items.count]) + 12)))
            }
            rank(&items, in: start..<items.count)
        }
        return items
    }

    /// Sets the rank of each of the items in `range`, which make up a category.
    private static func rank(_ items: inout [SampleItem], in range: Range<Int>) {
        let sorted = range.sorted {
            (items[$1].weight, $0) < (items[$0].weight, $1)
        }
        for (rank, index) in sorted.enumerated() {
            items[index].rankPermille = rank * 1000 / range.count
        }
    }
}
