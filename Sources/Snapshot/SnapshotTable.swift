// The tables of a snapshot. Each shard has a file of each, `<table>/<shard>.parquet`.
//
//     positions    for analysts, and the quantities for recovery
//     skus         in the order of ids
//     times        rows as in `positions`: newest movement, last count
//     movements    those kept for late counts; `position` is the row in `positions`
//     conditions   when conditions other than sellable were counted, where that was apart
//     remembered   accepted and parked events by fingerprint, oldest first
//     parked       events set aside, by number
//
// `positions` and `times` have the same row groups, and a SKU's rows lie in one of them.

package import Parquet

package enum SnapshotTable: String, CaseIterable, Sendable {
    case positions, skus, times, movements, conditions, remembered, parked

    package var columns: [ParquetColumn] {
        switch self {
        case .positions:
            [
                ParquetColumn("sku", .string), ParquetColumn("location", .string),
                ParquetColumn("on_hand", .int64), ParquetColumn("sellable", .int32),
                ParquetColumn("returned", .int32), ParquetColumn("damaged", .int32),
                ParquetColumn("blocked", .int32), ParquetColumn("held", .int32),
                ParquetColumn("allocated", .int32), ParquetColumn("inbound", .int32),
                ParquetColumn("safety_stock", .int32), ParquetColumn("available", .int32),
            ]
        case .skus:
            [
                ParquetColumn("sku", .string), ParquetColumn("category", .string),
                ParquetColumn("name", .string), ParquetColumn("positions", .int32),
                ParquetColumn("changes", .int64),
            ]
        case .times:
            // The millisecond before 1900 stands for never.
            [
                ParquetColumn("newest_movement", .timestamp), ParquetColumn("counted", .timestamp),
                ParquetColumn("counted_whole", .int32),
            ]
        case .movements:
            [
                ParquetColumn("position", .int32), ParquetColumn("condition", .int32),
                ParquetColumn("at", .timestamp), ParquetColumn("delta", .int32),
            ]
        case .conditions:
            [
                ParquetColumn("position", .int32), ParquetColumn("condition", .int32),
                ParquetColumn("counted", .timestamp),
            ]
        case .remembered:
            [
                ParquetColumn("first", .int64), ParquetColumn("rest", .int64),
                ParquetColumn("at", .timestamp), ParquetColumn("outcome", .int32),
            ]
        case .parked:
            [
                ParquetColumn("number", .int64), ParquetColumn("first", .int64),
                ParquetColumn("rest", .int64), ParquetColumn("outcome", .int32),
                ParquetColumn("code", .string), ParquetColumn("parked_at", .timestamp),
                ParquetColumn("event", .string),
            ]
        }
    }

    /// The file of a shard, in the snapshot's folder.
    package func fileName(shard: Int) -> String { "\(rawValue)/\(shard).parquet" }

    /// The key of a text in the footer of `remembered`: whether events were forgotten.
    static let forgottenKey = "forgotten"

    /// The key of a text in the footer of `parked`: the number of the next event that is set aside.
    /// Left out where that is 1.
    static let nextNumberKey = "next_number"

    /// Rows of a row group, at most: what is held in memory at once.
    static let rowGroupRowCountMax = 1 << 18
}

/// What is not a table: shared data, as the control stream has it, so that one encoder and one
/// decoder, which trusts nothing, serve both.
let masterFileName = "master/facts.bin"
