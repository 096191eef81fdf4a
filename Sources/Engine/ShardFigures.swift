// What a shard's owner publishes for metrics, once a turn.

internal import Columns
internal import Synchronization

/// Counts of one shard, or summed over shards.
package struct ShardFigures: Sendable {
    package static let count = 10
    fileprivate var words = InlineArray<10, UInt64>(repeating: 0)

    package init() {}

    package var positions: UInt64 { words[0] }
    package var skus: UInt64 { words[1] }
    package var byteCount: UInt64 { words[2] }
    package var remembered: UInt64 { words[3] }
    package var parkedNow: UInt64 { words[4] }
    package var accepted: UInt64 { words[5] }
    package var recorded: UInt64 { words[6] }
    package var duplicates: UInt64 { words[7] }
    package var parked: UInt64 { words[8] }
    package var rejected: UInt64 { words[9] }

    package mutating func add(_ other: ShardFigures) {
        for index in 0..<Self.count { words[index] &+= other.words[index] }
    }

    init(_ shard: borrowing Shard) {
        words[0] = UInt64(shard.positions.positionCount)
        words[1] = UInt64(shard.positions.skuCount)
        words[2] = UInt64(shard.byteCount)
        words[3] = UInt64(shard.rememberedCount)
        words[4] = UInt64(shard.parked.count)
        words[5] = shard.counters.accepted
        words[6] = shard.counters.recorded
        words[7] = shard.counters.duplicates
        words[8] = shard.counters.parked
        words[9] = shard.counters.rejected
    }
}

/// The figures of all shards as atomics; each shard's are written by its owner.
@safe
final class FigureBoard: @unchecked Sendable {
    private static let stride = 16
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let shardCount: Int

    init(shardCount: Int) {
        self.shardCount = shardCount
        unsafe words = .allocate(capacity: shardCount * Self.stride)
        for word in 0..<shardCount * Self.stride {
            unsafe (words + word).initialize(to: Atomic(0))
        }
    }

    deinit { unsafe words.deallocate() }

    func publish(_ figures: ShardFigures, shard: Int) {
        precondition(shard >= 0 && shard < shardCount)
        for index in 0..<ShardFigures.count {
            // Relaxed: each figure for itself.
            unsafe words[shard * Self.stride + index].store(
                figures.words[index], ordering: .relaxed)
        }
    }

    func figures(shard: Int) -> ShardFigures {
        precondition(shard >= 0 && shard < shardCount)
        var figures = ShardFigures()
        for index in 0..<ShardFigures.count {
            figures.words[index] = unsafe words[shard * Self.stride + index].load(
                ordering: .relaxed)
        }
        return figures
    }
}
