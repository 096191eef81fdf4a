// Frames on their way from a shard's owner to the journal thread: one writes, one takes.
//
// A ring of bytes in which every frame lies in one piece. Where a frame does not fit before the end
// of the ring, a zero word says so and it lies at the start instead.

internal import Platform
internal import Synchronization

/// The bounded queue of one stream's frames, and what the journal thread says about them.
///
/// Unchecked: the ring's bytes from `head` to `tail` are the journal thread's, the others the
/// owner's; each side moves its own end with a release that the other's acquire pairs with.
@safe
package final class Outbox: @unchecked Sendable {
    private let ring: Region
    private let words: UnsafeMutablePointer<Atomic<UInt64>>
    private let doorbell: Doorbell?

    // Bytes ever put, by the owner; bytes ever taken, sequences whose answers may leave and that are
    // durable, by the journal thread. 128 bytes between the two writers.
    private static let tail = 0
    private static let head = 16
    private static let released = 17
    private static let durable = 18

    init(byteCount: Int, doorbell: Doorbell? = nil) throws(SystemError) {
        precondition(byteCount % 8 == 0)
        ring = try Region(byteCount: byteCount)
        self.doorbell = doorbell
        unsafe words = .allocate(capacity: 32)
        for index in 0..<32 { unsafe (words + index).initialize(to: Atomic(0)) }
    }

    deinit { unsafe words.deallocate() }

    private func load(_ word: Int) -> UInt64 {
        // Acquire: pairs with the release in `store` of the other side.
        unsafe words[word].load(ordering: .acquiring)
    }

    private func store(_ value: UInt64, _ word: Int) {
        // Release: the bytes before an end that moves are written, or were read, by now.
        unsafe words[word].store(value, ordering: .releasing)
    }

    /// Empties the ring for a stream that stands at `sequence`. While neither side uses it.
    func reset(sequence: UInt64) {
        store(0, Self.tail)
        store(0, Self.head)
        store(sequence, Self.released)
        store(sequence, Self.durable)
    }

    // MARK: The owner

    /// Sequence up to which answers may leave.
    package var releasedSequence: UInt64 { load(Self.released) }

    /// Sequence up to which frames survive a loss of power.
    package var durableSequence: UInt64 { load(Self.durable) }

    /// Whether `put` would find room for a frame of `byteCount` bytes, or of fewer.
    func hasRoom(_ byteCount: Int) -> Bool {
        let tail = unsafe words[Self.tail].load(ordering: .relaxed)
        let free = ring.byteCount - Int(tail - load(Self.head))
        let toEnd = ring.byteCount - Int(tail % UInt64(ring.byteCount))
        return byteCount <= (byteCount > toEnd ? free - toEnd : free)
    }

    /// Lends room for a frame of `byteCount` bytes, a multiple of 8, and sends what `fill` put there
    /// unless it says no.
    ///
    /// - Returns: Whether the frame is under way; without room `fill` is not called.
    func put(_ byteCount: Int, _ fill: (borrowing Region, Int) -> Bool) -> Bool {
        precondition(byteCount > 0 && byteCount & 7 == 0)
        var tail = unsafe words[Self.tail].load(ordering: .relaxed)
        let free = ring.byteCount - Int(tail - load(Self.head))
        var offset = Int(tail % UInt64(ring.byteCount))
        let toEnd = ring.byteCount - offset
        if byteCount > toEnd {
            guard toEnd + byteCount <= free else { return false }
            ring.setWord(0, at: offset)
            tail += UInt64(toEnd)
            offset = 0
        } else {
            guard byteCount <= free else { return false }
        }
        guard fill(ring, offset) else { return false }
        store(tail + UInt64(byteCount), Self.tail)
        return true
    }

    // MARK: The journal thread

    /// Where the newest frame ends, in bytes ever put.
    var end: UInt64 { load(Self.tail) }

    /// The oldest frame before `end`; nil when there is none.
    ///
    /// - Parameter end: As the outbox told it, now or before.
    func front(before end: UInt64) -> FrameHeader? {
        var head = unsafe words[Self.head].load(ordering: .relaxed)
        guard head < end else { return nil }
        var offset = Int(head % UInt64(ring.byteCount))
        if ring.word(at: offset) == 0 {
            head += UInt64(ring.byteCount - offset)
            store(head, Self.head)
            offset = 0
        }
        guard let header = FrameHeader(ring, at: offset) else {
            fatalError("a frame changed on its way to the journal")
        }
        return header
    }

    /// Moves the oldest frame, of `byteCount` bytes, to `offset` of `region`.
    func take(_ byteCount: Int, into region: borrowing Region, at offset: Int) {
        let head = unsafe words[Self.head].load(ordering: .relaxed)
        let source = unsafe ring.address(Int(head % UInt64(ring.byteCount)), byteCount)
        unsafe region.address(offset, byteCount).copyMemory(from: source, byteCount: byteCount)
        store(head + UInt64(byteCount), Self.head)
    }

    /// Tells the owner how far its answers may leave and its frames are durable.
    func publish(released: UInt64, durable: UInt64) {
        let isNews = released != load(Self.released) || durable != load(Self.durable)
        guard isNews else { return }
        store(durable, Self.durable)
        store(released, Self.released)
        doorbell?.ring()
    }

    /// Wakes the owner to look at the journal's state.
    func ringOwner() { doorbell?.ring() }
}
