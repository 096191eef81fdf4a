import Columns
import Synchronization
import Testing

@Suite struct QuietPointsTests {
    let quietPoints = QuietPoints()

    @Test func `what is retired is freed once every reader has passed`() {
        var retired = Retired<Probe>()
        let freed = FreedCount()
        let one = quietPoints.register()
        let two = quietPoints.register()
        quietPoints.enter(one)
        quietPoints.enter(two)
        retired.retire(Probe(freed), quietPoints)
        retired.reclaim(quietPoints)
        #expect(freed.count == 0)
        quietPoints.pass(one)
        retired.reclaim(quietPoints)
        #expect(freed.count == 0)
        let isEmpty = retired.isEmpty
        #expect(!isEmpty)
        quietPoints.pass(two)
        #expect(freed.count == 0)
        retired.reclaim(quietPoints)
        #expect(freed.count == 1)
        let isEmptyAtLast = retired.isEmpty
        #expect(isEmptyAtLast)
    }

    @Test func `a reader that passed before does not count as passed`() {
        var retired = Retired<Probe>()
        let freed = FreedCount()
        let reader = quietPoints.register()
        quietPoints.enter(reader)
        quietPoints.pass(reader)
        retired.retire(Probe(freed), quietPoints)
        retired.reclaim(quietPoints)
        #expect(freed.count == 0)
        quietPoints.pass(reader)
        retired.reclaim(quietPoints)
        #expect(freed.count == 1)
    }

    @Test func `readers that are away block nothing`() {
        var retired = Retired<Probe>()
        let freed = FreedCount()
        _ = quietPoints.register()
        let left = quietPoints.register()
        quietPoints.enter(left)
        quietPoints.leave(left)
        retired.retire(Probe(freed), quietPoints)
        retired.reclaim(quietPoints)
        #expect(freed.count == 1)
    }

    @Test func `a reader that leaves unblocks`() {
        var retired = Retired<Probe>()
        let freed = FreedCount()
        let reader = quietPoints.register()
        quietPoints.enter(reader)
        retired.retire(Probe(freed), quietPoints)
        quietPoints.leave(reader)
        retired.reclaim(quietPoints)
        #expect(freed.count == 1)
    }

    @Test func `a reader that comes back blocks only what is retired afterwards`() {
        var retired = Retired<Probe>()
        let before = FreedCount()
        let after = FreedCount()
        let reader = quietPoints.register()
        retired.retire(Probe(before), quietPoints)
        quietPoints.enter(reader)
        retired.retire(Probe(after), quietPoints)
        retired.reclaim(quietPoints)
        #expect(before.count == 1)
        #expect(after.count == 0)
        quietPoints.pass(reader)
        retired.reclaim(quietPoints)
        #expect(after.count == 1)
    }

    @Test func `a pass frees all that was retired before it and nothing after`() {
        var retired = Retired<Probe>()
        let freed = FreedCount()
        let reader = quietPoints.register()
        quietPoints.enter(reader)
        for _ in 0..<5 { retired.retire(Probe(freed), quietPoints) }
        quietPoints.pass(reader)
        for _ in 0..<3 { retired.retire(Probe(freed), quietPoints) }
        retired.reclaim(quietPoints)
        #expect(freed.count == 5)
    }

    @Test func `without readers everything is freed at once`() {
        var retired = Retired<Probe>()
        let freed = FreedCount()
        retired.retire(Probe(freed), quietPoints)
        retired.reclaim(quietPoints)
        #expect(freed.count == 1)
    }

    @Test func `what waits is freed with its owner`() {
        let freed = FreedCount()
        let reader = quietPoints.register()
        quietPoints.enter(reader)
        do {
            var retired = Retired<Probe>()
            retired.retire(Probe(freed), quietPoints)
            let isEmpty = retired.isEmpty
            #expect(!isEmpty)
        }
        #expect(freed.count == 1)
    }

    @Test func `every slot up to the last blocks, one more reader is a bug`() async {
        var readers: [Int] = []
        for _ in 0..<QuietPoints.readerCountMax { readers.append(quietPoints.register()) }
        #expect(Set(readers).count == QuietPoints.readerCountMax)
        for reader in readers {
            quietPoints.enter(reader)
            let epoch = quietPoints.retire()
            #expect(!quietPoints.isPassed(epoch))
            quietPoints.leave(reader)
            #expect(quietPoints.isPassed(epoch))
        }
        await #expect(processExitsWith: .failure) {
            let quietPoints = QuietPoints()
            for _ in 0...QuietPoints.readerCountMax { _ = quietPoints.register() }
        }
    }
}

