// The movements of each position in its late window: what a late count is evaluated with.
//
//     node   effective time | delta | next (30 bits), condition (2 bits)         16 bytes
//
// Each position has a list, newest arrival first. A node that is older than the window, measured
// back from the position's newest movement, can never count again. Such nodes are dropped when the
// newest movement enters another period (the largest power of two of milliseconds within the
// window): a list never reaches back further than window and period, and a burst of events, however
// long its list, walks it once.

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
    var nodes: Column<Movement>
    private var freeList: UInt32 = 0  // Node plus one; free nodes are linked by `next`.
    private let window: Milliseconds
    private let periodShift: UInt64

    /// Nodes in use.
    package internal(set) var count = 0

    /// - Parameters:
    ///   - window: How far back from a position's newest movement movements are kept.
    ///   - countMax: Movements that fit, below 2³⁰.
    package init(window: Milliseconds, countMax: Int = 1 << 30 - 1) throws(SystemError) {
        precondition(countMax < 1 << 30)
        nodes = try Column(rowCountMax: countMax)
        self.window = window
        periodShift = UInt64(63 - max(1, window).leadingZeroBitCount)
    }

    package var byteCount: Int { nodes.committedByteCount }

    /// Makes room for `additional` movements; one command adds two at the most.
    package mutating func prepare(_ additional: Int) throws(SystemError) {
        try nodes.prepare(rows: additional)
    }

    /// Adds a movement to the position's list, unless it is older than the window already.
    @inline(always)
    package mutating func add(
        _ row: inout PositionRow, condition: Condition, delta: Int32, at: Milliseconds
    ) {
        let newest = row.newestAt ?? at
        if at > newest || row.newestAt == nil {
            row.newestAt = at
            if UInt64(bitPattern: at ^ newest) &>> periodShift != 0, row.movements != 0 {
                row.movements = pruned(row) { _ in true }
            }
        } else if at < newest - window {
            return
        }
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
        count &+= 1
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
        row.movements = pruned(row) {
            $0.at > at || condition.map { [seen = $0.condition] in $0 != seen } ?? false
        }
    }

    /// Drops nodes of the position's list.
    ///
    /// - Returns: The newest node that stays, plus one. The row is not written here: it can be kept
    ///   in registers around the call, which is rare.
    @inline(never)
    private mutating func pruned(_ row: PositionRow, _ keeps: (Movement) -> Bool) -> UInt32 {
        let oldest = (row.newestAt ?? .min) - window
        var lastKept: UInt32 = 0
        var first: UInt32 = 0
        var next = row.movements
        while next != 0 {
            let node = nodes[Int(next - 1)]
            if node.at >= oldest, keeps(node) {
                if lastKept == 0 { first = next } else { relink(lastKept, to: next) }
                lastKept = next
            } else {
                nodes[Int(next - 1)].link = freeList << 2
                freeList = next
                count -= 1
            }
            next = node.next
        }
        if lastKept != 0 { relink(lastKept, to: 0) }
        return first
    }

    private mutating func relink(_ node: UInt32, to next: UInt32) {
        nodes.update(Int(node - 1)) { $0.link = next << 2 | $0.link & 3 }
    }
}
