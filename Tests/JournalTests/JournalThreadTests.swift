// The journal with its own thread, on real files.

import Platform
import Synchronization
import Testing

@testable import Journal

@Suite struct JournalConcurrencyTests {
    private func configuration(_ durability: Durability) -> JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.shardCount = 3
        configuration.segmentByteCount = 256 << 10
        configuration.frameByteCountMax = 16 << 10
        configuration.outboxByteCount = 64 << 10
        configuration.ballastByteCount = 1 << 20
        configuration.prepareByteCount = 64 << 10
        configuration.durability = durability
        return configuration
    }

    @Test(arguments: [Durability.sync, .interval(milliseconds: 2), .none])
    func `shards on several threads find all their frames again`(durability: Durability) throws {
        let folder = try TemporaryFolder()
        let configuration = configuration(durability)
        let journal = try Journal(folder: folder.path, configuration) { _, _ in }
        let perShard: UInt64 = 1500
        let finished = Finished()
        for shard in 0..<3 {
            let handover = WriterHandover(journal.writer(of: UInt16(shard)))
            _ = try Thread.start(name: "shard") {
                finished.note(handover.write(perShard))
            }
        }
        finished.wait(3)
        #expect(finished.failures == 0)
        journal.close()
        #expect(journal.state == .closed)

        var counts = [UInt64](repeating: 0, count: 3)
        let again = try Journal(folder: folder.path, configuration) { header, frame in
            counts[Int(header.stream)] += 1
            if header.sequence != counts[Int(header.stream)] || frame[64] != UInt8(header.stream) {
                Issue.record("stream \(header.stream): \(header.sequence)")
            }
        }
        #expect(counts == [perShard, perShard, perShard])
        #expect(again.report.wasClosed)
    }

    @Test func `an idle journal says that all is durable`() throws {
        let folder = try TemporaryFolder()
        let configuration = configuration(.sync)
        let journal = try Journal(folder: folder.path, configuration) { _, _ in }
        var writer = journal.writer(of: 0)
        equal(writer.append([1, 2, 3]), .taken(1))
        writer.submit()
        while writer.outcome(of: 1) == nil { Thread.sleep(milliseconds: 1) }
        let files = FileStorage(folder: folder.path)
        let region = try Region(byteCount: 4096)
        let place = configuration.streams.segmentMarkByteCount
        // Opening mark of the segment, commit mark, frame of 72 bytes; then the idle mark.
        let idle = place + MarkPayload.frameByteCount + 72
        for _ in 0..<2000 where FrameHeader(region, at: idle) == nil {
            Thread.sleep(milliseconds: 1)
            let file = try files.open(.segment(0))
            try files.readAll(file, at: 0, region, 0..<4096)
            files.close(file)
        }
        #expect(FrameHeader(region, at: idle)?.kind == .mark)
        #expect(MarkPayload(region, frameAt: idle).durableUpTo == UInt64(idle))
        // One is enough.
        Thread.sleep(milliseconds: 50)
        let file = try files.open(.segment(0))
        try files.readAll(file, at: 0, region, 0..<4096)
        files.close(file)
        #expect(region.firstSet(in: idle + MarkPayload.frameByteCount..<4096) == nil)
    }

    @Test func `a second journal on a folder is refused while the first is open`() throws {
        let folder = try TemporaryFolder()
        let configuration = configuration(.sync)
        let journal = try Journal(folder: folder.path, configuration) { _, _ in }
        #expect(throws: JournalError.locked) {
            _ = try Journal(folder: folder.path, configuration) { _, _ in }
        }
        journal.close()
        #expect(throws: Never.self) {
            _ = try Journal(folder: folder.path, configuration) { _, _ in }
        }
    }

    @Test(
        arguments: [
            ("sync", .sync), ("none", Durability.none),
            ("interval:20", .interval(milliseconds: 20)),
            ("interval:0", nil), ("interval:", nil), ("Sync", nil), ("interval:60001", nil),
        ] as [(String, Durability?)])
    func `durability is read from its name`(text: String, expected: Durability?) {
        #expect(Durability(text) == expected)
        if let expected { #expect(expected.description == text) }
    }
}

/// Counts threads that have ended.
private final class Finished: Sendable {
    private let outcomes = Mutex<[Bool]>([])

    func note(_ isGood: Bool) { outcomes.withLock { $0.append(isGood) } }

    var failures: Int { outcomes.withLock { $0.filter { !$0 }.count } }

    func wait(_ count: Int) {
        for _ in 0..<60_000 where outcomes.withLock({ $0.count }) < count {
            Thread.sleep(milliseconds: 1)
        }
        #expect(outcomes.withLock { $0.count } == count)
    }
}

/// A writer on its way to the thread that owns it.
private final class WriterHandover: @unchecked Sendable {
    private var writer: StreamWriter?

    init(_ writer: consuming StreamWriter) { self.writer = consume writer }

    /// Appends so many frames, as fast as the journal takes them, and waits until all are durable
    /// or, where syncs are not waited for, released.
    func write(_ count: UInt64) -> Bool {
        guard var writer = writer.take() else { return false }
        let payload = [UInt8](repeating: UInt8(writer.stream), count: 300)
        for _ in 0..<60_000 {
            while writer.sequence < count, case .taken = writer.append(payload) {}
            writer.submit()
            if writer.releasedSequence == count { return true }
            Thread.sleep(milliseconds: 1)
        }
        return false
    }
}
