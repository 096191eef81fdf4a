// Reading one stream of a journal while it is being written: the change feed, replicas, history.
//
// A reader has a storage of its own, usually on the same folder, and takes no part in writing. It
// reads up to a sequence that its caller knows to be durable, so a hole or a wrong hash before that
// is damage and never a write under way.

internal import Platform

/// Frames of one stream, in order.
package struct StreamReader<Files: Storage>: ~Copyable {
    private let files: Files
    private let streams: StreamTable
    private let index: Int
    private var window: Region

    /// The sequence of the next frame.
    package private(set) var next: UInt64

    /// The hash that it must name as its predecessor's.
    private var previousHash: UInt64?

    private var segment: (base: UInt64, byteCount: Int, file: FileNumber)?
    private var offset = 0

    /// What of the segment is in the window.
    private var loaded = 0..<0

    /// - Parameter first: The first sequence wanted.
    package init(
        _ files: Files, _ configuration: JournalConfiguration, stream: UInt16, from first: UInt64
    ) throws(JournalError) {
        let streams = configuration.streams
        guard let index = streams.index(of: stream) else {
            preconditionFailure("there is no stream of this number")
        }
        let byteCount = max(configuration.frameByteCountMax, streams.segmentMarkByteCount)
        window = try storing { () throws(SystemError) in
            try Region(byteCount: max(byteCount + 8192, 256 << 10) & ~4095)
        }
        self.files = files
        self.streams = streams
        self.index = index
        next = first
    }

    deinit { if let segment { files.close(segment.file) } }

    /// Delivers at most `max` frames, none behind sequence `through`, each whole.
    ///
    /// - Returns: How many.
    /// - Throws: `trimmed` when the next frame is not there any more; `damaged` with its sequence.
    package mutating func read(
        max: Int, through: UInt64, _ deliver: (FrameHeader, Span<UInt8>) -> Void
    ) throws(JournalError) -> Int {
        var count = 0
        while count < max, next <= through {
            if segment == nil { try find() }
            guard let header = try frame() else {
                try advance()
                continue
            }
            let place = offset - loaded.lowerBound
            offset += header.frameByteCount
            guard streams.index(of: header.stream) == index, header.sequence >= next else {
                continue
            }
            guard header.sequence == next,
                previousHash ?? header.previousHash == header.previousHash
            else { throw damage() }
            window.withSpan(place..<place + header.frameByteCount) { deliver(header, $0) }
            previousHash = header.hash
            next += 1
            count += 1
        }
        return count
    }

    /// Opens the newest segment that begins before the next frame.
    private mutating func find() throws(JournalError) {
        let bases = try storing { () throws(SystemError) in try files.segments().sorted() }
        for base in bases.reversed() {
            try open(base)
            guard let mark = try frame(), mark.kind == .segment else { continue }
            let head = StreamHead(window, segmentMarkAt: 0, index)
            if head.sequence < next { return }
            if base == bases.first { throw .trimmed(first: head.sequence + 1) }
        }
        throw damage()
    }

    /// Goes on with the segment behind this one.
    private mutating func advance() throws(JournalError) {
        guard let segment else { throw damage() }
        let next = segment.base + UInt64(segment.byteCount)
        let missing = damage()
        guard files.exists(.segment(next)) else {
            // Trimmed while this one was read, or never there.
            try find()
            if self.segment?.base == segment.base { throw missing }
            return
        }
        try open(next)
        // The frame should have come before: the space was only prepared, or begins behind it.
        guard let mark = try frame(), mark.kind == .segment,
            StreamHead(window, segmentMarkAt: 0, index).sequence < self.next
        else { throw missing }
    }

    private mutating func open(_ base: UInt64) throws(JournalError) {
        if let segment { files.close(segment.file) }
        segment = nil
        loaded = 0..<0
        offset = 0
        do {
            let file = try files.open(.segment(base))
            segment = (base, 0, file)
            segment?.byteCount = try files.byteCount(file)
        } catch { throw .storage(error) }
    }

    /// The frame at the offset, in the window; nil when there is none that is whole.
    private mutating func frame() throws(JournalError) -> FrameHeader? {
        if let header = try parse() { return header }
        // The window may be from before the frame was written.
        loaded = 0..<0
        return try parse()
    }

    private mutating func parse() throws(JournalError) -> FrameHeader? {
        guard let segment, segment.byteCount - offset >= FrameHeader.byteCount else { return nil }
        try load(FrameHeader.byteCount)
        guard let header = FrameHeader(window, at: offset - loaded.lowerBound),
            header.frameByteCount <= segment.byteCount - offset
        else { return nil }
        try makeRoom(for: header.frameByteCount)
        try load(header.frameByteCount)
        let place = offset - loaded.lowerBound
        let isWhole = frameHash(window, at: place, header.frameByteCount) == header.hash
        return isWhole ? header : nil
    }

    /// Enlarges the window for a frame from a life with a higher limit.
    private mutating func makeRoom(for frameByteCount: Int) throws(JournalError) {
        // The window begins on a page boundary before the frame.
        let byteCount = (frameByteCount + 8192) & ~4095
        if byteCount <= window.byteCount { return }
        window = try storing { () throws(SystemError) in try Region(byteCount: byteCount) }
        loaded = 0..<0
    }

    /// Has the next `byteCount` bytes in the window.
    private mutating func load(_ byteCount: Int) throws(JournalError) {
        guard let segment, offset + byteCount > loaded.upperBound || offset < loaded.lowerBound
        else { return }
        let start = offset & ~4095
        let count = min(window.byteCount, segment.byteCount - start)
        do {
            try files.readAll(segment.file, at: start, window, 0..<count)
        } catch { throw .storage(error) }
        loaded = start..<start + count
    }

    private func damage() -> JournalError {
        .damaged(
            Damage(
                reason: .badFrame, segment: segment?.base ?? 0, offset: offset,
                stream: streams.number(at: index), sequence: next))
    }
}
