// Whether the bytes at a place of a segment are the frame that must be there.

/// Walks along a journal and knows what the next frame must be.
struct FrameChecker {
    private let streams: StreamTable
    private let defects: PlantedDefects

    /// Where each stream stands, in the order of indices.
    private(set) var heads: [StreamHead]

    /// Of the newest mark.
    private(set) var generation: UInt64 = 0
    private(set) var lastMark: FrameKind?

    /// Where the commit ends that the newest mark opened.
    private var commitEnd: UInt64 = 0

    /// Generations and sequences stay below, so that one more is always a number.
    private static let numberMax: UInt64 = 1 << 62

    enum Verdict {
        case good(FrameHeader)
        case bad
        case newer(UInt8)
        case otherShardCount(UInt64)
    }

    init(configuration: JournalConfiguration, starting heads: [StreamHead]) {
        streams = configuration.streams
        defects = configuration.defects
        precondition(heads.count == streams.count)
        self.heads = heads
    }

    /// A frame at `offset` of a segment of `byteCount` bytes that is whole in itself: its length is
    /// possible and its hash is right.
    func wholeFrame(
        _ region: borrowing Region, at offset: Int, segmentByteCount byteCount: Int
    ) -> FrameHeader? {
        guard byteCount - offset >= FrameHeader.byteCount,
            let header = FrameHeader(region, at: offset)
        else { return nil }
        // Not more than fits: the limit for new frames may have been higher in an earlier life.
        guard header.frameByteCount <= byteCount - offset,
            !header.kind.isMark || header.payloadByteCount >= MarkPayload.byteCount,
            header.generation < Self.numberMax, header.sequence < Self.numberMax,
            frameHash(region, at: offset, header.frameByteCount) == header.hash
                || defects.has(.hashUnchecked)
        else { return nil }
        return header
    }

    /// Judges the frame at `offset` of the segment at `base`, and goes on behind it when it is good.
    mutating func check(
        _ region: borrowing Region, at offset: Int, of segment: Segment, isFirstSegment: Bool
    ) -> Verdict {
        guard segment.byteCount - offset >= FrameHeader.byteCount else { return .bad }
        if let version = FrameHeader.newerVersion(region, at: offset) { return .newer(version) }
        guard
            let header = wholeFrame(region, at: offset, segmentByteCount: segment.byteCount),
            let index = streams.index(of: header.stream),
            header.kind.isMark == (header.stream == StreamNumber.journal)
        else { return .bad }
        let position = segment.base + UInt64(offset)
        if header.kind.isMark {
            guard (header.kind == .segment) == (offset == 0) else { return .bad }
            if header.kind == .segment {
                if let verdict = checkSegmentMark(region, header, isFirst: isFirstSegment) {
                    return verdict
                }
            }
        }
        guard continues(header, heads[index]) else { return .bad }
        if header.kind.isMark {
            let mark = MarkPayload(region, frameAt: offset)
            // Only a later life cuts a commit short.
            guard mark.position == position, mark.durableUpTo <= position,
                header.generation >= generation,
                position >= commitEnd || header.generation > generation,
                mark.commitByteCount <= UInt64(segment.byteCount - offset - header.frameByteCount)
            else { return .bad }
            generation = header.generation
            lastMark = header.kind
            commitEnd = position + UInt64(header.frameByteCount) + mark.commitByteCount
        } else {
            guard position + UInt64(header.frameByteCount) <= commitEnd else { return .bad }
        }
        heads[index] = StreamHead(
            sequence: header.sequence, hash: header.hash, generation: header.generation)
        return .good(header)
    }

    private func continues(_ header: FrameHeader, _ head: StreamHead) -> Bool {
        if defects.has(.orderUnchecked) { return true }
        return header.sequence == head.sequence &+ 1 && header.previousHash == head.hash
            && header.generation >= head.generation
    }

    /// What a segment mark says of the streams before it must be so; the first one is believed.
    private mutating func checkSegmentMark(
        _ region: borrowing Region, _ header: FrameHeader, isFirst: Bool
    ) -> Verdict? {
        guard header.payloadByteCount >= MarkPayload.byteCount + 8 else { return .bad }
        let count = region.word(at: FrameHeader.byteCount + MarkPayload.byteCount)
        guard count == UInt64(streams.count) else {
            return isFirst ? .otherShardCount(count &- 2) : .bad
        }
        guard header.payloadByteCount == streams.segmentPayloadByteCount else { return .bad }
        for index in heads.indices {
            let head = StreamHead(region, segmentMarkAt: 0, index)
            guard head.sequence < Self.numberMax, head.generation < Self.numberMax else {
                return .bad
            }
            if isFirst { heads[index] = head } else if heads[index] != head { return .bad }
        }
        return nil
    }
}
