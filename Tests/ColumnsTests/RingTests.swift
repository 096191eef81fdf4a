import Columns
import Glibc
import Testing

@Suite struct RingTests {
    @Test(arguments: [2, 4, 64, 1024])
    func `a full ring refuses and takes again after a receive`(capacity: Int) {
        let ring = Ring(capacity: capacity)
        #expect(ring.capacity == capacity)
        var next: UInt64 = 0
        // Several laps, from another place in the ring each time.
        for lap in 0..<5 {
            let first = next
            for _ in 0..<capacity {
                #expect(ring.trySend(next))
                next += 1
            }
            #expect(ring.count == capacity)
            #expect(!ring.trySend(999))
            #expect(ring.receive() == first)
            #expect(ring.trySend(next))
            next += 1
            #expect(!ring.trySend(999))
            for expected in (first + 1)..<next { #expect(ring.receive() == expected, "lap \(lap)") }
            #expect(ring.receive() == nil)
            #expect(ring.count == 0)
        }
    }

    @Test func `an empty ring gives nothing`() {
        let ring = Ring(capacity: 2)
        #expect(ring.receive() == nil)
        #expect(ring.count == 0)
    }

    @Test(arguments: [0, 1, .max] as [UInt64])
    func `any word passes`(word: UInt64) {
        let ring = Ring(capacity: 2)
        #expect(ring.trySend(word))
        #expect(ring.receive() == word)
    }

    @Test func `sends and receives in random order agree with a queue`() {
        let seed = testSeed()
        var random = Seeded(seed)
        for capacity in [2, 8, 32] {
            let ring = Ring(capacity: capacity)
            var model: [UInt64] = []
            for step in 0..<5_000 {
                if random.below(2) == 0 {
                    let word = random.next()
                    let isSent = ring.trySend(word)
                    #expect(isSent == (model.count < capacity), "seed \(seed), step \(step)")
                    if isSent { model.append(word) }
                } else {
                    let expected = model.isEmpty ? nil : model.removeFirst()
                    #expect(ring.receive() == expected, "seed \(seed), step \(step)")
                }
                #expect(ring.count == model.count, "seed \(seed), step \(step)")
            }
        }
    }

    @Test func `a capacity that is no power of two is a bug of the caller`() async {
        await #expect(processExitsWith: .failure) { _ = Ring(capacity: 3) }
    }

    @Test func `a ring of one cell is a bug of the caller`() async {
        await #expect(processExitsWith: .failure) { _ = Ring(capacity: 1) }
    }
}

@Suite struct RingConcurrencyTests {
    @Test(arguments: [(2, 3, 500), (64, 4, 10_000), (1024, 2, 20_000)])
    func `nothing is lost, doubled or overtaken by its own sender`(
        capacity: Int, senders: Int, perSender: Int
    ) {
        let ring = Ring(capacity: capacity)
        let board = Board()
        let crew = Crew(senders) { sender in
            for number in 0..<perSender {
                while !ring.trySend(UInt64(sender) << 32 | UInt64(number)) {
                    if board.isStopped { return }
                    sched_yield()
                }
            }
        }
        var expected = [Int](repeating: 0, count: senders)
        var received = 0
        var latest = ContinuousClock.now
        while received < senders * perSender, !board.isStopped {
            guard let word = ring.receive() else {
                if elapsedMilliseconds(since: latest) > 10_000 { board.note("a word is missing") }
                sched_yield()
                continue
            }
            received += 1
            latest = .now
            let (sender, number) = (Int(word >> 32), Int(word & 0xFFFF_FFFF))
            if sender >= senders || expected[sender] != number {
                board.note("sender \(sender): \(number) after \(expected)")
            } else {
                expected[sender] += 1
            }
        }
        board.stop()
        crew.join()
        #expect(board.finding == nil)
        #expect(expected == [Int](repeating: perSender, count: senders))
        #expect(ring.receive() == nil)
    }
}

extension RingConcurrencyTests {
    /// No receiver takes a processor from them: on two processors the two senders really meet.
    @Test func `senders that meet take different cells`() {
        let perSender = 30_000
        for round in 0..<30 {
            let ring = Ring(capacity: 1 << 16)
            let board = Board()
            let crew = Crew(2) { sender in
                board.add()
                while board.count < 2 {}
                for number in 0..<perSender {
                    if !ring.trySend(UInt64(sender) << 32 | UInt64(number)) {
                        board.note("refused at \(number)")
                        return
                    }
                }
            }
            crew.join()
            var expected = [0, 0]
            while let word = ring.receive() {
                let (sender, number) = (Int(word >> 32), Int(word & 0xFFFF_FFFF))
                if number != expected[sender] {
                    board.note("sender \(sender): \(number) after \(expected[sender])")
                    break
                }
                expected[sender] += 1
            }
            if board.finding != nil || expected != [perSender, perSender] {
                Issue.record("round \(round): \(board.finding ?? "lost"), \(expected)")
                return
            }
        }
    }
}

@Suite struct InboxTests {
    @Test func `the finish lane is drained first`() {
        let inbox = Inbox(capacity: 4)
        #expect(inbox.trySend(1, .start) && inbox.trySend(2, .start))
        #expect(inbox.trySend(3, .finish) && inbox.trySend(4, .finish))
        #expect(inbox.count == 4)
        #expect(inbox.receive() == 3)
        #expect(inbox.trySend(5, .finish))
        #expect([inbox.receive(), inbox.receive()] == [4, 5])
        #expect([inbox.receive(), inbox.receive(), inbox.receive()] == [1, 2, nil])
    }

    @Test func `a full start lane leaves room in the finish lane`() {
        let inbox = Inbox(capacity: 2)
        #expect(inbox.trySend(1, .start) && inbox.trySend(2, .start))
        #expect(!inbox.trySend(3, .start))
        #expect(inbox.trySend(4, .finish) && inbox.trySend(5, .finish))
        #expect(!inbox.trySend(6, .finish))
        #expect(inbox.count == 4)
    }
}
