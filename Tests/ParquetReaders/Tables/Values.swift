// The values of a column: to and from a file, and as text.

import Bytes
import Parquet

extension Table.Values {
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

    var cells: [String] {
        switch self {
        case .boolean(let values): values.map { "\($0)" }
        case .int32(let values): values.map { "\($0)" }
        case .int64(let values), .timestamp(let values): values.map { "\($0)" }
        case .string(let values): values
        case .fixed(let values, _): values.map { bytes in bytes.map(hexadecimal).joined() }
        }
    }

    func write(
        _ rows: Range<Int>, _ writer: inout ParquetWriter, _ output: inout ByteBuffer
    ) throws {
        switch self {
        case .boolean(let values): try writer.write(values.span.extracting(rows), into: &output)
        case .int32(let values): try writer.write(values.span.extracting(rows), into: &output)
        case .int64(let values): try writer.write(values.span.extracting(rows), into: &output)
        case .timestamp(let values):
            try writer.write(timestamps: values.span.extracting(rows), into: &output)
        case .fixed(let values, _):
            try writer.write(fixed: Array(values[rows].joined()).span, into: &output)
        case .string(let values):
            var strings = StringTable()
            var indexOf: [String: UInt32] = [:]
            var indices: [UInt32] = []
            for value in values[rows] {
                if indexOf[value] == nil {
                    indexOf[value] = UInt32(strings.count)
                    strings.append(value)
                }
                indices.append(indexOf[value] ?? 0)
            }
            try writer.write(indices.span, of: strings, into: &output)
        }
    }

    /// Appends the values of one chunk, whose kind is this one.
    mutating func append(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, _ reader: inout ParquetChunkReader
    ) throws(ParquetError) {
        switch self {
        case .boolean(let before):
            var values = [Bool](repeating: false, count: chunk.rowCount)
            var span = values.mutableSpan
            try reader.read(chunk, bytes, into: &span)
            self = .boolean(before + values)
        case .int32(let before):
            var values = [Int32](repeating: 0, count: chunk.rowCount)
            var span = values.mutableSpan
            try reader.read(chunk, bytes, into: &span)
            self = .int32(before + values)
        case .int64(let before):
            self = .int64(before + (try Self.longs(chunk, bytes, &reader)))
        case .timestamp(let before):
            self = .timestamp(before + (try Self.longs(chunk, bytes, &reader)))
        case .fixed(let before, let byteCount):
            var values = [UInt8](repeating: 0, count: chunk.rowCount * byteCount)
            var span = values.mutableSpan
            try reader.read(chunk, bytes, fixed: &span)
            let parts = stride(from: 0, to: values.count, by: byteCount).map {
                Array(values[$0..<$0 + byteCount])
            }
            self = .fixed(before + parts, byteCount: byteCount)
        case .string(let before):
            var strings = StringTable()
            var indices = [UInt32](repeating: 0, count: chunk.rowCount)
            var span = indices.mutableSpan
            try reader.read(chunk, bytes, strings: &strings, into: &span)
            var values = before
            for index in indices { values.append(strings[Int(index)].text) }
            self = .string(values)
        }
    }

    private static func longs(
        _ chunk: ParquetChunk, _ bytes: Span<UInt8>, _ reader: inout ParquetChunkReader
    ) throws(ParquetError) -> [Int64] {
        var values = [Int64](repeating: 0, count: chunk.rowCount)
        var span = values.mutableSpan
        try reader.read(chunk, bytes, into: &span)
        return values
    }
}

private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0" + digits : digits
}
