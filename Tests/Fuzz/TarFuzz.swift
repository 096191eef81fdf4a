// Archives from outside: what is read is the same however it is cut, and no more than there is.

import Bytes
import Tar

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTar(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start = unsafe start, count > 0 else { return 0 }
    let input = unsafe Span(_unsafeStart: start, count: count)
    // The first byte decides the sizes of the pieces; the rest is the archive, its first checksum made right.
    var archive = ByteBuffer(copying: input.extracting(1...))
    if archive.count >= 512 { correctChecksum(&archive) }
    let whole = outcome(archive.span, pieceCount: count)
    let parts = outcome(archive.span, pieceCount: Int(input[0]) % 100 + 1)
    require(whole == parts, "what is read depends on how the archive is cut")
    require(whole.byteCount <= count, "more than there is")
    return 0
}

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

func correctChecksum(_ archive: inout ByteBuffer) {
    for offset in 148..<156 { archive[offset] = UInt8(ascii: " ") }
    var sum = 0
    for offset in 0..<512 { sum += Int(archive[offset]) }
    for offset in (148..<154).reversed() {
        archive[offset] = UInt8(ascii: "0") + UInt8(sum & 7)
        sum >>= 3
    }
}

struct Outcome: Equatable {
    var entries: [TarEntry] = []
    var byteCount = 0
    var sum: UInt64 = 0
    var error: TarError?
    var isWhole = false
}

func outcome(_ archive: Span<UInt8>, pieceCount: Int) -> Outcome {
    var outcome = Outcome()
    var reader = TarReader()
    var offset = 0
    var end = 0
    do throws(TarError) {
        while true {
            switch try reader.next(archive.extracting(first: end), from: offset) {
            case .entry(let entry, let consumed):
                outcome.entries.append(entry)
                offset = consumed
            case .data(let range):
                require(range.offset == offset && range.count > 0, "data out of place")
                outcome.byteCount += range.count
                for index in range.offset..<range.end {
                    outcome.sum = outcome.sum &* 31 &+ UInt64(archive[index])
                }
                offset = range.end
            case .needMore(let consumed):
                require(consumed >= offset && consumed <= end, "consumed what is not there")
                offset = consumed
                if end == archive.count { return outcome }
                end = min(archive.count, end + pieceCount)
            case .end:
                outcome.isWhole = true
                return outcome
            }
        }
    } catch { outcome.error = error }
    return outcome
}
