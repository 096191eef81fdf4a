import Testing

@testable import holdfast

@Suite struct SimulateTests {
    @Test func `a simulation says what it did, and that nothing was lost`() {
        let run = run("simulate", "--seed", "3", "--runs", "2")
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        #expect(run.output.hasPrefix("engine: 2 disks, "))
        #expect(run.output.contains("\nlost 0, ghosts 0, other differences 0\n"))
        #expect(run.output.contains("  powerLost "))
        #expect(run.output.contains("crashes/s"))
    }

    @Test func `the journal alone is simulated too`() {
        let run = run("simulate", "--scope", "journal", "--runs", "3")
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("journal: 3 disks, 60 crashes, "))
        #expect(run.output.contains("\nlost 0, ghosts 0, other differences 0\n"))
    }

    @Test func `the same seed gives the same hash`() throws {
        func hash(_ seed: String) throws -> Substring {
            let lines = run("simulate", "--seed", seed, "--runs", "1").output.split(separator: "\n")
            return try #require(lines.first { $0.hasPrefix("hash ") })
        }
        #expect(try hash("7") == hash("7"))
        #expect(try hash("7") != hash("8"))
    }

    @Test func `a state that was never visited fails where all must be`() {
        let run = run("simulate", "--runs", "1", "--all-states")
        #expect(run.status == 3)
        #expect(run.errors.hasPrefix("holdfast: never visited: "))
    }

    @Test(arguments: [
        ["--scope", "disk"], ["--runs", "0"], ["--runs", "many"], ["--seed", "-1"], ["now"],
    ])
    func `wrong usage is said to be so`(arguments: [String]) {
        let console = Console.capturing()
        #expect(runHoldfast(["simulate"] + arguments, console: console) == 2)
        #expect(console.captured.output.isEmpty)
    }

    @Test func `a violation is told with its history and how to see it again`() {
        let console = Console.capturing()
        let violation = Violation(
            seed: 42, finding: "kept 1, acknowledged 2", history: ["start", "power lost"])
        #expect(report(violation, scope: "engine", console) == .failed)
        #expect(console.captured.output == "start\npower lost\n")
        #expect(
            console.captured.errors
                == "holdfast: seed 42: kept 1, acknowledged 2\n"
                + "again: holdfast simulate --scope engine --seed 42 --runs 1\n")
    }
}
