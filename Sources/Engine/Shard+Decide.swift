// decide: checks and chooses, changes nothing but the list of facts.

internal import Bytes
internal import Columns
internal import Domain

extension Shard {
    /// Decides one command; the facts that it takes effect by are appended to `facts`.
    ///
    /// The checks, in this order: a repeat (remembered outcome, or another content under the same
    /// id) · older than what is remembered · unknown names · what stock says.
    ///
    /// - Complexity: O(1); a count is O(movements kept for its position).
    mutating func decide(
        _ command: StockCommand, sku known: UInt32?, now: Milliseconds
    ) -> Outcome {
        let hasIdentity = command.flags & StockCommand.hasIdentityFlag != 0
        if hasIdentity {
            switch remembered.recall(command.fingerprint) {
            case .unknown: break
            case .same(let outcome):
                if case .accepted = outcome.verdict { return .duplicate }
                return outcome
            case .conflict: return .idConflict
            }
        }
        let outcome = decideEffect(command, sku: known)
        switch outcome.verdict {
        case .accepted: break
        case .parked:
            if parked.count >= options.parkedMax { return .parkingFull }
            facts.append(
                .parked(EventParked(outcome: outcome, time: now, source: command.sourceRange)))
        case .duplicate, .rejected: return outcome
        }
        if hasIdentity {
            facts.append(
                .remembered(
                    RememberedEvent(
                        fingerprint: command.fingerprint, outcome: outcome, time: now)))
        }
        return outcome
    }

    private mutating func decideEffect(
        _ command: StockCommand, sku known: UInt32?
    ) -> Outcome {
        if command.flags & StockCommand.hasIdentityFlag != 0,
            command.flags & StockCommand.backfillFlag == 0, let reach = remembered.reach,
            command.at < reach
        {
            return .parkedBeforeMemory
        }
        if command.flags & StockCommand.unknownLocationFlag != 0 { return .parkedUnknownLocation }
        let sku: UInt32
        if let known {
            sku = known
        } else {
            if !options.createsUnknown, command.verb != .item { return .parkedUnknownSKU }
            sku = UInt32(positions.skuCount)
            facts.append(.skuAdded(command.skuRange))
        }
        switch command.verb {
        case .item:
            facts.append(
                .categorised(
                    SKUCategorised(
                        sku: sku, category: UInt16(command.quantity),
                        name: command.sourceRange)))
            return .accepted
        case .stock:
            return decideCount(
                PositionKey(sku: sku, location: command.location), isNew: known == nil,
                command.to, counted: command.quantity, at: command.at)
        case .event:
            return decideEvent(command, sku: sku, isNew: known == nil)
        }
    }

    private mutating func decideEvent(
        _ command: StockCommand, sku: UInt32, isNew: Bool
    ) -> Outcome {
        let here = PositionKey(sku: sku, location: command.location)
        let quantity = Int64(command.quantity)
        switch command.eventKind {
        case .receipt, .return:
            return decideMoves((here, command.to, quantity), nil, at: command.at)
        case .adjust:
            return decideMoves((here, command.to, quantity), nil, at: command.at)
        case .sale, .writeOff:
            return decideMoves((here, command.from, -quantity), nil, at: command.at)
        case .move:
            return decideMoves(
                (here, command.from, -quantity), (here, command.to, quantity), at: command.at)
        case .transfer:
            let there = PositionKey(sku: sku, location: command.toLocation)
            return decideMoves(
                (here, command.from, -quantity), (there, command.to, quantity), at: command.at)
        case .count:
            return decideCount(
                here, isNew: isNew, command.to, counted: command.quantity, at: command.at)
        }
    }

    private typealias Leg = (key: PositionKey, condition: Condition, delta: Int64)

    /// One or two movements that happen together or not at all.
    private mutating func decideMoves(_ first: Leg, _ second: Leg?, at: Milliseconds) -> Outcome {
        var hasEffect = false
        var fits = decideMove(first, at: at, &hasEffect)
        if let second { fits = fits && decideMove(second, at: at, &hasEffect) }
        guard fits else {
            facts.removeAll()  // Nothing of it happens, not even a new SKU.
            return .overflow
        }
        return hasEffect ? .accepted : .recorded
    }

    private mutating func decideMove(
        _ leg: Leg, at: Milliseconds, _ hasEffect: inout Bool
    ) -> Bool {
        var units: Int32 = 0
        if let row = existingRow(leg.key) {
            let state = positions.rows[row]
            if let counted = countedAt(state, leg.key, leg.condition), at <= counted {
                return true  // The shelf was counted after it.
            }
            units = self.units(state, leg.key, leg.condition)
        } else {
            facts.append(.positionAdded(leg.key))
        }
        guard moved(units, by: leg.delta) != nil, let delta = Int32(exactly: leg.delta) else {
            return false
        }
        hasEffect = true
        facts.append(
            .moved(StockMoved(position: leg.key, condition: leg.condition, delta: delta, at: at)))
        return true
    }

    private mutating func decideCount(
        _ key: PositionKey, isNew: Bool, _ condition: Condition, counted: Int32, at: Milliseconds
    ) -> Outcome {
        var later: Int64 = 0
        if let row = isNew ? nil : existingRow(key) {
            let state = positions.rows[row]
            if let last = countedAt(state, key, condition), at < last { return .recorded }
            if let newest = state.newestAt, at < newest - options.lateWindow {
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

    private func existingRow(_ key: PositionKey) -> Int? {
        Int(key.sku) < positions.skuCount ? positions.row(of: key.sku, at: key.location) : nil
    }
}
