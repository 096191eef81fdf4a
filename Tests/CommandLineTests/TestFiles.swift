import Bytes
import Foundation
import Zstd

@testable import holdfast

/// A folder that goes away with the value.
final class TestFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "holdfast-test-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file.
    ///
    /// - Returns: Its path.
    func file(_ name: String, _ text: String, isCompressed: Bool = false) throws -> String {
        let path = "\(path)/\(name)"
        var bytes = Array(text.utf8)
        if isCompressed {
            let frame = try zstdCompressed(bytes.span)
            bytes = frame.span.array
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// Takes the last bytes off a file.
    func cutShort(_ name: String, by byteCount: Int) throws {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try Data(contentsOf: url).dropLast(byteCount).write(to: url)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
    }
}

/// A generator that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// What a piece holds, as plain values.
struct PlainPiece: Equatable {
    var text: String
    var number: Int
    var firstLine: Int
    var lineCount: Int
    var headerLineCount: Int
}

/// All pieces of a file.
func pieces(_ path: String, byteCount: Int) throws -> [PlainPiece] {
    var cutter = try PieceCutter.open(path, pieceByteCount: byteCount)
    var found: [PlainPiece] = []
    var piece = Piece()
    while try cutter.next(into: &piece) {
        found.append(
            PlainPiece(
                text: piece.bytes.span.text, number: piece.number, firstLine: piece.firstLine,
                lineCount: piece.lineCount, headerLineCount: piece.headerLineCount))
    }
    return found
}

/// A piece of `text` whose first `headerLineCount` lines are the header of a file.
func piece(_ text: String, headerLineCount: Int = 1, firstLine: Int = 2) -> Piece {
    var piece = Piece()
    piece.bytes.append(text)
    piece.headerLineCount = headerLineCount
    piece.firstLine = firstLine
    return piece
}
