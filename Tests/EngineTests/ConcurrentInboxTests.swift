// Reactors that send to each other's shards.

import Bytes
import Columns
import Domain
import Engine
import Synchronization
import Testing

@Suite struct ConcurrentInboxTests {
    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 0 ... .max)])
    func `every command sent between reactors gets one outcome, full inboxes or not`(
        seed: UInt64
    ) throws {
        let options = EngineFixture.options { options in
            options.inboxCapacity = 2
            options.queuedCommandMax = 6
        }
        var random = SeededGenerator(seed: seed)
        let engine = try Engine(options: options, reactorCount: 2, using: &random)
        let location = try withUTF8("L0") { (bytes) throws(MasterDataRefusal) in
            try engine.master.addLocation(bytes)
        }
        #expect(location == 0)
        let findings = Findings()
        let state = ReactorState()
        let policy = engine.master.policy(now: testStart)
        onThreads(
            (0..<2).map { number in
                {
                    SendingReactor(
                        engine: engine, policy: policy, number: number, findings: findings,
                        state: state
                    ).run(seed)
                }
            })
        for finding in findings.all { Issue.record("seed \(seed): \(finding)") }
        #expect(state.refusals.load(ordering: .relaxed) > 0, "no inbox was ever full")
        let fixture = EngineFixture(sharing: engine, policy)
        for (number, sku) in ReactorState.skus.enumerated() {
            let expected = state.sums[number].value.load(ordering: .relaxed)
            #expect(fixture.query([sku])[0].available == expected)
        }
        #expect(fixture.counters.map(\.accepted).reduce(0, +) == state.commandCount)
        for shard in 0..<engine.shardCount { #expect(engine.queuedCommands(shard) == 0) }
    }
}

final class ReactorState: Sendable {
    static let skus = (0..<10).map { "SKU-\($0)" }
    static let batchCount = 400

    final class Sum: Sendable { let value = Atomic<Int64>(0) }
    /// Units sent, by SKU.
    let sums = (0..<10).map { _ in Sum() }
    let refusals = Atomic<Int>(0)
    let finished = Atomic<Int>(0)
    private let sent = Atomic<UInt64>(0)

    func count(commands: Int) { sent.wrappingAdd(UInt64(commands), ordering: .relaxed) }
    var commandCount: UInt64 { sent.load(ordering: .relaxed) }
}

/// A reactor that owns shard `number`, sends to both shards, works and collects its replies.
struct SendingReactor: Sendable {
    var engine: Engine
    var policy: Policy
    var number: Int
    var findings: Findings
    var state: ReactorState

    func run(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed &+ UInt64(number) &+ 1)
        let fixture = EngineFixture(sharing: engine, policy)
        var pool = BatchPool(origin: number, limit: 8)
        var waiting: [BatchReference] = []
        var made = 0
        var replies = [Int](repeating: 0, count: ReactorState.batchCount)
        var isFinished = false
        let deadline = ContinuousClock.now + .seconds(120)
        while state.finished.load(ordering: .acquiring) < 2 {
            if ContinuousClock.now > deadline {
                return findings.report("reactor \(number) still waits for replies")
            }
            if made < ReactorState.batchCount, let batch = pool.take() {
                fill(batch, token: made, fixture, &random)
                made += 1
                waiting.append(batch)
            }
            waiting.removeAll { batch in
                let isSent = engine.send(batch)
                if !isSent { state.refusals.wrappingAdd(1, ordering: .relaxed) }
                return isSent
            }
            // Idle at times, so that the inbox fills.
            if Int.random(in: 0..<4, using: &random) > 0 { _ = engine.drain(number, limit: 2) }
            while let reply = engine.receiveReply(number) {
                collect(reply, &replies)
                pool.give(reply)
            }
            if !isFinished, made == ReactorState.batchCount, replies.allSatisfy({ $0 == 1 }) {
                isFinished = true
                // It goes on draining until the other one has all its replies too.
                state.finished.wrappingAdd(1, ordering: .acquiringAndReleasing)
            }
            if replies.contains(where: { $0 > 1 }) { findings.report("a batch came back twice") }
        }
    }

    private func fill(
        _ reference: BatchReference, token: Int, _ fixture: EngineFixture,
        _ random: inout SeededGenerator
    ) {
        let target = Int.random(in: 0..<2, using: &random)
        let skus = ReactorState.skus.filter { fixture.shard(of: $0) == target }
        let lane: Lane = Bool.random(using: &random) ? .finish : .start
        reference.withBatch { batch in
            batch.shard = target
            batch.lane = lane
            batch.now = testStart
            batch.token = UInt64(token)
            for index in 0..<Int.random(in: 1...3, using: &random) {
                guard let sku = skus.randomElement(using: &random),
                    let place = ReactorState.skus.firstIndex(of: sku)
                else { return findings.report("a shard without SKUs") }
                let quantity = Int32.random(in: 1...9, using: &random)
                let command = NamedCommand.event(
                    .receipt, quantity, sku, id: "\(number)/\(token)/\(index)")
                guard let stock = try? fixture.resolve(command, index) else {
                    return findings.report("\(command) does not resolve")
                }
                batch.append(stock, sku)
                state.sums[place].value.wrappingAdd(Int64(quantity), ordering: .relaxed)
                state.count(commands: 1)
            }
        }
    }

    private func collect(_ reference: BatchReference, _ replies: inout [Int]) {
        var token = 0
        reference.withBatch { batch in
            token = Int(batch.token)
            if batch.origin != number { findings.report("a reply for another reactor") }
            if batch.outcomes.count != batch.commands.count {
                findings.report("\(batch.outcomes.count) outcomes")
            }
            for index in batch.outcomes.indices where batch.outcomes[index] != .accepted {
                findings.report("\(batch.outcomes[index])")
            }
        }
        replies[token] += 1
    }
}
