// Streams of zstd frames from outside: what is read whole gives the same text in pieces, and a step
// gives no more than it was asked for.

import Bytes
import Zstd

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzZstd(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start = unsafe start, count > 0 else { return 0 }
    let input = unsafe Span(_unsafeStart: start, count: count)
    // The first byte decides the sizes of the pieces; the rest is the stream.
    let pieces = Int(input[0])
    let stream = input.extracting(1...)
    let whole = outcome(stream, pieceCount: count, limit: textByteCountMax)
    let parts = outcome(stream, pieceCount: pieces % 7 + 1, limit: pieces + 1)
    // Not the other way round: in one piece libzstd also compares the length that a frame announces
    // with that of its text when the last block is empty.
    require(whole.error != nil || parts.error == nil, "refused in pieces alone")
    if whole.error == nil {
        require(whole.text.span.equals(parts.text.span), "text depends on how the stream is cut")
    }
    return 0
}

/// More than this is not read.
let textByteCountMax = 1 << 20

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

struct Outcome: ~Copyable {
    var text = ByteBuffer()
    var error: ZstdError?
}

/// Reads `stream` in pieces of `pieceCount` bytes, `limit` bytes of text at a time.
func outcome(_ stream: Span<UInt8>, pieceCount: Int, limit: Int) -> Outcome {
    var outcome = Outcome()
    do throws(ZstdError) {
        var reader = try ZstdReader()
        var offset = 0
        while offset < stream.count || !reader.needsInput {
            let before = outcome.text.count
            let end = min(offset + pieceCount, stream.count)
            offset += try reader.read(
                stream.extracting(offset..<end), into: &outcome.text, limit: limit)
            require(outcome.text.count - before <= limit, "more than was asked for")
            if outcome.text.count >= textByteCountMax { return Outcome() }
        }
        try reader.finish()
    } catch {
        outcome.error = error
    }
    return outcome
}
