// One reactor's side of the service: routes requests, owns shards, answers.
//
// Reads are answered at once from the columns. Everything that changes stock goes as batches
// through the shards' inboxes, also to this reactor's own shards, so there is one way.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import HTTP
internal import Journal
internal import Platform

/// The handler of one reactor.
struct ServiceHandler: RequestHandler, ~Copyable {
    let shared: SharedService
    let engine: Engine
    let seat: ReactorSeat
    let ownShards: [Int]
    let reader: Int

    /// The policy of this turn; replaced between turns.
    var policy: Policy
    var now: Milliseconds
    /// Whether all that was kept is loaded; until then only health is told.
    private var isReady: Bool
    /// nil until then, and where stock is in memory only.
    private(set) var journal: Journal?
    /// The policy that the shards of this reactor all have.
    private var adoptedGeneration: UInt64?
    private var lastSlew: UInt64

    /// The questions of calls that are answered at once.
    var request = AvailabilityRequest()
    var answerHead = AnswerHead()

    /// Where the items of questions end that are answered together.
    var joinedItems = Buffer<Int>()
    var eventDecoder = EventDecoder()
    var rowDecoder = RowDecoder()
    var batches: BatchPool

    /// Exchanges that wait for replies, by the number that their batches carry.
    var waiting: [WaitingExchange?] = []
    var freeWaiting: [Int] = []
    /// Exchanges to look at again in every turn: inboxes were full. And the list in use meanwhile.
    var retrying: [Int] = []
    private var retryingInUse: [Int] = []
    /// Exchanges that wait until all shards have a policy, and the journal has what it came from.
    var adopting: [(token: ExchangeToken, generation: UInt64, sequence: UInt64)] = []
    /// Exchanges that wait for a snapshot, by its ticket.
    var snapshotting: [(token: ExchangeToken, ticket: UInt64)] = []
    /// Exchanges that wait for a reading of the past.
    var remembering: [(token: ExchangeToken, ticket: PastTicket)] = []
    /// Exchanges of long calls that wait for their queues.
    var expecting: [(token: ExchangeToken, awaited: any Awaited)] = []
    private var ready: [ExchangeToken] = []

    init(_ shared: SharedService, seat: ReactorSeat) {
        self.shared = shared
        self.seat = seat
        engine = shared.engine
        ownShards = (0..<shared.engine.shardCount).filter {
            shared.owner(ofShard: $0) == seat.index
        }
        reader = shared.engine.quietPoints.register()
        now = shared.clock.now(shared.start)
        lastSlew = shared.start.bootNanoseconds
        policy = shared.engine.master.policy(now: now)
        isReady = shared.state.isReady
        batches = BatchPool(origin: seat.index)
        shared.engine.quietPoints.enter(reader)
    }

    // MARK: - Requests

    mutating func plan(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ exchange: inout Exchange
    ) -> RequestPlan {
        guard let match = RouteMatch.find(head, bytes) else {
            exchange.problem(404, "not_found", "there is no such path")
            return .answered
        }
        exchange.route = match.route.rawValue
        if let allowed = match.allowed {
            exchange.refuseMethod(allowed)
            return .answered
        }
        if !isReady, match.route != .health, match.route != .metrics {
            exchange.problem(503, "starting", "what was kept is being loaded: see /readyz")
            return .answered
        }
        if !head.contentEncoding.isEmpty {
            exchange.problem(415, "unsupported_encoding", "send the body without Content-Encoding")
            return .answered
        }
        switch match.route {
        case .availabilityBatch: return .gather(limit: BodyLimits.streamed)
        case .events, .stock: return beginIngest(match, head, bytes, &exchange)
        case .items where head.method == .put:
            return beginIngest(match, head, bytes, &exchange)
        case .reconciliations: return beginReconciliation(head, bytes, &exchange)
        default: return .gather(limit: BodyLimits.document)
        }
    }

    mutating func answer(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>,
        _ exchange: inout Exchange
    ) -> Progress {
        switch Route(rawValue: exchange.route) ?? .other {
        case .availabilityBatch: return answerAvailability(body, &exchange)
        case .availabilityOne: return answerOne(head, bytes, &exchange)
        case .health: return answerHealth(head, bytes, &exchange)
        case .metrics: return answerMetrics(&exchange)
        case .items where bytes.part(head.path).equals("/v1/items"):
            return askItems(head, bytes, &exchange)
        case .positions where Self.asksPast(head, bytes):
            return askPastPositions(head, bytes, &exchange)
        case .positions, .items: return askDetail(head, bytes, &exchange)
        case .deadLetters: return answerLetters(head, bytes, &exchange)
        case .sources: return answerSources(&exchange)
        case .snapshots: return answerSnapshots(head, &exchange)
        case .history: return askHistory(head, bytes, &exchange)
        case .export: return askExport(head, bytes, &exchange)
        case .backup: return askBackup(&exchange)
        case .locations, .groups, .channels, .rules:
            return answerDocument(head, bytes, body: body, &exchange)
        case .other, .events, .stock, .reconciliations:
            exchange.problem(404, "not_found", "there is no such path")
            return .done
        }
    }

