// Where rows end, found without reading the rows.
//
// Without quotes every line feed ends a row, so the end of the last whole row is the last line feed:
// the work per row is a look at its bytes, eight at a time. Where quotes are, line feeds may stand
// inside fields, and the rows are read as the service reads them.

import Bytes
import CSV

/// What a stretch of text holds.
struct LineCensus: Equatable, Sendable {
    var lineFeedCount = 0
    var hasQuotes = false

    /// Looks at each byte once.
    ///
    /// - Complexity: O(bytes), about a third of a nanosecond each.
    init(_ bytes: Span<UInt8>) {
        var offset = 0
        var quotes: UInt64 = 0
        while bytes.count &- offset >= 8 {
            // A lane counts to 255 at the most before its sum is taken.
            let words = min(255, (bytes.count &- offset) / 8)
            var sums: UInt64 = 0
            for _ in 0..<words {
                let word = unsafe bytes.word(unchecked: offset)
                sums &+= Self.matches(word, 0x0A) &>> 7
                quotes |= Self.matches(word, UInt8(ascii: "\""))
                offset &+= 8
            }
            // The sums of neighbours, twice two lanes wide, then added up by the multiplication.
            let even: UInt64 = 0x00FF_00FF_00FF_00FF
            let pairs = (sums & even) &+ ((sums &>> 8) & even)
            lineFeedCount &+= Int((pairs &* 0x0001_0001_0001_0001) &>> 48)
        }
        hasQuotes = quotes != 0
        while offset < bytes.count {
            if bytes[offset] == 0x0A { lineFeedCount &+= 1 }
            if bytes[offset] == UInt8(ascii: "\"") { hasQuotes = true }
            offset &+= 1
        }
    }

    /// Bit 7 of each lane of `word` that holds `byte`; exact in every lane, as nothing carries from
    /// one lane into the next.
    @inline(__always)
    private static func matches(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let other = word ^ lanes(byte)
        let low = lanes(0x7F)
        return ~((other & low) &+ low | other | low)
    }
}

extension Span<UInt8> {
    /// The offset behind the last line feed; 0 when there is none.
    var endOfLastLine: Int {
        var offset = count
        while offset > 0, self[offset - 1] != 0x0A { offset -= 1 }
        return offset
    }

    /// The offset behind the last whole CSV row; 0 when there is none. The span starts with a row.
    var endOfLastRow: Int {
        var reader = CSVReader()
        var end = 0
        while true {
            switch reader.nextRow(self, isFinal: false) {
            case .row: end = reader.rowEnd
            case .refused: continue
            case .end: return count
            case .needMore(let consumed):
                // Between rows, or inside one that began at `consumed`; otherwise inside the rest
                // of a refused one, which then stays whole in the next piece.
                return consumed > 0 && self[consumed - 1] == 0x0A ? consumed : end
            }
        }
    }

    /// The offset behind the header, whose line feeds inside quotes are its own; nil when it does
    /// not end here.
    var endOfHeader: Int? {
        var isQuoted = false
        for offset in 0..<count {
            if self[offset] == UInt8(ascii: "\"") { isQuoted.toggle() }
            if self[offset] == 0x0A, !isQuoted { return offset + 1 }
        }
        return nil
    }
}
