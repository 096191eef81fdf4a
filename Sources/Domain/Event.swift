// Stock events: what systems that move stock tell us, checked, without any wire syntax.

package import Bytes

/// What an event says happened. Only physical facts; promises have commands of their own.
///
/// Journals keep the numbers: another kind gets the next one.
@usableFromInline
package enum EventKind: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case receipt
    case sale
    case `return`
    case move
    case writeOff
    case adjust
    case count
    case transfer

    package init?(name: Span<UInt8>) {
        for kind in Self.allCases where name.equals(kind.name) {
            self = kind
            return
        }
        return nil
    }

    package var name: StaticString {
        switch self {
        case .receipt: "receipt"
        case .sale: "sale"
        case .return: "return"
        case .move: "move"
        case .writeOff: "write_off"
        case .adjust: "adjust"
        case .count: "count"
        case .transfer: "transfer"
        }
    }

    /// Kinds that the event schema knows and this version does not take.
    package static func isKnownButUnsupported(_ name: Span<UInt8>) -> Bool {
        name.equals("inbound") || name.equals("transfer_ship") || name.equals("transfer_receive")
            || name.equals("hold") || name.equals("confirm") || name.equals("release")
            || name.equals("fulfil")
    }
}

extension Condition {
    package init?(name: Span<UInt8>) {
        for condition in Self.allCases where name.equals(condition.name) {
            self = condition
            return
        }
        return nil
    }
}

/// The longest `id` of an event, in bytes.
package let eventIDByteCountMax = 128

/// Bytes of an event's `reason` that are kept.
package let eventReasonByteCountMax = Int(UInt8.max)

/// How far ahead of our clock an event's effective time may lie.
package let futureToleranceMilliseconds: Milliseconds = 5 * 60 * 1000

/// Effective times that can be kept: the years 1900 to 2999.
package let effectiveTimes: ClosedRange<Milliseconds> = -2_208_988_800_000...32_503_679_999_999

/// Why an event is refused before it reaches its shard, or there.
package enum EventRefusal: Error, Sendable {
    case missing(StaticString)
    case unknownKind
    case unsupportedKind
    case badQuantity
    case quantityOutOfRange
    case badTime
    case futureTime
    case unknownCondition
    case contradictingConditions
    case sameLocation
    case badIdentifier(field: StaticString, IdentifierRefusal)

    package var code: StaticString {
        switch self {
        case .missing: "missing_field"
        case .unknownKind: "unknown_kind"
        case .unsupportedKind: "unsupported_kind"
        case .badQuantity: "bad_quantity"
        case .quantityOutOfRange: "quantity_out_of_range"
        case .badTime: "bad_time"
        case .futureTime: "future_time"
        case .unknownCondition: "unknown_condition"
        case .contradictingConditions: "contradicting_conditions"
        case .sameLocation: "same_location"
        case .badIdentifier(_, let refusal): refusal.code
        }
    }

    package var detail: String {
        switch self {
        case .missing(let field): "the field \(field) is required for this kind"
        case .unknownKind: "no such kind of event"
        case .unsupportedKind: "this kind of event is not taken by this version"
        case .badQuantity: "qty must be above 0 (count: at least 0; adjust: any integer)"
        case .quantityOutOfRange: "qty does not fit 32 bits"
        case .badTime: "at must be an RFC 3339 time or epoch milliseconds, in 1900 to 2999"
        case .futureTime: "at lies more than 5 minutes ahead"
        case .unknownCondition: "a condition is sellable, returned, damaged or blocked"
        case .contradictingConditions: "from and to name conditions that this kind cannot combine"
        case .sameLocation: "a transfer needs two different locations"
        case .badIdentifier(let field, let refusal): "\(field): \(refusal.code)"
        }
    }
}

/// An event's fields as they were given, names left out.
package struct EventDraft: Sendable {
    package var kind: EventKind?
    package var quantity: Int64?
    package var at: Milliseconds?
    package var from: Condition?
    package var to: Condition?

    package init() {}
}

/// What an event does to stock: which condition loses, which gains, how much.
package struct EventEffect: Equatable, Sendable {
    package var kind: EventKind
    /// Units; for `adjust` signed, for `count` absolute.
    package var quantity: Int32
    /// The condition that loses units (`move`, `write_off`, `transfer`, `sale`), or is meant.
    package var from: Condition
    /// The condition that gains units (`receipt`, `return`, `move`, `transfer`), or is meant.
    package var to: Condition
    package var at: Milliseconds

    package init(
        kind: EventKind, quantity: Int32, from: Condition, to: Condition, at: Milliseconds
    ) {
        self.kind = kind
        self.quantity = quantity
        self.from = from
        self.to = to
        self.at = at
    }
}

extension EventDraft {
    /// Checks kind, quantity, time and conditions, in this order.
    ///
    /// - Parameter now: Service time; what `at` defaults to.
    package func checked(now: Milliseconds) throws(EventRefusal) -> EventEffect {
        guard let kind else { throw .missing("kind") }
        guard let quantity else { throw .missing("qty") }
        switch kind {
        case .adjust: break
        case .count: guard quantity >= 0 else { throw .badQuantity }
        default: guard quantity > 0 else { throw .badQuantity }
        }
        guard let units = Int32(exactly: quantity) else { throw .quantityOutOfRange }
        let at = self.at ?? now
        guard effectiveTimes.contains(at) else { throw .badTime }
        guard at <= now + futureToleranceMilliseconds else { throw .futureTime }
        let (from, to) = try conditions(of: kind)
        return EventEffect(kind: kind, quantity: units, from: from, to: to, at: at)
    }

    private func conditions(
        of kind: EventKind
    ) throws(EventRefusal) -> (from: Condition, to: Condition) {
        switch kind {
        case .move:
            guard let from else { throw .missing("from") }
            guard let to else { throw .missing("to") }
            guard from != to else { throw .contradictingConditions }
            return (from, to)
        case .transfer:
            return (from ?? .sellable, to ?? .sellable)
        case .sale:
            // A sale takes sellable units; another condition would have to be moved first.
            guard from ?? .sellable == .sellable, to == nil else { throw .contradictingConditions }
            return (.sellable, .sellable)
        case .receipt, .return, .writeOff, .adjust, .count:
            // One condition is meant; it may be given by either name.
            if let from, let to, from != to { throw .contradictingConditions }
            let meant = from ?? to ?? (kind == .return ? .returned : .sellable)
            return (meant, meant)
        }
    }
}
