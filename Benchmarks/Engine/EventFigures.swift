// Events: how fast one owner applies them, and what readers on another core notice of it.

import Bytes
import Domain
import Engine
import Platform
import Synchronization

extension Benchmark {
    /// Events a round.
    var eventCount: Int { options.isSmoke ? 10_240 : 1_048_576 }

    /// Ids that the store of a figure remembers: few enough to fill all places first.
    var rememberedMax: Int { eventCount * 4 }

    func measureEvents(_ world: World) throws {
        for distribution in KeyDistribution.allCases {
            let (events, rooflines) = try makeEvents(world, distribution)
            let shape = "\(distribution.rawValue), \(world.layout.shape.rawValue)"
            let count = world.layout.positionCount
            if distribution == .uniform {
                // Memory of events and movements is touched for the first time here.
                var rates: [Double] = []
                while rates.count < 3 {
                    events.renew()
                    rates.append(rate { events.round() }.rate)
                }
                report.add(
                    Figure(
                        "events, fresh", positions: count, shape: shape, unit: "events/s",
                        Spread(rates), checksum: UInt64(bitPattern: events.addedUnits)))
                for _ in 0..<2 {
                    events.renew()
                    _ = events.round()
                }
            }
            // From here on each event makes the store forget the oldest one.
            report.add(
                Figure(
                    "events", positions: count, shape: shape, unit: "events/s",
                    roofline: "gather",
                    Comparison(rounds: options.repeatCount, rooflines: rooflines.gathers) {
                        events.renew()
                        return events.round()
                    }, goal: 0.2))
            report.add(
                Figure(
                    "events, again", positions: count, shape: shape, unit: "events/s",
                    roofline: "gather",
                    Comparison(rounds: options.repeatCount, rooflines: rooflines.gathers) {
                        events.round(expecting: .duplicate)
                    }))
            if distribution == .uniform {
                report.add(
                    Figure(
                        "events, ids", positions: count, shape: shape, unit: "events/s",
                        roofline: "without ids",
                        Comparison(
                            rounds: options.repeatCount,
                            rooflines: [
                                {
                                    events.renew(hasIDs: false)
                                    return events.round()
                                }
                            ],
                            figure: {
                                events.renew()
                                return events.round()
                            }), goal: 0.7))
            }
            settle(events, world)
        }
    }

    /// Memory of an id: one of the sixteen shards that share a hundred million, decided evenly over
    /// seven days.
    func measureRememberedIDs() throws {
        let count = options.isSmoke ? 100_000 : 6_250_000
        let week: Milliseconds = 7 * 86_400_000
        var events = try RememberedEvents(countMax: count, retention: week)
        for number in 0..<count {
            try events.prepare()
            let word = mixed(UInt64(number))
            let fingerprint = EventFingerprint(
                first: word, second: UInt32(truncatingIfNeeded: word &>> 7), body: 0)
            events.add(
                RememberedEvent(
                    fingerprint: fingerprint, outcome: .accepted,
                    time: week * Int64(number) / Int64(count)))
        }
        check(events.count == count, "an id was forgotten")
        report.add(
            Figure(
                "id memory", positions: 0,
                shape: "\(scaled(Double(count))) ids of a shard, over a week",
                unit: "bytes/id", Spread([Double(events.byteCount) / Double(count)]),
                checksum: UInt64(events.count), goal: "<= 24"))
    }

    private func makeEvents(
        _ world: World, _ distribution: KeyDistribution
    ) throws -> (EventRounds, Rooflines) {
        let sample = world.layout.samplePositions(
            eventCount, distribution, seed: Self.seed &+ 3)
        let wholeBatches = sample.prefix(sample.count / Rooflines.batchCount * Rooflines.batchCount)
        return (
            EventRounds(world, sample, firstID: world.takeIDs()),
            try Rooflines(
                positionCount: world.layout.positionCount, streamCount: 4096,
                places: wholeBatches.map { $0.place })
        )
    }

    private func settle(_ events: EventRounds, _ world: World) {
        world.expectedTotal += events.addedUnits
        check(
            world.engine.totalAvailable() == world.expectedTotal,
            "the sum over all positions is wrong after events")
    }

    // MARK: - Readers beside the owner

    /// Reads on this processor while the owner applies events on another, against reads alone.
    func measureInterference(_ world: World) throws {
        guard let otherProcessor else {
            report.note("interference: skipped, there is one processor only")
            return
        }
        let (events, _) = try makeEvents(world, .uniform)
        let reads = try ReferenceReads(
            world,
            world.layout.samplePositions(sampleCount, .uniform, seed: Self.seed &+ 4))
        var eventRates: [Double] = []
        let comparison = Comparison(
            rounds: options.repeatCount, rooflines: [{ reads.round(joining: 1) }],
            figure: {
                let owner = BusyOwner(events)
                owner.start(on: otherProcessor)
                let start = Clock.threadNanoseconds
                var round = reads.round(joining: 1)
                round.nanoseconds = Clock.threadNanoseconds - start
                eventRates.append(owner.stop())
                return round
            })
        let count = world.layout.positionCount
        report.add(
            Figure(
                "reads, busy", positions: count, shape: "uniform, owner applies",
                unit: "positions/s", roofline: "reads, quiet", comparison, goal: 0.7))
        report.add(
            Figure(
                "events, busy", positions: count, shape: "uniform, beside reads",
                unit: "events/s", Spread(Array(eventRates.dropFirst())),
                checksum: UInt64(bitPattern: events.addedUnits)))
        if reads.staleCount > 0 {
            report.note("reads, busy: \(reads.staleCount) were handed to the owner")
        }
        settle(events, world)
    }
}

/// The owner of all shards at full speed, on a processor of its own.
private final class BusyOwner: Sendable {
    private let events: EventRounds
    private let isRunning = Atomic<Bool>(false)
    private let isOver = Atomic<Bool>(false)
    private let applied = Atomic<Int>(0)
    private let elapsed = Atomic<UInt64>(0)
    private let hasEnded = Atomic<Bool>(false)

    init(_ events: EventRounds) { self.events = events }

    func start(on processor: Int) {
        do {
            _ = try Thread.start(name: "owner", processor: processor) { [self] in work() }
        } catch { fatalError("\(error)") }
        while !isRunning.load(ordering: .acquiring) {}
    }

    private func work() {
        isRunning.store(true, ordering: .releasing)
        let start = Clock.threadNanoseconds
        let count = events.apply { isOver.load(ordering: .relaxed) }
        elapsed.store(Clock.threadNanoseconds - start, ordering: .relaxed)
        applied.store(count, ordering: .relaxed)
        // Release: whoever sees the end sees what was done, the events' own counts included.
        hasEnded.store(true, ordering: .releasing)
    }

    /// Ends the work; events per second.
    func stop() -> Double {
        isOver.store(true, ordering: .relaxed)
        while !hasEnded.load(ordering: .acquiring) {}
        let nanoseconds = max(1, elapsed.load(ordering: .relaxed))
        return Double(applied.load(ordering: .relaxed)) * 1e9 / Double(nanoseconds)
    }
}
