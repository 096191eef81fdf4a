import Bytes
import Domain
import Testing

@Suite struct StockTests {
    private static let edges: [Int32] = [
        .min, .min + 1, -1_000_000, -1, 0, 1, 7, 1_000_000, .max - 1, .max,
    ]

    @Test(
        arguments: [
            (10, 0, 0, 0, 10), (10, 3, 2, 4, 1), (10, 3, 3, 4, 0), (10, 4, 4, 4, -2),
            (-5, 0, 0, 2, -7), (0, 0, 0, 0, 0),
        ] as [(Int32, Int32, Int32, Int32, Int32)])
    func `free is sellable less held, allocated and safety stock`(
        sellable: Int32, held: Int32, allocated: Int32, safetyStock: Int32, expected: Int32
    ) {
        let free = freeUnits(
            sellable: sellable, held: held, allocated: allocated, safetyStock: safetyStock)
        #expect(free == expected)
    }

    @Test func `free stays at the bounds of 32 bits instead of wrapping`() {
        for sellable in Self.edges {
            for held in Self.edges {
                for allocated in Self.edges {
                    for safetyStock in Self.edges {
                        let exact =
                            Int64(sellable) - Int64(held) - Int64(allocated) - Int64(safetyStock)
                        let expected =
                            exact < -2_147_483_648
                            ? Int32.min : exact > 2_147_483_647 ? .max : Int32(exact)
                        let free = freeUnits(
                            sellable: sellable, held: held, allocated: allocated,
                            safetyStock: safetyStock)
                        if free != expected {
                            Issue.record("\((sellable, held, allocated, safetyStock)): \(free)")
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [(5, 5), (0, 0), (-1, 0), (.min, 0), (.max, .max)] as [(Int32, Int32)])
    func `what may be promised is free, never below zero`(free: Int32, expected: Int32) {
        #expect(availableToPromise(free: free, isOpen: true) == expected)
    }

    @Test func `a closed location promises nothing`() {
        for free in Self.edges { #expect(availableToPromise(free: free, isOpen: false) == 0) }
    }

    @Test func `a quantity moves by a difference or does not fit`() {
        #expect(moved(3, by: -5) == -2)
        #expect(moved(.max, by: 0) == .max)
        #expect(moved(.max, by: 1) == nil)
        #expect(moved(.min, by: -1) == nil)
        #expect(moved(.min, by: Int64(UInt32.max)) == .max)
        #expect(moved(0, by: .max) == nil)
        #expect(moved(1, by: .max) == nil)
        #expect(moved(-1, by: .min) == nil)
    }

    @Test func `on hand is the sum of the four conditions`() {
        var state = PositionState()
        for (index, condition) in Condition.allCases.enumerated() {
            state[condition] = Int32(1) << Int32(index * 4)
            #expect(state[condition] == Int32(1) << Int32(index * 4))
        }
        state.held = 1_000_000
        state.allocated = 1_000_000
        state.safetyStock = 1_000_000
        #expect(state.onHand == 0x1111)
        for condition in Condition.allCases { state[condition] = .max }
        #expect(state.onHand == 4 * 2_147_483_647)
        #expect(state.free == 2_147_483_647 - 3_000_000)
    }

    @Test func `a condition is found by its name and no other`() {
        for condition in Condition.allCases {
            let text = "\(condition.name)"
            #expect(withUTF8(text) { Condition(name: $0) } == condition)
            #expect(withUTF8(text + "x") { Condition(name: $0) } == nil)
            #expect(withUTF8(text.uppercased()) { Condition(name: $0) } == nil)
        }
        #expect(withUTF8("") { Condition(name: $0) } == nil)
    }
}
