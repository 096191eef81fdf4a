// The event loop of one thread: connections, the handler, and the time between them.
//
// One turn:
//
//     wait ──▶ read the clock ──▶ each report: accept, read, write ──▶ connections that were owed
//     a turn ──▶ handler.turn ──▶ exchanges that can go on ──▶ four times a second: time-outs
//
// System calls of a request that comes alone: one read and one send. One wait serves all that was
// ready. The poller is level triggered and is told nothing new as long as answers can be sent at
// once; a connection that is sent nothing holds no memory beyond its slot.

internal import Bytes
internal import Platform

struct Reactor<Handler: RequestHandler & ~Copyable>: ~Copyable {
    var driver: ConnectionDriver<Handler>
    var poller: Poller
    var slab: Slab<Connection>
    var listener: Listener?
    let seat: ReactorSeat
    let control: ServerControl

    /// What is read goes here, for all connections.
    var input: ByteBuffer

    /// Stands in while a connection's own bytes are worked on.
    var own = ByteBuffer()

    /// Connections that want a turn, and the list in use while they get it.
    private var queue: [Int32] = []
    private var queueInUse: [Int32] = []

    private var now = Moment(bootNanoseconds: 0, wallMilliseconds: 0)
    private var nextTick: UInt64 = 0
    private var nextTurn = NextTurn.atOnce
    private var drainDeadline: UInt64 = .max
    private var hasReportedDrained = false

    /// Accepting rests until the next tick: descriptors ran out.
    var isListenerResting = false
    let listenerInterest: Interest

    /// Reserved tokens. Connections have generation and slot, which cannot reach these.
    static var listenerToken: UInt64 { .max }
    static var bellToken: UInt64 { .max - 1 }

    /// Slots for connections that are told that there is no room.
    private static var refusalSlotCount: Int { 256 }

    init(
        seat: ReactorSeat, control: ServerControl, listener: consuming Listener,
        isShared: Bool, handler: consuming Handler
    ) throws(SystemError) {
        let limits = control.limits
        let poller = try Poller()
        var interest: Interest = [.reading]
        if isShared { interest.insert(.exclusive) }
        try poller.add(listener.descriptor, token: Self.listenerToken, interest: interest)
        try poller.add(
            seat.bell.waker.descriptor, token: Self.bellToken, interest: [.reading, .edge])
        self.poller = poller
        self.seat = seat
        self.control = control
        self.listener = consume listener
        listenerInterest = interest
        driver = ConnectionDriver(handler: handler, limits: limits, metrics: seat.metrics)
        slab = Slab(capacity: limits.connectionCountMax + Self.refusalSlotCount)
        input = ByteBuffer(capacity: limits.readByteCount)
    }

    // MARK: The loop

    /// Turns until the server has stopped.
    mutating func run() {
        while true {
            let count = poller.wait(timeoutMilliseconds: prepareToWait())
            seat.bell.awake()
            now = Moment(
                bootNanoseconds: Clock.bootNanoseconds, wallMilliseconds: Clock.wallMilliseconds)
            driver.begin(turn: now)
            for index in 0..<count { handle(poller.readiness(at: index)) }
            runQueue()
            nextTurn = driver.handler.turn(now)
            while let token = driver.handler.nextReady() { resume(token) }
            if now.bootNanoseconds >= nextTick { tick() }
            driver.exchange.counts[.turns] &+= 1
            driver.exchange.counts[.bufferedBytes] = UInt64(driver.bufferedByteCount)
            driver.metrics.publish(driver.exchange.counts)
            if control.stage != .running, isOver() { break }
        }
        driver.handler.finish()
    }

    /// How long the next wait may take; announces a sleep if it may.
    private mutating func prepareToWait() -> Int32 {
        if !queue.isEmpty || nextTurn == .atOnce { return 0 }
        var wakeAt = nextTick
        if case .by(let instant) = nextTurn { wakeAt = min(wakeAt, instant) }
        let current = now.bootNanoseconds
        if wakeAt <= current { return 0 }
        seat.bell.prepareToSleep()
        // After the announcement: whoever adds work from here on rings.
        if driver.handler.hasWork || control.stage != .running && drainDeadline == .max { return 0 }
        let tick = UInt64(control.limits.tickMilliseconds)
        let wait = min(tick, (wakeAt - current + 999_999) / 1_000_000)
        return Int32(control.stage == .running ? wait : min(wait, 5))
    }

    private mutating func handle(_ readiness: Readiness) {
        switch readiness.token {
        case Self.listenerToken: accept()
        case Self.bellToken: break  // Awake is all that was asked for.
        default:
            let slot = Int(readiness.token & 0xffff_ffff)
            // A report about a connection that was closed in this very turn names nobody.
            guard slab[slot].generation == UInt32(readiness.token >> 32),
                slab[slot].phase != .vacant
            else { return }
            if readiness.isBroken {
                slab[slot].phase = .closed
            } else {
                if readiness.canWrite { driver.writable(&slab[slot], &input, &own) }
                if readiness.canRead || readiness.peerEnded {
                    driver.quiet(&slab[slot], readiness, token: readiness.token, poller)
                    driver.readable(&slab[slot], &input, &own)
                }
            }
            conclude(slot)
        }
    }

