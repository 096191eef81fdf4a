// `holdfast import`: files into a running service.

import Client

let importCommand = Subcommand(
    name: "import",
    usage: "\(ImportKind.allCases.map(\.rawValue).joined(separator: "|")) FILE... --to URL "
        + "[OPTION...]",
    summary: "Sends files to a running service.",
    options: [
        .value("to", "URL", "the service, like http://127.0.0.1:8080"),
        .value("as-of", "TIME", "stock: the moment at which it was so; the arrival by default"),
        .value("rejects", "FILE", "list rejected rows in a file instead of on standard error"),
        .flag("backfill", "events: take old history that may have been forgotten"),
        .value("connections", "2", "stock and items: pieces on their way at once"),
        .missing("data", "this version imports into a running service alone: use --to"),
    ],
    notes: """
        Files are CSV with a header, or one JSON object a line; rules are one JSON document. What is
        compressed by zstd is read as it is, and - is standard input.

          items      sku, category, name
          locations  location, kind, groups, open, utc_offset
          channels   channel, default_ttl_seconds
          groups     group, members
          stock      sku, location, sellable, returned, damaged, blocked; or on_hand
          events     id, kind, sku, location, qty, at, source, seq, channel, ...

        Lists in CSV are separated by a vertical bar. Good rows are taken; each rejected row is
        listed as FILE:LINE: code: detail, and then the exit status is 1. Rows of stock may arrive
        in any order: for a file that names a position twice, say --connections 1. Events may be
        sent again, as their ids tell repeats; so may stock, with --as-of the same moment.
        """
) { (arguments, console) throws(CommandError) in try runImport(arguments, console) }

private func runImport(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    let kind = try importKind(arguments)
    let paths = arguments.words.dropFirst()
    guard !paths.isEmpty else {
        throw .usage("import \(kind.rawValue) needs a file; - is standard input")
    }
    guard paths.filter({ $0 == "-" }).count <= 1 else {
        throw .usage("standard input can be read once only")
    }
    let url = try arguments.service("to")
    var options = ImportOptions()
    options.connectionCount = try arguments.integer(
        "connections", in: 1...64, default: options.connectionCount)
    options.asOf = try arguments.moment("as-of")
    options.isBackfill = arguments.has("backfill")
    if options.asOf != nil, kind != .stock { throw .usage("--as-of goes with stock only") }
    if options.isBackfill, kind != .events { throw .usage("--backfill goes with events only") }
    let rejects =
        if let path = arguments.value("rejects") {
            try RejectsList(console, path: path)
        } else {
            RejectsList(console)
        }
    return try importFiles(kind, Array(paths), to: url, options, console, rejects)
}

private func importKind(_ arguments: Arguments) throws(CommandError) -> ImportKind {
    let names = ImportKind.allCases.map(\.rawValue)
    guard let word = arguments.words.first else {
        throw .usage("import what? One of \(names.joined(separator: ", "))")
    }
    if let kind = ImportKind(rawValue: word) { return kind }
    if word == "holds" || word == "inbound" {
        throw .usage("\(word) cannot be imported by this version")
    }
    if let near = nearest(to: word, among: names) {
        throw .usage("\(word) cannot be imported; did you mean \(near)?")
    }
    throw .usage("\(word) cannot be imported; there are \(names.joined(separator: ", "))")
}

/// Imports file after file and says what became of each.
func importFiles(
    _ kind: ImportKind, _ paths: [String], to url: ServerURL, _ options: ImportOptions,
    _ console: Console, _ rejects: RejectsList
) throws(CommandError) -> ExitStatus {
    var total = ImportResult()
    for path in paths {
        let result = try importFile(kind, path, to: url, options, console, rejects)
        console.say("\(kind.rawValue) \(path): \(result.text)")
        total.add(result)
    }
    if paths.count > 1 { console.say("\(kind.rawValue) in all: \(total.text)") }
    return total.rejected > 0 ? .rejectedRows : .done
}
