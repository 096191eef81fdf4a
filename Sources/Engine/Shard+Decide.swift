// decide: checks and chooses, changes nothing but the list of facts.

internal import Bytes
internal import Columns
internal import Domain

extension Shard {
    /// Decides one command; the facts that it takes effect by are appended to `facts`.
    ///
    /// The checks, in this order: a repeat (remembered outcome, or another content under the same
    /// id) · older than what is remembered · unknown names · what stock says. A repeat of what is
    /// parked is decided like an event that comes for the first time, but stands aside only once.
    ///
    /// - Complexity: O(1); a count is O(movements kept for its position).
    mutating func decide(
        _ command: StockCommand, _ text: Span<UInt8>, _ place: FoundPlace, now: Milliseconds
    ) -> Outcome {
        if command.verb == .discard { return decideDiscard(of: command.letter, now: now) }
        var command = command
        if command.flags & StockCommand.arrivalFlag != 0 {
            command.at = arrivalTime(of: command, place)
        }
        let hasIdentity = command.flags & StockCommand.hasIdentityFlag != 0
        let isRetry = command.flags & StockCommand.retryFlag != 0
        var reason: Outcome?
        if hasIdentity {
            let recall = remembered.recall(command.fingerprint)
            if let outcome = answer(recall, to: command) {
                // It was taken meanwhile, as an event of its own.
                if isRetry, outcome == .duplicate { endLetter(command, now: now) }
                return outcome
            }
            if case .same(let outcome) = recall { reason = outcome }
        }
        var outcome = decideEffect(command, text, place, parkedBefore: reason)
        if command.verb == .stock { outcome = outcome.forStockRow }
        switch outcome.verdict {
        case .accepted:
            if isRetry || reason != nil { endLetter(command, now: now) }
        case .parked:
            if let refusal = park(command, outcome, now: now) { return refusal }
            if facts.isEmpty, outcome == reason { return outcome }  // Nothing is new about it.
        case .duplicate, .rejected: return outcome
        }
        if reason != nil, case .accepted = outcome.verdict, defects.has(.takenLetterForgotten) {
            return outcome
        }
        if hasIdentity {
            // What is parked is kept with all its text.
            if case .accepted = outcome.verdict, command.reasonByteCount > 0 {
                facts.append(.reasonGiven(command.reasonRange))
            }
            facts.append(
                .remembered(
                    RememberedEvent(
                        fingerprint: command.fingerprint, outcome: outcome, time: now),
                    command.origin))
        }
        return outcome
    }

    /// Sets an event aside, unless it stands there for this reason already.
    ///
    /// - Returns: A refusal, where there is no room for it.
    @inline(never)
    private mutating func park(
        _ command: StockCommand, _ outcome: Outcome, now: Milliseconds
    ) -> Outcome? {
        let hasIdentity = command.flags & StockCommand.hasIdentityFlag != 0
        let letter = hasIdentity ? parked.find(command.fingerprint) : nil
        if letter == nil, parked.count >= options.parkedMax { return .parkingFull }
        if letter?.outcome == outcome { return nil }
        facts.append(
            .parked(
                EventParked(
                    fingerprint: hasIdentity ? command.fingerprint : .none, outcome: outcome,
                    time: now, source: command.sourceRange)))
        return nil
    }

    /// The event of the command stands aside no more, if it did.
    @inline(never)
    private mutating func endLetter(_ command: StockCommand, now: Milliseconds) {
        guard let letter = parked.find(command.fingerprint), !defects.has(.takenLetterKept) else {
            return
        }
        facts.append(
            .letterEnded(LetterEnded(number: letter.number, ending: .taken, time: now)))
    }

    @inline(never)
    private mutating func decideDiscard(of letter: UInt64, now: Milliseconds) -> Outcome {
        guard parked[letter] != nil else { return .unknownLetter }
        facts.append(
            .letterEnded(LetterEnded(number: letter, ending: .discarded, time: now)))
        return .accepted
    }

    /// The outcome of a command by what is remembered under its id; nil when it is to be decided.
    func answer(
        _ recall: RememberedEvents.Recall, to command: borrowing StockCommand
    ) -> Outcome? {
        switch recall {
        case .unknown: return nil
        case .same(let outcome):
            if case .parked = outcome.verdict {
                return defects.has(.parkedNotDecidedAgain) ? outcome : nil
            }
            return .duplicate
        case .conflict:
            return defects.has(.conflictTakenForRepeat) ? .duplicate : .idConflict
        }
    }

