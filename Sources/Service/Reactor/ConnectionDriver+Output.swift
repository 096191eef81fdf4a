// Answers on their way out, and what the poller is asked for.

internal import Bytes
internal import Platform

extension ConnectionDriver where Handler: ~Copyable {
    /// Sends what was appended; keeps what the kernel does not take.
    mutating func flush(_ c: inout Connection) {
        if exchange.output.isEmpty { return }
        defer { exchange.output.removeAll() }
        if c.isDead { return }
        if c.unsentCount > 0 {
            // Behind what waits already; `writable` sends both.
            c.keepUnsent(exchange.output.span, at: now)
            return
        }
        let sent = send(&c, from: 0, ofUnsent: false)
        if sent < exchange.output.count, !c.isDead {
            c.keepUnsent(exchange.output.span.from(sent), at: now)
        }
    }

    /// Sends more of what is unsent.
    mutating func sendUnsent(_ c: inout Connection) {
        guard c.unsentCount > 0 else { return }
        let sent = send(&c, from: c.unsentOffset, ofUnsent: true)
        c.unsentOffset &+= sent
        c.sendByteCount &+= sent
        if c.unsentCount == 0 {
            c.unsent.releaseMemory()
            c.unsentOffset = 0
            c.since = now
        }
    }

    /// One send.
    ///
    /// - Returns: How many bytes the kernel took.
    private mutating func send(_ c: inout Connection, from offset: Int, ofUnsent: Bool) -> Int {
        let transfer =
            ofUnsent
            ? c.descriptor?.send(c.unsent.span.from(offset))
            : c.descriptor?.send(exchange.output.span.from(offset))
        switch transfer {
        case .bytes(let count):
            exchange.counts[.bytesOut] &+= UInt64(count)
            return count
        case .wouldBlock: return 0
        default:
            c.isDead = true
            return 0
        }
    }

    /// Ends the handling of one event. After it the connection is consistent: all that can be sent
    /// is sent, the poller reports what it waits for, its memory is counted.
    mutating func conclude(_ c: inout Connection, token: UInt64, _ poller: borrowing Poller) {
        flush(&c)
        recordLatencies()
        if c.isDead { c.phase = .closed }
        if c.phase == .closing {
            c.rest.removeAll()
            if c.hasExchange { cancel(&c) }
            if c.unsentCount == 0 { beginLingering(&c) }
        }
        if c.phase != .closed {
            c.isStalled = c.isReading && c.unsentCount >= limits.unsentByteCountMax
            watch(&c, token: token, poller)
        }
        let held = c.rest.capacity &+ c.unsent.capacity
        bufferedByteCount &+= held &- c.heldByteCount
        c.heldByteCount = held
    }

    private mutating func beginLingering(_ c: inout Connection) {
        guard !c.peerEnded else {
            c.phase = .closed
            return
        }
        c.descriptor?.shutdownSending()
        c.phase = .lingering
        c.since = now
        c.bodyByteCount = 0
        c.rest.releaseMemory()
    }

    /// Asks the poller for what the phase waits for, if that changed.
    ///
    /// A phase that reads nothing for a moment leaves the reports on: in the usual case the client
    /// waits for its answer and there is nothing to report. `quiet` turns them off when there is.
    private mutating func watch(
        _ c: inout Connection, token: UInt64, _ poller: borrowing Poller
    ) {
        var wanted = c.interest.without(.writing)
        if c.isReading || c.phase == .lingering {
            wanted = c.isStalled ? .none : .reading.with(.peerEnd)
        } else if c.phase == .closing {
            wanted = .none
        }
        if c.unsentCount > 0 { wanted = wanted.with(.writing) }
        setInterest(&c, wanted, token: token, poller)
    }

    /// Something is to be read that nobody reads now: stops the reports until somebody does.
    mutating func quiet(
        _ c: inout Connection, _ readiness: Readiness, token: UInt64, _ poller: borrowing Poller
    ) {
        if c.isReading || c.phase == .lingering || c.phase == .closed { return }
        var wanted = c.interest.without(.reading)
        if readiness.peerEnded {
            wanted = wanted.without(.peerEnd)
            if c.endsWithPeer, c.hasExchange { c.phase = .closed }
        }
        setInterest(&c, wanted, token: token, poller)
    }

    func setInterest(
        _ c: inout Connection, _ wanted: Interest, token: UInt64, _ poller: borrowing Poller
    ) {
        if wanted == c.interest { return }
        guard let number = c.descriptor?.number else { return }
        c.interest = wanted
        guard (try? poller.modify(number, token: token, interest: wanted)) != nil else {
            c.phase = .closed
            return
        }
    }

    /// Records the calls that ended since the last time, up to this instant: from the turn in which
    /// the request was seen to be here, to when its answer was handed to the kernel.
    private mutating func recordLatencies() {
        if finished.count == 0 { return }
        let end = Clock.bootNanoseconds
        for calls in finishedBefore { Self.record(calls, end, metrics) }
        finishedBefore.removeAll(keepingCapacity: true)
        Self.record(finished, end, metrics)
        finished.count = 0
    }

    /// Static, because a borrowed driver would be copied.
    private static func record(_ calls: FinishedCalls, _ end: UInt64, _ metrics: ReactorMetrics) {
        metrics.latency.record(
            end &- min(end, calls.start), route: Int(calls.route), times: calls.count)
    }

    // MARK: Time

    /// Whether `c` has taken too long, and what follows.
    mutating func examine(_ c: inout Connection) {
        if c.phase == .vacant || c.phase == .closed { return }
        if c.unsentCount > 0 {
            if isTooSlow(
                since: &c.sendSince, count: &c.sendByteCount, limits.unsentWindowMilliseconds)
            {
                exchange.counts[.cut] &+= 1
                c.phase = .closed
            }
            return
        }
        if c.isQueued || c.isStalled { return }
        switch c.phase {
        case .head where c.hasPartialHead:
            guard hasPassed(limits.headMilliseconds, since: c.since) else { return }
            exchange.counts[.timedOut] &+= 1
            end(&c, status: 408, "head_timeout", "The head took too long to arrive.")
        case .head:
            guard hasPassed(limits.idleMilliseconds, since: c.since) else { return }
            exchange.counts[.timedOut] &+= 1
            c.phase = .closed
        case .gather, .stream, .skip:
            guard
                isTooSlow(
                    since: &c.bodySince, count: &c.bodyByteCount, limits.bodyWindowMilliseconds)
            else { return }
            exchange.counts[.timedOut] &+= 1
            end(&c, status: 408, "body_timeout", "The body arrives too slowly.")
        case .lingering:
            if hasPassed(limits.lingerMilliseconds, since: c.since) { c.phase = .closed }
        default: break
        }
    }

    private func hasPassed(_ milliseconds: Int, since start: UInt64) -> Bool {
        now &- min(now, start) >= UInt64(milliseconds) &* 1_000_000
    }

    /// Whether fewer bytes than required moved in the window that ends now; starts the next one.
    private func isTooSlow(
        since start: inout UInt64, count: inout Int, _ windowMilliseconds: Int
    ) -> Bool {
        guard hasPassed(windowMilliseconds, since: start) else { return false }
        let elapsed = Int((now - start) / 1_000_000)
        let isSlow = count < limits.transferByteRateMin * elapsed / 1000
        start = now
        count = 0
        return isSlow
    }
}
