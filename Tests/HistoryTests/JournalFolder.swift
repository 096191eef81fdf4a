// A journal of small segments in a folder, and the history beside it.

import Foundation
import Journal
import Platform
import Snapshot
import Testing

@testable import History

final class JournalFolder {
    let path: String
    let journal: String
    let history: HistoryFolder
    static let shardCount = 2

    init() throws {
        path = NSTemporaryDirectory() + "holdfast-history-\(UUID().uuidString)"
        journal = path + "/journal"
        history = HistoryFolder(path + "/history")
        try FileManager.default.createDirectory(atPath: journal, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private var configuration: JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.shardCount = Self.shardCount
        configuration.segmentByteCount = 4096
        configuration.frameByteCountMax = 320
        configuration.outboxByteCount = 1536
        configuration.ballastByteCount = 4096
        configuration.prepareByteCount = 4096
        return configuration
    }

    /// Appends frames to both shards in turn, in a life of its own, and then does `last` with it.
    func append(_ count: Int, _ last: (Journal) throws -> Void = { _ in }) throws {
        let journal = try Journal(folder: journal, configuration) { _, _ in }
        defer { journal.close() }
        var first = journal.writer(of: 0)
        var second = journal.writer(of: 1)
        for number in 0..<count {
            if number % 2 == 0 {
                append(number, to: &first, journal)
            } else {
                append(number, to: &second, journal)
            }
        }
        try last(journal)
    }

    /// Appends a frame and waits until it is durable.
    private func append(_ number: Int, to writer: inout StreamWriter, _ journal: Journal) {
        let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 100)
        while !writer.reserve(payloadByteCount: payload.count) {
            Thread.sleep(forTimeInterval: 0.001)
        }
        let sequence = writer.sequence
        _ = writer.append(
            after: sequence, firstEvent: 0, eventCount: 1, time: Int64(number),
            payload: payload.span)
        writer.releaseReserve()
        writer.submit()
        while journal.durableSequence(of: UInt16(number % 2)) <= sequence {
            Thread.sleep(forTimeInterval: 0.0001)
        }
    }

    /// How far the shards are, and the control stream.
    func sequences() throws -> [UInt64] {
        try survey().extents.prefix(Self.shardCount + 1).map(\.head.sequence)
    }

    func archive(_ storage: any SnapshotStorage = FileSystem()) -> SegmentArchive {
        SegmentArchive(
            journal: journal, history: history, shardCount: Self.shardCount, storage: storage)
    }

    func survey() throws -> JournalSurvey {
        try JournalSurvey(folder: journal, shardCount: Self.shardCount) { _, _ in }
    }

    /// All frames of history and journal, in order.
    func frames(from first: UInt64 = 0) throws -> [FrameHeader] {
        var frames: [FrameHeader] = []
        let files = HistoryStorage(journal: journal, history: history, from: first)
        let survey = try JournalSurvey(files, shardCount: Self.shardCount) { header, _ in
            frames.append(header)
        }
        if let problem = survey.problem { throw problem }
        return frames
    }

    /// Removes the first `count` segments of the journal, as a trim does.
    func trim(_ count: Int) throws {
        let files = FileStorage(folder: journal)
        for base in try files.segments().sorted().prefix(count) { try files.remove(.segment(base)) }
    }

    func reach() throws -> HistoryReach {
        try HistoryReach(journal: journal, history: history, shardCount: Self.shardCount)
    }
}
