// The movements of all positions as they were at one moment, and as they are put back.

package import Bytes
package import Columns
package import Domain

/// A movement that is kept to evaluate late counts with.
package struct KeptMovement: BitwiseCopyable, Equatable, Sendable {
    package var at: Milliseconds
    package var delta: Int32
    package var condition: Condition

    package init(at: Milliseconds, delta: Int32, condition: Condition) {
        self.at = at
        self.delta = delta
        self.condition = condition
    }
}

/// The movement lists of a shard, frozen.
package struct FrozenMovements: Sendable {
    let nodes: FrozenPages<Movement>

    /// Hands the movements of a position, which was frozen with the lists, to `body`, the one that
    /// arrived last first.
    package func forEach(_ row: PositionRow, _ body: (KeptMovement) -> Void) {
        var next = row.movements
        while next != 0 {
            let node = nodes[Int(next - 1)]
            body(KeptMovement(at: node.at, delta: node.delta, condition: node.condition))
            next = node.next
        }
    }
}

extension MovementLog {
    /// The lists as they are now, readable from another thread; nothing is copied.
    package mutating func freeze() -> FrozenMovements { FrozenMovements(nodes: nodes.freeze()) }

    package mutating func thaw() { nodes.thaw() }

    /// Puts a movement in front of the position's list, whatever its age; `prepare` made room.
    package mutating func load(_ movement: KeptMovement, _ row: inout PositionRow) {
        let node = nodes.rowCount
        nodes.appendPrepared(rows: 1)
        nodes[node] = Movement(
            at: movement.at, delta: movement.delta, condition: movement.condition,
            next: row.movements)
        row.movements = UInt32(node + 1)
        count += 1
    }
}
