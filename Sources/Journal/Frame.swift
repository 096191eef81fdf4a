// The journal's format: frames, and marks among them.
//
// A frame is a header of 64 bytes and a payload, padded with zeros to a multiple of 8.
// Little-endian:
//
//     0   magic           4   FC FF 4A 48: FC and FF never occur in UTF-8, so no name holds a frame
//     4   version         1   1
//     5   kind            1   FrameKind
//     6   stream          2   a shard's number; FFFF the control stream; FFFE the journal's own
//     8   payload bytes   4
//    12   event count     4
//    16   generation      8   of the writer's life; never falls
//    24   sequence        8   within the stream, dense, from 1
//    32   first event     8   its number
//    40   time            8   service time, milliseconds since 1970 UTC
//    48   previous hash   8   of the frame before in the same stream; 0 before the first
//    56   hash            8   XXH64 of the whole frame but these 8 bytes, taken as zero
//
// A commit is what one write brings: a *mark*, then frames. A mark is a frame of the journal's own
// stream that says where it stands; its payload:
//
//     0   position        8   of this mark: base of the segment + offset
//     8   durable up to   8   everything before this position was synced when the mark was written
//    16   frame bytes     8   of the commit, behind the mark
//    24   stream count    8   in a segment mark only, then for each stream, shards first, then
//                             control, then the journal's own, before this mark:
//                             sequence 8, hash 8, generation 8
//
// A segment begins with a *segment* mark, so it can be read without those before it: trimmed
// streams go on from the sequence and the hash it tells.
//
// Facts carry nothing of the file they lie in, so the same bytes are valid in any journal at the same
// sequence. What belongs to the file, position and durable-up-to, stands once per commit. The chain
// is per stream alone: within a file, marks tie the streams together, for a mark names its own place,
// the commit it opens and all that was durable before.

/// What a frame is for.
package enum FrameKind: UInt8, Sendable {
    /// Facts of a shard or of the control stream.
    case facts = 1
    /// A point in a shard's stream that its owner wants to find again.
    case marker = 2
    /// Opens a commit; with no frames behind it, an idle mark.
    case mark = 3
    /// Opens a segment, and its first commit.
    case segment = 4
    /// The last frame of a journal that was closed in order.
    case close = 5

    var isMark: Bool { rawValue >= 3 }
}

/// The numbers of streams that are no shards.
package enum StreamNumber {
    package static let control: UInt16 = 0xFFFF
    package static let journal: UInt16 = 0xFFFE
}

/// The fixed part of a frame.
package struct FrameHeader: Equatable, Sendable {
    package static let byteCount = 64
    package static let version: UInt8 = 1
    static let magic: UInt32 = 0x484A_FFFC

    package var kind: FrameKind
    package var stream: UInt16
    package var payloadByteCount: Int
    package var eventCount: UInt32 = 0
    package var generation: UInt64
    package var sequence: UInt64
    package var firstEvent: UInt64 = 0
    package var time: Int64 = 0
    package var previousHash: UInt64
    package var hash: UInt64 = 0

    /// Header, payload and padding.
    package var frameByteCount: Int { Self.frameByteCount(payload: payloadByteCount) }

    package static func frameByteCount(payload: Int) -> Int { byteCount &+ (payload &+ 7) & ~7 }

    /// The bytes at `offset` as a header; nil when they cannot be one of ours.
    init?(_ region: borrowing Region, at offset: Int) {
        let first = region.word(at: offset)
        guard UInt32(truncatingIfNeeded: first) == Self.magic,
            UInt8(truncatingIfNeeded: first &>> 32) == Self.version,
            let kind = FrameKind(rawValue: UInt8(truncatingIfNeeded: first &>> 40))
        else { return nil }
        self.kind = kind
        stream = UInt16(truncatingIfNeeded: first &>> 48)
        let second = region.word(at: offset &+ 8)
        payloadByteCount = Int(UInt32(truncatingIfNeeded: second))
        eventCount = UInt32(truncatingIfNeeded: second &>> 32)
        generation = region.word(at: offset &+ 16)
        sequence = region.word(at: offset &+ 24)
        firstEvent = region.word(at: offset &+ 32)
        time = Int64(bitPattern: region.word(at: offset &+ 40))
        previousHash = region.word(at: offset &+ 48)
        hash = region.word(at: offset &+ 56)
    }

    init(
        _ kind: FrameKind, stream: UInt16, payloadByteCount: Int, generation: UInt64,
        sequence: UInt64, previousHash: UInt64
    ) {
        self.kind = kind
        self.stream = stream
        self.payloadByteCount = payloadByteCount
        self.generation = generation
        self.sequence = sequence
        self.previousHash = previousHash
    }

    /// Writes the header at `offset`, before a payload and padding that are there already, and seals
    /// the frame with its hash.
    mutating func seal(_ region: borrowing Region, at offset: Int) {
        let first =
            UInt64(Self.magic) | UInt64(Self.version) &<< 32 | UInt64(kind.rawValue) &<< 40
            | UInt64(stream) &<< 48
        region.setWord(first, at: offset)
        region.setWord(UInt64(payloadByteCount) | UInt64(eventCount) &<< 32, at: offset &+ 8)
        region.setWord(generation, at: offset &+ 16)
        region.setWord(sequence, at: offset &+ 24)
        region.setWord(firstEvent, at: offset &+ 32)
        region.setWord(UInt64(bitPattern: time), at: offset &+ 40)
        region.setWord(previousHash, at: offset &+ 48)
        hash = frameHash(region, at: offset, frameByteCount)
        region.setWord(hash, at: offset &+ 56)
    }

    /// A version above ours, where the bytes at `offset` are a frame of one.
    static func newerVersion(_ region: borrowing Region, at offset: Int) -> UInt8? {
        let first = region.word(at: offset)
        let version = UInt8(truncatingIfNeeded: first &>> 32)
        guard UInt32(truncatingIfNeeded: first) == magic, version > Self.version else { return nil }
        return version
    }
}

