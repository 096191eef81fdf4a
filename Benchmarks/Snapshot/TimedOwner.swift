// The owner of all shards on a processor of its own, its batches timed.

import Platform
import Synchronization

final class TimedOwner: Sendable {
    private let events: EventRounds
    private let isOver = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)
    private let state = Mutex((applied: 0, elapsed: UInt64(0), batches: [UInt64]()))

    init(_ events: EventRounds) { self.events = events }

    func start(on processor: Int) {
        do {
            _ = try Thread.start(name: "owner", processor: processor) { [self] in work() }
        } catch { fatalError("\(error)") }
    }

    private func work() {
        var batches: [UInt64] = []
        let start = Clock.threadNanoseconds
        let applied = events.apply(
            until: { isOver.load(ordering: .relaxed) }, each: { batches.append($0) })
        let elapsed = Clock.threadNanoseconds - start
        batches.sort()
        state.withLock { $0 = (applied, elapsed, batches) }
        hasEnded.store(true, ordering: .releasing)
    }

    func stop() {
        isOver.store(true, ordering: .relaxed)
        while !hasEnded.load(ordering: .acquiring) { Thread.sleep(milliseconds: 1) }
    }

    /// Events per second of the owner's processor time.
    var rate: Double { state.withLock { Double($0.applied) * 1e9 / Double(max(1, $0.elapsed)) } }

    /// Nanoseconds of processor time that so many of a hundred batches took at the most.
    func percentile(_ percent: Int) -> UInt64 {
        state.withLock { state in
            state.batches.isEmpty ? 0 : state.batches[(state.batches.count - 1) * percent / 100]
        }
    }
}
