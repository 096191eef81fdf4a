// The course of one connection: heads, bodies, calls of the handler, and what follows from them.
//
// A driver serves one connection after the other; everything it holds is shared by all of a
// reactor's connections. Bytes are processed where they lie: in the reactor's read buffer, or in
// the connection's own rest if a request did not come in one piece.
//
//     readable ──▶ receive ──▶ advance (a loop over phases) ──▶ keep the rest
//     writable ──▶ send more ──▶ proceed (advance over what was kept)
//     queued, resumed ──────────▶ proceed
//     all of them ──▶ conclude: flush, shut down, set what the poller reports, count memory

internal import Bytes
internal import HTTP
internal import Platform

struct ConnectionDriver<Handler: RequestHandler & ~Copyable>: ~Copyable {
    var handler: Handler
    var exchange = Exchange()
    var requests: RequestReader
    let limits: ServerLimits
    let metrics: ReactorMetrics

    /// The instant of this turn.
    var now: UInt64 = 0

    /// Requests are answered with `Connection: close`.
    var isDraining = false

    /// Memory that connections hold.
    var bufferedByteCount = 0

    /// Calls that ended since their latency was last recorded: the last ones of a kind, and those
    /// before them.
    var finished = FinishedCalls()
    var finishedBefore: [FinishedCalls] = []

    /// Where the requests end that are being answered together.
    var joinedEnds = Buffer<Int>()
    /// Requests of the last step that were answered besides the first.
    var joinedSteps = 0

    /// Calls of one route that began at one instant, as pipelined ones do.
    struct FinishedCalls {
        var route: UInt8 = 0
        var start: UInt64 = 0
        var count: UInt64 = 0
    }

    init(handler: consuming Handler, limits: ServerLimits, metrics: ReactorMetrics) {
        self.handler = handler
        self.limits = limits
        self.metrics = metrics
        requests = RequestReader(limits: limits.http)
    }

    /// Sets the time of a new turn.
    mutating func begin(turn moment: Moment) {
        now = moment.bootNanoseconds
        exchange.begin(turn: moment)
        handler.begin(turn: moment)
    }

    // MARK: Events

    /// Reads once and processes what came.
    mutating func readable(
        _ c: inout Connection, _ input: inout ByteBuffer, _ own: inout ByteBuffer
    ) {
        // What was received before must be used up first; the queue sees to it.
        if c.isQueued { return }
        switch c.phase {
        case .gather: readGathering(&c, &own)
        case .head, .stream, .skip: readShared(&c, &input)
        case .lingering: readLingering(&c, &input)
        default: break  // `conclude` stops the reports.
        }
    }

    private mutating func readShared(
        _ c: inout Connection, _ input: inout ByteBuffer
    ) {
        input.removeAll()
        let keptCount = c.rest.count
        if keptCount > 0 { input.append(c.rest.span) }
        guard receive(&c, into: &input, room: limits.readByteCount) else { return }
        if c.phase == .head, keptCount > 0, !mayCompleteHead(input.span, from: keptCount) {
            c.rest.append(input.span.from(keptCount))
            return
        }
        if c.rest.capacity > 0 { c.rest.releaseMemory() }
        let used = advance(&c, &input)
        if used < input.count, c.phase.rawValue < Connection.Phase.closing.rawValue {
            c.rest.append(input.span.from(used))
            notePartialHead(&c)
        }
    }

    /// Whether bytes from `start` on can change what the parser says: a line has ended, or the
    /// limits of a line are to be looked at (every KiB). Keeps a head that comes byte by byte from
    /// being read from its start for every byte.
    private func mayCompleteHead(_ bytes: Span<UInt8>, from start: Int) -> Bool {
        if start >> 10 != bytes.count >> 10 { return true }
        for index in start..<bytes.count where bytes[index] == UInt8(ascii: "\n") { return true }
        return false
    }

    /// Collected bodies are read to where they stay.
    private mutating func readGathering(
        _ c: inout Connection, _ own: inout ByteBuffer
    ) {
        swap(&c.rest, &own)
        let wanted =
            c.isChunked ? limits.readByteCount : min(limits.readByteCount, c.remaining - own.count)
        if receive(&c, into: &own, room: wanted) {
            own.removeFirst(advance(&c, &own))
        }
        if own.isEmpty { own.releaseMemory() }
        swap(&c.rest, &own)
        notePartialHead(&c)
    }

    private mutating func readLingering(_ c: inout Connection, _ input: inout ByteBuffer) {
        input.removeAll()
        guard receive(&c, into: &input, room: limits.readByteCount) else { return }
        c.bodyByteCount &+= input.count
        if c.bodyByteCount > limits.lingerByteCountMax { c.phase = .closed }
    }