@Suite struct QuietPointsConcurrencyTests {
    /// The owner replaces a block of equal words again and again and clears what is freed. A reader
    /// that holds a block between two quiet points must never see it cleared.
    @Test func `nothing is freed under a reader`() {
        let quietPoints = QuietPoints()
        let pool = BlockPool()
        let published = SharedAddress()
        var retired = Retired<Block>()
        var current = Block(pool, 1)
        published.store(current.address)
        let board = Board()
        let crew = Crew(2) { index in
            var random = Seeded(UInt64(index))
            let reader = quietPoints.register()
            quietPoints.enter(reader)
            while !board.isStopped {
                let address = published.load()
                let first = pool.read(address, 0)
                for word in 0..<BlockPool.wordCount * 4 {
                    let found = pool.read(address, word % BlockPool.wordCount)
                    if found != first || found == 0 { board.note("\(found) after \(first)") }
                }
                board.add()
                if random.below(4) == 0 {
                    quietPoints.leave(reader)
                    quietPoints.enter(reader)
                } else {
                    quietPoints.pass(reader)
                }
            }
            quietPoints.leave(reader)
        }
        var freed = 0
        let start = ContinuousClock.now
        var number: UInt64 = 2
        while !board.isStopped, elapsedMilliseconds(since: start) < 20_000 {
            if freed >= 2_000, board.count >= 2_000 { break }
            guard pool.hasRoom else {
                // All blocks wait for the readers.
                retired.reclaim(quietPoints)
                freed = pool.freedCount
                continue
            }
            var replaced = Block(pool, number)
            published.store(replaced.address)
            swap(&current, &replaced)
            retired.retire(replaced, quietPoints)
            retired.reclaim(quietPoints)
            freed = pool.freedCount
            number += 1
        }
        board.stop()
        crew.join()
        #expect(board.finding == nil)
        #expect(board.count >= 2_000 && freed >= 2_000)
    }
}

/// How many probes were freed.
private final class FreedCount {
    var count = 0
}

/// Counts its end.
private struct Probe: ~Copyable {
    let freed: FreedCount
    init(_ freed: FreedCount) { self.freed = freed }
    deinit { freed.count += 1 }
}

/// The address of the live block, as an index into the pool.
private final class SharedAddress: Sendable {
    private let word = Atomic<Int>(0)
    // Release and acquire: the block's words come with its address.
    func store(_ address: Int) { word.store(address, ordering: .releasing) }
    func load() -> Int { word.load(ordering: .acquiring) }
}

/// Blocks of words that outlive their use: a reader that comes too late finds zeros, no fault.
///
/// Words are written by the owner only; readers read those of blocks they were given. Plain access,
/// so that ThreadSanitizer checks what quiet points promise.
@safe private final class BlockPool: @unchecked Sendable {
    static let wordCount = 64
    static let blockCount = 16
    private let words: UnsafeMutablePointer<UInt64>
    private var unused = Array(0..<BlockPool.blockCount)
    private(set) var freedCount = 0

    init() {
        unsafe words = .allocate(capacity: Self.blockCount * Self.wordCount)
        unsafe words.initialize(repeating: 0, count: Self.blockCount * Self.wordCount)
    }

    deinit { unsafe words.deallocate() }

    var hasRoom: Bool { !unused.isEmpty }

    func take(_ value: UInt64) -> Int {
        let block = unused.removeFirst()
        fill(block, value)
        return block
    }

    func free(_ block: Int) {
        fill(block, 0)
        unused.append(block)
        freedCount += 1
    }

    func read(_ block: Int, _ word: Int) -> UInt64 { unsafe words[block * Self.wordCount + word] }

    private func fill(_ block: Int, _ value: UInt64) {
        for word in 0..<Self.wordCount { unsafe words[block * Self.wordCount + word] = value }
    }
}

private struct Block: ~Copyable {
    let pool: BlockPool
    let address: Int

    init(_ pool: BlockPool, _ value: UInt64) {
        self.pool = pool
        address = pool.take(value)
    }

    deinit { pool.free(address) }
}
