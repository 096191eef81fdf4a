import Bytes
import Client
import HTTP
import Platform
import Testing

private let request = ClientRequest("GET", "/")

/// A client that gives up on a silent server after five seconds, or as `change` says.
func client(
    _ server: ScriptedServer, _ change: (inout ClientLimits) -> Void = { _ in }
) -> HTTPClient {
    var limits = ClientLimits()
    limits.idleMilliseconds = 5000
    change(&limits)
    return HTTPClient(ServerURL(server.address), limits: limits)
}

@Suite(.timeLimit(.minutes(1))) struct HTTPClientFailureTests {
    @Test func `a close before the answer is an error`() throws {
        let server = try ScriptedServer { peer, _ in peer.readRequest() }
        var client = client(server)
        #expect(throws: ClientError.closedEarly) { _ = try client.call(request) }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nHold\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1",
    ])
    func `a close inside the answer is an error and the request is not sent again`(
        answer: String
    ) throws {
        let server = try ScriptedServer { peer, index in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            peer.readRequest()
            peer.send(answer)
        }
        var client = client(server)
        _ = try client.call(request)
        #expect(throws: ClientError.closedEarly) { _ = try client.call(request) }
        #expect(server.requests.count == 2)
    }

    @Test(arguments: [
        ("220 mail.example.org ESMTP\r\n\r\n", HTTPRefusal.badStatusLine),
        ("HTTP/2 200\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", .bareLineFeed),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            .ambiguousFraming
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .badChunkSize),
    ])
    func `garbage is an error that says why`(answer: String, refusal: HTTPRefusal) throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send(answer)
        }
        var client = client(server)
        #expect(throws: ClientError.malformed(refusal)) { _ = try client.call(request) }
    }

    @Test func `bytes behind an answer end the connection`() throws {
        let server = try ScriptedServer(connectionCount: 2) { peer, index in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)HTTP/1.1 500 X\r\n\r\n")
        }
        var client = client(server)
        for index in 0..<2 {
            #expect(try client.call(request).status == 200)
            #expect(client.body.span.text == "\(index)")
        }
    }

    @Test func `silence is given up after the time allowed`() throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            Thread.sleep(milliseconds: 500)
        }
        var client = client(server) { $0.idleMilliseconds = 50 }
        #expect(throws: ClientError.timedOut(milliseconds: 50)) { _ = try client.call(request) }
    }

    @Test func `a server that reads nothing is given up after the time allowed`() throws {
        let server = try ScriptedServer { _, _ in Thread.sleep(milliseconds: 1000) }
        var client = client(server) { $0.idleMilliseconds = 50 }
        let body = [UInt8](repeating: 0, count: 32 << 20)
        #expect(throws: ClientError.timedOut(milliseconds: 50)) {
            _ = try client.call(ClientRequest("POST", "/"), body: body.span)
        }
    }

    @Test func `nobody listening is an error that names the address`() throws {
        let address = try Listener(at: .loopback(port: 0)).address
        var client = HTTPClient(ServerURL(address))
        let error = #expect(throws: ClientError.self) { _ = try client.call(request) }
        #expect(
            error?.description == "cannot connect to \(address): Connection refused (errno 111)")
    }

    @Test(arguments: [
        "Content-Length: 11\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nb\r\n", "\r\n",
    ])
    func `a body over the limit is an error`(head: String) throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\n\(head)hello world")
        }
        var client = client(server) { $0.bodyByteCountMax = 10 }
        #expect(throws: ClientError.bodyTooLarge(limit: 10)) { _ = try client.call(request) }
    }

    @Test(arguments: ["v1", "", "/a b", "/a#b", "/ä"])
    func `a target that cannot be sent is an error`(target: String) throws {
        let server = try ScriptedServer(connectionCount: 0) { _, _ in }
        var client = client(server)
        #expect(throws: ClientError.badTarget) {
            _ = try client.call(ClientRequest("GET", target))
        }
    }

    @Test func `a server that refuses halfway is heard`() throws {
        let server = try ScriptedServer { peer, _ in
            peer.readHead()
            peer.send(
                "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
            )
            peer.descriptor.shutdownSending()
            Thread.sleep(milliseconds: 50)
        }
        var client = client(server)
        let body = [UInt8](repeating: 0, count: 32 << 20)
        #expect(try client.call(ClientRequest("POST", "/"), body: body.span).status == 413)
        #expect(client.body.span.text == "no")
    }
}
