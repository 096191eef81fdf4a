// Fuzzes the HTTP codec: what it says must not depend on how the bytes were split.
//
// The first byte of an input chooses what reads the rest, the second seeds the splits:
//
//     0  RequestParser, RequestReader beside it, and the body behind each head, as a connection
//        would read them
//     1  ChunkedDecoder
//     2  ResponseParser
//     3  query, path, percent escapes and header values
//
// (modulo 4). Needs the modules Bytes and HTTP, and `-sanitize=fuzzer`.

import Bytes
import HTTP

@_cdecl("LLVMFuzzerTestOneInput")
func fuzzHTTP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let start = unsafe start, count >= 2 else { return 0 }
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let input = Array(bytes[2...])
    var splits = Splits(seed: bytes[1])
    switch bytes[0] % 4 {
    case 0: checkRequests(input, &splits)
    case 1: checkChunks(input, &splits)
    case 2: checkResponse(input, &splits)
    default: checkTarget(input)
    }
    return 0
}

/// The lengths of the pieces that an input arrives in.
struct Splits {
    private var state: UInt32

    init(seed: UInt8) { state = UInt32(seed) &* 2_654_435_761 &+ 1 }

    /// How many bytes arrive next, 1 ... 16; now and then many.
    mutating func next() -> Int {
        state = state &* 1_664_525 &+ 1_013_904_223
        let byte = Int(state >> 24)
        return byte < 16 ? 1000 : byte % 16 + 1
    }
}

/// Stops the fuzzer at an input that breaks `rule`.
func require(_ holds: Bool, _ rule: StaticString) {
    if !holds { fatalError("\(rule)") }
}

// MARK: Requests

/// One request of a connection: its head, its body, or why the connection ended.
enum Read: Equatable {
    case request(RequestHead, body: [UInt8])
    case refused(HTTPRefusal)
}

/// Reads requests as a connection does that gets the bytes in pieces.
func requests(in input: [UInt8], nextPiece: () -> Int) -> [Read] {
    var reads: [Read] = []
    var held: [UInt8] = []
    var arrived = 0
    var parser = RequestParser()
    var reader = RequestReader()
    var head: RequestHead?
    var body: [UInt8] = []
    var decoder = ChunkedDecoder(bodyByteCountMax: 1 << 20)
    while arrived < input.count {
        let end = min(arrived + max(1, nextPiece()), input.count)
        held += input[arrived..<end]
        arrived = end
        while true {
            do {
                if head == nil {
                    let found = parse(held, &parser)
                    require(
                        found == read(held, &reader), "heads read before do not change a head")
                    guard let parsed = try found.get() else { break }
                    checkRanges(of: parsed, in: held)
                    head = parsed
                    held.removeFirst(parsed.byteCount)
                }
                guard let current = head else { break }
                guard try readBody(of: current, &held, &body, &decoder) else { break }
                reads.append(.request(current, body: body))
                (head, body) = (nil, [])
                parser.reset()
                decoder.reset()
            } catch {
                return reads + [.refused(error)]
            }
        }
    }
    return reads
}

private func parse(
    _ bytes: [UInt8], _ parser: inout RequestParser
) -> Result<RequestHead?, HTTPRefusal> {
    do throws(HTTPRefusal) {
        return .success(try parser.parse(bytes.span))
    } catch {
        return .failure(error)
    }
}

private func read(
    _ bytes: [UInt8], _ reader: inout RequestReader
) -> Result<RequestHead?, HTTPRefusal> {
    do throws(HTTPRefusal) {
        return .success(try reader.read(bytes.span) ? reader.parser.head : nil)
    } catch {
        return .failure(error)
    }
}

/// Moves what there is of the body; true when it is whole.
func readBody(
    of head: RequestHead, _ held: inout [UInt8], _ body: inout [UInt8],
    _ decoder: inout ChunkedDecoder
) throws(HTTPRefusal) -> Bool {
    switch head.framing {
    case .none: return true
    case .length(let length):
        let count = min(length - body.count, held.count)
        body += held[..<count]
        held.removeFirst(count)
        return body.count == length
    case .chunked:
        var offset = 0
        while true {
            switch try decoder.next(held.span, from: offset) {
            case .data(let range):
                require(range.offset >= offset && range.count > 0, "data goes forward")
                body += held[range.offset..<range.end]
                offset = range.end
            case .needMore(let consumed):
                require(consumed == held.count, "all is consumed")
                held.removeAll()
                return false
            case .end(let consumed):
                require(body.count == decoder.bodyByteCount, "all data is handed out")
                held.removeFirst(consumed)
                return true
            }
        }
    }
}

