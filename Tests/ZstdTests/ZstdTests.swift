import Bytes
import Testing
import Zstd

/// SplitMix64, so that a run can be repeated from its seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Bytes with some order in them: runs, repeats and noise.
    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let length = Int.random(in: 1...200, using: &self)
            switch Int.random(in: 0..<3, using: &self) {
            case 0:
                bytes += Array(repeating: UInt8.random(in: 0...255, using: &self), count: length)
            case 1 where bytes.count > length:
                let start = Int.random(in: 0..<(bytes.count - length), using: &self)
                bytes += Array(bytes[start..<(start + length)])
            default: bytes += (0..<length).map { _ in UInt8.random(in: 0...255, using: &self) }
            }
        }
        return Array(bytes.prefix(count))
    }
}

func array(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    (0..<buffer.count).map { buffer[$0] }
}

/// What the reader says about an end of the input here.
func endError(_ reader: borrowing ZstdReader) -> ZstdError? {
    do throws(ZstdError) {
        try reader.finish()
        return nil
    } catch {
        return error
    }
}

func compressed(_ bytes: [UInt8], level: Int = 3) throws(ZstdError) -> [UInt8] {
    array(try zstdCompressed(bytes.span, level: level))
}

/// `bytes` decompressed, `piece` bytes of input and at most `limit` bytes of output per call.
func decompressed(
    _ bytes: [UInt8], piece: Int = .max, limit: Int = 1 << 20
) throws(ZstdError) -> [UInt8] {
    var reader = try ZstdReader()
    var result: [UInt8] = []
    var output = ByteBuffer()
    var offset = 0
    while offset < bytes.count || !reader.needsInput {
        let end = offset + min(piece, bytes.count - offset)
        offset += try reader.read(
            bytes.span.extracting(offset..<end), into: &output, limit: limit)
        let count = output.count
        #expect(count <= limit)
        result += array(output)
        output.removeAll()
    }
    try reader.finish()
    return result
}

/// Frames put together by hand from RFC 8878, so that nothing of ours vouches for itself.
enum Frames {
    static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    /// A window of 2 to the power of `windowLog`, and one raw block with the letter x in it.
    static func raw(windowLog: UInt8) -> [UInt8] {
        magic + [0x00, (windowLog - 10) << 3] + [0x09, 0x00, 0x00, UInt8(ascii: "x")]
    }

    /// One block of 1,000 times the letter a.
    static let thousand: [UInt8] =
        magic + [0x00, 0x00] + [0x43, 0x1F, 0x00, UInt8(ascii: "a")]

    static let skippable: [UInt8] = [0x53, 0x2A, 0x4D, 0x18, 0x03, 0x00, 0x00, 0x00, 1, 2, 3]

    static let withDictionary: [UInt8] =
        magic + [0x01, 0x00, 0x05] + [0x09, 0x00, 0x00, UInt8(ascii: "x")]
}

@Suite struct ZstdTests {
    @Test func `a frame put together by hand is read`() throws {
        #expect(try decompressed(Frames.raw(windowLog: 10)) == [UInt8(ascii: "x")])
        #expect(
            try decompressed(Frames.thousand) == Array(repeating: UInt8(ascii: "a"), count: 1000))
    }

    @Test(arguments: [1, 3, 19, 22])
    func `what was compressed comes back at every level`(level: Int) throws {
        var random = SeededGenerator(seed: UInt64(level))
        let bytes = random.bytes(300_000)
        let frame = try compressed(bytes, level: level)
        #expect(frame.count < bytes.count)
        #expect(try decompressed(frame) == bytes)
    }

    @Test func `random pieces in and out change nothing`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let bytes = random.bytes(Int.random(in: 0...20_000, using: &random))
            var writer = try ZstdWriter(level: Int.random(in: 1...6, using: &random))
            var frames = ByteBuffer()
            var offset = 0
            while offset < bytes.count {
                let end = min(bytes.count, offset + Int.random(in: 0...3000, using: &random))
                try writer.write(bytes.span.extracting(offset..<end), into: &frames)
                offset = end
                switch Int.random(in: 0..<8, using: &random) {
                case 0: try writer.flush(into: &frames)
                case 1: try writer.finish(into: &frames)
                default: break
                }
            }
            try writer.finish(into: &frames)
            let result = try decompressed(
                array(frames), piece: Int.random(in: 1...500, using: &random),
                limit: Int.random(in: 1...5000, using: &random))
            try #require(result == bytes, "seed \(seed)")
        }
    }

    @Test func `one byte at a time in and one out is enough`() throws {
        var random = SeededGenerator(seed: 7)
        let bytes = random.bytes(5000)
        #expect(try decompressed(try compressed(bytes), piece: 1, limit: 1) == bytes)
    }

    @Test func `what was flushed can be read before the frame ends`() throws {
        var writer = try ZstdWriter()
        var frame = ByteBuffer()
        try writer.write([1, 2, 3].span, into: &frame)
        try writer.flush(into: &frame)
        var reader = try ZstdReader()
        var output = ByteBuffer()
        _ = try reader.read(frame.span, into: &output, limit: 100)
        #expect(array(output) == [1, 2, 3])
        #expect(endError(reader) == .truncated)
    }

    @Test(arguments: [1, 5, .max])
    func `frames behind one another read as one stream`(piece: Int) throws {
        let stream =
            Frames.skippable + Frames.raw(windowLog: 10) + (try compressed([]))
            + (try compressed([1, 2, 3])) + Frames.skippable + Frames.raw(windowLog: 12)
        #expect(try decompressed(stream, piece: piece) == [0x78, 1, 2, 3, 0x78])
    }

    @Test func `compressing nothing makes a frame of nothing`() throws {
        let frame = try compressed([])
        #expect(!frame.isEmpty)
        #expect(try decompressed(frame) == [])
    }

    @Test func `no bytes at all are a truncated stream`() throws {
        #expect(throws: ZstdError.truncated) { try decompressed([]) }
    }

    @Test func `a small input that unfolds far stays within the limit of a call`() throws {
        let frame = try compressed(Array(repeating: 0, count: 50_000_000), level: 1)
        #expect(frame.count < 10_000)
        var reader = try ZstdReader()
        var output = ByteBuffer()
        var offset = 0
        var total = 0
        while offset < frame.count || !reader.needsInput {
            offset += try reader.read(frame.span.from(offset), into: &output, limit: 70_000)
            total += output.count
            output.removeAll()
        }
        #expect(total == 50_000_000)
        let capacity = output.capacity
        #expect(capacity < 1 << 20)
    }

    @Test(arguments: [(999, false), (1000, true)])
    func `all at once takes exactly as much as is allowed`(limit: Int, fits: Bool) throws {
        func all() throws(ZstdError) -> Int {
            try zstdDecompressed(Frames.thousand.span, limit: limit).count
        }
        if fits {
            #expect(try all() == 1000)
        } else {
            #expect(throws: ZstdError.tooLarge) { try all() }
        }
    }

    @Test func `a level that does not exist and no room for output are refused`() async {
        await #expect(processExitsWith: .failure) { _ = try ZstdWriter(level: 23) }
        await #expect(processExitsWith: .failure) {
            var reader = try ZstdReader()
            var output = ByteBuffer()
            _ = try reader.read([0].span, into: &output, limit: 0)
        }
    }
}
