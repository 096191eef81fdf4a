// A shard's inbox: bounded, lock-free, any thread sends, the owner receives.
//
// Two lanes. *Finish* (confirm, release, fulfil) is drained before *start* (new holds, events), so
// that under load promises already made can still be kept. Each lane is a ring of cells with a
// sequence number per cell, after D. Vyukov's bounded queue ("Bounded MPMC queue", 1024cores.net):
// senders claim a cell by compare-and-set on the tail; the cell's sequence says when it is filled.
//
//     cell.sequence == position          free for the sender that claims `position`
//     cell.sequence == position + 1      filled; the receiver may take it
//     cell.sequence == position + size   taken; free for the next lap
//
// A message is one word: the address of a batch. A full ring refuses; nobody waits.

public import Synchronization

/// A bounded ring of words with many senders and one receiver.
@safe @usableFromInline
package final class Ring: @unchecked Sendable {
    // Cells: two words each, sequence and payload. Written by senders and the receiver in turns.
    @usableFromInline let cells: UnsafeMutablePointer<Atomic<UInt64>>
    // Tail (senders) and head (receiver only), 128 bytes apart.
    @usableFromInline let ends: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let mask: UInt64
    @usableFromInline static let headOffset = 16

    /// - Parameter capacity: A power of two, at least 2.
    package init(capacity: Int) {
        precondition(capacity >= 2 && capacity & (capacity - 1) == 0)
        mask = UInt64(capacity - 1)
        unsafe cells = .allocate(capacity: capacity * 2)
        unsafe ends = .allocate(capacity: Self.headOffset * 2)
        for position in 0..<capacity {
            unsafe (cells + position * 2).initialize(to: Atomic(UInt64(position)))
            unsafe (cells + position * 2 + 1).initialize(to: Atomic(0))
        }
        for word in 0..<Self.headOffset * 2 {
            unsafe (ends + word).initialize(to: Atomic(0))
        }
    }

    deinit {
        unsafe cells.deallocate()
        unsafe ends.deallocate()
    }

    package var capacity: Int { Int(mask) + 1 }

    /// Messages waiting; out of date at once when senders are at work.
    package var count: Int {
        let head = unsafe ends[Self.headOffset].load(ordering: .relaxed)
        let tail = unsafe ends[0].load(ordering: .relaxed)
        return tail > head ? Int(tail - head) : 0
    }

    /// Sends a word from any thread.
    ///
    /// - Returns: False when the ring is full; nothing was sent then.
    @inlinable
    package func trySend(_ word: UInt64) -> Bool {
        var position = unsafe ends[0].load(ordering: .relaxed)
        while true {
            let cell = unsafe cells + Int(position & mask) &* 2
            // Acquire: pairs with the receiver's release of the cell, so its slot is really free.
            let sequence = unsafe cell.pointee.load(ordering: .acquiring)
            if sequence == position {
                let (exchanged, found) = unsafe ends[0].weakCompareExchange(
                    expected: position, desired: position &+ 1, ordering: .relaxed)
                if exchanged {
                    unsafe cell[1].store(word, ordering: .relaxed)
                    // Release: pairs with the receiver's acquire; the payload comes with it.
                    unsafe cell.pointee.store(position &+ 1, ordering: .releasing)
                    return true
                }
                position = found
            } else if sequence < position {
                return false
            } else {
                position = unsafe ends[0].load(ordering: .relaxed)
            }
        }
    }

    /// Takes the oldest word; nil when there is none. The receiver's thread only.
    @inlinable
    package func receive() -> UInt64? {
        let position = unsafe ends[Self.headOffset].load(ordering: .relaxed)
        let cell = unsafe cells + Int(position & mask) &* 2
        // Acquire: pairs with the sender's release.
        guard unsafe cell.pointee.load(ordering: .acquiring) == position &+ 1 else { return nil }
        let word = unsafe cell[1].load(ordering: .relaxed)
        unsafe ends[Self.headOffset].store(position &+ 1, ordering: .relaxed)
        // Release: pairs with the acquire of the sender that comes around to this cell.
        unsafe cell.pointee.store(position &+ mask &+ 1, ordering: .releasing)
        return word
    }
}

/// Which lane a command travels in.
package enum Lane: UInt8, Sendable {
    /// Confirm, release, fulfil, cart control: drained first, shed last.
    case finish
    /// New holds, events, stock, administration.
    case start
}

/// The two lanes of one shard.
package struct Inbox: Sendable {
    package let finish: Ring
    package let start: Ring

    package init(capacity: Int) {
        finish = Ring(capacity: capacity)
        start = Ring(capacity: capacity)
    }

    package func trySend(_ word: UInt64, _ lane: Lane) -> Bool {
        switch lane {
        case .finish: finish.trySend(word)
        case .start: start.trySend(word)
        }
    }

    /// The next message, *finish* before *start*.
    package func receive() -> UInt64? { finish.receive() ?? start.receive() }

    package var count: Int { finish.count + start.count }
}