    mutating func consume(
        _ piece: Span<UInt8>, isLast: Bool, _ exchange: inout Exchange
    ) -> Intake {
        if let state = exchange.state as? PiecesExchange {
            return consume(piece, isLast: isLast, state, &exchange)
        }
        guard let ingest = exchange.state as? IngestExchange else {
            return Intake(piece.count, .done)
        }
        return consume(piece, isLast: isLast, ingest, &exchange)
    }

    mutating func produce(_ exchange: inout Exchange) -> Progress {
        switch exchange.state {
        case let state as LetterWork: return produce(state, &exchange)
        case let state as LetterListExchange: return produce(state, &exchange)
        case let state as IngestExchange: return finish(state, &exchange)
        case let state as AvailabilityExchange: return produce(state, &exchange)
        case let state as DetailExchange: return produce(state, &exchange)
        case let state as ItemsExchange: return produce(state, &exchange)
        case let state as DocumentExchange: return produce(state, &exchange)
        case let state as SnapshotExchange: return produce(state, &exchange)
        case let state as HistoryExchange: return produce(state, &exchange)
        case let state as PiecesExchange: return produce(state, &exchange)
        default:
            exchange.problem(500, "internal", "an answer without a question")
            return .done
        }
    }

    mutating func cancelled(_ exchange: inout Exchange) {
        if let state = exchange.state as? PiecesExchange { return state.pieces.giveUp() }
        guard let state = exchange.state as? WaitingExchange else { return }
        state.isCancelled = true
        if let ingest = state as? IngestExchange { discard(ingest) }
        if state.outstanding == 0 { release(state) }
    }

    // MARK: - The turn

    mutating func begin(turn moment: Moment) { now = shared.clock.now(moment) }

    mutating func turn(_ moment: Moment) -> NextTurn {
        // Nothing of the store is held between turns.
        engine.quietPoints.pass(reader)
        if !isReady {
            isReady = shared.state.isReady
            if !isReady { return .by(moment.bootNanoseconds + 20_000_000) }
            journal = shared.state.journal
            now = shared.clock.now(moment)
        }
        if seat.index == 0 { slew(moment) }
        let isChanging = refreshPolicy()
        let areShardsIdle = engine.areIdle(ownShards)
        if !areShardsIdle { drainShards() }
        if let shard = shared.freezes.askedShard, shared.owner(ofShard: shard) == seat.index {
            shared.freezes.serve(shard, engine, now: now)
        }
        receiveReplies()
        retry()
        noteAdopted()
        noteSnapshots()
        if !remembering.isEmpty { noteReadings() }
        if !expecting.isEmpty { noteAwaited() }
        if isChanging || hasNews { return .atOnce }
        // What has come for idle shards meanwhile is seen before the reactor sleeps.
        if areShardsIdle { return nextBoundary(moment, isStalled: false) }
        if ownShards.contains(where: { engine.hasWork($0) }) { return .atOnce }
        return nextBoundary(moment, isStalled: ownShards.contains { engine.isStalled($0) })
    }

    /// Looks again at what found no room; wakes what does now.
    private mutating func retry() {
        swap(&retrying, &retryingInUse)
        for number in retryingInUse {
            guard let state = waiting[number], !state.isCancelled else { continue }
            if let ingest = state as? IngestExchange, !canGoOn(ingest) { continue }
            ready.append(state.token)
        }
        retryingInUse.removeAll(keepingCapacity: true)
    }

    private mutating func drainShards() {
        for shard in ownShards { drain(shard) }
    }

    /// Works on what came for a shard; whoever waits for a reply is woken.
    private mutating func drain(_ shard: Int) {
        var rung = -1
        let (seats, own) = (shared.seats, seat.index)
        _ = engine.drain(shard, limit: 64) { origin in
            if origin == own || origin == rung { return }
            rung = origin
            seats[origin].bell.ring()
        }
    }

    mutating func nextReady() -> ExchangeToken? { ready.popLast() }

    var hasWork: Bool {
        mutating get {
            if !isReady { return false }
            if hasNews { return true }
            return !engine.areIdle(ownShards) && ownShards.contains { engine.hasWork($0) }
        }
    }

    /// Whether there is a newer policy, a reply, or more of what exchanges wait for.
    private var hasNews: Bool {
        mutating get {
            engine.master.generation != policy.generation || engine.hasReplies(seat.index)
                || expecting.contains { $0.awaited.isReady }
        }
    }

    mutating func finish() {
        engine.quietPoints.leave(reader)
        // Another reactor may be at work on what was sent to it: that is left to the end of the
        // process.
        for case let state? in waiting where state.outstanding > 0 {
            _ = unsafe Unmanaged.passRetained(state)
        }
    }

    private mutating func slew(_ moment: Moment) {
        let elapsed = Int64((moment.bootNanoseconds - lastSlew) / 1_000_000)
        if elapsed < 1000 { return }
        shared.clock.slew(moment, elapsedMilliseconds: elapsed)
        lastSlew = moment.bootNanoseconds
    }

