// Integer columns: which encoding, and its pages.

package import Bytes
package import Zstd

extension ParquetWriter {
    /// Rows that are encoded to choose an encoding: slices from all over the chunk.
    private static let sampleRowCount = 8192
    private static let sampleSliceCount = 8

    /// Writes a column of the kind `.int32`.
    package mutating func write(
        _ values: Span<Int32>, into output: inout ByteBuffer
    ) throws(ZstdError) {
        let chunk = beginChunk(.int32, rowCount: values.count, into: &output)
        try writeIntegers(values, chunk, into: &output)
    }

    /// Writes a column of the kind `.int64`.
    package mutating func write(
        _ values: Span<Int64>, into output: inout ByteBuffer
    ) throws(ZstdError) {
        let chunk = beginChunk(.int64, rowCount: values.count, into: &output)
        try writeIntegers(values, chunk, into: &output)
    }

    /// Writes a column of the kind `.timestamp`: milliseconds since 1970 in UTC.
    package mutating func write(
        timestamps values: Span<Int64>, into output: inout ByteBuffer
    ) throws(ZstdError) {
        let chunk = beginChunk(.timestamp, rowCount: values.count, into: &output)
        try writeIntegers(values, chunk, into: &output)
    }

    private mutating func writeIntegers<Value: ColumnInteger>(
        _ values: Span<Value>, _ chunk: consuming ChunkRecord, into output: inout ByteBuffer
    ) throws(ZstdError) {
        let (minimum, maximum) = extremes(values)
        let encoding = try chooseEncoding(values, minimum, maximum)
        if encoding == .dictionary {
            appendEntries(of: Value.self)
            try pages.write(
                .dictionary, .plain, valueCount: dictionary.entries.count, of: &chunk,
                into: &output)
        }
        for rows in pageRanges(values.count) {
            encode(values.extracting(rows), encoding)
            try pages.write(.data, encoding, valueCount: rows.count, of: &chunk, into: &output)
        }
        chunk.extremes = (plain(minimum), plain(maximum))
        endChunk(chunk)
    }

    /// The encoding that makes a sample of `values` smallest. Builds the dictionary.
    private mutating func chooseEncoding<Value: ColumnInteger>(
        _ values: Span<Value>, _ minimum: Value, _ maximum: Value
    ) throws(ZstdError) -> Encoding {
        let hasDictionary = dictionary.build(values, minimum: minimum, maximum: maximum)
        if minimum == maximum { return .dictionary }
        var (best, bestByteCount) = (Encoding.plain, Int.max)
        for encoding in [Encoding.dictionary, .deltaBinaryPacked, .plain] {
            if encoding == .dictionary && !hasDictionary { continue }
            let sampledCount = encodeSample(values, encoding)
            var byteCount = try pages.measure() * values.count / sampledCount
            if encoding == .dictionary {
                appendEntries(of: Value.self)
                byteCount += try pages.measure()
            }
            if byteCount < bestByteCount { (best, bestByteCount) = (encoding, byteCount) }
        }
        return best
    }

    /// Appends a sample of `values` to the page at hand.
    ///
    /// - Returns: How many values it has.
    private mutating func encodeSample<Value: ColumnInteger>(
        _ values: Span<Value>, _ encoding: Encoding
    ) -> Int {
        guard values.count > Self.sampleRowCount else {
            encode(values, encoding)
            return values.count
        }
        let sliceRowCount = Self.sampleRowCount / Self.sampleSliceCount
        let last = values.count - sliceRowCount
        for slice in 0..<Self.sampleSliceCount {
            let start = last * slice / (Self.sampleSliceCount - 1)
            encode(values.extracting(start..<start + sliceRowCount), encoding)
        }
        return Self.sampleRowCount
    }

    /// Appends `values` to the page at hand.
    private mutating func encode<Value: ColumnInteger>(
        _ values: Span<Value>, _ encoding: Encoding
    ) {
        switch encoding {
        case .dictionary:
            let width = numberWidth(dictionary.entries.count)
            pages.content.append(UInt8(width))
            if dictionary.entries.count == 1 {
                pages.content.append(run: 0, count: values.count, width: width)
            } else {
                numbers.removeAll()
                dictionary.appendNumbers(of: values, to: &numbers)
                pages.content.append(hybrid: numbers, width: width)
            }
        case .deltaBinaryPacked: pages.content.append(delta: values)
        default:
            for row in values.indices { appendPlain(unsafe values[unchecked: row]) }
        }
    }

    /// Appends the dictionary to the page at hand.
    private mutating func appendEntries<Value: ColumnInteger>(of type: Value.Type) {
        for number in dictionary.entries.indices {
            appendPlain(Value(dictionary.entries[number]))
        }
    }

    private mutating func appendPlain(_ value: some ColumnInteger) {
        pages.content.append(
            word: UInt64(truncatingIfNeeded: value), byteCount: MemoryLayout.size(ofValue: value))
    }
}

/// The smallest and the largest of `values`, which has one at least.
private func extremes<Value: ColumnInteger>(_ values: Span<Value>) -> (Value, Value) {
    var minimum = values[0]
    var maximum = minimum
    if isConstant(values) { return (minimum, maximum) }
    for row in values.indices {
        let value = unsafe values[unchecked: row]
        minimum = min(minimum, value)
        maximum = max(maximum, value)
    }
    return (minimum, maximum)
}

/// Whether all are alike. Many columns are, and this takes a fraction of an instruction per value.
private func isConstant<Value: ColumnInteger>(_ values: Span<Value>) -> Bool {
    let first = values[0]
    var start = 0
    while start < values.count {
        let end = min(start + 4096, values.count)
        var differing: Value = 0
        for row in start..<end { differing |= unsafe values[unchecked: row] ^ first }
        if differing != 0 { return false }
        start = end
    }
    return true
}

/// `value` in little-endian bytes.
private func plain(_ value: some ColumnInteger) -> [UInt8] {
    (0..<MemoryLayout.size(ofValue: value)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
