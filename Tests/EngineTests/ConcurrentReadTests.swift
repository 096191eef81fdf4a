// One owner writes, readers on other threads read: each answer must be a state that there was.

import Bytes
import Columns
import Domain
import Engine
import Foundation
import Synchronization
import Testing

/// Runs each body on a thread of its own and waits for all of them.
func onThreads(_ bodies: [@Sendable () -> Void]) {
    let group = DispatchGroup()
    for body in bodies {
        group.enter()
        let thread = Thread {
            body()
            group.leave()
        }
        thread.stackSize = 4 << 20
        thread.start()
    }
    group.wait()
}

/// What went wrong on threads where a test cannot record it.
final class Findings: Sendable {
    private let texts = Mutex<[String]>([])

    func report(_ text: String) {
        texts.withLock { if $0.count < 5 { $0.append(text) } }
    }

    var all: [String] { texts.withLock { $0 } }
}

/// A planned history of some SKUs: command k of a SKU makes its version k, so a reader can look up
/// what it should have seen without asking anybody.
struct Plan: Sendable {
    typealias State = [UInt16: Int64]  // Available by location id.

    var skus: [String]
    var locations: [String]
    var commands: [NamedCommand] = []
    /// By SKU, then by version; version 0 is a SKU without positions.
    var states: [[State]]

    init(seed: UInt64, commandCount: Int) {
        var random = SeededGenerator(seed: seed)
        skus = (0..<2).map { "SKU-\($0)" }
        locations = (0..<24).map { "L\($0)" }
        states = .init(repeating: [[:]], count: skus.count)
        var sellable = [[Int: Int64]](repeating: [:], count: skus.count)
        for number in 0..<commandCount {
            let sku = Int.random(in: 0..<skus.count, using: &random)
            // Early on few locations, later all of them: runs grow while they are read.
            let reach = min(locations.count, 2 + number * locations.count / commandCount)
            let here = Int.random(in: 0..<reach, using: &random)
            let there = (here + 1 + Int.random(in: 0..<(reach - 1), using: &random)) % reach
            let quantity = Int32.random(in: 1...50, using: &random)
            let kind: EventKind =
                [.receipt, .sale, .transfer, .count].randomElement(using: &random) ?? .sale
            // Each later than the one before: nothing is recorded without effect.
            let at = testStart + Int64(number)
            var command = NamedCommand.event(
                kind, quantity, skus[sku], at: locations[here], time: at, id: "\(number)")
            switch kind {
            case .receipt: sellable[sku][here, default: 0] += Int64(quantity)
            case .sale: sellable[sku][here, default: 0] -= Int64(quantity)
            case .count: sellable[sku][here] = Int64(quantity)
            default:
                command.toLocation = locations[there]
                sellable[sku][here, default: 0] -= Int64(quantity)
                sellable[sku][there, default: 0] += Int64(quantity)
            }
            commands.append(command)
            var state: State = [:]
            for (location, units) in sellable[sku] { state[UInt16(location)] = max(0, units) }
            states[sku].append(state)
        }
    }
}

@Suite struct ConcurrentReadTests {
    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 0 ... .max)])
    func `every answer is a state that the SKU had, and versions never go back`(
        seed: UInt64
    ) throws {
        let plan = Plan(seed: seed, commandCount: 8000)
        let options = EngineFixture.options { options in
            options.shardCount = 1
            options.rememberedMax = 256
        }
        var random = SeededGenerator(seed: seed)
        let engine = try Engine(options: options, using: &random)
        // Location ids in the order of the plan.
        for name in plan.locations {
            _ = try withUTF8(name) { (bytes) throws(MasterDataRefusal) in
                try engine.master.addLocation(bytes)
            }
        }
        let findings = Findings()
        let isDone = Atomic<Bool>(false)
        let reads = Atomic<Int>(0)
        let policy = engine.master.policy(now: testStart)
        let owner = PlanOwner(engine: engine, policy: policy, plan: plan, seed: seed)
        let readers = (0..<2).map { number in
            PlanReader(
                engine: engine, policy: policy, plan: plan, findings: findings, number: number)
        }
        let state = ThreadState(isDone: isDone, reads: reads)
        onThreads(
            [{ owner.run(findings, state) }]
                + readers.map { reader in { reader.run(state) } })
        for finding in findings.all { Issue.record("seed \(seed): \(finding)") }
        #expect(state.reads.load(ordering: .relaxed) > 0)
    }
}

