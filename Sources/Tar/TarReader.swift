// Bytes into entries, as they come.
//
//     while true {
//         switch try reader.next(bytes, from: offset) {
//         case .entry(let entry): …                     offset += 512
//         case .data(let range): …                      offset = range.end
//         case .needMore(let consumed): offset = consumed, and more bytes
//         case .end: …
//         }
//     }

package import Bytes

/// Reads one archive. Trusts nothing.
package struct TarReader: Sendable {
    package enum Step: Equatable, Sendable {
        /// A file's bytes follow; of anything else there are none.
        case entry(TarEntry, consumed: Int)
        /// Bytes of the entry.
        case data(ByteRange)
        case needMore(consumed: Int)
        case end
    }

    /// Bytes of the entry that are to come, and of zeros behind them.
    private var dataByteCount = 0
    private var paddingByteCount = 0
    private var zeroBlockCount = 0

    package init() {}

    /// Looks at `bytes` from `offset` on.
    ///
    /// - Throws: `notTar`, `unsupportedKind`.
    package mutating func next(
        _ bytes: Span<UInt8>, from start: Int
    ) throws(TarError) -> Step {
        var offset = start
        while true {
            if zeroBlockCount == 2 { return .end }
            if dataByteCount > 0 {
                let count = min(dataByteCount, bytes.count - offset)
                if count == 0 { return .needMore(consumed: offset) }
                dataByteCount -= count
                return .data(ByteRange(offset: offset, count: count))
            }
            let padding = min(paddingByteCount, bytes.count - offset)
            paddingByteCount -= padding
            offset += padding
            guard bytes.count - offset >= TarBlock.byteCount else {
                return .needMore(consumed: offset)
            }
            let block = bytes.extracting(offset..<offset + TarBlock.byteCount)
            offset += TarBlock.byteCount
            if block.indices.allSatisfy({ block[$0] == 0 }) {
                zeroBlockCount += 1
                continue
            }
            let entry = try Self.entry(block)
            zeroBlockCount = 0
            dataByteCount = entry.byteCount
            paddingByteCount = TarBlock.padding(behind: entry.byteCount)
            return .entry(entry, consumed: offset)
        }
    }

    private static func entry(_ block: Span<UInt8>) throws(TarError) -> TarEntry {
        guard block.extracting(257..<262).equals("ustar"),
            try octal(block, TarBlock.checksum) == tarChecksum(block)
        else { throw .notTar }
        let letter = block[TarBlock.kind]
        guard let kind = TarKind(rawValue: letter == 0 ? TarKind.file.rawValue : letter) else {
            throw .unsupportedKind(letter)
        }
        let prefix = text(block, TarBlock.prefix)
        let name = text(block, 0..<TarBlock.nameByteCount)
        var entry = TarEntry(kind, prefix.isEmpty ? name : prefix + "/" + name)
        entry.mode = try octal(block, TarBlock.mode) & 0o777
        entry.modified = try octal(block, TarBlock.modified)
        if kind == .file { entry.byteCount = try size(block) }
        if kind == .link { entry.target = text(block, TarBlock.target) }
        return entry
    }

    private static func text(_ block: Span<UInt8>, _ field: Range<Int>) -> String {
        var end = field.lowerBound
        while end < field.upperBound, block[end] != 0 { end += 1 }
        return block.extracting(field.lowerBound..<end).text
    }

    private static func size(_ block: Span<UInt8>) throws(TarError) -> Int {
        let field = TarBlock.size
        guard block[field.lowerBound] & 0x80 != 0 else { return try octal(block, field) }
        var size = Int(block[field.lowerBound] & 0x7F)
        for offset in field.dropFirst() {
            guard size < 1 << 54 else { throw .notTar }
            size = size << 8 | Int(block[offset])
        }
        return size
    }

    /// Octal digits between blanks; an end by a blank or a zero byte.
    private static func octal(_ block: Span<UInt8>, _ field: Range<Int>) throws(TarError) -> Int {
        var value = 0
        var hasEnded = false
        for offset in field {
            switch block[offset] {
            case 0x30...0x37 where !hasEnded: value = value << 3 | Int(block[offset] & 7)
            case 0x20 where offset == field.lowerBound: break
            case 0, 0x20: hasEnded = true
            default: throw .notTar
            }
        }
        return value
    }
}
