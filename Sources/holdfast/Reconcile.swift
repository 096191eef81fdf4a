// `holdfast reconcile`: another system's stock file against ours, at that system's own cut-off.

import Bytes
import Domain
import Platform
import Service

let reconcileCommand = Subcommand(
    name: "reconcile", usage: "FILE --as-of TIME --data DIR [OPTION...]",
    summary: "Compares another system's stock with ours, as of its own cut-off.",
    options: [
        .value("as-of", "TIME", "the file's cut-off, by effective time"),
        .value("data", "DIR", "a data directory that nobody serves just now"),
        .value("out", "FILE", "every variance, as CSV or JSON; - is standard output"),
        .value("format", "csv|json", "by the name of the file, or CSV"),
        .value("tolerance", "0", "units that a line may differ by"),
        .value("tolerance-total", "0", "units that all lines beyond that may differ by"),
        .value("around", "1d", "how far from the cut-off facts are looked for that may explain"),
        .value("late-window", "7d", "that of the service: how late a count may come"),
        .missing(
            "from",
            "this version compares with a directory at rest: use the copy of holdfast backup"),
    ],
    notes: """
        FILE has the columns of import stock: sku, location and sellable, returned, damaged, blocked, or
        on_hand; also compressed by zstd. Conditions that it does not have are not compared.

        Each variance is theirs less ours. What of our facts around the cut-off comes to just that is
        told as its explanation: late (came to us after the cut-off), duplicate (came twice under two
        ids), drawn_earlier and drawn_later (the last facts before the cut-off, or the first behind it),
        missing (one movement that they lack), recorded (one that a count of ours made void).

        Exit status 0: within the tolerance; 1: not, or rows were left out; 2 usage; 3 failed.
        """
) { (arguments, console) throws(CommandError) in try reconcile(arguments, console) }

private func reconcile(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    guard arguments.words.count == 1 else { throw .usage("reconcile takes one file") }
    guard let path = arguments.value("data") else { throw .usage("--data DIR is required") }
    guard case .asOf(let cutOff)? = try arguments.pastMoment() else {
        throw .usage("--as-of TIME is required: the cut-off of the file")
    }
    var tolerance = ReconciliationTolerance()
    tolerance.line = Int64(try arguments.integer("tolerance", in: 0...Int(Int32.max), default: 0))
    tolerance.total = Int64(
        try arguments.integer("tolerance-total", in: 0...1 << 53, default: 0))
    let around = try arguments.duration("around", default: 86_400_000)
    let isJSON = try wantsJSON(arguments)
    let lateWindow = try arguments.lateWindow()
    let start = Clock.monotonicNanoseconds
    var source = try ImportSource.open(arguments.words[0])
    let state = try stored { () throws(StartError) in
        try loadedState(path, .asOf(cutOff), lateWindow: lateWindow)
    }
    var comparison = Reconciliation(state, cutOff: cutOff)
    try compare(&source, &comparison)
    comparison.finish()
    try stored { () throws(StartError) in
        try comparison.explain(from: StoredDirectory(path), around: around)
    }
    if let target = arguments.value("out") {
        try orFailed { () throws(SystemError) in
            try write(comparison, tolerance, asJSON: isJSON, to: target, console)
        }
    }
    if arguments.value("out") != "-" {
        for line in reportLines(comparison, tolerance) { console.say(line) }
        console.say("in \(timeText(Clock.monotonicNanoseconds - start))")
    }
    for row in comparison.rejected.prefix(1000) {
        console.complain("\(source.path), line \(row.line): \(row.code)")
    }
    return comparison.isWithin(tolerance) ? .done : .rejectedRows
}

private func wantsJSON(_ arguments: Arguments) throws(CommandError) -> Bool {
    switch arguments.value("format") {
    case "csv": false
    case "json": true
    case nil: arguments.value("out")?.hasSuffix(".json") ?? false
    case let other?: throw .usage("--format takes csv or json, not \(other)")
    }
}

