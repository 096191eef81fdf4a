// Which bytes may stand where, eight at a time.
//
// A word holds eight bytes, the first one in its lowest bits. A "marks" word has the top bit of a
// byte set where the byte belongs to a class. Marks above the lowest one may be false (a borrow
// runs upwards), so only the lowest mark is used; words without a mark have no such byte.
//
//     zero bytes of x:        (x − 01…01) & ~x & 80…80
//     bytes of x below n:     (x − n…n)   & ~x & 80…80      n ≤ 80

import Bytes

@inline(__always) private func each(_ byte: UInt8) -> UInt64 {
    UInt64(byte) &* 0x0101_0101_0101_0101
}

private let topBits: UInt64 = 0x8080_8080_8080_8080

/// Turns upper-case letters of a word into lower case. Of the bytes that can follow in a head only
/// letters, `@[\]^_` and controls change, and none of those becomes a hyphen, digit or colon
/// except a control.
let caseBits: UInt64 = 0x2020_2020_2020_2020

/// The first eight bytes of `text` as a word, zeros behind them. Folds to a constant.
@inline(__always)
func packed(_ text: StaticString) -> UInt64 {
    var word: UInt64 = 0
    var index = text.utf8CodeUnitCount
    while index > 0 {
        index &-= 1
        word = word &<< 8 | UInt64(unsafe text.utf8Start[index])
    }
    return word
}

/// The lowest `count` bytes of a word, `count` below 8.
@inline(__always)
func lowBytes(_ count: Int) -> UInt64 {
    (1 &<< UInt64(truncatingIfNeeded: count &* 8)) &- 1
}

/// How many bytes lie below the lowest mark.
@inline(__always)
func byteIndex(ofMark marks: UInt64) -> Int {
    marks.trailingZeroBitCount &>> 3
}

/// Marks the bytes that equal `byte`.
@inline(__always)
func marks(_ word: UInt64, of byte: UInt8) -> UInt64 {
    let difference = word ^ each(byte)
    return (difference &- each(1)) & ~difference & topBits
}

/// Marks the control characters: below space, and DEL.
@inline(__always)
private func controlMarks(_ word: UInt64) -> UInt64 {
    let del = word ^ each(0x7F)
    return ((word &- each(0x20)) & ~word | (del &- each(1)) & ~del) & topBits
}

/// Marks what ends or splits a request target: everything up to space, `#`, `?`, and bytes from
/// 0x80. DEL is not among them: no line has one.
@inline(__always)
func targetMarks(_ word: UInt64) -> UInt64 {
    ((word &- each(0x21)) & ~word | word) & topBits
        | marks(word, of: UInt8(ascii: "#")) | marks(word, of: UInt8(ascii: "?"))
}

/// Whether all eight bytes are letters, digits or hyphens. `folded` has its case bits set.
@inline(__always)
func isPlainName(_ folded: UInt64) -> Bool {
    let letters = (folded &+ each(0x80 - 0x61)) & ~(folded &+ each(0x7F - 0x7A))
    let digits = (folded &+ each(0x80 - 0x30)) & ~(folded &+ each(0x7F - 0x39))
    let hyphens = ~((folded ^ each(0x2D)) &+ each(0x7F))
    // The sums stay within their bytes as long as no byte has its top bit set.
    return folded & topBits == 0 && (letters | digits | hyphens) & topBits == topBits
}

/// A set of ASCII bytes.
struct ByteSet: Sendable {
    private let low: UInt64
    private let high: UInt64

    init(_ text: StaticString, withAlphanumerics: Bool) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        func insert(_ byte: UInt8) {
            if byte < 64 { low |= 1 &<< UInt64(byte) } else { high |= 1 &<< UInt64(byte & 63) }
        }
        for index in 0..<text.utf8CodeUnitCount { insert(unsafe text.utf8Start[index]) }
        if withAlphanumerics {
            for byte in UInt8(ascii: "0")...UInt8(ascii: "9") { insert(byte) }
            for byte in UInt8(ascii: "A")...UInt8(ascii: "Z") { insert(byte) }
            for byte in UInt8(ascii: "a")...UInt8(ascii: "z") { insert(byte) }
        }
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? low : high
        return byte < 128 && word &>> UInt64(byte & 63) & 1 != 0
    }

    /// RFC 9110 §5.6.2: what names, methods and codings are made of.
    static let token = ByteSet("!#$%&'*+-.^_`|~", withAlphanumerics: true)

    /// A host name or IPv4 address. Narrower than RFC 3986 `reg-name`: neither percent escapes nor
    /// sub-delimiters, which no name on the network has.
    static let hostName = ByteSet("-._~", withAlphanumerics: true)

    /// RFC 3986 §2.3.
    static let unreserved = ByteSet("-._~", withAlphanumerics: true)
}

extension Span<UInt8> {
    /// Where the first control character other than a tab stands, from `start` on; `count` when
    /// there is none.
    @inline(__always)
    func firstControl(from start: Int) -> Int {
        var offset = start
        while offset < count {
            // Behind the end the word has zeros, which are marked like any control.
            let marks = controlMarks(partialWord(at: offset))
            if marks == 0 {
                offset &+= 8
                continue
            }
            let found = offset &+ byteIndex(ofMark: marks)
            if found >= count { return count }
            if self[found] != UInt8(ascii: "\t") { return found }
            offset = found &+ 1
        }
        return count
    }

    /// `range` without the spaces and tabs around it (RFC 9110 §5.6.3, OWS).
    @inline(__always)
    func trimmed(from start: Int, to end: Int) -> ByteRange {
        var start = start
        var end = end
        while start < end, self[start].isBlank { start &+= 1 }
        while start < end, self[end &- 1].isBlank { end &-= 1 }
        return ByteRange(offset: start, count: end &- start)
    }

    /// Where `byte` stands first in `range`; the range's end when it is not there.
    func firstIndex(of byte: UInt8, in range: ByteRange) -> Int {
        var offset = range.offset
        while offset < range.end, self[offset] != byte { offset &+= 1 }
        return offset
    }

    /// Whether `range` is not empty and of `set` alone.
    func isMade(of set: ByteSet, _ range: ByteRange) -> Bool {
        for offset in range.offset..<range.end where !set.contains(self[offset]) { return false }
        return !range.isEmpty
    }
}

extension UInt8 {
    /// Whether the byte is a space or a tab.
    @inline(__always)
    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    /// Whether the byte is an ASCII digit.
    @inline(__always)
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    /// The value of a hexadecimal digit; nil for any other byte.
    @inline(__always)
    var hexValue: UInt8? {
        if isDigit { return self &- UInt8(ascii: "0") }
        let letter = (self | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }
}
