import Foundation
import SampleData
import Testing

/// The day played on the opening stock by DESIGN's table of kinds, in the order of `at`.
@Suite struct SampleReplayTests {
    struct Outcome {
        var sales = 0
        var shortSales = 0
        /// The fewest units that any position ever had in a condition, zero or less.
        var lowest = ["sellable": 0, "returned": 0, "damaged": 0, "blocked": 0]
    }

    /// Units by position and condition.
    struct Book {
        private var units: [String: Int] = [:]
        var lowest: [String: Int] = [:]

        subscript(_ event: TestEvent, _ place: String, _ condition: String) -> Int {
            get { units["\(event.texts["sku", default: ""]),\(place),\(condition)", default: 0] }
            set {
                units["\(event.texts["sku", default: ""]),\(place),\(condition)"] = newValue
                lowest[condition] = min(newValue, lowest[condition, default: 0])
            }
        }

        init(rows: [[String]]) {
            for row in rows.dropFirst() {
                for (condition, text) in zip(rows[0], row).dropFirst(2) where text != "0" {
                    units["\(row[0]),\(row[1]),\(condition)"] = Int(text) ?? 0
                }
            }
        }
    }

    static let outcome: Outcome = {
        var book = Book(rows: SampleStockTests.rows)
        var outcome = Outcome()
        let events = SampleDayTests.once
        let order = events.indices.sorted {
            (events[$0].at, events[$0].sequence) < (events[$1].at, events[$1].sequence)
        }
        for event in order.lazy.map({ events[$0] }) {
            let place = event.texts["location", default: ""]
            let from = event.texts["from", default: "sellable"]
            let to = event.texts["to", default: "sellable"]
            switch event.kind {
            case "sale":
                outcome.sales += 1
                if book[event, place, "sellable"] < event.quantity { outcome.shortSales += 1 }
                book[event, place, "sellable"] -= event.quantity
            case "receipt", "return": book[event, place, to] += event.quantity
            case "move":
                book[event, place, from] -= event.quantity
                book[event, place, to] += event.quantity
            case "write_off": book[event, place, from] -= event.quantity
            case "adjust": book[event, place, "sellable"] += event.quantity
            case "count": book[event, place, "sellable"] = event.quantity
            default:
                book[event, place, "sellable"] -= event.quantity
                book[event, event.texts["to_location", default: ""], "sellable"] += event.quantity
            }
        }
        outcome.lowest.merge(book.lowest) { min($0, $1) }
        return outcome
    }()

    @Test func `stock suffices for nearly all sales but not for all`() {
        #expect((10...1000).contains(Self.outcome.shortSales))
        #expect(Self.outcome.sales > 90_000)
        #expect((Self.outcome.lowest["sellable"] ?? 0) < 0)
    }

    @Test(arguments: ["returned", "damaged", "blocked"])
    func `no more units leave a condition than are in it`(condition: String) {
        #expect(Self.outcome.lowest[condition, default: 0] >= 0)
    }
}
