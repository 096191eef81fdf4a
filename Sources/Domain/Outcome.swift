// What became of a command: one byte per command in an answer, and in what is remembered.

/// The outcome of one event, stock row or item.
@usableFromInline
package enum Outcome: UInt8, BitwiseCopyable, Sendable {
    /// Took effect.
    case accepted = 1
    /// Kept, without effect on stock: the shelf was counted after it, or counted again later.
    case recorded = 2
    /// The same event came before; nothing changed.
    case duplicate = 3
    /// Was set aside, and somebody decided that it is not to take effect.
    case discarded = 4

    // Set aside, waiting for a person or a retry.
    case parkedBeforeWindow = 16
    case parkedUnknownSKU = 17
    case parkedUnknownLocation = 18
    case parkedBeforeMemory = 19
    case parkedUnknownChannel = 20

    // Refused; nothing changed.
    case overflow = 32
    case idConflict = 33
    case outOfMemory = 34
    case parkingFull = 35
    /// The inbox was full: not taken, send it again.
    case busy = 36
    // Stock rows are not parked: their file can be sent again.
    case rowBeforeWindow = 37
    case rowUnknownSKU = 38
    case rowUnknownLocation = 39
    /// There is no space for what would be decided: nothing was.
    case journalFull = 40
    /// The journal has failed: nothing is decided any more until a restart.
    case readOnly = 41
    /// Decided, but the journal failed before it was surely kept: it may be there after a restart.
    case unknown = 42
    /// There is no such event set aside, or no more.
    case unknownLetter = 43

    /// What a stock row gets where an event would be parked.
    package var forStockRow: Outcome {
        switch self {
        case .parkedBeforeWindow: .rowBeforeWindow
        case .parkedUnknownSKU: .rowUnknownSKU
        case .parkedUnknownLocation: .rowUnknownLocation
        default: self
        }
    }

    @usableFromInline
    package enum Verdict: Sendable { case accepted, duplicate, parked, rejected }

    @inlinable
    package var verdict: Verdict {
        switch self {
        case .accepted, .recorded: .accepted
        case .duplicate, .discarded: .duplicate
        case .parkedBeforeWindow, .parkedUnknownSKU, .parkedUnknownLocation, .parkedBeforeMemory,
            .parkedUnknownChannel:
            .parked
        case .overflow, .idConflict, .outOfMemory, .parkingFull, .busy, .rowBeforeWindow,
            .rowUnknownSKU, .rowUnknownLocation, .journalFull, .readOnly, .unknown,
            .unknownLetter:
            .rejected
        }
    }

    package var code: StaticString {
        switch self {
        case .accepted: "accepted"
        case .recorded: "recorded"
        case .duplicate: "duplicate"
        case .discarded: "discarded"
        case .parkedBeforeWindow, .rowBeforeWindow: "count_before_window"
        case .parkedUnknownSKU, .rowUnknownSKU: "unknown_sku"
        case .parkedUnknownLocation, .rowUnknownLocation: "unknown_location"
        case .parkedBeforeMemory: "before_remembered"
        case .parkedUnknownChannel: "unknown_channel"
        case .overflow: "overflow"
        case .idConflict: "id_conflict"
        case .outOfMemory: "out_of_memory"
        case .parkingFull: "parking_full"
        case .busy: "busy"
        case .journalFull: "journal_full"
        case .readOnly: "read_only"
        case .unknown: "outcome_unknown"
        case .unknownLetter: "unknown_letter"
        }
    }

    package var detail: StaticString {
        switch self {
        case .accepted: "took effect"
        case .recorded: "kept without effect: the shelf was counted after it"
        case .duplicate: "the same event came before"
        case .discarded: "the event was set aside and then discarded"
        case .parkedBeforeWindow, .rowBeforeWindow:
            "the count is older than the movements that are kept"
        case .parkedUnknownSKU, .rowUnknownSKU: "the SKU is not known and unknown names are refused"
        case .parkedUnknownLocation, .rowUnknownLocation:
            "the location is not known and unknown names are refused"
        case .parkedBeforeMemory:
            "older than the oldest remembered event; say backfill=true to load history"
        case .parkedUnknownChannel: "the channel is not known and unknown names are refused"
        case .overflow: "the result does not fit 32 bits"
        case .idConflict: "the same id came before with another content"
        case .outOfMemory: "no memory for another position"
        case .parkingFull: "too many events are parked already"
        case .busy: "the shard's inbox is full; send it again"
        case .journalFull: "the disk is full: nothing was changed; send it again later"
        case .readOnly: "the journal has failed: nothing is changed until a restart"
        case .unknown: "the journal failed meanwhile: send it again after a restart"
        case .unknownLetter: "there is no such event set aside"
        }
    }

    /// Why events are set aside.
    package static let parkingReasons: [Outcome] = [
        .parkedBeforeWindow, .parkedUnknownSKU, .parkedUnknownLocation, .parkedBeforeMemory,
        .parkedUnknownChannel,
    ]
}
