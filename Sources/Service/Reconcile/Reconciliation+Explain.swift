// What may explain a variance: facts of its position around the cut-off that come to just the difference.
//
// It is a hint, not a proof: other facts may come to the same.

package import Bytes
internal import Domain
internal import Engine
internal import Journal

/// A movement of a position that differs, near the cut-off.
private struct NearMovement {
    var at: Milliseconds
    var delta: Int64
    var cameLate: Bool
    var wasRecorded: Bool
}

extension Reconciliation {
    /// Movements looked at for one variance.
    private static var nearCountMax: Int { 256 }

    /// How far two movements that are one may lie apart.
    private static var duplicateMilliseconds: Milliseconds { 60_000 }

    /// Looks at the facts that took effect at most `around` milliseconds before or after the cut-off.
    ///
    /// - Complexity: O(bytes of the journal behind the base).
    package mutating func explain(
        from directory: StoredDirectory, around: Milliseconds
    ) throws(StartError) {
        guard let first = state.pastSegment, !variances.isEmpty else { return }
        var indexOf: [VarianceKey: Int] = [:]
        for index in variances.indices { indexOf[VarianceKey(variances[index])] = index }
        var near: [Int: [NearMovement]] = [:]
        let (cutOff, limit) = (cutOff, Self.nearCountMax)
        try directory.walkFacts(from: first) { header, facts in
            for index in facts.indices {
                let (fact, wasRecorded): (StockMoved, Bool)
                switch facts[index] {
                case .moved(let moved): (fact, wasRecorded) = (moved, false)
                case .movementRecorded(let moved): (fact, wasRecorded) = (moved, true)
                default: continue
                }
                guard fact.at >= cutOff - around, fact.at <= cutOff + around,
                    let found = indexOf[VarianceKey(header.stream, fact)],
                    near[found, default: []].count < limit
                else { continue }
                near[found, default: []].append(
                    NearMovement(
                        at: fact.at, delta: Int64(fact.delta),
                        cameLate: fact.at <= cutOff && header.time > cutOff,
                        wasRecorded: wasRecorded))
            }
        }
        for (index, movements) in near { explain(index, movements) }
    }

    private mutating func explain(_ index: Int, _ movements: [NearMovement]) {
        let difference = variances[index].difference
        let applied = movements.filter { !$0.wasRecorded }
        let late = applied.filter(\.cameLate).reduce(0) { $0 + $1.delta }
        variances[index].lateUnits = late
        let before = applied.filter { $0.at <= cutOff }.sorted { $0.at > $1.at }
        let after = applied.filter { $0.at > cutOff }.sorted { $0.at < $1.at }
        if late == -difference {
            variances[index].explanation = .late
        } else if hasDuplicate(before, of: -difference) {
            variances[index].explanation = .duplicate
        } else if comes(before, to: -difference) {
            variances[index].explanation = .drawnEarlier
        } else if comes(after, to: difference) {
            variances[index].explanation = .drawnLater
        } else if before.contains(where: { $0.delta == -difference }) {
            variances[index].explanation = .missing
        } else if movements.contains(where: { $0.wasRecorded && $0.delta == difference }) {
            variances[index].explanation = .recorded
        }
    }

    /// Whether the first of `movements`, some or all, sum to `units`.
    private func comes(_ movements: [NearMovement], to units: Int64) -> Bool {
        var sum: Int64 = 0
        for movement in movements {
            sum += movement.delta
            if sum == units { return true }
        }
        return false
    }

    private func hasDuplicate(_ movements: [NearMovement], of units: Int64) -> Bool {
        let same = movements.filter { $0.delta == units }
        return zip(same, same.dropFirst()).contains { $0.at - $1.at <= Self.duplicateMilliseconds }
    }
}

/// A condition of a position.
private struct VarianceKey: Hashable {
    var shard: UInt16
    var position: PositionKey
    var condition: Condition

    init(_ variance: Variance) {
        shard = variance.shard
        position = PositionKey(sku: variance.sku, location: variance.location)
        condition = variance.condition
    }

    init(_ stream: UInt16, _ fact: StockMoved) {
        shard = stream
        position = fact.position
        condition = fact.condition
    }
}
