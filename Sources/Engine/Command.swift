// Commands on their way to a shard: checked, names hashed, in batches that travel as one message.

package import Bytes
package import Columns
package import Domain

/// What a command asks for.
package enum Verb: UInt8, BitwiseCopyable, Sendable {
    /// A stock event; its kind, conditions and quantity say what happened.
    case event
    /// A position as the system of record has it: a count of the conditions given, without an id.
    case stock
    /// The category of a SKU, and its name in plain words.
    case item
    /// An event that was set aside is not to take effect.
    case discard
}

/// One command, of fixed size; its names lie in the batch's text.
package struct StockCommand: BitwiseCopyable, Sendable {
    package var key: NameKey
    /// The identity of an event; the other conditions of a stock row (`subscript(counted:)`).
    package var fingerprint: EventFingerprint
    package var at: Milliseconds
    /// Units; for `item` the category id plus one.
    package var quantity: Int32
    /// Where the SKU's name begins in the batch's text; the source text of the command follows it, and
    /// the reason of an event.
    package var textOffset: UInt32
    /// Bytes of source text behind the SKU's name (an event as it came, an item's name).
    package var sourceByteCount: UInt32
    /// The command's number in its request, counted from 0.
    package var index: UInt32
    /// The line of its file or body, counted from 1; 0 where there are no lines.
    package var line: UInt32 = 0
    package var location: UInt16
    package var toLocation: UInt16
    package var eventSource = EventSource.none
    package var reasonByteCount: UInt8 = 0
    package var verb: Verb
    package var kind: EventKind
    package var from: Condition
    package var to: Condition
    package var flags: UInt8

    /// The command has an id: it is remembered, and a repeat changes nothing.
    package static let hasIdentityFlag: UInt8 = 1
    /// Loading old history on purpose: ids that were forgotten may be older.
    package static let backfillFlag: UInt8 = 2
    /// The location is not known, and unknown names are refused.
    package static let unknownLocationFlag: UInt8 = 4
    /// The channel is not known, and unknown names are refused.
    package static let unknownChannelFlag: UInt8 = 8
    /// The event stood aside when it was taken up again.
    package static let retryFlag: UInt8 = 16
    /// No effective time was given: `at` is the arrival.
    package static let arrivalFlag: UInt8 = 32

    package init(
        verb: Verb, key: NameKey, textOffset: Int, location: UInt16, quantity: Int32,
        at: Milliseconds, index: Int
    ) {
        self.verb = verb
        self.key = key
        self.textOffset = UInt32(textOffset)
        self.location = location
        self.quantity = quantity
        self.at = at
        self.index = UInt32(index)
        fingerprint = EventFingerprint(first: 0, second: 0, body: 0)
        sourceByteCount = 0
        toLocation = location
        kind = .adjust
        from = .sellable
        to = .sellable
        flags = 0
    }

    /// The units of a stock row; nil where the row does not say.
    package subscript(counted condition: Condition) -> Int32? {
        get {
            guard fingerprint.body & 1 << UInt32(condition.rawValue) != 0 else { return nil }
            switch condition {
            case .sellable: return quantity
            case .returned: return Int32(truncatingIfNeeded: fingerprint.first)
            case .damaged: return Int32(truncatingIfNeeded: fingerprint.first >> 32)
            case .blocked: return Int32(bitPattern: fingerprint.second)
            }
        }
        set {
            guard let units = newValue else { return }
            fingerprint.body |= 1 << UInt32(condition.rawValue)
            let bits = UInt64(UInt32(bitPattern: units))
            switch condition {
            case .sellable: quantity = units
            case .returned: fingerprint.first = fingerprint.first & ~0xFFFF_FFFF | bits
            case .damaged: fingerprint.first = fingerprint.first & 0xFFFF_FFFF | bits << 32
            case .blocked: fingerprint.second = UInt32(bitPattern: units)
            }
        }
    }

    /// The number of the event that a `discard` is about.
    package var letter: UInt64 {
        get { fingerprint.first }
        set { fingerprint.first = newValue }
    }

    package var skuRange: ByteRange {
        ByteRange(offset: Int(textOffset), count: key.byteCount)
    }

    package var sourceRange: ByteRange {
        ByteRange(offset: skuRange.end, count: Int(sourceByteCount))
    }

    package var reasonRange: ByteRange {
        ByteRange(offset: sourceRange.end, count: Int(reasonByteCount))
    }

    package var origin: EventOrigin { EventOrigin(kind: kind, source: eventSource) }
}

