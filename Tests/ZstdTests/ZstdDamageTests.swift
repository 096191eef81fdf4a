import Bytes
import Foundation
import Testing
import Zstd

@Suite struct ZstdDamageTests {
    @Test(arguments: [1, .max])
    func `every cut of a stream is noticed`(piece: Int) throws {
        let stream = try compressed(Array("the first frame".utf8)) + (try compressed([1, 2, 3]))
        let boundary = try compressed(Array("the first frame".utf8)).count
        for length in 0..<stream.count where length != boundary {
            #expect(throws: ZstdError.truncated, "\(length)") {
                try decompressed(Array(stream.prefix(length)), piece: piece)
            }
        }
        #expect(try decompressed(Array(stream.prefix(boundary))) == Array("the first frame".utf8))
    }

    @Test func `a flipped bit is an error or changes nothing`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let bytes = random.bytes(2000)
        let frame = try compressed(bytes)
        var errors = 0
        for offset in frame.indices {
            var damaged = frame
            damaged[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            do throws(ZstdError) {
                let result = try decompressed(damaged, limit: 10_000)
                let isSame = result == bytes
                #expect(isSame, "seed \(seed), offset \(offset)")
            } catch {
                errors += 1
            }
        }
        // A few bits mean nothing, or only that the window might have been larger.
        #expect(errors > frame.count * 9 / 10, "seed \(seed)")
    }

    @Test func `a wrong checksum has its own name`() throws {
        var frame = try compressed(Array("one, two, three".utf8))
        frame[frame.count - 1] ^= 1
        #expect(throws: ZstdError.checksumMismatch) { try decompressed(frame) }
    }

    @Test(arguments: [
        Array("sku,location,sellable\nA1,S01,3\n".utf8),
        [0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03],  // gzip
        [0x28, 0xB5, 0x2F, 0xFC, 0x00, 0x00, 0x09, 0x00, 0x00, 0x78],
        [0x27, 0xB5, 0x2F, 0xFD, 0x00, 0x00, 0x00, 0x00, 0x00],  // zstd 0.7
        [0xFD, 0x2F, 0xB5, 0x1E, 0x00, 0x00, 0x00, 0x00, 0x00],  // zstd 0.1
    ])
    func `other bytes are not zstd`(bytes: [UInt8]) throws {
        #expect(throws: ZstdError.notZstd) { try decompressed(bytes) }
        #expect(ZstdError.notZstd.code == "zstd_not_zstd")
    }

    @Test func `bytes behind the last frame are not zstd`() throws {
        let stream = Frames.raw(windowLog: 10) + Array("and a line of text".utf8)
        #expect(throws: ZstdError.notZstd) { try decompressed(stream) }
    }

    @Test func `a reserved block type is corrupt`() throws {
        let frame = Frames.magic + [0x00, 0x00, 0x0F, 0x00, 0x00]
        do throws(ZstdError) {
            let result = try decompressed(frame)
            Issue.record("\(result)")
        } catch {
            #expect(error.code == "zstd_corrupt")
        }
    }

    @Test func `a window of 128 MiB is accepted and a larger one refused`() throws {
        #expect(ZstdReader.windowByteCountMax == 134_217_728)
        #expect(try decompressed(Frames.raw(windowLog: 27)) == [UInt8(ascii: "x")])
        #expect(throws: ZstdError.windowTooLarge) { try decompressed(Frames.raw(windowLog: 28)) }
    }

    @Test func `a frame that needs a dictionary is refused`() throws {
        #expect(throws: ZstdError.dictionaryNeeded) { try decompressed(Frames.withDictionary) }
    }

    @Test func `an error stays`() throws {
        var reader = try ZstdReader()
        var output = ByteBuffer()
        for bytes in [Array("no frame at all".utf8), Frames.raw(windowLog: 10)] {
            do throws(ZstdError) {
                _ = try reader.read(bytes.span, into: &output, limit: 100)
                Issue.record("read \(bytes)")
            } catch {
                #expect(error == .notZstd)
            }
        }
        #expect(endError(reader) == .notZstd)
        #expect(array(output) == [])
    }

    @Test func `what came before the damage was handed out`() throws {
        var reader = try ZstdReader()
        var output = ByteBuffer()
        let stream = Frames.thousand + Array("rubbish".utf8)
        do throws(ZstdError) {
            _ = try reader.read(stream.span, into: &output, limit: 5000)
            Issue.record("no error")
        } catch {
            #expect(error == .notZstd)
        }
        let count = output.count
        #expect(count == 1000)
    }
}

private let command = "/usr/bin/zstd"

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: command)))
struct ZstdCommandTests {
    /// What the command makes of `input`.
    static func run(_ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("zstd-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let source = directory.appendingPathComponent("in")
        let target = directory.appendingPathComponent("out")
        try Data(input).write(to: source)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command)
        process.arguments = arguments + ["-q", source.path, "-o", target.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return Array(try Data(contentsOf: target))
    }

    @Test func `the command reads what was written here`() throws {
        var random = SeededGenerator(seed: 11)
        let bytes = random.bytes(200_000)
        #expect(try Self.run(["-d"], try compressed(bytes)) == bytes)
    }

    @Test func `what the command wrote is read here`() throws {
        var random = SeededGenerator(seed: 12)
        let bytes = random.bytes(200_000)
        #expect(try decompressed(try Self.run(["-9"], bytes), piece: 777) == bytes)
    }
}
