// What was decided. Facts are numbers: applying them again gives the same state, whatever the
// rules or the clock say then. SKUs and locations go by ids, never by row.

public import Bytes

/// One decided change of a shard.
@usableFromInline
package enum Fact: BitwiseCopyable, Sendable {
    /// The next SKU id is this name: a range of the text that travels with the facts.
    case skuAdded(ByteRange)
    /// A position with no stock came to be.
    case positionAdded(PositionKey)
    case moved(StockMoved)
    case counted(StockCounted)
    /// A movement came that a count known by then has made void: without effect.
    case movementRecorded(StockMoved)
    /// A count came that is older than another one known by then: without effect. Its value is what
    /// was counted.
    case countRecorded(StockCounted)
    case categorised(SKUCategorised)
    /// An event and its outcome, so that a repeat of it changes nothing.
    case remembered(RememberedEvent, EventOrigin)
    /// Why an event came about, in its own words: a range of the text that travels with the facts.
    case reasonGiven(ByteRange)
    case parked(EventParked)
    case letterEnded(LetterEnded)
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
@usableFromInline
package struct StockMoved: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var position: PositionKey
    @usableFromInline package var condition: Condition
    @usableFromInline package var delta: Int32
    /// Effective time.
    @usableFromInline package var at: Milliseconds

    @inlinable
    package init(position: PositionKey, condition: Condition, delta: Int32, at: Milliseconds) {
        self.position = position
        self.condition = condition
        self.delta = delta
        self.at = at
    }
}

/// A condition of a position was counted.
@usableFromInline
package struct StockCounted: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var position: PositionKey
    @usableFromInline package var condition: Condition
    /// What the condition holds now: the count, and the movements that came after it.
    @usableFromInline package var value: Int32
    /// The count's effective time.
    @usableFromInline package var at: Milliseconds
    /// All conditions of the position were counted as of `at`: those not told of hold nothing.
    @usableFromInline package var isWhole: Bool

    @inlinable
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
@usableFromInline
package struct SKUCategorised: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var sku: UInt32
    /// Category id plus one; 0 is none.
    @usableFromInline package var category: UInt16
    /// Its name in plain words: a range of the text that travels with the facts.
    @usableFromInline package var name: ByteRange

    @inlinable
    package init(sku: UInt32, category: UInt16, name: ByteRange) {
        self.sku = sku
        self.category = category
        self.name = name
    }
}

/// An event that was accepted or parked, by fingerprint.
@usableFromInline
package struct RememberedEvent: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline package var fingerprint: EventFingerprint
    @usableFromInline package var outcome: Outcome
    /// Service time of the decision.
    @usableFromInline package var time: Milliseconds

    @inlinable
    package init(fingerprint: EventFingerprint, outcome: Outcome, time: Milliseconds) {
        self.fingerprint = fingerprint
        self.outcome = outcome
        self.time = time
    }
}

/// An event was set aside; or one that stands aside has another reason for it.
@usableFromInline
package struct EventParked: BitwiseCopyable, Equatable, Sendable {
    /// Zero where the event has no id.
    @usableFromInline package var fingerprint: EventFingerprint
    /// Why.
    @usableFromInline package var outcome: Outcome
    /// Service time of the decision.
    @usableFromInline package var time: Milliseconds
    /// The event as it came: a range of the text that travels with the facts.
    @usableFromInline package var source: ByteRange

    @inlinable
    package init(
        fingerprint: EventFingerprint, outcome: Outcome, time: Milliseconds, source: ByteRange
    ) {
        self.fingerprint = fingerprint
        self.outcome = outcome
        self.time = time
        self.source = source
    }
}

/// An event stands aside no more.
@usableFromInline
package struct LetterEnded: BitwiseCopyable, Equatable, Sendable {
    @usableFromInline
    package enum Ending: UInt8, BitwiseCopyable, Sendable {
        /// It was decided after all.
        case taken = 1
        /// It is never to take effect: a repeat of it is one.
        case discarded
    }
    /// The event's number among those that its shard has set aside.
    @usableFromInline package var number: UInt64
    @usableFromInline package var ending: Ending
    /// Service time of the decision.
    @usableFromInline package var time: Milliseconds

    @inlinable
    package init(number: UInt64, ending: Ending, time: Milliseconds) {
        self.number = number
        self.ending = ending
        self.time = time
    }
}

/// A keyed hash of (source, id), and a hash of what the event said.
@usableFromInline
package struct EventFingerprint: BitwiseCopyable, Hashable, Sendable {
    @usableFromInline package var first: UInt64
    @usableFromInline package var second: UInt32
    @usableFromInline package var body: UInt32

    @inlinable
    package init(first: UInt64, second: UInt32, body: UInt32) {
        self.first = first
        self.second = second
        self.body = body
    }

    /// Of what has no id.
    @inlinable
    package static var none: EventFingerprint {
        EventFingerprint(first: 0, second: 0, body: 0)
    }
}
