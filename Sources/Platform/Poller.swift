// Readiness of many descriptors at once: epoll, level triggered.

internal import CLinux
internal import Glibc

/// What to be told about a descriptor. Errors and a full hang-up are always told.
package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Bytes, the end of the stream, or a connection to accept are there.
    package static let reading = Interest(rawValue: 0x001)

    /// There is room to send.
    package static let writing = Interest(rawValue: 0x004)

    /// The peer has ended its direction.
    package static let peerEnd = Interest(rawValue: 0x2000)

    /// Told once per change instead of as long as it lasts.
    package static let edge = Interest(rawValue: 1 << 31)

    /// Wake one of the pollers that watch a shared descriptor, not all. Only with `add`.
    package static let exclusive = Interest(rawValue: 1 << 28)
}

/// One report of a poller.
package struct Readiness: Sendable {
    /// The value given when the descriptor was added.
    package let token: UInt64

    let events: UInt32

    package var canRead: Bool { events & 0x001 != 0 }
    package var canWrite: Bool { events & 0x004 != 0 }

    /// The peer has ended its direction (asked for by `peerEnd`).
    package var peerEnded: Bool { events & 0x2000 != 0 }

    /// An error, or both directions have ended: nothing can be said to this peer any more.
    package var isBroken: Bool { events & (0x008 | 0x010) != 0 }
}

/// An epoll instance with room for the reports of one wait.
///
/// - Invariant: `ready` points at `capacity` records, of which the last wait filled the first ones.
@safe
package struct Poller: ~Copyable {
    private let descriptor: Descriptor
    private let ready: UnsafeMutablePointer<holdfast_ready>
    private var readyCount = 0

    /// Reports per wait; the C side has room for as many.
    package static let capacity = 256

    package init() throws(SystemError) {
        let number = holdfast_epoll_create()
        guard number >= 0 else { throw .last("create a poller") }
        descriptor = Descriptor(owning: number)
        unsafe ready = .allocate(capacity: Poller.capacity)
        unsafe ready.initialize(repeating: holdfast_ready(), count: Poller.capacity)
    }

    deinit { unsafe ready.deallocate() }

    /// Starts to report on `target` under `token`.
    package func add(
        _ target: borrowing Descriptor, token: UInt64, interest: Interest
    ) throws(SystemError) {
        try control(1, target.number, token, interest)
    }

    /// Changes what is reported on `target`.
    package func modify(
        _ target: borrowing Descriptor, token: UInt64, interest: Interest
    ) throws(SystemError) {
        try control(3, target.number, token, interest)
    }

    /// Stops reporting on `target`. A closed descriptor is removed by itself, unless a duplicate
    /// of it lives on.
    package func remove(_ target: borrowing Descriptor) throws(SystemError) {
        try control(2, target.number, 0, [])
    }

    /// The same by number, for descriptors that their owner keeps in an optional.
    package func add(
        _ number: Int32, token: UInt64, interest: Interest
    ) throws(SystemError) {
        try control(1, number, token, interest)
    }

    package func modify(
        _ number: Int32, token: UInt64, interest: Interest
    ) throws(SystemError) {
        try control(3, number, token, interest)
    }

    package func remove(_ number: Int32) throws(SystemError) { try control(2, number, 0, []) }

    private func control(
        _ operation: Int32, _ number: Int32, _ token: UInt64, _ interest: Interest
    ) throws(SystemError) {
        let result = holdfast_epoll_control(
            descriptor.number, operation, number, interest.rawValue, token)
        guard result == 0 else { throw .last("watch descriptor", on: "\(number)") }
    }

    /// Waits until something is ready.
    ///
    /// - Parameter timeoutMilliseconds: At most so long; 0 only looks, −1 waits for ever.
    /// - Returns: How many reports there are, also 0 after a signal.
    package mutating func wait(timeoutMilliseconds: Int32) -> Int {
        let count = unsafe holdfast_epoll_wait(
            descriptor.number, ready, Int32(Poller.capacity), timeoutMilliseconds)
        readyCount = max(0, Int(count))
        return readyCount
    }

    /// Report `index` of the last wait.
    package func readiness(at index: Int) -> Readiness {
        precondition(index >= 0 && index < readyCount)
        let record = unsafe ready[index]
        return Readiness(token: record.data, events: record.events)
    }
}
