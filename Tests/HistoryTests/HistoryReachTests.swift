import Journal
import Testing

@testable import Engine
@testable import History
@testable import Snapshot

private let day: Int64 = 86_400_000

@Suite struct HistoryReachTests {
    /// A snapshot that holds all frames up to a sequence of each shard.
    private func manifest(
        _ number: UInt64, at time: Int64, through sequence: UInt64, byteCount: Int = 100
    ) -> Manifest {
        let mark = StreamMark(sequence: sequence, hash: 1, generation: 1)
        return Manifest(
            format: 1, number: number, time: time, frozenBy: time, shardCount: 2, positions: 0,
            shards: [mark, mark], control: StreamMark(sequence: 0, hash: 0, generation: 0),
            versions: MasterVersions(locations: 0, groups: 0, channels: 0, rules: 0),
            files: [SnapshotFile(name: "x", bytes: byteCount, rows: 0, xxh64: HexWord(0))])
    }

    @Test func `the first snapshot of each day is a base`() {
        let times: [Int64] = [0, 5, day - 1, day, day + 7, 3 * day + 1]
        let manifests = times.enumerated().map { index, time in
            manifest(UInt64(index + 1), at: time, through: 1)
        }
        #expect(bases(among: manifests.shuffled()) == [1, 4, 6])
        #expect(bases(among: []) == [])
    }

    /// Segments 0 ... 9 of 4096 bytes, 1000 bytes each when compressed; segment n begins behind frame
    /// 10 n of each shard. The journal has the last two.
    private func excess(
        _ bases: [Manifest], oldest: Manifest, age: Int64 = 30 * day, byteCount: Int = 1 << 40,
        first: Int = 0, now: Int64
    ) -> HistoryExcess {
        let starts = (first..<10).map { number in
            let head = StreamHead(sequence: UInt64(number * 10), hash: 1, generation: 1)
            return SegmentStart(
                base: UInt64(number * 4096),
                heads: [head, head, StreamHead(), number == 0 ? StreamHead() : head])
        }
        var limits = HistoryLimits()
        limits.age = age
        limits.byteCount = byteCount
        let archived = (0..<8).map { (UInt64($0 * 4096), 1000) }
        return HistoryExcess(
            bases: bases, oldest: oldest,
            archived: Dictionary(uniqueKeysWithValues: archived), reach: HistoryReach(starts),
            limits: limits, now: now)
    }

    private func segments(_ range: Range<Int>) -> [UInt64] { range.map { UInt64($0 * 4096) } }

    @Test func `within the limits nothing goes`() {
        let bases = [
            manifest(1, at: day, through: 25), manifest(2, at: 2 * day, through: 45),
        ]
        let oldest = manifest(9, at: 3 * day, through: 85)
        let found = excess(bases, oldest: oldest, now: 3 * day)
        #expect(found.snapshots == [] && found.segments == [])
    }

    @Test func `what is older goes, up to the base that the oldest moment needs`() {
        let bases = [
            manifest(1, at: day, through: 25), manifest(2, at: 2 * day, through: 45),
        ]
        let oldest = manifest(9, at: 40 * day, through: 85)
        var found = excess(bases, oldest: oldest, now: 31 * day)
        #expect(found.snapshots == [] && found.segments == segments(0..<2))
        found = excess(bases, oldest: oldest, now: 32 * day - 1)
        #expect(found.snapshots == [])
        found = excess(bases, oldest: oldest, now: 32 * day)
        #expect(found.snapshots == [1] && found.segments == segments(0..<4))
        found = excess(bases, oldest: oldest, now: 71 * day)
        #expect(found.snapshots == [1, 2] && found.segments == segments(0..<8))
    }

    @Test func `too many bytes: the oldest goes, base by base`() {
        let bases = [
            manifest(1, at: day, through: 25), manifest(2, at: 2 * day, through: 45),
        ]
        let oldest = manifest(9, at: 3 * day, through: 85)
        func found(_ byteCount: Int) -> HistoryExcess {
            excess(bases, oldest: oldest, byteCount: byteCount, now: 3 * day)
        }
        #expect(found(8200).snapshots == [] && found(8200).segments == [])
        #expect(found(8199).segments == segments(0..<2) && found(8199).snapshots == [])
        #expect(found(6200).segments == segments(0..<2) && found(6200).snapshots == [])
        #expect(found(6199).segments == segments(0..<4) && found(6199).snapshots == [1])
        #expect(found(4099).segments == segments(0..<8) && found(4099).snapshots == [1, 2])
        #expect(found(0).segments == segments(0..<8))
    }

    @Test func `a base whose segments are gone is none`() {
        let bases = [
            manifest(1, at: day, through: 25), manifest(2, at: 2 * day, through: 45),
        ]
        let oldest = manifest(9, at: 3 * day, through: 85)
        let found = excess(bases, oldest: oldest, first: 3, now: 3 * day)
        #expect(found.snapshots == [1] && found.segments == segments(0..<4))
    }

    @Test func `no history at all: everything goes`() {
        let bases = [manifest(1, at: day, through: 25)]
        let oldest = manifest(9, at: 3 * day, through: 85)
        let found = excess(bases, oldest: oldest, age: 0, now: 3 * day)
        #expect(found.snapshots == [1] && found.segments == segments(0..<8))
    }
}
