// Engines that are written down and loaded again, in a folder that is removed with the fixture.

import Bytes
import Domain
import Foundation
import Testing

@testable import Engine
@testable import EngineTests
@testable import Snapshot

/// A folder of snapshots.
final class SnapshotFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "holdfast-snapshot-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var reader: SnapshotReader { SnapshotReader(in: path) }
}

func mark(_ number: Int) -> StreamMark {
    StreamMark(
        sequence: UInt64(number) * 1000 + 7, hash: 0xFFFF_0000_1234_0000 + UInt64(number),
        generation: 3)
}

extension EngineFixture {
    /// All shards as they are now.
    func freeze() -> [FrozenShard] {
        (0..<engine.shardCount).map { number in engine.withShard(number) { $0.freeze() } }
    }

    func thaw() {
        for number in 0..<engine.shardCount { engine.withShard(number) { $0.thaw() } }
    }

    /// Writes what was frozen as the next snapshot.
    @discardableResult
    func write(
        _ shards: [FrozenShard], _ master: FrozenMaster, in folder: String,
        storage: any SnapshotStorage = FileSystem()
    ) throws -> Manifest {
        var writer = try SnapshotWriter(
            in: SnapshotPlace(folder, on: storage), shardCount: shards.count, time: now)
        for shard in shards {
            try writer.write(shard, of: engine, policy, at: mark(shard.number))
        }
        try writer.write(master, at: mark(99))
        return try writer.publish()
    }

    /// Writes the state as it is now.
    @discardableResult
    func snapshot(in folder: String) throws -> Manifest {
        let shards = freeze()
        defer { thaw() }
        return try write(shards, engine.master.freeze().master, in: folder)
    }

    /// Another engine under the same key, with the newest snapshot loaded.
    static func loaded(
        from folder: SnapshotFolder, _ options: EngineOptions, now: Milliseconds
    ) throws -> EngineFixture {
        let fixture = try EngineFixture(options)
        fixture.now = now
        let (snapshot, passedOver) = try folder.reader.newest()
        #expect(passedOver.isEmpty)
        try #require(snapshot).load(into: fixture.engine, now: now, threadCount: 2)
        fixture.refreshPolicy()
        return fixture
    }
}
