// A stream of events, stock rows or items on its way into the shards.
//
//     bytes ──▶ elements, lines or rows ──▶ commands, gathered per shard ──▶ inboxes
//                                                     outcomes ◀── replies
//
// Gathered commands are sent at the end of every piece of the body, so nothing is held while the
// network is slow. When an inbox is full the connection is not read until it has room again; an
// inbox that stays full for a second cuts the stream, and the answer says what was not taken.

internal import Bytes
internal import CSV
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// What a stream brings.
enum IngestKind { case events, stock, items }

/// How its elements are told apart; known after the first byte.
enum IngestFormat: ~Copyable {
    case undecided
    case array(JSONElementScanner)
    case lines(JSONLineScanner)
    case rows(CSVReader, CSVHeader?)
}

/// The state of one stream.
final class IngestExchange: WaitingExchange {
    let kind: IngestKind
    let isBackfill: Bool
    /// As of when stock rows hold; nil is the arrival.
    let asOf: Milliseconds?
    var format = IngestFormat.undecided

    /// Batches being filled, by shard.
    var open: [BatchReference?]
    /// Filled batches that their inboxes had no room for.
    var unsent: [BatchReference] = []
    /// When the oldest of them was first refused.
    var unsentSince: Milliseconds = 0

    var isCut = false
    var hasEnded = false
    /// A refusal of the stream itself: what came before it was taken.
    var streamError: (code: StaticString, detail: String)?

    /// Elements seen so far.
    var elementCount = 0
    var accepted: UInt64 = 0
    var duplicates: UInt64 = 0
    var parked: UInt64 = 0
    var rejected: UInt64 = 0
    /// The rejected ones as JSON, comma-separated.
    var rejections = ByteBuffer()
    var listedRejections = 0
    /// Line of each command, where elements have lines: by index, from `firstListedIndex`.
    let hasLines: Bool

    /// Rejections that are listed one by one; beyond, they are counted.
    static let listedRejectionMax = 10_000

    /// How long an inbox may stay full before the stream is cut.
    static let patienceMilliseconds: Milliseconds = 1000

    /// Batches on their way at which reading pauses, and goes on.
    static let outstandingMax = 64
    static let outstandingResume = 16

    init(
        _ kind: IngestKind, shardCount: Int, isBackfill: Bool, asOf: Milliseconds?, hasLines: Bool
    ) {
        self.kind = kind
        self.isBackfill = isBackfill
        self.asOf = asOf
        self.hasLines = hasLines
        open = [BatchReference?](repeating: nil, count: shardCount)
    }

    override func take(_ batch: BatchReference) {
        batch.withBatch { batch in
            for index in batch.outcomes.indices {
                note(batch.outcomes[index], batch.commands[index], batch.text.span)
            }
        }
    }

    /// Counts an outcome; lists it when it is a rejection.
    func note(_ outcome: Outcome, _ command: StockCommand, _ text: Span<UInt8>) {
        switch outcome.verdict {
        case .accepted: accepted += 1
        case .duplicate: duplicates += 1
        case .parked: parked += 1
        case .rejected:
            let source = text.part(command.sourceRange)
            reject(
                index: Int(command.index), line: Int(command.line), outcome.code,
                outcome.detail.text, source: source)
        }
    }

    /// Lists a rejection.
    ///
    /// - Parameter source: The event as it came, for its id.
    func reject(
        index: Int, line: Int, _ code: StaticString, _ detail: String, source: Span<UInt8>
    ) {
        rejected += 1
        guard listedRejections < Self.listedRejectionMax else { return }
        if listedRejections > 0 { rejections.append(UInt8(ascii: ",")) }
        listedRejections += 1
        rejections.append("{\"index\":")
        rejections.append(decimal: index)
        if line > 0 {
            rejections.append(",\"line\":")
            rejections.append(decimal: line)
        }
        if kind == .events, let id = EventDecoder.idString(of: source) {
            rejections.append(",\"id\":")
            rejections.append(jsonEscaped: id, from: source)
        }
        rejections.append(",\"code\":\"")
        rejections.append(code)
        rejections.append("\",\"detail\":")
        rejections.append(jsonString: detail.utf8.span)
        rejections.append(UInt8(ascii: "}"))
    }
}

extension StaticString {
    var text: String { description }
}
