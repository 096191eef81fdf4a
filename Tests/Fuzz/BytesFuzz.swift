// Text that callers send: instants, UTF-8.
//
// - An instant that is read can be written, and what is written names it.
// - Text is well-formed exactly where Swift's own decoder says so.

import Bytes

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBytes(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start = unsafe start else { return 0 }
    let input = unsafe Span(_unsafeStart: start, count: count)
    if let instant = input.rfc3339Milliseconds() {
        var written = ByteBuffer()
        written.append(rfc3339: instant)
        require(written.span.rfc3339Milliseconds() == instant, "an instant is written as another")
    }
    let isText = input.firstInvalidUTF8() == nil
    let bytes = (0..<count).map { input[$0] }
    require(isText == (String(validating: bytes, as: UTF8.self) != nil), "UTF-8 judged otherwise")
    return 0
}

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}
