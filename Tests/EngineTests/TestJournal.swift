// A journal on a simulated disk that tests step by hand.

import Engine
import Journal

final class TestJournal {
    /// What a frame held.
    struct Kept {
        var stream: UInt16
        var time: Int64
        var payload: [UInt8]
    }

    let configuration: JournalConfiguration
    let disk: SimulatedStorage
    private let memory: JournalMemory
    private var core: JournalCore<SimulatedStorage>?

    init(
        shardCount: Int, disk: SimulatedStorage? = nil,
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void = { _, _ in }
    ) throws {
        var configuration = JournalConfiguration()
        configuration.shardCount = shardCount
        configuration.segmentByteCount = 32 << 10
        configuration.frameByteCountMax = 12 << 10
        configuration.outboxByteCount = 24 << 10
        configuration.ballastByteCount = 4096
        configuration.prepareByteCount = 32 << 10
        self.configuration = configuration
        self.disk =
            disk ?? SimulatedStorage(seed: 1, fileByteCountMax: 32 << 10, slotCount: 100)
        memory = try JournalMemory(configuration)
        core = try JournalCore.open(self.disk, configuration, memory, deliver)
    }

    func attach(to engine: Engine) { engine.attach { core!.writer(of: $0) } }

    func attachControl(to engine: Engine) {
        engine.master.attach(core!.writer(of: StreamNumber.control))
    }

    /// One step: at most one commit.
    func step() { _ = core!.step() }

    /// Everything that was appended becomes durable.
    func settle() { while core!.step() {} }

    /// Ends the journal in order; all frames that it has.
    func closed() throws -> [Kept] {
        settle()
        core!.close()
        core = nil
        disk.kill()
        return try read()
    }

    /// All frames of a journal that was closed or cut.
    func read() throws -> [Kept] {
        var frames: [Kept] = []
        let memory = try JournalMemory(configuration)
        let core = try JournalCore.open(disk, configuration, memory) { header, frame in
            let start = FrameHeader.byteCount
            let payload = frame.extracting(start..<start + header.payloadByteCount)
            var bytes: [UInt8] = []
            for index in payload.indices { bytes.append(payload[index]) }
            frames.append(Kept(stream: header.stream, time: header.time, payload: bytes))
        }
        _ = core.generation
        disk.kill()
        return frames
    }
}
