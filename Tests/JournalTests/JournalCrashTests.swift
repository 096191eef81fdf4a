// Faults one by one, at every place (D1, D3 to D9 in short form).

import Platform
import Testing

@testable import Journal

@Suite struct JournalCrashTests {
    /// What a script has done when it ended: frames submitted and acknowledged, by stream.
    private struct Done {
        var submitted = [0, 0]
        var durable = [0, 0]
    }

    /// Opens the journal and works: groups of frames of two shards, idle marks, several segments.
    private func script(_ files: SimulatedStorage, _ memory: JournalMemory, groups: Int = 24)
        -> Done
    {
        var done = Done()
        guard var core = try? JournalCore.open(files, small, memory, { _, _ in }) else {
            return done
        }
        var first = core.writer(of: 0)
        var second = core.writer(of: 1)
        for group in 0..<groups {
            for _ in 0...group % 3 {
                _ = first.append(frame(0, first.sequence + 1))
                if group % 2 == 0 { _ = second.append(frame(1, second.sequence + 1)) }
            }
            core.settle()
            if group % 5 == 4 { _ = core.markIdle() }
            done.submitted = [Int(first.sequence), Int(second.sequence)]
            done.durable = [Int(first.durableSequence), Int(second.durableSequence)]
        }
        return done
    }

    private func frame(_ stream: UInt64, _ sequence: UInt64) -> [UInt8] {
        let word = SeededBits.mix(stream << 32 | sequence)
        return (0..<Int(word % 90)).map { UInt8(truncatingIfNeeded: word &>> (UInt64($0 % 8) * 7)) }
    }

