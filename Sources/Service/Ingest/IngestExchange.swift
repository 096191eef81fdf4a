// A stream of events, stock rows or items on its way into the shards.
//
//     bytes ──▶ elements, lines or rows ──▶ commands, gathered per shard ──▶ inboxes
//                                                     outcomes ◀── replies
//
// Gathered commands are sent at the end of every piece of the body, so nothing is held while the
// network is slow. When an inbox is full the connection is not read until it has room again; an
// inbox that stays full (for a second) cuts the stream, and the answer says what was not taken.

internal import Bytes
internal import CSV
internal import Columns
internal import Domain
internal import Engine
internal import JSON

/// What a stream brings.
enum IngestKind { case events, stock, items }

/// How its elements are told apart; known from the content type or after the first byte.
enum IngestShape {
    case undecided, array, lines, rows

    /// An array begins with a bracket, lines of JSON with anything else.
    init(of piece: Span<UInt8>) {
        self = .undecided
        for offset in 0..<piece.count {
            switch piece[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "["): self = .array
            default: self = .lines
            }
            return
        }
    }
}

/// The state of one stream.
class IngestExchange: WaitingExchange {
    let kind: IngestKind
    let isBackfill: Bool
    /// As of when stock rows hold; nil is the arrival.
    let asOf: Milliseconds?
    var shape = IngestShape.undecided
    private var elements = JSONElementScanner(byteCountMax: elementByteCountMax)
    private var lines = JSONLineScanner(byteCountMax: elementByteCountMax)
    var rows = CSVReader()
    var header: CSVHeader?

    /// Batches being filled, by shard.
    var open: [BatchReference?]
    /// Filled batches that their inboxes had no room for.
    var unsent: [BatchReference] = []
    /// Since when there has been no room, for any of them or for a further batch; nil while there
    /// is.
    var stalledSince: Milliseconds?

    var isCut = false
    var hasEnded = false
    /// Why elements were not taken, or may not have been kept, for no fault of theirs: the gravest.
    private(set) var failure: Outcome?
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
    /// The line of the element being taken; 0 where there are no lines.
    var line = 0

    /// What came from sources since they were last noted.
    private(set) var sourceRuns: [SourceRun] = []

    /// Bytes that one event or row may have.
    static let elementByteCountMax = 64 << 10

    /// Rejections that are listed one by one; beyond, they are counted.
    static let listedRejectionMax = 10_000

    /// Batches on their way at which reading pauses, and goes on.
    static let outstandingMax = 64
    static let outstandingResume = 16

    init(_ kind: IngestKind, shardCount: Int, isBackfill: Bool, asOf: Milliseconds?) {
        self.kind = kind
        self.isBackfill = isBackfill
        self.asOf = asOf
        open = [BatchReference?](repeating: nil, count: shardCount)
    }

    /// The next element of an array or of lines.
    func nextElement(_ piece: Span<UInt8>, isLast: Bool) -> JSONStreamStep {
        if shape == .array { return elements.next(piece, isFinal: isLast) }
        let step = lines.next(piece, isFinal: isLast)
        if kind != .events { line = lines.line }
        return step
    }

    /// Keeps an event for `SourceWatch`.
    func keep(_ source: EventSource, _ number: Int64?, at: Milliseconds) {
        if let last = sourceRuns.indices.last, sourceRuns[last].extend(source, number, at: at) {
            return
        }
        sourceRuns.append(
            SourceRun(source: source, numbers: number.map { $0...$0 }, newestAt: at))
    }

    /// Hands over what came from sources.
    func noteSources(_ watch: SourceWatch, now: Milliseconds) {
        watch.note(sourceRuns, now: now)
        sourceRuns.removeAll(keepingCapacity: true)
    }

    /// The first bytes of the piece are not offered again.
    func dropped(_ byteCount: Int) {
        switch shape {
        case .undecided: break
        case .array: elements.dropped(byteCount)
        case .lines: lines.dropped(byteCount)
        case .rows: rows.dropped(byteCount)
        }
    }

    override func take(_ batch: BatchReference) {
        batch.withBatch { batch in
            for index in batch.outcomes.indices {
                let command = batch.commands[index]
                note(
                    batch.outcomes[index], command,
                    source: batch.text.span.part(command.sourceRange))
            }
        }
    }

    /// Counts an outcome; lists it when it is a rejection.
    func note(_ outcome: Outcome, _ command: StockCommand, source: Span<UInt8>) {
        switch outcome.verdict {
        case .accepted: accepted += 1
        case .duplicate: duplicates += 1
        case .parked: parked += 1
        case .rejected:
            noteFailure(outcome)
            reject(
                index: Int(command.index), line: Int(command.line), outcome.code,
                outcome.detail.text, source: source)
        }
    }

    /// Notes what concerns the whole answer; other outcomes do not.
    func noteFailure(_ outcome: Outcome?) {
        guard let outcome, let gravity = outcome.gravity else { return }
        if gravity > failure?.gravity ?? 0 { failure = outcome }
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

extension Outcome {
    /// How grave it is for the whole answer; nil for what is an element's own matter.
    fileprivate var gravity: Int? {
        switch self {
        case .busy: 1
        case .journalFull: 2
        case .readOnly: 3
        case .unknown: 4
        default: nil
        }
    }

    /// The status of an answer that it decides.
    var status: Int {
        switch self {
        case .busy: 429
        case .journalFull: 507
        default: 503
        }
    }
}

extension StaticString {
    var text: String { description }
}
