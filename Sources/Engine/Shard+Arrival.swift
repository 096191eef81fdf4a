// The effective time of what names none is its arrival. Arrivals have an order, also within a millisecond: what
// came later takes effect later. So an event is behind the count that came before it, and a count is behind
// the events.

internal import Bytes
internal import Columns
internal import Domain

extension Shard {
    /// How far counts and movements that came before may lie ahead of an arrival: what clocks differ by.
    private static let arrivalSlack: Milliseconds = 1000

    /// The effective time of a command that names none.
    ///
    /// - Complexity: O(1).
    @inline(never)
    func arrivalTime(of command: borrowing StockCommand, _ place: FoundPlace) -> Milliseconds {
        if place.sku == .max { return command.at }
        let here = PositionKey(sku: place.sku, location: command.location)
        let row = place.hasRow ? Int(place.row) : nil
        var arrival = Arrival(at: command.at, slack: Self.arrivalSlack)
        switch (command.verb, command.kind) {
        case (.item, _), (.discard, _): break
        case (.stock, _):
            for condition in Condition.allCases where command[counted: condition] != nil {
                arrival.follow(countedAt(row, here, condition))
            }
            arrival.follow(row.flatMap { positions.rows[$0].newestAt })
        case (.event, .count):
            arrival.follow(countedAt(row, here, command.to))
            arrival.follow(row.flatMap { positions.rows[$0].newestAt })
        case (.event, .receipt), (.event, .return), (.event, .adjust):
            arrival.pass(countedAt(row, here, command.to))
        case (.event, .sale), (.event, .writeOff):
            arrival.pass(countedAt(row, here, command.from))
        case (.event, .move):
            arrival.pass(countedAt(row, here, command.from))
            arrival.pass(countedAt(row, here, command.to))
        case (.event, .transfer):
            let there = PositionKey(sku: place.sku, location: command.toLocation)
            arrival.pass(countedAt(row, here, command.from))
            arrival.pass(countedAt(existingRow(there), there, command.to))
        }
        return arrival.time
    }

    private func countedAt(
        _ row: Int?, _ key: PositionKey, _ condition: Condition
    ) -> Milliseconds? {
        row.flatMap { countedAt(positions.rows[$0], key, condition) }
    }
}

/// An arrival among what came before it.
private struct Arrival {
    let at: Milliseconds
    let slack: Milliseconds
    private(set) var time: Milliseconds

    init(at: Milliseconds, slack: Milliseconds) {
        self.at = at
        self.slack = slack
        time = at
    }

    /// It is no earlier than what came before.
    mutating func follow(_ former: Milliseconds?) {
        if let former, former - at < slack { time = max(time, former) }
    }

    /// It is later than what came before.
    mutating func pass(_ former: Milliseconds?) { follow(former.map { $0 + 1 }) }
}
