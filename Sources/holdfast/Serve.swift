// `holdfast serve`: the service in the foreground, until a signal ends it.

import Engine
import History
import Journal
import Platform
import Service
import Snapshot
import Synchronization

let serveCommand = Subcommand(
    name: "serve", usage: "[OPTION...]",
    summary: "Runs the service until SIGTERM or SIGINT ends it.",
    options: serviceOptions + [
        .value("late-window", "7d", "how long movements are kept to place late counts"),
        .value("dedup-max", "100M", "events that are remembered to tell repeats"),
        .value("max-connections", "10000", "connections in all"),
        .value("max-connections-per-address", "1000", "connections from one address"),
        .flag("pin", "bind each reactor to a processor of its own"),
        .value("data", "DIR", "where stock is kept; without it, in memory only"),
        .value(
            "durability", "sync",
            "when an answer leaves: sync (it survives a power cut), interval:MS or none"),
        .value("segment-bytes", "67108864", "bytes of a new file of the journal"),
        .value("ballast-bytes", "67108864", "bytes that are given up when the disk is full"),
        .value("snapshot-every", "5m", "how often a snapshot is taken; 0s: never by the clock"),
        .value("snapshots-kept", "3", "snapshots that are kept, at least 2"),
        .value("history", "30d", "how far back the past can be told; 0s: not at all"),
        .value("history-bytes", "16G", "bytes that the past may take"),
        .missing("resp", "this version speaks HTTP alone"),
        .missing("config", "this version takes options from the command line alone"),
    ],
    notes: """
        With --data, whatever was acknowledged is there again after any end, a power cut too.
        Without it stock is kept in memory only: what the service knows is gone when it ends.

        The first signal ends it in order: requests under way are answered, then it exits with 0.
        A second one ends it at once.
        """
) { (arguments, console) throws(CommandError) in try serve(arguments, console) }

/// The options that `serve` and `demo` share.
let serviceOptions: [Option] = [
    .value("http", "127.0.0.1:8080", "where to listen"),
    .value("reactors", "N", "threads that serve; one per processor by default"),
    .value("shards", "16", "parts of the store, a power of two up to 256"),
    .value("unknown", "create|refuse", "what becomes of unknown names in stock and events"),
    .flag("insecure", "listen beyond this machine, although there are no API keys"),
]

/// The service that the options describe; those that a command does not have keep their standard.
func serviceConfiguration(_ arguments: Arguments) throws(CommandError) -> ServiceConfiguration {
    var configuration = ServiceConfiguration()
    configuration.address = try arguments.address("http", default: configuration.address)
    guard configuration.address.isLoopback || arguments.has("insecure") else {
        throw .usage(
            "\(configuration.address) can be reached from other machines, and this version has no "
                + "API keys: whoever reaches it can change stock. Say --insecure if the network "
                + "is to be trusted, or listen on 127.0.0.1")
    }
    configuration.reactorCount = try arguments.integer(
        "reactors", in: 1...256, default: Machine.processorCount)
    var engine = EngineOptions()
    engine.shardCount = try arguments.integer("shards", in: 1...256, default: engine.shardCount)
    guard engine.shardCount & (engine.shardCount - 1) == 0 else {
        throw .usage("--shards takes a power of two, not \(engine.shardCount)")
    }
    switch arguments.value("unknown") {
    case nil, "create": engine.createsUnknown = true
    case "refuse": engine.createsUnknown = false
    case let other?: throw .usage("--unknown takes create or refuse, not \(other)")
    }
    engine.lateWindow = try arguments.duration("late-window", default: engine.lateWindow)
    engine.rememberedMax = try arguments.count(
        "dedup-max", in: 1...1_000_000_000, default: engine.rememberedMax)
    configuration.engine = engine
    let limits = configuration.limits
    configuration.limits.connectionCountMax = try arguments.count(
        "max-connections", in: 1...10_000_000, default: limits.connectionCountMax)
    configuration.limits.connectionCountMaxPerAddress = try arguments.count(
        "max-connections-per-address", in: 1...10_000_000,
        default: limits.connectionCountMaxPerAddress)
    configuration.pinsThreads = arguments.has("pin")
    configuration.data = try dataConfiguration(arguments)
    return configuration
}

/// What is kept on disk, by `--data` and the options that go with it.
private func dataConfiguration(
    _ arguments: Arguments
) throws(CommandError) -> DataConfiguration? {
    guard let path = arguments.value("data") else {
        for name in [
            "durability", "segment-bytes", "ballast-bytes", "snapshot-every", "snapshots-kept",
            "history", "history-bytes",
        ]
        where arguments.value(name) != nil {
            throw .usage("--\(name) needs --data DIR: without it stock is in memory only")
        }
        return nil
    }
    var data = DataConfiguration(path: path)
    if arguments.value("shards") != nil {
        data.shardCount = try arguments.integer("shards", in: 1...256, default: 16)
    }
    if let text = arguments.value("durability") {
        guard let durability = Durability(text) else {
            throw .usage("--durability takes sync, interval:MS (1 to 60000) or none, not \(text)")
        }
        data.durability = durability
    }
    data.segmentByteCount = try arguments.integer(
        "segment-bytes", in: DataConfiguration.segmentByteCounts, default: data.segmentByteCount)
    guard data.segmentByteCount % 4096 == 0 else {
        throw .usage("--segment-bytes takes a multiple of 4096, not \(data.segmentByteCount)")
    }
    data.ballastByteCount = try arguments.integer(
        "ballast-bytes", in: 0...1 << 40, default: data.ballastByteCount)
    if arguments.value("snapshot-every") == "0s" {
        data.snapshots.every = 0
    } else {
        data.snapshots.every = try arguments.duration(
            "snapshot-every", default: data.snapshots.every)
    }
    data.snapshots.keptCount = try arguments.integer(
        "snapshots-kept", in: 2...1000, default: data.snapshots.keptCount)
    if arguments.value("history") == "0s" {
        data.history.age = 0
    } else {
        data.history.age = try arguments.duration("history", default: data.history.age)
    }
    data.history.byteCount = try arguments.count(
        "history-bytes", in: 0...1 << 50, default: data.history.byteCount)
    return data
}

