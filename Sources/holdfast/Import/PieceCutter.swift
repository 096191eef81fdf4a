// A file in pieces that can be sent one by one: each ends where a row ends, and each piece of a CSV
// begins with the file's header.
//
//     file     header row row row row row row …
//     pieces   header row row │ header row row │ header row …

import Bytes
import CSV

/// How a file is written.
enum RowShape: Sendable {
    case csv

    /// One JSON object a line.
    case lines
}

/// One piece of a file. Its memory is kept from piece to piece.
struct Piece: ~Copyable, @unchecked Sendable {
    // Safe to send: it alone owns its bytes.

    /// What is sent.
    var bytes = ByteBuffer()

    /// Which piece of the file it is, from 0.
    var number = 0

    /// The line of the file that its first row begins on, from 1.
    var firstLine = 1

    /// Lines of the file in it.
    var lineCount = 0

    /// Lines of `bytes` before the first row.
    var headerLineCount = 0

    /// The line of the file that line `line` of `bytes`, both counted from 1, comes from.
    func fileLine(_ line: Int) -> Int { firstLine + line - 1 - headerLineCount }
}

/// Cuts a file into pieces. It never looks into rows, but for quotes.
struct PieceCutter: ~Copyable, @unchecked Sendable {
    // Safe to send: it alone owns its buffers, descriptor and decompressor.

    let shape: RowShape
    var path: String { source.path }

    private var source: ImportSource
    private let pieceByteCount: Int
    private var header = ByteBuffer()
    private var headerLineCount = 0

    /// Text that was read and belongs to the next pieces.
    private var carry = ByteBuffer()
    private var spare = ByteBuffer()
    private var nextLine = 1
    private var nextNumber = 0
    private var isAtEnd = false

    /// How long a single row may be.
    static let rowByteCountMax = 16 << 20

    private init(
        _ source: consuming ImportSource, shape: RowShape, carry: consuming ByteBuffer,
        pieceByteCount: Int
    ) {
        self.source = source
        self.shape = shape
        self.carry = carry
        self.pieceByteCount = pieceByteCount
    }

    /// Opens a file and finds out how it is written.
    static func open(_ path: String, pieceByteCount: Int) throws(CommandError) -> PieceCutter {
        precondition(pieceByteCount > 0)
        var source = try ImportSource.open(path)
        var start = ByteBuffer()
        while start.count < CSVReader.rowByteCountMax {
            let room = CSVReader.rowByteCountMax - start.count
            if try source.read(into: &start, room: room) == 0 { break }
        }
        if start.span.holds("\u{FEFF}", at: 0) { start.removeFirst(3) }
        var shape = RowShape.csv
        for offset in 0..<start.count {
            switch start[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "["):
                throw .failed("\(path) is a JSON array: write one object a line instead")
            case UInt8(ascii: "{"): shape = .lines
            default: break
            }
            break
        }
        var cutter = PieceCutter(
            source, shape: shape, carry: start, pieceByteCount: pieceByteCount)
        if shape == .csv { try cutter.takeHeader() }
        return cutter
    }

    /// Moves the header, and empty lines before it, out of what was read.
    private mutating func takeHeader() throws(CommandError) {
        var skipped = 0
        while let length = carry.span.from(skipped).emptyLineByteCount {
            skipped += length
            nextLine += 1
        }
        carry.removeFirst(skipped)
        if carry.isEmpty { return }
        if let end = carry.span.endOfHeader {
            header.append(ByteRange(offset: 0, count: end), of: carry)
            carry.removeFirst(end)
        } else {
            guard carry.count < CSVReader.rowByteCountMax / 2 else {
                throw .failed("\(path):\(nextLine): the header does not end")
            }
            header.append(contentsOf: carry)
            header.append(0x0A)
            carry.removeAll()
        }
        headerLineCount = LineCensus(header.span).lineFeedCount
        nextLine += headerLineCount
    }

    /// How much of the stored file was read, from 0 to 1; nil where its size is not known.
    var progress: Double? {
        guard let byteCount = source.byteCount, byteCount > 0 else { return nil }
        return Double(source.readByteCount) / Double(byteCount)
    }

    /// Puts the next piece into `piece`.
    ///
    /// A file without rows has one piece if it has a header, so that the header is judged too.
    ///
    /// - Returns: false when there is none left.
    mutating func next(into piece: inout Piece) throws(CommandError) -> Bool {
        piece.bytes.removeAll()
        if isAtEnd && carry.isEmpty { return false }
        piece.bytes.append(header.span)
        let start = piece.bytes.count
        let (end, lineCount) = try fill(&piece.bytes, from: start)
        if end == start, nextNumber > 0 || start == 0 { return false }
        putBack(piece.bytes.span.from(end))
        piece.bytes.removeLast(piece.bytes.count - end)
        piece.number = nextNumber
        piece.firstLine = nextLine
        piece.lineCount = lineCount
        piece.headerLineCount = headerLineCount
        nextNumber += 1
        nextLine += lineCount
        return true
    }

    /// Appends the next text; 0 at the end.
    private mutating func read(
        into bytes: inout ByteBuffer, room: Int
    ) throws(CommandError) -> Int {
        if carry.isEmpty { return try source.read(into: &bytes, room: room) }
        let count = min(room, carry.count)
        bytes.append(ByteRange(offset: 0, count: count), of: carry)
        carry.removeFirst(count)
        return count
    }

    /// Gives text back that was read too far; it is read next.
    private mutating func putBack(_ text: Span<UInt8>) {
        spare.removeAll()
        spare.append(text)
        spare.append(contentsOf: carry)
        swap(&spare, &carry)
    }

    /// Reads on until there is a whole row, or no more text.
    ///
    /// - Returns: Where the last whole row ends, and how many lines there are up to it.
    private mutating func fill(
        _ bytes: inout ByteBuffer, from start: Int
    ) throws(CommandError) -> (end: Int, lineCount: Int) {
        var limit = start + pieceByteCount
        while true {
            while !isAtEnd, bytes.count < limit {
                isAtEnd = try read(into: &bytes, room: limit - bytes.count) == 0
            }
            let rows = bytes.span.from(start)
            let census = LineCensus(rows)
            if isAtEnd { return (bytes.count, census.lineFeedCount) }
            let end =
                shape == .csv && census.hasQuotes ? rows.endOfLastRow : rows.endOfLastLine
            if end > 0 {
                let behind = LineCensus(rows.from(end)).lineFeedCount
                return (start + end, census.lineFeedCount - behind)
            }
            guard limit - start < Self.rowByteCountMax else {
                throw .failed("\(path):\(nextLine): the line has more than 16 MiB")
            }
            limit = start + (limit - start) * 2
        }
    }
}

extension Span<UInt8> {
    /// Bytes of the empty line that the span begins with; nil when it begins otherwise.
    fileprivate var emptyLineByteCount: Int? {
        if holds("\n", at: 0) { return 1 }
        return holds("\r\n", at: 0) ? 2 : nil
    }
}
