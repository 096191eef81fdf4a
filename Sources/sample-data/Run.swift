// From arguments to files.

import Bytes
import Foundation
import SampleData
import Zstd

/// How hard the large files are compressed: half a minute more would save a sixth of their size.
private let level = 12

/// Uncompressed bytes held at once, about.
private let pieceByteCount = 4 << 20

/// Does what `words` ask for, and says so.
///
/// - Returns: The exit status: 0 done, 2 wrong usage, 3 failed.
func run(_ words: [String]) -> Int32 {
    if words.contains("--help") || words.contains("-h") {
        say(Arguments.usage, to: .standardOutput)
        return 0
    }
    do {
        let arguments = try Arguments(words)
        try write(SampleRetailer(arguments.options), to: URL(fileURLWithPath: arguments.directory))
        return 0
    } catch let mistake as Arguments.Mistake {
        say("sample-data: \(mistake.message)\n\(Arguments.usage)", to: .standardError)
        return 2
    } catch let error as ZstdError {
        say("sample-data: \(error.code)\n", to: .standardError)
        return 3
    } catch {
        say("sample-data: \(error.localizedDescription)\n", to: .standardError)
        return 3
    }
}

private func say(_ text: String, to handle: FileHandle) {
    // Where nobody listens there is nobody to tell.
    try? handle.write(contentsOf: Data(text.utf8))
}

/// Writes every file of `retailer`, each whole or not at all.
private func write(_ retailer: SampleRetailer, to directory: URL) throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    for file in SampleFile.allCases {
        let name = file.isCompressed ? "\(file.rawValue).zst" : file.rawValue
        let bytes = try contents(of: file, retailer)
        let data = unsafe bytes.span.withUnsafeBufferPointer { unsafe Data(buffer: $0) }
        try data.write(to: directory.appendingPathComponent(name), options: .atomic)
        say("\(name): \(data.count) bytes\n", to: .standardOutput)
    }
}

/// The bytes of `file` as they are kept.
private func contents(
    of file: SampleFile, _ retailer: SampleRetailer
) throws(ZstdError) -> ByteBuffer {
    var output = ByteBuffer()
    guard file.isCompressed else {
        retailer.append(file, to: &output)
        return output
    }
    var writer = try ZstdWriter(level: level)
    var piece = ByteBuffer(capacity: pieceByteCount * 2)
    if file == .stock {
        piece.append(SampleRetailer.stockHeader)
        for first in stride(from: 0, to: retailer.items.count, by: 100) {
            let items = first..<min(first + 100, retailer.items.count)
            retailer.appendStock(ofItems: items, to: &piece)
            try compressIfFull(&piece, &writer, &output)
        }
    } else {
        for event in SampleDay(retailer).events {
            retailer.append(event, to: &piece)
            try compressIfFull(&piece, &writer, &output)
        }
    }
    try writer.write(piece.span, into: &output)
    try writer.finish(into: &output)
    return output
}

private func compressIfFull(
    _ piece: inout ByteBuffer, _ writer: inout ZstdWriter, _ output: inout ByteBuffer
) throws(ZstdError) {
    guard piece.count >= pieceByteCount else { return }
    try writer.write(piece.span, into: &output)
    piece.removeAll()
}
