// Reading a journal back at start: which frames count, where it ends, what is damage (W6).
//
// Frames are read from the oldest segment on and checked one by one. Where one is bad, all that lies
// behind is searched for a mark that says that more than this was durable:
//
//     found        the bad frame was durable, so the device has lost or changed it: damage, stop
//     none found   the bad frame was never synced: a torn tail, cut here
//
// A segment ends without a sign of its own. Nothing is written into a segment before all of the one
// before it is synced, so the first mark of the next tells where it ended: its durable-up-to.

internal import Platform

/// One stream of a journal as it was found.
package struct Extent: Equatable, Sendable {
    package var stream: UInt16

    /// The frame before the first that can be read: what the journal goes on from.
    package var start: StreamHead
    package var head: StreamHead

    /// The first sequence that can be read; one more than the head's when there is none.
    package var first: UInt64 { start.sequence + 1 }
}

/// What was found at start.
package struct RecoveryReport: Equatable, Sendable {
    package var frameCount = 0
    package var segmentCount = 0

    /// The journal was closed in order.
    package var wasClosed = false

    /// Where it ends: the segment's base and the offset in it.
    package var endSegment: UInt64 = 0
    package var endOffset = 0

    /// Bytes behind the end that had to be made zero: what was torn off.
    package var cutByteCount = 0
}

/// A file of the journal.
struct Segment {
    var base: UInt64
    var byteCount: Int

    /// Where each stream stood before it; empty as long as nothing is written in it.
    var heads: [StreamHead] = []

    var end: UInt64 { base + UInt64(byteCount) }
}

/// Reads the segments of a storage; changes nothing.
struct Recovery<Files: Storage>: ~Copyable {
    private let files: Files
    private let streams: StreamTable
    private let defects: PlantedDefects
    private(set) var checker: FrameChecker
    private(set) var segments: [Segment] = []
    private(set) var report = RecoveryReport()

    /// The segment that the journal ends in, and where. Offset 0: nothing is written there yet.
    private(set) var current = 0
    private(set) var endOffset = 0

    /// What the bytes at the end say that they are; nil where they say nothing.
    private var suspect: FrameHeader?

    /// What lies behind the end and is not zero, at most one range a segment.
    private(set) var remains: [(segment: Int, range: Range<Int>)] = []

    /// - Parameter heads: Where the streams stand if there is no journal yet.
    init(
        files: Files, configuration: JournalConfiguration, starting heads: [StreamHead]
    ) throws(JournalError) {
        self.files = files
        streams = configuration.streams
        defects = configuration.defects
        checker = FrameChecker(configuration: configuration, starting: heads)
        var bases = try storing { () throws(SystemError) in try files.segments() }
        if !defects.has(.segmentsUnsorted) { bases.sort() }
        for base in bases {
            let byteCount = try storing { () throws(SystemError) in
                let file = try files.open(.segment(base))
                defer { files.close(file) }
                return try files.byteCount(file)
            }
            segments.append(Segment(base: base, byteCount: byteCount))
            guard base < 1 << 62, byteCount > 0, byteCount % 4096 == 0 else {
                throw damage(.badSegment, segments.count - 1, 0)
            }
        }
        report.segmentCount = segments.count
    }

    var largestSegmentByteCount: Int { segments.reduce(0) { max($0, $1.byteCount) } }

    /// Where each stream begins and ends, in the order of indices.
    func extents() -> [Extent] {
        let starts = segments.first.map(\.heads) ?? []
        return checker.heads.indices.map { index in
            let start = starts.isEmpty ? checker.heads[index] : starts[index]
            return Extent(
                stream: streams.number(at: index), start: start,
                head: checker.heads[index])
        }
    }

    /// Reads all, segment by segment into `region`, which holds the largest, and hands every good
    /// frame that is no mark to `deliver`, whole, in the order of the file.
    mutating func run(
        into region: borrowing Region,
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) throws(JournalError) {
        var hasEnded = false
        for index in segments.indices {
            if index > 0, segments[index].base != segments[index - 1].end {
                throw damage(.missingSegment, index, 0)
            }
            try load(segments[index], into: region)
            var offset = 0
            if !hasEnded {
                if try beginSegment(index, region) {
                    offset = try readFrames(region, deliver)
                } else {
                    hasEnded = true
                }
            }
            try searchRest(of: index, from: offset, region)
        }
        report.wasClosed = checker.lastMark == .close && remains.isEmpty
        if !segments.isEmpty { report.endSegment = segments[current].base }
        report.endOffset = endOffset
        report.cutByteCount = remains.reduce(0) { $0 + $1.range.count }
    }

