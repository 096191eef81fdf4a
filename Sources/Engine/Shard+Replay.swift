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
    /// As of a time, units leave their range by the command that begins at this offset.
    case outOfRange(offset: Int)
    case outOfMemory

    /// In words, for whoever has to act on it.
    package var description: String {
        switch self {
        case .malformed(let error): error.description
        case .contradiction(let offset):
            "the facts at byte \(offset) of the payload contradict what came before"
        case .outOfRange(let offset):
            "by the facts at byte \(offset) of the payload units leave 32 bits"
        case .outOfMemory: "there is no memory for it"
        }
    }
}

/// How many names ids may refer to: those that were added by the frame that is replayed.
package struct NameCounts: Sendable {
    package var locations: Int
    package var categories: Int
    package var sources: Int
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
            noteItemChanges(shard.itemChangeCount, number)
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
    /// - Throws: At the first command that does not fit; those before it have been applied. Nothing has
    ///   been where the payload is malformed.
    /// - Complexity: O(facts); movements and counts as when they were decided. Cache lines that facts
    ///   need are asked for some facts ahead.
    mutating func replay(
        _ payload: Span<UInt8>, time: Milliseconds, _ names: NameCounts
    ) throws(ReplayError) -> Int {
        let hasItems: Bool
        do throws(FactError) { hasItems = try readFrame(payload, time) } catch {
            throw .malformed(error)
        }
        if asOf != nil {
            let factCount = facts.count
            try replayAsOf(payload, names)
            if hasItems { itemChangeCount += 1 }
            return factCount
        }
        var first = 0
        for command in replayed.indices {
            let end = replayed[command].end
            for index in first..<end {
                ask(index + 2 * Self.replayDistance)
                approach(index + Self.replayDistance)
            }
            try replay(first..<end, payload, names, at: replayed[command].offset)
            first = end
        }
        if hasItems { itemChangeCount += 1 }
        return first
    }

    /// Facts between two steps of the look ahead.
    private static var replayDistance: Int { 12 }

    /// A command of a frame that is replayed.
    struct ReplayedCommand: BitwiseCopyable {
        /// Where it begins in the payload.
        var offset: Int
        /// The index behind its last fact.
        var end: Int
    }

    /// Reads all facts of a frame into `facts`, and where its commands end into `replayed`.
    ///
    /// - Returns: Whether any of them is about an item.
    private mutating func readFrame(
        _ payload: Span<UInt8>, _ time: Milliseconds
    ) throws(FactError) -> Bool {
        var reader = FactReader(time: defects.has(.frameTimeNotUsed) ? 0 : time)
        facts.removeAll()
        replayed.removeAll()
        var hasItems = false
        while true {
            let first = facts.count
            guard try reader.readCommand(payload, into: &facts) else { return hasItems }
            if case .categorised = facts[facts.count - 1] { hasItems = true }
            defects.distort(
                &facts, from: first, frameTime: time, isLast: reader.offset == payload.count)
            replayed.append(ReplayedCommand(offset: reader.commandOffset, end: facts.count))
        }
    }

    /// Asks for the run of a fact's SKU, or the slot of an event's id.
    @inline(__always)
    private func ask(_ index: Int) {
        guard index < facts.count else { return }
        switch facts[index] {
        case .moved(let fact): prefetchRun(fact.position.sku)
        case .counted(let fact): prefetchRun(fact.position.sku)
        case .positionAdded(let key): prefetchRun(key.sku)
        case .remembered(let event, _): remembered.prefetch(event.fingerprint)
        case .movementRecorded, .countRecorded, .skuAdded, .categorised, .parked, .reasonGiven,
            .letterEnded:
            break
        }
    }

    @inline(__always)
    private func prefetchRun(_ sku: UInt32) {
        // One that the frame is about to add has no run yet.
        if Int(sku) < positions.skuCount { positions.reader.prefetchRun(sku) }
    }

    /// Asks for the row of a fact's position, or for the locations to find it by.
    @inline(__always)
    private func approach(_ index: Int) {
        guard index < facts.count else { return }
        let key: PositionKey
        switch facts[index] {
        case .moved(let fact): key = fact.position
        case .counted(let fact): key = fact.position
        case .positionAdded(let position): key = position
        case .movementRecorded, .countRecorded, .skuAdded, .categorised, .remembered, .parked,
            .reasonGiven, .letterEnded:
            return
        }
        guard Int(key.sku) < positions.skuCount else { return }
        let extent = positions.reader.extent(key.sku)
        if extent.isPrefix {
            if let row = positions.reader.row(of: key.location, in: extent) {
                positions.prefetch(row)
            }
        } else if extent.count > 0 {
            positions.reader.prefetchLocation(extent.start)
            positions.prefetch(extent.start)
        }
    }

    /// Applies the facts of one command.
    mutating func replay(
        _ range: Range<Int>, _ payload: Span<UInt8>, _ names: NameCounts, at offset: Int
    ) throws(ReplayError) {
        var evolution = Evolution(known: FoundPlace())
        // Readers are let in also when the facts do not fit: what was applied is a state.
        defer { end(evolution) }
        do throws(SystemError) { try prepareFacts(range) } catch { throw .outOfMemory }
        for index in range {
            let fact = facts[index]
            guard fits(fact, payload, names, &evolution) else {
                throw .contradiction(offset: offset)
            }
            do throws(SystemError) { try prepare(fact) } catch { throw .outOfMemory }
            evolve(fact, payload, &evolution)
        }
    }

    /// Whether a fact fits the state; notes the row of the position that it is about.
    private func fits(
        _ fact: Fact, _ payload: Span<UInt8>, _ names: NameCounts, _ evolution: inout Evolution
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
            guard effectiveTimes.contains(fact.at), let row = row(fact.position, &evolution)
            else { return false }
            let units = units(positions.rows[row], fact.position, fact.condition)
            return moved(units, by: Int64(fact.delta)) != nil
        case .counted(let fact):
            return effectiveTimes.contains(fact.at) && row(fact.position, &evolution) != nil
        case .movementRecorded(let fact):
            return effectiveTimes.contains(fact.at) && row(fact.position, &evolution) != nil
        case .countRecorded(let fact):
            return effectiveTimes.contains(fact.at) && !fact.isWhole
                && row(fact.position, &evolution) != nil
        case .categorised(let fact):
            return fits(fact.sku, evolution) && Int(fact.category) <= names.categories
                && fact.name.count <= Int(UInt16.max)
        case .letterEnded(let fact):
            return parked[fact.number] != nil
        case .remembered, .parked, .reasonGiven:
            return true
        }
    }

    /// The row of a position of the SKU that the command is about.
    @inline(__always)
    private func row(_ key: PositionKey, _ evolution: inout Evolution) -> Int? {
        guard fits(key.sku, evolution) else { return nil }
        if evolution.known.hasRow, evolution.known.location == key.location {
            return Int(evolution.known.row)
        }
        guard let row = positions.row(of: key.sku, at: key.location) else { return nil }
        evolution.known.found(key.location, row)
        return row
    }

    private func fits(_ sku: UInt32, _ evolution: Evolution) -> Bool {
        Int(sku) < positions.skuCount
            && (evolution.openSKU == .max || evolution.openSKU == sku)
    }

    /// Makes room for what the facts of a command add to the tables of the shard.
    ///
    /// For no more: where it was decided there was room for it, and perhaps for nothing else.
    private mutating func prepareFacts(_ range: Range<Int>) throws(SystemError) {
        var (movementCount, conditionCount, eventCount) = (0, 0, 0)
        var counted: PositionKey?
        for index in range {
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
            case .remembered, .letterEnded: eventCount += 1
            case .movementRecorded, .countRecorded, .skuAdded, .positionAdded, .categorised,
                .parked, .reasonGiven:
                break
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
        case .moved, .counted, .movementRecorded, .countRecorded, .remembered, .parked,
            .reasonGiven, .letterEnded:
            break
        }
    }
}
