// Batches in memory of their own, so that their address can travel through an inbox.

internal import Bytes
internal import Columns

/// The address of a batch, as a word. Whoever has it at the moment may use the batch.
@safe @usableFromInline
package struct BatchReference: Sendable {
    @usableFromInline package let word: UInt64

    @inlinable
    package init(word: UInt64) { self.word = word }

    @inlinable
    package func withBatch<Result: ~Copyable>(_ body: (inout CommandBatch) -> Result) -> Result {
        guard let pointer = unsafe UnsafeMutablePointer<CommandBatch>(bitPattern: UInt(word))
        else { fatalError("a batch without an address") }
        return unsafe body(&pointer.pointee)
    }
}

/// The batches of one reactor: taken, filled, sent, replied to, given back.
///
/// At most `limit` are out at a time, which is how many replies the reactor has places for.
@safe
package struct BatchPool: ~Copyable {
    private var free: [UInt64] = []
    private var madeCount = 0
    private let limit: Int
    private let origin: Int

    package init(origin: Int, limit: Int = Engine.batchesInFlightMax) {
        self.origin = origin
        self.limit = limit
    }

    deinit {
        // Those that are out stay: the owner of a shard may be at work on one just now.
        for word in free {
            guard let pointer = unsafe UnsafeMutablePointer<CommandBatch>(bitPattern: UInt(word))
            else { continue }
            unsafe pointer.deinitialize(count: 1)
            unsafe pointer.deallocate()
        }
    }

    /// Batches that can still be taken.
    package var available: Int { limit - (madeCount - free.count) }

    /// An empty batch, or nil when all reply places are spoken for.
    package mutating func take() -> BatchReference? {
        if let word = free.popLast() {
            let batch = BatchReference(word: word)
            batch.withBatch { $0.reset() }
            return batch
        }
        guard madeCount < limit else { return nil }
        let pointer = UnsafeMutablePointer<CommandBatch>.allocate(capacity: 1)
        var batch = CommandBatch()
        batch.origin = origin
        unsafe pointer.initialize(to: batch)
        let word = UInt64(UInt(bitPattern: pointer))
        madeCount += 1
        return BatchReference(word: word)
    }

    /// Takes a batch back. What it grew to beyond its usual size it does not keep: a thousand
    /// batches would each keep the largest that ever was.
    package mutating func give(_ batch: BatchReference) {
        batch.withBatch { batch in
            if batch.text.capacity > Self.textByteCountKept { batch.text.releaseMemory() }
            if batch.listing.capacity > Self.textByteCountKept { batch.listing.releaseMemory() }
        }
        free.append(batch.word)
    }

    private static var textByteCountKept: Int { 128 << 10 }
}
