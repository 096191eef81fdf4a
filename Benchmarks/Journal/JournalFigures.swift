// The journal: frames through one commit without a sync, a lone commit with one, and simulated
// crashes.

import Foundation
import Journal
import Platform

extension Benchmark {
    func measureJournal() throws {
        let folder = NSTemporaryDirectory() + "holdfast-bench-journal-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try measureAppends(folder + "/append")
        try measureCommits(folder + "/commit")
        try measureCrashes()
    }

    private func configuration(_ durability: Durability) -> JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.durability = durability
        configuration.ballastByteCount = 0
        if options.isSmoke { configuration.segmentByteCount = 8 << 20 }
        return configuration
    }

    /// Frames of 16 shards, 1024 to a commit, beside one write of as many bytes.
    private func measureAppends(_ folder: String) throws {
        let bench = try AppendBench(folder, configuration(.none))
        let commits = options.isSmoke ? 4 : 40
        for unit in ["frames/s", "bytes/s"] {
            let comparison = Comparison(
                rounds: options.repeatCount,
                rooflines: [{ bench.bareWrites(commits, inBytes: unit == "bytes/s") }]
            ) { bench.appends(commits, inBytes: unit == "bytes/s") }
            report.add(
                Figure(
                    "journal", positions: 0, shape: "append, 192 B frames, no sync", unit: unit,
                    roofline: "bare write of the bytes", comparison))
        }
    }

    /// One frame, written and synced alone, beside a bare write and fdatasync of as many bytes.
    private func measureCommits(_ folder: String) throws {
        let bench = try AppendBench(folder, configuration(.sync))
        let commits = options.isSmoke ? 5 : 200
        let comparison = Comparison(
            rounds: options.repeatCount, rooflines: [{ bench.bareSyncs(commits) }]
        ) { bench.syncedCommits(commits) }
        report.add(
            Figure(
                "journal", positions: 0, shape: "commit of one frame, synced", unit: "commits/s",
                roofline: "bare write and fdatasync", comparison))
    }

    private func measureCrashes() throws {
        let runs = options.isSmoke ? 20 : 5000
        var rates: [Double] = []
        var hash: UInt64 = 0
        for _ in 0..<options.repeatCount {
            let (rate, checksum) = rate {
                do {
                    let result = try JournalSimulation.run(seed: Benchmark.seed, runs: runs)
                    check(result.finding == nil, "the simulation found a violation")
                    return Round(amount: result.crashCount, checksum: result.stateHash)
                } catch { fatalError("\(error)") }
            }
            rates.append(rate)
            hash = checksum
        }
        report.add(
            Figure(
                "journal", positions: 0, shape: "simulated crashes", unit: "crashes/s",
                Spread(rates), checksum: hash, goal: ">= 50k"))
    }
}
