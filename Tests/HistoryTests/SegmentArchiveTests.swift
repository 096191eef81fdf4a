import Bytes
import Foundation
import Journal
import Platform
import Snapshot
import Testing

@testable import EngineTests
@testable import History
@testable import SnapshotTests

/// A disk with room for so many bytes of history.
private struct SmallDisk: SnapshotStorage {
    let history: HistoryFolder
    let byteCount: Int
    private let system = FileSystem()

    init(_ history: HistoryFolder, byteCount: Int) {
        self.history = history
        self.byteCount = byteCount
    }

    fileprivate func checkRoom(for count: Int) throws(SystemError) {
        var used = 0
        for name in try Files.names(in: history.path) {
            used += try Descriptor.open("\(history.path)/\(name)").byteCount()
        }
        guard used + count <= byteCount else { throw SystemError("write", code: 28) }
    }

    func names(in path: String) throws(SystemError) -> [String] { try system.names(in: path) }
    func open(_ path: String, isUncached: Bool) throws(SystemError) -> any StoredFile {
        try system.open(path, isUncached: isUncached)
    }
    func create(_ path: String) throws(SystemError) -> any StoredFile {
        SmallDiskFile(self, try system.create(path))
    }
    func makeFolder(_ path: String) throws(SystemError) { try system.makeFolder(path) }
    func syncFolder(_ path: String) throws(SystemError) { try system.syncFolder(path) }
    func rename(_ path: String, to target: String) throws(SystemError) {
        try system.rename(path, to: target)
    }
    func link(_ path: String, to target: String) throws(SystemError) {
        try system.link(path, to: target)
    }
    func remove(_ path: String) throws(SystemError) { try system.remove(path) }
}

private final class SmallDiskFile: StoredFile {
    private let disk: SmallDisk
    private let file: any StoredFile

    init(_ disk: SmallDisk, _ file: any StoredFile) {
        self.disk = disk
        self.file = file
    }

    func byteCount() throws(SystemError) -> Int { try file.byteCount() }
    func write(_ bytes: Span<UInt8>) throws(SystemError) {
        try disk.checkRoom(for: bytes.count)
        try file.write(bytes)
    }
    func read(
        at offset: Int, _ count: Int, into buffer: inout ByteBuffer
    ) throws(SystemError) -> Int { try file.read(at: offset, count, into: &buffer) }
    func sync() throws(SystemError) { try file.sync() }
}

