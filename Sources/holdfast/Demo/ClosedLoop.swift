// A short load in a closed loop: each connection sends its next request when the answer to the last
// one is in. A stall therefore slows the load instead of showing as a queue; the figures are those
// of so many patient callers, not of a crowd that keeps coming.

import Bytes
import HTTP
import JSON
import Platform
import Service
import Synchronization

/// What a load measured.
struct LoadResult: Sendable {
    var requestCount = 0
    var nanoseconds: UInt64 = 0

    /// From the moment before a request is sent to the moment after its answer is in.
    var latency = LatencyHistogram()
    var latencyMax: UInt64 = 0

    /// Answers that were compared item by item with what they must be.
    var checkedCount = 0

    /// Answers that were not as they must be, and the first of them in words.
    var wrongCount = 0
    var firstWrong = ""

    var requestRate: Double {
        nanoseconds == 0 ? 0 : Double(requestCount) * 1e9 / Double(nanoseconds)
    }

    mutating func add(_ other: LoadResult) {
        requestCount += other.requestCount
        nanoseconds = max(nanoseconds, other.nanoseconds)
        latency.add(other.latency)
        latencyMax = max(latencyMax, other.latencyMax)
        checkedCount += other.checkedCount
        wrongCount += other.wrongCount
        if firstWrong.isEmpty { firstWrong = other.firstWrong }
    }

    fileprivate mutating func note(wrong text: String) {
        wrongCount += 1
        if firstWrong.isEmpty { firstWrong = text }
    }
}

/// Sends `workload` for `milliseconds` over so many connections, dealt out to so many threads.
func runLoad(
    _ workload: Workload, at address: Address, connectionCount: Int, threadCount: Int,
    milliseconds: Int
) throws(CommandError) -> LoadResult {
    let outcome = LoadOutcome()
    try orFailed { () throws(SystemError) in
        try inThreads(threadCount, name: "load") { thread in
            do throws(SystemError) {
                var callers = try Callers.connected(
                    workload, address, firstNumber: thread * 1009,
                    count: (connectionCount + thread) / threadCount, milliseconds: milliseconds)
                try callers.run()
                outcome.add(callers.result)
            } catch {
                outcome.fail(error)
            }
        }
    }
    return try outcome.result()
}

/// What the threads of a load bring together.
private final class LoadOutcome: Sendable {
    private let state = Mutex<(total: LoadResult, error: SystemError?)>((LoadResult(), nil))

    func add(_ result: LoadResult) { state.withLock { $0.total.add(result) } }

    func fail(_ error: SystemError) { state.withLock { $0.error = error } }

    func result() throws(CommandError) -> LoadResult {
        let (total, error) = state.withLock { $0 }
        if let error { throw .failed(error.description) }
        return total
    }
}

/// One connection of a load, and the answer that it waits for.
private final class Caller {
    let descriptor: Descriptor
    private var received = ByteBuffer(capacity: 16 << 10)
    private var parser = ResponseParser()
    private var bodyByteCount = 0
    private var bodyOffset = 0

    /// Which request of the workload it sends.
    private(set) var number: Int
    private(set) var sentAt: UInt64 = 0

    /// Of the answer; 0 while there is none, or when it is no HTTP.
    private(set) var status = 0

    init(_ descriptor: consuming Descriptor, number: Int) {
        self.descriptor = descriptor
        self.number = number
    }

    func send(_ workload: Workload, at now: UInt64) throws(SystemError) {
        received.removeAll()
        parser.reset()
        bodyOffset = 0
        status = 0
        sentAt = now
        number += 1
        try workload.withRequest(number) { (request) throws(SystemError) in
            try descriptor.sendAll(request)
        }
    }

