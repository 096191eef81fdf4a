import Bytes
import Client
import HTTP
import Platform
import Testing

private let request = ClientRequest("GET", "/v1/a?b=c")

@Suite(.timeLimit(.minutes(1))) struct HTTPClientTests {
    @Test func `an answer comes with its status, headers and body`() throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send(
                "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nETag: \"v1\"\r\n"
                    + "Retry-After: 7\r\nContent-Length: 5\r\n\r\nhello")
        }
        var client = client(server)
        let response = try client.call(request)
        #expect(
            response
                == ClientResponse(
                    status: 429, contentType: "text/plain", etag: "\"v1\"", retryAfterSeconds: 7))
        #expect(client.body.span.text == "hello")
    }

    @Test func `a request without a body states none`() throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send("HTTP/1.1 204 No Content\r\n\r\n")
        }
        var client = client(server)
        #expect(try client.call(request).status == 204)
        #expect(
            server.requests == ["GET /v1/a?b=c HTTP/1.1\r\nHost: \(server.address)\r\n\r\n"])
    }

    @Test(arguments: [0, 1, 16 << 10, (16 << 10) + 1, 3 << 20])
    func `a request's body is sent whole`(byteCount: Int) throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        var client = client(server)
        let text = String(repeating: "x", count: byteCount)
        let request = ClientRequest("POST", "/", contentType: "text/csv")
        #expect(try client.call(request, body: text.utf8.span).status == 200)
        let sent =
            "POST / HTTP/1.1\r\nHost: \(server.address)\r\nContent-Type: text/csv\r\n"
            + "Content-Length: \(byteCount)\r\n\r\n\(text)"
        #expect(server.requests.count == 1)
        #expect(server.requests.first == sent)
    }

    @Test(arguments: [
        "Content-Length: 10\r\n\r\nhelloworld",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n",
        "\r\nhelloworld",
    ])
    func `a body is handed on as it comes`(rest: String) throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\n" + rest, pieceByteCount: 3)
        }
        var client = client(server) { $0.bodyByteCountMax = 4 }
        var body = ""
        #expect(try client.stream(request) { body += $0.text }.status == 200)
        #expect(body == "helloworld" && client.body.isEmpty)
    }

    @Test func `the body of a refusal is kept and not handed on`() throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send("HTTP/1.1 429 X\r\nContent-Length: 5\r\n\r\nlater")
        }
        var client = client(server)
        let response = try client.stream(request) { _ in Issue.record("it was handed on") }
        #expect(response.status == 429 && client.body.span.text == "later")
    }

    @Test(arguments: [
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "Content-Length: 9\r\n\r\nhello",
    ])
    func `a body that breaks off is an error behind its bytes`(rest: String) throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\n" + rest)
        }
        var client = client(server)
        var body = ""
        #expect(throws: ClientError.closedEarly) {
            _ = try client.stream(request) { body += $0.text }
        }
        #expect(body == "hello")
    }

    @Test func `a body of unknown length is sent in chunks`() throws {
        let expected = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        let server = try ScriptedServer { peer, _ in
            peer.readText(through: "0\r\n\r\n")
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        var client = client(server)
        var pieces = ["hello", " world"]
        let request = ClientRequest("POST", "/", contentType: "text/csv")
        let response = try client.stream(
            request, accept: "text/csv", hasBody: true,
            from: { if !pieces.isEmpty { $0.append(pieces.removeFirst()) } }, { _ in })
        #expect(response.status == 200)
        #expect(server.requests.first?.hasSuffix(expected) == true, "\(server.requests)")
    }

    @Test func `a base path stands before the target`() throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        var client = HTTPClient(try ServerURL("http://\(server.address)/stock/"))
        _ = try client.call(request)
        #expect(server.requests.first?.hasPrefix("GET /stock/v1/a?b=c HTTP/1.1\r\n") == true)
    }

    @Test func `calls share one connection`() throws {
        let server = try ScriptedServer { peer, _ in
            for body in ["one", "two", "six"] {
                peer.readRequest()
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\(body)")
            }
        }
        var client = client(server)
        for body in ["one", "two", "six"] {
            _ = try client.call(request)
            #expect(client.body.span.text == body)
        }
    }

    @Test(arguments: [1, 2, 7, 1000])
    func `chunks are put together however they arrive`(pieceByteCount: Int) throws {
        let server = try ScriptedServer { peer, _ in
            for _ in 0..<2 {
                peer.readRequest()
                peer.send(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "4\r\nHold\r\n4;x=y\r\nfast\r\n0\r\nTrailer: z\r\n\r\n",
                    pieceByteCount: pieceByteCount)
            }
        }
        var client = client(server)
        for _ in 0..<2 {
            _ = try client.call(request)
            #expect(client.body.span.text == "Holdfast")
        }
    }

    @Test func `a body without a length ends with the connection`() throws {
        let server = try ScriptedServer(connectionCount: 2) { peer, index in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\n\r\nbody \(index)")
        }
        var client = client(server)
        for index in 0..<2 {
            _ = try client.call(request)
            #expect(client.body.span.text == "body \(index)")
        }
    }

    @Test func `an interim answer is passed over`() throws {
        let server = try ScriptedServer { peer, _ in
            peer.readRequest()
            peer.send(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                pieceByteCount: 3)
        }
        var client = client(server)
        #expect(try client.call(request).status == 200)
        #expect(client.body.span.text == "ok")
    }

    @Test func `the answer to HEAD has no body`() throws {
        let server = try ScriptedServer { peer, _ in
            for _ in 0..<2 {
                peer.readRequest()
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
            }
        }
        var client = client(server)
        for _ in 0..<2 {
            #expect(try client.call(ClientRequest("HEAD", "/")).status == 200)
            #expect(client.body.count == 0)
        }
    }

    @Test func `a server that closes after its answer is called anew`() throws {
        let server = try ScriptedServer(connectionCount: 2) { peer, index in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n\(index)")
        }
        var client = client(server)
        for index in 0..<2 {
            _ = try client.call(request)
            #expect(client.body.span.text == "\(index)")
        }
    }

    @Test(arguments: [5, 100_000])
    func `a request that met a closed idle connection is sent again`(byteCount: Int) throws {
        let server = try ScriptedServer(connectionCount: 2) { peer, index in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
            // The second request is read and dropped, as if the server had closed just before.
            if index == 0 { peer.readRequest() }
        }
        var client = client(server)
        let body = String(repeating: "x", count: byteCount)
        for index in 0..<2 {
            _ = try client.call(ClientRequest("POST", "/"), body: body.utf8.span)
            #expect(client.body.span.text == "\(index)")
        }
        #expect(server.requests.count == 3)
        #expect(server.requests.last == server.requests.first)
    }

    @Test func `an idle connection that has ended is not used`() throws {
        let server = try ScriptedServer(connectionCount: 2) { peer, index in
            peer.readRequest()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
        }
        var client = client(server)
        _ = try client.call(request)
        Thread.sleep(milliseconds: 20)
        _ = try client.call(request)
        #expect(client.body.span.text == "1")
        #expect(server.requests.count == 2)
    }

    @Test func `a server may answer long before it reads`() throws {
        let megabytes = [UInt8](repeating: UInt8(ascii: "y"), count: 8 << 20)
        let server = try ScriptedServer { peer, _ in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(8 << 20)\r\n\r\n")
            peer.send(megabytes)
            peer.read(byteCount: 8 << 20)
        }
        var client = client(server)
        #expect(
            try client.call(ClientRequest("POST", "/"), body: megabytes.span).status == 200)
        #expect(client.body.count == 8 << 20)
    }

    @Test func `any framing and any split give the same body`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let server = try ScriptedServer { peer, _ in
            var random = SeededRandom(seed: seed)
            for _ in 0..<60 {
                peer.readRequest()
                let answer = RandomAnswer(&random)
                peer.send(answer.bytes, pieceByteCount: answer.pieceByteCount)
            }
        }
        var client = client(server)
        var random = SeededRandom(seed: seed)
        for round in 0..<60 {
            let answer = RandomAnswer(&random)
            _ = try client.call(request)
            #expect(client.body.span.array == answer.body, "seed \(seed), round \(round)")
        }
    }
}

/// An answer with a random body, by length or in random chunks, and how to cut it.
private struct RandomAnswer {
    var bytes = Array("HTTP/1.1 200 OK\r\n".utf8)
    let body: [UInt8]
    let pieceByteCount: Int

    init(_ random: inout SeededRandom) {
        var body: [UInt8] = []
        for _ in 0..<Int.random(in: 0...3000, using: &random) {
            body.append(UInt8.random(in: 0...255, using: &random))
        }
        if Bool.random(using: &random) {
            bytes += Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
        } else {
            bytes += Array("Transfer-Encoding: chunked\r\n\r\n".utf8)
            var rest = body[...]
            while !rest.isEmpty {
                let chunk = rest.prefix(Int.random(in: 1...1000, using: &random))
                rest = rest.dropFirst(chunk.count)
                bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10]
            }
            bytes += Array("0\r\n\r\n".utf8)
        }
        self.body = body
        pieceByteCount = Int.random(in: 1...2000, using: &random)
    }
}
