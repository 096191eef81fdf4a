// What was decided. Facts are numbers: applying them again gives the same state, whatever the
// rules or the clock say then. SKUs and locations go by ids, never by row.

package import Bytes

/// One decided change of a shard.
package enum Fact: BitwiseCopyable, Sendable {
    /// The next SKU id is this name: a range of the text that travels with the facts.
    case skuAdded(ByteRange)
    /// A position with no stock came to be.
    case positionAdded(PositionKey)
    case moved(StockMoved)
    case counted(StockCounted)
    case categorised(SKUCategorised)
    /// An event and its outcome, so that a repeat of it changes nothing.
    case remembered(RememberedEvent)
    case parked(EventParked)
}

/// One SKU at one location, by ids.
@usableFromInline
package struct PositionKey: BitwiseCopyable, Hashable, Sendable {
    /// The SKU's id in its shard.
    @usableFromInline package var sku: UInt32
    @usableFromInline package var location: UInt16

    @inlinable
    package init(sku: UInt32, location: UInt16) {
        self.sku = sku
        self.location = location
    }
}

/// A condition of a position gained (or lost) units.
package struct StockMoved: BitwiseCopyable, Equatable, Sendable {
    package var position: PositionKey
    package var condition: Condition
    package var delta: Int32
    /// Effective time.
    package var at: Milliseconds

    package init(position: PositionKey, condition: Condition, delta: Int32, at: Milliseconds) {
        self.position = position
        self.condition = condition
        self.delta = delta
        self.at = at
    }
}

/// A condition of a position was counted.
package struct StockCounted: BitwiseCopyable, Equatable, Sendable {
    package var position: PositionKey
    package var condition: Condition
    /// What the condition holds now: the count, and the movements that came after it.
    package var value: Int32
    /// The count's effective time.
    package var at: Milliseconds
    /// All conditions of the position were counted as of `at`: those not told of hold nothing.
    package var isWhole: Bool

    package init(
        position: PositionKey, condition: Condition, value: Int32, at: Milliseconds,
        isWhole: Bool = false
    ) {
        self.position = position
        self.condition = condition
        self.value = value
        self.at = at
        self.isWhole = isWhole
    }
}

/// A SKU belongs to a category and has a name.
package struct SKUCategorised: BitwiseCopyable, Equatable, Sendable {
    package var sku: UInt32
    /// Category id plus one; 0 is none.
    package var category: UInt16
    /// Its name in plain words: a range of the text that travels with the facts.
    package var name: ByteRange

    package init(sku: UInt32, category: UInt16, name: ByteRange) {
        self.sku = sku
        self.category = category
        self.name = name
    }
}

/// An event that was accepted or parked, by fingerprint.
package struct RememberedEvent: BitwiseCopyable, Equatable, Sendable {
    package var fingerprint: EventFingerprint
    package var outcome: Outcome
    /// Service time of the decision.
    package var time: Milliseconds

    package init(fingerprint: EventFingerprint, outcome: Outcome, time: Milliseconds) {
        self.fingerprint = fingerprint
        self.outcome = outcome
        self.time = time
    }
}

/// An event or a row was set aside.
package struct EventParked: BitwiseCopyable, Equatable, Sendable {
    /// Why.
    package var outcome: Outcome
    /// Service time of the decision.
    package var time: Milliseconds
    /// The event as it came: a range of the text that travels with the facts.
    package var source: ByteRange

    package init(outcome: Outcome, time: Milliseconds, source: ByteRange) {
        self.outcome = outcome
        self.time = time
        self.source = source
    }
}

/// A keyed hash of (source, id), and a hash of what the event said.
@usableFromInline
package struct EventFingerprint: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var first: UInt64
    @usableFromInline package var second: UInt32
    @usableFromInline package var body: UInt32

    @inlinable
    package init(first: UInt64, second: UInt32, body: UInt32) {
        self.first = first
        self.second = second
        self.body = body
    }
}