    /// Takes in what came; whether the answer is whole, or will never be one.
    func receive() throws(SystemError) -> Bool {
        switch descriptor.receive(into: &received, room: 32 << 10) {
        case .bytes: break
        case .wouldBlock: return false
        case .closed: throw SystemError("receive from the service", code: 104)  // ECONNRESET
        case .failed(let code): throw SystemError("receive from the service", code: code)
        }
        if bodyOffset == 0 {
            do throws(HTTPRefusal) {
                guard let head = try Self.head(received, &parser) else { return false }
                status = head.status
                bodyOffset = head.byteCount
                guard case .length(let length) = head.framing else { return true }
                bodyByteCount = length
            } catch {
                return true
            }
        }
        return received.count >= bodyOffset + bodyByteCount
    }

    /// The items of the answer; none when it cannot be read.
    var items: [AvailableItem] {
        do throws(JSONError) { return try Self.items(received, bodyOffset) } catch { return [] }
    }

    private static func head(
        _ received: borrowing ByteBuffer, _ parser: inout ResponseParser
    ) throws(HTTPRefusal) -> ResponseHead? {
        try parser.parse(received.span)
    }

    private static func items(
        _ received: borrowing ByteBuffer, _ offset: Int
    ) throws(JSONError) -> [AvailableItem] {
        try availableItems(received.span.from(offset))
    }
}

/// The connections of one thread.
private struct Callers: ~Copyable {
    private let workload: Workload
    private let callers: [Caller]
    private var poller: Poller
    private let milliseconds: Int
    private(set) var result = LoadResult()

    /// Every so many answers of a thread one is compared item by item.
    private static let checkInterval = 32

    /// How long the last answers may take.
    private static let patienceNanoseconds: UInt64 = 5_000_000_000

    private init(
        _ workload: Workload, _ callers: [Caller], _ poller: consuming Poller, milliseconds: Int
    ) {
        self.workload = workload
        self.callers = callers
        self.poller = poller
        self.milliseconds = milliseconds
    }

    /// Connects. Each caller starts elsewhere in the list of requests.
    static func connected(
        _ workload: Workload, _ address: Address, firstNumber: Int, count: Int, milliseconds: Int
    ) throws(SystemError) -> Callers {
        let poller = try Poller()
        var callers: [Caller] = []
        for index in 0..<count {
            let caller = Caller(
                try Descriptor.connect(to: address, timeoutMilliseconds: 5000),
                number: firstNumber + index * 97)
            try poller.add(caller.descriptor, token: UInt64(index), interest: .reading)
            callers.append(caller)
        }
        return Callers(workload, callers, poller, milliseconds: milliseconds)
    }

    /// Calls until the time is over, and takes in the answers that are still to come.
    mutating func run() throws(SystemError) {
        let start = Clock.monotonicNanoseconds
        let end = start + UInt64(milliseconds) * 1_000_000
        for caller in callers { try caller.send(workload, at: Clock.monotonicNanoseconds) }
        var awaited = callers.count
        var now = start
        while awaited > 0 {
            for index in 0..<poller.wait(timeoutMilliseconds: 100) {
                let caller = callers[Int(poller.readiness(at: index).token)]
                guard try caller.receive() else { continue }
                now = Clock.monotonicNanoseconds
                note(caller, now)
                if now < end { try caller.send(workload, at: now) } else { awaited -= 1 }
            }
            now = Clock.monotonicNanoseconds
            guard now < end + Self.patienceNanoseconds else {
                result.note(wrong: "\(awaited) answers did not come")
                break
            }
        }
        result.nanoseconds = now - start
    }

    private mutating func note(_ caller: Caller, _ now: UInt64) {
        result.requestCount += 1
        result.latency.record(now - caller.sentAt)
        result.latencyMax = max(result.latencyMax, now - caller.sentAt)
        guard caller.status == 200 else {
            return result.note(wrong: "an answer has status \(caller.status)")
        }
        guard result.requestCount % Self.checkInterval == 0 else { return }
        result.checkedCount += 1
        if !workload.isRight(caller.items, number: caller.number) {
            result.note(wrong: "an answer has other figures than before the load")
        }
    }
}