    /// Whether the command, which has an id, is older than what is remembered.
    @inline(__always)
    func isBeforeMemory(_ command: borrowing StockCommand) -> Bool {
        guard let reach = remembered.reach else { return false }
        let at = command.at
        return at < reach || defects.has(.reachClosed) && at == reach
    }

    @inline(__always)
    private mutating func decideEffect(
        _ command: StockCommand, _ text: Span<UInt8>, _ place: FoundPlace, parkedBefore: Outcome?
    ) -> Outcome {
        // Of what is remembered as parked it is known that it has had no effect.
        let isKnown = parkedBefore != nil && parkedBefore != .parkedBeforeMemory
        if command.flags & (StockCommand.hasIdentityFlag | StockCommand.backfillFlag)
            == StockCommand.hasIdentityFlag, !isKnown, isBeforeMemory(command)
        {
            return .parkedBeforeMemory
        }
        if command.flags & StockCommand.unknownLocationFlag != 0 { return .parkedUnknownLocation }
        if command.flags & StockCommand.unknownChannelFlag != 0 { return .parkedUnknownChannel }
        var sku = place.sku
        if sku == .max {
            if !options.createsUnknown, command.verb != .item { return .parkedUnknownSKU }
            sku = UInt32(positions.skuCount)
            facts.append(.skuAdded(command.skuRange))
        }
        switch command.verb {
        case .item:
            if let known = place.knownSKU, isAsTold(known, command, text) { return .accepted }
            facts.append(
                .categorised(
                    SKUCategorised(
                        sku: sku, category: UInt16(command.quantity),
                        name: command.sourceRange)))
            return .accepted
        case .stock:
            return decideStock(
                PositionKey(sku: sku, location: command.location), place, command)
        case .event:
            return decideEvent(command, sku: sku, place)
        case .discard: preconditionFailure("it is decided before")
        }
    }

    @inline(__always)
    private mutating func decideEvent(
        _ command: StockCommand, sku: UInt32, _ place: FoundPlace
    ) -> Outcome {
        let here = PositionKey(sku: sku, location: command.location)
        let row = place.hasRow ? Int(place.row) : nil
        switch command.kind {
        case .receipt, .return, .adjust:
            return decideMoves(Leg(gainOf: command, here, row), nil, at: command.at)
        case .sale, .writeOff:
            return decideMoves(Leg(lossOf: command, here, row), nil, at: command.at)
        case .move:
            return decideMoves(
                Leg(lossOf: command, here, row), Leg(gainOf: command, here, row), at: command.at)
        case .transfer:
            let there = PositionKey(sku: sku, location: command.toLocation)
            return decideMoves(
                Leg(lossOf: command, here, row),
                Leg(gainOf: command, there, existingRow(there)), at: command.at)
        case .count:
            return decideCount(
                here, row, command.to, counted: command.quantity, at: command.at)
        }
    }

    /// A movement at one position, whose row is nil where it does not exist yet.
    struct Leg {
        var key: PositionKey
        var row: Int?
        var condition: Condition
        var delta: Int64

        @inline(__always)
        init(gainOf command: borrowing StockCommand, _ key: PositionKey, _ row: Int?) {
            self.key = key
            self.row = row
            condition = command.to
            delta = Int64(command.quantity)
        }

        @inline(__always)
        init(lossOf command: borrowing StockCommand, _ key: PositionKey, _ row: Int?) {
            self.key = key
            self.row = row
            condition = command.from
            delta = -Int64(command.quantity)
        }
    }

    /// What becomes of one movement.
    enum MoveDecision {
        case moved(StockMoved)
        /// The shelf was counted after it. nil: it is more than can be told.
        case recorded(StockMoved?)
        case overflow
    }

    /// One or two movements that happen together or not at all.
    @inline(__always)
    private mutating func decideMoves(_ first: Leg, _ second: Leg?, at: Milliseconds) -> Outcome {
        var hasEffect = false
        var fits = decideMove(first, addsPosition: true, at: at, &hasEffect)
        if let second, !defects.has(.secondLegForgotten) {
            // A move between conditions has both legs at one position: it is added once.
            let addsPosition = second.key.location != first.key.location
            fits = fits && decideMove(second, addsPosition: addsPosition, at: at, &hasEffect)
        }
        guard fits else {
            facts.removeAll()  // Nothing of it happens, not even a new SKU.
            return .overflow
        }
        return hasEffect ? .accepted : .recorded
    }

