import Bytes
import Columns
import Domain
import Engine
import Synchronization
import Testing

@Suite struct ConcurrentReferenceTests {
    /// Stock only grows, and other positions come in before and behind: a reader by reference sees
    /// numbers that never fall, or learns that its reference is out of date.
    @Test func `a reference reads its own position however the run grows`() throws {
        let options = EngineFixture.options { $0.shardCount = 1 }
        var random = SeededGenerator(seed: 5)
        let engine = try Engine(options: options, using: &random)
        for location in 0..<200 {
            _ = try withUTF8("L\(location)") { (bytes) throws(MasterDataRefusal) in
                try engine.master.addLocation(bytes)
            }
        }
        let policy = engine.master.policy(now: testStart)
        let fixture = EngineFixture(sharing: engine, policy)
        // Position L100 counts up by one a step and ends at 2,001; the others have millions.
        _ = try fixture.apply(.event(.receipt, 1, at: "L100"))
        let findings = Findings()
        let state = ThreadState(isDone: Atomic(false), reads: Atomic(0))
        onThreads([
            { Self.grow(engine, policy, findings, state) },
            { Self.read(engine, policy, findings, state) },
            { Self.read(engine, policy, findings, state) },
        ])
        for finding in findings.all { Issue.record("\(finding)") }
        #expect(fixture.byReference("A", "L100") == 2001)
    }

    private static func grow(
        _ engine: Engine, _ policy: Policy, _ findings: Findings, _ state: ThreadState
    ) {
        defer { state.isDone.store(true, ordering: .releasing) }
        let fixture = EngineFixture(sharing: engine, policy)
        for step in 0..<2000 {
            // L199, L0, L198, L1 …: every tenth step the run grows at one of its ends.
            let place = step / 10
            let other = place % 2 == 0 ? 199 - place / 2 : place / 2
            let commands: [NamedCommand] = [
                .event(.receipt, 1, at: "L100"),
                .event(.receipt, 1_000_000, at: other == 100 ? "L99" : "L\(other)"),
            ]
            guard let outcomes = try? fixture.apply(commands), outcomes == [.accepted, .accepted]
            else { return findings.report("step \(step) failed") }
        }
    }

    private static func read(
        _ engine: Engine, _ policy: Policy, _ findings: Findings, _ state: ThreadState
    ) {
        let slot = engine.quietPoints.register()
        engine.quietPoints.enter(slot)
        defer { engine.quietPoints.leave(slot) }
        let fixture = EngineFixture(sharing: engine, policy)
        var last: Int32 = 1
        var reference: PositionReference?
        while !state.isDone.load(ordering: .acquiring) {
            engine.quietPoints.pass(slot)
            guard let found = reference else {
                reference = withUTF8("A") { sku in
                    withUTF8("L100") { engine.reference(sku: sku, location: $0) }
                }
                continue
            }
            var answers: [Int32] = [-2]
            var span = answers.mutableSpan
            let stale = engine.availableToPromise([found].span, fixture.policy, into: &span)
            if stale == 1, answers[0] == -1 {
                reference = nil
            } else if stale == 0, answers[0] >= last, answers[0] <= 2001 {
                last = answers[0]
            } else {
                return findings.report("\(answers[0]) after \(last), \(stale) out of date")
            }
        }
    }
}
