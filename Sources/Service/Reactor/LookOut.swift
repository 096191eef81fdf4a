// A reactor that waits for a single sync, with nothing else to do, stays awake for it. Ringing for a thread
// that sleeps, on a processor that sleeps too, takes a quarter to a half of the time of a sync.
//
//     turn ── one reply waits ──▶ turn ──▶ turn ──▶ … acknowledged: the reply leaves
//                                 └ 500 µs, or another reply: asleep until the bell rings
//
// It costs processor time that nobody else wants: one reactor of a service at a time looks out, once for
// all replies that wait in a row, and gives way in every turn; none does where there is one processor.

internal import Synchronization

/// Room for one reactor of a service to look out.
final class LookOutPlace: Sendable {
    private let isFree: Atomic<Bool>

    init(processorCount: Int) { isFree = Atomic(processorCount > 1) }

    /// - Returns: Whether the caller has it now, and is to give it back.
    // Relaxed: it guards no memory.
    func take() -> Bool { isFree.exchange(false, ordering: .relaxed) }

    func giveBack() { isFree.store(true, ordering: .relaxed) }
}

/// One reactor's looking out. Owner only.
struct LookOut {
    /// The longest time awake for replies that wait in a row: that of a sync on a fast disk.
    static let nanosecondsMax: UInt64 = 500_000

    private let place: LookOutPlace
    private var isOn = false
    /// When the first of the replies in a row was seen; nil while none waits.
    private var start: UInt64?

    init(_ place: LookOutPlace) { self.place = place }

    /// Whether to stay awake.
    ///
    /// - Parameter heldCount: Replies that wait for the journal.
    mutating func isWanted(heldCount: Int, at nanoseconds: UInt64) -> Bool {
        if start == nil, heldCount > 0 {
            start = nanoseconds
            isOn = heldCount == 1 && place.take()
        }
        let isLate = nanoseconds &- (start ?? nanoseconds) > Self.nanosecondsMax
        if isOn, heldCount != 1 || isLate {
            isOn = false
            place.giveBack()
        }
        if heldCount == 0 { start = nil }
        return isOn
    }
}
