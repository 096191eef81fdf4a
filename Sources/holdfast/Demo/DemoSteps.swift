// The steps of the demo, each with what it measured.

import Bytes
import CSV
import Client
import Engine
import HTTP
import JSON
import Platform
import SampleData
import Service

/// A demo under way.
struct Demo {
    let service: HoldfastService
    let url: ServerURL
    let folder: String
    let console: Console

    /// The SKUs in the order of their file; the load asks for the first ones most.
    private var skus: [String] = []

    /// What is available of each on the channel asked for.
    private var available: [Int64] = []

    /// Whether all figures were as they must be.
    private(set) var isAllRight = true

    private static let channel = "web"

    /// Connections that the load keeps busy.
    private static let loadConnectionCount = 50

    /// SKUs whose figures are added up from their positions.
    private static let checkedSKUCount = 50

    init(_ service: HoldfastService, folder: String, console: Console) {
        self.service = service
        self.folder = folder
        self.console = console
        url = ServerURL(service.address)
    }

    // MARK: - Filling

    /// Imports the files as a user would.
    mutating func fill() throws(CommandError) {
        heading("Import over HTTP")
        let start = Clock.monotonicNanoseconds
        var asOf = ByteBuffer()
        asOf.append(rfc3339: SampleDay.start)
        let files: [(ImportKind, String)] = [
            (.locations, "locations.csv"), (.groups, "groups.ndjson"),
            (.channels, "channels.csv"), (.items, "items.csv"), (.rules, "rules.json"),
            (.stock, "stock.csv.zst"), (.events, "events.ndjson.zst"),
        ]
        var rows: [[String]] = []
        for (kind, name) in files {
            var options = ImportOptions()
            options.asOf = kind == .stock ? asOf.span.text : nil
            options.isBackfill = kind == .events
            let result = try importFile(
                kind, "\(folder)/\(name)", to: url, options, console, RejectsList(console))
            if result.rejected > 0 { isAllRight = false }
            rows.append([
                "  \(kind.rawValue)", grouped(result.rowCount),
                decimal(Double(result.nanoseconds) / 1e6, places: 1) + " ms",
                decimal(result.rate, places: 0) + "/s", result.outcomes,
            ])
        }
        for line in table(rows, [.left, .right, .right, .right, .left]) { console.say(line) }
        let seconds = Double(Clock.monotonicNanoseconds - start) / 1e9
        console.say("  all of it in \(decimal(seconds, places: 2)) s")
    }

    /// Says what the store holds now.
    mutating func describeStore() throws(CommandError) {
        heading("Store")
        var figures = ShardFigures()
        for shard in 0..<service.engine.shardCount {
            figures.add(service.engine.figures(shard))
        }
        let master = service.engine.master
        let megabytes = Double(Machine.residentByteCount) / 1e6
        console.say(
            "  \(grouped(Int(figures.positions))) positions of \(grouped(Int(figures.skus))) SKUs "
                + "in \(grouped(master.locations.value.count)) locations, "
                + "\(grouped(Int(figures.remembered))) events remembered")
        console.say("  \(decimal(megabytes, places: 0)) MB of memory, the whole process")
    }

    // MARK: - Checking

    /// Asks for every SKU, and adds some of them up from their positions.
    mutating func check() throws(CommandError) {
        heading("Check")
        skus = try itemNames("\(folder)/items.csv")
        var client = HTTPClient(url)
        available = try availability(&client)
        let step = max(1, skus.count / Self.checkedSKUCount)
        var positions = 0
        var checked = 0
        for index in stride(from: 0, to: skus.count, by: step) {
            let sums = try positionSums(skus[index], &client)
            positions += sums.count
            checked += 1
            if sums.available != available[index] {
                isAllRight = false
                console.say(
                    "  WRONG: \(skus[index]) has \(available[index]) available, its positions add "
                        + "up to \(sums.available)")
            }
        }
        if isAllRight {
            console.say(
                "  \(checked) SKUs: what is available is the sum over their \(positions) positions")
        }
    }

    private func availability(_ client: inout HTTPClient) throws(CommandError) -> [Int64] {
        let start = Clock.monotonicNanoseconds
        let question = AvailabilityQuestion(skus: skus, channel: Self.channel)
        let response = try ask(question, &client)
        guard response.status == 200 else {
            throw .failed(describeAnswer(response, ServiceAnswer(client.body.span)))
        }
        let items = try answered(client.body.span)
        guard items.map(\.sku) == skus else {
            throw .failed("the answer is about other SKUs than those asked for")
        }
        console.say(
            "  \(grouped(skus.count)) SKUs in one request: answered in "
                + timeText(Clock.monotonicNanoseconds - start)
                + ", \(grouped(items.count { $0.available > 0 })) of them in stock")
        return items.map(\.available)
    }

