// `holdfast export`: what a data directory or a service holds, as a file.

import Bytes
import Client
import Platform
import Service

let exportCommand = Subcommand(
    name: "export",
    usage: "[positions|items|locations] --out FILE (--from URL | --data DIR) [OPTION...]",
    summary: "Writes stock, items or locations to a CSV or Parquet file.",
    options: [
        .value("out", "FILE", "where to; - is standard output"),
        .value("from", "URL", "from a service, like http://127.0.0.1:8080"),
        .value("data", "DIR", "from a data directory that nobody serves just now"),
        .value("format", "csv|parquet", "by the name of the file, or CSV"),
        .value("columns", "A,B,C", "these columns, in this order; all by default"),
    ] + pastOptions,
    notes: """
        Columns:

        \(ExportTable.allCases.map { "  \($0.rawValue): \($0.columnNames.joined(separator: ", "))" }
            .joined(separator: "\n"))

        \(pastNotes)

        Rules are those in force then. What is exported can be imported again: stock by the columns
        sku,location,sellable,returned,damaged,blocked.

        A service takes a snapshot and writes that, or the state of the moment asked for; curl -OJ
        'URL/v1/export/positions?format=parquet' gets the same file. Its snapshots are Parquet as well:
        DIR/snapshots/latest/positions/*.parquet.
        """
) { (arguments, console) throws(CommandError) in try export(arguments, console) }

/// What is to be exported, and how.
private struct ExportChoice {
    var table = ExportTable.positions
    var format = ExportFormat.csv
    var columns: [String]
    var path: String

    init(_ arguments: Arguments) throws(CommandError) {
        guard arguments.words.count <= 1 else { throw .usage("export takes one table") }
        if let word = arguments.words.first {
            guard let table = ExportTable(rawValue: word) else {
                let names = ExportTable.allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage("\(word) cannot be exported; there are \(names)")
            }
            self.table = table
        }
        guard let path = arguments.value("out") else {
            throw .usage("--out FILE is required; - is standard output")
        }
        self.path = path
        if let text = arguments.value("format") {
            guard let format = ExportFormat(rawValue: text) else {
                throw .usage("--format takes csv or parquet, not \(text)")
            }
            self.format = format
        } else if path.hasSuffix(".parquet") {
            format = .parquet
        }
        columns = table.columnNames
        guard let text = arguments.value("columns") else { return }
        columns = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for (index, name) in columns.enumerated() {
            guard table.columnNames.contains(name) else {
                throw .usage(
                    "\(table.rawValue) have no column \(name); there are "
                        + table.columnNames.joined(separator: ", "))
            }
            if columns[..<index].contains(name) { throw .usage("\(name) is named twice") }
        }
    }
}

private func export(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    let choice = try ExportChoice(arguments)
    let start = Clock.monotonicNanoseconds
    var draft: FileDraft
    let written: String
    switch try arguments.origin() {
    case .service(let url):
        let moment = try arguments.pastParameters()
        draft = try orFailed { () throws(SystemError) in try FileDraft(choice.path, console) }
        written = try download(choice, moment, url, into: &draft)
    case .directory(let path):
        let moment = try arguments.pastMoment()
        let lateWindow = try arguments.lateWindow()
        let state = try stored { () throws(StartError) in
            try loadedState(path, moment, lateWindow: lateWindow)
        }
        draft = try orFailed { () throws(SystemError) in try FileDraft(choice.path, console) }
        let rowCount = try orFailed { () throws(SystemError) in
            try state.export(choice.table, columns: choice.columns, as: choice.format) {
                (bytes) throws(SystemError) in try draft.write(bytes)
            }
        }
        written = "\(grouped(rowCount)) \(choice.table.rawValue)"
    }
    do throws(SystemError) { try draft.publish() } catch { throw .failed(error.description) }
    if choice.path != "-" {
        console.say("\(written) in \(timeText(Clock.monotonicNanoseconds - start))")
    }
    return .done
}

/// - Returns: How much was written.
private func download(
    _ choice: ExportChoice, _ moment: String, _ url: ServerURL, into draft: inout FileDraft
) throws(CommandError) -> String {
    let target =
        "/v1/export/\(choice.table.rawValue)?format=\(choice.format.rawValue)"
        + "&columns=\(choice.columns.joined(separator: ","))" + moment
    var byteCount = 0
    try streamed(ClientRequest("GET", target), url) { (bytes) throws(SystemError) in
        byteCount += bytes.count
        try draft.write(bytes)
    }
    return "\(grouped(byteCount)) bytes of \(choice.table.rawValue)"
}
