import Bytes
import Foundation
import SampleData
import Testing

@Suite struct SampleStockTests {
    static let rows = Sample.rows(Sample.stock)

    @Test func `there are 150,000 to 200,000 positions`() {
        #expect(
            Self.rows[0].joined(separator: ",") == "sku,location,sellable,returned,damaged,blocked")
        #expect((150_000...200_000).contains(Self.rows.count - 1))
    }

    @Test func `every row is one position of a known item and location`() {
        let skus = Set(Sample.retailer.items.map(\.sku))
        let locations = Set(Sample.retailer.locations.map(\.name))
        var seen: Set<String> = []
        var faults = 0
        for row in Self.rows.dropFirst() {
            let quantities = row.dropFirst(2).compactMap { Int32($0) }
            let isGood =
                row.count == 6 && skus.contains(row[0]) && locations.contains(row[1])
                && quantities.count == 4 && quantities.allSatisfy { $0 >= 0 }
                && seen.insert("\(row[0])\n\(row[1])").inserted
            if !isGood { faults += 1 }
        }
        #expect(faults == 0)
    }

    @Test(arguments: ["DC1", "DC2", "DC3"])
    func `every item lies in the warehouse`(name: String) {
        #expect(Self.rows.count { $0[1] == name } == 5000)
    }

    @Test func `no store has everything and each has something`() {
        let counts = Dictionary(grouping: Self.rows.dropFirst(), by: { $0[1] }).mapValues(\.count)
        for store in Sample.retailer.locations where !store.isWarehouse {
            #expect((500..<5000).contains(counts[store.name, default: 0]), "\(store.name)")
        }
    }

    @Test func `a few positions are sold out and a few have other conditions`() {
        let rows = Self.rows.dropFirst()
        let soldOut = rows.count { $0[2] == "0" }
        #expect((rows.count / 100..<rows.count / 10).contains(soldOut))
        for column in 3...5 {
            let count = rows.count { $0[column] != "0" }
            #expect((100..<rows.count / 10).contains(count), "column \(column)")
        }
    }

    @Test func `the parts of the stock make up the whole`() {
        let retailer = SampleRetailer(SampleOptions(skuCount: 301, storeCount: 20, eventCount: 0))
        var parts = ByteBuffer()
        parts.append(SampleRetailer.stockHeader)
        for first in stride(from: 0, to: 301, by: 7) {
            retailer.appendStock(ofItems: first..<min(301, first + 7), to: &parts)
        }
        var whole = ByteBuffer()
        retailer.append(.stock, to: &whole)
        let isSame = parts.span.equals(whole.span)
        #expect(isSame)
    }
}
