// Facts of shards and of shared data, read from any bytes.
//
// - Nothing traps, and what does not decode has a place within the bytes.
// - Facts that were read are written and read again as the same bytes.
// - What names shared data is read or refused likewise.

import Bytes
import Domain
import Engine

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFacts(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = ByteBuffer(capacity: count)
    if let start = unsafe start {
        input.append(unsafe Span(_unsafeStart: start, count: count))
    }
    if let written = rewritten(input.span) {
        guard let again = rewritten(written.span), again.span.array == written.span.array else {
            fatalError("facts that were written are read as others")
        }
    }
    readShared(input.span)
    return 0
}

/// The facts of `payload`, written anew; nil where it is refused.
func rewritten(_ payload: Span<UInt8>) -> ByteBuffer? {
    var reader = FactReader(time: 0)
    var facts = Buffer<Fact>()
    var output = ByteBuffer()
    do throws(FactError) {
        while try reader.readCommand(payload, into: &facts) {
            FactFormat.append(facts, payload, to: &output)
            facts.removeAll()
        }
    } catch {
        check(error, payload.count)
        return nil
    }
    return output
}

func readShared(_ payload: Span<UInt8>) {
    var reader = MasterFactReader()
    do throws(FactError) {
        while try reader.next(payload) != nil {}
    } catch { check(error, payload.count) }
}

func check(_ error: FactError, _ count: Int) {
    if error.offset < 0 || error.offset > count { fatalError("a place that is none") }
}
