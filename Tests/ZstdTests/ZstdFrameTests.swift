import Bytes
import Testing
import Zstd

@Suite struct ZstdFrameTests {
    /// `bytes` compressed by a writer that has written before.
    static func frame(_ bytes: [UInt8], level: Int = 1) throws -> [UInt8] {
        var writer = try ZstdFrameWriter(level: level)
        var output = ByteBuffer()
        let other: [UInt8] = [1, 2, 3]
        try writer.write(other.span, into: &output)
        let start = output.count
        try writer.write(bytes.span, into: &output)
        return output.span.from(start).array
    }

    @Test(arguments: [0, 1, 7, 1000, 300_000])
    func `a frame read is what was written`(count: Int) throws {
        var random = SeededGenerator(seed: UInt64(count))
        let bytes = Array(random.bytes(count + 300).prefix(count))
        let frame = try Self.frame(bytes)
        var reader = try ZstdFrameReader()
        var output = ByteBuffer()
        for _ in 0..<2 { try reader.read(frame.span, byteCount: count, into: &output) }
        let result = output.span.array
        #expect(result == bytes + bytes)
    }

    @Test(arguments: [(9, ZstdError.tooLarge), (11, .truncated)])
    func `another length than expected is an error`(byteCount: Int, expected: ZstdError) throws {
        let frame = try Self.frame(Array("ten bytes.".utf8))
        var reader = try ZstdFrameReader()
        var output = ByteBuffer()
        output.append(7)
        do throws(ZstdError) {
            try reader.read(frame.span, byteCount: byteCount, into: &output)
            Issue.record("no error")
        } catch {
            #expect(error == expected)
        }
        let result = output.span.array
        #expect(result == [7])
    }

    @Test func `a stream reader reads the frame too`() throws {
        let bytes = Array("one and two and one and two and one".utf8)
        let frame = try Self.frame(bytes)
        let content = try zstdDecompressed(frame.span, limit: 100)
        let result = content.span.array
        #expect(result == bytes)
    }
}
