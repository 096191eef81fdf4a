// Reading CSV (RFC 4180) row by row from a growing buffer.
//
//     file   = [BOM] row * (end row) [end]           end = LF or CR LF
//     row    = field * ("," field)                   at most 64 KiB with its end, 32 fields
//     field  = plain | quoted
//     plain  = * (any byte but , " CR LF NUL)        spaces belong to the field
//     quoted = " * (any byte but " and NUL | "") "   may hold commas and line ends
//
// An empty line is no row. All text is UTF-8. A row that breaks these rules is refused by code and
// reading goes on behind the next line feed after the place where it broke, so one bad row costs
// that row, and a line of any length needs no more memory than a row may have.
//
//     loop: while true {
//         switch reader.nextRow(buffer.span, isFinal: isFinal) {
//         case .row: … reader.field(0) …
//         case .refused(let refusal): …
//         case .needMore(let consumed):
//             buffer.removeFirst(consumed)
//             reader.dropped(consumed)
//             … append what arrives …
//         case .end: break loop
//         }
//     }

public import Bytes

/// What `CSVReader.nextRow` found.
package enum CSVStep: Equatable, Sendable {
    /// A row; its fields can be asked for until the next call.
    case row
    /// More bytes are needed. The first `consumed` bytes may be dropped.
    case needMore(consumed: Int)
    /// The input ended after the last row.
    case end
    /// A row that is not accepted. The next call goes on behind it.
    case refused(CSVRefusal)
}

