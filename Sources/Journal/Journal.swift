// The append-only journal of all shards: what makes facts durable (RELIABILITY W1 to W8, J1 to J12).
//
// Who does what
//
//     shard owner              journal thread                              device
//     StreamWriter             JournalCore, stepped
//       reserve ── space? ───▶ limit
//       append ── frame ─────▶ Outbox ─┐
//       append ── frame ─────▶ Outbox ─┴─ mark + frames ── one write ────▶ segment
//                                         one sync ──────────────────────▶ durable
//       durableSequence ◀───── publish, ring the owner's bell
//
// An owner seals its frames itself: sequence, chain and hash need nothing of the file. The thread
// copies what all outboxes hold behind one mark, writes once, syncs once and publishes. It waits for
// nothing to gather more: what comes during a sync makes up the next commit.
//
// On the device
//
//     journal/0000000000000000.journal   segments: the base in the journal, in hexadecimal; of a
//     journal/0000000004000000.journal   fixed size, filled with zeros and synced before use
//     journal/next.preparing             the one after that, being prepared
//     journal/ballast                    space that is given up when the disk is full
//     journal/lock                       held by the process that writes
//
// `Frame.swift` has the bytes of frames and marks. What makes a read-back sound:
//
// - Every frame has a hash of its own and names that of the one before in its stream; sequences are
//   dense. A frame in another place, of another stream or of an earlier time does not fit.
// - Every commit begins with a mark that says its own position, its length, the generation, and the
//   position up to which all was synced. The last tells a torn tail from damage (W6).
// - Behind the end all is zero: prepared so, and made so again by a start, before a new generation
//   writes its first mark (W2). What was cut off cannot come back.
// - A segment is written into only when all before it is synced. Its first mark says where every
//   stream stands, so old segments can go, and where the segment before it ended.
//
// When things break: a write or a sync that fails ends acknowledgements for good, until a start has
// read the device (W3). A disk that is full shows while the next segment is prepared, long before one
// is needed; `reserve` says no once the prepared space is used up, and yes again by itself (W4).
// Neither the core nor the frames' time come from a clock: time is what owners put into frames (W8).

package import Platform
internal import Synchronization

/// A journal in a folder, with its thread.
package final class Journal: Sendable {
    /// What was found at start: shards, then the control stream, then the journal's own.
    package let extents: [Extent]
    package let report: RecoveryReport

    private let configuration: JournalConfiguration
    /// Counts the lives of the journal, from 1.
    package let generation: UInt64
    private let shared: SharedState
    private let outboxes: [Outbox]
    private let doorbell: Doorbell
    private let requests: Requests
    private let writersTaken = Mutex<Set<UInt16>>([])
    private let thread: RunningThread

    /// Opens the journal in `folder`, which exists, or begins one, and starts its thread.
    ///
    /// - Parameters:
    ///   - doorbells: Of the threads that own the shards, and then the control stream; rung when
    ///     frames became durable, or the journal has failed. May be empty.
    ///   - starting: Where the streams stand if there is no journal yet; empty: all at 0.
    ///   - verified: Told what was found, before anything is changed on the device.
    ///   - deliver: Gets every frame there is, whole, in the order of the file.
    /// - Throws: Also what `deliver` and `verified` throw; nothing was changed then.
    package init(
        folder: String, _ configuration: JournalConfiguration, doorbells: [Doorbell?] = [],
        starting: [StreamHead] = [], verified: ([Extent]) throws(JournalError) -> Void = { _ in },
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) throws(JournalError) {
        let memory = try storing { () throws(SystemError) in
            try JournalMemory(configuration, doorbells: doorbells)
        }
        let core = try JournalCore.open(
            FileStorage(folder: folder), configuration, memory, starting: starting,
            verified: verified, deliver)
        extents = core.extents
        report = core.report
        generation = core.generation
        self.configuration = configuration
        shared = memory.shared
        outboxes = memory.outboxes
        requests = Requests()
        doorbell = try storing { () throws(SystemError) in try Doorbell() }
        let loop = JournalLoop(
            core: CoreHandover(core), doorbell: doorbell, requests: requests,
            configuration: configuration)
        thread = try storing { () throws(SystemError) in
            RunningThread(try Thread.start(name: "journal") { loop.run() })
        }
    }

    deinit { close() }

    package var state: JournalState { shared.state }

    /// Nothing is acknowledged any more: it has failed, or is closed.
    package var isFenced: Bool { state.rawValue >= JournalState.failed.rawValue }

    /// The disk is full, and of the space that was prepared there is too little for any frame: facts
    /// are refused.
    package var isUsedUp: Bool {
        state == .full
            && !shared.hasRoom(
                configuration.cost(ofFrame: configuration.frameByteCountMax),
                leaving: configuration.markerRoom)
    }

    /// Whether there is room for so many marker frames, or will be without anybody's doing.
    package func hasRoom(forMarkers count: Int) -> Bool {
        let cost = configuration.cost(ofFrame: FrameHeader.byteCount)
        return state != .full || shared.hasRoom(count * cost, leaving: 0)
    }

    /// The error that ended acknowledgements; nil while there was none.
    package var failure: SystemError? { requests.failure.withLock { $0 } }

    /// The end of a stream that its owner holds. Once for each stream.
    package func writer(of stream: UInt16) -> StreamWriter {
        guard let index = configuration.streams.index(of: stream),
            index < configuration.streams.journalIndex
        else { preconditionFailure("there is no stream of this number to write to") }
        let isFirst = writersTaken.withLock { $0.insert(stream).inserted }
        precondition(isFirst, "a stream has one writer")
        return StreamWriter(
            stream: stream, outbox: outboxes[index], shared: shared,
            configuration: configuration, head: extents[index].head, generation: generation,
            doorbell: doorbell)
    }

    /// The newest sequence of a stream that survives a loss of power.
    package func durableSequence(of stream: UInt16) -> UInt64 {
        guard let index = configuration.streams.index(of: stream), index < outboxes.count else {
            preconditionFailure("there is no stream of this number")
        }
        return outboxes[index].durableSequence
    }

    /// Bytes that were ever written and are durable, marks included.
    package var durablePosition: UInt64 { shared.durablePosition }

    /// Has the thread sync what is written, whatever the durability.
    package func sync() {
        requests.wantsSync.store(true, ordering: .releasing)
        doorbell.waker.wake()
    }

    /// Has the thread remove the segments that hold nothing above `sequences`, of each shard and
    /// then the control stream.
    package func trim(through sequences: [UInt64]) {
        requests.trims.withLock { $0.append(sequences) }
        doorbell.waker.wake()
    }

    /// Writes what is under way, closes in order and ends the thread. Again: nothing.
    package func close() {
        // Release: pairs with the thread's acquire.
        requests.isClosing.store(true, ordering: .releasing)
        doorbell.waker.wake()
        thread.join()
    }
}

/// What others ask of the thread, and what it says.
final class Requests: Sendable {
    let isClosing = Atomic(false)
    let wantsSync = Atomic(false)
    let trims = Mutex<[[UInt64]]>([])
    let failure = Mutex<SystemError?>(nil)
}

/// A core on its way to the thread that will step it.
///
/// Unchecked: it is put in before the thread starts and taken out by the thread alone.
final class CoreHandover: @unchecked Sendable {
    private var core: JournalCore<FileStorage>?

    init(_ core: consuming JournalCore<FileStorage>) { self.core = consume core }

    func take() -> JournalCore<FileStorage>? { core.take() }
}
