// What happened on the day, as values.

package import Bytes

/// The kinds of physical events there are in the sample, spelled as in the files.
package enum SampleEventKind: String, CaseIterable, Sendable {
    case receipt, sale, `return`, move, transfer, adjust, count
    case writeOff = "write_off"
}

/// The condition that units are in.
package enum SampleCondition: String, Sendable {
    case sellable, returned, damaged, blocked
}

/// Where something is sold.
package enum SampleChannel: String, CaseIterable, Sendable {
    case web, app, marketplace, store

    /// How long a hold lasts when nobody says so.
    package var ttlSeconds: Int {
        switch self {
        case .web: 900
        case .app: 1200
        case .marketplace: 3600
        case .store: 300
        }
    }
}

/// One event, its names as places in the lists of the retailer.
package struct SampleEvent: Sendable {
    package let kind: SampleEventKind
    package let item: Int
    package let location: Int
    /// Units, more than zero; signed for `adjust`, zero or more for `count`.
    package let quantity: Int32
    /// Where a transfer goes.
    package var destination: Int?
    package var channel: SampleChannel?
    package var from: SampleCondition?
    package var to: SampleCondition?
    package var reason: String?

    /// When it took effect.
    package fileprivate(set) var at: Milliseconds = 0
    /// Who says so: the place of a location, whose till or warehouse system it is, or one past the
    /// last for the system at head office.
    package fileprivate(set) var source = 0
    /// Its number among the events of its source; dense, in the order of `at`.
    package fileprivate(set) var sequence = 0

    init(_ kind: SampleEventKind, _ item: Int, at location: Int, _ quantity: Int32) {
        self.kind = kind
        self.item = item
        self.location = location
        self.quantity = quantity
    }

    /// The event with what its sender puts on it.
    func stamped(at instant: Milliseconds, source: Int, sequence: Int) -> SampleEvent {
        var event = self
        event.at = instant
        event.source = source
        event.sequence = sequence
        return event
    }
}