/// A resumable reader of rows. It keeps places, never the bytes; each byte is looked at once.
@usableFromInline
package struct CSVReader: ~Copyable {
    /// How many fields a row may have.
    package static let fieldCountMax = 32

    /// How many bytes a row may have, its line end included.
    package static let rowByteCountMax = 65_536

    private enum State: UInt8 {
        case atStart, betweenRows, plain, quoted, afterQuote, skipping
    }

    /// What ended a stretch of scanning.
    private enum Event {
        case goOn, rowEnd, outOfBytes
        case refuse(CSVRefusalCode)
    }

    /// A field from the start of the row; bit 31 of `end` says that it has doubled quotes.
    @usableFromInline
    struct Place: Sendable {
        @usableFromInline var start: UInt32
        @usableFromInline var end: UInt32

        @inlinable
        init(start: UInt32, end: UInt32) {
            self.start = start
            self.end = end
        }
    }

    @usableFromInline var places = [32 of Place](repeating: Place(start: 0, end: 0))
    @usableFromInline var placeCount = 0
    @usableFromInline var rowStart = 0

    private var state = State.atStart
    private var position = 0  // The next byte to look at.
    private var fieldStart = 0
    private var quotedEnd = 0  // In `afterQuote`: where the field ended, if it did.
    private var hasDoubledQuotes = false
    private var suspects: UInt64 = 0  // Bit 7 of a lane: a byte that is NUL or no ASCII was near.
    private var line = 1

    /// The line the row starts on, counted from 1. Line ends inside quotes count too.
    package private(set) var rowLine = 1

    package init() {}

    /// Where the bytes behind the row begin, once there is a row.
    package var rowEnd: Int { position }

    /// How many fields the row has.
    @inlinable package var fieldCount: Int { placeCount }

    /// Field `index` of the row, in the bytes of the last call.
    @inlinable
    package func field(_ index: Int) -> CSVField {
        precondition(index >= 0 && index < placeCount)
        let place = places[index]
        let end = Int(place.end & 0x7FFF_FFFF)
        return CSVField(
            range: ByteRange(
                offset: rowStart &+ Int(place.start), count: end &- Int(place.start)),
            hasDoubledQuotes: place.end &>> 31 == 1)
    }

    /// Goes on with the bytes that are there now: those of the last call and perhaps more.
    ///
    /// - Parameter isFinal: Whether no more bytes will come, so that the last row may lack its
    ///   line end.
    /// - Complexity: O(bytes looked at), no allocation.
    package mutating func nextRow(_ bytes: Span<UInt8>, isFinal: Bool) -> CSVStep {
        while true {
            let limit = min(bytes.count, rowStart &+ Self.rowByteCountMax)
            let event: Event
            switch state {
            case .plain: event = scanPlain(bytes, limit)
            case .quoted: event = scanQuoted(bytes, limit)
            case .afterQuote: event = scanAfterQuote(bytes, limit)
            case .betweenRows:
                beginRow()
                continue
            case .atStart:
                guard skipByteOrderMark(bytes) || isFinal else { return .needMore(consumed: 0) }
                beginRow()
                continue
            case .skipping:
                if skipLine(bytes) { continue }
                return isFinal ? .end : .needMore(consumed: rowStart)
            }
            switch event {
            case .goOn: continue
            case .rowEnd: return finishRow(bytes)
            case .refuse(let code): return refuse(code)
            case .outOfBytes:
                if limit == rowStart &+ Self.rowByteCountMax {
                    position = limit
                    return refuse(.rowTooLong)
                }
                return isFinal ? finishInput(bytes) : .needMore(consumed: rowStart)
            }
        }
    }

    /// Follows the bytes after the caller took `byteCount` off their front.
    package mutating func dropped(_ byteCount: Int) {
        if state == .betweenRows { rowStart = position }  // The last row may go too.
        precondition(byteCount >= 0 && byteCount <= rowStart)
        rowStart -= byteCount
        position -= byteCount
        fieldStart -= byteCount
        quotedEnd -= byteCount
    }

    // MARK: Fields

    /// Reads plain fields from `position` until something else turns up.
    private mutating func scanPlain(_ bytes: Span<UInt8>, _ limit: Int) -> Event {
        var base = position
        while base < limit {
            let word = bytes.partialWord(at: base)
            suspects |= word | (word &- lanes(1))
            var mask = Self.delimiters(word)
            while mask != 0 {
                let at = base &+ firstLane(mask)
                mask &= mask &- 1
                guard at < limit else { break }
                switch unsafe bytes[unchecked: at] {
                case UInt8(ascii: ","):
                    guard addField(to: at) else { return refuse(.tooManyFields, at) }
                    fieldStart = at &+ 1
                case 0x0A:
                    position = at &+ 1
                    if at == rowStart { return skipEmptyLine() }
                    return addField(to: at) ? .rowEnd : refuse(.tooManyFields, at)
                case 0x0D: return endLine(bytes, at, fieldEnd: at, limit)
                case UInt8(ascii: "\""):
                    guard at == fieldStart else { return refuse(.badQuoting, at) }
                    fieldStart = at &+ 1
                    position = at &+ 1
                    hasDoubledQuotes = false
                    state = .quoted
                    return .goOn
                default: break  // A lane set falsely, or another control character.
                }
            }
            base &+= 8
        }
        position = limit
        return .outOfBytes
    }

    /// Reads a quoted field up to its next quote, counting lines.
    private mutating func scanQuoted(_ bytes: Span<UInt8>, _ limit: Int) -> Event {
        var base = position
        while base < limit {
            let word = bytes.partialWord(at: base)
            suspects |= word | (word &- lanes(1))
            var mask =
                (laneTerm(word, equalTo: UInt8(ascii: "\"")) | laneTerm(word, equalTo: 0x0A))
                & ~word & laneHighBits
            while mask != 0 {
                let at = base &+ firstLane(mask)
                mask &= mask &- 1
                guard at < limit else { break }
                let byte = unsafe bytes[unchecked: at]
                if byte == 0x0A { line &+= 1 }
                if byte == UInt8(ascii: "\"") {
                    quotedEnd = at
                    position = at &+ 1
                    state = .afterQuote
                    return .goOn
                }
            }
            base &+= 8
        }
        position = limit
        return .outOfBytes
    }

    /// Decides what the quote just read was, by the byte behind it.
    private mutating func scanAfterQuote(_ bytes: Span<UInt8>, _ limit: Int) -> Event {
        guard position < limit else { return .outOfBytes }
        let at = position
        switch bytes[at] {
        case UInt8(ascii: "\""):
            hasDoubledQuotes = true
            position = at &+ 1
            state = .quoted
        case UInt8(ascii: ","):
            guard addField(to: quotedEnd) else { return refuse(.tooManyFields, at) }
            hasDoubledQuotes = false
            fieldStart = at &+ 1
            position = at &+ 1
            state = .plain
        case 0x0A:
            position = at &+ 1
            return addField(to: quotedEnd) ? .rowEnd : refuse(.tooManyFields, at)
        case 0x0D: return endLine(bytes, at, fieldEnd: quotedEnd, limit)
        default: return refuse(.badQuoting, at)
        }
        return .goOn
    }

    /// The lanes that hold a comma, a quote or a byte of 0x08 ... 0x0F, where CR and LF are; the
    /// lowest is exact.
    @inline(__always)
    private static func delimiters(_ word: UInt64) -> UInt64 {
        let lineEnds = laneTerm(word & lanes(0xF8), equalTo: 0x08)
        return
            (laneTerm(word, equalTo: UInt8(ascii: ","))
            | laneTerm(word, equalTo: UInt8(ascii: "\""))
            | lineEnds) & ~word & laneHighBits
    }

    /// Ends the row at the carriage return at `at`, if a line feed follows.
    private mutating func endLine(
        _ bytes: Span<UInt8>, _ at: Int, fieldEnd: Int, _ limit: Int
    ) -> Event {
        position = at
        guard at &+ 1 < limit else { return .outOfBytes }
        guard bytes[at &+ 1] == 0x0A else { return refuse(.bareCarriageReturn, at) }
        position = at &+ 2
        if at == rowStart { return skipEmptyLine() }
        return addField(to: fieldEnd) ? .rowEnd : refuse(.tooManyFields, at)
    }

    /// Notes the field from `fieldStart`; false when the row has no room for one more.
    @inline(__always)
    private mutating func addField(to end: Int) -> Bool {
        guard placeCount < Self.fieldCountMax else { return false }
        // A row has at most 64 KiB, so both fit.
        let mark: UInt32 = hasDoubledQuotes ? 1 &<< 31 : 0
        places[placeCount] = Place(
            start: UInt32(truncatingIfNeeded: fieldStart &- rowStart),
            end: UInt32(truncatingIfNeeded: end &- rowStart) | mark)
        placeCount &+= 1
        return true
    }

    // MARK: Rows

    private mutating func beginRow() {
        rowStart = position
        fieldStart = position
        placeCount = 0
        hasDoubledQuotes = false
        suspects = 0
        rowLine = line
        state = .plain
    }

    private mutating func skipEmptyLine() -> Event {
        line &+= 1
        state = .betweenRows
        return .goOn
    }

    /// Hands out the row whose fields are all noted, unless it is no text.
    private mutating func finishRow(_ bytes: Span<UInt8>) -> CSVStep {
        line &+= 1
        state = .betweenRows
        if suspects & laneHighBits == 0 { return .row }
        let row = bytes.part(ByteRange(from: rowStart, to: position))
        if row.firstOffset(of: 0, from: 0) < row.count { return refusal(.nulByte) }
        if row.firstInvalidUTF8() != nil { return refusal(.badUTF8) }
        return .row
    }

    /// Ends what the end of the input leaves open.
    private mutating func finishInput(_ bytes: Span<UInt8>) -> CSVStep {
        switch state {
        case .quoted: return refuse(.unclosedQuote)
        case .plain where position == rowStart && position == bytes.count: return .end
        case _ where position < bytes.count: return refuse(.bareCarriageReturn)
        default:
            guard addField(to: state == .afterQuote ? quotedEnd : position) else {
                return refuse(.tooManyFields)
            }
            return finishRow(bytes)
        }
    }

    private mutating func refuse(_ code: CSVRefusalCode, _ at: Int) -> Event {
        position = at
        return .refuse(code)
    }

    /// Refuses the row; reading will go on behind the next line feed from `position`.
    private mutating func refuse(_ code: CSVRefusalCode) -> CSVStep {
        rowStart = position
        state = .skipping
        return refusal(code)
    }

    private func refusal(_ code: CSVRefusalCode) -> CSVStep {
        .refused(CSVRefusal(code, line: rowLine, index: placeCount))
    }

    /// Moves behind the next line feed; false when there is none yet.
    private mutating func skipLine(_ bytes: Span<UInt8>) -> Bool {
        let end = bytes.firstOffset(of: 0x0A, from: position)
        guard end < bytes.count else {
            position = end
            rowStart = end
            return false
        }
        position = end + 1
        line += 1
        state = .betweenRows
        return true
    }

    /// Skips U+FEFF at the very start; false when more bytes must decide.
    private mutating func skipByteOrderMark(_ bytes: Span<UInt8>) -> Bool {
        let mark: [3 of UInt8] = [0xEF, 0xBB, 0xBF]
        for index in 0..<3 {
            guard index < bytes.count else { return false }
            guard bytes[index] == mark[index] else { return true }
        }
        position = 3
        return true
    }
}
