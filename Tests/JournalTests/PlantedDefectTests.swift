// Mistakes made on purpose: the simulation must find each (P1).

#if PLANTED_DEFECTS
    import Testing

    @testable import Journal

    @Suite struct PlantedDefectTests {
        @Test(arguments: PlantedDefect.allCases)
        func `the simulation finds it`(defect: PlantedDefect) throws {
            var configuration = JournalSimulation.smallConfiguration()
            configuration.defects = PlantedDefects(defect)
            // What is cleaned, marked or synced without an acknowledgement shows in this mode.
            let isLazy = [.durableUpToTooHigh, .segmentNotSynced].contains(defect)
            if isLazy { configuration.durability = .interval(milliseconds: 5) }
            let result = try JournalSimulation.run(
                seed: 7, runs: 2000, configuration: configuration)
            #expect(result.finding != nil, "not found in \(result.crashCount) crashes")
        }
    }
#endif
