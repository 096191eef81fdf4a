// Waking a thread that waits in a poller, without a system call while it is awake.
//
// The sleeper and a sender each write one thing and read the other's:
//
//     sleeper                               sender
//       isAsleep = true                       put the item into the inbox
//       ---- full fence ----                  ---- full fence ----
//       look into the inbox                   look at isAsleep
//       empty: wait for the bell              true: ring
//
// Both could miss each other only if each read came before the other's write. That is the one
// reordering which acquire and release allow, hence sequential consistency on both sides. With
// it, at least one of the two sees the other: the sleeper finds the item, or the sender rings.

internal import CLinux
internal import Glibc
internal import Synchronization

/// A wake-up call for one thread's poller.
package struct Waker: ~Copyable {
    /// To be watched for reading with `edge`: then a ring is reported once and never needs to be
    /// read back.
    package let descriptor: Descriptor

    package init() throws(SystemError) {
        let number = holdfast_eventfd()
        guard number >= 0 else { throw .last("create a waker") }
        descriptor = Descriptor(owning: number)
    }

    /// Makes the poller's wait return. Any thread; one system call.
    package func wake() {
        var one: UInt64 = 1
        // It can only fail when 2⁶⁴ − 2 wake-ups are unread, and then the bell rings anyway.
        _ = unsafe Glibc.write(descriptor.number, &one, 8)
    }
}

/// A waker that its callers use only when the thread is asleep or about to be.
package final class Doorbell: Sendable {
    package let waker: Waker
    private let isAsleep = Atomic<Bool>(false)

    package init() throws(SystemError) { waker = try Waker() }

    /// The owner announces that it is about to wait. It must look into all its inboxes *after*
    /// this and wait only if they are empty.
    package func prepareToSleep() {
        // Sequentially consistent: pairs with the fence in `ring`. See the top of the file.
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    /// The owner is awake again and will look into its inboxes before it next sleeps.
    package func awake() {
        // Relaxed: a sender that still reads `true` rings once too often, which is harmless.
        isAsleep.store(false, ordering: .relaxed)
    }

    /// A sender has put something into an inbox of the owner. Once per batch is enough.
    package func ring() {
        // Pairs with `prepareToSleep`. See the top of the file.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isAsleep.load(ordering: .relaxed) else { return }
        // Only the first of several senders needs to ring. Relaxed: the eventfd's own lock orders.
        if isAsleep.exchange(false, ordering: .relaxed) { waker.wake() }
    }
}
