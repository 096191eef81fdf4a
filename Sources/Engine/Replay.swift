// Bringing an engine up from a journal: its frames, applied in order.
//
// Shared data comes first: in the file a name stands before every frame that uses its id. What
// follows from rules (safety stock, free) is derived by whoever replays, once at the end, under the
// rules in force then.

package import Bytes
internal import Columns
internal import Domain
package import Journal

/// Applies the frames of a journal to an engine that nothing else uses yet.
package struct Replay: ~Copyable {
    package let engine: Engine
    package private(set) var factCount = 0
    /// Service time of the newest frame; nil when there was none.
    package private(set) var newestTime: Milliseconds?

    package init(_ engine: Engine) { self.engine = engine }

    /// Applies a frame as recovery delivers it, whole.
    package mutating func apply(
        _ header: FrameHeader, _ frame: Span<UInt8>
    ) throws(JournalError) {
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
