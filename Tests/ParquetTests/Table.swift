import Bytes
import Parquet
import Testing

/// A table in plain arrays: what files are compared with.
struct Table: Equatable {
    enum Values: Equatable {
        case boolean([Bool])
        case int32([Int32])
        case int64([Int64])
        case timestamp([Int64])
        case string([String])
        case fixed([[UInt8]], byteCount: Int)

        var kind: ParquetColumn.Kind {
            switch self {
            case .boolean: .boolean
            case .int32: .int32
            case .int64: .int64
            case .timestamp: .timestamp
            case .string: .string
            case .fixed(_, let byteCount): .fixed(byteCount: byteCount)
            }
        }

        var count: Int {
            switch self {
            case .boolean(let values): values.count
            case .int32(let values): values.count
            case .int64(let values), .timestamp(let values): values.count
            case .string(let values): values.count
            case .fixed(let values, _): values.count
            }
        }
    }

    struct Column: Equatable {
        var name: String
        var values: Values

        init(_ name: String, _ values: Values) {
            self.name = name
            self.values = values
        }
    }

    var columns: [Column]

    var rowCount: Int { columns[0].values.count }

    init(_ columns: [Column]) { self.columns = columns }

    /// As a file of row groups of `rowGroupRowCount` rows, and fewer in the last.
    func file(
        rowGroupRowCount: Int = .max, level: Int = 1, metadata: [String: String] = [:]
    ) throws -> [UInt8] {
        var writer = try ParquetWriter(
            columns.map { ParquetColumn($0.name, $0.values.kind) }, level: level)
        var output = ByteBuffer()
        var start = 0
        while start < rowCount {
            let end = min(rowCount, start + min(rowGroupRowCount, rowCount))
            for column in columns { try write(column.values, start..<end, &writer, &output) }
            start = end
        }
        try #require(writer.rowCount == rowCount)
        writer.finish(metadata: metadata, into: &output)
        return output.span.array
    }

    private func write(
        _ values: Values, _ rows: Range<Int>, _ writer: inout ParquetWriter,
        _ output: inout ByteBuffer
    ) throws {
        switch values {
        case .boolean(let values): try writer.write(values.span.extracting(rows), into: &output)
        case .int32(let values): try writer.write(values.span.extracting(rows), into: &output)
        case .int64(let values): try writer.write(values.span.extracting(rows), into: &output)
        case .timestamp(let values):
            try writer.write(timestamps: values.span.extracting(rows), into: &output)
        case .fixed(let values, _):
            try writer.write(fixed: Array(values[rows].joined()).span, into: &output)
        case .string(let values):
            var strings = StringTable()
            strings.append("never used")
            var indexOf: [String: UInt32] = [:]
            let indices = values[rows].map { value in
                if let index = indexOf[value] { return index }
                strings.append(value)
                indexOf[value] = UInt32(strings.count - 1)
                return UInt32(strings.count - 1)
            }
            try writer.write(indices.span, of: strings, into: &output)
        }
    }

    /// The table in a file.
    init(file: [UInt8]) throws(ParquetError) {
        let footer = try ParquetFooter(file: file.span)
        var reader = try ParquetChunkReader()
        columns = []
        for (index, column) in footer.columns.enumerated() {
            var values = try Values(empty: column.kind)
            for group in footer.rowGroups {
                values = values + (try Self.values(group.chunks[index], file, &reader))
            }
            columns.append(Column(column.name, values))
        }
    }

    /// One chunk's values.
    static func values(
        _ chunk: ParquetChunk, _ file: [UInt8], _ reader: inout ParquetChunkReader
    ) throws(ParquetError) -> Values {
        let bytes = file.span.part(chunk.range)
        switch chunk.kind {
        case .boolean:
            var values = [Bool](repeating: false, count: chunk.rowCount)
            var span = values.mutableSpan
            try reader.read(chunk, bytes, into: &span)
            return .boolean(values)
        case .int32:
            var values = [Int32](repeating: 0, count: chunk.rowCount)
            var span = values.mutableSpan
            try reader.read(chunk, bytes, into: &span)
            return .int32(values)
        case .int64, .timestamp:
            var values = [Int64](repeating: 0, count: chunk.rowCount)
            var span = values.mutableSpan
            try reader.read(chunk, bytes, into: &span)
            return chunk.kind == .int64 ? .int64(values) : .timestamp(values)
        case .fixed(let byteCount):
            var values = [UInt8](repeating: 0, count: chunk.rowCount * byteCount)
            var span = values.mutableSpan
            try reader.read(chunk, bytes, fixed: &span)
            let parts = (0..<chunk.rowCount).map {
                Array(values[$0 * byteCount..<($0 + 1) * byteCount])
            }
            return .fixed(parts, byteCount: byteCount)
        case .string, .unsupported:
            var strings = StringTable()
            var indices = [UInt32](repeating: 0, count: chunk.rowCount)
            var span = indices.mutableSpan
            try reader.read(chunk, bytes, strings: &strings, into: &span)
            var values: [String] = []
            for index in indices { values.append(strings[Int(index)].text) }
            return .string(values)
        }
    }
}

extension Table.Values {
    /// No values of a kind.
    init(empty kind: ParquetColumn.Kind) throws(ParquetError) {
        switch kind {
        case .boolean: self = .boolean([])
        case .int32: self = .int32([])
        case .int64: self = .int64([])
        case .timestamp: self = .timestamp([])
        case .string: self = .string([])
        case .fixed(let byteCount): self = .fixed([], byteCount: byteCount)
        case .unsupported(let what): throw ParquetError(.unsupported(what), at: 0)
        }
    }

    static func + (one: Self, other: Self) -> Self {
        switch (one, other) {
        case (.boolean(let one), .boolean(let other)): .boolean(one + other)
        case (.int32(let one), .int32(let other)): .int32(one + other)
        case (.int64(let one), .int64(let other)): .int64(one + other)
        case (.timestamp(let one), .timestamp(let other)): .timestamp(one + other)
        case (.string(let one), .string(let other)): .string(one + other)
        case (.fixed(let one, let byteCount), .fixed(let other, _)):
            .fixed(one + other, byteCount: byteCount)
        default: preconditionFailure("chunks of one column differ in kind")
        }
    }
}