    /// Those that had more than one turn's worth of work, or whose handler wants to go on.
    private mutating func runQueue() {
        if queue.isEmpty { return }
        swap(&queue, &queueInUse)
        for entry in queueInUse {
            let slot = Int(entry)
            // Closed since, or even taken by another connection.
            guard slab[slot].isQueued else { continue }
            slab[slot].isQueued = false
            driver.proceed(&slab[slot], &input, &own)
            conclude(slot)
        }
        queueInUse.removeAll(keepingCapacity: true)
    }

    private mutating func resume(_ token: ExchangeToken) {
        let slot = token.slot
        guard slot < slab.touchedCount, slab[slot].exchangeNumber == token.number,
            slab[slot].hasExchange
        else { return }
        switch slab[slot].phase {
        case .waiting, .paused:
            driver.resume(&slab[slot], &input, &own)
            conclude(slot)
        default: break  // It goes on by itself.
        }
    }

    /// Settles a connection after anything happened to it.
    mutating func conclude(_ slot: Int) {
        let token = self.token(slot)
        driver.conclude(&slab[slot], token: token, poller)
        if slab[slot].phase == .closed {
            close(slot)
        } else if slab[slot].wantsTurn {
            slab[slot].wantsTurn = false
            slab[slot].isQueued = true
            queue.append(Int32(slot))
        }
        if driver.bufferedByteCount > control.bufferByteCountMaxPerReactor { cutBiggest() }
    }

    func token(_ slot: Int) -> UInt64 {
        UInt64(slab[slot].generation) << 32 | UInt64(slot)
    }

    /// Closes a connection whose phase says so; tells the handler if it was at work.
    mutating func close(_ slot: Int) {
        driver.cancel(&slab[slot])
        driver.exchange.output.removeAll()
        if slab[slot].isCounted {
            control.census.leave(slab[slot].peer.origin)
            driver.exchange.counts[.open] &-= 1
        }
        driver.bufferedByteCount -= slab[slot].heldByteCount
        slab[slot].heldByteCount = 0
        slab[slot].vacate()
        slab.giveBack(slot)
    }

    // MARK: Time-outs, memory, the end

    private mutating func tick() {
        nextTick = now.bootNanoseconds + UInt64(control.limits.tickMilliseconds) * 1_000_000
        for slot in 0..<slab.touchedCount where slab[slot].phase != .vacant {
            driver.examine(&slab[slot])
            if slab[slot].phase == .closed || slab[slot].phase == .closing { conclude(slot) }
        }
        if isListenerResting { setListener(resting: false) }
        // One large answer must not hold its memory for good.
        if driver.exchange.output.capacity > 4 << 20 { driver.exchange.output.releaseMemory() }
        if driver.exchange.body.capacity > 4 << 20 { driver.exchange.body.releaseMemory() }
        if input.capacity > 4 << 20 { input.releaseMemory() }
    }

    /// Too much memory is held in all: the connection that holds most of it goes.
    private mutating func cutBiggest() {
        var biggest = -1
        var most = 0
        for slot in 0..<slab.touchedCount where slab[slot].heldByteCount > most {
            most = slab[slot].heldByteCount
            biggest = slot
        }
        guard biggest >= 0 else { return }
        driver.exchange.counts[.cut] &+= 1
        slab[biggest].phase = .closed
        close(biggest)
    }

    /// Goes on with stopping.
    ///
    /// - Returns: Whether this reactor, and every other one, has ended its connections. Until then
    ///   the handler keeps turning, since others may need its shards.
    private mutating func isOver() -> Bool {
        if drainDeadline == .max { beginDraining() }
        let isLate = now.bootNanoseconds >= drainDeadline || control.stage == .stopping
        var openCount = 0
        for slot in 0..<slab.touchedCount where slab[slot].phase != .vacant {
            if isLate || slab[slot].phase == .head && slab[slot].isAtRest {
                slab[slot].phase = .closed
                close(slot)
            } else {
                openCount += 1
            }
        }
        if openCount == 0, !hasReportedDrained {
            hasReportedDrained = true
            control.reactorDrained()
        }
        return control.areAllDrained
    }

    private mutating func beginDraining() {
        drainDeadline =
            now.bootNanoseconds + UInt64(control.limits.drainMilliseconds) * 1_000_000
        driver.isDraining = true
        listener = nil
        nextTurn = .atOnce
    }
}

extension Connection {
    /// Nothing is under way: no bytes of a request are here and no answer is unsent.
    var isAtRest: Bool { rest.isEmpty && unsentCount == 0 && !isQueued }
}
