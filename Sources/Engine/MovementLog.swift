// The movements of each position in its late window: what a late count is evaluated with.
//
//     node   effective time | delta | next (30 bits), condition (2 bits)         16 bytes
//
// Each position has a list, newest arrival first. A node that is older than the window, measured
// back from the position's newest movement, can never count again; lists are walked now and then
// to drop such nodes: when about as many were added as the last walk left, so that adding is O(1)
// on the average and a list is at most a few times as long as its window needs.

package import Bytes
package import Columns
package import Domain
package import Platform

@usableFromInline
struct Movement: BitwiseCopyable {
    var at: Int64
    var delta: Int32
    /// The next node plus one in the high 30 bits, the condition in the low 2.
    var link: UInt32

    var next: UInt32 { link >> 2 }
    var condition: Condition { Condition(rawValue: UInt8(link & 3)) ?? .sellable }

    init(at: Int64, delta: Int32, condition: Condition, next: UInt32) {
        self.at = at
        self.delta = delta
        link = next << 2 | UInt32(condition.rawValue)
    }
}

/// The movement lists of one shard. Owner only.
package struct MovementLog: ~Copyable {
    private var nodes: Column<Movement>
    private var freeList: UInt32 = 0  // Node plus one; free nodes are linked by `next`.
    private let window: Milliseconds

    /// Nodes in use.
    package private(set) var count = 0

    /// - Parameters:
    ///   - window: How far back from a position's newest movement movements are kept.
    ///   - countMax: Movements that fit, below 2³⁰.
    package init(window: Milliseconds, countMax: Int = 1 << 30 - 1) throws(SystemError) {
        precondition(countMax < 1 << 30)
        nodes = try Column(rowCountMax: countMax)
        self.window = window
    }

    package var byteCount: Int { nodes.committedByteCount }

    /// Makes room for two movements, the most that one command adds.
    package mutating func prepare() throws(SystemError) { try nodes.prepare(rows: 2) }

    /// Adds a movement to the position's list, unless it is older than the window already.
    package mutating func add(
        _ row: inout PositionRow, condition: Condition, delta: Int32, at: Milliseconds
    ) {
        let newest = max(row.newestAt ?? .min, at)
        row.newestAt = newest
        if at < newest - window { return }
        let node: Int
        if freeList != 0 {
            node = Int(freeList - 1)
            freeList = nodes[node].next
        } else {
            node = nodes.rowCount
            nodes.appendPrepared(rows: 1)
        }
        nodes[node] = Movement(at: at, delta: delta, condition: condition, next: row.movements)
        row.movements = UInt32(node + 1)
        count += 1
        // Every 2^level additions on the average; the node's number stands in for chance, so that
        // the same history always does the same.
        let mixed = UInt64(node) &* 0x9E37_79B9_7F4A_7C15
        if mixed >> (58 - row.pruneLevel) == 0 { prune(&row) { _ in true } }
    }

    /// Units that `condition` gained by movements effective after `at`.
    ///
    /// - Complexity: O(movements in the position's list).
    package func sum(
        _ row: PositionRow, condition: Condition, after at: Milliseconds
    ) -> Int64 {
        var sum: Int64 = 0
        var next = row.movements
        while next != 0 {
            let node = nodes[Int(next - 1)]
            if node.at > at, node.condition == condition { sum += Int64(node.delta) }
            next = node.next
        }
        return sum
    }

    /// Forgets movements of `condition` (nil: of all) that a count as of `at` has made void.
    package mutating func forget(
        _ row: inout PositionRow, condition: Condition?, through at: Milliseconds
    ) {
        prune(&row) { $0.at > at || condition.map { [seen = $0.condition] in $0 != seen } ?? false }
    }

    private mutating func prune(_ row: inout PositionRow, _ keeps: (Movement) -> Bool) {
        let oldest = (row.newestAt ?? .min) - window
        var kept: UInt64 = 0
        var lastKept: UInt32 = 0
        var next = row.movements
        row.movements = 0
        while next != 0 {
            let node = nodes[Int(next - 1)]
            if node.at >= oldest, keeps(node) {
                if lastKept == 0 { row.movements = next } else { relink(lastKept, to: next) }
                lastKept = next
                kept += 1
            } else {
                nodes[Int(next - 1)].link = freeList << 2
                freeList = next
                count -= 1
            }
            next = node.next
        }
        if lastKept != 0 { relink(lastKept, to: 0) }
        let log2 = kept < 2 ? 0 : UInt64(63 - kept.leadingZeroBitCount)
        row.pruneLevel = min(15, log2 > 6 ? log2 - 6 : 0)
    }

    private mutating func relink(_ node: UInt32, to next: UInt32) {
        nodes.update(Int(node - 1)) { $0.link = next << 2 | $0.link & 3 }
    }
}
