// A snapshot's moment in a shard's stream.

package import Bytes
package import Journal

extension Shard {
    /// Appends a marker frame and freezes the shard behind it.
    ///
    /// - Returns: What was frozen, and the marker; nil when the journal has no room just now. Without
    ///   a journal there is no marker.
    package mutating func freezeAtMarker(time: Milliseconds) -> (FrozenShard, StreamHead)? {
        guard let journal else { return (freeze(), StreamHead()) }
        guard journal.writer.hasRoom(payloadByteCount: 0), journal.writer.reserveMarker()
        else { return nil }
        defer { journal.writer.releaseReserve() }
        let sequence = journal.writer.sequence
        let nothing = ByteBuffer()
        let appended = journal.writer.append(
            .marker, after: sequence, firstEvent: eventCount, eventCount: 0, time: time,
            payload: nothing.span)
        guard case .taken = appended else { return nil }
        journal.writer.submit()
        return (freeze(), journal.writer.streamHead)
    }
}
