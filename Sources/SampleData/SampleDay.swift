// One busy day: when things happen, in which order they are told, and what goes wrong on the way.

package import Bytes

/// The events of Black Friday 2025, in the order in which they arrive.
///
/// Real life shows: one store loses its line for some hours and sends all at once, some events come
/// late one by one, and some are sent twice.
package struct SampleDay: Sendable {
    /// 2025-11-28T00:00:00Z.
    package static let start: Milliseconds =
        Milliseconds(daysSinceEpoch(year: 2025, month: 11, day: 28)) * 86_400_000
    /// The first instant after it.
    package static let end: Milliseconds = start + 86_400_000

    /// The day's events, the same one twice where it is sent twice.
    package let events: [SampleEvent]

    /// What happened, as a cause of events. The permilles sum up to 1,000.
    enum Action: CaseIterable {
        case counterSale, onlineSale, counterReturn, onlineReturn, delivery, transfer, inspection
        case damage, writeOff, adjustment, count

        var permille: Int {
            switch self {
            case .counterSale: 470
            case .onlineSale: 330
            case .counterReturn: 30
            case .onlineReturn: 20
            case .delivery: 40
            case .transfer: 50
            case .inspection: 25
            case .damage: 8
            case .writeOff: 9
            case .adjustment: 8
            case .count: 10
            }
        }

        /// How likely it is at each full hour in UTC, 0 to 24; in between, on a straight line.
        fileprivate var curve: [Int] {
            switch self {
            case .counterSale, .counterReturn, .adjustment:
                [
                    0, 0, 0, 0, 0, 0, 4, 18, 34, 46, 54, 60, 62, 56, 54, 58, 66, 76, 86, 94, 100,
                    52, 0, 0, 0,
                ]
            case .onlineSale, .onlineReturn:
                [
                    40, 22, 10, 6, 5, 6, 10, 18, 26, 34, 40, 44, 46, 44, 42, 42, 46, 54, 66, 84,
                    100, 74, 52, 44, 40,
                ]
            case .delivery, .transfer:
                [
                    20, 30, 50, 80, 100, 100, 90, 70, 60, 60, 50, 50, 40, 40, 30, 30, 20, 20, 20,
                    10, 10, 10, 10, 20, 20,
                ]
            case .count:
                [
                    0, 0, 0, 0, 80, 100, 60, 20, 10, 10, 10, 10, 10, 10, 10, 10, 0, 0, 0, 0, 0, 0,
                    0, 0, 0,
                ]
            case .inspection, .damage, .writeOff:
                [
                    10, 10, 10, 10, 20, 30, 50, 70, 80, 90, 100, 90, 80, 90, 100, 90, 80, 70, 60,
                    50, 40, 30, 20, 10, 10,
                ]
            }
        }

        /// The curve as a choice of a minute.
        fileprivate var minutes: WeightedChoice {
            let curve = curve
            return WeightedChoice(
                (0..<1440).lazy.map { minute in
                    let (hour, past) = (minute / 60, minute % 60)
                    return curve[hour] * (60 - past) + curve[hour + 1] * past
                })
        }
    }

    /// The day of `retailer`.
    ///
    /// - Complexity: O(positions + n log n) in the number of events.
    package init(_ retailer: SampleRetailer) {
        var maker = SampleDayMaker(retailer)
        for moment in Self.moments(retailer.options) {
            maker.make(moment.action, at: moment.at)
        }
        events = Self.arrivals(of: maker.events, retailer)
    }

    /// When what happens, in order.
    private static func moments(
        _ options: SampleOptions
    ) -> [(at: Milliseconds, action: Action)] {
        var random = SampleRandom(seed: options.seed, .times)
        var moments: [(at: Milliseconds, action: Action, order: Int)] = []
        moments.reserveCapacity(options.eventCount)
        var permille = 0
        for action in Action.allCases {
            permille += action.permille
            let minutes = action.minutes
            while moments.count < options.eventCount * permille / 1000 {
                var past = minutes.draw(&random) * 60_000 + random.below(60_000)
                // Only orders from the web are stamped to the millisecond.
                if action != .onlineSale { past -= past % 1000 }
                moments.append((start + Milliseconds(past), action, moments.count))
            }
        }
        moments.sort { ($0.at, $0.order) < ($1.at, $1.order) }
        return moments.map { ($0.at, $0.action) }
    }

    /// `events` as they come in.
    private static func arrivals(
        of events: [SampleEvent], _ retailer: SampleRetailer
    ) -> [SampleEvent] {
        var random = SampleRandom(seed: retailer.options.seed, .arrivals)
        let cutOff = retailer.storeWithoutLine
        let outage = (start + 13 * 3_600_000)..<(start + 15 * 3_600_000 + 1_800_000)
        var arrivals: [(at: Milliseconds, index: Int)] = []
        arrivals.reserveCapacity(events.count + events.count / 500)
        for (index, event) in events.enumerated() {
            var at = event.at
            if event.source == cutOff, outage.contains(at) {
                at = outage.upperBound
            } else if random.oneIn(600) {
                at += Milliseconds(random.within(120...5400)) * 1000
            }
            arrivals.append((at, index))
            if random.oneIn(800) {
                arrivals.append((at + Milliseconds(random.within(30...1200)) * 1000, index))
            }
        }
        arrivals.sort { ($0.at, $0.index) < ($1.at, $1.index) }
        return arrivals.map { events[$0.index] }
    }
}

extension SampleRetailer {
    /// The place of the store whose line is down for a part of the day; nil when there are few.
    var storeWithoutLine: Int? {
        guard options.storeCount >= 10 else { return nil }
        return (options.storeCount / 3..<options.storeCount).first { locations[$0].isOpen }
    }
}
