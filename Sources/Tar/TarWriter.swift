// Entries into bytes.

package import Bytes

extension ByteBuffer {
    /// Appends what stands before the bytes of an entry.
    ///
    /// - Precondition: Name and target have at most 100 bytes.
    package mutating func append(tar entry: TarEntry) {
        precondition(entry.name.utf8.count <= TarBlock.nameByteCount)
        precondition(entry.target.utf8.count <= TarBlock.nameByteCount)
        let start = count
        appendZeros(TarBlock.byteCount)
        put(entry.name, at: start)
        put(octal: entry.mode, start, TarBlock.mode)
        put(octal: 0, start, 108..<115)
        put(octal: 0, start, 116..<123)
        put(size: entry.byteCount, start)
        put(octal: entry.modified, start, TarBlock.modified)
        self[start + TarBlock.kind] = entry.kind.rawValue
        put(entry.target, at: start + TarBlock.target.lowerBound)
        put("ustar", at: start + TarBlock.magic.lowerBound)
        put("00", at: start + TarBlock.magic.lowerBound + 6)
        put(octal: tarChecksum(span.from(start)), start, 148..<154)
        self[start + 155] = UInt8(ascii: " ")
    }

    /// Appends what stands behind a file of so many bytes.
    package mutating func append(tarPaddingBehind byteCount: Int) {
        appendZeros(TarBlock.padding(behind: byteCount))
    }

    /// Appends the end of an archive.
    package mutating func appendTarEnd() { appendZeros(2 * TarBlock.byteCount) }

    private mutating func appendZeros(_ byteCount: Int) {
        reserve(byteCount)
        for _ in 0..<byteCount { append(0 as UInt8) }
    }

    private mutating func put(_ text: String, at offset: Int) {
        for (index, byte) in text.utf8.enumerated() { self[offset + index] = byte }
    }

    private mutating func put(octal value: Int, _ start: Int, _ field: Range<Int>) {
        var rest = value
        for offset in field.reversed() {
            self[start + offset] = UInt8(ascii: "0") + UInt8(rest & 7)
            rest >>= 3
        }
    }

    private mutating func put(size: Int, _ start: Int) {
        if size < TarBlock.octalSizeEnd {
            return put(octal: size, start, TarBlock.size.lowerBound..<TarBlock.size.upperBound - 1)
        }
        for index in 0..<8 {
            self[start + TarBlock.size.upperBound - 1 - index] =
                UInt8(truncatingIfNeeded: size >> (8 * index))
        }
        self[start + TarBlock.size.lowerBound] = 0x80
    }
}

/// The checksum of the block at the front of `bytes`.
func tarChecksum(_ bytes: Span<UInt8>) -> Int {
    var sum = 0
    for offset in 0..<TarBlock.byteCount {
        sum += TarBlock.checksum.contains(offset) ? 32 : Int(bytes[offset])
    }
    return sum
}
