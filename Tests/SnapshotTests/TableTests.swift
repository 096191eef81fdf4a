import Bytes
import Domain
import Parquet
import Platform
import Testing

@testable import Engine
@testable import EngineTests
@testable import Snapshot

/// What analysts find in `positions`.
@Suite struct TableTests {
    /// A row as text: the columns by name.
    private struct Table {
        var columns: [String]
        var rows: [[String: String]] = []
    }

    /// All rows of a table, read by the reader of files alone.
    private func table(_ path: String) throws -> Table {
        let file = try readFile(path)
        let footer = try ParquetFooter(file: file.span)
        var reader = try ParquetChunkReader()
        var table = Table(columns: footer.columns.map { "\($0.name) \($0.kind)" })
        for group in footer.rowGroups {
            var rows = [[String: String]](repeating: [:], count: group.rowCount)
            for (column, chunk) in zip(footer.columns, group.chunks) {
                let bytes = file.span.part(chunk.range)
                var texts: [String] = []
                switch column.kind {
                case .int32:
                    var values = [Int32](repeating: 0, count: group.rowCount)
                    var span = values.mutableSpan
                    try reader.read(chunk, bytes, into: &span)
                    texts = values.map { "\($0)" }
                case .string:
                    var strings = StringTable()
                    var numbers = [UInt32](repeating: 0, count: group.rowCount)
                    var span = numbers.mutableSpan
                    try reader.read(chunk, bytes, strings: &strings, into: &span)
                    for number in numbers { texts.append(strings[Int(number)].text) }
                default:
                    var values = [Int64](repeating: 0, count: group.rowCount)
                    var span = values.mutableSpan
                    try reader.read(chunk, bytes, into: &span)
                    texts = values.map { "\($0)" }
                }
                for row in rows.indices { rows[row][column.name] = texts[row] }
            }
            table.rows += rows
        }
        return table
    }

    @Test func `positions have the columns that were promised`() throws {
        #expect(
            SnapshotTable.positions.columns.map(\.name) == [
                "sku", "location", "on_hand", "sellable", "returned", "damaged", "blocked", "held",
                "allocated", "inbound", "safety_stock", "available",
            ])
    }

    @Test(arguments: UInt64(1)...6)
    func `positions say what the service says, by SKU and location`(seed: UInt64) throws {
        let history = History(seed: seed, stepCount: 300)
        let fixture = try EngineFixture(history.options)
        _ = try fixture.play(history.steps[...])
        fixture.adoptAll()
        let folder = try SnapshotFolder()
        let manifest = try fixture.snapshot(in: folder.path)
        var seen = 0
        for shard in 0..<manifest.shardCount {
            let path = "\(folder.path)/latest/positions/\(shard).parquet"
            let table = try table(path)
            #expect(table.rows.count == manifest.files.first { path.hasSuffix($0.name) }?.rows)
            for row in table.rows {
                let sku = try #require(row["sku"])
                let location = try #require(row["location"])
                let found = try fixture.detail(sku)?.detail.positions[location]
                let position = try #require(found, "\(sku) at \(location)")
                let available = try #require(fixture.byReference(sku, location))
                let onHand =
                    Int64(position.sellable) + Int64(position.returned) + Int64(position.damaged)
                    + Int64(position.blocked)
                #expect(
                    row == [
                        "sku": sku, "location": location, "on_hand": "\(onHand)",
                        "sellable": "\(position.sellable)", "returned": "\(position.returned)",
                        "damaged": "\(position.damaged)", "blocked": "\(position.blocked)",
                        "held": "0", "allocated": "0", "inbound": "0",
                        "safety_stock": "\(position.safetyStock)", "available": "\(available)",
                    ], "seed \(seed)")
                seen += 1
            }
        }
        let expected = try history.skus.reduce(0) {
            try $0 + (fixture.detail($1)?.detail.positions.count ?? 0)
        }
        #expect(seen == expected && seen == manifest.positions)
        #expect(seen > 0)
    }

    @Test func `a closed location has nothing available`() throws {
        let fixture = try EngineFixture(EngineFixture.options { $0.shardCount = 1 })
        _ = try fixture.apply(.event(.receipt, 4, at: "L0", id: "1"))
        _ = try fixture.apply(.event(.receipt, 5, at: "L1", id: "2"))
        try fixture.put(location: "L0", groups: [], isOpen: false)
        fixture.adoptAll()
        let folder = try SnapshotFolder()
        try fixture.snapshot(in: folder.path)
        let table = try table("\(folder.path)/latest/positions/0.parquet")
        #expect(table.rows.map { $0["available"] } == ["0", "5"])
        #expect(table.rows.map { $0["sellable"] } == ["4", "5"])
    }

    @Test func `the name of an item that is no UTF-8 is written so that it can be read`() throws {
        var strings = StringTable()
        strings.append(text: [0x61, 0xFF, 0x62].span)
        strings.append(text: [0x61].span)
        #expect(strings[0].text == "a\u{FFFD}b" && strings[1].text == "a")
    }
}
