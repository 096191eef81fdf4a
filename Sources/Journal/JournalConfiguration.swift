// How a journal is set up: sizes, limits, and when an answer may leave.

/// When the answer to a writer may leave: `--durability`.
package enum Durability: Equatable, Sendable, CustomStringConvertible {
    /// When its frame is synced.
    case sync
    /// When its frame is written; a sync follows every so many milliseconds.
    case interval(milliseconds: Int)
    /// When its frame is written; only the ends of segments and a close are synced.
    case none

    /// Reads `sync`, `interval:<ms>` (1 ms to a minute) or `none`.
    package init?(_ text: String) {
        switch text {
        case "sync": self = .sync
        case "none": self = .none
        default:
            guard text.hasPrefix("interval:"), let milliseconds = Int(text.dropFirst(9)),
                milliseconds >= 1, milliseconds <= 60_000
            else { return nil }
            self = .interval(milliseconds: milliseconds)
        }
    }

    package var description: String {
        switch self {
        case .sync: "sync"
        case .interval(let milliseconds): "interval:\(milliseconds)"
        case .none: "none"
        }
    }
}

/// Sizes and limits, known at start.
package struct JournalConfiguration: Sendable {
    package var shardCount = 16

    /// Bytes of a new segment, a multiple of 4096. Journals read segments of any size.
    package var segmentByteCount = 64 << 20

    /// Bytes of the largest frame, header and padding included.
    package var frameByteCountMax = 1 << 20

    /// Bytes that one shard may have under way to the journal thread.
    package var outboxByteCount = 4 << 20

    /// Bytes kept on the device for closing in order when it is full; 0: none.
    package var ballastByteCount = 64 << 20

    /// Zeros written at once into a segment that is being prepared, a multiple of 4096.
    package var prepareByteCount = 1 << 20

    package var durability = Durability.sync

    /// A mark says that all is durable once nothing has come for so long.
    package var idleMilliseconds = 10

    /// What is done wrong, for tests of the tests.
    var defects = PlantedDefects()

    package init() {}

    var streams: StreamTable { StreamTable(shardCount: shardCount) }

    /// Bytes of space that a frame may cost: itself, a mark before it and an idle mark after it.
    func cost(ofFrame byteCount: Int) -> Int { byteCount + 2 * MarkPayload.frameByteCount }

    /// Bytes of space that facts leave to marker frames, those of two snapshots: one taken of a full
    /// journal lets it go of segments.
    var markerRoom: Int { 2 * shardCount * cost(ofFrame: FrameHeader.byteCount) }

    /// Bytes gathered for one write at most.
    var stagingByteCount: Int {
        max(frameByteCountMax, min(outboxByteCount, segmentByteCount))
            + streams.segmentMarkByteCount
    }

    /// How many bytes of frames, each with its cost, surely fit behind `offset` of a segment.
    ///
    /// The last frame may not fit and move to the next segment, and a mark is kept for the close.
    func room(in byteCount: Int, from offset: Int) -> Int {
        let marks = 3 * MarkPayload.frameByteCount
        let opening = offset == 0 ? streams.segmentMarkByteCount : 0
        return max(0, byteCount - offset - opening - frameByteCountMax - marks)
    }

    /// Traps where the sizes do not go together.
    func check() {
        precondition(shardCount >= 1 && shardCount <= 4096)
        precondition(segmentByteCount % 4096 == 0 && prepareByteCount % 4096 == 0)
        precondition(prepareByteCount > 0 && frameByteCountMax % 8 == 0)
        precondition(
            room(in: segmentByteCount, from: 0) >= cost(ofFrame: frameByteCountMax) + markerRoom)
        precondition(outboxByteCount >= 2 * frameByteCountMax)
    }
}
