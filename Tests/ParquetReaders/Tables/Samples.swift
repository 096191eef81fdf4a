// The tables that other programs read: every kind, every encoding, several pages and row groups.

extension Table {
    static var samples: [Table] { [kinds, encodings, positions, long, single, empty] }

    /// Every kind of column, with the ends of its range.
    private static var kinds: Table {
        let count = 1000
        let words = ["", "a", "Zürich", "漢字", "🏬 store", "two words", "b"]
        return Table(
            "kinds", rowGroupRowCount: 300, metadata: ["shard": "3", "note": "ä 漢"],
            [
                ("boolean", .boolean((0..<count).map { $0 % 3 == 0 })),
                (
                    "int32",
                    .int32((0..<count).map { $0 == 7 ? .min : $0 == 800 ? .max : Int32($0 % 90) })
                ),
                (
                    "int64",
                    .int64(
                        (0..<count).map {
                            $0 == 5 ? .min : $0 == 6 ? .max : Int64(bitPattern: mixed($0))
                        })
                ),
                ("at", .timestamp((0..<count).map { 1_790_000_000_000 + Int64($0 * 977) })),
                ("string", .string((0..<count).map { words[$0 * $0 % words.count] })),
                (
                    "fingerprint",
                    .fixed(
                        (0..<count).map { row in
                            (0..<12).map {
                                UInt8(truncatingIfNeeded: mixed(row) >> ($0 * 5))
                            }
                        }, byteCount: 12)
                ),
            ])
    }

    /// Integers and strings that lead to each encoding, over several pages.
    private static var encodings: Table {
        let count = 100_000
        return Table(
            "encodings", rowGroupRowCount: 70_000,
            [
                ("constant", .int64([Int64](repeating: -42, count: count))),
                ("runs", .int32((0..<count).map { Int32($0 / 1000 % 7) })),
                ("two_values", .int64((0..<count).map { $0 * $0 % 5 < 2 ? .min : .max })),
                ("growing", .int64((0..<count).map { Int64($0) * 1_000_003 + Int64($0 % 10) })),
                ("falling", .int32((0..<count).map { Int32.max - Int32($0 * 21_000) })),
                ("any", .int64((0..<count).map { Int64(bitPattern: mixed($0)) })),
                ("unique", .string((0..<count).map { "order-\($0 * 7919 % count)" })),
                ("few", .string((0..<count).map { "location \($0 % 300)" })),
            ])
    }

    /// What a snapshot holds: SKU by SKU, its locations.
    private static var positions: Table {
        let count = 150_000
        let onHand = (0..<count).map { Int32(mixed($0) % 1000) }
        let held = (0..<count).map { $0 % 9 == 0 ? Int32(mixed($0) >> 32 % 4) : 0 }
        return Table(
            "positions", rowGroupRowCount: 65_536,
            [
                ("sku", .string((0..<count).map { "SKU-\($0 / 100)" })),
                ("location", .string((0..<count).map { "S\($0 % 100)" })),
                ("on_hand", .int32(onHand)),
                ("blocked", .int32([Int32](repeating: 0, count: count))),
                ("held", .int32(held)),
                ("available", .int32(zip(onHand, held).map { $0 - $1 })),
            ])
    }

    /// Strings of 256 bytes and of one more, which are too long for statistics.
    private static var long: Table {
        let bounds = [256, 257].map { String(repeating: "x", count: $0) }
        return Table(
            "long", rowGroupRowCount: 3,
            [("s", .string([bounds[0], "a", "b", bounds[1], "a", "b"]))])
    }

    private static var single: Table {
        Table("single", rowGroupRowCount: 1, [("a", .int32([7])), ("b", .string(["one"]))])
    }

    private static var empty: Table {
        Table("empty", rowGroupRowCount: 1, [("a", .int64([])), ("b", .string([]))])
    }
}

/// A word that looks like chance (the finaliser of SplitMix64).
private func mixed(_ row: Int) -> UInt64 {
    var word = UInt64(row) &* 0x9E37_79B9_7F4A_7C15
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
}
