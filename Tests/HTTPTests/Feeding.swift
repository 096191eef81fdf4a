import Bytes
import HTTP

/// What a parser answers about some bytes in the end.
enum Outcome: Equatable {
    case incomplete
    case head(RequestHead)
    case refused(HTTPRefusal)
}

/// What the request parser answers when it sees the first `ends[0]` bytes, then the first
/// `ends[1]`, and so on, and then all of them.
func outcome(
    of bytes: [UInt8], stopsAt ends: some Sequence<Int> = [], limits: HTTPLimits = .standard
) -> Outcome {
    var parser = RequestParser(limits: limits)
    for end in Array(ends) + [bytes.count] {
        do {
            let prefix = bytes.span.extracting(0..<min(end, bytes.count))
            if let head = try parser.parse(prefix) { return .head(head) }
        } catch {
            return .refused(error)
        }
    }
    return .incomplete
}

func outcome(of text: String, limits: HTTPLimits = .standard) -> Outcome {
    outcome(of: Array(text.utf8), limits: limits)
}

/// The head of `text`; nil when it is refused or not complete.
func acceptedHead(of text: String) -> RequestHead? {
    guard case .head(let head) = outcome(of: text) else { return nil }
    return head
}

/// What a chunked body decodes to: its data and where it ended, or why it was refused.
enum BodyOutcome: Equatable {
    case incomplete(data: [UInt8])
    case whole(data: [UInt8], byteCount: Int)
    case refused(HTTPRefusal, data: [UInt8])
}

/// Decodes `bytes` given in pieces that end at `ends`, each piece in a buffer of its own.
func decode(
    _ bytes: [UInt8], stopsAt ends: some Sequence<Int> = [], by decoder: ChunkedDecoder = .init()
) -> BodyOutcome {
    var decoder = decoder
    var data: [UInt8] = []
    var start = 0
    for end in Array(ends) + [bytes.count] {
        let piece = Array(bytes[start..<end])
        var offset = 0
        reading: while true {
            do {
                switch try decoder.next(piece.span, from: offset) {
                case .data(let range):
                    data += piece[range.offset..<range.end]
                    offset = range.end
                case .needMore(let consumed):
                    precondition(consumed == piece.count)
                    break reading
                case .end(let consumed):
                    return .whole(data: data, byteCount: start + consumed)
                }
            } catch {
                return .refused(error, data: data)
            }
        }
        start = end
    }
    return .incomplete(data: data)
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

    /// Ascending places to split `count` bytes at.
    mutating func splits(of count: Int) -> [Int] {
        let pieces = Int.random(in: 0...6, using: &self)
        return (0..<pieces).map { _ in Int.random(in: 0...count, using: &self) }.sorted()
    }
}
