import Bytes
import Domain
import Foundation
import Testing

@testable import Engine
@testable import EngineTests
@testable import Snapshot

@Suite struct CrashTests {
    private static func fixture() throws -> EngineFixture {
        let fixture = try EngineFixture(EngineFixture.options { $0.shardCount = 2 })
        for (index, sku) in ["A", "B", "C"].enumerated() {
            _ = try fixture.apply(.event(.receipt, Int32(index) + 5, sku, id: "first \(sku)"))
        }
        return fixture
    }

    private func writeNext(
        _ fixture: EngineFixture, _ folder: SnapshotFolder, _ storage: FailingStorage
    ) throws {
        let shards = fixture.freeze()
        defer { fixture.thaw() }
        try fixture.write(
            shards, fixture.engine.master.freeze().master, in: folder.path, storage: storage)
    }

    /// The snapshot that `latest` leads to.
    private func linked(_ folder: SnapshotFolder) throws -> UInt64? {
        UInt64(
            try FileManager.default.destinationOfSymbolicLink(atPath: "\(folder.path)/latest"))
    }

    /// All steps of the second snapshot, each with several survivals of what was not synced.
    @Test func `power lost at any step leaves the former snapshot or the new one`() throws {
        var random = SeededGenerator(seed: 11)
        var step = 0
        var isUntouched = false
        var newCount = 0
        while !isUntouched {
            for _ in 0..<(step % 7 == 0 ? 3 : 1) {
                let fixture = try Self.fixture()
                let folder = try SnapshotFolder()
                try fixture.snapshot(in: folder.path)
                _ = try fixture.apply(.event(.receipt, 100, "A", id: "second"))
                let storage = FailingStorage(failingAt: step)
                do {
                    try writeNext(fixture, folder, storage)
                    isUntouched = true
                } catch SnapshotError.system {
                    try storage.losePower(&random)
                }
                let (found, passedOver) = try folder.reader.newest()
                let snapshot = try #require(found)
                #expect(passedOver.isEmpty, "step \(step): \(passedOver)")
                let number = snapshot.manifest.number
                #expect(number == 1 || number == 2)
                #expect(number == 2 || !isUntouched)
                if number == 2 { newCount += 1 }
                #expect(try linked(folder) ?? 0 <= number, "step \(step)")

                let loaded = try EngineFixture.loaded(
                    from: folder, fixture.engine.options, now: fixture.now)
                let units = try loaded.detail("A")?.detail.positions["L0"]?.sellable
                #expect(units == (number == 1 ? 5 : 105), "step \(step)")

                // The next one finds its way whatever was left.
                let next = try fixture.snapshot(in: folder.path)
                #expect(next.number == number + 1)
                #expect(try folder.reader.newest().snapshot?.manifest == next)
                #expect(try linked(folder) == next.number)
                let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                #expect(
                    Set(names) == Set((1...next.number).map { "\($0)" } + ["latest"]),
                    "step \(step)")
            }
            step += 1
        }
        #expect(step > 60 && newCount > 1)
    }

    /// A step of the first snapshot fails; the process starts again on what memory has of the disk, and
    /// goes on from what it finds; then the power is lost.
    @Test func `a snapshot that a start has found stays, though its publication had failed`() throws
    {
        var random = SeededGenerator(seed: 12)
        let fixture = try Self.fixture()
        var step = 0
        var isUntouched = false
        var foundCount = 0
        while !isUntouched {
            for _ in 0..<4 {
                let folder = try SnapshotFolder()
                let storage = FailingStorage(failingAt: step)
                do {
                    try writeNext(fixture, folder, storage)
                    isUntouched = true
                } catch SnapshotError.system {}
                storage.recover()
                let place = SnapshotPlace(folder.path, on: storage)
                let found = try SnapshotReader(place).newestToStay().snapshot?.manifest
                try storage.losePower(&random)
                if found == nil { continue }
                if !isUntouched { foundCount += 1 }
                #expect(try folder.reader.newest().snapshot?.manifest == found, "step \(step)")
            }
            step += 1
        }
        #expect(foundCount > 4)
    }

    @Test func `each step comes behind what it relies on`() throws {
        let fixture = try Self.fixture()
        let folder = try SnapshotFolder()
        let storage = FailingStorage()
        try writeNext(fixture, folder, storage)
        let operations = storage.operations
        func first(_ operation: FailingStorage.Operation) throws -> Int {
            try #require(operations.firstIndex(of: operation))
        }
        func last(_ operation: FailingStorage.Operation) throws -> Int {
            try #require(operations.lastIndex(of: operation))
        }
        let root = folder.path
        let writing = "\(root)/1.writing"
        let manifest = "\(writing)/manifest.json"
        let created = try first(.create(manifest))
        for name in Manifest.fileNames(shardCount: 2) {
            let path = "\(writing)/\(name)"
            #expect(try first(.create(path)) < last(.write(path)))
            #expect(try last(.write(path)) < first(.sync(path)))
            #expect(try first(.sync(path)) < created)
        }
        #expect(try last(.write(manifest)) < first(.sync(manifest)))
        let renamed = try first(.rename(writing, to: "\(root)/1"))
        #expect(try first(.sync(manifest)) < renamed)
        for name in SnapshotFolders.subfolders {
            #expect(try created < first(.syncFolder("\(writing)/\(name)")))
            #expect(try first(.syncFolder("\(writing)/\(name)")) < renamed)
        }
        #expect(try first(.sync(manifest)) < first(.syncFolder(writing)))
        #expect(try first(.syncFolder(writing)) < renamed)
        let moved = try first(.rename("\(root)/latest.new", to: "\(root)/latest"))
        #expect(try renamed < first(.syncFolder(root)))
        #expect(try first(.syncFolder(root)) < first(.link("\(root)/latest.new")))
        #expect(try first(.link("\(root)/latest.new")) < moved)
        #expect(try moved < last(.syncFolder(root)))
    }

    @Test func `bytes that the device gives back otherwise are noticed before the manifest`() throws
    {
        let fixture = try Self.fixture()
        let folder = try SnapshotFolder()
        let shards = fixture.freeze()
        defer { fixture.thaw() }
        var writer = try SnapshotWriter(
            in: SnapshotPlace(folder.path), shardCount: 2, time: fixture.now)
        for shard in shards {
            try writer.write(shard, of: fixture.engine, fixture.policy, at: mark(shard.number))
        }
        try writer.write(fixture.engine.master.freeze().master, at: mark(9))
        let name = "times/1.parquet"
        let path = "\(folder.path)/1.writing/\(name)"
        var content = try Data(contentsOf: URL(fileURLWithPath: path))
        content[content.count / 2] ^= 1
        try content.write(to: URL(fileURLWithPath: path))
        do {
            _ = try writer.publish()
            Issue.record("a damaged file was published")
        } catch {
            #expect(error == .file(name, .wrongHash))
        }
        #expect(try folder.reader.numbers() == [])
    }

    @Test func `a writer that is told to stop leaves no snapshot`() throws {
        let fixture = try Self.fixture()
        let shards = fixture.freeze()
        defer { fixture.thaw() }
        var limit = 0
        var isStopped = true
        while isStopped {
            let folder = try SnapshotFolder()
            var asked = 0
            do {
                var writer = try SnapshotWriter(
                    in: SnapshotPlace(folder.path), shardCount: 2, time: fixture.now
                ) {
                    asked += 1
                    return asked <= limit
                }
                for shard in shards {
                    try writer.write(
                        shard, of: fixture.engine, fixture.policy, at: mark(shard.number))
                }
                try writer.write(fixture.engine.master.freeze().master, at: mark(9))
                _ = try writer.publish()
                isStopped = false
                #expect(try folder.reader.newest().snapshot != nil)
            } catch SnapshotError.cancelled {
                #expect(try folder.reader.numbers() == [])
            }
            limit += 1
        }
        #expect(limit > 20)
    }
}
