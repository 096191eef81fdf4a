// How many positions a shard has been given: while it stays the same, no row has moved.

public import Synchronization

/// The owner's side of the count.
///
/// - Invariant: `word` is initialised until `deinit`, and no other thread writes near it, so that it
///   stays in the caches of those who read it.
@safe @usableFromInline
struct AdditionCount: ~Copyable {
    @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt32>>

    /// Bytes to the next word that somebody else writes.
    private static let spacing = 128

    init() {
        unsafe word = UnsafeMutableRawPointer.allocate(
            byteCount: Self.spacing, alignment: Self.spacing
        ).bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        unsafe word.initialize(to: Atomic(0))
    }

    deinit { unsafe word.deallocate() }

    @usableFromInline var view: AdditionCountView { unsafe AdditionCountView(word: word) }

    /// Counts one more, before any row moves for it.
    ///
    /// Never wraps: rows are numbered with 32 bits, and positions are not removed.
    func increase() {
        unsafe word.pointee.store(view.value &+ 1, ordering: .relaxed)
        // Keeps the moves behind the new count. Pairs with the fence in
        // `RunReader.freeWhileInPlace`: who has read anything of a move sees the new count.
        atomicMemoryFence(ordering: .releasing)
    }
}

/// The count as any thread may read it.
@safe @usableFromInline
struct AdditionCountView: @unchecked Sendable {
    // An atomic that the shard's owner alone writes.
    @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt32>>

    @usableFromInline
    init(word: UnsafeMutablePointer<Atomic<UInt32>>) { unsafe self.word = unsafe word }

    @inlinable @inline(always)
    var value: UInt32 { unsafe word.pointee.load(ordering: .relaxed) }
}
