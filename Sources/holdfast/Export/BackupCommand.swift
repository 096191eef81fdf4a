// `holdfast backup`: a copy of a data directory, beside its service too.

import Journal
import Platform
import Service
import Snapshot

let backupCommand = Subcommand(
    name: "backup", usage: "--to DIR --data DIR",
    summary: "Copies a data directory, also while a service runs in it.",
    options: [
        .value("data", "DIR", "the data directory"),
        .value("to", "DIR", "where the copy is to be; there must be nothing yet"),
        .missing(
            "from",
            "backups are made on the service's machine: use --data, also while the service runs"),
    ],
    notes: """
        The copy has the newest whole snapshot, the journal and the key of names; it is read back
        and compared before it gets its name, so there is a whole copy or none. To restore, start a
        service on the copy: holdfast serve --data DIR.
        """
) { (arguments, console) throws(CommandError) in try backUp(arguments, console) }

private func backUp(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    if let word = arguments.words.first { throw .usage("backup takes no \(word)") }
    guard let path = arguments.value("data") else { throw .usage("--data DIR is required") }
    guard let target = arguments.value("to") else { throw .usage("--to DIR is required") }
    let start = Clock.monotonicNanoseconds
    let summary = try stored { () throws(StartError) in
        try StoredDirectory(path).backUp(to: target)
    }
    let snapshot =
        summary.snapshot.map {
            "snapshot \($0.number) (\(grouped($0.positions)) positions) and "
        } ?? ""
    console.say(
        "\(target): \(snapshot)\(grouped(summary.journal.report.frameCount)) frames of the "
            + "journal in \(timeText(Clock.monotonicNanoseconds - start))")
    return .done
}
