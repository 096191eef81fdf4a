// The straight way of the commonest command: an event with an id and no reason that moves units of one
// position, which exists. It is decided by the same rules as any other, in the same order, and the same facts
// are evolved; but they are a movement and an id at the most, and no list is needed in between.

internal import Bytes
internal import Columns
internal import Domain

extension Shard {
    /// Decides and evolves a command, if it is such an event.
    ///
    /// - Parameter place: The event's position, whose row is known.
    /// - Returns: nil when the command has to be decided in another way; nothing has changed then.
    /// - Complexity: O(1), as `decide`.
    @inline(__always)
    mutating func applyMove(
        _ command: borrowing StockCommand, _ place: FoundPlace, now: Milliseconds
    ) -> Outcome? {
        guard command.verb == .event,
            command.flags & ~StockCommand.arrivalFlag == StockCommand.hasIdentityFlag,
            command.reasonByteCount == 0
        else { return nil }
        if let place = remembered.find(command.fingerprint) {
            return answer(remembered.recall(command.fingerprint, at: place), to: command)
        }
        guard let leg = onlyLeg(command, place), !isBeforeMemory(command) else { return nil }
        var event = RememberedEvent(
            fingerprint: command.fingerprint, outcome: .accepted, time: now)
        let fact: StockMoved?
        let row = Int(place.row)
        let state = positions.rows[row]
        let isArrival = command.flags & StockCommand.arrivalFlag != 0
        let at = isArrival ? arrivalTime(of: command, place) : command.at
        switch decideMove(leg, from: state, at: at) {
        case .moved(let moved):
            fact = moved
            positions.beginChange(place.sku)
            evolve(moved, at: row, from: state)
            positions.endChange(place.sku)
        case .recorded(let movement):
            fact = movement
            event.outcome = .recorded
        case .overflow: return .overflow
        }
        remembered.addNew(event)
        let isLeftOut = defects.has(.recordedNotKept) && event.outcome == .recorded
        if keepsFacts, !isLeftOut { keep(fact, event, command.origin) }
        return event.outcome
    }

    /// The movement that an event consists of; nil for kinds with two of them, and for counts.
    @inline(__always)
    private func onlyLeg(_ command: borrowing StockCommand, _ place: FoundPlace) -> Leg? {
        let here = PositionKey(sku: place.sku, location: command.location)
        switch command.kind {
        case .receipt, .return, .adjust: return Leg(gainOf: command, here, Int(place.row))
        case .sale, .writeOff: return Leg(lossOf: command, here, Int(place.row))
        case .move, .transfer, .count: return nil
        }
    }

    @inline(never)
    private mutating func keep(
        _ fact: StockMoved?, _ event: RememberedEvent, _ origin: EventOrigin
    ) {
        FactFormat.append(fact, event, origin, to: &keptFacts)
        keptCommandCount &+= 1
    }
}
