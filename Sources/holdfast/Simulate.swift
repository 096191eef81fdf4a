// `holdfast simulate`: many lives on a disk that fails, judged by a model. Needs no data and no port.

import Engine
import Journal
import Platform
import Simulation

let simulateCommand = Subcommand(
    name: "simulate", usage: "[OPTION...]",
    summary: "Simulates power cuts and disk failures, and judges what is recovered.",
    options: [
        .value("seed", "N", "the seed of the first run (default 1)"),
        .value("runs", "M", "disks to simulate, of this seed and those behind it (default 100)"),
        .value("scope", "SCOPE", "engine (default): stock and all that it needs; journal: frames"),
        .flag("all-states", "fail when a state of the list is never visited (engine)"),
    ],
    notes: """
        A run is one disk with 20 lives, each ended by a cut, a failure or a kill. The same seed gives
        the same lives in every build. Where something acknowledged is lost, something never
        acknowledged comes twice, or stock differs from the model's, the run is printed and the exit
        status is 3; --seed SEED --runs 1 plays it again.
        """
) { (arguments, console) throws(CommandError) in try simulate(arguments, console) }

private func simulate(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    guard arguments.words.isEmpty else { throw .usage("simulate takes no words") }
    let seed = UInt64(try arguments.integer("seed", in: 0...Int.max, default: 1))
    let runs = try arguments.count("runs", in: 1...1_000_000_000, default: 100)
    let start = Clock.monotonicNanoseconds
    switch arguments.value("scope") ?? "engine" {
    case "engine":
        let result = try orFailed { () throws(SystemError) in
            try EngineSimulation.run(seed: seed, runs: runs)
        }
        report(result.summary, since: start, console)
        let missed = reportStates(result, console)
        if let found = result.violation { return report(found, scope: "engine", console) }
        if arguments.has("all-states"), !missed.isEmpty {
            throw .failed("never visited: \(missed.joined(separator: ", "))")
        }
    case "journal":
        let result: JournalSimulation.Result
        do throws(JournalError) {
            result = try JournalSimulation.run(seed: seed, runs: runs)
        } catch { throw .failed(error.description) }
        report(result.summary, since: start, console)
        if let found = result.violation { return report(found, scope: "journal", console) }
    case let scope: throw .usage("--scope takes engine or journal, not \(scope)")
    }
    return .done
}

/// What a simulation did, in the same words for both scopes.
private struct Summary {
    var scope: String
    var runCount: Int
    var crashCount: Int
    var frameCount: Int
    var recoveredCount: Int
    var stateHash: UInt64
    var isClean: Bool
}

/// Something that must not be.
struct Violation {
    var seed: UInt64
    var finding: String
    var history: [String]
}

extension EngineSimulation.Result {
    fileprivate var summary: Summary {
        Summary(
            scope: "engine", runCount: runCount, crashCount: crashCount, frameCount: frameCount,
            recoveredCount: replayedCount, stateHash: stateHash, isClean: finding == nil)
    }

    fileprivate var violation: Violation? {
        guard let finding, let findingSeed else { return nil }
        return Violation(seed: findingSeed, finding: finding, history: history)
    }
}

extension JournalSimulation.Result {
    fileprivate var summary: Summary {
        Summary(
            scope: "journal", runCount: runCount, crashCount: crashCount, frameCount: frameCount,
            recoveredCount: recoveredCount, stateHash: stateHash, isClean: finding == nil)
    }

    fileprivate var violation: Violation? {
        guard let finding, let findingSeed else { return nil }
        return Violation(seed: findingSeed, finding: finding, history: history)
    }
}

private func report(_ summary: Summary, since start: UInt64, _ console: Console) {
    let seconds = Double(Clock.monotonicNanoseconds - start) / 1e9
    let rate = Int(Double(summary.crashCount) / max(seconds, 1e-6))
    console.say(
        "\(summary.scope): \(summary.runCount) disks, \(summary.crashCount) crashes, "
            + "\(summary.frameCount) frames written, \(summary.recoveredCount) recovered")
    if summary.isClean { console.say("lost 0, ghosts 0, other differences 0") }
    console.say("hash \(String(summary.stateHash, radix: 16))")
    console.say(console.dim("\(rate) crashes/s"))
}

/// Prints how often each state was visited.
///
/// - Returns: Those that never were.
private func reportStates(_ result: EngineSimulation.Result, _ console: Console) -> [String] {
    let visits = SometimesState.allCases.map { ($0.name, result.visits[$0.rawValue]) }
    let rows = visits.filter { $0.1 > 0 }.map { ["  \($0.0)", "\($0.1)"] }
    for line in table(rows, [.left, .right]) { console.say(line) }
    let missed = visits.filter { $0.1 == 0 }.map(\.0)
    if !missed.isEmpty { console.say("never visited: \(missed.joined(separator: ", "))") }
    return missed
}

/// Prints what led to a violation, and how to see it again.
func report(_ found: Violation, scope: String, _ console: Console) -> ExitStatus {
    for line in found.history { console.say(line) }
    console.complain(
        "holdfast: seed \(found.seed): \(found.finding)\n"
            + "again: holdfast simulate --scope \(scope) --seed \(found.seed) --runs 1")
    return .failed
}