@Suite struct SegmentArchiveTests {
    @Test func `what is trimmed is read from the history as it was`() throws {
        let folder = try JournalFolder()
        try folder.append(120)
        let before = try folder.frames()
        #expect(before.count == 120)
        let kept = try folder.archive().keep(through: folder.sequences())
        let segments = try folder.survey().segments
        // The segment being written stays the journal's, and those that are prepared.
        #expect(
            kept == segments.map(\.base).filter { $0 < (try! folder.survey().report.endSegment) })
        #expect(kept.count > 4)
        try folder.trim(kept.count)
        #expect(try folder.frames() == before)
        #expect(try folder.archive().keep(through: folder.sequences()) == [])
        let sizes = try kept.map { try folder.history.byteCount($0) }
        #expect(sizes.allSatisfy { $0 < 4096 })
        // Life goes on behind it.
        try folder.append(20)
        #expect(try folder.frames().count == 140)
        #expect(try Array(folder.frames().prefix(120)) == before)
    }

    @Test func `only what the sequences cover is kept`() throws {
        let folder = try JournalFolder()
        try folder.append(120)
        var sequences = try folder.sequences()
        sequences[1] = 20
        let kept = try folder.archive().keep(through: sequences)
        let files = FileStorage(folder: folder.journal)
        let bases = try files.segments().sorted()
        let expected = try zip(bases, bases.dropFirst()).filter { _, next in
            let start = try files.start(of: next, shardCount: JournalFolder.shardCount)
            return start.map { $0.heads[1].sequence <= 20 } ?? false
        }
        #expect(!kept.isEmpty && kept == expected.map(\.0))
    }

    /// - Returns: false where the system refuses.
    private func keeps(_ sequences: [UInt64], _ archive: SegmentArchive) throws -> Bool {
        do throws(HistoryError) {
            _ = try archive.keep(through: sequences)
            return true
        } catch {
            guard case .system = error else { throw error }
            return false
        }
    }

    /// Every step of keeping some segments, with several survivals of what was not synced.
    @Test func `interrupted at any step, it is begun again and nothing is lost`() throws {
        let folder = try JournalFolder()
        try folder.append(60)
        let before = try folder.frames()
        let sequences = try folder.sequences()
        var random = SeededGenerator(seed: 5)
        var step = 0
        var isUntouched = false
        while !isUntouched {
            for _ in 0..<3 {
                try? FileManager.default.removeItem(atPath: folder.history.path)
                let storage = FailingStorage(failingAt: step)
                isUntouched = try keeps(sequences, folder.archive(storage))
                if !isUntouched { try storage.losePower(&random) }
                // What has its final name is whole; the journal still has everything.
                for base in try folder.history.bases() {
                    var segment = try ArchivedSegment(folder.history.file(base))
                    while try segment.read(1000, { _ in }) > 0 {}
                }
                #expect(try folder.frames() == before, "step \(step)")
                _ = try folder.archive().keep(through: sequences)
                let names = try Files.names(in: folder.history.path)
                #expect(names.allSatisfy { $0.hasSuffix(".zst") }, "step \(step): \(names)")
                #expect(try folder.history.bases().count >= 3)
            }
            step += 1
        }
        #expect(step > 15)
        try folder.trim(try folder.history.bases().count)
        #expect(try folder.frames() == before)
    }

    @Test func `it can be told to stop, and goes on later`() throws {
        let folder = try JournalFolder()
        try folder.append(60)
        let sequences = try folder.sequences()
        var asked = 0
        #expect(throws: HistoryError.cancelled) {
            try folder.archive().keep(through: sequences) {
                asked += 1
                return asked < 4
            }
        }
        let first = try folder.history.bases()
        let rest = try folder.archive().keep(through: sequences)
        #expect(!rest.isEmpty && !first.contains(rest[0]))
    }

    @Test func `on a full disk the oldest gives way`() throws {
        let folder = try JournalFolder()
        try folder.append(120)
        let sequences = try folder.sequences()
        let all = try folder.archive().keep(through: sequences)
        let sizes = try all.map { try folder.history.byteCount($0) }
        try FileManager.default.removeItem(atPath: folder.history.path)
        let disk = SmallDisk(folder.history, byteCount: sizes.suffix(3).reduce(0, +) + 50)
        let kept = try folder.archive(disk).keep(through: sequences)
        #expect(kept == all)
        #expect(try folder.history.bases() == Array(all.suffix(3)))
    }

    @Test func `a disk without any room keeps nothing, and holds nothing up`() throws {
        let folder = try JournalFolder()
        try folder.append(60)
        let disk = SmallDisk(folder.history, byteCount: 10)
        #expect(try folder.archive(disk).keep(through: folder.sequences()) == [])
        #expect(try Files.names(in: folder.history.path) == [])
    }

    @Test func `damage is found and named, wherever it is`() throws {
        let folder = try JournalFolder()
        try folder.append(60)
        let kept = try folder.archive().keep(through: folder.sequences())
        try folder.trim(kept.count)
        let before = try folder.frames()
        let file = folder.history.file(kept[1])
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
        for offset in bytes.indices {
            var damaged = bytes
            damaged[offset] ^= 1 << (offset % 8)
            try Data(damaged).write(to: URL(fileURLWithPath: file))
            do {
                // Some bits of a frame's head say nothing; what was there is read then, or nothing.
                #expect(try folder.frames() == before, "offset \(offset)")
            } catch JournalError.storage(let error) {
                #expect(error.subject == file, "offset \(offset): \(error)")
            } catch JournalError.damaged(let damage) {
                #expect(damage.segment == kept[1] || damage.segment == kept[2], "offset \(offset)")
            }
        }
        for count in [0, 5, 17, bytes.count / 2, bytes.count - 1] {
            try Data(bytes.prefix(count)).write(to: URL(fileURLWithPath: file))
            #expect(throws: JournalError.self) { try folder.frames() }
        }
    }

    @Test func `behind a file whose head is damaged the past can be told still`() throws {
        let folder = try JournalFolder()
        try folder.append(120)
        let kept = try folder.archive().keep(through: folder.sequences())
        try folder.trim(kept.count)
        let file = folder.history.file(kept[2])
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
        bytes[1] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        let reach = try folder.reach()
        #expect(reach.starts.first?.base == kept[3] && !reach.hasBeginning)
        #expect(try folder.history.check().filter { $0.problem != nil }.map(\.base) == [kept[2]])
        #expect(try folder.frames(from: kept[3]).count > 0)
    }

    @Test func `a segment that is missing is named`() throws {
        let folder = try JournalFolder()
        try folder.append(120)
        let kept = try folder.archive().keep(through: folder.sequences())
        try folder.trim(kept.count)
        try FileManager.default.removeItem(atPath: folder.history.file(kept[2]))
        do {
            _ = try folder.frames()
            Issue.record("nothing is missing")
        } catch JournalError.damaged(let damage) {
            #expect(damage.reason == .missingSegment && damage.segment == kept[3])
        }
        #expect(try folder.reach().starts.first?.base == kept[3])
        #expect(try folder.frames(from: kept[3]).count > 0)
    }
}
