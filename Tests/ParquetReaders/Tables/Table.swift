// A table in memory, and its two forms.

import Bytes
import Foundation
import Parquet
import Platform

struct Table {
    enum Values {
        case boolean([Bool])
        case int32([Int32])
        case int64([Int64])
        case timestamp([Int64])
        case string([String])
        case fixed([[UInt8]], byteCount: Int)
    }

    var name: String
    var columns: [(name: String, values: Values)]
    var rowGroupRowCount: Int
    var metadata: [String: String] = [:]

    // MARK: - Text

    var text: String {
        var cells: [[String]] = []
        for column in columns { cells.append(column.values.cells) }
        var text = columns.map(\.name).joined(separator: "\t") + "\n"
        for row in 0..<(cells.first?.count ?? 0) {
            text += cells.map { $0[row] }.joined(separator: "\t") + "\n"
        }
        return text
    }

    // MARK: - Parquet

    func write(to directory: String) throws {
        var writer = try ParquetWriter(
            columns.map { ParquetColumn($0.name, $0.values.kind) })
        var output = ByteBuffer()
        let rowCount = columns[0].values.count
        for start in stride(from: 0, to: rowCount, by: rowGroupRowCount) {
            let rows = start..<min(rowCount, start + rowGroupRowCount)
            for column in columns { try column.values.write(rows, &writer, &output) }
        }
        writer.finish(metadata: metadata, into: &output)
        let path = "\(directory)/\(name)"
        try Data(output.span.array).write(to: URL(fileURLWithPath: path + ".parquet"))
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + ".tsv"))
    }

    /// The table in the file at `path`.
    init(_ path: String) throws {
        let file = try readFile(path)
        let footer = try ParquetFooter(file: file.span)
        var reader = try ParquetChunkReader()
        name = path
        rowGroupRowCount = footer.rowGroups.map(\.rowCount).max() ?? 0
        metadata = footer.metadata
        columns = []
        for (index, column) in footer.columns.enumerated() {
            var values = try Values(empty: column.kind)
            for group in footer.rowGroups {
                let chunk = group.chunks[index]
                try values.append(chunk, file.span.part(chunk.range), &reader)
            }
            columns.append((column.name, values))
        }
    }

    init(
        _ name: String, rowGroupRowCount: Int, metadata: [String: String] = [:],
        _ columns: [(name: String, values: Values)]
    ) {
        self.name = name
        self.rowGroupRowCount = rowGroupRowCount
        self.metadata = metadata
        self.columns = columns
    }
}