    /// Takes up another policy and goes on bringing it into the shards of this reactor.
    ///
    /// - Returns: Whether there is more to do.
    private mutating func refreshPolicy() -> Bool {
        engine.master.advance(to: now, past: policy.nextBoundary)
        if engine.master.generation != policy.generation {
            policy = engine.master.policy(now: now)
        }
        if adoptedGeneration == policy.generation { return false }
        var isChanging = false
        for shard in ownShards where engine.adopt(policy, shard: shard) { isChanging = true }
        if !isChanging { adoptedGeneration = policy.generation }
        return isChanging
    }

    /// - Parameter isStalled: A batch waits for room in the journal.
    private mutating func nextBoundary(_ moment: Moment, isStalled: Bool) -> NextTurn {
        // Another reactor's inbox is full, or its shards are still changing. It does not tell when
        // that is over, and asking all the time would only take the processor from it. What goes on
        // now may be the next to find no room. The same where the journal is being enlarged, or has
        // no space.
        if !adopting.isEmpty || !retrying.isEmpty || !ready.isEmpty || !snapshotting.isEmpty
            || !remembering.isEmpty || isStalled
        {
            return .by(moment.bootNanoseconds + 1_000_000)
        }
        guard policy.nextBoundary != .max else { return .whenAsked }
        let wait = UInt64(max(0, min(policy.nextBoundary - now, 1 << 40)))
        return .by(moment.bootNanoseconds + wait * 1_000_000)
    }

    private mutating func noteAdopted() {
        if adopting.isEmpty { return }
        let everywhere = engine.adoptedGeneration
        adopting.removeAll { wait in
            guard wait.generation <= everywhere,
                engine.master.acknowledgement(of: wait.sequence) != .pending
            else { return false }
            ready.append(wait.token)
            return true
        }
    }

    private mutating func noteReadings() {
        remembering.removeAll { wait in
            guard wait.ticket.outcome != nil else { return false }
            ready.append(wait.token)
            return true
        }
    }

    private mutating func noteAwaited() {
        expecting.removeAll { wait in
            guard wait.awaited.isReady else { return false }
            ready.append(wait.token)
            return true
        }
    }

    private mutating func noteSnapshots() {
        if snapshotting.isEmpty { return }
        let keeper = shared.state.snapshots
        snapshotting.removeAll { wait in
            guard keeper?.outcome(wait.ticket) != nil else { return false }
            ready.append(wait.token)
            return true
        }
    }

    // MARK: - Batches

    /// Gives an exchange a number that its batches carry.
    mutating func enroll(_ state: WaitingExchange, _ token: ExchangeToken) {
        state.token = token
        if let number = freeWaiting.popLast() {
            state.number = number
            waiting[number] = state
        } else {
            state.number = waiting.count
            waiting.append(state)
        }
    }

    mutating func release(_ state: WaitingExchange) {
        guard state.number >= 0 else { return }
        waiting[state.number] = nil
        freeWaiting.append(state.number)
        state.number = -1
    }

    /// Sends a batch; false when its shard's inbox is full.
    mutating func send(_ batch: BatchReference, for state: WaitingExchange) -> Bool {
        let shard = batch.withBatch { batch in
            batch.token = UInt64(state.number)
            batch.now = now
            return batch.shard
        }
        guard engine.send(batch) else { return false }
        state.outstanding += 1
        let owner = shared.owner(ofShard: shard)
        if owner != seat.index { shared.seats[owner].bell.ring() }
        return true
    }

    private mutating func receiveReplies() {
        while let batch = engine.receiveReply(seat.index) {
            let number = batch.withBatch { Int($0.token) }
            if let state = waiting[number] {
                state.outstanding -= 1
                state.take(batch)
                if state.isCancelled {
                    if state.outstanding == 0 { release(state) }
                } else if state.outstanding <= state.resumeAt {
                    ready.append(state.token)
                }
            }
            batches.give(batch)
        }
    }
}

/// How large bodies may be, in bytes.
enum BodyLimits {
    static let document = 1 << 20
    static let streamed = 64 << 20
    /// Of one that is kept in a file meanwhile.
    static let staged = 1 << 30
}

/// An exchange that has batches on their way.
class WaitingExchange {
    var token = ExchangeToken(rawValue: 0)
    var number = -1
    /// Batches sent and not replied to.
    var outstanding = 0
    /// The exchange goes on when so few are outstanding.
    var resumeAt = 0
    var isCancelled = false

    /// Takes what a reply says.
    func take(_ batch: BatchReference) {}
}

extension Exchange {
    mutating func refuseMethod(_ allowed: StaticString) {
        body.removeAll()
        body.append(
            "{\"type\":\"urn:holdfast:problem:method_not_allowed\",\"title\":\"Method Not Allowed\","
        )
        body.append("\"status\":405,\"code\":\"method_not_allowed\"}\n")
        respond(405, contentType: "application/problem+json") { head in
            head.appendHeader("Allow", allowed)
        }
    }

    mutating func problem(_ refusal: RequestRefusal) {
        problem(refusal.status, refusal.code, refusal.detail.utf8.span)
    }
}