/// Every range lies in the head and holds what it may.
func checkRanges(of head: RequestHead, in bytes: [UInt8]) {
    require(head.byteCount <= bytes.count, "the head lies in the bytes")
    require(
        bytes[..<head.byteCount].suffix(4) == [13, 10, 13, 10], "the head ends in a blank line")
    for range in [
        head.target, head.path, head.query, head.host, head.contentType, head.contentEncoding,
        head.accept, head.authorization, head.ifMatch, head.ifNoneMatch,
    ] {
        require(range.offset >= 0 && range.count >= 0, "ranges are not negative")
        require(range.end <= head.byteCount - 4, "ranges lie in the head")
        for byte in bytes[range.offset..<range.end] {
            require(byte >= 0x20 && byte != 0x7F || byte == 9, "no control characters")
        }
    }
    for byte in bytes[head.target.offset..<head.target.end] {
        require(
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#"), "a target is visible ASCII")
    }
    require(!head.target.isEmpty, "there is a target")
    require(head.minorVersion == 0 || !head.host.isEmpty, "there is a host")
}

func checkRequests(_ input: [UInt8], _ splits: inout Splits) {
    let whole = requests(in: input) { input.count }
    require(requests(in: input) { 1 } == whole, "byte by byte is like whole")
    require(requests(in: input) { splits.next() } == whole, "pieces are like whole")
}

// MARK: Chunks

/// The data of a chunked body, where it ended, and why it was refused.
struct DecodedBody: Equatable {
    var data: [UInt8] = []
    var byteCount: Int?
    var refusal: HTTPRefusal?
}

func decoded(_ input: [UInt8], nextPiece: () -> Int) -> DecodedBody {
    var body = DecodedBody()
    var decoder = ChunkedDecoder(bodyByteCountMax: 1 << 20)
    var start = 0
    while start < input.count {
        let piece = Array(input[start..<min(start + max(1, nextPiece()), input.count)])
        var offset = 0
        do {
            while offset < piece.count {
                switch try decoder.next(piece.span, from: offset) {
                case .data(let range):
                    body.data += piece[range.offset..<range.end]
                    offset = range.end
                case .needMore(let consumed):
                    offset = consumed
                case .end(let consumed):
                    body.byteCount = start + consumed
                    return body
                }
            }
        } catch {
            body.refusal = error
            return body
        }
        start += piece.count
    }
    return body
}

func checkChunks(_ input: [UInt8], _ splits: inout Splits) {
    let whole = decoded(input) { input.count }
    require(decoded(input) { 1 } == whole, "byte by byte is like whole")
    require(decoded(input) { splits.next() } == whole, "pieces are like whole")
    // What was decoded survives being written and read again.
    var wire = ByteBuffer()
    wire.appendChunk(whole.data.span, framing: .chunked)
    wire.appendLastChunk(framing: .chunked)
    let again = decoded((0..<wire.count).map { wire[$0] }) { splits.next() }
    require(again.data == whole.data && again.byteCount == wire.count, "chunks read back")
}

// MARK: Responses

func response(in input: [UInt8], nextPiece: () -> Int) -> (ResponseHead?, HTTPRefusal?) {
    var parser = ResponseParser()
    var arrived = 0
    while arrived < input.count {
        arrived = min(arrived + max(1, nextPiece()), input.count)
        do {
            if let head = try parser.parse(input.span.extracting(0..<arrived)) {
                return (head, nil)
            }
        } catch {
            return (nil, error)
        }
    }
    return (nil, nil)
}

func checkResponse(_ input: [UInt8], _ splits: inout Splits) {
    let whole = response(in: input) { input.count }
    require(response(in: input) { 1 } == whole, "byte by byte is like whole")
    require(response(in: input) { splits.next() } == whole, "pieces are like whole")
}

// MARK: Targets and values

func checkTarget(_ input: [UInt8]) {
    let all = ByteRange(offset: 0, count: input.count)
    var pairs = QueryPairs(all)
    var end = 0
    while let pair = pairs.next(in: input.span) {
        require(pair.name.offset >= end && pair.value.end <= input.count, "pairs go forward")
        end = pair.value.end
    }
    var segments = PathSegments(all)
    var segmentEnd = 0
    while let segment = segments.next(in: input.span) {
        require(segment.offset > segmentEnd || segment.offset == 1, "segments go forward")
        require(segment.end <= input.count, "segments lie in the path")
        segmentEnd = segment.end
    }
    var plain = ByteBuffer()
    try? plain.percentDecode(input.span, plusIsSpace: true)
    var encoded = ByteBuffer()
    encoded.percentEncode(input.span)
    var again = ByteBuffer()
    do {
        try again.percentDecode(encoded.span, plusIsSpace: false)
    } catch {
        fatalError("what was encoded decodes")
    }
    require(again.span.equals(input.span), "what was encoded decodes to itself")
    // No value starts a header of its own.
    var head = ByteBuffer()
    head.appendResponse(status: 200) { $0.appendHeader("ETag", input.span) }
    let limit = Int(Int32.max)
    var parser = ResponseParser(
        limits: HTTPLimits(
            headerByteCountMax: limit, headByteCountMax: limit, headerCountMax: 2))
    let parsed = try? parser.parse(head.span)
    require(parsed?.framing == .length(0) && parsed?.byteCount == head.count, "one header a value")
}