/// What the threads of one test share.
final class ThreadState: Sendable {
    let isDone: Atomic<Bool>
    let reads: Atomic<Int>

    init(isDone: consuming Atomic<Bool>, reads: consuming Atomic<Int>) {
        self.isDone = isDone
        self.reads = reads
    }
}

/// The owner's thread: applies the plan in batches through the inbox.
struct PlanOwner: Sendable {
    var engine: Engine
    var policy: Policy
    var plan: Plan
    var seed: UInt64

    func run(_ findings: Findings, _ state: ThreadState) {
        defer { state.isDone.store(true, ordering: .releasing) }
        var random = SeededGenerator(seed: seed &+ 1)
        var pool = BatchPool(origin: 0)
        let fixture = EngineFixture(sharing: engine, policy)
        // All that is slow comes first, so that the owner is inside a change much of the time.
        var commands: [StockCommand] = []
        for (index, command) in plan.commands.enumerated() {
            guard let stock = try? fixture.resolve(command, index) else {
                return findings.report("\(command) does not resolve")
            }
            commands.append(stock)
        }
        while state.reads.load(ordering: .acquiring) < 2 {}
        var next = 0
        while next < commands.count {
            let end = min(commands.count, next + Int.random(in: 1...32, using: &random))
            guard let batch = pool.take() else { return findings.report("no batch") }
            batch.withBatch { batch in
                batch.now = testStart
                for index in next..<end { batch.append(commands[index], plan.commands[index].sku) }
            }
            next = end
            if !engine.send(batch) || engine.drain(0, limit: 8) != 1 {
                return findings.report("a batch was not worked on")
            }
            guard let reply = engine.receiveReply(0) else { return findings.report("no reply") }
            reply.withBatch { batch in
                for index in batch.outcomes.indices where batch.outcomes[index] != .accepted {
                    findings.report("\(batch.outcomes[index])")
                }
            }
            pool.give(reply)
        }
    }
}

/// A reader's thread: asks in all ways, and compares with the plan.
struct PlanReader: Sendable {
    var engine: Engine
    var policy: Policy
    var plan: Plan
    var findings: Findings
    var number: Int

    func run(_ state: ThreadState) {
        let slot = engine.quietPoints.register()
        engine.quietPoints.enter(slot)
        defer { engine.quietPoints.leave(slot) }
        let fixture = EngineFixture(sharing: engine, policy)
        var newest = [UInt64](repeating: 0, count: plan.skus.count)
        let questions = (0..<6).map { Question(plan, fixture, $0) }
        var query = AvailabilityQuery()
        var round = number
        var isLast = false
        while !isLast {
            // One round more after the end: the last state must be seen.
            isLast = state.isDone.load(ordering: .acquiring)
            let question = questions[round % questions.count]
            query.removeAll()
            query.wantsLocations = question.wantsLocations
            for item in question.items { query.items.append(item) }
            for place in question.places { query.places.append(place) }
            _ = query.run(engine, policy, question.text.span)
            for sku in plan.skus.indices { check(query, sku, question, &newest, isLast) }
            if round % 8 == 0 {
                for sku in plan.skus.indices { readSlowly(sku, fixture) }
            }
            if isLast { checkReferences(fixture) }
            state.reads.wrappingAdd(1, ordering: .releasing)
            engine.quietPoints.pass(slot)
            round += 1
        }
    }

    /// One way to ask for all SKUs, made ready.
    private struct Question {
        var wantsLocations: Bool
        var items: [QueryItem] = []
        var places: [QueryPlace] = []
        var text: [UInt8]
        /// Locations asked for; nil is everywhere.
        var asked: [UInt16]?