/// The hash of the frame of `byteCount` bytes at `offset`, its own field taken as zero.
func frameHash(_ region: borrowing Region, at offset: Int, _ byteCount: Int) -> UInt64 {
    let stored = region.word(at: offset &+ 56)
    region.setWord(0, at: offset &+ 56)
    defer { region.setWord(stored, at: offset &+ 56) }
    return unsafe XXH64.hash(region.address(offset, byteCount), byteCount)
}

extension Region {
    /// Puts `bytes` at `offset`.
    package func store(_ bytes: Span<UInt8>, at offset: Int) {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe address(offset, source.count).copyMemory(from: start, byteCount: source.count)
        }
    }

    /// Fills the region with `bytes` and zeros behind them. On request every place that looks like a
    /// frame and fits gets the hash that it should have: how a fuzzer gets past the hashes.
    package func load(_ bytes: Span<UInt8>, repairingHashes: Bool) {
        precondition(bytes.count <= byteCount)
        clear(0..<byteCount)
        store(bytes, at: 0)
        guard repairingHashes else { return }
        var offset = 0
        while offset + FrameHeader.byteCount <= byteCount {
            guard let header = FrameHeader(self, at: offset),
                header.frameByteCount <= byteCount - offset
            else {
                offset += 8
                continue
            }
            setWord(frameHash(self, at: offset, header.frameByteCount), at: offset + 56)
            offset += header.frameByteCount
        }
    }
}

/// The fixed part of a mark's payload.
struct MarkPayload: Equatable {
    static let byteCount = 24
    static let frameByteCount = FrameHeader.frameByteCount(payload: byteCount)

    var position: UInt64
    var durableUpTo: UInt64
    var commitByteCount: UInt64

    init(position: UInt64, durableUpTo: UInt64, commitByteCount: UInt64) {
        self.position = position
        self.durableUpTo = durableUpTo
        self.commitByteCount = commitByteCount
    }

    /// Of the mark whose frame begins at `offset`.
    init(_ region: borrowing Region, frameAt offset: Int) {
        position = region.word(at: offset &+ 64)
        durableUpTo = region.word(at: offset &+ 72)
        commitByteCount = region.word(at: offset &+ 80)
    }

    func write(_ region: borrowing Region, frameAt offset: Int) {
        region.setWord(position, at: offset &+ 64)
        region.setWord(durableUpTo, at: offset &+ 72)
        region.setWord(commitByteCount, at: offset &+ 80)
    }
}

/// Where a stream stands: its newest frame, all zero before the first.
package struct StreamHead: Equatable, Sendable {
    package var sequence: UInt64 = 0
    package var hash: UInt64 = 0
    package var generation: UInt64 = 0

    static let byteCount = 24

    package init(sequence: UInt64 = 0, hash: UInt64 = 0, generation: UInt64 = 0) {
        self.sequence = sequence
        self.hash = hash
        self.generation = generation
    }

    /// The `index`th of a segment mark whose frame begins at `offset`.
    init(_ region: borrowing Region, segmentMarkAt offset: Int, _ index: Int) {
        let place = offset &+ 96 &+ index &* Self.byteCount
        sequence = region.word(at: place)
        hash = region.word(at: place &+ 8)
        generation = region.word(at: place &+ 16)
    }

    func write(_ region: borrowing Region, segmentMarkAt offset: Int, _ index: Int) {
        let place = offset &+ 96 &+ index &* Self.byteCount
        region.setWord(sequence, at: place)
        region.setWord(hash, at: place &+ 8)
        region.setWord(generation, at: place &+ 16)
    }
}

/// The streams of a journal in the order of their indices: shards, control, the journal's own.
struct StreamTable {
    let shardCount: Int

    var count: Int { shardCount + 2 }
    var controlIndex: Int { shardCount }
    var journalIndex: Int { shardCount + 1 }

    func index(of stream: UInt16) -> Int? {
        switch stream {
        case StreamNumber.control: controlIndex
        case StreamNumber.journal: journalIndex
        default: Int(stream) < shardCount ? Int(stream) : nil
        }
    }

    func number(at index: Int) -> UInt16 {
        if index < shardCount { return UInt16(index) }
        return index == controlIndex ? StreamNumber.control : StreamNumber.journal
    }

    /// Payload and frame bytes of a segment mark.
    var segmentPayloadByteCount: Int { MarkPayload.byteCount + 8 + count * StreamHead.byteCount }
    var segmentMarkByteCount: Int {
        FrameHeader.frameByteCount(payload: segmentPayloadByteCount)
    }
}
