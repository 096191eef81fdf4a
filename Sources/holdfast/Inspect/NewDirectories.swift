// `holdfast inspect DIR --salvage` and `--reshard`: a new directory from an old one.

import Journal
import Service
import Snapshot

/// `--salvage --to OUT`: what can be proved of a damaged directory, and what was lost.
func salvage(
    _ directory: StoredDirectory, to target: String, _ console: Console
) throws(CommandError) -> ExitStatus {
    let summary = try stored { () throws(StartError) in try directory.salvage(to: target) }
    for passed in summary.passedOver {
        console.say("snapshot \(passed.number) is passed over: \(passed.reason)")
    }
    let snapshot = summary.snapshot.map { "snapshot \($0.number)" } ?? "the first frame"
    console.say(
        "began with \(snapshot); \(target) has \(grouped(summary.written.positions)) positions")
    for stream in summary.streams {
        let name = stream.stream == StreamNumber.control ? "control" : "\(stream.stream)"
        let head = stream.head.sequence
        if let refusal = stream.refusal { console.say("stream \(name): ended, as \(refusal)") }
        if stream.newestSeen > head {
            console.say(
                "stream \(name): LOST from sequence \(head + 1) on; the last one seen is "
                    + "\(stream.newestSeen)")
        } else {
            console.say("stream \(name): whole through sequence \(head), as far as can be seen")
        }
    }
    return summary.hasLosses ? .damaged : .done
}

/// `--reshard N --to OUT`.
func reshard(
    _ directory: StoredDirectory, to target: String, _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    let count = try arguments.integer("reshard", in: 1...256, default: directory.shardCount)
    guard count & (count - 1) == 0 else {
        throw .usage("--reshard takes a power of two, not \(count)")
    }
    let manifest = try stored { () throws(StartError) in
        try directory.reshard(to: target, shardCount: count)
    }
    console.say(
        "\(target) has \(grouped(manifest.positions)) positions in \(count) shards, "
            + "\(directory.path) has \(directory.shardCount) shards and is as it was")
    return .done
}
