// Asking the owner of a shard to freeze it, and to thaw it again.
//
//     snapshot thread          owner, between two turns
//       ask(shard) ── word ──▶ marker frame, freeze
//       take ◀── frozen ──────
//       …writes tables…
//       ask(shard, thaw) ────▶ thaw

internal import Bytes
internal import Engine
internal import Journal
internal import Platform
internal import Synchronization

/// One request at a time, from one thread, to the owner of any shard.
final class FreezeRequests: Sendable {
    /// 0: nothing is asked. −1: the owner is at it. Else the shard plus one, doubled, plus one for a
    /// thaw.
    private let word = Atomic<Int>(0)
    private let frozen = Mutex<(FrozenShard, StreamHead)?>(nil)

    /// The shard that something is asked for; nil mostly.
    var askedShard: Int? {
        let asked = word.load(ordering: .relaxed)
        return asked > 0 ? asked >> 1 - 1 : nil
    }

    /// Does what is asked for a shard. Its owner, between two turns.
    func serve(_ shard: Int, _ engine: Engine, now: Milliseconds) {
        let asked = word.load(ordering: .acquiring)
        // Claimed, so that it cannot be taken back meanwhile.
        guard asked > 0, asked >> 1 - 1 == shard,
            word.compareExchange(expected: asked, desired: -1, ordering: .acquiring).exchanged
        else { return }
        if asked & 1 == 1 {
            engine.withShard(shard) { $0.thaw() }
        } else {
            // No room in the journal: in the next turn, which the asker sees to.
            guard let result = engine.withShard(shard, { $0.freezeAtMarker(time: now) }) else {
                word.store(asked, ordering: .releasing)
                return
            }
            engine.noteMarker()
            frozen.withLock { $0 = result }
        }
        // Release: who sees the answer sees what was done.
        word.store(0, ordering: .releasing)
    }

    /// Has a shard frozen; nil when `shouldWait` says no meanwhile.
    func freeze(
        _ shard: Int, _ bell: Doorbell, while shouldWait: () -> Bool
    ) -> (shard: FrozenShard, head: StreamHead)? {
        guard ask((shard + 1) << 1, bell, while: shouldWait) else { return nil }
        return frozen.withLock { $0.take() }
    }

    /// Has a shard thawed.
    func thaw(_ shard: Int, _ bell: Doorbell, while shouldWait: () -> Bool) {
        _ = ask((shard + 1) << 1 | 1, bell, while: shouldWait)
    }

    private func ask(_ request: Int, _ bell: Doorbell, while shouldWait: () -> Bool) -> Bool {
        word.store(request, ordering: .releasing)
        while word.load(ordering: .acquiring) != 0 {
            if !shouldWait() {
                // Taken back, unless the owner is at it.
                let taken = word.compareExchange(
                    expected: request, desired: 0, ordering: .acquiringAndReleasing)
                if taken.exchanged { return false }
            }
            bell.ring()
            Thread.sleep(milliseconds: 1)
        }
        return true
    }
}
