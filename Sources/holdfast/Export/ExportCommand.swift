// `holdfast export`: what a data directory or a service holds, as a file.

import Bytes
import Platform
import Service

let exportCommand = Subcommand(
    name: "export", usage: "[positions|items|locations] --out FILE --data DIR [OPTION...]",
    summary: "Writes stock, items or locations to a CSV or Parquet file.",
    options: [
        .value("out", "FILE", "where to; - is standard output"),
        .value("data", "DIR", "from a data directory that nobody serves just now"),
        .value("format", "csv|parquet", "by the name of the file, or CSV"),
        .value("columns", "A,B,C", "these columns, in this order; all by default"),
        .missing(
            "from",
            "this version exports from a directory at rest: use --data; beside a running service, "
                + "on the copy that holdfast backup makes"),
    ] + pastOptions,
    notes: """
        Columns:

        \(ExportTable.allCases.map { "  \($0.rawValue): \($0.columnNames.joined(separator: ", "))" }
            .joined(separator: "\n"))

        \(pastNotes)

        Rules are those in force then. What is exported can be imported again: stock by the columns
        sku,location,sellable,returned,damaged,blocked.

        The running service's own snapshots are Parquet as well:
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
    guard let path = arguments.value("data") else {
        throw .usage("export needs a data directory: --data DIR")
    }
    let moment = try arguments.pastMoment()
    let lateWindow = try arguments.lateWindow()
    let start = Clock.monotonicNanoseconds
    let state = try stored { () throws(StartError) in
        try loadedState(path, moment, lateWindow: lateWindow)
    }
    let rowCount = try orFailed { () throws(SystemError) in
        try write(state, choice, console)
    }
    if choice.path != "-" {
        let elapsed = Clock.monotonicNanoseconds - start
        console.say("\(grouped(rowCount)) \(choice.table.rawValue) in \(timeText(elapsed))")
    }
    return .done
}

/// Writes the file, or to standard output.
private func write(
    _ state: StoredState, _ choice: ExportChoice, _ console: Console
) throws(SystemError) -> Int {
    if choice.path == "-" {
        return try state.export(choice.table, columns: choice.columns, as: choice.format) {
            console.write($0)
        }
    }
    let file = try Descriptor.create(choice.path)
    let rowCount = try state.export(choice.table, columns: choice.columns, as: choice.format) {
        (bytes) throws(SystemError) in try file.write(bytes)
    }
    return rowCount
}
