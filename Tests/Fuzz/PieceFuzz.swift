// Files that are imported in pieces: whatever is in them, every byte is in one piece, and every
// line keeps its number.
//
// with: Sources/holdfast/Import/ImportSource.swift
// with: Sources/holdfast/Import/PieceCutter.swift
// with: Sources/holdfast/Import/RowEnds.swift
// with: Sources/holdfast/CommandLine/ByteBuffer+Others.swift
// with: Sources/holdfast/CommandLine/CommandError.swift

import Bytes
import CSV
import Glibc
import Zstd

@_cdecl("LLVMFuzzerTestOneInput")
func fuzzPieces(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start = unsafe start, count > 0 else { return 0 }
    let input = unsafe Span(_unsafeStart: start, count: count)
    // The first byte decides how long a piece is, and whether the file is compressed.
    let pieceByteCount = Int(input[0] >> 1) + 1
    var text = ByteBuffer()
    text.append(input.extracting(1...))
    if input[0] & 1 == 0 {
        check(text, stored: text, pieceByteCount)
    } else if let stored = try? zstdCompressed(text.span, level: 1) {
        check(text, stored: stored, pieceByteCount)
    }
    return 0
}

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

/// Cuts a file that is `stored` so into pieces, and puts them together again.
func check(
    _ text: borrowing ByteBuffer, stored: borrowing ByteBuffer, _ pieceByteCount: Int
) {
    guard let file = unsafe tmpfile() else { fatalError("there is no place for a file") }
    defer { unsafe fclose(file) }
    let number = unsafe fileno(file)
    let written = unsafe stored.span.withUnsafeBytes { bytes in
        unsafe write(number, bytes.baseAddress, bytes.count)
    }
    require(written == stored.count, "the file cannot be written")
    var joined = ByteBuffer()
    var shape = RowShape.lines
    do throws(CommandError) {
        var cutter = try PieceCutter.open("/dev/fd/\(number)", pieceByteCount: pieceByteCount)
        shape = cutter.shape
        try join(&cutter, &joined, of: text.span)
    } catch {
        return  // A refusal, in words.
    }
    // A header that does not end gets a line feed.
    if shape == .csv, !text.span.endsWith(joined.span), !joined.isEmpty { joined.removeLast(1) }
    require(text.span.endsWith(joined.span), "bytes are lost, made or changed")
    let lead = text.span.extracting(first: text.count - joined.count)
    require(shape == .csv ? lead.isEmptyLines : lead.isMark, "bytes are lost in front")
}

func join(
    _ cutter: inout PieceCutter, _ joined: inout ByteBuffer, of text: Span<UInt8>
) throws(CommandError) {
    var piece = Piece()
    var number = 0
    var line = 0
    while try cutter.next(into: &piece) {
        require(piece.number == number, "pieces are not numbered through")
        require(number == 0 || piece.firstLine == line, "lines are not numbered through")
        let bytes = piece.bytes.span
        let headerByteCount = bytes.byteCount(ofLines: piece.headerLineCount)
        joined.append(bytes.extracting((number == 0 ? 0 : headerByteCount)...))
        let rows = LineCensus(bytes.extracting(headerByteCount...))
        require(piece.lineCount == rows.lineFeedCount, "lines are counted otherwise")
        line = piece.firstLine + piece.lineCount
        number += 1
        require(number <= text.count + 1, "there is no end of pieces")
    }
}

extension Span<UInt8> {
    /// Bytes of the first `count` lines.
    func byteCount(ofLines count: Int) -> Int {
        var offset = 0
        for _ in 0..<count {
            while self[offset] != 0x0A { offset += 1 }
            offset += 1
        }
        return offset
    }

    func endsWith(_ other: Span<UInt8>) -> Bool {
        count >= other.count && extracting((count - other.count)...).equals(other)
    }

    /// Whether there is nothing, or the mark of UTF-8.
    var isMark: Bool { isEmpty || count == 3 && self[0] == 0xEF }

    /// Whether there is nothing but empty lines, behind the mark of UTF-8 or not.
    var isEmptyLines: Bool {
        let lines = count >= 3 && self[0] == 0xEF ? extracting(3...) : self
        for offset in 0..<lines.count
        where lines[offset] != 0x0A && lines[offset] != 0x0D {
            return false
        }
        return true
    }
}
