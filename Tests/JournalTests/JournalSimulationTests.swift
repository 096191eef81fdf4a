// Random long lives (D2, with D6, D7, D8 and D11 among them), and the planted defects (P1).

import Testing

@testable import Journal

@Suite struct JournalSimulationTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `nothing acknowledged is lost and no ghost appears`(seed: UInt64) throws {
        let result = try JournalSimulation.run(seed: seed, runs: 60)
        #expect(result.finding == nil, "run seed \(result.findingSeed ?? 0)")
        #expect(result.crashCount == 60 * JournalSimulation.lifeCount)
        #expect(result.recoveredCount > 5000)
    }

    @Test func `interval and none lose nothing that was synced`() throws {
        for durability in [Durability.interval(milliseconds: 5), .none] {
            var configuration = JournalSimulation.smallConfiguration()
            configuration.durability = durability
            let result = try JournalSimulation.run(
                seed: 4, runs: 40, configuration: configuration)
            #expect(result.finding == nil, "run seed \(result.findingSeed ?? 0)")
        }
    }

    @Test func `the same seed gives the same disks`() throws {
        let first = try JournalSimulation.run(seed: 5, runs: 10)
        #expect(try JournalSimulation.run(seed: 5, runs: 10) == first)
        #expect(try JournalSimulation.run(seed: 6, runs: 10).stateHash != first.stateHash)
    }
}