    /// Opens what a crash has left: a prefix of what was submitted with all that was durable.
    private func isSound(
        _ files: SimulatedStorage, _ done: Done, allowsLoss: Bool = false,
        _ comment: Comment
    ) throws {
        var found: [UInt16: Frames] = [:]
        let core = try open(files, found: &found)
        for stream in 0..<2 {
            let frames = found[UInt16(stream)] ?? []
            for (index, bytes) in frames.enumerated()
            where Array(payload(bytes)) != frame(UInt64(stream), UInt64(index) + 1) {
                Issue.record(comment)
            }
            #expect(frames.count == Int(core.extents[stream].head.sequence), comment)
            #expect(frames.count <= done.submitted[stream], comment)
            if !allowsLoss { #expect(frames.count >= done.durable[stream], comment) }
        }
        core.closeFilesForTest()
    }

    @Test func `D1 a cut at every operation leaves a sound journal`() throws {
        let memory = try JournalMemory(small)
        let files = SimulatedStorage(seed: 3, fileByteCountMax: 4096)
        _ = script(files, memory)
        let count = files.operationCount
        #expect(count > 60)
        for operation in 1...count {
            for (survival, cutsAfter) in [(1, false), (2, true), (3, false), (4, true)] {
                files.reset(seed: UInt64(operation * 8 + survival))
                var faults = DiskFaults()
                faults.cutAt = operation
                faults.cutsAfter = cutsAfter
                files.plan(faults)
                var done = script(files, memory)
                // What was submitted in the step that was cut.
                done.submitted = done.submitted.map { $0 + 3 }
                files.cut()
                try isSound(files, done, "operation \(operation), survival \(survival)")
                files.kill()
            }
        }
    }

    @Test func `D3 the last frame torn at any byte is cut off exactly there`() throws {
        let files = SimulatedStorage(seed: 5, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        var writer = core.writer(of: 0)
        writer.append(count: 3, byteCount: 33)
        core.settle()
        let end = core.offset
        core.abandon(SimulatedFixture(files))
        let image = try Image(files)
        let frame = FrameHeader.frameByteCount(payload: 33)
        for kept in 0...frame {
            files.reset(seed: 5)
            try image.restore(files)
            if kept < frame { files.erase(end - frame + kept..<end, of: .segment(0)) }
            // Bytes that are zero anyway are not missed.
            let isWhole = image.isZero(end - frame + kept..<end)
            let found = try open(files)
            #expect(found.extents[0].head.sequence == (isWhole ? 3 : 2), "\(kept) bytes kept")
            #expect(found.report.endOffset == (isWhole ? end : end - frame))
        }
    }

    @Test func `D4 every flipped bit of a closed journal is reported or harmless`() throws {
        let files = SimulatedStorage(seed: 6, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        var writer = core.writer(of: 0)
        writer.append(count: 4, byteCount: 30)
        core.settle()
        writer.append(count: 1, byteCount: 30)
        core.settle()
        let end = core.offset
        core.close()
        let image = try Image(files)
        var reported = 0
        for bit in 0..<(end + MarkPayload.frameByteCount) * 8 {
            files.reset(seed: 6)
            try image.restore(files)
            files.flip(bit: bit, of: .segment(0))
            do throws(JournalError) {
                let found = try open(files)
                // Only the closing mark itself is not vouched for by another.
                if bit / 8 < end || found.extents[0].head.sequence != 5 {
                    Issue.record("bit \(bit) was not noticed")
                }
            } catch {
                reported += 1
                if bit / 8 >= end {
                    if case .newerVersion = error { continue }
                    Issue.record("bit \(bit): \(error)")
                }
            }
        }
        #expect(reported >= end * 8)
    }

    @Test func `D5 after a lost sync the past is shorter, or damage is reported`() throws {
        let memory = try JournalMemory(small)
        let files = SimulatedStorage(seed: 7, fileByteCountMax: 4096)
        _ = script(files, memory)
        let syncs = files.syncCount
        var reports = 0
        for sync in 1...syncs {
            files.reset(seed: UInt64(sync))
            var faults = DiskFaults()
            faults.loseSync = sync
            files.plan(faults)
            // The power goes some commits after the lie.
            let done = script(files, memory, groups: min(24, sync))
            files.cut()
            do {
                try isSound(files, done, allowsLoss: true, "sync \(sync)")
            } catch JournalError.damaged {
                reports += 1
            }
        }
        #expect(reports < syncs)
    }

    @Test(arguments: [false, true])
    func `D6 no frame is acknowledged at or after a failed sync`(failsForEver: Bool) throws {
        let memory = try JournalMemory(small)
        let files = SimulatedStorage(seed: 8, fileByteCountMax: 4096)
        _ = script(files, memory)
        for sync in 1...files.syncCount {
            files.reset(seed: UInt64(sync))
            var faults = DiskFaults()
            faults.failSync = sync
            faults.failsForEver = failsForEver
            files.plan(faults)
            let done = script(files, memory)
            // No sync follows the one that failed.
            #expect(files.syncCount == sync)
            files.cut()
            try isSound(files, done, "sync \(sync)")
        }
    }

    @Test func `D7 short and interrupted writes are finished, failed ones end it`() throws {
        let memory = try JournalMemory(small)
        let files = SimulatedStorage(seed: 9, fileByteCountMax: 4096)
        let plain = script(files, memory)
        let count = files.writeCount
        var faults = DiskFaults()
        faults.shortWrites = true
        faults.interruptions = true
        files.reset(seed: 10)
        files.plan(faults)
        let done = script(files, memory)
        #expect(done.durable == plain.durable)
        #expect(files.writeCount > 2 * count)
        files.cut()
        try isSound(files, done, "short writes")
        for write in 1...count {
            files.reset(seed: UInt64(write))
            var faults = DiskFaults()
            faults.failWrite = write
            files.plan(faults)
            let done = script(files, memory)
            #expect(files.writeCount == write)
            files.cut()
            try isSound(files, done, "write \(write)")
        }
    }

    @Test(arguments: [2, 3, 4, 6])
    func `D8 a full disk refuses, and takes frames again when there is space`(files count: Int)
        throws
    {
        let files = SimulatedStorage(seed: 11, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        files.spaceByteCount = count * 4096
        var writer = core.writer(of: 0)
        while writer.append([UInt8](repeating: 7, count: 50)) != nil { core.settle() }
        #expect(core.state == .full)
        // Every frame that was taken is durable; refused ones left nothing.
        #expect(writer.durableSequence == writer.sequence)
        #expect(!files.exists(.ballast))
        let head = writer.sequence
        core.settle()
        #expect(core.state == .full)

        files.spaceByteCount = (count + 2) * 4096
        core.settle()
        #expect(core.state == .open)
        equal(writer.append([8]), .taken(head + 1))
        core.settle()
        #expect(writer.outcome(of: head + 1) == .durable(head + 1))
        files.spaceByteCount = .max
        core.settle()
        #expect(files.exists(.ballast))
        core.close()
        let again = try open(files)
        #expect(again.extents[0].head.sequence == head + 1 && again.report.wasClosed)
    }

    @Test func `a full journal has room for the markers of two snapshots`() throws {
        let files = SimulatedStorage(seed: 19, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        files.spaceByteCount = 2 * 4096
        var first = core.writer(of: 0)
        var second = core.writer(of: 1)
        while first.append([UInt8](repeating: 7, count: 50)) != nil { core.settle() }
        while first.append([]) != nil { core.settle() }
        #expect(core.state == .full)
        for _ in 0..<2 {
            appendMarker(&first)
            appendMarker(&second)
            core.settle()
        }
        #expect(first.durableSequence == first.sequence)
        #expect(second.durableSequence == 2)
        core.close()
        #expect(try open(files).report.wasClosed)
    }

    /// Appends a marker frame where there is no room for another frame.
    private func appendMarker(_ writer: inout StreamWriter) {
        equal(writer.reserve(payloadByteCount: 0), false)
        equal(writer.reserveMarker(), true)
        let nothing: [UInt8] = []
        let appended = writer.append(
            .marker, after: writer.sequence, firstEvent: 0, eventCount: 0, time: 0,
            payload: nothing.span)
        equal(appended, .taken(writer.sequence))
        writer.releaseReserve()
    }

    @Test func `a full disk is looked at often, however rarely syncs are due`() throws {
        var configuration = small
        configuration.durability = .interval(milliseconds: 60_000)
        let files = SimulatedStorage(seed: 18, fileByteCountMax: 4096)
        var core = try open(files, configuration)
        core.settle()
        var writer = core.writer(of: 0)
        equal(writer.append([1]), .taken(1))
        core.settle()
        #expect(JournalLoop.patience(core) == 60_000)
        core.syncWritten()
        #expect(JournalLoop.patience(core) == Int32(configuration.idleMilliseconds))
        files.spaceByteCount = 4096
        while writer.append([UInt8](repeating: 7, count: 50)) != nil { core.settle() }
        #expect(core.state == .full && core.hasUnsynced)
        #expect(JournalLoop.patience(core) == JournalLoop.spaceCheckMilliseconds)
    }

    @Test func `a full disk at the start leaves a journal that can be read`() throws {
        let files = SimulatedStorage(seed: 12, fileByteCountMax: 4096)
        var core = try open(files)
        var writer = core.writer(of: 0)
        writer.append(count: 5)
        core.settle()
        core.abandon(SimulatedFixture(files))
        try files.remove(.segment(4096))
        try files.remove(.ballast)
        try files.syncDirectory()
        files.spaceByteCount = 4096
        let again = try open(files)
        #expect(again.state == .full && again.extents[0].head.sequence == 5)
    }

    @Test func `space for the ballast alone makes a full journal open again`() throws {
        let files = SimulatedStorage(seed: 17, fileByteCountMax: 4096)
        files.spaceByteCount = 2 * 4096
        var core = try open(files)
        core.settle()
        #expect(core.state == .full && core.segments.count == 2)
        files.spaceByteCount = 3 * 4096
        core.settle()
        #expect(core.state == .open && files.exists(.ballast))
    }

    @Test func `D9 a write to another place is never read as a frame`() throws {
        let memory = try JournalMemory(small)
        let files = SimulatedStorage(seed: 13, fileByteCountMax: 4096)
        _ = script(files, memory)
        var reports = 0
        for write in 1...files.writeCount {
            for seed in 1...4 {
                files.reset(seed: UInt64(write * 4 + seed))
                var faults = DiskFaults()
                faults.misdirectWrite = write
                files.plan(faults)
                let done = script(files, memory)
                files.cut()
                do {
                    try isSound(files, done, allowsLoss: true, "write \(write)")
                } catch is JournalError {
                    reports += 1
                }
                files.kill()
            }
        }
        #expect(reports > 100)
    }

    @Test func `a version of later is refused by name`() throws {
        let files = SimulatedStorage(seed: 14, fileByteCountMax: 4096)
        var core = try open(files)
        core.settle()
        let place = small.streams.segmentMarkByteCount
        core.close()
        // Version 1 becomes 3.
        files.flip(bit: (place + 4) * 8 + 1, of: .segment(0))
        #expect(throws: JournalError.newerVersion(3, segment: 0, offset: place)) {
            _ = try open(files)
        }
    }

    @Test func `another number of shards is refused by name`() throws {
        let files = SimulatedStorage(seed: 15, fileByteCountMax: 4096)
        var core = try open(files)
        core.close()
        var other = small
        other.shardCount = 3
        #expect(throws: JournalError.shardCount(2)) { _ = try open(files, other) }
    }

    @Test func `a missing segment is damage`() throws {
        let memory = try JournalMemory(small)
        let files = SimulatedStorage(seed: 16, fileByteCountMax: 4096)
        _ = script(files, memory)
        files.kill()
        try files.remove(.segment(4096))
        let error = #expect(throws: JournalError.self) { _ = try open(files) }
        guard case .damaged(let damage) = error else { throw try #require(error) }
        #expect(damage.reason == .missingSegment && damage.segment == 8192)
    }
}

extension SimulatedFixture {
    init(_ files: SimulatedStorage) { self.files = files }
}

extension JournalCore {
    consuming func closeFilesForTest() {
        closeFiles()
        files.unlock()
    }
}

/// The first segment as it was, to be put back.
private final class Image {
    private let region: SharedRegion

    init(_ files: SimulatedStorage) throws {
        region = try SharedRegion(byteCount: 4096)
        let file = try files.open(.segment(0))
        try files.readAll(file, at: 0, region.region, 0..<4096)
    }

    func restore(_ files: SimulatedStorage) throws {
        let file = try files.create(.segment(0), byteCount: 4096)
        try files.writeAll(file, at: 0, region.region, 0..<4096)
        try files.sync(file)
        try files.syncDirectory()
    }

    func isZero(_ range: Range<Int>) -> Bool {
        region.region.withSpan(range) { span in span.indices.allSatisfy { span[$0] == 0 } }
    }
}
