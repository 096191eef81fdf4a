// Replay: facts that were decided before, applied again by the same `evolve`.
//
// Facts were checked when they were decided. Here each is checked against the state it meets, so that
// a journal which does not fit is an error with a place, not a trap.

package import Bytes
internal import Columns
internal import Domain
internal import Platform

/// Why facts cannot be applied.
package enum ReplayError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The bytes are no facts.
    case malformed(FactError)
    /// The command that begins at this offset contradicts the state: another SKU has the name or the
    /// position, or lacks it; or units leave their range.
    case contradiction(offset: Int)
    case outOfMemory

    /// In words, for whoever has to act on it.
    package var description: String {
        switch self {
        case .malformed(let error):
            "byte \(error.offset) of the payload is no fact (\(error.reason))"
        case .contradiction(let offset):
            "the facts at byte \(offset) of the payload contradict what came before"
        case .outOfMemory: "there is no memory for it"
        }
    }
}

/// How many names ids may refer to: those that were added by the frame that is replayed.
package struct NameCounts: Sendable {
    package var locations: Int
    package var categories: Int
}

extension Engine {
    /// Applies the facts of a frame to its shard, under the names known now. Owner only.
    ///
    /// - Parameter eventCount: Commands that have left facts, those of the frame included; nil where
    ///   that is not counted.
    /// - Returns: Facts applied.
    package func replay(
        _ payload: Span<UInt8>, shard number: Int, time: Milliseconds, eventCount: UInt64? = nil
    ) throws(ReplayError) -> Int {
        let names = master.nameCounts
        return try withShard(number) { (shard) throws(ReplayError) in
            let applied = try shard.replay(payload, time: time, names)
            if shard.hasReplayedItems { noteItemChange() }
            if let eventCount, !shard.defects.has(.eventCountForgotten) {
                shard.eventCount = eventCount
            }
            return applied
        }
    }
}

extension Shard {
    /// Applies the facts of a frame.
    ///
    /// What follows from rules (safety stock, free) is derived by the rules in force now.
    ///
    /// - Parameter time: Service time of the frame.
    /// - Returns: Facts applied.
    /// - Throws: At the first fact that does not fit; those before it have been applied.
    /// - Complexity: O(facts); movements and counts as when they were decided.
    mutating func replay(
        _ payload: Span<UInt8>, time: Milliseconds, _ names: NameCounts
    ) throws(ReplayError) -> Int {
        var reader = FactReader(time: defects.has(.frameTimeNotUsed) ? 0 : time)
        var applied = 0
        hasReplayedItems = false
        while true {
            let start = reader.offset
            facts.removeAll()
            do throws(FactError) {
                guard try reader.readCommand(payload, into: &facts) else { return applied }
            } catch {
                throw .malformed(error)
            }
            defects.distort(
                &facts, frameTime: time, isLast: reader.offset == payload.count)
            try replayCommand(payload, names, at: start)
            applied += facts.count
        }
    }

    /// Applies the facts of one command, which are in `facts`.
    private mutating func replayCommand(
        _ payload: Span<UInt8>, _ names: NameCounts, at offset: Int
    ) throws(ReplayError) {
        var evolution = Evolution(known: FoundPlace())
        // Readers are let in also when the facts do not fit: what was applied is a state.
        defer { end(evolution) }
        do throws(SystemError) { try prepareFacts() } catch { throw .outOfMemory }
        for index in facts.indices {
            let fact = facts[index]
            if case .categorised = fact { hasReplayedItems = true }
            guard fits(fact, payload, names, evolution) else {
                throw .contradiction(offset: offset)
            }
            do throws(SystemError) { try prepare(fact) } catch { throw .outOfMemory }
            evolve(fact, payload, &evolution)
        }
    }

    private func fits(
        _ fact: Fact, _ payload: Span<UInt8>, _ names: NameCounts, _ evolution: Evolution
    ) -> Bool {
        switch fact {
        case .skuAdded(let name):
            let name = payload.part(name)
            return evolution.openSKU == .max
                && positions.reader.names.id(name, NameKey(name, hasher)) == nil
        case .positionAdded(let key):
            return fits(key.sku, evolution) && Int(key.location) < names.locations
                && positions.row(of: key.sku, at: key.location) == nil
        case .moved(let fact):
            let key = fact.position
            guard fits(key.sku, evolution), effectiveTimes.contains(fact.at),
                let row = positions.row(of: key.sku, at: key.location)
            else { return false }
            let units = units(positions.rows[row], key, fact.condition)
            return moved(units, by: Int64(fact.delta)) != nil
        case .counted(let fact):
            let key = fact.position
            return fits(key.sku, evolution) && effectiveTimes.contains(fact.at)
                && positions.row(of: key.sku, at: key.location) != nil
        case .categorised(let fact):
            return fits(fact.sku, evolution) && Int(fact.category) <= names.categories
                && fact.name.count <= Int(UInt16.max)
        case .remembered, .parked:
            return true
        }
    }

    private func fits(_ sku: UInt32, _ evolution: Evolution) -> Bool {
        Int(sku) < positions.skuCount
            && (evolution.openSKU == .max || evolution.openSKU == sku)
    }

    /// Makes room for what the facts of a command add to the tables of the shard.
    ///
    /// For no more: where it was decided there was room for it, and perhaps for nothing else.
    private mutating func prepareFacts() throws(SystemError) {
        var (movementCount, conditionCount, eventCount) = (0, 0, 0)
        var counted: PositionKey?
        for index in facts.indices {
            switch facts[index] {
            case .moved(let fact):
                movementCount += 1
                if fact.condition != .sellable { conditionCount += 1 }
            case .counted(let fact):
                if fact.condition != .sellable { conditionCount += 1 }
                // The others of the position get times of their own, once.
                if !fact.isWhole, counted != fact.position {
                    conditionCount += Condition.allCases.count - 1
                    counted = fact.position
                }
            case .remembered: eventCount += 1
            case .skuAdded, .positionAdded, .categorised, .parked: break
            }
        }
        try movements.prepare(movementCount)
        try conditions.prepare(keys: conditionCount)
        try remembered.prepare(eventCount)
    }

    /// Makes room for what a fact adds to the names and positions.
    private mutating func prepare(_ fact: Fact) throws(SystemError) {
        switch fact {
        case .skuAdded:
            try positions.prepareForSKU()
        case .positionAdded(let key):
            try positions.prepare(positions: 1, for: key.sku)
        case .categorised(let fact):
            try itemNames.prepare(rows: fact.name.count)
            try itemNameOf.prepare(keys: 1)
        case .moved, .counted, .remembered, .parked:
            break
        }
    }
}