private func compare(
    _ source: inout ImportSource, _ comparison: inout Reconciliation
) throws(CommandError) {
    var text = ByteBuffer()
    var isFinal = false
    while !isFinal {
        isFinal = try source.read(into: &text, room: 1 << 20) == 0
        do throws(StockFileError) {
            let consumed = try comparison.take(text.span, isFinal: isFinal)
            text.removeFirst(consumed)
        } catch { throw .failed("\(source.path), line \(error.line): \(error.code)") }
    }
}

private let pieceByteCount = 1 << 20

/// A file, or standard output.
private struct ReportFile: ~Copyable {
    let file: Descriptor?
    let console: Console

    init(_ path: String, _ console: Console) throws(SystemError) {
        file = path == "-" ? nil : try Descriptor.create(path)
        self.console = console
    }

    /// Writes what is in `output`, and empties it.
    func flush(_ output: inout ByteBuffer) throws(SystemError) {
        if file == nil { console.write(output.span) } else { try file?.write(output.span) }
        output.removeAll()
    }

    func sync() throws(SystemError) { try file?.sync() }
}

private func write(
    _ comparison: borrowing Reconciliation, _ tolerance: ReconciliationTolerance, asJSON: Bool,
    to path: String, _ console: Console
) throws(SystemError) {
    let file = try ReportFile(path, console)
    var output = ByteBuffer()
    if asJSON {
        comparison.append(summary: tolerance, to: &output)
        output.append(",\"variances\":[")
    } else {
        output.append(Reconciliation.csvHeader)
    }
    for index in comparison.variances.indices {
        let variance = comparison.variances[index]
        if asJSON {
            output.append(index > 0 ? ",\n" : "\n")
            comparison.append(json: variance, to: &output)
        } else {
            comparison.append(csv: variance, to: &output)
        }
        if output.count >= pieceByteCount { try file.flush(&output) }
    }
    if asJSON { output.append("]}\n") }
    try file.flush(&output)
    try file.sync()
}

/// Sums that are shown of each kind.
private let shownCount = 10

private func reportLines(
    _ comparison: borrowing Reconciliation, _ tolerance: ReconciliationTolerance
) -> [String] {
    var lines = [
        "\(grouped(comparison.rowCount)) rows compared, \(comparison.rejected.count) left out; "
            + "\(grouped(comparison.unnamedCount)) positions of ours are not in the file",
        "units: theirs \(grouped(Int(comparison.theirUnits))), ours "
            + "\(grouped(Int(comparison.ourUnits)))",
        "\(grouped(comparison.variances.count)) variances, \(grouped(Int(comparison.size))) units, "
            + "\(comparison.difference) in all: "
            + (comparison.isWithin(tolerance) ? "within the tolerance" : "BEYOND the tolerance"),
    ]
    if comparison.variances.isEmpty { return lines }
    let counts = comparison.explanationCounts().filter { $0.count > 0 }
        .map { "\($0.explanation.rawValue) \(grouped($0.count))" }
    lines += ["explained by: " + counts.joined(separator: ", "), ""]
    var rows = [["SKU", "LOCATION", "CONDITION", "THEIRS", "OURS", "DIFFERENCE", "EXPLANATION"]]
    for variance in comparison.variances.prefix(shownCount) {
        rows.append([
            comparison.skuName(variance), comparison.locationName(variance),
            "\(variance.condition.name)", "\(variance.theirs)", "\(variance.ours)",
            "\(variance.difference)",
            variance.explanation == .none ? variance.kind.rawValue : variance.explanation.rawValue,
        ])
    }
    lines += table(rows, [.left, .left, .left, .right, .right, .right, .left])
    for (title, byLocation) in [("LOCATION", true), ("SKU", false)] {
        var rows = [[title, "VARIANCES", "UNITS", "DIFFERENCE"]]
        for sum in comparison.sums(byLocation: byLocation).prefix(shownCount) {
            rows.append([sum.name, grouped(sum.count), grouped(Int(sum.size)), "\(sum.difference)"])
        }
        lines += [""] + table(rows, [.left, .right, .right, .right])
    }
    return lines
}