    /// Receives once.
    ///
    /// - Returns: Whether anything came.
    private mutating func receive(
        _ c: inout Connection, into buffer: inout ByteBuffer, room: Int
    ) -> Bool {
        let transfer = c.descriptor?.receive(into: &buffer, room: room) ?? .closed
        switch transfer {
        case .bytes(let count):
            c.bodyByteCount &+= count
            exchange.counts[.bytesIn] &+= UInt64(count)
            return true
        case .wouldBlock:
            return false
        case .closed:
            // Requests that are not complete now never will be.
            c.peerEnded = true
            c.phase = c.phase == .lingering ? .closed : .closing
        case .failed:
            c.isDead = true
        }
        return false
    }

    /// Sends what is unsent; goes on with what waited for it.
    mutating func writable(
        _ c: inout Connection, _ input: inout ByteBuffer, _ own: inout ByteBuffer
    ) {
        sendUnsent(&c)
        let hasRoom = c.unsentCount <= limits.unsentByteCountMax / 2
        if c.phase == .producing ? c.unsentCount == 0 : c.isStalled && hasRoom {
            if c.isStalled {
                c.isStalled = false
                c.beginBodyWindow(now)
            }
            proceed(&c, &input, &own)
        }
    }

    /// Goes on with what was received before.
    mutating func proceed(
        _ c: inout Connection, _ input: inout ByteBuffer, _ own: inout ByteBuffer
    ) {
        c.hasPartialHead = false
        if c.rest.isEmpty {
            input.removeAll()
            _ = advance(&c, &input)
            return
        }
        swap(&c.rest, &own)
        own.removeFirst(advance(&c, &own))
        if own.isEmpty { own.releaseMemory() }
        swap(&c.rest, &own)
        notePartialHead(&c)
    }

    /// Goes on with an exchange that said `.later`.
    mutating func resume(
        _ c: inout Connection, _ input: inout ByteBuffer, _ own: inout ByteBuffer
    ) {
        if c.phase == .paused {
            c.phase = .stream
            c.offeredCount = -1
            c.beginBodyWindow(now)
        } else {
            c.phase = .producing
        }
        proceed(&c, &input, &own)
    }

    private func notePartialHead(_ c: inout Connection) {
        if c.phase == .head, !c.rest.isEmpty, !c.hasPartialHead {
            c.hasPartialHead = true
            c.since = now
        }
    }

    // MARK: The loop over phases

    /// Processes `buffer` from its start as far as possible.
    ///
    /// - Returns: How many of its bytes are done with.
    private mutating func advance(
        _ c: inout Connection, _ buffer: inout ByteBuffer
    ) -> Int {
        var offset = 0
        var steps = limits.stepCountPerTurn
        while true {
            if exchange.output.count >= Self.flushByteCount {
                flush(&c)
                // Long answers use a turn up sooner: others wait for them.
                steps -= limits.stepCountPerTurn / Self.flushCountPerTurn
            }
            if c.isDead { return offset }
            if steps <= 0 {
                c.wantsTurn = true
                return offset
            }
            steps -= 1
            joinedSteps = 0
            let goesOn: Bool
            switch c.phase {
            case .head: goesOn = readHead(&c, &buffer, &offset)
            case .gather: goesOn = gather(&c, &buffer, &offset)
            case .stream: goesOn = stream(&c, &buffer, &offset)
            case .skip: goesOn = skip(&c, &buffer, &offset)
            case .producing: goesOn = produce(&c)
            default: goesOn = false
            }
            steps -= joinedSteps
            if !goesOn { return offset }
        }
    }

    private static var flushByteCount: Int { 64 << 10 }
    private static var flushCountPerTurn: Int { 8 }

    /// Whether the client must read before more of its requests are answered.
    mutating func isOverfull(_ c: inout Connection) -> Bool {
        if c.unsentCount &+ exchange.output.count < limits.unsentByteCountMax { return false }
        flush(&c)
        return c.unsentCount >= limits.unsentByteCountMax
    }

    private mutating func readHead(
        _ c: inout Connection, _ buffer: inout ByteBuffer, _ offset: inout Int
    ) -> Bool {
        if offset == buffer.count || isOverfull(&c) { return false }
        do {
            guard try requests.read(buffer.span.from(offset)) else { return false }
        } catch {
            refuse(&c, error)
            return false
        }
        c.hasPartialHead = false
        exchange.counts[.requests] &+= 1
        beginExchange(c)
        c.startedAt = now
        exchange.bodyIsAhead =
            switch requests.parser.head.framing {
            case .none: false
            case .length(let count):
                count > limits.skippedBodyByteCountMax || requests.parser.head.expectsContinue
            case .chunked: true
            }
        let plan = handler.plan(requests.parser.head, buffer.span.from(offset), &exchange)
        switch plan {
        case .gather(let limit): return beginGathering(&c, limit: limit, &buffer, &offset)
        case .stream(let limit): return beginStreaming(&c, limit: limit, &buffer, &offset)
        case .answered:
            offset &+= requests.parser.head.byteCount
            switch requests.parser.head.framing {
            case .none: finish(&c)
            case .length(let count): finish(&c, leaving: count)
            case .chunked:
                exchange.keepsAlive = false
                finish(&c)
            }
            return c.isReading
        }
    }