    private func load(
        _ segment: Segment, into region: borrowing Region
    ) throws(JournalError) {
        do {
            let file = try files.openUncached(.segment(segment.base))
            defer { files.close(file) }
            try files.readAll(file, at: 0, region, 0..<segment.byteCount)
        } catch { throw .storage(error) }
    }

    /// Whether the journal goes on in segment `index`, which is in `region`.
    private mutating func beginSegment(
        _ index: Int, _ region: borrowing Region
    ) throws(JournalError) -> Bool {
        var ahead = checker
        switch ahead.check(region, at: 0, of: segments[index], isFirstSegment: index == 0) {
        case .good:
            let mark = MarkPayload(region, frameAt: 0)
            if index > 0, mark.durableUpTo != endPosition {
                throw damage(.badFrame, current, endOffset)
            }
        case .newer(let version):
            throw .newerVersion(version, segment: segments[index].base, offset: 0)
        case .otherShardCount(let count): throw .shardCount(count)
        case .bad:
            if index == 0, segments[0].base != 0 {
                throw damage(.badSegmentMark, 0, 0)
            }
            return false
        }
        segments[index].heads = (0..<streams.count).map {
            StreamHead(region, segmentMarkAt: 0, $0)
        }
        current = index
        endOffset = 0
        remains.removeAll(keepingCapacity: true)
        return true
    }

    /// Reads the frames of the current segment as far as they are good.
    ///
    /// - Returns: Where they end.
    private mutating func readFrames(
        _ region: borrowing Region,
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) throws(JournalError) -> Int {
        let segment = segments[current]
        while true {
            switch checker.check(
                region, at: endOffset, of: segment, isFirstSegment: current == 0)
            {
            case .good(let header):
                let range = endOffset..<endOffset + header.frameByteCount
                if !header.kind.isMark {
                    report.frameCount += 1
                    try region.withSpan(range) { frame throws(JournalError) in
                        try deliver(header, frame)
                    }
                }
                endOffset = range.upperBound
            case .newer(let version):
                throw .newerVersion(version, segment: segment.base, offset: endOffset)
            case .bad, .otherShardCount:
                let hasRoom = segment.byteCount - endOffset >= FrameHeader.byteCount
                suspect = hasRoom ? FrameHeader(region, at: endOffset) : nil
                return endOffset
            }
        }
    }

    private var endPosition: UInt64 {
        segments.isEmpty ? 0 : segments[current].base + UInt64(endOffset)
    }

    /// Looks behind the end for a mark that says that more was durable, and for what is not zero.
    private mutating func searchRest(
        of index: Int, from start: Int, _ region: borrowing Region
    ) throws(JournalError) {
        let segment = segments[index]
        guard let first = region.firstSet(in: start..<segment.byteCount),
            let last = region.lastSet(in: first..<segment.byteCount)
        else { return }
        remains.append((index, first..<last))
        if defects.has(.damageTakenForTear) { return }
        var offset = first
        while offset < last {
            if let header = checker.wholeFrame(
                region, at: offset, segmentByteCount: segment.byteCount), header.kind.isMark
            {
                let mark = MarkPayload(region, frameAt: offset)
                if mark.position != segment.base + UInt64(offset) {
                    throw damage(.misplaced, index, offset)
                }
                if mark.durableUpTo > endPosition {
                    throw damage(.badFrame, current, endOffset)
                }
            }
            offset += 8
        }
    }

    private func damage(_ reason: Damage.Reason, _ index: Int, _ offset: Int) -> JournalError {
        let found = reason == .badFrame ? suspect : nil
        return .damaged(
            Damage(
                reason: reason, segment: segments[index].base, offset: offset,
                stream: found?.stream, sequence: found?.sequence))
    }
}
