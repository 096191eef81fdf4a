// Random long lives of an engine (D2, with D4 to D9 and D11 among them), a cut at every operation
// (D1), and that a seed gives the same again (D16).

import Engine
import Testing

@testable import Simulation

@Suite struct EngineSimulationTests {
    @Test(arguments: [1, 101, 201] as [UInt64])
    func `nothing acknowledged is lost, and state is the model's`(seed: UInt64) throws {
        let result = try EngineSimulation.run(seed: seed, runs: 8)
        #expect(result.finding == nil, "run seed \(result.findingSeed ?? 0)")
        #expect(result.crashCount >= 8 * EngineSimulation.lifeCount)
        #expect(result.replayedCount > 1000)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `a cut at any operation leaves a past that was`(seed: UInt64) throws {
        let result = try EngineSimulation.cutEverywhere(
            seed: seed, stepCount: 60, survivalCount: 1)
        #expect(result.finding == nil, "\(result.history)")
        // Twice at each operation, and there are as many as syncs and writes at the least.
        #expect(result.crashCount > 40)
        #expect(result.frameCount > 40)
    }

    @Test func `D10 a cut at any operation of a snapshot or a trim leaves one that was`() throws {
        let result = try EngineSimulation.cutEverywhere(
            seed: 1, stepCount: 40, takesSnapshot: true, survivalCount: 1)
        #expect(result.finding == nil, "\(result.history)")
        for state in [
            SometimesState.snapshotCut, .publicationCut, .pruningCut, .trimCut, .journalTrimmed,
            .unansweredSnapshotKept,
        ] {
            #expect(result.visits[state.rawValue] > 0, "\(state)")
        }
    }

    @Test func `the same seed gives the same lives`() throws {
        let first = try EngineSimulation.run(seed: 5, runs: 2)
        #expect(try EngineSimulation.run(seed: 5, runs: 2) == first)
        #expect(try EngineSimulation.run(seed: 7, runs: 2).stateHash != first.stateHash)
    }

    @Test func `a later run is played alone as it was among others`() throws {
        let two = try EngineSimulation.run(seed: 5, runs: 2)
        let first = try EngineSimulation.run(seed: 5, runs: 1)
        let second = try EngineSimulation.run(seed: 6, runs: 1)
        #expect(two.crashCount == first.crashCount + second.crashCount)
        #expect(two.commandCount == first.commandCount + second.commandCount)
        #expect(two.frameCount == first.frameCount + second.frameCount)
    }

    @Test func `both shards have SKUs`() throws {
        let simulation = try EngineSimulation(defects: EngineDefects())
        #expect(simulation.skus.allSatisfy { $0.count >= 2 })
    }
}
