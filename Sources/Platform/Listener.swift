// TCP: waiting for connections, and making them.

internal import CLinux
internal import Glibc

/// A listening TCP socket.
///
/// Its accepted sockets inherit TCP_NODELAY (Linux copies the listener's option), so accepting
/// costs one system call.
package struct Listener: ~Copyable {
    package let descriptor: Descriptor

    /// Where it listens, with the port that the kernel chose if 0 was asked for.
    package let address: Address

    /// Binds and listens.
    ///
    /// - Parameters:
    ///   - sharesPort: Lets further listeners bind the same address (SO_REUSEPORT); the kernel
    ///     deals connections to them by a hash of both ends.
    ///   - backlog: How many connections may wait to be accepted; clipped by the kernel's
    ///     `somaxconn`.
    package init(
        at wanted: Address, sharesPort: Bool = false, backlog: Int32 = 4096
    ) throws(SystemError) {
        var record = wanted.record
        let number = unsafe holdfast_listen(&record, sharesPort ? 1 : 0, backlog)
        guard number >= 0 else { throw .last("listen on", on: "\(wanted)") }
        let owned = Descriptor(owning: number)
        guard unsafe holdfast_local_address(owned.number, &record) == 0 else {
            throw .last("find the address of", on: "\(wanted)")
        }
        descriptor = owned
        address = Address(record)
    }

    private init(descriptor: consuming Descriptor, address: Address) {
        self.descriptor = descriptor
        self.address = address
    }

    /// The same listening socket again, for another thread's poller.
    package func shared() throws(SystemError) -> Listener {
        Listener(descriptor: try descriptor.duplicate(), address: address)
    }

    /// Takes the next waiting connection, set to non-blocking; never waits.
    package func accept() -> Accepted {
        var record = holdfast_address()
        let number = unsafe holdfast_accept_from(descriptor.number, &record)
        if number >= 0 { return .connection(Descriptor(owning: number), from: Address(record)) }
        switch errno {
        case EAGAIN: return .none
        // The caller vanished while it waited, or its network did: accept(2) says try again.
        case ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET:
            return .vanished
        case let code: return .exhausted(code)
        }
    }
}

/// The outcome of one accept.
package enum Accepted: ~Copyable {
    case connection(Descriptor, from: Address)

    /// Nobody waits.
    case none

    /// One caller is gone again; the next may be waiting.
    case vanished

    /// Descriptors or memory ran out (the errno): the caller still waits, so stop accepting for a
    /// while instead of asking again at once.
    case exhausted(Int32)
}

extension Descriptor {
    /// A connected, blocking TCP socket with TCP_NODELAY.
    ///
    /// - Parameter timeoutMilliseconds: Bound of the connect and of every later read and write;
    ///   0 for none. A read that takes longer fails with EAGAIN.
    package static func connect(
        to address: Address, timeoutMilliseconds: Int32 = 0
    ) throws(SystemError) -> Descriptor {
        var record = address.record
        let number = unsafe holdfast_connect(&record, timeoutMilliseconds)
        guard number >= 0 else { throw .last("connect to", on: "\(address)") }
        return Descriptor(owning: number)
    }
}
