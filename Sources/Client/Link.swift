// A connection: bytes out, bytes in, and no waiting for the one while the other could go on.

internal import Bytes
internal import Platform

/// One connection to a service, and what has come in over it.
struct Link: ~Copyable {
    private let descriptor: Descriptor
    private var poller: Poller
    private let idleMilliseconds: Int
    private let receivedByteCountMax: Int
    private var watchesRoom = false

    /// Bytes that came in and were not taken yet.
    var received = ByteBuffer(capacity: receiveByteCount)

    /// Whether an answer came over it before.
    var isReused = false

    private static let receiveByteCount = 128 << 10

    /// EINPROGRESS: how a connect fails that runs out of time (socket(7), SO_SNDTIMEO).
    private static let connectTimedOut: Int32 = 115

    private init(
        _ descriptor: consuming Descriptor, _ poller: consuming Poller, _ limits: ClientLimits
    ) {
        self.descriptor = descriptor
        self.poller = poller
        idleMilliseconds = limits.idleMilliseconds
        receivedByteCountMax = limits.bodyByteCountMax
    }

    static func connect(
        to address: Address, _ limits: ClientLimits
    ) throws(ClientError) -> Link {
        do throws(SystemError) {
            let descriptor = try Descriptor.connect(
                to: address, timeoutMilliseconds: Int32(clamping: limits.connectMilliseconds))
            let poller = try Poller()
            try poller.add(descriptor, token: 0, interest: .reading)
            return Link(descriptor, poller, limits)
        } catch {
            throw error.code == connectTimedOut
                ? .timedOut(milliseconds: limits.connectMilliseconds) : .system(error)
        }
    }

    /// Whether nothing has come in, not even the end.
    mutating func isSilent() -> Bool {
        received.isEmpty
            && descriptor.receive(into: &received, room: Self.receiveByteCount) == .wouldBlock
    }

    /// Sends all of `bytes`; what comes in meanwhile is taken into `received`.
    ///
    /// - Returns: false when the peer does not listen any more.
    mutating func sendAll(_ bytes: Span<UInt8>) throws(ClientError) -> Bool {
        var offset = 0
        var isOpen = true
        while offset < bytes.count {
            switch descriptor.send(bytes.from(offset)) {
            case .bytes(let count): offset += count
            case .wouldBlock:
                try wait(forRoom: true)
                if isOpen, received.count <= receivedByteCountMax {
                    let transfer = descriptor.receive(
                        into: &received, room: Self.receiveByteCount)
                    // The peer may have ended its direction alone; sending shows the rest.
                    if transfer == .closed { isOpen = false }
                }
            case .closed: return false
            case .failed(let code): throw .system(SystemError("send", code: code))
            }
        }
        return true
    }

    /// Waits for more and appends it to `received`.
    ///
    /// - Returns: false at the end of the stream.
    mutating func receiveMore() throws(ClientError) -> Bool {
        while true {
            switch descriptor.receive(into: &received, room: Self.receiveByteCount) {
            case .bytes: return true
            case .wouldBlock: try wait(forRoom: false)
            case .closed: return false
            case .failed(let code): throw .system(SystemError("receive", code: code))
            }
        }
    }

    private mutating func wait(forRoom: Bool) throws(ClientError) {
        if forRoom != watchesRoom {
            let interest = forRoom ? Interest.reading.with(.writing) : .reading
            do throws(SystemError) {
                try poller.modify(descriptor, token: 0, interest: interest)
            } catch {
                throw .system(error)
            }
            watchesRoom = forRoom
        }
        let end = Clock.monotonicNanoseconds + UInt64(idleMilliseconds) * 1_000_000
        // A signal ends a wait early, without a report.
        while poller.wait(timeoutMilliseconds: Int32(clamping: idleMilliseconds)) == 0 {
            guard Clock.monotonicNanoseconds < end else {
                throw .timedOut(milliseconds: idleMilliseconds)
            }
        }
    }
}
