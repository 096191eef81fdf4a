// Stock of a position and what may be promised of it: the arithmetic everything else rests on.

/// What state units on hand are in.
@usableFromInline
package enum Condition: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    case sellable
    /// Awaits inspection.
    case returned
    case damaged
    /// Recall, quality, display.
    case blocked

    package var name: StaticString {
        switch self {
        case .sellable: "sellable"
        case .returned: "returned"
        case .damaged: "damaged"
        case .blocked: "blocked"
        }
    }
}

/// All states of one SKU at one location. Units of the SKU's base unit; any may be negative after
/// physical facts that ran ahead of the records, except held, allocated and safety stock.
package struct PositionState: Equatable, Sendable {
    package var sellable: Int32 = 0
    package var returned: Int32 = 0
    package var damaged: Int32 = 0
    package var blocked: Int32 = 0
    package var held: Int32 = 0
    package var allocated: Int32 = 0
    package var safetyStock: Int32 = 0

    package init() {}

    /// Physical stock: the sum of the conditions.
    package var onHand: Int64 {
        Int64(sellable) + Int64(returned) + Int64(damaged) + Int64(blocked)
    }

    package subscript(condition: Condition) -> Int32 {
        get {
            switch condition {
            case .sellable: sellable
            case .returned: returned
            case .damaged: damaged
            case .blocked: blocked
            }
        }
        set {
            switch condition {
            case .sellable: sellable = newValue
            case .returned: returned = newValue
            case .damaged: damaged = newValue
            case .blocked: blocked = newValue
            }
        }
    }

    package var free: Int32 {
        freeUnits(
            sellable: sellable, held: held, allocated: allocated, safetyStock: safetyStock)
    }
}

/// sellable − held − allocated − safety stock: what is left to promise; may be negative.
///
/// The difference of four 32-bit counts can leave their range only downwards, where nothing is to
/// be promised any more: there it stays at the smallest value instead of wrapping.
@inlinable
package func freeUnits(
    sellable: Int32, held: Int32, allocated: Int32, safetyStock: Int32
) -> Int32 {
    let free = Int64(sellable) &- Int64(held) &- Int64(allocated) &- Int64(safetyStock)
    return Int32(truncatingIfNeeded: max(Int64(Int32.min), min(Int64(Int32.max), free)))
}

/// What a channel may be promised of a position: the one formula behind every answer.
///
/// Free units, clipped at zero; nothing where the location is closed. Channels without rules of
/// their own all sell from this common pool.
@inlinable
package func availableToPromise(free: Int32, isOpen: Bool) -> Int32 {
    isOpen ? max(0, free) : 0
}

/// Moves `quantity` by `delta`; nil where the result does not fit: the event is refused then.
@inlinable
package func moved(_ quantity: Int32, by delta: Int64) -> Int32? {
    let (sum, overflow) = Int64(quantity).addingReportingOverflow(delta)
    return overflow ? nil : Int32(exactly: sum)
}
