// Sending a file's pieces: a few connections, each with one request on its way, and while the
// service works on it the next piece is read.
//
//     file ──(one at a time)──▶ pieces ──▶ connection 1 ──▶ answers ──▶ report
//                                     └──▶ connection 2 ──▶ answers ──┘
//
// Events go over one connection, so they arrive in the order of the file.

import Bytes
import Client
import HTTP
import JSON
import Platform
import Synchronization

/// What can be imported.
enum ImportKind: String, CaseIterable, Sendable {
    case items, locations, channels, groups, rules, stock, events
}

/// How to import.
struct ImportOptions: Sendable {
    var asOf: String?
    var isBackfill = false
    var connectionCount = 2

    /// Bytes of text in a piece, about.
    var pieceByteCount = 4 << 20
}

/// Tries of one piece before the service counts as too busy.
private let tryCountMax = 120

/// Imports one file.
///
/// - Returns: What became of its rows. Rejected ones have been listed.
/// - Throws: What kept the rest of the file from being sent.
func importFile(
    _ kind: ImportKind, _ path: String, to url: ServerURL, _ options: ImportOptions,
    _ console: Console, _ rejects: RejectsList
) throws(CommandError) -> ImportResult {
    if kind == .rules { return try importRules(path, to: url) }
    // Documents may have 1 MiB, and a row may grow sixfold on its way to JSON.
    let isDocument = kind == .locations || kind == .channels || kind == .groups
    let pieceByteCount =
        isDocument ? min(options.pieceByteCount, 96 << 10) : options.pieceByteCount
    let cutter = try PieceCutter.open(path, pieceByteCount: pieceByteCount)
    let job = ImportJob(kind, cutter, url, options, console, rejects)
    let count = isDocument || kind == .events ? 1 : options.connectionCount
    try orFailed { () throws(SystemError) in
        try inThreads(count, name: "import") { _ in job.work() }
    }
    console.endStatus()
    return try job.finish()
}

/// Runs `body` so many times at once, and waits for all; the last in the calling thread.
func inThreads(
    _ count: Int, name: String, _ body: @escaping @Sendable (Int) -> Void
) throws(SystemError) {
    guard count > 1 else { return body(0) }
    let thread = try Thread.start(name: name) { body(count - 1) }
    do throws(SystemError) { try inThreads(count - 1, name: name, body) } catch {
        thread.join()
        throw error
    }
    thread.join()
}

/// The import of one file, as its threads share it.
private final class ImportJob: Sendable {
    let kind: ImportKind
    let path: String
    let shape: RowShape
    private let url: ServerURL
    private let request: ClientRequest
    private let cutter: Mutex<PieceCutter>
    private let report: ImportReport
    private let failure = Mutex<CommandError?>(nil)
    private let console: Console

    init(
        _ kind: ImportKind, _ cutter: consuming sending PieceCutter, _ url: ServerURL,
        _ options: ImportOptions, _ console: Console, _ rejects: RejectsList
    ) {
        self.kind = kind
        self.url = url
        self.console = console
        path = cutter.path
        shape = cutter.shape
        report = ImportReport(path: cutter.path, rejects: rejects)
        request = Self.request(kind, cutter.shape, options)
        self.cutter = Mutex(consume cutter)
    }

    private static func request(
        _ kind: ImportKind, _ shape: RowShape, _ options: ImportOptions
    ) -> ClientRequest {
        let type: StaticString = shape == .csv ? "text/csv" : "application/x-ndjson"
        switch kind {
        case .stock:
            var target = ByteBuffer()
            target.append("/v1/stock?mode=upsert" as StaticString)
            if let asOf = options.asOf {
                target.append("&as_of=" as StaticString)
                target.percentEncode(asOf.utf8.span)
            }
            return ClientRequest("POST", target.span.text, contentType: type)
        case .events:
            let query = options.isBackfill ? "?backfill=true" : ""
            return ClientRequest(
                "POST", "/v1/events" + query, contentType: "application/x-ndjson")
        case .items: return ClientRequest("PUT", "/v1/items", contentType: type)
        default:
            return ClientRequest("PUT", "/v1/\(kind.rawValue)", contentType: "application/json")
        }
    }

    /// The result, once all threads are done.
    func finish() throws(CommandError) -> ImportResult {
        if let error = failure.withLock({ $0 }) { throw error }
        return report.result
    }

    private var hasFailed: Bool { failure.withLock { $0 != nil } }

