// A journal stepped by the measuring thread, and a bare file beside it.

import Foundation
import Journal
import Platform

/// Frames into a journal on real files, and the same bytes into a bare file.
final class AppendBench {
    private static let framesPerCommit = 1024
    private static let payloadByteCount = 128
    private static let frameByteCount = FrameHeader.frameByteCount(payload: payloadByteCount)

    private let folder: String
    private let configuration: JournalConfiguration
    private let bare: FileStorage
    private let file: FileNumber
    private let room: Region
    private let payload = [UInt8](repeating: 0x5A, count: payloadByteCount)
    private var life = 0

    init(_ folder: String, _ configuration: JournalConfiguration) throws {
        self.folder = folder
        self.configuration = configuration
        let plain = folder + "-bare"
        try FileManager.default.createDirectory(atPath: plain, withIntermediateDirectories: true)
        bare = FileStorage(folder: plain)
        let byteCount = Self.framesPerCommit * Self.frameByteCount
        room = try Region(byteCount: byteCount)
        file = try bare.create(.ballast, byteCount: 64 << 20)
        for offset in stride(from: 0, to: 64 << 20, by: byteCount) {
            try bare.writeAll(file, at: offset, room, 0..<min(byteCount, (64 << 20) - offset))
        }
        try bare.sync(file)
    }

    deinit { bare.close(file) }

    /// A journal in a folder of its own, with space prepared.
    private func withJournal(_ body: (inout JournalCore<FileStorage>) -> Round) -> Round {
        life += 1
        let place = "\(folder)-\(life)"
        do {
            try FileManager.default.createDirectory(
                atPath: place, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: place) }
            let memory = try JournalMemory(configuration)
            var core = try JournalCore.open(
                FileStorage(folder: place), configuration, memory, { _, _ in })
            while core.step() {}
            let round = body(&core)
            core.close()
            return round
        } catch { fatalError("\(error)") }
    }

    /// Appends and commits; only that is timed.
    func appends(_ commits: Int, inBytes: Bool) -> Round {
        withJournal { core in
            var writer = core.writer(of: 0)
            let start = Clock.threadNanoseconds
            for _ in 0..<commits {
                for _ in 0..<Self.framesPerCommit { append(&writer) }
                _ = core.step()
            }
            let elapsed = Clock.threadNanoseconds - start
            let frames = commits * Self.framesPerCommit
            check(writer.releasedSequence == UInt64(frames), "frames are missing")
            return Round(
                amount: inBytes ? frames * Self.frameByteCount : frames,
                checksum: writer.chainHash, nanoseconds: elapsed)
        }
    }

    private func append(_ writer: inout StreamWriter) {
        let payload = payload
        guard writer.reserve(payloadByteCount: payload.count) else {
            fatalError("the journal is full")
        }
        let answer = writer.append(
            after: writer.sequence, firstEvent: writer.sequence, eventCount: 1, time: 0,
            payload: payload.span)
        let sequence = writer.sequence
        check(answer == .taken(sequence), "a frame was not taken")
    }

    func bareWrites(_ commits: Int, inBytes: Bool) -> Round {
        let start = Clock.threadNanoseconds
        for commit in 0..<commits { write(commit * room.byteCount, room.byteCount) }
        let frames = commits * Self.framesPerCommit
        return Round(
            amount: inBytes ? frames * Self.frameByteCount : frames, checksum: 0,
            nanoseconds: Clock.threadNanoseconds - start)
    }

    /// One frame at a time, each synced.
    func syncedCommits(_ commits: Int) -> Round {
        withJournal { core in
            var writer = core.writer(of: 0)
            let start = Clock.monotonicNanoseconds
            for _ in 0..<commits {
                append(&writer)
                _ = core.step()
            }
            let elapsed = Clock.monotonicNanoseconds - start
            check(writer.durableSequence == UInt64(commits), "frames are not durable")
            return Round(amount: commits, checksum: writer.chainHash, nanoseconds: elapsed)
        }
    }

    func bareSyncs(_ commits: Int) -> Round {
        // A mark and a frame.
        let byteCount = 88 + Self.frameByteCount
        let start = Clock.monotonicNanoseconds
        for commit in 0..<commits {
            write(commit * byteCount, byteCount)
            do { try bare.sync(file) } catch { fatalError("\(error)") }
        }
        return Round(
            amount: commits, checksum: 0, nanoseconds: Clock.monotonicNanoseconds - start)
    }

    private func write(_ offset: Int, _ byteCount: Int) {
        do { try bare.writeAll(file, at: offset, room, 0..<byteCount) } catch {
            fatalError("\(error)")
        }
    }
}
