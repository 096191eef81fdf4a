// Strings inside a JSON text: found, checked, compared and decoded without a copy.
//
//     string    = " (plain | escape) * "
//     plain     = any UTF-8 of U+0020 and above but " and \
//     escape    = \" \\ \/ \b \f \n \r \t, or \u and four hexadecimal digits; beyond U+FFFF two of
//                 these, a high surrogate and a low one                        (RFC 8259 §7)

public import Bytes

/// A string in a JSON text: where it is, already checked.
@usableFromInline
package struct JSONString: Equatable, Sendable {
    /// The bytes between the quotes.
    @usableFromInline package let range: ByteRange

    /// Whether there are escapes, so that the bytes are not the string itself.
    @usableFromInline package let hasEscapes: Bool

    @inlinable
    package init(range: ByteRange, hasEscapes: Bool) {
        self.range = range
        self.hasEscapes = hasEscapes
    }

    /// Whether the string, its escapes decoded, is `text`.
    @inlinable @inline(__always)
    package func equals(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        if hasEscapes { return equalsDecoded(text, in: bytes) }
        guard range.count == text.utf8CodeUnitCount else { return false }
        return bytes.holds(text, at: range.offset)
    }

    @usableFromInline
    func equalsDecoded(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        var decoded = DecodedBytes(self)
        for index in 0..<text.utf8CodeUnitCount {
            guard unsafe decoded.next(bytes) == text.utf8Start[index] else { return false }
        }
        return decoded.next(bytes) == nil
    }

    /// Whether two strings of the same bytes are equal, their escapes decoded.
    func equals(_ other: JSONString, in bytes: Span<UInt8>) -> Bool {
        if !hasEscapes, !other.hasEscapes {
            return bytes.part(range).equals(bytes.part(other.range))
        }
        var mine = DecodedBytes(self)
        var others = DecodedBytes(other)
        while let byte = mine.next(bytes) {
            guard byte == others.next(bytes) else { return false }
        }
        return others.next(bytes) == nil
    }
}

extension ByteBuffer {
    /// Appends `string`, which lies in `bytes`, with its escapes decoded.
    package mutating func append(unescaped string: JSONString, from bytes: Span<UInt8>) {
        guard string.hasEscapes else { return append(bytes.part(string.range)) }
        var decoded = DecodedBytes(string)
        while let byte = decoded.next(bytes) { append(byte) }
    }
}

/// The bytes of a checked string one by one, its escapes decoded to UTF-8.
struct DecodedBytes {
    private var offset: Int
    private let end: Int
    private var pending: UInt32 = 0  // UTF-8 of an escape, the next byte lowest.
    private var pendingCount = 0

    init(_ string: JSONString) {
        offset = string.range.offset
        end = string.range.end
    }

    mutating func next(_ bytes: Span<UInt8>) -> UInt8? {
        if pendingCount > 0 {
            defer { pending &>>= 8 }
            pendingCount &-= 1
            return UInt8(truncatingIfNeeded: pending)
        }
        guard offset < end else { return nil }
        let byte = bytes[offset]
        guard byte == UInt8(ascii: "\\") else {
            offset &+= 1
            return byte
        }
        guard let escape = try? readEscape(bytes, at: offset) else {
            preconditionFailure("the bytes are not those that were checked")
        }
        offset &+= escape.length
        encode(escape.scalar)
        return next(bytes)
    }

    private mutating func encode(_ scalar: UInt32) {
        switch scalar {
        case 0..<0x80:
            pending = scalar
            pendingCount = 1
        case 0x80..<0x800:
            pending = 0xC0 | scalar &>> 6 | (0x80 | scalar & 0x3F) &<< 8
            pendingCount = 2
        case 0x800..<0x10000:
            pending = 0xE0 | scalar &>> 12 | (0x80 | scalar &>> 6 & 0x3F) &<< 8
            pending |= (0x80 | scalar & 0x3F) &<< 16
            pendingCount = 3
        default:
            pending = 0xF0 | scalar &>> 18 | (0x80 | scalar &>> 12 & 0x3F) &<< 8
            pending |= (0x80 | scalar &>> 6 & 0x3F) &<< 16 | (0x80 | scalar & 0x3F) &<< 24
            pendingCount = 4
        }
    }
}

/// Finds the end of the string whose first byte after the quote is at `start`, and checks it.
///
/// Plain ASCII passes here, eight bytes a step; the first byte that is neither that nor the
/// closing quote, and the last seven bytes there are, go the slow way.
///
/// - Precondition: `start` is at least 0.
@inlinable @inline(__always)
func scanString(_ bytes: Span<UInt8>, from start: Int) throws(JSONError) -> JSONString {
    var offset = start
    while offset &+ 8 <= bytes.count {
        let word = unsafe bytes.word(unchecked: offset)
        let mask = specialLanes(word)
        if mask == 0 {
            offset &+= 8
            continue
        }
        let lane = firstLane(mask)
        guard (word ^ lanes(UInt8(ascii: "\""))) &>> UInt64(lane &* 8) & 0xFF == 0 else { break }
        let range = ByteRange(offset: start, count: offset &+ lane &- start)
        return JSONString(range: range, hasEscapes: false)
    }
    return try scanStringSlowly(bytes, from: start, at: offset)
}

