// The words that the journal thread and the shards share.

internal import Synchronization

/// State and space of a journal.
///
/// Space is told in two counters. `granted` counts the bytes that shards have reserved, less what
/// they gave back; `limit` is how far it may go, moved by the journal thread as frames are written
/// and segments prepared. Neither side waits for the other.
@safe
final class SharedState: @unchecked Sendable {
    // Atomics, 128 bytes apart: words of different writers never share a cache line.
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private static let spacing = 16

    private enum Word: Int {
        /// JournalState. Written by the journal thread.
        case state
        /// Written by all shards.
        case granted
        /// Written by the journal thread.
        case limit
        /// Position up to which all is synced. Written by the journal thread.
        case durable
    }

    init() {
        unsafe words = .allocate(capacity: 4 * Self.spacing)
        for index in 0..<4 * Self.spacing { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    deinit { unsafe words.deallocate() }

    /// As before the first use.
    func reset() {
        for index in 0..<4 { unsafe words[index * Self.spacing].store(0, ordering: .relaxed) }
    }

    private func load(_ word: Word) -> UInt64 {
        // Acquire: pairs with the release in `store`.
        unsafe words[word.rawValue * Self.spacing].load(ordering: .acquiring)
    }

    private func store(_ value: UInt64, _ word: Word) {
        // Release: who sees the value sees what was done before.
        unsafe words[word.rawValue * Self.spacing].store(value, ordering: .releasing)
    }

    var state: JournalState {
        get { JournalState(rawValue: UInt8(load(.state))) ?? .failed }
        set { store(UInt64(newValue.rawValue), .state) }
    }

    var durablePosition: UInt64 {
        get { load(.durable) }
        set { store(newValue, .durable) }
    }

    var limit: UInt64 {
        get { load(.limit) }
        set { store(newValue, .limit) }
    }

    var granted: UInt64 { load(.granted) }

    /// Takes `byteCount` of what is left, and leaves `spare`; false, and nothing is taken, where
    /// there is too little for both.
    func reserve(_ byteCount: Int, leaving spare: Int) -> Bool {
        let granted = unsafe words + Word.granted.rawValue * Self.spacing
        var seen = unsafe granted.pointee.load(ordering: .relaxed)
        while true {
            let wanted = seen &+ UInt64(byteCount)
            guard wanted &+ UInt64(spare) <= limit else { return false }
            // Relaxed: a count; frames travel through outboxes, with orderings of their own.
            let (exchanged, found) = unsafe granted.pointee.weakCompareExchange(
                expected: seen, desired: wanted, ordering: .relaxed)
            if exchanged { return true }
            seen = found
        }
    }

    /// Whether `byteCount` could be taken, and `spare` be left, just now.
    func hasRoom(_ byteCount: Int, leaving spare: Int) -> Bool {
        granted &+ UInt64(byteCount + spare) <= limit
    }

    func giveBack(_ byteCount: Int) {
        _ = unsafe words[Word.granted.rawValue * Self.spacing].wrappingSubtract(
            UInt64(byteCount), ordering: .relaxed)
    }
}
