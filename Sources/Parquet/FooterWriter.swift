// The footer of a file that is written here.

import Bytes

extension ThriftWriter {
    mutating func footer(
        _ columns: [ParquetColumn], _ rowGroups: [RowGroupRecord], rowCount: Int,
        metadata: [String: String]
    ) {
        integer(1, 1)
        beginList(2, of: .structure, count: columns.count + 1)
        beginElement()
        string(4, "schema")
        integer(5, Int32(columns.count))
        endStructure()
        for column in columns { schemaElement(column) }
        long(3, rowCount)
        beginList(4, of: .structure, count: rowGroups.count)
        for group in rowGroups { rowGroup(group, columns) }
        if !metadata.isEmpty {
            beginList(5, of: .structure, count: metadata.count)
            for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
                beginElement()
                string(1, key)
                string(2, value)
                endStructure()
            }
        }
        string(6, "holdfast")
        // The extremes of every column are in the order of its type.
        beginList(7, of: .structure, count: columns.count)
        for _ in columns {
            beginElement()
            emptyStructure(1)
            endStructure()
        }
        endStructure()
    }

    private mutating func schemaElement(_ column: ParquetColumn) {
        beginElement()
        integer(1, column.physicalType.rawValue)
        if case .fixed(let byteCount) = column.kind { integer(2, Int32(byteCount)) }
        integer(3, 0)  // Required.
        string(4, column.name)
        switch column.kind {
        case .string:
            integer(6, ConvertedType.utf8.rawValue)
            beginStructure(10)
            emptyStructure(1)
            endStructure()
        case .timestamp:
            integer(6, ConvertedType.timestampMilliseconds.rawValue)
            beginStructure(10)
            beginStructure(8)
            boolean(1, true)  // UTC.
            beginStructure(2)
            emptyStructure(1)  // Milliseconds.
            endStructure()
            endStructure()
            endStructure()
        case .boolean, .int32, .int64, .fixed, .unsupported: break
        }
        endStructure()
    }

    private mutating func rowGroup(_ group: RowGroupRecord, _ columns: [ParquetColumn]) {
        beginElement()
        beginList(1, of: .structure, count: group.chunks.count)
        for (chunk, column) in zip(group.chunks, columns) {
            beginElement()
            long(2, 0)  // Once the place of a copy of the metadata, which nobody writes.
            beginStructure(3)
            chunkMetadata(chunk, column, rowCount: group.rowCount)
            endStructure()
            endStructure()
        }
        long(2, group.chunks.reduce(0) { $0 + $1.uncompressedByteCount })
        long(3, group.rowCount)
        long(5, group.chunks[0].offset)
        long(6, group.chunks.reduce(0) { $0 + $1.byteCount })
        endStructure()
    }

    private mutating func chunkMetadata(
        _ chunk: ChunkRecord, _ column: ParquetColumn, rowCount: Int
    ) {
        let hasDictionary = chunk.dictionaryOffset != nil
        var encodings: Set<Int32> = [chunk.encoding.rawValue, Encoding.runLength.rawValue]
        if hasDictionary { encodings.insert(Encoding.plain.rawValue) }
        integer(1, column.physicalType.rawValue)
        beginList(2, of: .int32, count: encodings.count)
        for encoding in encodings.sorted() { integerElement(encoding) }
        beginList(3, of: .binary, count: 1)
        withUTF8(column.name) { binaryElement($0) }
        integer(4, Codec.zstd.rawValue)
        long(5, rowCount)
        long(6, chunk.uncompressedByteCount)
        long(7, chunk.byteCount)
        long(9, chunk.dataOffset)
        if let offset = chunk.dictionaryOffset { long(11, offset) }
        beginStructure(12)
        long(3, 0)  // Nulls.
        if let (minimum, maximum) = chunk.extremes {
            binary(5, maximum.span)
            binary(6, minimum.span)
            boolean(7, true)  // Both are values of the chunk.
            boolean(8, true)
        }
        endStructure()
        beginList(13, of: .structure, count: hasDictionary ? 2 : 1)
        if hasDictionary { pageCount(.dictionary, .plain, 1) }
        pageCount(.data, chunk.encoding, chunk.dataPageCount)
    }

    private mutating func pageCount(_ kind: PageKind, _ encoding: Encoding, _ count: Int) {
        beginElement()
        integer(1, kind.rawValue)
        integer(2, encoding.rawValue)
        integer(3, Int32(count))
        endStructure()
    }
}

extension ParquetColumn {
    /// - Precondition: The column is one that is written here.
    fileprivate var physicalType: PhysicalType {
        guard let type = kind.physicalType else { preconditionFailure("the kind of a column") }
        return type
    }
}
