import Domain
import Testing

@Suite struct OutcomeTests {
    /// Stored with what is remembered and answered to clients: neither number nor code may change.
    private static let table: [(outcome: Outcome, number: UInt8, code: String, Outcome.Verdict)] = [
        (.accepted, 1, "accepted", .accepted),
        (.recorded, 2, "recorded", .accepted),
        (.duplicate, 3, "duplicate", .duplicate),
        (.discarded, 4, "discarded", .duplicate),
        (.unknownLetter, 43, "unknown_letter", .rejected),
        (.parkedBeforeWindow, 16, "count_before_window", .parked),
        (.parkedUnknownSKU, 17, "unknown_sku", .parked),
        (.parkedUnknownLocation, 18, "unknown_location", .parked),
        (.parkedBeforeMemory, 19, "before_remembered", .parked),
        (.parkedUnknownChannel, 20, "unknown_channel", .parked),
        (.overflow, 32, "overflow", .rejected),
        (.idConflict, 33, "id_conflict", .rejected),
        (.outOfMemory, 34, "out_of_memory", .rejected),
        (.parkingFull, 35, "parking_full", .rejected),
        (.busy, 36, "busy", .rejected),
        (.rowBeforeWindow, 37, "count_before_window", .rejected),
        (.rowUnknownSKU, 38, "unknown_sku", .rejected),
        (.rowUnknownLocation, 39, "unknown_location", .rejected),
        (.journalFull, 40, "journal_full", .rejected),
        (.readOnly, 41, "read_only", .rejected),
        (.unknown, 42, "outcome_unknown", .rejected),
    ]

    @Test func `numbers, codes and verdicts of outcomes are fixed`() {
        for (outcome, number, code, verdict) in Self.table {
            #expect(outcome.rawValue == number)
            #expect("\(outcome.code)" == code)
            #expect(outcome.verdict == verdict)
            #expect(outcome.detail.utf8CodeUnitCount > 0)
        }
    }

    @Test func `no other number is an outcome`() {
        let known = Set(Self.table.map(\.number))
        for number in UInt8.min ... .max {
            #expect((Outcome(rawValue: number) != nil) == known.contains(number))
        }
    }
}
