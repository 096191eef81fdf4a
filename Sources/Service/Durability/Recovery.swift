// Bringing a service up from its data directory: the journal's facts, replayed in order.
//
// Shared data comes first: in the file a name stands before every frame that uses its id. What
// follows from rules (safety stock, free) is derived once at the end, under the rules in force then.

package import Bytes
internal import Columns
internal import Domain
internal import Engine
package import Journal
internal import Platform

/// What a start has read.
package struct RecoverySummary: Sendable {
    /// nil where there is no data directory.
    package var journal: RecoveryReport?
    package var factCount = 0
    /// Service time of the newest frame; nil when there is none.
    package var newestTime: Milliseconds?
    package var replayMilliseconds = 0
    package var rulesMilliseconds = 0
}

/// Applies the frames of a journal to an engine that nothing else uses yet.
struct Replay: ~Copyable {
    let engine: Engine
    private(set) var factCount = 0
    private(set) var newestTime: Milliseconds?

    init(_ engine: Engine) { self.engine = engine }

    /// Applies a frame as recovery delivers it, whole.
    mutating func apply(_ header: FrameHeader, _ frame: Span<UInt8>) throws(JournalError) {
        newestTime = max(newestTime ?? header.time, header.time)
        guard header.kind == .facts else { return }
        let payload = frame.extracting(
            FrameHeader.byteCount..<FrameHeader.byteCount + header.payloadByteCount)
        do throws(ReplayError) {
            if header.stream == StreamNumber.control {
                try engine.master.replay(payload)
            } else {
                factCount += try engine.replay(
                    payload, shard: Int(header.stream), time: header.time,
                    eventCount: header.firstEvent + UInt64(header.eventCount))
            }
        } catch {
            throw .unusable(
                stream: header.stream, sequence: header.sequence, reason: error.description)
        }
    }
}