    private mutating func decideMove(
        _ leg: Leg, addsPosition: Bool, at: Milliseconds, _ hasEffect: inout Bool
    ) -> Bool {
        if leg.row == nil, addsPosition { facts.append(.positionAdded(leg.key)) }
        switch decideMove(leg, from: leg.row.map { positions.rows[$0] }, at: at) {
        case .moved(let fact):
            hasEffect = true
            facts.append(.moved(fact))
            return true
        case .recorded(let fact):
            if let fact { facts.append(.movementRecorded(fact)) }
            return true
        case .overflow: return false
        }
    }

    /// - Parameter state: The position's; nil where it does not exist yet.
    @inline(always)
    func decideMove(_ leg: Leg, from state: PositionRow?, at: Milliseconds) -> MoveDecision {
        var units: Int32 = 0
        if let state {
            if let counted = countedAt(state, leg.key, leg.condition),
                defects.has(.countBoundaryOpen) ? at < counted : at <= counted
            {
                // The shelf was counted after it.
                let delta = Int32(exactly: leg.delta)
                return .recorded(
                    delta.map {
                        StockMoved(position: leg.key, condition: leg.condition, delta: $0, at: at)
                    })
            }
            units = self.units(state, leg.key, leg.condition)
        }
        var change = leg.delta
        if defects.has(.overflowSign), moved(units, by: change) == nil { change = -change }
        guard moved(units, by: change) != nil, let delta = Int32(exactly: change) else {
            return .overflow
        }
        return .moved(
            StockMoved(position: leg.key, condition: leg.condition, delta: delta, at: at))
    }

    private mutating func decideCount(
        _ key: PositionKey, _ row: Int?, _ condition: Condition, counted: Int32, at: Milliseconds
    ) -> Outcome {
        var later: Int64 = 0
        if let row {
            let state = positions.rows[row]
            if let last = countedAt(state, key, condition),
                at < last || defects.has(.countAgainIgnored) && at == last
            {
                facts.append(
                    .countRecorded(
                        StockCounted(position: key, condition: condition, value: counted, at: at)))
                return .recorded
            }
            let isClosed = defects.has(.windowClosed)
            if let newest = state.newestAt,
                at < newest - options.lateWindow + (isClosed ? 1 : 0)
            {
                return .parkedBeforeWindow  // The position exists, so there are no facts yet.
            }
            later = movements.sum(state, condition: condition, after: at)
        } else {
            facts.append(.positionAdded(key))
        }
        guard let value = moved(counted, by: later) else {
            facts.removeAll()
            return .overflow
        }
        facts.append(
            .counted(StockCounted(position: key, condition: condition, value: value, at: at)))
        return .accepted
    }

    /// A row of the system of record: a count of each condition that it gives.
    private mutating func decideStock(
        _ key: PositionKey, _ place: FoundPlace, _ command: StockCommand
    ) -> Outcome {
        let at = command.at
        var state = PositionRow()
        if place.hasRow {
            state = positions.rows[Int(place.row)]
            if let newest = state.newestAt, at < newest - options.lateWindow {
                return .parkedBeforeWindow
            }
        } else {
            facts.append(.positionAdded(key))
        }
        let isWhole = Condition.allCases.allSatisfy { condition in
            command[counted: condition] != nil && (countedAt(state, key, condition) ?? at) <= at
        }
        var hasEffect = false
        for condition in Condition.allCases {
            guard let counted = command[counted: condition] else { continue }
            if let last = countedAt(state, key, condition), at < last {
                facts.append(
                    .countRecorded(
                        StockCounted(position: key, condition: condition, value: counted, at: at)))
                continue
            }
            let later =
                state.movements == 0
                ? 0 : movements.sum(state, condition: condition, after: at)
            guard let value = moved(counted, by: later) else {
                facts.removeAll()
                return .overflow
            }
            hasEffect = true
            // Of a whole count only what is not zero, or was not, needs to be told.
            if isWhole, condition != .sellable, value == 0, !state.hasOtherConditions { continue }
            facts.append(
                .counted(
                    StockCounted(
                        position: key, condition: condition, value: value, at: at,
                        isWhole: isWhole)))
        }
        return hasEffect ? .accepted : .recorded
    }

    /// Whether the item is known in just these words.
    private func isAsTold(_ sku: UInt32, _ command: StockCommand, _ text: Span<UInt8>) -> Bool {
        Int32(positions.attributes[Int(sku)].category) == command.quantity
            && hasItemName(sku, text.part(command.sourceRange))
    }

    func existingRow(_ key: PositionKey) -> Int? {
        Int(key.sku) < positions.skuCount ? positions.row(of: key.sku, at: key.location) : nil
    }
}