/// The lanes that hold a quote, a backslash, a control character or no ASCII; the lowest is exact.
@inlinable @inline(__always)
func specialLanes(_ word: UInt64) -> UInt64 {
    (laneTerm(word, equalTo: UInt8(ascii: "\"")) | laneTerm(word, equalTo: UInt8(ascii: "\\"))
        | laneTerm(word, below: 0x20) | word) & laneHighBits
}

/// As `scanString`, for a string that starts at `start` and is plain ASCII up to `plain`.
@usableFromInline
func scanStringSlowly(
    _ bytes: Span<UInt8>, from start: Int, at plain: Int
) throws(JSONError) -> JSONString {
    var offset = plain
    var hasEscapes = false
    while true {
        guard offset < bytes.count else { throw JSONError(.truncated, at: start &- 1) }
        let mask = specialLanes(bytes.partialWord(at: offset))
        if mask == 0 {
            offset &+= 8
            continue
        }
        offset &+= firstLane(mask)
        // The lanes behind the end are zeros, which count as control characters.
        guard offset < bytes.count else { throw JSONError(.truncated, at: start &- 1) }
        let byte = unsafe bytes[unchecked: offset]
        if byte == UInt8(ascii: "\"") {
            return JSONString(range: ByteRange(from: start, to: offset), hasEscapes: hasEscapes)
        }
        if byte == UInt8(ascii: "\\") {
            hasEscapes = true
            offset &+= try readEscape(bytes, at: offset).length
        } else if byte < 0x20 {
            throw JSONError(.controlCharacter, at: offset)
        } else {
            offset = try skipNonASCII(bytes, from: offset)
        }
    }
}

/// Moves past the UTF-8 sequences at `offset` up to the next ASCII byte.
private func skipNonASCII(_ bytes: Span<UInt8>, from offset: Int) throws(JSONError) -> Int {
    var offset = offset
    while offset < bytes.count, bytes[offset] >= 0x80 {
        let length = bytes.utf8SequenceLength(at: offset)
        guard length > 0 else {
            throw JSONError(length == 0 ? .badUTF8 : .truncated, at: offset)
        }
        offset &+= length
    }
    return offset
}

/// The scalar that the escape at `offset` stands for, and how many bytes the escape has.
///
/// - Throws: `bad_escape`, `lone_surrogate`, `truncated`.
private func readEscape(
    _ bytes: Span<UInt8>, at offset: Int
) throws(JSONError) -> (scalar: UInt32, length: Int) {
    guard offset &+ 1 < bytes.count else { throw JSONError(.truncated, at: offset) }
    switch bytes[offset &+ 1] {
    case UInt8(ascii: "\""): return (0x22, 2)
    case UInt8(ascii: "\\"): return (0x5C, 2)
    case UInt8(ascii: "/"): return (0x2F, 2)
    case UInt8(ascii: "b"): return (0x08, 2)
    case UInt8(ascii: "f"): return (0x0C, 2)
    case UInt8(ascii: "n"): return (0x0A, 2)
    case UInt8(ascii: "r"): return (0x0D, 2)
    case UInt8(ascii: "t"): return (0x09, 2)
    case UInt8(ascii: "u"): break
    default: throw JSONError(.badEscape, at: offset)
    }
    let unit = try readHex(bytes, escape: offset)
    switch unit {
    case 0xD800...0xDBFF:
        // The other half must follow; say so as soon as it cannot.
        let second = offset &+ 6
        try expectSecondHalf(bytes, UInt8(ascii: "\\"), at: second, escape: offset)
        try expectSecondHalf(bytes, UInt8(ascii: "u"), at: second &+ 1, escape: offset)
        let low = try readHex(bytes, escape: second)
        guard (0xDC00...0xDFFF).contains(low) else { throw JSONError(.loneSurrogate, at: offset) }
        return (0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF), 12)
    case 0xDC00...0xDFFF: throw JSONError(.loneSurrogate, at: offset)
    default: return (unit, 6)
    }
}

/// Makes sure that `byte`, which the second escape of a pair starts with, stands at `at`.
private func expectSecondHalf(
    _ bytes: Span<UInt8>, _ byte: UInt8, at: Int, escape offset: Int
) throws(JSONError) {
    guard at < bytes.count else { throw JSONError(.truncated, at: offset) }
    guard bytes[at] == byte else { throw JSONError(.loneSurrogate, at: offset) }
}

/// The four hexadecimal digits of the `\u` at `offset`.
private func readHex(_ bytes: Span<UInt8>, escape offset: Int) throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for index in 2..<6 {
        guard offset &+ index < bytes.count else { throw JSONError(.truncated, at: offset) }
        let byte = bytes[offset &+ index]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(byte - 0x30)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt32(byte - 0x61 + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt32(byte - 0x41 + 10)
        default: throw JSONError(.badEscape, at: offset)
        }
    }
    return unit
}
