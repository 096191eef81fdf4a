// Reclaiming what readers on other threads may still hold, without a lock or a count on reads.
//
// Quiescent-state reclamation. Each reader has a slot; between two requests it holds nothing of the
// store and says so by copying the current epoch into its slot. An owner that replaced a table
// raises the epoch and keeps the old table until every slot has reached the new epoch (or says that
// its reader is away). A reader pays one load and one store per turn.

internal import Synchronization

/// The readers of a store, and how far each has come.
@safe @usableFromInline
package final class QuietPoints: @unchecked Sendable {
    /// Readers at most.
    package static let readerCountMax = 256
    private static let stride = 16  // Words between slots: 128 bytes, so that they share no line.
    private static let away = UInt64.max

    private let epoch = Atomic<UInt64>(1)
    private let taken = Atomic<Int>(0)
    // Each slot is written by its reader, read by owners.
    private let slots: UnsafeMutablePointer<Atomic<UInt64>>

    package init() {
        unsafe slots = .allocate(capacity: Self.readerCountMax * Self.stride)
        for index in 0..<Self.readerCountMax * Self.stride {
            unsafe (slots + index).initialize(to: Atomic(Self.away))
        }
    }

    deinit { unsafe slots.deallocate() }

    /// Takes a slot for the calling thread, for good. It is away until its first `enter`.
    package func register() -> Int {
        let reader = taken.wrappingAdd(1, ordering: .relaxed).oldValue
        precondition(reader < Self.readerCountMax, "more readers than slots")
        return reader
    }

    /// The reader comes back from being away and may read from here on.
    ///
    /// Sequentially consistent: the store must be visible before this reader's first load of a
    /// table, or an owner could still see it away, and free the table between the two. Pairs with
    /// the fence in `isPassed`.
    package func enter(_ reader: Int) {
        unsafe slots[reader * Self.stride].store(
            epoch.load(ordering: .sequentiallyConsistent), ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// The reader holds nothing just now.
    ///
    /// Acquire on the epoch: pairs with `retire`, so that what is loaded from here on is the new
    /// table. Release on the slot: all earlier reads are done.
    package func pass(_ reader: Int) {
        unsafe slots[reader * Self.stride].store(
            epoch.load(ordering: .acquiring), ordering: .releasing)
    }

    /// The reader holds nothing and will read nothing until it enters again.
    package func leave(_ reader: Int) {
        unsafe slots[reader * Self.stride].store(Self.away, ordering: .releasing)
    }

    /// Called after the replacement has been published. What was replaced may be freed once
    /// `isPassed` holds for the result.
    package func retire() -> UInt64 {
        epoch.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
    }

    /// Whether every reader has passed `epoch`.
    package func isPassed(_ epoch: UInt64) -> Bool {
        // Sequentially consistent, and a fence: the owner published with a release and reads slots
        // here, a reader writes its slot and reads what is published. One of the two must see the
        // other, also a reader that registers just now. Pairs with the fence in `enter`.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        let readers = min(taken.load(ordering: .acquiring), Self.readerCountMax)
        for reader in 0..<readers {
            let slot = unsafe slots[reader * Self.stride].load(ordering: .sequentiallyConsistent)
            if slot < epoch { return false }
        }
        return true
    }
}

/// Memory that was replaced and waits for the readers to pass. Held by one owner.
package struct Retired<Value: ~Copyable>: ~Copyable {
    private var waiting: [(epoch: UInt64, box: Box)] = []

    private final class Box {
        let value: Value
        init(_ value: consuming Value) { self.value = value }
    }

    package init() {}

    package var isEmpty: Bool { waiting.isEmpty }

    /// Keeps `value` until every reader has passed; its replacement must be published already.
    package mutating func retire(_ value: consuming Value, _ quietPoints: QuietPoints) {
        waiting.append((quietPoints.retire(), Box(value)))
    }

    /// Frees what nobody can hold any more.
    package mutating func reclaim(_ quietPoints: QuietPoints) {
        if waiting.isEmpty { return }
        waiting.removeAll { quietPoints.isPassed($0.epoch) }
    }
}
