// Ownership of file descriptors, and bytes in and out of them.

package import Bytes
internal import CLinux
internal import Glibc

/// An open file descriptor with one owner; closed when the owner ends.
package struct Descriptor: ~Copyable {
    /// The kernel's number.
    package let number: Int32

    /// Takes over `number`, which nobody else may close.
    package init(owning number: Int32) {
        precondition(number >= 0)
        self.number = number
    }

    deinit {
        // EINTR included: Linux has released the number whatever close answers.
        _ = close(number)
    }

    /// A second descriptor of the same open file.
    package func duplicate() throws(SystemError) -> Descriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw .last("duplicate a descriptor") }
        return Descriptor(owning: copy)
    }
}

/// The outcome of one transfer that does not throw: what a poller's loop decides on.
package enum Transfer: Equatable, Sendable {
    /// So many bytes were moved, at least 1.
    case bytes(Int)

    /// Nothing can be moved now (or, on a blocking socket, within its time-out).
    case wouldBlock

    /// The other side has ended its stream, or is gone.
    case closed

    /// Any other errno.
    case failed(Int32)

    init(_ result: Int) {
        if result > 0 {
            self = .bytes(result)
            return
        }
        if result == 0 {
            self = .closed
            return
        }
        switch errno {
        case EAGAIN, EINTR: self = .wouldBlock
        case ECONNRESET, EPIPE, ENOTCONN, ETIMEDOUT: self = .closed
        case let code: self = .failed(code)
        }
    }
}

extension Descriptor {
    /// Appends what a socket has ready to `buffer`, at most `room` bytes (at least 1); never waits.
    package func receive(into buffer: inout ByteBuffer, room: Int) -> Transfer {
        precondition(room > 0)
        var transfer = Transfer.wouldBlock
        unsafe buffer.fillRoom(room) { free in
            transfer = Transfer(unsafe holdfast_receive(number, free.baseAddress, free.count))
            if case .bytes(let count) = transfer { return count }
            return 0
        }
        return transfer
    }

    /// Hands as many of `bytes` (at least 1) to a socket as it takes; never waits, no SIGPIPE.
    package func send(_ bytes: Span<UInt8>) -> Transfer {
        unsafe bytes.withUnsafeBufferPointer { source in
            precondition(source.count > 0)
            return Transfer(unsafe holdfast_send(number, source.baseAddress, source.count))
        }
    }

    /// Sends all of `bytes` over a blocking socket.
    package func sendAll(_ bytes: Span<UInt8>) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let sent = unsafe bytes.from(offset).withUnsafeBufferPointer { source in
                unsafe holdfast_send_waiting(number, source.baseAddress, source.count)
            }
            if sent < 0 {
                if errno == EINTR { continue }
                throw .last("send")
            }
            offset += sent
        }
    }

    /// Appends at most `room` bytes of a file or blocking socket to `buffer`; waits for the first.
    ///
    /// - Returns: How many; 0 at the end.
    package func read(into buffer: inout ByteBuffer, room: Int) throws(SystemError) -> Int {
        precondition(room > 0)
        while true {
            var count = 0
            unsafe buffer.fillRoom(room) { free in
                count = unsafe Glibc.read(number, free.baseAddress, free.count)
                return max(0, count)
            }
            if count >= 0 { return count }
            if errno != EINTR { throw .last("read") }
        }
    }

    /// Writes all of `bytes` to a file, pipe or terminal.
    package func write(_ bytes: Span<UInt8>) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.from(offset).withUnsafeBufferPointer { source in
                unsafe Glibc.write(number, source.baseAddress, source.count)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw .last("write")
            }
            offset += written
        }
    }

    /// Ends our direction of a connection; the peer reads the end of the stream after what was
    /// sent. A peer that is already gone is no error.
    package func shutdownSending() {
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// Makes the close of this socket a reset, dropping what was not sent.
    package func resetOnClose() {
        _ = holdfast_reset_on_close(number)
    }
}
