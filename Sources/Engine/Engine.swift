// The engine: shards, their inboxes, and what they share. Any thread reads; each shard has one
// owner; commands travel as batches.

internal import Bytes
package import Columns
internal import Domain
internal import Journal
package import Platform
internal import Synchronization

/// The whole store, and the ways in.
///
/// Who touches what: `readers`, `master` and `send` any thread; `withShard`, `drain` the thread
/// that owns the shard; `receiveReply` the reactor that sent.
@safe
package final class Engine: @unchecked Sendable {
    package let options: EngineOptions
    package let hasher: KeyedHash
    package let quietPoints: QuietPoints
    package let master: MasterData

    private let shards: UnsafeMutablePointer<Shard>
    private let runReaders: UnsafeMutablePointer<RunReader>
    private let inboxes: [Inbox]
    private let replies: [Ring]
    private let shardShift: UInt64

    // One word a shard, 128 bytes apart: commands waiting, generation of the policy adopted.
    private let queued: SpacedCounters
    private let adopted: SpacedCounters
    private let changes = Atomic<UInt64>(0)
    private let itemChanges: SpacedCounters
    private let board: FigureBoard

    /// Batches that one reactor may have on their way: its reply ring holds them all.
    package static let batchesInFlightMax = 1024

    /// - Parameters:
    ///   - reactorCount: How many may send and receive replies.
    ///   - generator: Where the secret of the name hashes comes from.
    package convenience init(
        options: EngineOptions = EngineOptions(), reactorCount: Int = 1,
        using generator: inout some RandomNumberGenerator
    ) throws(SystemError) {
        try self.init(
            options: options, reactorCount: reactorCount, hasher: KeyedHash(using: &generator))
    }

    /// - Parameters:
    ///   - reactorCount: How many may send and receive replies.
    ///   - hasher: Of names, under the secret of a data directory.
    package init(
        options: EngineOptions, reactorCount: Int, hasher: KeyedHash
    ) throws(SystemError) {
        let count = options.shardCount
        precondition(count >= 1 && count <= 256 && count & (count - 1) == 0)
        self.options = options
        self.hasher = hasher
        quietPoints = QuietPoints()
        master = try MasterData(
            hasher: hasher, quietPoints: quietPoints, defects: options.defects)
        shardShift = UInt64(64 - count.trailingZeroBitCount)
        inboxes = (0..<count).map { _ in Inbox(capacity: options.inboxCapacity) }
        replies = (0..<reactorCount).map { _ in Ring(capacity: Self.batchesInFlightMax) }
        queued = SpacedCounters(count: count)
        adopted = SpacedCounters(count: count)
        itemChanges = SpacedCounters(count: count)
        board = FigureBoard(shardCount: count)
        unsafe shards = .allocate(capacity: count)
        unsafe runReaders = .allocate(capacity: count)
        let policy = master.policy(now: 0)
        for number in 0..<count {
            let shard = try Shard(
                number: number, options: options, policy: policy, hasher: hasher,
                quietPoints: quietPoints)
            unsafe (runReaders + number).initialize(to: shard.positions.reader)
            unsafe (shards + number).initialize(to: shard)
        }
    }

    deinit {
        unsafe shards.deinitialize(count: options.shardCount)
        unsafe shards.deallocate()
        unsafe runReaders.deinitialize(count: options.shardCount)
        unsafe runReaders.deallocate()
    }

    package var shardCount: Int { options.shardCount }

    /// The shard that a SKU lives in, for good.
    @inline(__always)
    package func shard(of key: NameKey) -> Int {
        // In two steps, because a shift by 64 (one shard) would be a shift by 0.
        Int(truncatingIfNeeded: (key.hash &>> 1) &>> (shardShift &- 1))
    }

    @inline(__always)
    package func reader(_ shard: Int) -> RunReader {
        precondition(shard >= 0 && shard < options.shardCount)
        return unsafe runReaders[shard]
    }

    /// Hands the readers of all shards to `body`, by number.
    @inline(__always)
    func withReaders<Result>(_ body: (Span<RunReader>) -> Result) -> Result {
        unsafe body(Span(_unsafeStart: runReaders, count: options.shardCount))
    }

    /// The shard's state, for its owner.
    package func withShard<Result: ~Copyable, E: Error>(
        _ shard: Int, _ body: (inout Shard) throws(E) -> Result
    ) throws(E) -> Result {
        precondition(shard >= 0 && shard < options.shardCount)
        return unsafe try body(&shards[shard])
    }

    /// Counts the batches that changed something, over all shards: the number in a mark.
    package var changeCount: UInt64 { changes.load(ordering: .acquiring) }

    /// A marker frame counts like one that changed something: marks number frames.
    package func noteMarker() { changes.wrappingAdd(1, ordering: .releasing) }

    /// Puts back what a shard has counted. Before anything is changed.
    package func resume(shard number: Int, eventCount: UInt64, itemChangeCount: UInt64) {
        withShard(number) { shard in
            shard.eventCount = eventCount
            shard.itemChangeCount = itemChangeCount
        }
        noteItemChanges(itemChangeCount, number)
    }

    /// Goes on counting from where an earlier life left off. Before anything is changed.
    package func resume(changeCount: UInt64) {
        changes.store(changeCount, ordering: .releasing)
    }

    /// Counts the changes of items.
    package var itemsVersion: UInt64 {
        (0..<shardCount).reduce(0) { $0 + itemChanges.value(at: $1) }
    }

    /// Asks for the cache line that a look-up of a SKU reads first: for one that is soon asked about.
    package func prefetch(_ key: NameKey) { reader(shard(of: key)).names.prefetchIndex(key) }

    // MARK: - Messages

    /// Sends a batch to its shard, unless its inbox is full.
    ///
    /// The caller keeps a place for the reply: at most `batchesInFlightMax` batches per origin.
    package func send(_ batch: BatchReference) -> Bool {
        let (shard, lane, commands) = batch.withBatch { ($0.shard, $0.lane, $0.queuedCount) }
        let waiting = queued.add(UInt64(commands), at: shard)
        // Promises already made are kept as long as there is a cell for them.
        let isOver =
            lane == .start && waiting > 0
            && waiting + UInt64(commands) > UInt64(options.queuedCommandMax)
        if isOver || !inboxes[shard].trySend(batch.word, lane) {
            _ = queued.add(0 &- UInt64(commands), at: shard)
            return false
        }
        return true
    }

    /// Takes batches from the shard's inbox, works on them and sends the replies. Owner only.
    ///
    /// - Parameter onReply: Told the origin of each reply, so that it can be woken.
    /// - Returns: Batches done; `limit` when there may be more.
    package func drain(
        _ shard: Int, limit: Int, onReply: (_ origin: Int) -> Void = { _ in }
    ) -> Int {
        if isIdle(shard) { return 0 }
        releaseReplies(shard, onReply)
        var done = 0
        while done < limit, let word = nextBatch(shard) {
            guard let isHeld = work(onBatch: word, shard) else { break }
            if !isHeld { reply(word, onReply) }
            done += 1
        }
        if done > 0 {
            withShard(shard) { $0.journal?.writer.submit() }
            board.publish(withShard(shard) { ShardFigures($0) }, shard: shard)
        }
        return done
    }

    private func nextBatch(_ shard: Int) -> UInt64? {
        withShard(shard) { $0.stalled.take() } ?? inboxes[shard].receive()
    }

    private func reply(_ word: UInt64, _ onReply: (_ origin: Int) -> Void) {
        let origin = BatchReference(word: word).withBatch { $0.origin }
        let sent = replies[origin].trySend(word)
        precondition(sent, "a reactor has more batches on their way than reply places")
        onReply(origin)
    }

    /// Sends the replies that waited for frames which are acknowledged by now.
    private func releaseReplies(_ shard: Int, _ onReply: (_ origin: Int) -> Void) {
        while let released = withShard(shard, { $0.takeReleased() }) {
            if released.isUnknown {
                BatchReference(word: released.word).withBatch { $0.refuse(.unknown) }
            }
            reply(released.word, onReply)
        }
    }

    /// Does what a batch asks for.
    ///
    /// - Returns: Whether its reply is held back; nil: the journal has no room, and it waits.
    private func work(onBatch word: UInt64, _ number: Int) -> Bool? {
        BatchReference(word: word).withBatch { batch -> Bool? in
            withShard(number) { shard -> Bool? in
                var isHeld = false
                if case .apply = batch.task {
                    switch shard.admit(batch) {
                    case .wait:
                        shard.stalled = word
                        return nil
                    case .refused(let outcome): batch.refuse(outcome)
                    case .go:
                        apply(&batch, to: &shard)
                        isHeld = shard.hold(word)
                    }
                } else {
                    answer(&batch, &shard)
                }
                _ = queued.add(0 &- UInt64(batch.queuedCount), at: number)
                return isHeld
            }
        }
    }

    private func apply(_ batch: inout CommandBatch, to shard: inout Shard) {
        guard shard.applyAndAppend(&batch) else { return }
        changes.wrappingAdd(1, ordering: .releasing)
        if batch.commands.count > 0, batch.commands[0].verb == .item {
            shard.itemChangeCount += 1
            noteItemChanges(shard.itemChangeCount, shard.number)
        }
    }

    /// Shows readers how often the items of a shard have changed. Owner only.
    func noteItemChanges(_ count: UInt64, _ shard: Int) { itemChanges.set(count, at: shard) }

    private func answer(_ batch: inout CommandBatch, _ shard: inout Shard) {
        switch batch.task {
        case .apply: preconditionFailure("a batch is applied, not answered")
        case .detail: shard.detail(&batch)
        case .listParked: shard.listParked(&batch)
        case .listItems: shard.listItems(&batch)
        case .read:
            guard
                let query = unsafe UnsafeMutablePointer<AvailabilityQuery>(
                    bitPattern: UInt(batch.query))
            else { fatalError("a read without a query") }
            unsafe query.pointee.readContended(shard: batch.shard, self, shard.policy)
        }
    }

    /// The next reply for a reactor; nil when there is none.
    package func receiveReply(_ reactor: Int) -> BatchReference? {
        replies[reactor].receive().map { BatchReference(word: $0) }
    }

    /// What the shard's owner last published for metrics.
    package func figures(_ shard: Int) -> ShardFigures { board.figures(shard: shard) }

    /// Whether there is a reply for a reactor.
    package func hasReplies(_ reactor: Int) -> Bool { replies[reactor].count > 0 }

    /// Commands waiting in a shard's inbox, questions to its owner included.
    package func queuedCommands(_ shard: Int) -> Int { Int(queued.value(at: shard)) }

    /// Whether no message waits for any of `shards`, and none of their replies is held back. Owner
    /// only; asked in every turn, and most turns it is so.
    package func areIdle(_ shards: [Int]) -> Bool {
        for shard in shards where !isIdle(shard) { return false }
        return true
    }

    /// Two loads; the first one checks the number.
    @inline(__always)
    private func isIdle(_ shard: Int) -> Bool {
        unsafe queued.value(at: shard) == 0 && shards[shard].heldReplies.isEmpty
    }

    /// Whether there is a message for a shard that can be worked on, or one is just being sent, or
    /// a reply can leave. Owner only.
    package func hasWork(_ shard: Int) -> Bool {
        withShard(shard) { $0.canRelease || $0.stalled == nil && queued.value(at: shard) > 0 }
    }

    /// Whether a batch waits for room in the journal. Owner only.
    package func isStalled(_ shard: Int) -> Bool { withShard(shard) { $0.stalled != nil } }

    // MARK: - Policy

    /// Goes on bringing `policy` into a shard. Owner only.
    ///
    /// - Returns: Whether there is more to do.
    package func adopt(_ policy: Policy, shard number: Int) -> Bool {
        let (more, generation) = withShard(number) { shard in
            let more = shard.adopt(policy)
            return (more, shard.adoptedGeneration)
        }
        adopted.set(generation, at: number)
        return more
    }

    /// Brings a policy into all shards at once. While nothing else uses the engine.
    package func adoptEverywhere(_ policy: Policy) {
        for shard in 0..<shardCount { while adopt(policy, shard: shard) {} }
    }

    /// The oldest policy that any shard still has: a change is everywhere when this reaches it.
    package var adoptedGeneration: UInt64 {
        (0..<shardCount).map { adopted.value(at: $0) }.min() ?? 0
    }
}

/// Counters that different threads write, no two on one pair of cache lines.
@safe
final class SpacedCounters: @unchecked Sendable {
    private static let stride = 16
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int

    init(count: Int) {
        self.count = count
        unsafe words = .allocate(capacity: count * Self.stride)
        for word in 0..<count * Self.stride { unsafe (words + word).initialize(to: Atomic(0)) }
    }

    deinit { unsafe words.deallocate() }

    /// Adds and returns what was there before. Relaxed: a bound, not a message.
    func add(_ value: UInt64, at index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return unsafe words[index * Self.stride].wrappingAdd(value, ordering: .relaxed).oldValue
    }

    func set(_ value: UInt64, at index: Int) {
        precondition(index >= 0 && index < count)
        unsafe words[index * Self.stride].store(value, ordering: .releasing)
    }

    func value(at index: Int) -> UInt64 {
        precondition(index >= 0 && index < count)
        return unsafe words[index * Self.stride].load(ordering: .acquiring)
    }
}
