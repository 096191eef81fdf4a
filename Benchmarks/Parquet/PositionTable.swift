// The rows of a snapshot, SKU by SKU.

import Bytes
import Parquet

/// One row group of positions: 100 locations for each SKU.
struct PositionTable: ~Copyable {
    enum State: String, CaseIterable {
        /// Sellable units at random in 0 ..< 1000, all else zero.
        case imported
        /// Some returned, damaged, held and so on, at random positions.
        case lived = "after events"

        var bytesPerPositionMax: Int { self == .imported ? 4 : 8 }
    }

    static let locationsPerSKU = 100

    let rowCount: Int
    private(set) var checksum: UInt64 = 0
    private var strings = StringTable()
    private let skuCount: Int
    private var skus: [UInt32] = []
    private var locations: [UInt32] = []
    private var columns: [(name: String, values: [Int32])] = []

    init(positionCount: Int, _ state: State) {
        rowCount = positionCount
        skuCount = (positionCount + Self.locationsPerSKU - 1) / Self.locationsPerSKU
        for sku in 0..<skuCount { strings.append("SKU-\(1_000_000 + sku * 37)") }
        for location in 0..<Self.locationsPerSKU { strings.append("STORE-\(100 + location)") }
        for row in 0..<rowCount {
            skus.append(UInt32(row / Self.locationsPerSKU))
            locations.append(UInt32(skuCount + row % Self.locationsPerSKU))
        }
        var random = SplitMix(seed: Benchmark.seed)
        let count = rowCount
        /// Zero but for so many of a hundred rows, where it is 1 ... `most`.
        func some(_ percent: Int, _ most: Int) -> [Int32] {
            (0..<count).map { _ in
                state == .lived && random.below(100) < percent
                    ? Int32(1 + random.below(most)) : 0
            }
        }
        let sellable = (0..<count).map { _ in Int32(random.below(1000)) }
        let (returned, damaged, blocked) = (some(2, 3), some(3, 5), some(1, 10))
        let (held, allocated, inbound) = (some(15, 3), some(20, 5), some(10, 500))
        let safety = state == .lived ? (0..<count).map { Int32($0 % 7) } : some(0, 1)
        var onHand = sellable
        var available = sellable
        for row in 0..<count {
            onHand[row] += returned[row] + damaged[row] + blocked[row]
            available[row] -= held[row] + allocated[row] + safety[row]
        }
        columns = [
            ("on_hand", onHand), ("sellable", sellable), ("returned", returned),
            ("damaged", damaged), ("blocked", blocked), ("held", held),
            ("allocated", allocated), ("inbound", inbound), ("safety_stock", safety),
            ("available", available),
        ]
        for value in available { checksum &+= UInt64(truncatingIfNeeded: value) }
    }

    /// Appends a file of `groupCount` row groups, each of this table.
    func write(groupCount: Int, into file: inout ByteBuffer) throws {
        var writer = try ParquetWriter(
            [ParquetColumn("sku", .string), ParquetColumn("location", .string)]
                + columns.map { ParquetColumn($0.name, .int32) })
        for _ in 0..<groupCount {
            try writer.write(skus.span, of: strings, into: &file)
            try writer.write(locations.span, of: strings, into: &file)
            for column in columns { try writer.write(column.values.span, into: &file) }
        }
        writer.finish(into: &file)
    }

    func holds(_ name: String, _ values: [Int32]) -> Bool {
        columns.contains { $0.name == name && $0.values == values }
    }

    /// Whether `numbers` into `read` are the strings of the column.
    func holds(_ name: String, _ numbers: [UInt32], _ read: borrowing StringTable) -> Bool {
        let expected = name == "sku" ? skus : locations
        // Which of the table's strings an entry is, found at its first row.
        var known = [UInt32](repeating: .max, count: read.count)
        for row in 0..<rowCount {
            let number = Int(numbers[row])
            if known[number] == .max {
                guard read[number].equals(strings[Int(expected[row])]) else { return false }
                known[number] = expected[row]
            }
            if known[number] != expected[row] { return false }
        }
        return true
    }
}
