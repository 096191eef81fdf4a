// The JSON reader, scanners and writer against each other, on any bytes.
//
// - Skipping a document and walking it give the same verdict.
// - What the reader accepts, the value scanner ends at the same byte, fed in any pieces; where the
//   scanner says that a value cannot be there, the reader refuses it.
// - The elements that the element scanner cuts out of an accepted array are values one by one.
// - Whatever bytes are written as a string read back, unchanged where they are UTF-8.

import Bytes
import JSON

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSON(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = ByteBuffer(capacity: count)
    if let start = unsafe start {
        input.append(unsafe Span(_unsafeStart: start, count: count))
    }
    // The first byte decides the sizes of the pieces; the rest is the document.
    let pieces = count > 0 ? Int(input[0]) : 0
    input.removeFirst(min(1, count))
    checkDocument(input.span, pieces)
    checkLines(input.span, pieces)
    checkWriter(input.span)
    return 0
}

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

/// What came of reading a whole document: where its value ended, and the error if there was one.
struct Verdict: Equatable {
    var valueEnd = 0
    var error: JSONError?
}

func verdict(
    _ bytes: Span<UInt8>, _ read: (inout JSONReader) throws(JSONError) -> Void
) -> Verdict {
    var reader = JSONReader()
    var verdict = Verdict()
    do throws(JSONError) {
        try read(&reader)
        verdict.valueEnd = reader.offset
        require(reader.depth == 0, "a container stayed open")
        try reader.end(bytes)
    } catch {
        require(error.offset >= 0 && error.offset <= bytes.count, "an error out of bounds")
        verdict.error = error
    }
    return verdict
}

func checkDocument(_ bytes: Span<UInt8>, _ pieces: Int) {
    let skipped = verdict(bytes) { reader throws(JSONError) in try reader.skipValue(bytes) }
    let walked = verdict(bytes) { reader throws(JSONError) in try walk(&reader, bytes) }
    require(skipped == walked, "skipping and walking disagree")

    let hasValue = skipped.error == nil || skipped.error?.code == .trailingBytes
    switch scan(bytes, pieces) {
    case .complete(let end):
        // What clings to a number or word, as in `12x`, counts to it for the scanner.
        require(skipped.error != nil || end == skipped.valueEnd, "the ends differ")
        require(!hasValue || end >= skipped.valueEnd, "the scanner ends too early")
    case .refused: require(!hasValue, "a value was refused by the scanner")
    case .needMore: fatalError("the scanner waits for bytes that will not come")
    }
    if skipped.error == nil { checkElements(bytes, pieces) }
}

