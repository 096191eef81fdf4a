// The inbox's ring: messages from one thread, or several, to one.

import Columns
import Platform
import Synchronization

extension Benchmark {
    /// Messages a round.
    private var messageCount: Int { options.isSmoke ? 30_000 : 6_000_000 }

    func measureInbox() throws {
        guard let otherProcessor else {
            report.note("inbox: skipped, there is one processor only")
            return
        }
        let count = messageCount
        for senderCount in [1, 3] {
            let each = count / senderCount
            let comparison = Comparison(
                rounds: options.repeatCount,
                rooflines: [
                    { Self.round(BareRing(capacity: 1024), 1, each: count, on: otherProcessor) }
                ],
                expected: Self.sum(senderCount, each)
            ) { Self.round(RingLink(), senderCount, each: each, on: otherProcessor) }
            report.add(
                Figure(
                    "inbox", positions: 0,
                    shape: senderCount == 1 ? "1 sender" : "\(senderCount) senders, 1 processor",
                    unit: "messages/s", roofline: "bare ring, 1 sender", comparison))
        }
    }

    private static func sum(_ senders: Int, _ each: Int) -> UInt64 {
        UInt64(senders) * UInt64(each) * UInt64(each + 1) / 2
    }

    /// Every sender sends `1 ... each`; this thread receives all and sums them.
    private static func round(
        _ link: some Link, _ senders: Int, each: Int, on processor: Int
    ) -> Round {
        let start = Clock.monotonicNanoseconds
        for _ in 0..<senders {
            do {
                _ = try Thread.start(name: "sender", processor: processor) {
                    for word in 1...UInt64(each) { while !link.send(word) {} }
                }
            } catch { fatalError("\(error)") }
        }
        var sum: UInt64 = 0
        var count = 0
        while count < senders * each {
            guard let word = link.receive() else { continue }
            sum &+= word
            count += 1
        }
        return Round(
            amount: count, checksum: sum, nanoseconds: Clock.monotonicNanoseconds - start)
    }
}

/// A way for words from one thread to another.
private protocol Link: Sendable {
    func send(_ word: UInt64) -> Bool
    func receive() -> UInt64?
}

private struct RingLink: Link {
    let ring = Ring(capacity: 1024)
    func send(_ word: UInt64) -> Bool { ring.trySend(word) }
    func receive() -> UInt64? { ring.receive() }
}

/// The simplest ring: one sender, one receiver, two counters.
@safe
private final class BareRing: Link, @unchecked Sendable {
    // The words, then the sender's counter and the receiver's, 128 bytes apart.
    private let words: UnsafeMutablePointer<UInt64>
    private let ends: UnsafeMutablePointer<Atomic<UInt64>>
    private let capacity: UInt64

    init(capacity: Int) {
        precondition(capacity & (capacity - 1) == 0)
        self.capacity = UInt64(capacity)
        unsafe words = .allocate(capacity: capacity)
        unsafe words.initialize(repeating: 0, count: capacity)
        unsafe ends = .allocate(capacity: 32)
        for word in 0..<32 { unsafe (ends + word).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe words.deallocate()
        unsafe ends.deallocate()
    }

    func send(_ word: UInt64) -> Bool {
        let tail = unsafe ends[0].load(ordering: .relaxed)
        // Acquire: pairs with the receiver's release, so the place is really free.
        if unsafe tail &- ends[16].load(ordering: .acquiring) == capacity { return false }
        unsafe words[Int(tail & (capacity &- 1))] = word
        // Release: pairs with the receiver's acquire; the word comes with it.
        unsafe ends[0].store(tail &+ 1, ordering: .releasing)
        return true
    }

    func receive() -> UInt64? {
        let head = unsafe ends[16].load(ordering: .relaxed)
        if unsafe ends[0].load(ordering: .acquiring) == head { return nil }
        let word = unsafe words[Int(head & (capacity &- 1))]
        unsafe ends[16].store(head &+ 1, ordering: .releasing)
        return word
    }
}
