import Foundation
import SampleData
import Testing

@Suite struct SampleDayTests {
    /// Every event once, in the order of arrival.
    static let once: [TestEvent] = {
        var seen: Set<String> = []
        return Sample.events.filter { seen.insert($0.line).inserted }
    }()

    @Test func `there are 120,000 events of all eight kinds`() {
        #expect(Self.once.count == 120_000)
        #expect(
            Set(Self.once.map(\.kind)) == [
                "receipt", "sale", "return", "move", "write_off", "adjust", "count", "transfer",
            ])
    }

    @Test func `an event has what its kind needs and nothing else`() {
        let common: Set<String> = ["id", "kind", "sku", "location", "qty", "at", "source", "seq"]
        let needed: [String: Set<String>] = [
            "receipt": [], "sale": ["channel"], "return": ["to"], "move": ["from", "to", "reason"],
            "write_off": ["from", "reason"], "adjust": ["reason"], "count": [],
            "transfer": ["to_location"],
        ]
        for event in Self.once {
            var keys = event.keys.subtracting(common)
            if event.kind == "return" { keys.remove("reason") }
            let isGood =
                event.keys.isSuperset(of: common) && keys == needed[event.kind]
                && event.numbers.keys.sorted() == ["qty", "seq"]
            if !isGood { Issue.record("\(event.line)") }
        }
    }

    @Test func `every name is known and every item is kept where the event says`() {
        let positions = Set(
            SampleStockTests.rows.dropFirst().map { "\($0[0])\n\($0[1])" })
        let channels: Set = ["web", "app", "marketplace", "store"]
        let conditions: Set = ["sellable", "returned", "damaged", "blocked"]
        for event in Self.once {
            let sku = event.texts["sku", default: ""]
            var isGood = positions.contains("\(sku)\n\(event.texts["location", default: ""])")
            if let destination = event.texts["to_location"] {
                isGood = isGood && positions.contains("\(sku)\n\(destination)")
                isGood = isGood && destination != event.texts["location"]
            }
            isGood = isGood && channels.isSuperset(of: [event.texts["channel"]].compactMap { $0 })
            let named = [event.texts["from"], event.texts["to"]].compactMap { $0 }
            isGood = isGood && conditions.isSuperset(of: named) && Set(named).count == named.count
            if !isGood { Issue.record("\(event.line)") }
        }
    }

    @Test func `quantities are positive, signed to adjust, and a count may be zero`() {
        for event in Self.once {
            let isGood =
                switch event.kind {
                case "adjust": event.quantity != 0
                case "count": event.quantity >= 0
                default: event.quantity > 0
                }
            if !isGood { Issue.record("\(event.line)") }
        }
        #expect(Self.once.contains { $0.kind == "adjust" && $0.quantity < 0 })
        #expect(Self.once.contains { $0.kind == "adjust" && $0.quantity > 0 })
    }

    @Test func `every event lies in the day`() {
        let day = TestEvent.midnight..<(TestEvent.midnight + 86_400_000)
        #expect(SampleDay.start == Int64(day.lowerBound))
        #expect(SampleDay.end == Int64(day.upperBound))
        #expect(Self.once.allSatisfy { day.contains($0.at) })
    }

    @Test func `20:00 is the middle of the busiest hour`() {
        var minutes = Array(repeating: 0, count: 1440)
        for event in Self.once { minutes[(event.at - TestEvent.midnight) / 60_000] += 1 }
        let hours = (0...(1440 - 60)).map { minutes[$0..<($0 + 60)].reduce(0, +) }
        let busiest = hours.indices.max { hours[$0] < hours[$1] } ?? 0
        #expect(abs(busiest + 30 - 20 * 60) <= 15, "from minute \(busiest)")
    }

    @Test func `ids are unique in their source, and only the same line comes twice`() {
        let ids = Self.once.map { "\($0.source)\n\($0.texts["id", default: ""])" }
        #expect(Set(ids).count == ids.count)
        #expect(Self.once.allSatisfy { (1...128).contains($0.texts["id", default: ""].utf8.count) })
        let repeats = Sample.events.count - Self.once.count
        #expect((50...400).contains(repeats))
    }

    @Test func `each source counts its events without a gap, in the order of their time`() {
        for (source, events) in Dictionary(grouping: Self.once, by: \.source) {
            let sorted = events.sorted { $0.sequence < $1.sequence }
            let first = sorted[0].sequence
            #expect(sorted.map(\.sequence) == Array(first..<(first + sorted.count)), "\(source)")
            let isOrdered = zip(sorted, sorted.dropFirst()).allSatisfy { $0.at <= $1.at }
            #expect(isOrdered, "\(source)")
        }
    }

    @Test func `a few events come late, behind younger ones of their source`() {
        var newest: [String: Int] = [:]
        var late = 0
        for event in Self.once {
            if event.sequence < newest[event.source, default: 0] { late += 1 }
            newest[event.source] = max(newest[event.source, default: 0], event.sequence)
        }
        #expect((50...600).contains(late))
    }

    @Test func `a store without a line sends its events of hours at once`() {
        let start = TestEvent.midnight + 13 * 3_600_000
        let outage = start..<(start + 9_000_000)
        let arrivals = Sample.events.indices.filter {
            Sample.events[$0].source == "pos-S21" && outage.contains(Sample.events[$0].at)
        }
        #expect(arrivals.count > 50)
        let before = Sample.events[..<arrivals[0]].map(\.at).filter(outage.contains)
        #expect((before.max() ?? 0) > outage.upperBound - 60_000)
    }

    @Test func `a source speaks of its own location`() {
        for event in Self.once {
            let location = event.texts["location", default: ""]
            let own = location.hasPrefix("DC") ? "wms-\(location)" : "pos-\(location)"
            let isGood =
                event.source == "erp" ? event.kind == "transfer" : event.source == own
            if !isGood { Issue.record("\(event.line)") }
        }
    }

    @Test func `a closed store sells nothing and is cleared`() {
        let closed = Set(Sample.retailer.locations.filter { !$0.isOpen }.map(\.name))
        let events = Self.once.filter { closed.contains($0.texts["location", default: ""]) }
        #expect(closed.count == 2)
        #expect(!events.isEmpty && events.allSatisfy { $0.kind == "transfer" })
        #expect(Self.once.allSatisfy { !closed.contains($0.texts["to_location", default: ""]) })
    }

    @Test func `popular items sell most`() {
        var units: [String: Int] = [:]
        for event in Self.once where event.kind == "sale" {
            units[event.texts["sku", default: ""], default: 0] += event.quantity
        }
        let sorted = units.values.sorted(by: >)
        let all = sorted.reduce(0, +)
        // A uniform choice would give the first hundred a fiftieth.
        #expect(sorted.prefix(100).reduce(0, +) > all / 4)
        #expect(sorted[0] < all / 20)
        #expect(units.count > 4000)
    }
}
