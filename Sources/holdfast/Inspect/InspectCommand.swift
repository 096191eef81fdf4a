// `holdfast inspect`: what is in a data directory.

import Bytes
import Service

let inspectCommand = Subcommand(
    name: "inspect", usage: "DIR [OPTION...]",
    summary: "Says what is in a data directory, every checksum verified.",
    options: [
        .flag("json", "the report as one JSON object"),
        .flag("facts", "the facts of the journal instead, one JSON object a line"),
        .value("stream", "N|control", "facts: of this shard, or of shared data, alone"),
        .value("from", "SEQUENCE", "facts: from this sequence of their stream on"),
        .flag("salvage", "write what can be proved of a damaged directory to a new one"),
        .value("reshard", "N", "write the same stock in N shards to a new directory"),
        .value("to", "OUT", "salvage, reshard: the new directory; there must be nothing yet"),
    ],
    notes: """
        The directory is read and never changed. It may be that of a running service; then the end
        of the journal may be under way.

        A salvage takes the newest whole snapshot and the frames that follow it in each stream without
        a gap, and says what is lost. Salvage and reshard need a directory that nobody serves; the new
        one begins with a snapshot, and holdfast serve --data OUT goes on from there.

        Exit status: 0 all is whole, 1 something is damaged (the report says where, and what can be
        done), 3 the directory cannot be read.
        """
) { (arguments, console) throws(CommandError) in try inspect(arguments, console) }

private func inspect(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    guard let path = arguments.words.first, arguments.words.count == 1 else {
        throw .usage("inspect takes one data directory")
    }
    let directory = try stored { () throws(StartError) in try StoredDirectory(path) }
    if arguments.has("facts") { return try listFacts(directory, arguments, console) }
    if let made = try makeDirectory(directory, arguments, console) { return made }
    for name in ["stream", "from"] where arguments.has(name) {
        throw .usage("--\(name) goes with --facts")
    }
    let inspection = try stored { () throws(StartError) in try DirectoryInspection(directory) }
    if arguments.has("json") {
        console.write(inspectionJSON(inspection).span)
    } else {
        for line in inspectionLines(inspection) { console.say(line) }
    }
    return inspection.isWhole ? .done : .damaged
}

/// Does what `--salvage` or `--reshard` ask for; nil: neither is there.
private func makeDirectory(
    _ directory: StoredDirectory, _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus? {
    let isSalvage = arguments.has("salvage")
    guard isSalvage || arguments.has("reshard") else {
        if arguments.has("to") { throw .usage("--to goes with --salvage or --reshard") }
        return nil
    }
    guard isSalvage != arguments.has("reshard") else {
        throw .usage("--salvage and --reshard exclude each other")
    }
    guard let target = arguments.value("to") else { throw .usage("--to OUT is required") }
    if isSalvage { return try salvage(directory, to: target, console) }
    return try reshard(directory, to: target, arguments, console)
}

/// Runs `body`; what keeps a directory from being used is a failure of the command.
func stored<Result: ~Copyable>(
    _ body: () throws(StartError) -> Result
) throws(CommandError) -> Result {
    do throws(StartError) { return try body() } catch { throw .failed(error.description) }
}
