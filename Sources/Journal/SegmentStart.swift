// Where the streams stood when a segment was begun: what its first mark says.

internal import Platform

/// What the mark at the start of a segment says.
package struct SegmentStart: Equatable, Sendable {
    package var base: UInt64

    /// The newest frames before it: of each shard, then of the control stream, then the marks.
    package var heads: [StreamHead]

    package init(base: UInt64, heads: [StreamHead]) {
        self.base = base
        self.heads = heads
    }

    /// Whether all frames before it are among those up to `sequences`: of each shard, then of the control
    /// stream.
    package func isCovered(by sequences: [UInt64]) -> Bool {
        sequences.indices.allSatisfy { heads[$0].sequence <= sequences[$0] }
    }

    /// Whether there were no frames before it.
    package var isBeginning: Bool { heads.allSatisfy { $0.sequence == 0 } }
}

extension Storage {
    /// Reads the mark at the start of a segment.
    ///
    /// - Returns: nil where there is none that is whole: the segment is prepared, or damaged.
    package func start(
        of base: UInt64, shardCount: Int
    ) throws(JournalError) -> SegmentStart? {
        let streams = StreamTable(shardCount: shardCount)
        let byteCount = (streams.segmentMarkByteCount + 4095) & ~4095
        return try storing { () throws(SystemError) in
            let region = try Region(byteCount: byteCount)
            let file = try open(.segment(base))
            defer { close(file) }
            try readAll(file, at: 0, region, 0..<byteCount)
            guard let header = FrameHeader(region, at: 0), header.kind == .segment,
                header.payloadByteCount == streams.segmentPayloadByteCount,
                frameHash(region, at: 0, header.frameByteCount) == header.hash,
                MarkPayload(region, frameAt: 0).position == base
            else { return nil }
            let heads = (0..<streams.count).map { StreamHead(region, segmentMarkAt: 0, $0) }
            return SegmentStart(base: base, heads: heads)
        }
    }
}