    /// Sends pieces until there are none left.
    func work() {
        do throws(CommandError) {
            switch kind {
            case .locations: try sendDocuments(.locations)
            case .channels: try sendDocuments(.channels)
            case .groups: try sendDocuments(.groups)
            default: try sendPieces()
            }
        } catch {
            failure.withLock { if $0 == nil { $0 = error } }
        }
    }

    private func next(_ piece: inout Piece) throws(CommandError) -> Bool {
        if hasFailed { return false }
        let (hasPiece, progress) = try cutter.withLock { (cutter) throws(CommandError) in
            (try cutter.next(into: &piece), cutter.progress)
        }
        report.show(progress: progress, on: console)
        return hasPiece
    }

    // MARK: - Streams

    private func sendPieces() throws(CommandError) {
        var client = HTTPClient(url)
        var rows = EventRows()
        var piece = Piece()
        var following = Piece()
        var rejections: [Rejection] = []
        guard try prepare(&piece, &rows, &rejections) else { return }
        while true {
            try orFailed(url) { () throws(ClientError) in
                try client.send(request, body: piece.bytes.span)
            }
            // The next piece is read while the service works. What is wrong with it comes up
            // after what the service says about this one.
            var later: [Rejection] = []
            var problem: CommandError?
            var hasMore = false
            do throws(CommandError) {
                hasMore = try prepare(&following, &rows, &later)
            } catch {
                problem = error
            }
            try receive(&client, piece, rejections)
            if let problem { throw problem }
            guard hasMore else { return }
            swap(&piece, &following)
            rejections = later
        }
    }

    /// Reads the next piece and makes it what is sent.
    private func prepare(
        _ piece: inout Piece, _ rows: inout EventRows, _ rejections: inout [Rejection]
    ) throws(CommandError) -> Bool {
        guard try next(&piece) else { return false }
        if kind == .events, shape == .csv { rejections = try rows.convert(&piece, path: path) }
        return true
    }

    /// Receives the answer to `piece`, sending it again while the service is too busy.
    private func receive(
        _ client: inout HTTPClient, _ piece: borrowing Piece, _ own: [Rejection]
    ) throws(CommandError) {
        var earlier = 0
        for _ in 0..<tryCountMax {
            let response = try orFailed(url) { () throws(ClientError) in
                try client.receive(sent: piece.bytes.span)
            }
            let answer = ServiceAnswer(client.body.span)
            if response.status == 200, let answer {
                return try take(answer, piece, own, earlier: earlier)
            }
            guard let wait = retryMilliseconds(response) else {
                try take(answer ?? ServiceAnswer(), piece, own, earlier: earlier)
                throw refusal(response, answer)
            }
            if kind == .events { earlier += answer?.accepted ?? 0 }
            Thread.sleep(milliseconds: wait)
            try orFailed(url) { () throws(ClientError) in
                try client.send(request, body: piece.bytes.span)
            }
        }
        throw .failed("\(path): the service has been too busy for too long")
    }

    /// - Parameters:
    ///   - own: Rows that were not even sent.
    ///   - earlier: Events taken by earlier tries, which this one calls duplicates.
    private func take(
        _ answer: ServiceAnswer, _ piece: borrowing Piece, _ own: [Rejection], earlier: Int
    ) throws(CommandError) {
        var rows = own.map { RejectedRow(piece, $0) }
        let lines = elementLines(answer.rejections, piece.bytes.span)
        for (rejection, line) in zip(answer.rejections, lines) {
            var rejection = rejection
            rejection.line = line
            rows.append(RejectedRow(piece, rejection))
        }
        var result = ImportResult()
        result.accepted = answer.accepted + earlier
        result.duplicates = max(0, answer.duplicates - earlier)
        result.parked = answer.parked
        result.rejected = answer.rejected + own.count
        try report.take(number: piece.number, result, rows)
    }

    // MARK: - Documents

