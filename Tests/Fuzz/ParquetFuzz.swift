// The Parquet reader on any bytes: it ends, in an error or in a table; and a table that it read,
// written and read again, is the same.
//
// Most of the corpus is written by PyArrow without compression and checksums, so that changed bytes
// reach the decoders.

import Bytes
import Parquet

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzParquet(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start = unsafe start else { return 0 }
    let file = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do throws(ParquetError) {
        let footer = try ParquetFooter(file: file.span)
        // A few bytes may stand for millions of rows: that is no error, but slow here.
        guard footer.rowCount * max(1, footer.columns.count) <= 100_000 else { return 0 }
        for (index, column) in footer.columns.enumerated() {
            for group in footer.rowGroups { try check(group.chunks[index], column, file) }
        }
    } catch {
        require(error.offset >= 0 && error.offset <= count, "an error lies in the file")
    }
    return 0
}

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

/// The values of a chunk.
enum Values: Equatable {
    case boolean([Bool])
    case int32([Int32])
    case int64([Int64])
    case fixed([UInt8])
    case string([[UInt8]])
}

/// Reads a chunk and, if that goes well, writes it as a file of its own that reads the same.
func check(
    _ chunk: ParquetChunk, _ column: ParquetColumn, _ file: [UInt8]
) throws(ParquetError) {
    let values = try read(chunk, file)
    if chunk.rowCount == 0 { return }
    let again = written(values, column)
    do throws(ParquetError) {
        let footer = try ParquetFooter(file: again.span)
        require(footer.columns == [column], "the column is the same")
        require(try read(footer.rowGroups[0].chunks[0], again) == values, "the values are the same")
    } catch {
        fatalError("what was written is not read: \(error)")
    }
}

func read(_ chunk: ParquetChunk, _ file: [UInt8]) throws(ParquetError) -> Values {
    var reader = try ParquetChunkReader()
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
        return .int64(values)
    case .fixed(let byteCount):
        var values = [UInt8](repeating: 0, count: chunk.rowCount * byteCount)
        var span = values.mutableSpan
        try reader.read(chunk, bytes, fixed: &span)
        return .fixed(values)
    case .string, .unsupported:
        var strings = StringTable()
        var indices = [UInt32](repeating: 0, count: chunk.rowCount)
        var span = indices.mutableSpan
        try reader.read(chunk, bytes, strings: &strings, into: &span)
        var values: [[UInt8]] = []
        for index in indices {
            require(index < strings.count, "an index lies in the table")
            values.append(strings[Int(index)].array)
        }
        return .string(values)
    }
}

/// A file of one column.
func written(_ values: Values, _ column: ParquetColumn) -> [UInt8] {
    var output = ByteBuffer()
    do {
        var writer = try ParquetWriter([column])
        switch values {
        case .boolean(let values): try writer.write(values.span, into: &output)
        case .int32(let values): try writer.write(values.span, into: &output)
        case .int64(let values):
            if column.kind == .int64 {
                try writer.write(values.span, into: &output)
            } else {
                try writer.write(timestamps: values.span, into: &output)
            }
        case .fixed(let values): try writer.write(fixed: values.span, into: &output)
        case .string(let values):
            var strings = StringTable()
            for value in values { strings.append(value.span) }
            let indices = (0..<UInt32(values.count)).map { $0 }
            try writer.write(indices.span, of: strings, into: &output)
        }
        writer.finish(into: &output)
    } catch {
        fatalError("\(error)")
    }
    return output.span.array
}
