// Mistakes in snapshots made on purpose: the simulation must find each (P1).

#if PLANTED_DEFECTS
    import Snapshot
    import Testing

    @testable import Simulation

    @Suite struct SnapshotDefectTests {
        @Test(arguments: SnapshotDefect.allCases)
        func `the simulation finds it, and plays it again`(defect: SnapshotDefect) throws {
            let result = try EngineSimulation.run(
                seed: 1, runs: 300, snapshots: SnapshotDefects(defect))
            let seed = try #require(
                result.findingSeed, "not found in \(result.crashCount) crashes")
            #expect(!result.history.isEmpty)
            let again = try EngineSimulation.run(
                seed: seed, runs: 1, snapshots: SnapshotDefects(defect))
            #expect(again.finding == result.finding)
            #expect(again.history == result.history)
        }
    }
#endif
