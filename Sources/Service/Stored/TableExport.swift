// Tables of what is loaded, for other programs: CSV or Parquet, with the columns that are wanted.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Parquet
package import Platform
internal import Snapshot
internal import Zstd

/// What can be exported.
package enum ExportTable: String, CaseIterable, Sendable {
    case positions, items, locations

    /// All columns, in order.
    package var columnNames: [String] { columns.map(\.name) }

    var columns: [ParquetColumn] {
        switch self {
        case .positions: SnapshotTable.positions.columns
        case .items:
            [
                ParquetColumn("sku", .string), ParquetColumn("category", .string),
                ParquetColumn("name", .string),
            ]
        case .locations:
            [
                ParquetColumn("location", .string), ParquetColumn("kind", .string),
                ParquetColumn("groups", .string), ParquetColumn("open", .boolean),
                ParquetColumn("utc_offset", .string),
            ]
        }
    }
}

package enum ExportFormat: String, CaseIterable, Sendable {
    case csv, parquet
}

/// Where the bytes of an export go.
package typealias ExportSink = (Span<UInt8>) throws(SystemError) -> Void

/// One table on its way into a file.
struct TableWriting: ~Copyable {
    private let table: ExportTable
    private var rows: ExportRows
    private var hasBegun = false

    /// - Parameter columns: Names of its columns, each once, in the order wanted.
    init(
        _ table: ExportTable, columns: [String], _ format: ExportFormat
    ) throws(SystemError) {
        self.table = table
        rows = try ExportRows(table, columns, format)
    }

    /// Writes the rows of some shards.
    ///
    /// - Parameter state: Its shared data is that of the first one that is given.
    mutating func write(
        _ state: StoredState, shards: Range<Int>, to sink: ExportSink
    ) throws(SystemError) {
        if !hasBegun { state.begin(table, &rows) }
        hasBegun = true
        for shard in shards {
            switch table {
            case .positions: try state.exportPositions(shard, &rows, sink)
            case .items: try state.exportItems(shard, &rows, sink)
            case .locations: break
            }
        }
    }

    /// - Returns: Rows written.
    consuming func finish(_ sink: ExportSink) throws(SystemError) -> Int { try rows.finish(sink) }
}

extension StoredState {
    /// Writes a table.
    ///
    /// - Parameter columns: Names of its columns, each once, in the order wanted.
    /// - Returns: Rows written.
    /// - Throws: What `sink` throws, and ENOMEM.
    /// - Complexity: O(rows); some hundred thousand are held.
    package func export(
        _ table: ExportTable, columns: [String], as format: ExportFormat, to sink: ExportSink
    ) throws(SystemError) -> Int {
        var writing = try TableWriting(table, columns: columns, format)
        try writing.write(self, shards: 0..<engine.shardCount, to: sink)
        return try writing.finish(sink)
    }

    /// What is the same for all rows; of locations, the rows.
    fileprivate func begin(_ table: ExportTable, _ rows: inout ExportRows) {
        switch table {
        case .positions:
            rows[1].keep(engine.master.locationNames, count: engine.master.nameCounts.locations)
        case .items:
            rows[1].keepNone()
            rows[1].keep(engine.master.categoryNames, count: engine.master.nameCounts.categories)
        case .locations: exportLocations(&rows)
        }
    }

    fileprivate func exportPositions(
        _ number: Int, _ rows: inout ExportRows, _ sink: ExportSink
    ) throws(SystemError) {
        let policy = engine.master.policy(now: now)
        var columns = PositionColumns()
        var movements = MomentColumns()
        var counts = MomentColumns()
        let shard = engine.withShard(number) { $0.freeze() }
        defer { engine.withShard(number) { $0.thaw() } }
        var runs = FrozenRuns(shard)
        var sku: UInt32 = 0
        while runs.next != nil {
            runs.appendRun(&columns, &movements, &counts)
            if columns.count > 0 { shard.names.withName(sku) { rows[0].append(text: $0) } }
            for row in 0..<columns.count { append(row, of: columns, policy, to: rows) }
            rows.count += columns.count
            sku += 1
            columns.removeAll()
            movements.removeAll()
            counts.removeAll()
            try rows.writeIfMany(sink)
        }
    }

    private func append(
        _ row: Int, of columns: borrowing PositionColumns, _ policy: Policy,
        to rows: borrowing ExportRows
    ) {
        let conditions = (
            Int64(columns.sellable[row]), Int64(columns.returned[row]),
            Int64(columns.damaged[row]), Int64(columns.blocked[row])
        )
        let location = columns.locations[row]
        rows[0].append(number: UInt32(rows[0].textCount - 1))
        rows[1].append(number: location)
        rows[2].append(conditions.0 + conditions.1 + conditions.2 + conditions.3)
        rows[3].append(conditions.0)
        rows[4].append(conditions.1)
        rows[5].append(conditions.2)
        rows[6].append(conditions.3)
        rows[7].append(Int64(columns.held[row]))
        rows[8].append(Int64(columns.allocated[row]))
        rows[9].append(0)
        rows[10].append(Int64(columns.safetyStock[row]))
        rows[11].append(
            Int64(
                availableToPromise(
                    free: columns.free[row], isOpen: policy.isOpen(UInt16(location)))))
    }

    fileprivate func exportItems(
        _ number: Int, _ rows: inout ExportRows, _ sink: ExportSink
    ) throws(SystemError) {
        let shard = engine.withShard(number) { $0.freeze() }
        defer { engine.withShard(number) { $0.thaw() } }
        let names = shard.itemNameOf.sorted()
        var next = 0
        for sku in 0..<shard.skuCount {
            shard.names.withName(UInt32(sku)) { rows[0].append(text: $0) }
            rows[0].append(number: UInt32(rows[0].textCount - 1))
            rows[1].append(number: UInt32(shard.positions.attributes[sku].category))
            var name = ByteBuffer()
            if next < names.count, names[next].key == UInt64(sku) {
                shard.appendItemName(names[next].value, to: &name)
                next += 1
            }
            rows[2].append(text: name.span)
            rows[2].append(number: UInt32(rows[2].textCount - 1))
            rows.count += 1
            try rows.writeIfMany(sink)
        }
    }

    private func exportLocations(_ rows: inout ExportRows) {
        for location in engine.master.locations.value {
            var offset = ByteBuffer()
            offset.append(utcOffset: location.utcOffsetMinutes)
            var groups = ByteBuffer()
            for (index, group) in location.groups.enumerated() {
                if index > 0 { groups.append("|") }
                groups.append(group.bytes.span)
            }
            rows[0].append(text: location.name.bytes.span)
            rows[1].append(text: location.kind.rawValue.utf8.span)
            rows[2].append(text: groups.span)
            rows[3].append(location.isOpen ? 1 : 0)
            rows[4].append(text: offset.span)
            for column in [0, 1, 2, 4] { rows[column].append(number: UInt32(rows.count)) }
            rows.count += 1
        }
    }
}
