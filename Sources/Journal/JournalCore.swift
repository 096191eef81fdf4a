// The journal's inside: gathers, writes, syncs and publishes, one step at a time.
//
// A plain struct that one thread steps, or a test or a simulation: it starts nothing, waits for
// nothing and reads no clock. `JournalCore+Open` brings it up, `JournalCore+Commit` is what a step
// writes, `JournalCore+Space` prepares segments ahead, `JournalCore+Close` ends and trims.

package import Platform

/// A journal on a storage.
package struct JournalCore<Files: Storage>: ~Copyable {
    let files: Files
    let configuration: JournalConfiguration
    let memory: JournalMemory
    let streams: StreamTable

    /// Where each stream stands in the file, in the order of indices.
    var heads: [StreamHead]

    /// All segments, oldest first; those behind `current` are prepared.
    var segments: [Segment] = []
    var current = 0

    /// Where the next commit goes in the current segment, which is open as `file`.
    var offset = 0
    var file: FileNumber?

    /// All before this position is synced.
    var durablePosition: UInt64 = 0

    /// The newest mark has no frames behind it: it says of all of them that they are durable.
    var isVouched = true

    /// A mark with this life's generation is still to be written.
    var owesOpening = true

    package let generation: UInt64

    /// Bytes of space granted to frames that were gathered.
    var consumedGrant: UInt64 = 0

    /// The shard whose outbox is emptied first in the next commit.
    var turn = 0

    /// How far the outboxes of the shards were filled when they were last looked at.
    var shardEnds: [UInt64]

    /// The segment being filled with zeros: the file, and how far.
    var preparing: (file: FileNumber, offset: Int)?
    var hasBallast = false

    /// What was found at start.
    package let extents: [Extent]
    package let report: RecoveryReport

    /// The error that ended acknowledgements.
    package var failure: SystemError?

    init(
        files: Files, configuration: JournalConfiguration, memory: JournalMemory,
        recovery: consuming Recovery<Files>
    ) {
        self.files = files
        self.configuration = configuration
        self.memory = memory
        streams = configuration.streams
        shardEnds = Array(repeating: 0, count: configuration.shardCount)
        heads = recovery.checker.heads
        segments = recovery.segments
        current = recovery.current
        offset = recovery.endOffset
        let reused = configuration.defects.has(.generationReused)
        // Streams may begin, or have been imported, with generations above those of our marks.
        let newest = heads.reduce(recovery.checker.generation) { max($0, $1.generation) }
        generation = newest + (reused ? 0 : 1)
        extents = recovery.extents()
        report = recovery.report
    }

    package var state: JournalState { memory.shared.state }

    var isTakingFrames: Bool { state.rawValue <= JournalState.full.rawValue }

    /// The position behind all that is written.
    package var position: UInt64 {
        segments.isEmpty ? 0 : segments[current].base + UInt64(offset)
    }

    /// The position at which the segment begins that is written now.
    package var segmentBase: UInt64 { segments.isEmpty ? 0 : segments[current].base }

    /// The end of a stream that its owner holds. Once for each stream and life.
    package func writer(of stream: UInt16, doorbell: Doorbell? = nil) -> StreamWriter {
        guard let index = streams.index(of: stream), index < streams.journalIndex else {
            preconditionFailure("there is no stream of this number to write to")
        }
        return StreamWriter(
            stream: stream, outbox: memory.outboxes[index], shared: memory.shared,
            configuration: configuration, head: heads[index], generation: generation,
            doorbell: doorbell)
    }

    /// The newest sequence of a stream that survives a loss of power.
    package func durableSequence(of stream: UInt16) -> UInt64 {
        guard let index = streams.index(of: stream), index < streams.journalIndex else {
            preconditionFailure("there is no stream of this number")
        }
        return memory.outboxes[index].durableSequence
    }

    /// Does what there is to do: one commit, and one piece of a segment to come.
    ///
    /// - Returns: Whether there was anything.
    package mutating func step() -> Bool {
        guard isTakingFrames else { return false }
        let didCommit = commit()
        let didPrepare = isTakingFrames && prepareAhead()
        return didCommit || didPrepare
    }

    /// After any error of a write or a sync nothing is acknowledged any more, and nothing is tried
    /// again: what the device holds now only a restart can tell (W3).
    mutating func fail(_ error: SystemError) {
        failure = failure ?? error
        memory.shared.state = .failed
        for outbox in memory.outboxes { outbox.ringOwner() }
    }

    /// Tells shards how much may be reserved.
    func publishLimit() {
        var room = configuration.room(in: segments[current].byteCount, from: offset)
        for segment in segments[(current + 1)...] {
            room += configuration.room(in: segment.byteCount, from: 0)
        }
        memory.shared.limit = consumedGrant + UInt64(room)
    }
}
