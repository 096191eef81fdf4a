import Bytes
import Glibc
import Platform
import Testing

/// Both ends of a connection over the loopback.
struct Pair: ~Copyable {
    var client: Descriptor
    var server: Descriptor

    init() throws {
        let listener = try Listener(at: .loopback(port: 0))
        let connected = try Descriptor.connect(to: listener.address, timeoutMilliseconds: 5000)
        guard case .connection(let accepted, from: _) = listener.accept() else {
            throw SystemError("accept", code: 0)
        }
        client = connected
        server = accepted
    }

    consuming func closingServer() -> Descriptor { client }

    consuming func closingClient() -> Descriptor { server }
}

@Suite struct SocketTests {
    @Test func `port 0 lets the kernel choose and the listener says which`() throws {
        let listener = try Listener(at: .loopback(port: 0))
        #expect(listener.address.port != 0)
        #expect(listener.address.host == "127.0.0.1")
    }

    @Test func `an address in use is an error that names it`() throws {
        let listener = try Listener(at: .loopback(port: 0))
        let error = #expect(throws: SystemError.self) { _ = try Listener(at: listener.address) }
        #expect(error?.operation == "listen on")
        #expect(error?.subject == listener.address.description)
        #expect(error?.code == 98)
        #expect(
            error?.description
                == "cannot listen on \(listener.address): Address already in use (errno 98)")
    }

    @Test func `listeners that agree share a port`() throws {
        let one = try Listener(at: .loopback(port: 0), sharesPort: true)
        let other = try Listener(at: one.address, sharesPort: true)
        #expect(one.address == other.address)
    }

    @Test func `an idle listener has nobody to accept`() throws {
        let listener = try Listener(at: .loopback(port: 0))
        switch listener.accept() {
        case .none: break
        default: Issue.record("somebody was there")
        }
    }

    @Test func `accepted sockets inherit TCP_NODELAY from the listener`() throws {
        let pair = try Pair()
        var value: Int32 = 0
        var length = socklen_t(4)
        let result = unsafe getsockopt(
            pair.server.number, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length)
        #expect(result == 0)
        #expect(value == 1)
    }

    @Test func `nothing to read, bytes, and the end are told apart`() throws {
        let pair = try Pair()
        var buffer = ByteBuffer()
        #expect(pair.server.receive(into: &buffer, room: 100) == .wouldBlock)
        try withUTF8("hello") { bytes throws(SystemError) in try pair.client.sendAll(bytes) }
        #expect(pair.server.receive(into: &buffer, room: 3) == .bytes(3))
        #expect(pair.server.receive(into: &buffer, room: 3) == .bytes(2))
        #expect(buffer.span.text == "hello")
        pair.client.shutdownSending()
        #expect(pair.server.receive(into: &buffer, room: 3) == .closed)
        #expect(buffer.span.text == "hello")
    }

    @Test func `sending stops when the peer does not read, and goes on when it does`() throws {
        let pair = try Pair()
        let piece = ByteBuffer(copying: [UInt8](repeating: 7, count: 1 << 16).span)
        var sent = 0
        loop: while sent < 1 << 28 {
            switch pair.server.send(piece.span) {
            case .bytes(let count): sent += count
            case .wouldBlock: break loop
            default: Issue.record("lost the peer")
            }
        }
        #expect(sent > 0 && sent < 1 << 28)
        var received = 0
        var buffer = ByteBuffer()
        while received < sent {
            let count = try pair.client.read(into: &buffer, room: 1 << 16)
            received += count
            buffer.removeAll()
        }
        #expect(received == sent)
        #expect(pair.server.send(piece.span) != .wouldBlock)
    }

    @Test func `sending to a peer that is gone is closed, not a signal`() throws {
        let listener = try Listener(at: .loopback(port: 0))
        do {
            let client = try Descriptor.connect(to: listener.address)
            client.resetOnClose()
        }
        guard case .connection(let server, from: _) = listener.accept() else {
            Issue.record("nobody")
            return
        }
        let bytes: [UInt8] = [1, 2, 3]
        _ = server.send(bytes.span)
        #expect(server.send(bytes.span) == .closed)
    }

    @Test func `a read that takes too long ends with its time-out`() throws {
        let listener = try Listener(at: .loopback(port: 0))
        let client = try Descriptor.connect(to: listener.address, timeoutMilliseconds: 20)
        var buffer = ByteBuffer()
        let error = #expect(throws: SystemError.self) {
            _ = try client.read(into: &buffer, room: 10)
        }
        #expect(error?.code == 11)
    }

    @Test func `a closed descriptor is really closed`() throws {
        // The peer reads the end of the stream only when the last descriptor is closed.
        let client = try Pair().closingServer()
        var buffer = ByteBuffer()
        #expect(try client.read(into: &buffer, room: 10) == 0)
    }

    @Test func `nobody listening is an error that names the address`() throws {
        let address: Address
        do {
            let listener = try Listener(at: .loopback(port: 0))
            address = listener.address
        }
        let error = #expect(throws: SystemError.self) { _ = try Descriptor.connect(to: address) }
        #expect(error?.code == 111)
        #expect(error?.subject == address.description)
    }
}
