// The simplest server that could answer a load generator: what HTTP figures are compared with.
//
// It knows nothing of HTTP: so many bytes are a request, and every request gets the same reply.

import Bytes
import Foundation
import Platform

/// An epoll loop that counts bytes.
enum Responder {
    private struct Options {
        var port: UInt16 = 0
        var replyByteCount = 0
        var requestByteCount = 0
        var processor: Int?

        init(_ words: ArraySlice<String>) throws(UsageError) {
            var rest = Arguments(words)
            while let option = rest.next() {
                let number = try rest.number(of: option)
                switch option {
                case "--port":
                    guard let port = UInt16(exactly: number) else {
                        throw UsageError("--port: \(number) is no port")
                    }
                    self.port = port
                case "--bytes": replyByteCount = number
                case "--request-bytes": requestByteCount = number
                case "--processor", "--core": processor = number
                default: throw UsageError("unknown option \(option)")
                }
            }
            guard replyByteCount >= Responder.shortestReply, replyByteCount <= 1 << 24 else {
                throw UsageError("--bytes: at least \(Responder.shortestReply)")
            }
            guard requestByteCount > 0 else { throw UsageError("--request-bytes is required") }
        }
    }

    /// A head without a body, with room for the digits of a length.
    private static let shortestReply = 100

    static func run(_ words: ArraySlice<String>) throws {
        let options = try Options(words)
        if let processor = options.processor { try Thread.pinCurrent(to: processor) }
        let listener = try Listener(at: .loopback(port: options.port))
        try FileHandle.standardOutput.write(
            contentsOf: Data(("\(options.replyByteCount) bytes per reply at \(listener.address)" + "\n").utf8))
        var loop = try ResponderLoop(
            listener, reply(options.replyByteCount), requestByteCount: options.requestByteCount)
        try loop.run()
    }

    /// A whole HTTP/1.1 response of exactly `byteCount` bytes.
    private static func reply(_ byteCount: Int) -> ByteBuffer {
        var reply = ByteBuffer()
        reply.append("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ")
        // Always eight digits (RFC 9110 §8.6 allows leading zeros), then the end of the head.
        let length = String(byteCount - reply.count - 12)
        reply.append(String(repeating: "0", count: 8 - length.utf8.count) + length + "\r\n\r\n")
        while reply.count < byteCount { reply.append(UInt8(ascii: "x")) }
        return reply
    }
}

/// One connection: how far its request has come, and how much of its replies is still to be sent.
private final class ResponderPeer {
    let descriptor: Descriptor
    var receivedByteCount = 0
    var unsentByteCount = 0
    var isWaitingToSend = false

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

private struct ResponderLoop: ~Copyable {
    private let listener: Listener
    private var poller: Poller
    private var peers: [ResponderPeer?] = []  // By descriptor number, which is the token too.
    private var input = ByteBuffer(capacity: inputByteCount)

    private let requestByteCount: Int
    private let replyByteCount: Int
    /// The reply several times over, so that replies to many requests go in one call.
    private let replies: ByteBuffer

    private static let inputByteCount = 1 << 16

    init(
        _ listener: consuming Listener, _ reply: consuming ByteBuffer, requestByteCount: Int
    ) throws(SystemError) {
        let poller = try Poller()
        try poller.add(listener.descriptor, token: 0, interest: .reading)
        var replies = ByteBuffer()
        repeat { replies.append(reply.span) } while replies.count < Self.inputByteCount
        self.poller = poller
        self.listener = listener
        self.replies = replies
        replyByteCount = reply.count
        self.requestByteCount = requestByteCount
    }

    mutating func run() throws(SystemError) {
        while true {
            let count = poller.wait(timeoutMilliseconds: -1)
            for index in 0..<count {
                let readiness = poller.readiness(at: index)
                if readiness.token == 0 {
                    try accept()
                } else if let peer = peers[Int(readiness.token)] {
                    serve(peer, readiness)
                }
            }
        }
    }

    private mutating func accept() throws(SystemError) {
        while case .connection(let descriptor, from: _) = listener.accept() {
            let number = Int(descriptor.number)
            try poller.add(descriptor, token: UInt64(number), interest: .reading)
            while peers.count <= number { peers.append(nil) }
            peers[number] = ResponderPeer(descriptor)
        }
    }

    private mutating func serve(_ peer: ResponderPeer, _ readiness: Readiness) {
        if readiness.canRead {
            input.removeAll()
            switch peer.descriptor.receive(into: &input, room: Self.inputByteCount) {
            case .bytes(let count):
                peer.receivedByteCount += count
                let requests = peer.receivedByteCount / requestByteCount
                peer.receivedByteCount -= requests * requestByteCount
                peer.unsentByteCount += requests * replyByteCount
            case .wouldBlock: break
            case .closed, .failed: return drop(peer)
            }
        } else if readiness.isBroken {
            return drop(peer)
        }
        send(peer)
    }

    private mutating func send(_ peer: ResponderPeer) {
        while peer.unsentByteCount > 0 {
            let sent = peer.unsentByteCount % replyByteCount
            let offset = sent == 0 ? 0 : replyByteCount - sent
            let end = min(replies.count, offset + peer.unsentByteCount)
            switch peer.descriptor.send(replies.span.extracting(offset..<end)) {
            case .bytes(let count): peer.unsentByteCount -= count
            case .wouldBlock: return wait(peer, toSend: true)
            case .closed, .failed: return drop(peer)
            }
        }
        if peer.isWaitingToSend { wait(peer, toSend: false) }
    }

    private mutating func wait(_ peer: ResponderPeer, toSend: Bool) {
        if peer.isWaitingToSend == toSend { return }
        peer.isWaitingToSend = toSend
        let interest: Interest = toSend ? .reading.with(.writing) : .reading
        let number = peer.descriptor.number
        do {
            try poller.modify(peer.descriptor, token: UInt64(number), interest: interest)
        } catch { drop(peer) }
    }

    private mutating func drop(_ peer: ResponderPeer) {
        peers[Int(peer.descriptor.number)] = nil
    }
}