/// Reads the value that comes next, each kind by its own call.
func walk(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(JSONError) {
    switch try reader.peek(bytes) {
    case .object:
        var seen = JSONSeenKeys()
        try reader.beginObject(bytes)
        while true {
            if reader.takeKey(bytes, "a") {
                try walk(&reader, bytes)
                continue
            }
            guard let key = try reader.nextKey(bytes) else { return }
            checkString(key, bytes)
            do throws(JSONError) {
                try seen.insert(key, in: bytes)
            } catch {
                require(error.code == .duplicateKey || error.code == .tooManyKeys, "a wrong code")
            }
            try walk(&reader, bytes)
        }
    case .array:
        try reader.beginArray(bytes)
        while try reader.nextElement(bytes) { try walk(&reader, bytes) }
    case .string: checkString(try reader.string(bytes), bytes)
    case .number:
        checkNumber(reader, bytes)
        try reader.skipValue(bytes)
    case .true: require(try reader.boolean(bytes), "true is not true")
    case .false: require(try !reader.boolean(bytes), "false is not false")
    case .null: try reader.null(bytes)
    }
}

/// What reads as an integer or as hundredths also passes as a number, and ends at the same byte.
func checkNumber(_ reader: JSONReader, _ bytes: Span<UInt8>) {
    var skipping = reader
    var integers = reader
    var hundredths = reader
    guard let value = try? integers.integer(bytes) else { return }
    guard (try? skipping.skipValue(bytes)) != nil else { fatalError("an integer is no number") }
    require(skipping.offset == integers.offset, "an integer ends elsewhere")
    let scaled = try? hundredths.fixedPoint(bytes, places: 2)
    require(scaled == nil || scaled == value &* 100, "hundredths differ")
    var written = ByteBuffer()
    written.append(decimal: value)
    require(
        bytes.part(ByteRange(from: reader.offset, to: integers.offset)).equals(written.span),
        "an integer has two spellings")
}

func checkString(_ string: JSONString, _ bytes: Span<UInt8>) {
    var decoded = ByteBuffer()
    decoded.append(unescaped: string, from: bytes)
    require(decoded.span.firstInvalidUTF8() == nil, "a string is no UTF-8")
    require(string.hasEscapes || decoded.count == string.range.count, "a plain string changed")
}

/// Feeds the value scanner in pieces.
func scan(_ bytes: Span<UInt8>, _ pieces: Int) -> JSONValueScanner.Step {
    var scanner = JSONValueScanner()
    var end = 0
    var size = pieces
    while end < bytes.count {
        size = (size * 5 + 1) % 17 + 1
        end = min(end + size, bytes.count)
        let step = scanner.scan(bytes.extracting(0..<end), isFinal: false)
        if step != .needMore { return step }
    }
    return scanner.scan(bytes, isFinal: true)
}

/// Cuts an accepted array into elements from a buffer that drops what it may.
func checkElements(_ bytes: Span<UInt8>, _ pieces: Int) {
    var reader = JSONReader()
    guard (try? reader.peek(bytes)) == .array else { return }
    var expected = 0
    do throws(JSONError) {
        try reader.beginArray(bytes)
        while try reader.nextElement(bytes) {
            try reader.skipValue(bytes)
            expected += 1
        }
    } catch {
        fatalError("an accepted array was refused")
    }
    var found = 0
    stream(JSONElementScanner(), bytes, pieces) {
        var element = JSONReader(depthMax: 15)
        guard (try? element.skipValue($0)) != nil, (try? element.end($0)) != nil else {
            fatalError("an element is no value")
        }
        found += 1
    }
    require(found == expected, "elements were lost")
}

/// Cuts any bytes into lines, whole and in pieces.
func checkLines(_ bytes: Span<UInt8>, _ pieces: Int) {
    var whole = ByteBuffer()
    stream(JSONLineScanner(byteCountMax: 64), bytes, nil) {
        whole.append($0)
        whole.append(UInt8(ascii: "\n"))
    }
    var parts = ByteBuffer()
    stream(JSONLineScanner(byteCountMax: 64), bytes, pieces) {
        parts.append($0)
        parts.append(UInt8(ascii: "\n"))
    }
    require(whole.span.equals(parts.span), "lines depend on how they are cut")
}

protocol StreamScanner {
    mutating func next(_ bytes: Span<UInt8>, isFinal: Bool) -> JSONStreamStep
    mutating func dropped(_ byteCount: Int)
}

extension JSONElementScanner: StreamScanner {}
extension JSONLineScanner: StreamScanner {}

/// Feeds a stream scanner from a buffer that drops what it may, in pieces or whole.
func stream(
    _ scanner: some StreamScanner, _ bytes: Span<UInt8>, _ pieces: Int?,
    _ found: (Span<UInt8>) -> Void
) {
    var scanner = scanner
    var buffer = ByteBuffer()
    var fed = 0
    var size = pieces ?? 0
    while true {
        switch scanner.next(buffer.span, isFinal: fed == bytes.count) {
        case .element(let range): found(buffer.span.part(range))
        case .end: return
        case .refused(let error): require(error.code == .valueTooLong, "a stream was refused")
        case .needMore(let consumed):
            buffer.removeFirst(consumed)
            scanner.dropped(consumed)
            size = pieces == nil ? bytes.count : (size * 5 + 1) % 17 + 1
            let end = min(fed + size, bytes.count)
            buffer.append(bytes.extracting(fed..<end))
            fed = end
        }
    }
}

func checkWriter(_ bytes: Span<UInt8>) {
    var written = ByteBuffer()
    written.append(jsonString: bytes)
    var reader = JSONReader()
    guard let string = try? reader.string(written.span), (try? reader.end(written.span)) != nil
    else {
        fatalError("what was written is no string")
    }
    var decoded = ByteBuffer()
    decoded.append(unescaped: string, from: written.span)
    if bytes.firstInvalidUTF8() == nil {
        require(decoded.span.equals(bytes), "what was written reads otherwise")
    }
}
