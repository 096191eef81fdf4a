// The state as of an effective time: what an engine would hold had it been told, in the same order, only
// what took effect by then.
//
// Journaled facts say what was decided knowing all that came before, also what took effect later. So
// each is decided again, from what it says was told:
//
//     moved               its units, where it took effect by then
//     counted             the count is its value less the movements that were known to have come after
//                         it: of those that the state has, evolve adds them back; the others are kept
//                         aside, by condition (`later`). A condition that a whole count did not need to
//                         tell had nothing then, and keeps what the state has of it
//     movement recorded   void by a count known then; by one that the state has, or it takes effect
//     count recorded      likewise; older than the late window it would have been parked
//
// Names are added whenever they came, since ids count on from them. A position is there when something
// took effect at it. Ids of events and what was parked tell nothing of stock and are left out.
//
// The state that this begins with must hold nothing that took effect after the time.

package import Bytes
internal import Columns
internal import Domain

/// What a shard keeps to apply only what took effect by a time.
struct AsOf {
    let time: Milliseconds

    /// Units that conditions gained by movements after `time`, by side key.
    var later: [UInt64: Int64] = [:]
}

extension Engine {
    /// Has all replay from here on leave out what took effect after `time`.
    package func restrict(asOf time: Milliseconds) {
        for number in 0..<shardCount { withShard(number) { $0.asOf = AsOf(time: time) } }
    }
}

extension Shard {
    /// Applies the facts of the commands in `replayed`, which are in `facts`, as far as they took effect
    /// by the time that the shard is restricted to.
    mutating func replayAsOf(
        _ payload: Span<UInt8>, _ names: NameCounts
    ) throws(ReplayError) {
        // Taken out, so that what is kept in it is changed in its place.
        guard var asOf = self.asOf.take() else { return }
        var told = Buffer<Fact>()
        swap(&told, &facts)
        defer {
            swap(&told, &facts)
            self.asOf = asOf
        }
        var first = 0
        for command in replayed.indices {
            let (offset, end) = (replayed[command].offset, replayed[command].end)
            facts.removeAll()
            for index in first..<end {
                guard decideAgain(told[index], &asOf) else {
                    throw .outOfRange(offset: offset)
                }
            }
            try replay(0..<facts.count, payload, names, at: offset)
            first = end
        }
    }

    /// Appends what a fact comes to.
    ///
    /// - Returns: Whether its units stay within their range.
    private mutating func decideAgain(_ fact: Fact, _ asOf: inout AsOf) -> Bool {
        switch fact {
        case .skuAdded, .categorised: facts.append(fact)
        case .positionAdded, .remembered, .reasonGiven, .parked, .letterEnded: break
        case .moved(let fact):
            if fact.at > asOf.time {
                let key = Self.sideKey(fact.position, fact.condition, isCount: false)
                asOf.later[key, default: 0] += Int64(fact.delta)
                return true
            }
            return move(fact)
        case .movementRecorded(let fact):
            if fact.at > asOf.time || isCounted(fact.position, fact.condition, after: fact.at) {
                return true
            }
            return move(fact)
        case .counted(let fact):
            if fact.at > asOf.time || isBeforeWindow(fact) { return true }
            let key = Self.sideKey(fact.position, fact.condition, isCount: false)
            return count(fact, less: asOf.later[key] ?? 0)
        case .countRecorded(let fact):
            if fact.at > asOf.time { return true }
            return countLate(fact)
        }
        return true
    }

    private func state(_ key: PositionKey) -> PositionRow? {
        guard Int(key.sku) < positions.skuCount,
            let row = positions.row(of: key.sku, at: key.location)
        else { return nil }
        return positions.rows[row]
    }

    /// Whether a count of the condition as of `at` or later is known.
    private func isCounted(
        _ key: PositionKey, _ condition: Condition, after at: Milliseconds
    ) -> Bool {
        guard let state = state(key), let counted = countedAt(state, key, condition) else {
            return false
        }
        return at <= counted
    }

    /// Whether a count is older than the movements that are kept. Where one that it did not meet then
    /// has taken effect since, it would have been parked.
    private func isBeforeWindow(_ fact: StockCounted) -> Bool {
        guard let newest = state(fact.position)?.newestAt else { return false }
        return fact.at < newest - options.lateWindow
    }

    private mutating func appear(_ key: PositionKey) {
        if state(key) != nil { return }
        for index in facts.indices {
            if case .positionAdded(key) = facts[index] { return }
        }
        facts.append(.positionAdded(key))
    }

    private mutating func move(_ fact: StockMoved) -> Bool {
        let units = state(fact.position).map { self.units($0, fact.position, fact.condition) } ?? 0
        guard moved(units, by: Int64(fact.delta)) != nil else { return false }
        appear(fact.position)
        facts.append(.moved(fact))
        return true
    }

    private mutating func count(_ fact: StockCounted, less later: Int64) -> Bool {
        guard let value = moved(fact.value, by: -later) else { return false }
        var fact = fact
        fact.value = value
        appear(fact.position)
        facts.append(.counted(fact))
        return true
    }

    /// A count that was older than one known then; its value is what was counted.
    private mutating func countLate(_ fact: StockCounted) -> Bool {
        guard let state = state(fact.position) else { return count(fact, less: 0) }
        if let last = countedAt(state, fact.position, fact.condition), fact.at < last {
            return true
        }
        if isBeforeWindow(fact) { return true }
        let after = movements.sum(state, condition: fact.condition, after: fact.at)
        return count(fact, less: -after)
    }
}
