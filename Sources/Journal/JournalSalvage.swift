// Reading what can be proved of a damaged journal.
//
// A frame has a hash of its own and names that of the frame before it in its stream. So one that is
// whole, and follows a frame that is known, is what was written there, wherever it lies: frames are
// looked for at every place where one can begin, in the order of the file. A stream ends at the first
// frame that is missing, as what follows builds on it.

internal import Platform

/// One stream as it was salvaged.
package struct SalvagedStream: Equatable, Sendable {
    package var stream: UInt16

    /// The last frame that was taken, or what the walk began with.
    package var head: StreamHead

    /// The highest sequence that was met, be it of a frame that is not whole, or told by the mark
    /// of a segment: what is between is lost.
    package var newestSeen: UInt64

    /// Why the stream was ended by whoever took its frames; nil: it was not.
    package var refusal: JournalError?
}

/// Reads the frames of the journal in `folder` that follow `heads`; changes nothing.
///
/// - Parameters:
///   - heads: What is known already: of each shard, then of the control stream.
///   - deliver: Gets each frame that is proved, whole, in the order of the file. What it throws ends
///     the frame's stream before it.
/// - Throws: When the folder or a file cannot be read.
/// - Complexity: O(bytes); holds the largest segment in memory.
package func salvageFrames(
    folder: String, behind heads: [StreamHead],
    _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
) throws(JournalError) -> [SalvagedStream] {
    let files = FileStorage(folder: folder, isReadOnly: true)
    var walk = SalvageWalk(heads)
    for base in try storing({ () throws(SystemError) in try files.segments().sorted() }) {
        let (region, byteCount) = try storing { () throws(SystemError) in
            let file = try files.open(.segment(base))
            defer { files.close(file) }
            let byteCount = try files.byteCount(file)
            let region = try SharedRegion(byteCount: max(8, (byteCount + 7) & ~7))
            try files.readAll(file, at: 0, region.region, 0..<byteCount)
            return (region, byteCount)
        }
        walk.read(region.region, byteCount, deliver)
    }
    return walk.streams
}

/// Goes along the segments and knows what the next frame of each stream must be.
private struct SalvageWalk: ~Copyable {
    private(set) var streams: [SalvagedStream]
    private let table: StreamTable
    private let checker: FrameChecker

    init(_ heads: [StreamHead]) {
        var configuration = JournalConfiguration()
        configuration.shardCount = heads.count - 1
        let table = configuration.streams
        self.table = table
        checker = FrameChecker(configuration: configuration, starting: heads + [StreamHead()])
        streams = heads.enumerated().map {
            SalvagedStream(
                stream: table.number(at: $0), head: $1, newestSeen: $1.sequence, refusal: nil)
        }
    }

    mutating func read(
        _ region: borrowing Region, _ byteCount: Int,
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) {
        var offset = 0
        while byteCount - offset >= FrameHeader.byteCount {
            guard
                let header = checker.wholeFrame(
                    region, at: offset, segmentByteCount: byteCount)
            else {
                noteClaim(FrameHeader(region, at: offset))
                offset += 8
                continue
            }
            if header.kind == .segment { noteHeads(region, header, at: offset) }
            let end = offset + header.frameByteCount
            if !header.kind.isMark, let index = table.index(of: header.stream),
                index < streams.count
            {
                region.withSpan(offset..<end) { take(header, $0, index, deliver) }
            }
            offset = end
        }
    }

    /// Notes what bytes say that are no whole frame, if they can be right.
    private mutating func noteClaim(_ header: FrameHeader?) {
        guard let header, !header.kind.isMark, let index = table.index(of: header.stream),
            index < streams.count, header.sequence > streams[index].newestSeen,
            header.sequence - streams[index].newestSeen < 1 << 20
        else { return }
        streams[index].newestSeen = header.sequence
    }

    /// Notes where the streams stood before a segment.
    private mutating func noteHeads(
        _ region: borrowing Region, _ header: FrameHeader, at offset: Int
    ) {
        guard header.payloadByteCount == table.segmentPayloadByteCount else { return }
        for index in streams.indices {
            let head = StreamHead(region, segmentMarkAt: offset, index)
            streams[index].newestSeen = max(streams[index].newestSeen, head.sequence)
        }
    }

    private mutating func take(
        _ header: FrameHeader, _ frame: Span<UInt8>, _ index: Int,
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) {
        streams[index].newestSeen = max(streams[index].newestSeen, header.sequence)
        let head = streams[index].head
        guard streams[index].refusal == nil, header.sequence == head.sequence + 1,
            header.previousHash == head.hash, header.generation >= head.generation
        else { return }
        do throws(JournalError) { try deliver(header, frame) } catch {
            streams[index].refusal = error
            return
        }
        streams[index].head = StreamHead(
            sequence: header.sequence, hash: header.hash, generation: header.generation)
    }
}