        init(_ plan: Plan, _ fixture: EngineFixture, _ number: Int) {
            wantsLocations = number % 2 == 0
            let names =
                number % 3 == 0
                ? [plan.locations[number % 24], plan.locations[1], "nowhere", plan.locations[1]]
                : nil
            var query = AvailabilityQuery()
            var buffer = ByteBuffer()
            for sku in plan.skus {
                fixture.ask(&query, &buffer, sku, names.map { .places($0) } ?? .everywhere)
            }
            for index in query.items.indices { items.append(query.items[index]) }
            for index in query.places.indices { places.append(query.places[index]) }
            text = buffer.span.array
            asked = names?.compactMap { fixture.locationID($0) }
        }
    }

    private func check(
        _ query: borrowing AvailabilityQuery, _ index: Int, _ question: Question,
        _ newest: inout [UInt64], _ isLast: Bool
    ) {
        let item = query.items[index]
        switch item.status {
        case .answered: break
        case .unknownSKU where newest[index] == 0 && !isLast: return
        case .contended where !isLast: return
        default: return findings.report("\(plan.skus[index]) is \(item.status)")
        }
        if item.version < newest[index] {
            return findings.report("version \(item.version) after \(newest[index])")
        }
        newest[index] = item.version
        guard item.version < plan.states[index].count else {
            return findings.report("version \(item.version) was never planned")
        }
        let isNewest = Int(item.version) == plan.states[index].count - 1
        if isLast, !isNewest { return findings.report("version \(item.version) is the last") }
        let planned = plan.states[index][Int(item.version)]
        var asked = planned
        if let ids = question.asked {
            asked = [:]
            for id in ids { asked[id] = planned[id] ?? 0 }
        }
        let total = asked.values.reduce(0, +)
        let largest = asked.values.max() ?? 0
        if item.available != total || Int64(item.maxSingle) != largest {
            return findings.report(
                "version \(item.version): \(item.available), \(item.maxSingle) in the place of "
                    + "\(total), \(largest)")
        }
        if !query.wantsLocations { return }
        var found: Plan.State = [:]
        for place in 0..<Int(item.answerCount) {
            let answer = query.answers[Int(item.firstAnswer) + place]
            if answer.location == QueryPlace.unknown { continue }
            found[answer.location] = Int64(answer.available)
        }
        if found != asked {
            findings.report("version \(item.version): \(found) in the place of \(asked)")
        }
    }

    /// Lets others run in the middle of a read, so that it is disturbed even where threads share
    /// one processor: all the same it must end with one state, or give up.
    private func readSlowly(_ index: Int, _ fixture: EngineFixture) {
        let reader = engine.reader(0)
        let key = fixture.key(plan.skus[index])
        guard let sku = withUTF8(plan.skus[index], { reader.names.id($0, key) }) else { return }
        var found: Plan.State = [:]
        let version = reader.consistent(sku) { extent in
            found = [:]
            for row in extent.rows {
                if row == extent.start + extent.count / 2 { sched_yield() }
                found[reader.location(at: row)] = Int64(max(0, reader.free(at: row)))
            }
        }
        guard let version else { return }
        guard version < plan.states[index].count else {
            return findings.report("version \(version) was never planned")
        }
        let expected = plan.states[index][Int(version)]
        if found != expected {
            findings.report("version \(version): \(found) in the place of \(expected), slowly")
        }
    }

    /// When nothing changes any more, references say what the plan ends with.
    private func checkReferences(_ fixture: EngineFixture) {
        for (index, sku) in plan.skus.enumerated() {
            for (id, location) in plan.locations.enumerated() {
                let expected = plan.states[index].last?[UInt16(id)].map { Int32($0) }
                let found = fixture.byReference(sku, location)
                if found != expected {
                    findings.report("\(sku) at \(location): \(found as Any)")
                }
            }
        }
    }
}
