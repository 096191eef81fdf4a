// `holdfast reconcile`: another system's stock file against ours, at that system's own cut-off.

import Bytes
import Client
import Domain
import JSON
import Platform
import Service

let reconcileCommand = Subcommand(
    name: "reconcile", usage: "FILE --as-of TIME (--from URL | --data DIR) [OPTION...]",
    summary: "Compares another system's stock with ours, as of its own cut-off.",
    options: [
        .value("as-of", "TIME", "the file's cut-off, by effective time"),
        .value("from", "URL", "a service, like http://127.0.0.1:8080"),
        .value("data", "DIR", "a data directory that nobody serves just now"),
        .value("out", "FILE", "every variance, as CSV or JSON; - is standard output"),
        .value("format", "csv|json", "by the name of the file, or CSV"),
        .value("tolerance", "0", "units that a line may differ by"),
        .value("tolerance-total", "0", "units that all lines beyond that may differ by"),
        .value("around", "1d", "how far from the cut-off facts are looked for that may explain"),
        .value("late-window", "7d", "with --data: that of the service, how late a count may come"),
    ],
    notes: """
        FILE has the columns of import stock: sku, location and sellable, returned, damaged, blocked, or
        on_hand; CSV or NDJSON, also compressed by zstd. Conditions that it does not have are not compared.

        Each variance is theirs less ours. What of our facts around the cut-off comes to just that is
        told as its explanation: late (came to us after the cut-off), duplicate (came twice under two
        ids), drawn_earlier and drawn_later (the last facts before the cut-off, or the first behind it),
        missing (one movement that they lack), recorded (one that a count of ours made void).

        Exit status 0: within the tolerance; 1: not, or rows were left out; 2 usage; 3 failed.
        """
) { (arguments, console) throws(CommandError) in try reconcile(arguments, console) }

/// What is asked for.
private struct ReconciliationChoice {
    let path: String
    let cutOff: Int64
    var tolerance = ReconciliationTolerance()
    let around: Int64
    let out: String?
    let asJSON: Bool

    init(_ arguments: Arguments) throws(CommandError) {
        guard arguments.words.count == 1 else { throw .usage("reconcile takes one file") }
        path = arguments.words[0]
        guard let text = try arguments.moment("as-of"),
            case .asOf(let cutOff)? = PastMoment(asOf: text.utf8.span)
        else { throw .usage("--as-of TIME is required: the cut-off of the file") }
        self.cutOff = cutOff
        tolerance.line = Int64(
            try arguments.integer("tolerance", in: 0...Int(Int32.max), default: 0))
        tolerance.total = Int64(
            try arguments.integer("tolerance-total", in: 0...1 << 53, default: 0))
        around = try arguments.duration("around", default: 86_400_000)
        out = arguments.value("out")
        asJSON = try wantsJSON(arguments)
    }
}

private func reconcile(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    let origin = try arguments.origin()
    let choice = try ReconciliationChoice(arguments)
    let start = Clock.monotonicNanoseconds
    let report =
        switch origin {
        case .directory(let path):
            try reconcile(choice, path, lateWindow: arguments.lateWindow(), console)
        case .service(let url):
            try reconcile(choice, url, arguments, console)
        }
    if choice.out != "-" {
        for line in reportLines(report) { console.say(line) }
        console.say("in \(timeText(Clock.monotonicNanoseconds - start))")
    }
    for row in report.rejected {
        console.complain("\(choice.path), line \(row.line): \(row.code)")
    }
    return report.isWithinTolerance ? .done : .rejectedRows
}

/// Compares with a directory.
private func reconcile(
    _ choice: ReconciliationChoice, _ path: String, lateWindow: Int64, _ console: Console
) throws(CommandError) -> ReconciliationReport {
    var source = try ImportSource.open(choice.path)
    let state = try stored { () throws(StartError) in
        try loadedState(path, .asOf(choice.cutOff), lateWindow: lateWindow)
    }
    var comparison = Reconciliation(state, cutOff: choice.cutOff)
    try compare(&source, &comparison)
    comparison.finish()
    try stored { () throws(StartError) in
        try comparison.explain(from: StoredDirectory(path), around: choice.around)
    }
    if let out = choice.out {
        let draft = try orFailed { () throws(SystemError) in try FileDraft(out, console) }
        do throws(SystemError) {
            try comparison.write(choice.tolerance, asJSON: choice.asJSON) {
                (bytes) throws(SystemError) in try draft.write(bytes)
            }
            try draft.publish()
        } catch { throw .failed(error.description) }
    }
    return comparison.report(choice.tolerance, varianceCount: shownCount)
}