/// A service that listens.
///
/// - Throws: When it cannot, also because another one listens there: reactors share their port, so
///   the kernel alone would let two services of one user share it too.
func startedService(
    _ configuration: ServiceConfiguration
) throws(CommandError) -> HoldfastService {
    Machine.raiseDescriptorLimit()
    do {
        _ = try Listener(at: configuration.address)
        let service = try HoldfastService(configuration)
        try service.start()
        return service
    } catch { throw .failed("\(error)") }
}

/// Loads what a service keeps, and says what that was.
private func load(_ service: HoldfastService, _ console: Console) throws(CommandError) {
    let summary: RecoverySummary
    do { summary = try service.load() } catch {
        service.stop()
        service.join()
        throw .failed(error.description)
    }
    guard let journal = summary.journal else { return }
    for passed in summary.passedOver {
        console.say("snapshot \(passed.number) is passed over: \(passed.reason)")
    }
    if let snapshot = summary.snapshot {
        console.say(
            "loaded \(grouped(snapshot.positions)) positions of snapshot \(snapshot.number): "
                + "\(grouped(summary.snapshotMilliseconds)) ms")
    } else if journal.frameCount == 0, journal.cutByteCount == 0 {
        console.say("the data directory is new")
        return
    }
    console.say(
        "replayed \(grouped(summary.factCount)) facts in \(grouped(summary.frameCount)) frames: "
            + "\(grouped(summary.replayMilliseconds)) ms, and "
            + "\(grouped(summary.rulesMilliseconds)) ms for what follows from rules")
    if journal.cutByteCount > 0 {
        console.say(
            "cut \(grouped(journal.cutByteCount)) bytes at the end of the journal that were never "
                + "acknowledged")
    } else if !journal.wasClosed {
        console.say("the journal was not closed in order; nothing had to be cut")
    }
}

private func serve(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    if let word = arguments.words.first { throw .usage("serve takes no \(word)") }
    let configuration = try serviceConfiguration(arguments)
    // Before any other thread is there: they inherit the block.
    let signals = try orFailed { () throws(SystemError) in try TerminationSignals() }
    let service = try startedService(configuration)
    console.say(
        "holdfast \(holdfastVersion) listens on http://\(service.address): "
            + describe(configuration, shardCount: service.engine.shardCount))
    try load(service, console)
    let status = finish(service, signals)
    switch service.close({ signals.wait(timeoutMilliseconds: 0) == nil }) {
    case .published(let manifest, let milliseconds):
        console.say("snapshot \(manifest.number) in \(grouped(milliseconds)) ms")
    case .failed(let reason): console.say("no last snapshot: \(reason)")
    case nil: break
    }
    return status
}

/// What a service is made of, in one line.
///
/// - Parameter shardCount: Of the service; a data directory has a number of its own.
func describe(_ configuration: ServiceConfiguration, shardCount: Int) -> String {
    let engine = configuration.engine
    var parts = [
        "\(configuration.reactorCount) reactor" + (configuration.reactorCount == 1 ? "" : "s"),
        "\(shardCount) shard" + (shardCount == 1 ? "" : "s"),
        engine.createsUnknown ? "unknown names created" : "unknown names refused",
        "late window \(durationText(engine.lateWindow))",
        configuration.data.map { "stock in \($0.path), durability \($0.durability)" }
            ?? "stock in memory only",
    ]
    if configuration.pinsThreads { parts.append("pinned") }
    if !configuration.address.isLoopback { parts.append("open to other machines without keys") }
    return parts.joined(separator: ", ")
}

/// Waits for a signal and ends the service in order; a second signal ends it at once.
func finish(
    _ service: HoldfastService, _ signals: borrowing TerminationSignals
) -> ExitStatus {
    _ = signals.wait()
    service.drain()
    let hasEnded = Flag()
    let joiner = try? Thread.start(name: "joiner") {
        service.join()
        hasEnded.raise()
    }
    while !hasEnded.isUp {
        if signals.wait(timeoutMilliseconds: 20) != nil { service.stop() }
    }
    joiner?.join()
    return .done
}

/// A flag that one thread raises for others.
final class Flag: Sendable {
    private let word = Atomic<Bool>(false)

    // Release and acquire: who sees it up sees what was done before.
    func raise() { word.store(true, ordering: .releasing) }
    var isUp: Bool { word.load(ordering: .acquiring) }
}
