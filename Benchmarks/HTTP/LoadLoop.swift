// A closed-loop client for measuring servers: so many connections, each with so many requests on
// their way, the next one sent when an answer is whole.

import Bytes
import HTTP
import Platform

/// Requests of one length, one after another.
struct RequestDeck: ~Copyable {
    private let bytes: ByteBuffer
    let requestByteCount: Int
    let requestCount: Int

    /// - Precondition: All requests have one length.
    init(_ requests: [[UInt8]]) {
        requestByteCount = requests[0].count
        requestCount = requests.count
        var bytes = ByteBuffer()
        for request in requests {
            precondition(request.count == requestByteCount)
            bytes.append(request.span)
        }
        // Once more, so that a group of requests never wraps around.
        for request in requests { bytes.append(request.span) }
        self.bytes = bytes
    }

    /// Hands `count` requests from number `first` on to `body`.
    func withRequests<Result>(
        _ first: Int, count: Int, _ body: (Span<UInt8>) -> Result
    ) -> Result {
        precondition(count <= requestCount)
        let start = first % requestCount * requestByteCount
        return body(bytes.span.extracting(start..<start + count * requestByteCount))
    }
}

/// What one run of a load saw.
struct LoadResult {
    var answers = 0
    /// Answers whose status was not 200.
    var failures = 0
    var answerByteCount = 0
    var nanoseconds: UInt64 = 0
}

/// One connection of the load.
private final class LoadPeer {
    let descriptor: Descriptor
    var received = ByteBuffer(capacity: 64 << 10)
    var parser = ResponseParser()
    /// Answers of the group on its way that are still to come.
    var awaited = 0
    var next: Int

    init(_ descriptor: consuming Descriptor, first: Int) {
        self.descriptor = descriptor
        next = first
    }
}

/// Drives a server for a while.
struct LoadLoop: ~Copyable {
    private var poller: Poller
    private let peers: [LoadPeer]
    private let pipeline: Int

    /// - Parameters:
    ///   - pipeline: Requests sent together on a connection.
    ///   - stride: How many requests of the deck lie between where two connections begin.
    init(
        _ address: Address, connections: Int, pipeline: Int, stride: Int = 37
    ) throws(SystemError) {
        let poller = try Poller()
        var peers: [LoadPeer] = []
        for index in 0..<connections {
            let descriptor = try Descriptor.connect(to: address, timeoutMilliseconds: 5000)
            let peer = LoadPeer(descriptor, first: index * stride)
            try poller.add(peer.descriptor, token: UInt64(index), interest: .reading)
            peers.append(peer)
        }
        self.pipeline = pipeline
        self.peers = peers
        self.poller = poller
    }

    /// - Throws: When the server closes a connection or sends what is no answer.
    mutating func run(
        _ deck: borrowing RequestDeck, milliseconds: UInt64
    ) throws -> LoadResult {
        var result = LoadResult()
        let start = Clock.monotonicNanoseconds
        let end = start + milliseconds * 1_000_000
        for peer in peers { try send(peer, deck) }
        var isOver = false
        while !isOver {
            let count = poller.wait(timeoutMilliseconds: 1000)
            isOver = Clock.monotonicNanoseconds >= end
            for index in 0..<count {
                let peer = peers[Int(poller.readiness(at: index).token)]
                try receive(peer, &result)
                if peer.awaited == 0, !isOver { try send(peer, deck) }
            }
        }
        result.nanoseconds = Clock.monotonicNanoseconds - start
        // What is still on its way comes in, so that the next run begins clean.
        for peer in peers {
            while peer.awaited > 0 {
                _ = poller.wait(timeoutMilliseconds: 1000)
                var late = LoadResult()
                try receive(peer, &late)
            }
        }
        return result
    }

    /// Sends one request and waits for its answer.
    ///
    /// - Throws: Also when the answer is no 200.
    mutating func runOnce(_ request: [UInt8]) throws {
        let peer = peers[0]
        peer.awaited = 1
        try peer.descriptor.sendAll(request.span)
        var result = LoadResult()
        while peer.awaited > 0 {
            _ = poller.wait(timeoutMilliseconds: 1000)
            try receive(peer, &result)
        }
        guard result.failures == 0 else { throw UsageError("a request was refused") }
    }

    private func send(_ peer: LoadPeer, _ deck: borrowing RequestDeck) throws {
        peer.awaited = pipeline
        let first = peer.next
        peer.next += pipeline
        try deck.withRequests(first, count: pipeline) { bytes in
            Swift.Result { try peer.descriptor.sendAll(bytes) }
        }.get()
    }

    private func receive(_ peer: LoadPeer, _ result: inout LoadResult) throws {
        switch peer.descriptor.receive(into: &peer.received, room: 64 << 10) {
        case .wouldBlock: return
        case .bytes: break
        case .closed, .failed: throw UsageError("the server closed a connection")
        }
        var start = 0
        while peer.awaited > 0 {
            guard let head = try head(peer, from: start), case .length(let length) = head.framing
            else { break }
            let byteCount = head.byteCount + length
            if peer.received.count - start < byteCount { break }
            peer.parser.reset()
            start += byteCount
            peer.awaited -= 1
            result.answers += 1
            result.answerByteCount += byteCount
            if head.status != 200 { result.failures += 1 }
        }
        peer.parser.reset()
        peer.received.removeFirst(start)
    }

    private func head(_ peer: LoadPeer, from start: Int) throws -> ResponseHead? {
        try Self.head(&peer.parser, peer.received, from: start)
    }

    private static func head(
        _ parser: inout ResponseParser, _ received: borrowing ByteBuffer, from start: Int
    ) throws -> ResponseHead? {
        try parser.parse(received.span.from(start), isToHead: false)
    }
}