/// Has a service compare.
private func reconcile(
    _ choice: ReconciliationChoice, _ url: ServerURL, _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ReconciliationReport {
    if arguments.value("late-window") != nil {
        throw .usage("--late-window goes with --data: a service has its own")
    }
    let target =
        "/v1/reconciliations?as_of=\(choice.cutOff)&tolerance=\(choice.tolerance.line)"
        + "&tolerance_total=\(choice.tolerance.total)&around_ms=\(choice.around)"
    let body = try answer(
        ClientRequest("POST", target, contentType: "text/csv"), to: choice.path, url)
    let report: ReconciliationReport
    do throws(JSONError) { report = try reconciliationReport(body.span) } catch {
        throw .failed("the answer cannot be read: \(error.code.name) at byte \(error.offset)")
    }
    if let out = choice.out {
        var draft = try orFailed { () throws(SystemError) in try FileDraft(out, console) }
        do throws(SystemError) {
            if choice.asJSON {
                try draft.write(body.span)
            } else {
                try write(report.variances, to: &draft)
            }
            try draft.publish()
        } catch { throw .failed(error.description) }
    }
    return report
}

/// Sends the text of a file, and gives the answer.
private func answer(
    _ request: ClientRequest, to path: String, _ url: ServerURL
) throws(CommandError) -> ByteBuffer {
    var source = try ImportSource.open(path)
    var failure: CommandError?
    var body = ByteBuffer()
    do throws(CommandError) {
        try streamed(request, url, hasBody: true) { (piece) throws(ClientError) in
            do throws(CommandError) { _ = try source.read(into: &piece, room: 1 << 18) } catch {
                failure = error
                throw .closedEarly
            }
        } _: {
            body.append($0)
        }
    } catch { throw failure ?? error }
    return body
}

private func write(
    _ variances: [VarianceLine], to draft: inout FileDraft
) throws(SystemError) {
    var output = ByteBuffer()
    output.append(VarianceLine.csvHeader)
    for variance in variances { output.append(csv: variance) }
    try draft.write(output.span)
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

/// Sums that are shown of each kind.
private let shownCount = 10

private func reportLines(_ report: ReconciliationReport) -> [String] {
    var lines = [
        "\(grouped(report.rowCount)) rows compared, \(report.rejectedCount) left out; "
            + "\(grouped(report.unnamedCount)) positions of ours are not in the file",
        "units: theirs \(grouped(Int(report.theirUnits))), ours "
            + "\(grouped(Int(report.ourUnits)))",
        "\(grouped(report.varianceCount)) variances, \(grouped(Int(report.size))) units, "
            + "\(report.difference) in all: "
            + (report.isWithinTolerance ? "within the tolerance" : "BEYOND the tolerance"),
    ]
    if report.varianceCount == 0 { return lines }
    let counts = report.explanations.map { "\($0.name) \(grouped($0.count))" }
    lines += ["explained by: " + counts.joined(separator: ", "), ""]
    var rows = [["SKU", "LOCATION", "CONDITION", "THEIRS", "OURS", "DIFFERENCE", "EXPLANATION"]]
    for variance in report.variances.prefix(shownCount) {
        rows.append([
            variance.sku, variance.location, variance.condition, "\(variance.theirs)",
            "\(variance.ours)", "\(variance.difference)",
            variance.explanation == "none" ? variance.kind : variance.explanation,
        ])
    }
    lines += table(rows, [.left, .left, .left, .right, .right, .right, .left])
    for (title, sums) in [("LOCATION", report.byLocation), ("SKU", report.bySKU)] {
        var rows = [[title, "VARIANCES", "UNITS", "DIFFERENCE"]]
        for sum in sums.prefix(shownCount) {
            rows.append([sum.name, grouped(sum.count), grouped(Int(sum.size)), "\(sum.difference)"])
        }
        lines += [""] + table(rows, [.left, .right, .right, .right])
    }
    return lines
}
