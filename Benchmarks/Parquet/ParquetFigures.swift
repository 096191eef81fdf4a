// A table of positions written as Parquet and read back.

import Bytes
import Parquet
import Platform

extension Benchmark {
    /// Positions of a row group.
    private static let rowGroupRowCount = 1_000_000

    func measureParquet(_ positionCount: Int) throws {
        for state in PositionTable.State.allCases {
            let table = PositionTable(
                positionCount: min(positionCount, Self.rowGroupRowCount), state)
            let groupCount = max(1, positionCount / table.rowCount)
            var rates: (write: [Double], read: [Double]) = ([], [])
            var file = ByteBuffer()
            for _ in 0...options.repeatCount {
                file.removeAll()
                let start = Clock.threadNanoseconds
                try table.write(groupCount: groupCount, into: &file)
                let seconds = Double(Clock.threadNanoseconds - start) / 1e9
                rates.write.append(Double(groupCount * table.rowCount) / seconds)
                rates.read.append(try Self.read(file, table, groupCount))
            }
            let rowCount = groupCount * table.rowCount
            let bytes = Double(file.count) / Double(rowCount)
            for (name, unit, values, goal) in [
                ("parquet write", "rows/s", Array(rates.write.dropFirst()), ">= 10M"),
                ("parquet read", "rows/s", Array(rates.read.dropFirst()), ">= 5M"),
                ("parquet size", "bytes/position", [bytes], "<= \(state.bytesPerPositionMax)"),
            ] {
                report.add(
                    Figure(
                        name, positions: rowCount, shape: state.rawValue, unit: unit,
                        Spread(values), checksum: table.checksum &* UInt64(groupCount), goal: goal))
            }
        }
    }

    /// Reads all columns of all row groups and compares them with the table.
    ///
    /// - Returns: Rows per second of the reading alone.
    private static func read(
        _ file: borrowing ByteBuffer, _ table: borrowing PositionTable, _ groupCount: Int
    ) throws -> Double {
        let footer = try ParquetFooter(file: file.span)
        check(footer.rowGroups.count == groupCount, "row groups are missing")
        var reader = try ParquetChunkReader()
        var numbers = [UInt32](repeating: 0, count: table.rowCount)
        var integers = [Int32](repeating: 0, count: table.rowCount)
        var strings = StringTable()
        var nanoseconds: UInt64 = 0
        for group in footer.rowGroups {
            for (column, chunk) in zip(footer.columns, group.chunks) {
                let bytes = file.span.part(chunk.range)
                let start = Clock.threadNanoseconds
                if column.kind == .string {
                    var span = numbers.mutableSpan
                    try reader.read(chunk, bytes, strings: &strings, into: &span)
                } else {
                    var span = integers.mutableSpan
                    try reader.read(chunk, bytes, into: &span)
                }
                nanoseconds += Clock.threadNanoseconds - start
                if column.kind == .string {
                    check(table.holds(column.name, numbers, strings), "wrong strings")
                } else {
                    check(table.holds(column.name, integers), "wrong integers")
                }
            }
        }
        return Double(groupCount * table.rowCount) * 1e9 / Double(max(1, nanoseconds))
    }
}
