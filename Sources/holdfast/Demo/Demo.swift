// `holdfast demo`: a service, a retailer's data, a busy day and a short load, in one process and a
// few seconds. Everything goes over HTTP, as it would for a user; every figure is measured.

import Client
import Engine
import Platform
import SampleData
import Service

let demoCommand = Subcommand(
    name: "demo", usage: "[OPTION...]",
    summary: "Starts a service, fills it with a retailer's data, loads it, and says how that went.",
    options: serviceOptions + [
        .value("seconds", "5", "how long the load lasts; 0 for none"),
        .flag("exit", "end when all is shown, instead of serving on"),
        .value("data-folder", "DIR", "where the sample data is"),
        .missing("data", "the demo keeps stock in memory only; the sample is --data-folder"),
    ],
    notes: """
        The data is an invented retailer's: 5,000 SKUs in 63 locations, and the events of its
        busiest day. The load runs in the same process and on the same processors as the service.
        """
) { (arguments, console) throws(CommandError) in try demo(arguments, console) }

private func demo(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    if let word = arguments.words.first { throw .usage("demo takes no \(word)") }
    let configuration = try serviceConfiguration(arguments)
    let seconds = try arguments.integer("seconds", in: 0...3600, default: 5)
    let folder = try sampleFolder(named: arguments.value("data-folder"))
    // Before any other thread is there: they inherit the block.
    let signals = try orFailed { () throws(SystemError) in try TerminationSignals() }
    let service = try demoService(configuration, hasChosenPort: arguments.has("http"))
    console.say(console.bold("Holdfast \(holdfastVersion)") + ": a retailer's busiest day")
    console.say()
    console.say(
        "service   http://\(service.address): "
            + describe(configuration, shardCount: service.engine.shardCount))
    console.say("data      \(folder)")
    var show = Demo(service, folder: folder, console: console)
    let isOver = { signals.wait(timeoutMilliseconds: 0) != nil }
    defer {
        service.stop()
        service.join()
    }
    try show.fill()
    if isOver() { return .done }
    try show.describeStore()
    try show.check()
    if seconds > 0, !isOver() {
        guard try show.load(milliseconds: seconds * 1000, isOver: isOver) else { return .done }
    }
    if arguments.has("exit") {
        guard show.isAllRight else { throw .failed("figures are not as they must be") }
        return .done
    }
    show.sayWhatToTry()
    return finish(service, signals)
}

/// The service of the demo; where the standard port is taken, it listens on a free one.
private func demoService(
    _ wanted: ServiceConfiguration, hasChosenPort: Bool
) throws(CommandError) -> HoldfastService {
    var configuration = wanted
    if !hasChosenPort {
        do throws(SystemError) { _ = try Listener(at: configuration.address) } catch {
            configuration.address = .loopback(port: 0)
        }
    }
    return try startedService(configuration)
}
