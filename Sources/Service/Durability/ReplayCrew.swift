// Threads that replay the frames of shards, while the caller reads the journal and replays shared data.
//
//     reader ── chunks of frames ──▶ worker 0: shards 0, 2, 4 …
//            ── chunks of frames ──▶ worker 1: shards 1, 3, 5 …
//
// A shard has one worker, which gets its frames in order. A frame of shared data is replayed before any
// later frame is handed on, so a worker knows every name that its facts use.

internal import Bytes
internal import Dispatch
internal import Engine
internal import Journal
internal import Platform
internal import Synchronization

/// What a worker needs of a frame; its payload lies in the chunk.
private struct FrameToReplay {
    var stream: UInt16
    var sequence: UInt64
    var time: Int64
    var eventCount: UInt64
    var payload: ByteRange
}

/// Frames on their way to a worker.
private final class Chunk: Sendable {
    static let byteCount = 1 << 20

    let frames: [FrameToReplay]
    let bytes: [UInt8]

    init(frames: [FrameToReplay], bytes: [UInt8]) {
        self.frames = frames
        self.bytes = bytes
    }
}

/// Where a frame did not fit.
struct UnusableFrame: Error {
    var stream: UInt16
    var sequence: UInt64
    var error: ReplayError
}

/// One thread, and the chunks that wait for it.
private final class Worker: Sendable {
    private let engine: Engine
    private let waiting = Mutex<[Chunk?]>([])
    private let filled = DispatchSemaphore(value: 0)
    private let room = DispatchSemaphore(value: 4)
    private let outcome = Mutex<(factCount: Int, failure: UnusableFrame?)>((0, nil))

    init(_ engine: Engine) { self.engine = engine }

    var factCount: Int { outcome.withLock { $0.factCount } }
    var failure: UnusableFrame? { outcome.withLock { $0.failure } }

    /// Hands a chunk over, or the end; waits while too many are under way.
    func send(_ chunk: Chunk?) {
        room.wait()
        waiting.withLock { $0.append(chunk) }
        filled.signal()
    }

    func run() {
        while true {
            filled.wait()
            let chunk = waiting.withLock { $0.removeFirst() }
            defer { room.signal() }
            guard let chunk else { return }
            // Behind a failure chunks are taken and dropped, so that the reader never waits.
            if failure == nil { replay(chunk) }
        }
    }

    private func replay(_ chunk: Chunk) {
        var factCount = 0
        let bytes = chunk.bytes
        for frame in chunk.frames {
            do throws(ReplayError) {
                factCount += try engine.replay(
                    bytes.span.part(frame.payload), shard: Int(frame.stream),
                    time: frame.time, eventCount: frame.eventCount)
            } catch {
                let failure = UnusableFrame(
                    stream: frame.stream, sequence: frame.sequence, error: error)
                outcome.withLock { $0.failure = failure }
                break
            }
        }
        let applied = factCount
        outcome.withLock { $0.factCount += applied }
    }
}

/// The workers of one recovery.
struct ReplayCrew: ~Copyable {
    private let workers: [Worker]
    private var threads: [RunningThread] = []
    private var frames: [[FrameToReplay]]
    private var bytes: [[UInt8]]

    /// - Parameter workerCount: Fewer run where threads are not to be had; at least one must.
    init(_ engine: Engine, workerCount: Int = Machine.processorCount) throws(SystemError) {
        var workers: [Worker] = []
        for _ in 0..<max(1, min(workerCount, engine.shardCount)) {
            let worker = Worker(engine)
            do throws(SystemError) {
                let thread = try Thread.start(name: "replay") { worker.run() }
                threads.append(RunningThread(thread))
                workers.append(worker)
            } catch {
                if workers.isEmpty { throw error }
                break
            }
        }
        self.workers = workers
        frames = Array(repeating: [], count: workers.count)
        bytes = Array(repeating: [], count: workers.count)
    }

    /// Hands a frame of a shard on.
    ///
    /// - Throws: When a frame handed on before did not fit.
    mutating func replay(
        _ header: FrameHeader, _ payload: Span<UInt8>
    ) throws(UnusableFrame) {
        let index = Int(header.stream) % workers.count
        let start = bytes[index].count
        unsafe payload.withUnsafeBufferPointer { unsafe bytes[index].append(contentsOf: $0) }
        frames[index].append(
            FrameToReplay(
                stream: header.stream, sequence: header.sequence, time: header.time,
                eventCount: header.firstEvent + UInt64(header.eventCount),
                payload: ByteRange(offset: start, count: payload.count)))
        if bytes[index].count >= Chunk.byteCount {
            send(index)
            if let failure = workers[index].failure { throw failure }
        }
    }

    private mutating func send(_ index: Int) {
        if frames[index].isEmpty { return }
        workers[index].send(Chunk(frames: frames[index], bytes: bytes[index]))
        frames[index] = []
        bytes[index] = []
        bytes[index].reserveCapacity(Chunk.byteCount * 2)
    }

    /// Waits until all is replayed. Again: nothing.
    ///
    /// - Returns: Facts applied.
    mutating func finish() throws(UnusableFrame) -> Int {
        if !threads.isEmpty {
            for index in workers.indices {
                send(index)
                workers[index].send(nil)
            }
            for thread in threads { thread.join() }
            threads = []
        }
        for worker in workers { if let failure = worker.failure { throw failure } }
        return workers.reduce(0) { $0 + $1.factCount }
    }
}
