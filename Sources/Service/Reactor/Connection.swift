// One connection: what is known about it between two events.

internal import Bytes
internal import HTTP
internal import Platform

/// The state of a connection. Lives in a slab; an idle one holds no memory besides.
struct Connection: ~Copyable {
    enum Phase: UInt8 {
        /// The slot is free.
        case vacant

        /// A head is awaited or partly here.
        case head

        /// A body is collected: `rest` starts with its head.
        case gather

        /// A body is handed on piece by piece.
        case stream

        /// A body nobody wants is skipped.
        case skip

        /// `.later` with body left: nothing is read.
        case paused

        /// `.later` with the body over.
        case waiting

        /// `.more` with the body over: `produce` when all is sent.
        case producing

        /// What is unsent is the last.
        case closing

        /// All is sent and our direction ended; what the peer still sends is dropped.
        case lingering

        /// To be closed by the reactor.
        case closed
    }

    /// nil in a vacant slot.
    var descriptor: Descriptor?
    var phase = Phase.vacant

    /// Which one.
    var slot = 0

    /// Against reports about a former connection in the same slot.
    var generation: UInt32 = 0

    /// The part of tokens that changes with each exchange that was not answered at once.
    var exchangeNumber: UInt32 = 0

    /// What the poller was last asked for.
    var interest = Interest()

    // MARK: Bytes

    /// Received and not used yet.
    var rest = ByteBuffer()

    /// Answers that the kernel did not take yet: those behind `unsentOffset`.
    var unsent = ByteBuffer()
    var unsentOffset = 0

    /// The memory of both, as the reactor has counted it.
    var heldByteCount = 0

    // MARK: Time, in nanoseconds of `Moment.bootNanoseconds`

    /// When this wait began: for a first byte, for the end of a head, for the end of lingering.
    var since: UInt64 = 0

    /// Since when and how much of a body came in, and of answers went out, in the present window.
    var bodySince: UInt64 = 0
    var bodyByteCount = 0
    var sendSince: UInt64 = 0
    var sendByteCount = 0

    // MARK: Flags

    /// Some bytes of a head are here.
    var hasPartialHead = false

    /// Wants a turn without an event, and stands in the reactor's queue for it.
    var wantsTurn = false
    var isQueued = false

    /// Too much is unsent to read on.
    var isStalled = false

    /// The peer has ended its direction.
    var peerEnded = false

    /// Nothing can be sent any more.
    var isDead = false

    /// Counts against the limits (connections over a limit do not).
    var isCounted = false

    // MARK: Body

    var isChunked = false

    /// The chunked body's end has been decoded.
    var bodyEnded = false

    /// In `gather`, bytes of the head in front of the body.
    var headByteCount = 0

    /// Bytes of an announced length that the handler has not taken; in `gather`, of the whole.
    var remaining = 0

    /// Decoded bytes of a chunked body at the front of what is not used.
    var decodedCount = 0

    /// Bytes that were offered to the handler and not taken; −1 to offer in any case.
    var offeredCount = -1
    var decoder = ChunkedDecoder()

    // MARK: Exchange

    /// The handler knows of an exchange that has not ended.
    var hasExchange = false
    var keepsAlive = false
    var isToHead = false
    var hasResponded = false
    var endsWithPeer = false
    var minorVersion: UInt8 = 1
    var route: UInt8 = 0
    var scratch = 0
    var state: AnyObject?
    var startedAt: UInt64 = 0

    var peer = Address.loopback(port: 0)

    init() {}

    /// Answers that wait for room in the kernel.
    var unsentCount: Int { unsent.count &- unsentOffset }

    /// Whether bytes are to be read for their own sake.
    var isReading: Bool {
        switch phase {
        case .head, .gather, .stream, .skip: true
        default: false
        }
    }

    /// Makes a vacant slot a fresh connection.
    mutating func open(
        _ descriptor: consuming Descriptor, slot: Int, from peer: Address, at now: UInt64
    ) {
        self.descriptor = consume descriptor
        self.slot = slot
        self.peer = peer
        phase = .head
        interest = []
        since = now
        unsentOffset = 0
        hasPartialHead = false
        wantsTurn = false
        isQueued = false
        isStalled = false
        peerEnded = false
        isDead = false
        isCounted = true
    }

    /// Makes the slot vacant; closes the descriptor.
    mutating func vacate() {
        descriptor = nil
        phase = .vacant
        generation &+= 1
        exchangeNumber &+= 1
        isQueued = false
        dropBuffers()
    }

    mutating func dropBuffers() {
        if rest.capacity > 0 { rest.releaseMemory() }
        if unsent.capacity > 0 { unsent.releaseMemory() }
        unsentOffset = 0
    }

    /// Starts to watch the pace of a body.
    mutating func beginBodyWindow(_ now: UInt64) {
        bodySince = now
        bodyByteCount = 0
    }

    /// Adds to what is unsent.
    mutating func keepUnsent(_ bytes: Span<UInt8>, at now: UInt64) {
        if unsentCount == 0 {
            sendSince = now
            sendByteCount = 0
        }
        if unsentOffset > 0 {
            unsent.removeFirst(unsentOffset)
            unsentOffset = 0
        }
        unsent.append(bytes)
    }

    /// Takes what is known about the exchange back from the one that stood for it.
    mutating func save(_ exchange: inout Exchange) {
        hasExchange = true
        keepsAlive = exchange.keepsAlive
        isToHead = exchange.isToHead
        hasResponded = exchange.hasResponded
        endsWithPeer = exchange.endsWithPeer
        minorVersion = exchange.minorVersion
        route = exchange.route
        scratch = exchange.scratch
        state = exchange.state.take()
    }

    /// Makes `exchange` stand for this connection's.
    mutating func restore(_ exchange: inout Exchange) {
        exchange.token = ExchangeToken(slot: slot, number: exchangeNumber)
        exchange.keepsAlive = keepsAlive
        exchange.isToHead = isToHead
        exchange.hasResponded = hasResponded
        exchange.endsWithPeer = endsWithPeer
        exchange.minorVersion = minorVersion
        exchange.route = route
        exchange.scratch = scratch
        exchange.state = state.take()
        exchange.peer = peer
        exchange.bodyIsAhead = false
        exchange.body.removeAll()
    }
}
