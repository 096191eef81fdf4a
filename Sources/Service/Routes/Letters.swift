// What a call about dead letters names: ids, paths and parameters.

internal import Bytes
internal import Domain
internal import Engine
internal import HTTP

/// A dead letter: its shard, and its number there. As text `3-17`.
struct LetterID: Equatable {
    var shard: Int
    var number: UInt64

    /// - Returns: nil where the text is no id of a letter of `shardCount` shards.
    init?(_ text: Span<UInt8>, shardCount: Int) {
        let dash = text.firstOffset(of: UInt8(ascii: "-"), from: 0)
        guard dash < text.count,
            let shard = text.extracting(first: dash).decimalInteger(),
            let number = text.from(dash + 1).decimalInteger(),
            shard >= 0, shard < Int64(shardCount), number >= 1
        else { return nil }
        self.shard = Int(shard)
        self.number = UInt64(number)
    }
}

extension ByteBuffer {
    /// Appends the id of a dead letter.
    mutating func append(letter number: UInt64, shard: Int) {
        append(decimal: shard)
        append(UInt8(ascii: "-"))
        append(decimal: Int64(truncatingIfNeeded: number))
    }
}

/// The paths behind `/v1/dead-letters`.
enum LetterPath {
    case all
    case retryAll
    /// The id, as it stands in the path.
    case one(ByteRange)
    case retryOne(ByteRange)

    /// - Parameter path: Begins with the collection.
    init?(_ path: ByteRange, _ bytes: Span<UInt8>) {
        var segments = PathSegments(path)
        _ = (segments.next(in: bytes), segments.next(in: bytes))
        guard let first = segments.next(in: bytes) else {
            self = .all
            return
        }
        let second = segments.next(in: bytes)
        if first.isEmpty || segments.next(in: bytes) != nil { return nil }
        guard let second else {
            self = bytes.part(first).equals("retry") ? .retryAll : .one(first)
            return
        }
        guard bytes.part(second).equals("retry") else { return nil }
        self = .retryOne(first)
    }

    /// The methods that the path has.
    var methods: StaticString {
        switch self {
        case .all: "GET, HEAD, DELETE"
        case .one: "DELETE"
        case .retryAll, .retryOne: "POST"
        }
    }

    func allows(_ method: Method) -> Bool {
        switch self {
        case .all: method == .get || method == .head || method == .delete
        case .one: method == .delete
        case .retryAll, .retryOne: method == .post
        }
    }
}

/// The parameters of calls about dead letters.
struct LetterParameters {
    var reason: Outcome?
    /// Letters at the most; nil: all.
    var limit: Int?
    var after: LetterID?

    private static let limitMax: Int64 = 10_000

    init(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, shardCount: Int
    ) throws(RequestRefusal) {
        var pairs = QueryPairs(head.query)
        while let pair = pairs.next(in: bytes) {
            let name = bytes.part(pair.name)
            let value = ByteBuffer(percentDecoding: bytes.part(pair.value))
            if name.equals("reason") {
                reason = try Self.reason(value.span)
            } else if name.equals("limit") {
                guard let number = value.span.decimalInteger(), number >= 1,
                    number <= Self.limitMax
                else { throw RequestRefusal(400, "bad_limit", "limit is 1 to 10000") }
                limit = Int(number)
            } else if name.equals("after") {
                guard let id = LetterID(value.span, shardCount: shardCount) else {
                    throw RequestRefusal(400, "bad_cursor", "after is the id of a letter")
                }
                after = id
            }
        }
    }

    private static func reason(_ code: Span<UInt8>) throws(RequestRefusal) -> Outcome {
        for outcome in Outcome.parkingReasons where code.equals(outcome.code) { return outcome }
        throw RequestRefusal(
            400, "bad_reason", "no event is set aside for this reason")
    }
}