    /// What the positions of a SKU have available in sum.
    private func positionSums(
        _ sku: String, _ client: inout HTTPClient
    ) throws(CommandError) -> (available: Int64, count: Int) {
        let response = try orFailed(url) { () throws(ClientError) in
            try client.call(ClientRequest("GET", "/v1/positions/" + percentEncoded(sku)))
        }
        guard response.status == 200 else {
            throw .failed(describeAnswer(response, ServiceAnswer(client.body.span)))
        }
        do throws(JSONError) { return try sumOfPositions(client.body.span) } catch {
            throw .failed("the answer cannot be read: \(error.code.name)")
        }
    }

    // MARK: - Load

    /// Asks for single items and for twenty at a time, half of the time each.
    ///
    /// - Returns: false when `isOver` ended it early.
    mutating func load(
        milliseconds: Int, isOver: () -> Bool
    ) throws(CommandError) -> Bool {
        let threadCount = max(1, Machine.processorCount / 2)
        heading("Load")
        console.say(
            console.dim(
                "  \(Self.loadConnectionCount) connections, each with one request on its way; "
                    + "load and service share \(Machine.processorCount) processor"
                    + (Machine.processorCount == 1 ? "" : "s")))
        var rows = [["", "requests/s", "items/s", "p50", "p99", "p99.9", "max", "compared"]]
        for itemCount in [1, 20] {
            if isOver() { return false }
            let workload = try Workload(
                skus, expected: available, itemCount: itemCount, url: url, channel: Self.channel)
            console.show(status: "load: \(itemCount) at a time ...")
            let result = try runLoad(
                workload, at: service.address, connectionCount: Self.loadConnectionCount,
                threadCount: threadCount, milliseconds: milliseconds / 2)
            console.endStatus()
            rows.append(row(result, itemCount: itemCount))
            if result.wrongCount > 0 {
                isAllRight = false
                console.say("  WRONG: \(grouped(result.wrongCount)) answers; \(result.firstWrong)")
            }
        }
        for line in table(rows, [.left] + Array(repeating: .right, count: 7)) { console.say(line) }
        return true
    }

    private func row(_ result: LoadResult, itemCount: Int) -> [String] {
        [
            "  \(itemCount) item\(itemCount == 1 ? "" : "s") a request",
            decimal(result.requestRate, places: 0),
            decimal(result.requestRate * Double(itemCount), places: 0),
            timeText(result.latency.quantile(0.5)), timeText(result.latency.quantile(0.99)),
            timeText(result.latency.quantile(0.999)), timeText(result.latencyMax),
            grouped(result.checkedCount) + (result.wrongCount == 0 ? " right" : ""),
        ]
    }

    // MARK: - What comes next

    func sayWhatToTry() {
        let index = available.firstIndex { $0 > 0 } ?? 0
        let sku = skus.isEmpty ? "SKU" : skus[index]
        heading("Try it")
        console.say(
            "  curl '\(url)/v1/availability/\(percentEncoded(sku))"
                + "?channel=\(Self.channel)&detail=locations'")
        // As it was called itself, so that the line works where no path leads to the program.
        let program = CommandLine.arguments.first ?? "holdfast"
        console.say("  \(program) query \(sku) --detail --from \(url)")
        console.say()
        console.say("\(console.bold("Serving on \(url)")); Ctrl-C ends it.")
    }

    private func heading(_ text: String) {
        console.say()
        console.say(console.bold(text))
    }
}

/// `text` as one segment of a path.
func percentEncoded(_ text: String) -> String {
    var encoded = ByteBuffer()
    encoded.percentEncode(text.utf8.span)
    return encoded.span.text
}

/// The SKUs of a file of items.
private func itemNames(_ path: String) throws(CommandError) -> [String] {
    var source = try ImportSource.open(path)
    var bytes = ByteBuffer()
    while try source.read(into: &bytes, room: 1 << 20) > 0 {}
    var reader = CSVReader()
    var names: [String] = []
    var isHeader = true
    while case .row = reader.nextRow(bytes.span, isFinal: true) {
        if !isHeader {
            var name = ByteBuffer()
            name.append(unquoted: reader.field(0), from: bytes.span)
            names.append(name.span.text)
        }
        isHeader = false
    }
    guard !names.isEmpty else { throw .failed("\(path) names no items") }
    return names
}

/// The sum of `available` over the positions of an answer.
private func sumOfPositions(
    _ bytes: Span<UInt8>
) throws(JSONError) -> (available: Int64, count: Int) {
    var sum: Int64 = 0
    var count = 0
    var reader = JSONReader()
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        guard key.equals("positions", in: bytes) else {
            try reader.skipValue(bytes)
            continue
        }
        try reader.beginArray(bytes)
        while try reader.nextElement(bytes) {
            count += 1
            try reader.beginObject(bytes)
            while let member = try reader.nextKey(bytes) {
                if member.equals("available", in: bytes) {
                    sum += try reader.integer(bytes)
                } else {
                    try reader.skipValue(bytes)
                }
            }
        }
    }
    try reader.end(bytes)
    return (sum, count)
}
