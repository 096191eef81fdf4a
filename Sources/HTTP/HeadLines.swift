// The lines of a head, found as the bytes drip in.

import Bytes

/// Finds the lines of a head one after the other and remembers how far it has looked.
///
/// A line ends in CRLF and nothing else; a CR or LF elsewhere, or any control character but the
/// tab, is refused where it stands. What is decided about a prefix of the bytes never changes when
/// more arrive, which is why the way the bytes were split cannot matter.
///
/// - Complexity: Each byte is looked at once, eight at a time, however many calls it takes.
struct HeadLines: Sendable {
    /// Where the line that is being read starts.
    private(set) var lineStart = 0

    /// Every byte before this one is known to belong to the line.
    private var scanned = 0

    /// The next whole line without its CRLF; nil when more bytes are needed.
    ///
    /// - Parameters:
    ///   - lineByteCountMax: The longest line without its CRLF.
    ///   - tooLong: What to refuse a longer one with.
    ///   - headByteCountMax: The longest head, CRLFs included.
    @inline(__always)
    mutating func next(
        in bytes: Span<UInt8>, lineByteCountMax: Int, tooLong: HTTPRefusal, headByteCountMax: Int
    ) throws(HTTPRefusal) -> ByteRange? {
        let end = bytes.firstControl(from: scanned)
        // The line reaches at least to `end`, and its CRLF takes two bytes more.
        let lineEndMax = lineStart &+ lineByteCountMax
        if end > min(lineEndMax, headByteCountMax &- 2) {
            throw lineEndMax <= headByteCountMax &- 2 ? tooLong : .headTooLarge
        }
        scanned = end
        guard end &+ 1 < bytes.count else {
            if end < bytes.count, bytes[end] != UInt8(ascii: "\r") {
                throw Self.refusal(of: bytes[end])
            }
            return nil
        }
        guard bytes[end] == UInt8(ascii: "\r"), bytes[end &+ 1] == UInt8(ascii: "\n") else {
            throw Self.refusal(of: bytes[end])
        }
        let line = ByteRange(offset: lineStart, count: end &- lineStart)
        lineStart = end &+ 2
        scanned = lineStart
        return line
    }

    @inline(never)
    private static func refusal(of byte: UInt8) -> HTTPRefusal {
        switch byte {
        case UInt8(ascii: "\r"): .bareCarriageReturn
        case UInt8(ascii: "\n"): .bareLineFeed
        default: .controlCharacter
        }
    }
}
