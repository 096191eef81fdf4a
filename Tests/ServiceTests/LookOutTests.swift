// When a reactor stays awake for the journal, and when not.

import Testing

@testable import Service

struct LookOutTests {
    private let place = LookOutPlace(processorCount: 2)

    /// Whether the reactor stays awake, turn by turn, with so many replies held.
    private func answers(
        _ lookOut: inout LookOut, _ turns: [(heldCount: Int, at: UInt64)]
    ) -> [Bool] {
        turns.map { lookOut.isWanted(heldCount: $0.heldCount, at: $0.at) }
    }

    @Test func `a single reply is looked out for until it leaves`() {
        var lookOut = LookOut(place)
        let late = 1000 + LookOut.nanosecondsMax
        let found = answers(&lookOut, [(1, 1000), (1, late), (0, late + 1), (1, late + 2)])
        #expect(found == [true, true, false, true])
    }

    @Test func `looking out ends where the sync takes longer`() {
        var lookOut = LookOut(place)
        let late = 1001 + LookOut.nanosecondsMax
        let found = answers(&lookOut, [(1, 1000), (1, late), (1, late + 1)])
        #expect(found == [true, false, false])
    }

    @Test func `several replies in a row are not looked out for`() {
        var lookOut = LookOut(place)
        let joined = answers(&lookOut, [(1, 1), (2, 2), (1, 3), (0, 4), (1, 5), (0, 6)])
        #expect(joined == [true, false, false, false, true, false])
        let together = answers(&lookOut, [(2, 7), (1, 8), (0, 9), (1, 10)])
        #expect(together == [false, false, false, true])
    }

    @Test func `one reactor at a time looks out`() {
        var lookOut = LookOut(place)
        var other = LookOut(place)
        let found = [
            answers(&lookOut, [(1, 1)]), answers(&other, [(1, 2)]),
            answers(&lookOut, [(0, 3)]), answers(&other, [(1, 4), (0, 5), (1, 6)]),
        ]
        #expect(found == [[true], [false], [false], [false, false, true]])
    }

    @Test func `none looks out where there is one processor`() {
        var lookOut = LookOut(LookOutPlace(processorCount: 1))
        let found = answers(&lookOut, [(1, 1), (0, 2), (1, 3)])
        #expect(found == [false, false, false])
    }
}
