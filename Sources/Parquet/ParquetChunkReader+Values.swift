// The values of one decompressed page, into the caller's memory.

import Bytes

extension ParquetChunkReader {
    /// Numbers behind a byte that says how wide they are.
    borrowing func decodeNumbers<Map: NumberMap & ~Copyable>(
        _ page: DataPage, through map: borrowing Map, into values: inout MutableSpan<Map.Value>,
        rows: Range<Int>
    ) throws(ParquetError.Reason) {
        guard !page.values.isEmpty else {
            guard rows.isEmpty else { throw .truncated }
            return
        }
        let width = Int(self.page[page.values.lowerBound])
        guard width <= 32 else { throw .corrupt("a width of packed numbers") }
        try decodeHybrid(
            self.page.span, from: page.values.lowerBound + 1, end: page.values.upperBound,
            width: width, through: map, into: &values, rows: rows)
    }

    borrowing func decodePlain<Value: ColumnInteger>(
        _ page: DataPage, into values: inout MutableSpan<Value>
    ) throws(ParquetError.Reason) {
        let byteCount = MemoryLayout<Value>.size
        guard page.values.count == page.rows.count * byteCount else {
            throw .corrupt("the size of a page")
        }
        let bytes = self.page.span
        var offset = page.values.lowerBound
        for row in page.rows {
            // The page's slack makes up for a word wider than the value.
            let word = unsafe bytes.word(unchecked: offset)
            unsafe values[unchecked: row] = Value(truncatingIfNeeded: word)
            offset &+= byteCount
        }
    }

    borrowing func decodeEntries<Value: ColumnInteger>(
        _ page: DataPage, into entries: inout Buffer<Value>
    ) throws(ParquetError.Reason) {
        let byteCount = MemoryLayout<Value>.size
        guard page.values.count == page.rows.count * byteCount else {
            throw .corrupt("the size of a page")
        }
        for offset in stride(
            from: page.values.lowerBound, to: page.values.upperBound, by: byteCount)
        {
            entries.append(Value(truncatingIfNeeded: self.page.span.word(at: offset)))
        }
    }

    borrowing func decodePlain(
        _ page: DataPage, into values: inout MutableSpan<Bool>
    ) throws(ParquetError.Reason) {
        guard page.values.count == (page.rows.count + 7) / 8 else {
            throw .corrupt("the size of a page")
        }
        for (index, row) in page.rows.enumerated() {
            let byte = self.page[page.values.lowerBound + index / 8]
            values[row] = byte >> UInt8(index % 8) & 1 == 1
        }
    }

    /// Booleans as runs, behind the length of these in four bytes.
    borrowing func decodeRuns(
        _ page: DataPage, into values: inout MutableSpan<Bool>
    ) throws(ParquetError.Reason) {
        guard page.values.count >= 4 else { throw .truncated }
        let length = self.page.span.word(at: page.values.lowerBound) & 0xFFFF_FFFF
        guard length == page.values.count - 4 else { throw .corrupt("the size of a page") }
        try decodeHybrid(
            self.page.span, from: page.values.lowerBound + 4, end: page.values.upperBound,
            width: 1, through: BooleanMap(), into: &values, rows: page.rows)
    }

    borrowing func decodeDictionary(
        _ page: DataPage, into strings: inout StringTable
    ) throws(ParquetError.Reason) {
        var offset = page.values.lowerBound
        for _ in page.rows { strings.append(try string(page, &offset)) }
        guard offset == page.values.upperBound else {
            throw .corrupt("bytes behind the last value")
        }
    }

    borrowing func decodeStrings(
        _ page: DataPage, into strings: inout StringTable, _ indices: inout MutableSpan<UInt32>
    ) throws(ParquetError.Reason) {
        var offset = page.values.lowerBound
        for row in page.rows {
            let string = try string(page, &offset)
            // At most `rowGroupRowCountMax` strings and as many entries of a dictionary.
            let isNew = row == page.rows.lowerBound || !string.equals(strings[strings.count - 1])
            if isNew { strings.append(string) }
            indices[row] = UInt32(strings.count - 1)
        }
        guard offset == page.values.upperBound else {
            throw .corrupt("bytes behind the last value")
        }
    }

    /// The string at `offset`, behind its length in four bytes.
    @_lifetime(borrow self)
    borrowing func string(
        _ page: DataPage, _ offset: inout Int
    ) throws(ParquetError.Reason) -> Span<UInt8> {
        guard page.values.upperBound - offset >= 4 else { throw .truncated }
        let length = Int(self.page.span.word(at: offset) & 0xFFFF_FFFF)
        offset += 4
        guard length <= page.values.upperBound - offset else { throw .truncated }
        guard length <= ParquetLimits.stringByteCountMax else { throw .tooLarge("a string") }
        let string = self.page.span.part(ByteRange(offset: offset, count: length))
        guard string.firstInvalidUTF8() == nil else { throw .corrupt("a string is not UTF-8") }
        offset += length
        return string
    }
}

extension MutableSpan<UInt8> {
    /// Writes `bytes` over those from `offset` on.
    mutating func copy(_ bytes: Span<UInt8>, to offset: Int) {
        precondition(offset >= 0 && bytes.count <= count - offset)
        for index in bytes.indices { self[offset + index] = bytes[index] }
    }
}