/// Every state of one position, as the owner reports it.
package struct PositionDetail: BitwiseCopyable, Sendable {
    package var location: UInt16
    package var sellable: Int32
    package var returned: Int32
    package var damaged: Int32
    package var blocked: Int32
    package var held: Int32
    package var allocated: Int32
    package var safetyStock: Int32
    package var free: Int32

    package var onHand: Int64 {
        Int64(sellable) + Int64(returned) + Int64(damaged) + Int64(blocked)
    }
}

/// One item of a list; ranges of the list's text.
package struct ItemEntry: BitwiseCopyable, Sendable {
    package var sku: ByteRange
    /// In plain words; empty when it was never told.
    package var name: ByteRange
    /// Category id plus one; 0 is none.
    package var category: UInt16
}

/// Which of the events that stand aside are listed: those numbered `after` to `through`, at most `limit`.
package struct LetterRange: Equatable, Sendable {
    package var after: UInt64 = 0
    package var through = UInt64.max
    /// The outcome that they have; nil: any.
    package var reason: Outcome?
    package var limit = 0

    package init() {}
}

/// One event that stands aside.
package struct LetterEntry: BitwiseCopyable, Sendable {
    package var number: UInt64
    package var outcome: Outcome
    package var parkedAt: Milliseconds
    /// The event as it came: a range of the list's text.
    package var source: ByteRange
}

/// A message to a shard and, filled in, its reply. Lives in one place; its address travels.
///
/// One side has it at a time: the sender until it is sent, the shard's owner until the reply, then
/// the sender again.
@usableFromInline
package struct CommandBatch: ~Copyable {
    package enum Task: UInt8, Sendable {
        /// Apply `commands`, fill `outcomes`.
        case apply
        /// Fill `details`, `skuID`, `version` … for the SKU named by `text`.
        case detail
        /// Read an item of a query that readers could not get a consistent state of.
        case read
        /// List the parked events of `letterRange` as `letters`; moves `letterRange` on.
        case listParked
        /// List items from `firstSKU` on, `limit` at the most; both are moved on.
        case listItems
    }

    package var task = Task.apply
    package var shard = 0
    package var lane = Lane.start
    /// The reactor that the reply goes to, and what it belongs to there.
    package var origin = 0
    package var token: UInt64 = 0
    package var now: Milliseconds = 0

    package var commands = Buffer<StockCommand>()
    package var text = ByteBuffer()
    package var outcomes = Buffer<Outcome>()

    // The reply of a detail read.
    package var isFound = false
    package var details = Buffer<PositionDetail>()
    package var version: UInt64 = 0
    package var category: UInt16 = 0
    package var itemName = ByteBuffer()

    /// Where a list of items goes on, or nil behind the last; and how many may still come.
    package var firstSKU: UInt32?
    package var limit = 0
    /// The items listed; their names lie in `listing`.
    package var items = Buffer<ItemEntry>()

    /// The parked events to list; behind the reply, those that were not.
    package var letterRange = LetterRange()
    /// The parked events listed; their texts lie in `listing`.
    package var letters = Buffer<LetterEntry>()
    /// Whether `letterRange` is done with.
    package var isLastLetter = false

    /// The reply of a list; or, for a read, the address of the query.
    package var listing = ByteBuffer()
    package var query: UInt64 = 0

    package init() {}

    /// What the batch counts for in a queue: its commands, or one question.
    var queuedCount: Int { max(1, commands.count) }

    /// Commands at the most in one batch: what a shard does between two looks at the world.
    package static let commandCountMax = 256

    /// Bytes of text behind which a batch takes no further command: with that of the last one its
    /// facts fit one frame of the journal.
    package static let textByteCountMax = 512 << 10

    /// Every command gets the same outcome, and none is applied.
    mutating func refuse(_ outcome: Outcome) {
        outcomes.removeAll()
        outcomes.append(repeating: outcome, count: commands.count)
    }

    /// Empties the batch for another use; keeps its memory.
    package mutating func reset() {
        task = .apply
        lane = .start
        commands.removeAll()
        text.removeAll()
        outcomes.removeAll()
        isFound = false
        details.removeAll()
        itemName.removeAll()
        listing.removeAll()
        version = 0
        category = 0
        query = 0
        firstSKU = nil
        limit = 0
        items.removeAll()
        letterRange = LetterRange()
        letters.removeAll()
        isLastLetter = false
    }
}
