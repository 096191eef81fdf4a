import Bytes
import Platform
import Synchronization

/// A server that does what a test says: one connection after the other, in a thread of its own.
final class ScriptedServer: Sendable {
    let address: Address
    private let log: RequestLog

    /// - Parameter script: What to do with connection 0, 1, … `connectionCount - 1`; it is closed
    ///   when the script returns.
    init(
        connectionCount: Int = 1, _ script: @escaping @Sendable (borrowing Peer, Int) -> Void
    ) throws {
        let listener = try Listener(at: .loopback(port: 0))
        address = listener.address
        let log = RequestLog()
        self.log = log
        let held = Mutex<Listener?>(try listener.shared())
        _ = try Thread.start(name: "scripted") {
            guard let listener = held.withLock({ $0.take() }) else { return }
            var index = 0
            while index < connectionCount {
                if case .connection(let descriptor, from: _) = listener.accept() {
                    script(Peer(descriptor: descriptor, log: log), index)
                    index += 1
                } else {
                    // A test that is over leaves its server behind: it must not wait for ever.
                    guard log.waited() < 20_000 else { return }
                    Thread.sleep(milliseconds: 1)
                }
            }
        }
    }

    /// The requests read so far, in order.
    var requests: [String] { log.requests }
}

/// What the peers of one server read.
final class RequestLog: Sendable {
    private let entries = Mutex<[String]>([])
    private let waitCount = Atomic<Int>(0)

    var requests: [String] { entries.withLock { $0 } }

    func note(_ request: String) { entries.withLock { $0.append(request) } }

    func waited() -> Int { waitCount.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// The server's end of a connection.
struct Peer: ~Copyable {
    let descriptor: Descriptor
    let log: RequestLog

    /// Reads one request whole, its length stated or zero, and logs it.
    func readRequest() {
        var bytes = ByteBuffer()
        while bytes.count < Self.byteCount(ofRequest: bytes.span) {
            guard read(into: &bytes) else { return }
        }
        log.note(bytes.span.text)
    }

    /// Reads a head and whatever came with it.
    func readHead() {
        var bytes = ByteBuffer()
        while !bytes.span.text.contains("\r\n\r\n") {
            guard read(into: &bytes) else { return }
        }
        log.note(bytes.span.text)
    }

    /// Reads until the text ends so, and logs it.
    func readText(through end: String) {
        var bytes = ByteBuffer()
        while !bytes.span.text.hasSuffix(end) {
            guard read(into: &bytes) else { return }
        }
        log.note(bytes.span.text)
    }

    /// Reads until so many bytes came in all.
    func read(byteCount: Int) {
        var bytes = ByteBuffer()
        while bytes.count < byteCount {
            guard read(into: &bytes) else { return }
        }
    }

    private func read(into bytes: inout ByteBuffer) -> Bool {
        switch descriptor.receive(into: &bytes, room: 1 << 16) {
        case .bytes: return true
        case .wouldBlock:
            Thread.sleep(milliseconds: 1)
            return true
        case .closed, .failed: return false
        }
    }

    /// How long the request is that starts with `bytes`; `max` while its head is not whole.
    private static func byteCount(ofRequest bytes: Span<UInt8>) -> Int {
        let start = bytes.extracting(first: min(bytes.count, 1024)).text
        guard start.contains("\r\n\r\n") else { return .max }
        let head = start.split(separator: "\r\n\r\n", maxSplits: 1).first ?? ""
        for line in head.split(separator: "\r\n") where line.hasPrefix("Content-Length: ") {
            return head.utf8.count + 4 + (Int(line.dropFirst(16)) ?? 0)
        }
        return head.utf8.count + 4
    }

    /// Sends `text`, so many bytes at a time.
    func send(_ text: String, pieceByteCount: Int = .max) {
        send(Array(text.utf8), pieceByteCount: pieceByteCount)
    }

    func send(_ bytes: [UInt8], pieceByteCount: Int = .max) {
        var offset = 0
        while offset < bytes.count {
            let count = min(pieceByteCount, bytes.count - offset)
            switch descriptor.send(bytes.span.extracting(offset..<offset + count)) {
            case .bytes(let count): offset += count
            case .wouldBlock: Thread.sleep(milliseconds: 1)
            case .closed, .failed: return
            }
        }
    }
}

/// A generator that a seed repeats (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
