import Bytes
import Domain
import Testing

@Suite struct EventDraftTests {
    private static let now: Milliseconds = 1_800_000_000_000

    private static func draft(
        _ kind: EventKind?, _ quantity: Int64?, at: Milliseconds? = nil, from: Condition? = nil,
        to: Condition? = nil
    ) -> EventDraft {
        var draft = EventDraft()
        draft.kind = kind
        draft.quantity = quantity
        draft.at = at
        draft.from = from
        draft.to = to
        return draft
    }

    /// The code of the refusal, or "ok".
    private func code(_ draft: EventDraft) -> String {
        do throws(EventRefusal) {
            _ = try draft.checked(now: Self.now)
            return "ok"
        } catch { return "\(error.code)" }
    }

    /// A kind with the conditions that it needs, so that only what is tested can be wrong.
    private func complete(_ kind: EventKind, _ quantity: Int64?) -> EventDraft {
        kind == .move
            ? Self.draft(kind, quantity, from: .returned, to: .sellable)
            : Self.draft(kind, quantity)
    }

    @Test(arguments: EventKind.allCases)
    func `each kind takes quantities of its own range`(kind: EventKind) {
        let table: [(quantity: Int64, code: String)] =
            switch kind {
            case .adjust:
                [
                    (0, "ok"), (1, "ok"), (-1, "ok"), (2_147_483_647, "ok"),
                    (-2_147_483_648, "ok"), (2_147_483_648, "quantity_out_of_range"),
                    (-2_147_483_649, "quantity_out_of_range"),
                    (.max, "quantity_out_of_range"), (.min, "quantity_out_of_range"),
                ]
            case .count:
                [
                    (0, "ok"), (1, "ok"), (-1, "bad_quantity"), (2_147_483_647, "ok"),
                    (2_147_483_648, "quantity_out_of_range"), (.min, "bad_quantity"),
                ]
            default:
                [
                    (0, "bad_quantity"), (1, "ok"), (-1, "bad_quantity"), (2_147_483_647, "ok"),
                    (2_147_483_648, "quantity_out_of_range"), (.min, "bad_quantity"),
                    (.max, "quantity_out_of_range"),
                ]
            }
        for row in table { #expect(code(complete(kind, row.quantity)) == row.code) }
    }

    @Test(arguments: EventKind.allCases)
    func `kind and quantity are required`(kind: EventKind) {
        #expect(code(complete(kind, nil)) == "missing_field")
        #expect(code(Self.draft(nil, 1)) == "missing_field")
    }

    @Test func `a refusal says which field is missing`() {
        func detail(_ draft: EventDraft) -> String {
            do throws(EventRefusal) {
                _ = try draft.checked(now: Self.now)
                return ""
            } catch { return error.detail }
        }
        #expect(detail(Self.draft(nil, 1)).contains("kind"))
        #expect(detail(Self.draft(.sale, nil)).contains("qty"))
        #expect(detail(Self.draft(.move, 1, to: .sellable)).contains("from"))
        #expect(detail(Self.draft(.move, 1, from: .sellable)).contains("to "))
    }

    @Test(
        arguments: [
            (nil, "ok"), (now, "ok"), (now + 300_000, "ok"), (now + 300_001, "future_time"),
            (-2_208_988_800_000, "ok"), (-2_208_988_800_001, "bad_time"), (.min, "bad_time"),
            (32_503_679_999_999, "future_time"), (32_503_680_000_000, "bad_time"),
            (.max, "bad_time"),
        ] as [(Milliseconds?, String)])
    func `effective times lie in 1900 to 2999, at most five minutes ahead`(
        at: Milliseconds?, expected: String
    ) {
        #expect(code(Self.draft(.sale, 1, at: at)) == expected)
    }

    @Test func `without a time an event took effect now`() throws {
        #expect(try Self.draft(.sale, 1).checked(now: Self.now).at == Self.now)
        #expect(try Self.draft(.sale, 1, at: 5).checked(now: Self.now).at == 5)
    }

    /// What each kind makes of every pair of conditions; nil is a refusal.
    private func expected(
        _ kind: EventKind, _ from: Condition?, _ to: Condition?
    ) -> (from: Condition, to: Condition)? {
        switch kind {
        case .sale:
            return to == nil && (from == nil || from == .sellable) ? (.sellable, .sellable) : nil
        case .transfer:
            return (from ?? .sellable, to ?? .sellable)
        case .move:
            guard let from, let to, from != to else { return nil }
            return (from, to)
        case .receipt, .writeOff, .adjust, .count, .return:
            switch (from, to) {
            case (nil, nil):
                return kind == .return ? (.returned, .returned) : (.sellable, .sellable)
            case (let one?, nil), (nil, let one?): return (one, one)
            case (let one?, let other?): return one == other ? (one, one) : nil
            }
        }
    }

    @Test(arguments: EventKind.allCases)
    func `each kind combines the conditions that it can`(kind: EventKind) throws {
        let choices: [Condition?] = [nil] + Condition.allCases
        for from in choices {
            for to in choices {
                let draft = Self.draft(kind, 4, at: 9, from: from, to: to)
                guard let expected = expected(kind, from, to) else {
                    let isMissing = kind == .move && (from == nil || to == nil)
                    #expect(
                        code(draft) == (isMissing ? "missing_field" : "contradicting_conditions"))
                    continue
                }
                #expect(
                    try draft.checked(now: Self.now)
                        == EventEffect(
                            kind: kind, quantity: 4, from: expected.from, to: expected.to, at: 9))
            }
        }
    }

    @Test func `checks come in the documented order`() {
        let late = Self.now + 1_000_000_000
        #expect(code(Self.draft(.sale, 0, at: late, to: .damaged)) == "bad_quantity")
        #expect(code(Self.draft(.sale, 1, at: late, to: .damaged)) == "future_time")
        #expect(code(Self.draft(.sale, 1, to: .damaged)) == "contradicting_conditions")
    }

    @Test(
        arguments: [
            ("receipt", EventKind.receipt), ("sale", .sale), ("return", .return), ("move", .move),
            ("write_off", .writeOff), ("adjust", .adjust), ("count", .count),
            ("transfer", .transfer),
            ("Sale", nil), ("", nil), ("writeOff", nil), ("sales", nil), ("hold", nil),
        ] as [(String, EventKind?)])
    func `a kind is found by its name`(name: String, expected: EventKind?) {
        #expect(withUTF8(name) { EventKind(name: $0) } == expected)
    }

    @Test(arguments: [
        ("inbound", true), ("transfer_ship", true), ("transfer_receive", true), ("hold", true),
        ("confirm", true), ("release", true), ("fulfil", true), ("sale", false), ("fulfill", false),
        ("", false),
    ])
    func `kinds of the schema that are not taken are told from unknown ones`(
        name: String, isKnown: Bool
    ) {
        #expect(withUTF8(name) { EventKind.isKnownButUnsupported($0) } == isKnown)
    }
}
