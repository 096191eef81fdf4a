// Rows on their way into a file: gathered column by column, written some hundred thousand at a time.

internal import Bytes
internal import CSV
internal import Columns
internal import JSON
internal import Parquet
internal import Platform
internal import Zstd

/// One column of the rows that are gathered.
final class ExportColumn {
    let column: ParquetColumn
    /// Texts by number.
    fileprivate var texts = StringTable()
    /// Texts that stay from one writing to the next.
    private var keptCount = 0
    fileprivate var numbers = Buffer<UInt32>()
    /// Of integers; 1 and 0 of booleans.
    fileprivate var integers = Buffer<Int64>()

    init(_ column: ParquetColumn) { self.column = column }

    var textCount: Int { texts.count }

    func append(text: Span<UInt8>) { texts.append(text) }
    func append(number: UInt32) { numbers.append(number) }
    func append(_ integer: Int64) { integers.append(integer) }

    /// Has the names of a dictionary as the next texts, for all rows to come.
    func keep(_ names: NameDictionaryView, count: Int) {
        for id in 0..<count { names.withName(UInt32(id)) { texts.append($0) } }
        keptCount = texts.count
    }

    /// Has the empty text as the next one, for all rows to come.
    func keepNone() {
        texts.append("")
        keptCount = texts.count
    }

    fileprivate func removeRows() {
        numbers.removeAll()
        integers.removeAll()
        if keptCount == 0 { texts.removeAll() }
    }
}

/// ENOMEM, the same on every Linux.
private let outOfMemory = SystemError("make a table", code: 12)

/// Rows of a table, and the file that they go into.
struct ExportRows: ~Copyable {
    /// Rows gathered and not yet written.
    var count = 0
    private let all: [ExportColumn]
    private let chosen: [ExportColumn]
    private var parquet: ParquetWriter?
    private var output = ByteBuffer()
    private var written = 0

    /// Rows held at the most, besides those of one SKU.
    private static let countMax = 1 << 18

    init(
        _ table: ExportTable, _ names: [String], _ format: ExportFormat
    ) throws(SystemError) {
        let all = table.columns.map { ExportColumn($0) }
        self.all = all
        chosen = names.compactMap { name in all.first { $0.column.name == name } }
        precondition(chosen.count == names.count && !chosen.isEmpty)
        if format == .parquet {
            do throws(ZstdError) {
                parquet = try ParquetWriter(chosen.map(\.column))
            } catch { throw outOfMemory }
            return
        }
        for (index, name) in names.enumerated() {
            if index > 0 { output.append(",") }
            output.append(name)
        }
        output.append("\n")
    }

    subscript(column: Int) -> ExportColumn { all[column] }

    mutating func writeIfMany(_ sink: ExportSink) throws(SystemError) {
        if count >= Self.countMax { try write(sink) }
    }

    /// - Returns: Rows written in all.
    consuming func finish(_ sink: ExportSink) throws(SystemError) -> Int {
        try write(sink)
        if let parquet = parquet.take() {
            parquet.finish(into: &output)
            try sink(output.span)
        } else if written == 0 {
            // The header.
            try sink(output.span)
        }
        return written
    }

    private mutating func write(_ sink: ExportSink) throws(SystemError) {
        if count == 0 { return }
        if parquet == nil { appendCSV() } else { try appendParquet() }
        for column in all { column.removeRows() }
        written += count
        count = 0
        try sink(output.span)
        output.removeAll()
    }

    private mutating func appendCSV() {
        for row in 0..<count {
            let start = output.count
            for (index, column) in chosen.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                switch column.column.kind {
                case .string: output.append(csvField: column.texts[Int(column.numbers[row])])
                case .boolean: output.append(jsonBoolean: column.integers[row] != 0)
                default: output.append(decimal: column.integers[row])
                }
            }
            // An empty line is no row.
            if output.count == start { output.append("\"\"") }
            output.append(UInt8(ascii: "\n"))
        }
    }

    private mutating func appendParquet() throws(SystemError) {
        for column in chosen {
            do throws(ZstdError) {
                switch column.column.kind {
                case .string:
                    try parquet?.write(column.numbers.span, of: column.texts, into: &output)
                case .int64: try parquet?.write(column.integers.span, into: &output)
                case .boolean:
                    let values = (0..<count).map { column.integers[$0] != 0 }
                    try parquet?.write(values.span, into: &output)
                default:
                    var values = Buffer<Int32>(capacity: count)
                    for row in 0..<count {
                        values.append(Int32(truncatingIfNeeded: column.integers[row]))
                    }
                    try parquet?.write(values.span, into: &output)
                }
            } catch { throw outOfMemory }
        }
    }
}
