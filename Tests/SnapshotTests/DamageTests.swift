import Bytes
import Domain
import Foundation
import Platform
import Testing

@testable import Engine
@testable import EngineTests
@testable import Snapshot

/// Two snapshots: the newer one is damaged, the older one must serve.
@Suite struct DamageTests {
    private let history = History(seed: 12, stepCount: 250)
    private let folder: SnapshotFolder
    private let fixture: EngineFixture
    private let newest: Manifest

    init() throws {
        folder = try SnapshotFolder()
        fixture = try EngineFixture(history.options)
        let middle = history.steps.count / 2
        _ = try fixture.play(history.steps[..<middle])
        try fixture.snapshot(in: folder.path)
        _ = try fixture.play(history.steps[middle...])
        newest = try fixture.snapshot(in: folder.path)
    }

    private func path(_ name: String) -> String { "\(folder.path)/2/\(name)" }

    private var names: [String] {
        Manifest.fileNames(shardCount: newest.shardCount) + [Manifest.fileName]
    }

    private func content(_ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path(name)))
    }

    private func put(_ content: Data, _ name: String) throws {
        try content.write(to: URL(fileURLWithPath: path(name)))
    }

    /// Why the newer one is passed over; the older one must be found then.
    private func reason() throws -> SnapshotError? {
        let (snapshot, passedOver) = try folder.reader.newest()
        if passedOver.isEmpty { return nil }
        #expect(snapshot?.manifest.number == 1)
        #expect(passedOver.map(\.number) == [2])
        return passedOver[0].reason
    }

    private func isProblem(of name: String, _ error: SnapshotError?) -> Bool {
        if case .file(name, _) = error { true } else { false }
    }

    @Test func `a file that is missing is named, and the older snapshot is used`() throws {
        #expect(try reason() == nil)
        for name in names {
            let whole = try content(name)
            try FileManager.default.removeItem(atPath: path(name))
            #expect(try reason() == .file(name, .missing))
            try put(whole, name)
        }
        #expect(try reason() == nil)
    }

    @Test func `a file that is cut or too long is named`() throws {
        for name in names {
            let whole = try content(name)
            for count in [0, 1, whole.count / 2, whole.count - 1] {
                try put(whole.prefix(count), name)
                let found = try reason()
                #expect(isProblem(of: name, found), "\(name) cut to \(count): \(found as Any)")
            }
            try put(whole + [0], name)
            #expect(isProblem(of: name, try reason()))
            try put(whole, name)
        }
    }

    @Test func `a flipped bit is noticed, and the file is named`() throws {
        var random = SeededGenerator(seed: 5)
        for name in names {
            let whole = try content(name)
            for _ in 0..<24 where !whole.isEmpty {
                var flipped = whole
                let bit = Int.random(in: 0..<whole.count * 8, using: &random)
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try put(flipped, name)
                let found = try reason()
                #expect(isProblem(of: name, found), "\(name), bit \(bit): \(found as Any)")
            }
            try put(whole, name)
        }
    }

    @Test func `every bit of the manifest counts`() throws {
        let whole = try content(Manifest.fileName)
        for bit in 0..<whole.count * 8 {
            var bytes = [UInt8](whole)
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: SnapshotError.Problem.self, "bit \(bit)") {
                try Manifest(bytes.span)
            }
        }
    }

    @Test func `a file in the place of another shard's is noticed`() throws {
        try #require(newest.shardCount > 1)
        for table in SnapshotTable.allCases {
            let (one, other) = (table.fileName(shard: 0), table.fileName(shard: 1))
            let contents = (try content(one), try content(other))
            if contents.0 == contents.1 { continue }  // Both are empty.
            try put(contents.1, one)
            try put(contents.0, other)
            #expect(isProblem(of: one, try reason()), "\(one)")
            try put(contents.0, one)
            try put(contents.1, other)
        }
    }

    @Test func `the manifest of another snapshot is refused`() throws {
        let older = try Data(
            contentsOf: URL(fileURLWithPath: "\(folder.path)/1/\(Manifest.fileName)"))
        try put(older, Manifest.fileName)
        #expect(
            try reason() == .file(Manifest.fileName, .manifest("is that of snapshot 1")))
    }

    @Test func `no whole snapshot is no snapshot, with a reason for each`() throws {
        for number in 1...2 {
            try FileManager.default.removeItem(
                atPath: "\(folder.path)/\(number)/skus/0.parquet")
        }
        let (snapshot, passedOver) = try folder.reader.newest()
        #expect(snapshot == nil)
        #expect(passedOver.map(\.number) == [2, 1])
        #expect(passedOver.allSatisfy { $0.reason == .file("skus/0.parquet", .missing) })
    }

    @Test func `a folder without snapshots, or none at all, has no snapshot`() throws {
        #expect(try SnapshotReader(in: folder.path + "/none").newest().snapshot == nil)
        #expect(try SnapshotReader(in: folder.path + "/none").numbers() == [])
    }

    // MARK: - What does not fit

    /// Tables that hash as the manifest says and are wrong all the same: an error, never a trap.
    @Test func `tables of damaged content are refused by what they say`() throws {
        let snapshot = try folder.reader.open(2)
        var random = SeededGenerator(seed: 8)
        var refused: Set<String> = []
        for table in SnapshotTable.allCases {
            let name = table.fileName(shard: 0)
            let whole = try content(name)
            for _ in 0..<120 {
                var changed = whole
                let bit = Int.random(in: 0..<whole.count * 8, using: &random)
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                try put(changed, name)
                let other = try EngineFixture(history.options)
                do {
                    try snapshot.load(into: other.engine, now: fixture.now, threadCount: 1)
                } catch { refused.insert(name) }
            }
            try put(whole, name)
        }
        #expect(refused.count == SnapshotTable.allCases.count)
    }

    /// The tables of one shard among those of another, or of another time.
    @Test func `tables that do not belong together are refused`() throws {
        try #require(newest.shardCount > 1)
        let snapshot = try folder.reader.open(2)
        for table in SnapshotTable.allCases where table != .remembered && table != .parked {
            let name = table.fileName(shard: 0)
            let whole = try content(name)
            let rows = { (name: String) in newest.files.first { $0.name == name }?.rows }
            if rows(name) == rows(table.fileName(shard: 1)) { continue }
            try put(content(table.fileName(shard: 1)), name)
            let other = try EngineFixture(history.options)
            #expect(throws: SnapshotError.self, "\(name)") {
                try snapshot.load(into: other.engine, now: fixture.now)
            }
            try put(whole, name)
        }
    }

    @Test func `another number of shards is refused`() throws {
        var options = history.options
        options.shardCount *= 2
        let other = try EngineFixture(options)
        #expect(
            throws: SnapshotError.shardCount(
                expected: options.shardCount, found: history.options.shardCount)
        ) { try folder.reader.open(2).load(into: other.engine, now: fixture.now) }
    }

    @Test func `names under another key are refused`() throws {
        try #require(newest.shardCount > 1)
        let other = try EngineFixture(history.options, seed: 2)
        do {
            try folder.reader.open(2).load(into: other.engine, now: fixture.now)
            Issue.record("loaded under another key")
        } catch SnapshotError.file(_, .foreignSKU) {}
    }

    @Test func `an engine with state is refused`() throws {
        let snapshot = try folder.reader.open(2)
        #expect(throws: SnapshotError.self) {
            try snapshot.load(into: fixture.engine, now: fixture.now)
        }
    }
}
