import Bytes
import Platform
import Synchronization
import Testing

@Suite struct PollerTests {
    @Test func `a descriptor is reported under its token as long as it is readable`() throws {
        let pair = try Pair()
        var poller = try Poller()
        try poller.add(pair.server, token: 0xdead_beef_0000_0001, interest: [.reading])
        #expect(poller.wait(timeoutMilliseconds: 0) == 0)
        let bytes: [UInt8] = [1]
        try pair.client.sendAll(bytes.span)
        for _ in 0..<2 {
            #expect(poller.wait(timeoutMilliseconds: 1000) == 1)
            #expect(poller.readiness(at: 0).token == 0xdead_beef_0000_0001)
            #expect(poller.readiness(at: 0).canRead)
            #expect(!poller.readiness(at: 0).canWrite)
            #expect(!poller.readiness(at: 0).peerEnded)
        }
    }

    @Test func `interest can be changed and removed`() throws {
        let pair = try Pair()
        var poller = try Poller()
        try poller.add(pair.server, token: 1, interest: [.reading])
        try poller.modify(pair.server, token: 2, interest: [.writing])
        #expect(poller.wait(timeoutMilliseconds: 0) == 1)
        #expect(poller.readiness(at: 0).token == 2)
        #expect(poller.readiness(at: 0).canWrite)
        try poller.remove(pair.server)
        #expect(poller.wait(timeoutMilliseconds: 0) == 0)
        #expect(throws: SystemError.self) { try poller.remove(pair.server) }
    }

    @Test func `the end of the peer's stream is told apart from a broken connection`() throws {
        let pair = try Pair()
        var poller = try Poller()
        try poller.add(pair.server, token: 1, interest: [.peerEnd])
        pair.client.shutdownSending()
        #expect(poller.wait(timeoutMilliseconds: 1000) == 1)
        #expect(poller.readiness(at: 0).peerEnded)
        #expect(!poller.readiness(at: 0).isBroken)
        pair.client.resetOnClose()
        let server = pair.closingClient()
        #expect(poller.wait(timeoutMilliseconds: 1000) == 1)
        #expect(poller.readiness(at: 0).isBroken)
        try poller.remove(server)
    }

    @Test func `a waker is reported once per ring and never read`() throws {
        let waker = try Waker()
        var poller = try Poller()
        try poller.add(waker.descriptor, token: 9, interest: [.reading, .edge])
        #expect(poller.wait(timeoutMilliseconds: 0) == 0)
        for _ in 0..<3 {
            waker.wake()
            #expect(poller.wait(timeoutMilliseconds: 1000) == 1)
            #expect(poller.wait(timeoutMilliseconds: 0) == 0)
        }
    }

    @Test func `a doorbell rings only for a sleeper`() throws {
        let bell = try Doorbell()
        var poller = try Poller()
        try poller.add(bell.waker.descriptor, token: 9, interest: [.reading, .edge])
        bell.ring()
        #expect(poller.wait(timeoutMilliseconds: 0) == 0)
        bell.prepareToSleep()
        bell.ring()
        #expect(poller.wait(timeoutMilliseconds: 1000) == 1)
        bell.awake()
        bell.ring()
        #expect(poller.wait(timeoutMilliseconds: 0) == 0)
    }

    @Test func `no item is left behind by a sleeper`() throws {
        // The sleeper waits without a time limit, so one missed ring hangs the test.
        let bell = try Doorbell()
        let sent = Counter()
        let seen = Counter()
        let sleeper = try Thread.start(name: "sleeper") {
            guard var poller = try? Poller(),
                (try? poller.add(bell.waker.descriptor, token: 1, interest: [.reading, .edge]))
                    != nil
            else { return }
            while seen.value.load(ordering: .relaxed) < 20_000 {
                bell.prepareToSleep()
                let found = sent.value.load(ordering: .acquiring)
                if found == seen.value.load(ordering: .relaxed) {
                    _ = poller.wait(timeoutMilliseconds: -1)
                }
                bell.awake()
                seen.value.store(sent.value.load(ordering: .acquiring), ordering: .releasing)
            }
        }
        for number in 1...20_000 {
            sent.value.store(number, ordering: .releasing)
            bell.ring()
            // Now and then let it fall asleep for real.
            if number % 16 == 0 {
                while seen.value.load(ordering: .acquiring) < number {}
            }
        }
        sleeper.join()
        #expect(seen.value.load(ordering: .relaxed) == 20_000)
    }
}

final class Counter: Sendable {
    let value = Atomic<Int>(0)
}