    private mutating func produce(_ c: inout Connection) -> Bool {
        flush(&c)
        if c.unsentCount > 0 || c.isDead { return false }
        restore(&c)
        let progress = handler.produce(&exchange)
        settle(&c, progress)
        return c.phase == .producing || c.isReading
    }

    /// Makes `exchange` stand for this connection's again.
    mutating func restore(_ c: inout Connection) {
        c.restore(&exchange)
        if isDraining, !exchange.hasResponded { exchange.keepsAlive = false }
    }

    /// Makes `exchange` stand for the request whose head was just read.
    @inline(__always)
    private mutating func beginExchange(_ c: borrowing Connection) {
        exchange.token = ExchangeToken(slot: c.slot, number: c.exchangeNumber)
        exchange.peer = c.peer
        exchange.route = 0
        exchange.scratch = 0
        if case .head = requests.parser.head.method {
            exchange.isToHead = true
        } else {
            exchange.isToHead = false
        }
        exchange.minorVersion = requests.parser.head.minorVersion
        exchange.keepsAlive = requests.parser.head.keepsAlive && !isDraining
        exchange.endsWithPeer = false
        exchange.hasResponded = false
        exchange.body.removeAll()
    }

    // MARK: Ends

    /// What follows from the handler's word once the body is over.
    mutating func settle(_ c: inout Connection, _ progress: Progress) {
        switch progress {
        case .done: finish(&c)
        case .later:
            c.save(&exchange)
            c.phase = .waiting
        case .more:
            c.save(&exchange)
            c.phase = .producing
        case .cut:
            // Chunks without a last one tell it by themselves. Where the end of the connection is that
            // of the body, a reset does.
            if exchange.framing == .untilClose { c.descriptor?.resetOnClose() }
            exchange.keepsAlive = false
            finish(&c)
            if exchange.framing == .untilClose { c.phase = .closed }
        }
    }

    /// The exchange has ended with its answer.
    ///
    /// - Parameter bodyCount: Bytes of the request's body that nobody has taken.
    mutating func finish(_ c: inout Connection, leaving bodyCount: Int = 0) {
        if exchange.route != finished.route || c.startedAt != finished.start {
            if finished.count > 0 { finishedBefore.append(finished) }
            finished = FinishedCalls(route: exchange.route, start: c.startedAt)
        }
        finished.count &+= 1
        if c.hasExchange {
            c.hasExchange = false
            c.exchangeNumber &+= 1
        }
        if exchange.state != nil { exchange.state = nil }
        c.since = now
        if !exchange.keepsAlive || isDraining || bodyCount > limits.skippedBodyByteCountMax {
            c.phase = .closing
        } else if bodyCount > 0 {
            c.remaining = bodyCount
            c.phase = .skip
            c.beginBodyWindow(now)
        } else {
            c.phase = .head
        }
    }

    /// The request cannot be framed or is too large: says so and closes.
    mutating func refuse(_ c: inout Connection, _ refusal: HTTPRefusal) {
        exchange.counts[.malformed] &+= 1
        end(&c, status: refusal.status, refusal.code, refusal.detail)
    }

    /// Ends the connection with a problem, if no answer has begun; cancels the exchange.
    mutating func end(
        _ c: inout Connection, status: Int, _ code: StaticString, _ detail: StaticString
    ) {
        let hasResponded = c.hasExchange && c.hasResponded
        let isToHead = c.hasExchange && c.isToHead
        cancel(&c)
        if !hasResponded {
            exchange.keepsAlive = false
            exchange.isToHead = isToHead
            exchange.minorVersion = 1
            exchange.problem(status, code, detail)
        }
        c.phase = .closing
    }

    /// Tells the handler that its exchange is over; drops what it appends.
    mutating func cancel(_ c: inout Connection) {
        guard c.hasExchange else { return }
        c.hasExchange = false
        restore(&c)
        let count = exchange.output.count
        handler.cancelled(&exchange)
        if exchange.output.count > count {
            exchange.output.removeLast(exchange.output.count - count)
        }
        exchange.state = nil
        c.exchangeNumber &+= 1
    }
}
