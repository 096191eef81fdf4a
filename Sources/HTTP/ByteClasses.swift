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

/// Turns the upper-case letters of a word into lower case. Of all other bytes, only a control
/// character turns into a letter, digit, hyphen, dot or colon by it.
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

/// All bits of the bytes below the lowest mark; of all bytes when there is no mark.
@inline(__always)
func lowBytes(upToMark marks: UInt64) -> UInt64 {
    // The lowest bit that is set is the top bit of its byte.
    ((marks & (0 &- marks)) &>> 7) &- 1
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

/// Marks the control characters, exactly: below space, and DEL.
@inline(__always)
private func controlMarks(_ word: UInt64) -> UInt64 {
    // One step up, modulo 128, they are the bytes up to 0x20; no sum leaves its byte.
    let next = ((word & ~topBits) &+ each(0x01)) & ~topBits
    return ((next &+ each(0x7F - 0x20)) | word) & topBits ^ topBits
}

/// Whether a word has a control character or a byte from 0x80; two sums instead of exact marks.
@inline(__always)
private func isUnusual(_ word: UInt64) -> Bool {
    // The first sum has a top bit for DEL and 0x80 ... 0xFE, the second for bytes below space and
    // from 0xA0. Carries only come out of such bytes.
    ((word &+ each(0x01)) | (word &- each(0x20))) & topBits != 0
}

/// Marks what ends or splits a request target: everything up to space, `#`, `?`, and bytes from
/// 0x80. DEL is not among them: no line has one.
@inline(__always)
func targetMarks(_ word: UInt64) -> UInt64 {
    ((word &- each(0x21)) & ~word | word) & topBits
        | marks(word, of: UInt8(ascii: "#")) | marks(word, of: UInt8(ascii: "?"))
}

/// Marks letters, digits and hyphens, exactly. `folded` has its case bits set and no top bits.
@inline(__always)
private func plainMarks(_ folded: UInt64) -> UInt64 {
    // No sum leaves its byte, as long as no byte has its top bit set.
    let letters = (folded &+ each(0x80 - 0x61)) & ~(folded &+ each(0x7F - 0x7A))
    let digits = (folded &+ each(0x80 - 0x30)) & ~(folded &+ each(0x7F - 0x39))
    let hyphens = ~((folded ^ each(0x2D)) &+ each(0x7F))
    return (letters | digits | hyphens) & topBits
}

/// Whether all eight bytes are letters, digits or hyphens. `folded` has its case bits set.
@inline(__always)
func isPlainName(_ folded: UInt64) -> Bool {
    folded & topBits == 0 && plainMarks(folded) == topBits
}

/// Whether all eight bytes are letters, digits, hyphens or dots. `folded` has its case bits set.
@inline(__always)
func isPlainHost(_ folded: UInt64) -> Bool {
    let dots = ~((folded ^ each(0x2E)) &+ each(0x7F)) & topBits
    return folded & topBits == 0 && plainMarks(folded) | dots == topBits
}

/// A set of ASCII bytes: bit `b` of `low` for byte `b`, bit `b − 64` of `high` above. Written as
/// numbers, the sets below are constants without a check for initialisation.
struct ByteSet: Sendable {
    fileprivate let low: UInt64
    fileprivate let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? low : high
        return byte < 128 && word &>> UInt64(byte & 63) & 1 != 0
    }

    /// RFC 9110 §5.6.2, what names, methods and codings are made of: letters, digits and
    /// ``!#$%&'*+-.^_`|~``.
    static let token = ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)

    /// RFC 3986 §2.3: letters, digits and `-._~`.
    static let unreserved = ByteSet(low: 0x03FF_6000_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
}

extension Span<UInt8> {
    /// Up to eight bytes at `offset`, zeros behind the end: `partialWord` with the common case
    /// inline and one check.
    ///
    /// - Precondition: `offset` is not negative. Offsets here start at 0 and only grow.
    @inline(__always)
    func nextWord(at offset: Int) -> UInt64 {
        assert(offset >= 0)
        guard offset &+ 8 <= count else { return lastWord(at: offset) }
        return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            .littleEndian
    }

    @inline(never)
    private func lastWord(at offset: Int) -> UInt64 { partialWord(at: offset) }

    /// Where the first control character other than a tab stands, from `start` on; `count` when
    /// there is none.
    ///
    /// - Precondition: `start` is not negative.
    @inline(__always)
    func firstControl(from start: Int) -> Int {
        assert(start >= 0)
        var offset = start
        let last = count &- 8
        while offset <= last {
            let word = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: offset, as: UInt64.self
            ).littleEndian
            if !isUnusual(word) {
                offset &+= 8
                continue
            }
            let marks = controlMarks(word)
            offset &+= byteIndex(ofMark: marks)
            if marks == 0 { continue }
            if unsafe self[unchecked: offset] != UInt8(ascii: "\t") { return offset }
            offset &+= 1
        }
        return offset < count ? firstControlAtEnd(from: offset) : count
    }

    /// The same for the last bytes, fewer than 8.
    @inline(never)
    private func firstControlAtEnd(from start: Int) -> Int {
        var offset = start
        while offset < count, !self[offset].isControl { offset &+= 1 }
        return offset
    }

    /// `start ..< end` without the spaces and tabs around it (RFC 9110 §5.6.3, OWS).
    @inline(__always)
    func trimmed(from start: Int, to end: Int) -> ByteRange {
        precondition(start >= 0 && end <= count)
        var start = start
        var end = end
        while start < end, unsafe self[unchecked: start].isBlank { start &+= 1 }
        while start < end, unsafe self[unchecked: end &- 1].isBlank { end &-= 1 }
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
    /// Whether the byte is a control character other than a tab.
    @inline(__always)
    var isControl: Bool { (self < 0x20 && self != UInt8(ascii: "\t")) || self == 0x7F }

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
