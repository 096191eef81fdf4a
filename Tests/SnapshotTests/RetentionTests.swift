import Bytes
import Domain
import Foundation
import Testing

@testable import Engine
@testable import EngineTests
@testable import Snapshot

@Suite struct RetentionTests {
    private let folder: SnapshotFolder
    private let fixture: EngineFixture
    private static let minute: Milliseconds = 60_000

    /// Six snapshots, a minute apart.
    init() throws {
        folder = try SnapshotFolder()
        fixture = try EngineFixture(EngineFixture.options { $0.shardCount = 1 })
        for number in 1...6 {
            _ = try fixture.apply(.event(.receipt, 1, id: "\(number)"))
            try fixture.snapshot(in: folder.path)
            fixture.now += Self.minute
        }
    }

    private func damage(_ number: Int) throws {
        try FileManager.default.removeItem(
            atPath: "\(folder.path)/\(number)/positions/0.parquet")
    }

    private func prune(_ retention: Retention) throws -> Pruned {
        try folder.reader.prune(keeping: retention, now: fixture.now)
    }

    @Test func `the newest stay, as many as there may be`() throws {
        let pruned = try prune(Retention(countMax: 4))
        #expect(pruned.removed == [2, 1])
        #expect(pruned.whole.map(\.number) == [6, 5])
        #expect(try folder.reader.numbers() == [6, 5, 4, 3])
    }

    @Test func `what is older than it may be goes`() throws {
        let pruned = try prune(Retention(ageMax: 3 * Self.minute))
        #expect(pruned.removed == [3, 2, 1])
        #expect(try folder.reader.numbers() == [6, 5, 4])
    }

    @Test func `the newest that are whole stay whatever the limits say`() throws {
        try damage(6)
        try damage(4)
        let pruned = try prune(Retention(wholeCountMin: 2, countMax: 1, ageMax: 0))
        #expect(pruned.whole.map(\.number) == [5, 3])
        #expect(pruned.removed == [2, 1])
        // Damaged ones that are newer than what must stay are there to be looked into.
        #expect(try folder.reader.numbers() == [6, 5, 4, 3])
        #expect(pruned.whole.allSatisfy { $0.shards == [mark(0)] && $0.control == mark(99) })
    }

    @Test func `bases stay whatever the limits say`() throws {
        let pruned = try folder.reader.prune(
            keeping: Retention(countMax: 3), bases: [1, 2, 9], now: fixture.now)
        #expect(pruned.removed == [3])
        #expect(try folder.reader.numbers() == [6, 5, 4, 2, 1])
        try folder.reader.remove(2)
        #expect(try folder.reader.numbers() == [6, 5, 4, 1])
    }

    @Test func `without limits nothing goes`() throws {
        #expect(try prune(Retention()).removed == [])
        #expect(try folder.reader.numbers().count == 6)
    }

    @Test func `what is removed by halves is no snapshot, and goes with the next`() throws {
        let storage = FailingStorage(failingAt: 4)
        #expect(throws: SnapshotError.self) {
            try SnapshotReader(SnapshotPlace(folder.path, on: storage)).prune(
                keeping: Retention(countMax: 5), now: fixture.now)
        }
        #expect(try folder.reader.numbers() == [6, 5, 4, 3, 2])
        try fixture.snapshot(in: folder.path)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(names) == ["2", "3", "4", "5", "6", "7", "latest"])
    }
}
