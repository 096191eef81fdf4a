import Bytes
import Domain
import Engine
import Testing

@Suite struct HistoryTests {
    /// Always the same ones, and one that was never tried.
    static let seeds = Array(UInt64(1)...40) + [UInt64.random(in: 0 ... .max)]

    /// Without this the next test could agree about nothing.
    @Test func `random histories meet every outcome that a shard can decide`() throws {
        var met: Set<Outcome> = []
        for seed in UInt64(1)...8 {
            let play = try Play(History(seed: seed, stepCount: 300))
            _ = try play.difference()
            met.formUnion(play.outcomes.keys)
        }
        #expect(
            met == [
                .accepted, .recorded, .duplicate, .parkedBeforeWindow, .parkedUnknownSKU,
                .parkedUnknownLocation, .parkedBeforeMemory, .overflow, .idConflict, .parkingFull,
                .unknownLetter,
                .rowBeforeWindow, .rowUnknownSKU, .rowUnknownLocation,
            ])
    }

    @Test(arguments: seeds)
    func `a random history ends as the naive model says, at every step`(seed: UInt64) throws {
        let history = History(seed: seed, stepCount: 300)
        guard let difference = try Play(history).difference() else { return }
        let shortest = try history.shortened(attempts: 400)
        let found = try Play(shortest).difference() ?? difference
        let steps = shortest.steps.map { "    \($0)" }.joined(separator: "\n")
        Issue.record("seed \(seed): \(found)\n  options: \(shortest.options)\n\(steps)")
    }

    /// Batches of dozens of commands, which are looked up ahead of each other, in runs of up to 96
    /// positions.
    @Test(arguments: seeds.suffix(12))
    func `a crowded history ends as the naive model says`(seed: UInt64) throws {
        let history = History(seed: seed, stepCount: 1200, isCrowded: true)
        guard let difference = try Play(history).difference() else { return }
        Issue.record("seed \(seed): \(difference)")
    }
}