    private func sendDocuments(_ collection: MasterCollection) throws(CommandError) {
        var client = HTTPClient(url)
        var rows = MasterRows(collection)
        var piece = Piece()
        while try next(&piece) {
            var rejected = try rows.read(piece, shape, path: path)
            var tryCount = 0
            while rows.count > 0 {
                let response = try rows.withDocument { (document) throws(CommandError) in
                    try orFailed(url) { () throws(ClientError) in
                        try client.call(request, body: document)
                    }
                }
                if response.status == 200 { break }
                let answer = ServiceAnswer(client.body.span)
                if let answer, let rejection = rows.takeOut(answer) {
                    rejected.append(rejection)
                    continue
                }
                tryCount += 1
                guard let wait = retryMilliseconds(response), tryCount < tryCountMax else {
                    throw refusal(response, answer)
                }
                Thread.sleep(milliseconds: wait)
            }
            var result = ImportResult()
            result.accepted = rows.count
            result.rejected = rejected.count
            try report.take(
                number: piece.number, result, rejected.map { RejectedRow(piece, $0) })
        }
    }

    // MARK: - Refusals

    /// How long to wait before the same is sent again; nil when that would not help.
    private func retryMilliseconds(_ response: ClientResponse) -> Int? {
        guard response.status == 429 || response.status == 503 && response.retryAfterSeconds != nil
        else { return nil }
        return max(50, min(response.retryAfterSeconds ?? 1, 60) * 1000)
    }

    private func refusal(_ response: ClientResponse, _ answer: ServiceAnswer?) -> CommandError {
        .failed("\(path): \(describeAnswer(response, answer))")
    }
}

extension RejectedRow {
    /// A rejection whose line is one of `piece`.
    fileprivate init(_ piece: borrowing Piece, _ rejection: Rejection) {
        self.init(
            line: piece.fileLine(rejection.line), code: rejection.code, detail: rejection.detail)
    }
}

/// Imports a document of rules, which is one JSON value.
private func importRules(_ path: String, to url: ServerURL) throws(CommandError) -> ImportResult {
    let start = Clock.monotonicNanoseconds
    var source = try ImportSource.open(path)
    var document = ByteBuffer()
    while try source.read(into: &document, room: 1 << 18) > 0 {
        guard document.count <= 16 << 20 else {
            throw .failed("\(path): a document of rules may not have more than 16 MiB")
        }
    }
    var client = HTTPClient(url)
    let request = ClientRequest("PUT", "/v1/rules", contentType: "application/json")
    let response = try orFailed(url) { () throws(ClientError) in
        try client.call(request, body: document.span)
    }
    guard response.status == 200 else {
        throw .failed("\(path): \(describeAnswer(response, ServiceAnswer(client.body.span)))")
    }
    var result = ImportResult()
    result.accepted = ruleCount(document.span)
    result.nanoseconds = Clock.monotonicNanoseconds - start
    return result
}

/// How many rules a document has that the service took: the elements of its lists.
private func ruleCount(_ document: Span<UInt8>) -> Int {
    var reader = JSONReader()
    var count = 0
    do throws(JSONError) {
        try reader.beginObject(document)
        while try reader.nextKey(document) != nil {
            try reader.beginArray(document)
            while try reader.nextElement(document) {
                try reader.skipValue(document)
                count += 1
            }
        }
    } catch {
        return 0  // The service would not have taken it.
    }
    return count
}

/// An answer that is no success, in words.
func describeAnswer(_ response: ClientResponse, _ answer: ServiceAnswer?) -> String {
    if response.status == 200 { return "the service's answer cannot be read" }
    guard let answer, !answer.code.isEmpty else {
        return "the service answered with status \(response.status)"
    }
    return answer.detail.isEmpty ? answer.code : "\(answer.code): \(answer.detail)"
}

/// Runs `body`; what keeps the service from answering is a failure of the command.
func orFailed<Result: ~Copyable>(
    _ url: ServerURL, _ body: () throws(ClientError) -> Result
) throws(CommandError) -> Result {
    do throws(ClientError) { return try body() } catch {
        throw .failed("\(url): \(error.description)")
    }
}

/// The lines of what was sent, from 1, that rejected elements stand on: as the answer says, or found
/// by counting where it gives indexes only. Blank lines are no elements.
func elementLines(_ rejections: [Rejection], _ bytes: Span<UInt8>) -> [Int] {
    var lines = rejections.map(\.line)
    let unknown = rejections.indices.filter { lines[$0] <= 0 }
    guard !unknown.isEmpty else { return lines }
    let ordered = unknown.sorted { rejections[$0].index < rejections[$1].index }
    var scanner = JSONLineScanner()
    var index = -1
    for place in ordered {
        while index < rejections[place].index {
            guard case .element = scanner.next(bytes, isFinal: true) else { break }
            index += 1
        }
        lines[place] = max(1, scanner.line)
    }
    return lines
}
