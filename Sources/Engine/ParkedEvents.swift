// Events set aside, by number and by fingerprint, so that a repeat of one is not set aside twice.

package import Bytes
package import Domain

/// An event set aside: a dead letter.
package struct ParkedEvent: Equatable, Sendable {
    /// Counted from 1 in its shard; a number is given once.
    package var number: UInt64
    /// Of the event's id and content; `none` where it has no id.
    package var fingerprint: EventFingerprint
    package var outcome: Outcome
    package var parkedAt: Milliseconds
    /// The event as it came first.
    package var source: [UInt8]

    package init(
        number: UInt64, fingerprint: EventFingerprint, outcome: Outcome, parkedAt: Milliseconds,
        source: [UInt8]
    ) {
        self.number = number
        self.fingerprint = fingerprint
        self.outcome = outcome
        self.parkedAt = parkedAt
        self.source = source
    }
}

/// The events that a shard has set aside, in the order of their numbers. Owner only.
package struct ParkedEvents: Sendable {
    package private(set) var events: [ParkedEvent] = []
    private var numbers: [EventFingerprint: UInt64] = [:]
    /// The number of the next one.
    package private(set) var next: UInt64 = 1

    package init() {}

    package var count: Int { events.count }

    /// - Complexity: O(log events).
    package subscript(number: UInt64) -> ParkedEvent? {
        let index = index(from: number)
        return index < events.count && events[index].number == number ? events[index] : nil
    }

    /// The event with this id and content, if it stands aside.
    func find(_ fingerprint: EventFingerprint) -> ParkedEvent? {
        numbers[fingerprint].flatMap { self[$0] }
    }

    /// The place of the first event that has this number or a higher one.
    func index(from number: UInt64) -> Int {
        var (low, high) = (0, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Sets an event aside under the next number; one that stands aside gets the reason alone.
    mutating func park(_ fact: EventParked, _ text: Span<UInt8>) {
        if let number = numbers[fact.fingerprint] {
            events[index(from: number)].outcome = fact.outcome
            return
        }
        add(
            ParkedEvent(
                number: next, fingerprint: fact.fingerprint, outcome: fact.outcome,
                parkedAt: fact.time, source: text.part(fact.source).array))
    }

    private mutating func add(_ event: ParkedEvent) {
        events.append(event)
        if event.fingerprint != .none { numbers[event.fingerprint] = event.number }
        next = event.number + 1
    }

    /// - Complexity: O(events).
    mutating func remove(_ number: UInt64) -> ParkedEvent? {
        guard self[number] != nil else { return nil }
        let event = events.remove(at: index(from: number))
        numbers[event.fingerprint] = nil
        return event
    }

    /// Puts events back.
    ///
    /// - Parameter next: The number of the next one.
    /// - Throws: Where numbers do not ascend, or reach `next`.
    init(_ events: [ParkedEvent], next: UInt64) throws(LoadError) {
        guard next > 0 else { throw .contradiction("a number that cannot be", row: 0) }
        for (row, event) in events.enumerated() {
            guard effectiveTimes.contains(event.parkedAt) else {
                throw .contradiction("a time that cannot be", row: row)
            }
            guard event.outcome.verdict == .parked else {
                throw .contradiction("an event that was not parked", row: row)
            }
            guard event.number >= self.next, event.number < next else {
                throw .contradiction("a number that cannot be", row: row)
            }
            guard numbers[event.fingerprint] == nil else {
                throw .contradiction("an event is there twice", row: row)
            }
            add(event)
        }
        self.next = next
    }
}
