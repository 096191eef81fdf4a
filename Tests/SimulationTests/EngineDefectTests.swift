// Mistakes made on purpose: the simulation must find each (P1).

#if PLANTED_DEFECTS
    import Engine
    import Testing

    @testable import Simulation

    @Suite struct EngineDefectTests {
        @Test(arguments: EngineDefect.allCases)
        func `the simulation finds it, and plays it again`(defect: EngineDefect) throws {
            let result = try EngineSimulation.run(
                seed: 1, runs: 300, defects: EngineDefects(defect))
            let seed = try #require(
                result.findingSeed, "not found in \(result.crashCount) crashes")
            #expect(!result.history.isEmpty)
            let again = try EngineSimulation.run(
                seed: seed, runs: 1, defects: EngineDefects(defect))
            #expect(again.finding == result.finding)
            #expect(again.history == result.history)
        }
    }
#endif
