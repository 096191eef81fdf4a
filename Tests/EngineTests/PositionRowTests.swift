import Bytes
import Columns
import Testing

@Suite struct PositionRowTests {
    private static let times: [Milliseconds?] = [
        nil, -2_208_988_800_000, -2_208_988_799_999, -1, 0, 1, 1_800_000_000_000,
        32_503_679_999_999,
    ]
    private static let lists: [UInt32] = [0, 1, 0x1FFF, 0x2000, 1 << 30 - 1, 0x8000_0000, .max]

    @Test func `packed fields keep their values and leave each other alone`() {
        for newest in Self.times {
            for counted in Self.times {
                for list in Self.lists {
                    for hasOthers in [false, true] {
                        var row = PositionRow()
                        // All bits set first, so that what a setter leaves behind shows.
                        row.newestAt = 32_503_679_999_999
                        row.sellableCountedAt = 32_503_679_999_999
                        row.movements = .max
                        row.hasOtherConditions = true
                        row.wasCountedWhole = true
                        row.sellable = -1

                        row.movements = list
                        row.sellableCountedAt = counted
                        row.newestAt = newest
                        row.hasOtherConditions = hasOthers
                        row.wasCountedWhole = !hasOthers
                        if row.newestAt != newest || row.sellableCountedAt != counted
                            || row.movements != list || row.hasOtherConditions != hasOthers
                            || row.wasCountedWhole == hasOthers || row.sellable != -1
                        {
                            Issue.record(
                                """
                                \((newest, counted, list, hasOthers)) came back as \
                                \((row.newestAt, row.sellableCountedAt, row.movements)) \
                                \(row.hasOtherConditions)
                                """)
                            return
                        }
                    }
                }
            }
        }
    }

    @Test func `a fresh row never moved and was never counted`() {
        let row = PositionRow()
        #expect(row.newestAt == nil && row.sellableCountedAt == nil)
        #expect(row.movements == 0 && !row.hasOtherConditions)
    }
}
