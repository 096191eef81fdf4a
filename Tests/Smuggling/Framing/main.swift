// Reads batches of streams from standard input and says how each one is framed.
//
//     batch    byte count of what follows (4 bytes, little-endian), then streams
//     stream   byte count (4 bytes, little-endian), then the bytes
//
// A batch is read whole before its lines are written, so a caller may write first, then read.

import Bytes
import Foundation

func number(_ bytes: Span<UInt8>, at offset: Int) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << ($1 * 8) }
}

/// The next `count` bytes of the input; nil at its end.
func read(_ count: Int) throws -> [UInt8]? {
    guard let data = try FileHandle.standardInput.read(upToCount: count) else { return nil }
    return data.count == count ? [UInt8](data) : nil
}

var framing = Framing()
while let size = try read(4), let batch = try read(number(size.span, at: 0)) {
    var offset = 0
    while offset < batch.count {
        let start = offset + 4
        let end = start + number(batch.span, at: offset)
        framing.read(batch.span.extracting(start..<end))
        offset = end
    }
    try FileHandle.standardOutput.write(contentsOf: framing.takeLines())
}
