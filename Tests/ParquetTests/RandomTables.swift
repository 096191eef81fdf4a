import Foundation

/// Tables of the shapes that columns have: constant, few values, runs, growing, anything.
extension Table {
    static func random(rowCount: Int, using random: inout SeededGenerator) -> Table {
        let kinds = Int.random(in: 1...8, using: &random)
        return Table(
            (0..<kinds).map { index in
                Column("column \(index)", .random(rowCount: rowCount, using: &random))
            })
    }
}

extension Table.Values {
    static func random(rowCount: Int, using random: inout SeededGenerator) -> Table.Values {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: .boolean(integers(rowCount, using: &random).map { $0 & 1 == 1 })
        case 1, 2: .int32(integers(rowCount, using: &random))
        case 3, 4: .int64(integers(rowCount, using: &random))
        case 5: .timestamp(integers(rowCount, using: &random))
        case 6: strings(rowCount, using: &random)
        default: fixed(rowCount, using: &random)
        }
    }

    static func integers<Value: FixedWidthInteger & SignedInteger>(
        _ rowCount: Int, using random: inout SeededGenerator
    ) -> [Value] {
        let start = Value.random(in: .min ... .max, using: &random)
        let spread = Value(1) << Value.random(in: 0..<Value(Value.bitWidth - 1), using: &random)
        let shape = Int.random(in: 0..<6, using: &random)
        var value = start
        return (0..<rowCount).map { row in
            switch shape {
            case 0: start
            case 1: Value.random(in: 0..<max(1, spread), using: &random)
            case 2: Value.random(in: .min ... .max, using: &random)
            case 3:
                // Growing, and wrapping around.
                {
                    value &+= Value.random(in: 0..<max(1, spread), using: &random)
                    return value
                }()
            case 4:
                // Runs.
                {
                    if Int.random(in: 0..<20, using: &random) == 0 {
                        value = Value.random(in: 0..<max(1, spread), using: &random)
                    }
                    return value
                }()
            default:
                // A few values far apart.
                start &+ Value(truncatingIfNeeded: random.next() % 5) &* (Value.max / 4)
            }
        }
    }

    private static func strings(
        _ rowCount: Int, using random: inout SeededGenerator
    ) -> Table.Values {
        let distinct = Int.random(in: 1...max(1, rowCount), using: &random)
        let texts = (0..<distinct).map { _ in
            let length = Int.random(in: 0..<12, using: &random)
            return String((0..<length).map { _ in "aB7-ß漢🏬".randomElement(using: &random) ?? "x" })
        }
        let runs = Bool.random(using: &random)
        var index = 0
        return .string(
            (0..<rowCount).map { _ in
                if !runs || Int.random(in: 0..<9, using: &random) == 0 {
                    index = Int.random(in: 0..<distinct, using: &random)
                }
                return texts[index]
            })
    }

    private static func fixed(
        _ rowCount: Int, using random: inout SeededGenerator
    ) -> Table.Values {
        let byteCount = Int.random(in: 1...17, using: &random)
        return .fixed(
            (0..<rowCount).map { _ in
                (0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
            }, byteCount: byteCount)
    }
}
