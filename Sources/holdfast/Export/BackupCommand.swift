// `holdfast backup`: a copy of a data directory, beside its service too, or from it.

import Client
import Journal
import Platform
import Service
import Snapshot

let backupCommand = Subcommand(
    name: "backup", usage: "--to DIR (--from URL | --data DIR)",
    summary: "Copies a data directory, also while a service runs in it.",
    options: [
        .value("from", "URL", "of the service, like http://127.0.0.1:8080, from any machine"),
        .value("data", "DIR", "the data directory, on the service's machine"),
        .value("to", "DIR", "where the copy is to be; there must be nothing yet"),
    ],
    notes: """
        The copy has the newest whole snapshot, the journal, the history and the key of names; it is
        read back and compared before it gets its name, so there is a whole copy or none. To restore,
        start a service on the copy: holdfast serve --data DIR.

        curl URL/v1/backup | tar x makes the same copy, in a folder of its own.
        """
) { (arguments, console) throws(CommandError) in try backUp(arguments, console) }

private func backUp(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    if let word = arguments.words.first { throw .usage("backup takes no \(word)") }
    let origin = try arguments.origin()
    guard let target = arguments.value("to") else { throw .usage("--to DIR is required") }
    let start = Clock.monotonicNanoseconds
    let summary =
        switch origin {
        case .directory(let path):
            try stored { () throws(StartError) in try StoredDirectory(path).backUp(to: target) }
        case .service(let url): try download(from: url, to: target)
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

private func download(
    from url: ServerURL, to target: String
) throws(CommandError) -> BackupSummary {
    var receiver = try orFailed { () throws(SystemError) in try BackupReceiver(to: target) }
    try streamed(ClientRequest("GET", "/v1/backup"), url) { (bytes) throws(SystemError) in
        try receiver.take(bytes)
    }
    do throws(StartError) { return try receiver.finish() } catch {
        throw .failed(error.description)
    }
}
