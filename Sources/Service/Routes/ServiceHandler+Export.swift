// GET /v1/export/{table}: a table as a file, now or as it was. GET /v1/backup: the data directory as an archive.

internal import Bytes
internal import Domain
internal import HTTP
internal import Platform

/// What is to be exported.
struct ExportQuestion: Sendable {
    var table: ExportTable
    var format = ExportFormat.csv
    var columns: [String]
    /// nil: now.
    var moment: PastMoment?
    /// The moment as it was written.
    var momentText = ""

    init(_ table: ExportTable) {
        self.table = table
        columns = table.columnNames
    }

    /// Reads one parameter.
    mutating func read(_ name: Span<UInt8>, _ value: Span<UInt8>) throws(RequestRefusal) {
        if name.equals("format") {
            guard let format = ExportFormat(rawValue: value.text) else {
                throw RequestRefusal(400, "bad_format", "format is csv or parquet")
            }
            self.format = format
        } else if name.equals("columns") {
            columns = value.text.split(separator: ",", omittingEmptySubsequences: false)
                .map(String.init)
            guard Set(columns).isSubset(of: table.columnNames), Set(columns).count == columns.count
            else {
                throw RequestRefusal(
                    400, "bad_columns",
                    "columns are, each once, of " + table.columnNames.joined(separator: ","))
            }
        } else if try moment.take(name, value) {
            momentText = value.text
        } else {
            throw RequestRefusal(400, "unknown_parameter", "there is no parameter \(name.text)")
        }
    }

    var contentType: StaticString {
        format == .csv ? "text/csv; charset=utf-8" : "application/vnd.apache.parquet"
    }

    /// - Parameter now: Milliseconds since 1970.
    func fileName(now: Milliseconds) -> String {
        let text = momentText.isEmpty ? fileNameTime(now) : fileNamePart(momentText)
        return "\(table.rawValue)-\(text).\(format.rawValue)"
    }
}

extension PastMoment? {
    /// Reads `as_of` or `known_at`.
    ///
    /// - Returns: false where it is neither.
    mutating func take(
        _ name: Span<UInt8>, _ value: Span<UInt8>
    ) throws(RequestRefusal) -> Bool {
        let found: PastMoment?
        if name.equals("as_of") {
            found = PastMoment(asOf: value)
        } else if name.equals("known_at") {
            found = PastMoment(knownAt: value)
        } else {
            return false
        }
        guard let found else {
            throw RequestRefusal(
                400, "bad_time",
                "as_of and known_at are RFC 3339 times or milliseconds since 1970; known_at also a "
                    + "mark or STREAM:SEQUENCE")
        }
        guard self == nil else {
            throw RequestRefusal(400, "two_moments", "as_of and known_at exclude each other")
        }
        self = found
        return true
    }
}

/// A time in letters that any file may have: `20261128T200000Z`.
private func fileNameTime(_ time: Milliseconds) -> String {
    var text = ByteBuffer()
    text.append(rfc3339: time / 1000 * 1000)
    let seconds = text.span.text.prefix(19)
    return seconds.filter { $0 != "-" && $0 != ":" } + "Z"
}

/// `text` with hyphens in the place of what a file's name should not have.
private func fileNamePart(_ text: String) -> String {
    String(
        text.map { letter in
            letter.isASCII && (letter.isLetter || letter.isNumber || letter == ".") ? letter : "-"
        })
}

extension ServiceHandler {
    mutating func askExport(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> Progress {
        let name = bytes.part(Self.lastSegment(head.path, bytes)).text
        guard let table = ExportTable(rawValue: name) else {
            let names = ExportTable.allCases.map(\.rawValue).joined(separator: ", ")
            exchange.problem(RequestRefusal(404, "unknown_table", "there are \(names)"))
            return .done
        }
        var question = ExportQuestion(table)
        do throws(RequestRefusal) {
            try Self.readQuery(head.query, bytes) { (name, value) throws(RequestRefusal) in
                try question.read(name, value)
            }
        } catch {
            exchange.problem(error)
            return .done
        }
        return begin(
            .export, contentType: question.contentType, fileName: question.fileName(now: now),
            &exchange
        ) { [question] (pieces, source) throws(RequestRefusal) in
            try source.write(question, to: pieces)
        }
    }

    mutating func askBackup(_ exchange: inout Exchange) -> Progress {
        let now = now
        let name = "holdfast-" + fileNameTime(now)
        return begin(.backup, contentType: "application/x-tar", fileName: name + ".tar", &exchange)
        {
            (pieces, source) throws(RequestRefusal) in
            let pinned = try source.pinned(for: pieces)
            try withExtendedLifetime(pinned) { () throws(RequestRefusal) in
                do {
                    let plan = try BackupPlan(pinned.directory) { !pieces.isGivenUp }
                    // Frames that were written and not synced are in it, too.
                    try source.durableSequences(for: pieces)
                    try plan.write(below: name, time: now) { (bytes) throws(SystemError) in
                        try pieces.write(bytes)
                    }
                } catch let error as RequestRefusal {
                    throw error
                } catch { throw RequestRefusal(StartError("\(error)"), pinned.directory) }
            }
        }
    }

    /// Delivers the parameters of a query, decoded.
    static func readQuery(
        _ query: ByteRange, _ bytes: Span<UInt8>,
        _ take: (_ name: Span<UInt8>, _ value: Span<UInt8>) throws(RequestRefusal) -> Void
    ) throws(RequestRefusal) {
        var pairs = QueryPairs(query)
        var value = ByteBuffer()
        while let pair = pairs.next(in: bytes) {
            value.removeAll()
            do throws(HTTPRefusal) {
                try value.percentDecode(bytes.part(pair.value), plusIsSpace: true)
            } catch {
                throw RequestRefusal(400, "bad_percent_encoding", "the target is malformed")
            }
            try take(bytes.part(pair.name), value.span)
        }
    }
}

extension LongCallSource {
    fileprivate func write(
        _ question: ExportQuestion, to pieces: AnswerPieces
    ) throws(RequestRefusal) {
        let sink: ExportSink = { (bytes) throws(SystemError) in try pieces.write(bytes) }
        guard let moment = question.moment else {
            return try withSnapshot(for: pieces) { (number, directory) throws(RequestRefusal) in
                do throws(StartError) {
                    try directory.export(
                        snapshot: number, question.table, columns: question.columns,
                        as: question.format, to: sink, while: { !pieces.isGivenUp })
                } catch { throw RequestRefusal(error, directory) }
            }
        }
        try withState(at: moment, for: pieces) { (state, directory) throws(RequestRefusal) in
            do throws(SystemError) {
                _ = try state.export(
                    question.table, columns: question.columns, as: question.format, to: sink)
            } catch { throw RequestRefusal(StartError(error.description), directory) }
        }
    }
}
