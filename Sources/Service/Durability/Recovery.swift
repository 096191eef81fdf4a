// Bringing a service up from its data directory: the newest snapshot that is whole, and the facts of
// the journal behind it, in order.
//
// Shared data comes first: in the file a name stands before every frame that uses its id. What
// follows from rules (safety stock, free) is derived once at the end, under the rules in force then.

package import Bytes
internal import Columns
internal import Domain
internal import Engine
package import Journal
internal import Platform
package import Snapshot

/// What a start has read.
package struct RecoverySummary: Sendable {
    /// The snapshot it began with; nil: there was none.
    package var snapshot: Manifest?
    package var passedOver: [PassedOver] = []
    /// nil where there is no data directory.
    package var journal: RecoveryReport?
    package var factCount = 0
    package var frameCount = 0
    package var snapshotMilliseconds = 0
    package var replayMilliseconds = 0
    package var rulesMilliseconds = 0
    /// Service time of the newest frame or snapshot; nil when there is none.
    package var newestTime: Milliseconds?
}

/// Applies the frames of a journal that lie behind a snapshot, to an engine that nothing else uses
/// yet.
struct TailReplay: ~Copyable {
    private var here: Replay
    /// Threads that replay shards; nil: the caller does.
    private var crew: ReplayCrew?
    private let marks: JournalMarks
    private var crewFactCount = 0
    private(set) var frameCount = 0
    /// Only what was known by then is applied, but for names, which change no stock; nil: all is.
    var knownBy: Milliseconds?
    /// Frames behind these are left out, of each shard and then of the control stream; nil: none is.
    var through: [UInt64]?
    /// The shards that are wanted; nil: all.
    var shards: Set<Int>?
    private(set) var newestTime: Milliseconds?

    /// - Parameters:
    ///   - snapshot: What the engine was loaded from.
    ///   - crew: Threads for the shards; nil: every frame is applied before `apply` returns.
    init(_ engine: Engine, behind snapshot: Manifest?, crew: consuming ReplayCrew? = nil) {
        here = Replay(engine)
        self.crew = crew
        marks = JournalMarks(snapshot)
        newestTime = snapshot?.time
    }

    /// Facts applied; those of other threads once they are finished.
    var factCount: Int { here.factCount + crewFactCount }

    /// Where the streams begin in a journal that is not there yet.
    var starting: [StreamHead] { marks.starting }

    /// Applies a frame as recovery delivers it, whole; those before the snapshot are passed.
    mutating func apply(_ header: FrameHeader, _ frame: Span<UInt8>) throws(JournalError) {
        if isLeftOut(header) { return }
        let isLater = knownBy.map { header.time > $0 } ?? false
        if !isLater { newestTime = max(newestTime ?? header.time, header.time) }
        guard try marks.isBehind(header) else { return }
        if isLater {
            if header.stream == StreamNumber.control { try applyNames(header, frame) }
            return
        }
        frameCount += 1
        guard header.kind == .facts, header.stream != StreamNumber.control, crew != nil else {
            return try here.apply(header, frame)
        }
        let payload = frame.extracting(
            FrameHeader.byteCount..<FrameHeader.byteCount + header.payloadByteCount)
        do throws(UnusableFrame) { try crew!.replay(header, payload) } catch {
            throw Self.unusable(error)
        }
    }

    private func isLeftOut(_ header: FrameHeader) -> Bool {
        let isShared = header.stream == StreamNumber.control
        if let through {
            let last = isShared ? through[through.count - 1] : through[Int(header.stream)]
            if header.sequence > last { return true }
        }
        return !isShared && shards.map { !$0.contains(Int(header.stream)) } ?? false
    }

    /// Applies the names of a frame of shared data alone: a shard may have used one at a time that its
    /// own clock took for earlier.
    private func applyNames(
        _ header: FrameHeader, _ frame: Span<UInt8>
    ) throws(JournalError) {
        guard header.kind == .facts else { return }
        let payload = frame.extracting(
            FrameHeader.byteCount..<FrameHeader.byteCount + header.payloadByteCount)
        do throws(ReplayError) { try here.engine.master.replay(payload, namesOnly: true) } catch {
            throw Self.unusable(
                UnusableFrame(stream: header.stream, sequence: header.sequence, error: error))
        }
    }

    /// Waits until all frames are applied; before anything is changed on the device.
    mutating func finish() throws(JournalError) {
        do throws(UnusableFrame) { crewFactCount = try crew?.finish() ?? 0 } catch {
            throw Self.unusable(error)
        }
    }

    private static func unusable(_ frame: UnusableFrame) -> JournalError {
        .unusable(
            stream: frame.stream, sequence: frame.sequence, reason: frame.error.description)
    }

    /// Compares where the journal begins and ends with the snapshot.
    func check(_ extents: [Extent]) throws(JournalError) { try marks.check(extents) }
}
