// The CSV reader on any bytes: whole and in pieces it finds the same rows, refusals and lines; the
// buffer stays small; what it read, written and read again, is the same.

import Bytes
import CSV

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCSV(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = ByteBuffer(capacity: count)
    if let start = unsafe start {
        input.append(unsafe Span(_unsafeStart: start, count: count))
    }
    // The first byte decides the sizes of the pieces; the rest is the file.
    let pieces = count > 0 ? Int(input[0]) : 0
    input.removeFirst(min(1, count))

    let whole = record(input.span, nil)
    let parts = record(input.span, pieces)
    require(whole.journal.span.equals(parts.journal.span), "rows depend on how they are cut")
    let again = record(whole.rewritten.span, nil)
    require(whole.rewritten.span.equals(again.rewritten.span), "rows changed when written again")
    require(again.refusals == 0, "a written row was refused")
    return 0
}

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

struct Record: ~Copyable {
    var journal = ByteBuffer()  // Everything that happened, to compare.
    var rewritten = ByteBuffer()  // The accepted rows as CSV.
    var refusals = 0
}

/// Reads `bytes` in pieces, or whole.
func record(_ bytes: Span<UInt8>, _ pieces: Int?) -> Record {
    var record = Record()
    var reader = CSVReader()
    var buffer = ByteBuffer()
    var fed = 0
    var size = pieces ?? 0
    while true {
        switch reader.nextRow(buffer.span, isFinal: fed == bytes.count) {
        case .row: note(reader, buffer.span, &record)
        case .refused(let refusal):
            record.refusals += 1
            record.journal.append(refusal.code.name)
            record.journal.append(decimal: refusal.line)
            record.journal.append(UInt8(ascii: ","))
            record.journal.append(decimal: refusal.index)
            record.journal.append(UInt8(ascii: "\n"))
        case .end: return record
        case .needMore(let consumed):
            buffer.removeFirst(consumed)
            reader.dropped(consumed)
            require(buffer.count < CSVReader.rowByteCountMax, "the buffer grows")
            size = pieces == nil ? bytes.count : (size * 5 + 1) % 17 + 1
            let end = min(fed + size, bytes.count)
            buffer.append(bytes.extracting(fed..<end))
            fed = end
        }
    }
}

func note(_ reader: borrowing CSVReader, _ bytes: Span<UInt8>, _ record: inout Record) {
    record.journal.append(decimal: reader.rowLine)
    for index in 0..<reader.fieldCount {
        if index > 0 { record.rewritten.append(UInt8(ascii: ",")) }
        var field = ByteBuffer()
        field.append(unquoted: reader.field(index), from: bytes)
        require(field.span.firstInvalidUTF8() == nil, "a field is no UTF-8")
        record.journal.append(decimal: field.count)
        record.journal.append(UInt8(ascii: ":"))
        record.journal.append(field.span)
        if reader.fieldCount == 1 && field.isEmpty {
            record.rewritten.append("\"\"" as StaticString)
        } else {
            record.rewritten.append(csvField: field.span)
        }
    }
    record.journal.append(UInt8(ascii: "\n"))
    record.rewritten.append(UInt8(ascii: "\n"))
}
