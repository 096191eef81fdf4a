// Many lives of a journal on a disk that loses power and fails, judged by an oracle.
//
// A run is one disk with twenty lives. A life opens the journal, does some work, and ends: the power
// goes at an operation drawn by lot (also during recovery), or between two; the process is killed;
// the journal is closed; a write or a sync fails and the next life begins with or without a loss of
// power. Between lives the oracle compares what is found with what it knows.
//
// In the end the journal is closed, and the disk lies: a bit is flipped, or a sector or a frame lies
// where another was. A flipped bit must be reported or harmless. The rest must be reported, or the
// journal ends before it: never may a wrong frame be delivered.

internal import Platform

/// A long simulation of one journal.
package struct JournalSimulation: ~Copyable {
    /// What a simulation did.
    package struct Result: Equatable, Sendable {
        package var runCount = 0
        package var crashCount = 0
        package var frameCount = 0
        package var recoveredCount = 0

        /// Of all platters after all crashes: the same for the same seed.
        package var stateHash: UInt64 = 0

        /// The first violation, and the seed of its run.
        package var finding: String?
        package var findingSeed: UInt64?

        /// What led to it, in words.
        package var history: [String] = []
    }

    package static let lifeCount = 20

    private let configuration: JournalConfiguration
    private let disk: SimulatedStorage
    private let memory: JournalMemory
    private let reading: SharedRegion
    private var oracle: JournalOracle
    private var bits = SeededBits(seed: 0)
    private var payload: [UInt8] = []
    private var sizeBits: UInt64?
    private var isLying = false
    private let history: SimulationHistory
    private var result = Result()

    /// Small in everything, so that a crash costs little and meets the ends of segments often.
    package static func smallConfiguration() -> JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.shardCount = 2
        configuration.segmentByteCount = 4096
        configuration.frameByteCountMax = 320
        configuration.outboxByteCount = 1536
        configuration.ballastByteCount = 4096
        configuration.prepareByteCount = 4096
        return configuration
    }

    package init(
        configuration: JournalConfiguration = Self.smallConfiguration(),
        keepsHistory: Bool = false
    ) throws(JournalError) {
        let memory = try storing { () throws(SystemError) in try JournalMemory(configuration) }
        let reading = try storing { () throws(SystemError) in
            try SharedRegion(byteCount: configuration.segmentByteCount)
        }
        self.configuration = configuration
        self.memory = memory
        self.reading = reading
        history = SimulationHistory(isKept: keepsHistory)
        // Files at once: what is not trimmed piles up for a whole disk.
        disk = SimulatedStorage(
            seed: 0, fileByteCountMax: configuration.segmentByteCount, slotCount: 40)
        oracle = JournalOracle(streamCount: configuration.shardCount + 1)
    }

    /// Runs `runs` disks, of this seed and those that follow; stops at the first violation.
    package static func run(
        seed: UInt64, runs: Int, configuration: JournalConfiguration = smallConfiguration()
    ) throws(JournalError) -> Result {
        var simulation = try JournalSimulation(configuration: configuration)
        for run in 0..<runs where simulation.result.finding == nil {
            simulation.runDisk(seed: seed &+ UInt64(run))
        }
        if let failed = simulation.result.findingSeed {
            // Again, and written down.
            var again = try JournalSimulation(configuration: configuration, keepsHistory: true)
            again.runDisk(seed: failed)
            simulation.result.history = again.history.lines
        }
        return simulation.result
    }

    private func record(_ text: @autoclosure () -> String) { history.record(text()) }

    private mutating func runDisk(seed: UInt64) {
        bits = SeededBits(seed: seed)
        disk.reset(seed: bits.next())
        oracle.reset()
        result.runCount += 1
        // On every other disk all frames are equally long, or as long as a mark, so that old ones
        // fit where new ones were to be.
        switch bits.below(4) {
        case 0: sizeBits = bits.next() & 0xFC00_0000_0000_0000
        case 1: sizeBits = UInt64(MarkPayload.byteCount / 3) &<< 58
        default: sizeBits = nil
        }
        for _ in 0..<Self.lifeCount where oracle.finding == nil { live() }
        if oracle.finding == nil { lie() }
        result.stateHash = SeededBits.mix(result.stateHash ^ disk.stateHash)
        if let finding = oracle.finding {
            record("found: \(finding)")
            result.finding = finding
            result.findingSeed = seed
        }
    }

    // MARK: One life

    private mutating func live() {
        let faults = DiskFaults.drawn(using: &bits)
        record("a life with \(faults)")
        disk.plan(faults)
        disk.spaceByteCount = bits.oneIn(8) ? 4096 * (2 + bits.below(4)) : .max
        var opened = open()
        if bits.oneIn(4), let core = opened.take() { opened = openAgain(core) }
        if let core = opened.take() { work(core) }
        crash()
    }

    /// Opens the journal and compares what it holds; nil where the faults prevent it.
    private mutating func open() -> JournalCore<SimulatedStorage>? {
        oracle.beginRecovery()
        let streams = configuration.streams
        do throws(JournalError) {
            let core = try JournalCore.open(disk, configuration, memory, reading: reading) {
                header, frame in
                if let index = streams.index(of: header.stream) {
                    oracle.recovered(index, header, frame)
                }
            }
            let extents = core.extents
            oracle.endRecovery { extents[$0].head.sequence }
            result.recoveredCount += core.report.frameCount
            let cut = core.report.cutByteCount
            record("start: streams at \(extents.map(\.head.sequence)), cut \(cut) bytes")
            if !isClean(core) { oracle.note("what was cut off is still there") }
            return core
        } catch {
            record("start: \(error)")
            // The faults of this life may end it here; anything else was not to be.
            if case .storage = error { return nil }
            if isLying { return nil }
            oracle.note("\(error)")
            return nil
        }
    }

    /// Whether all behind the end of the journal is zero (W2).
    private func isClean(_ core: borrowing JournalCore<SimulatedStorage>) -> Bool {
        guard let file = core.file else { return false }
        let rest = core.offset..<configuration.segmentByteCount
        let isRead: Void? = try? disk.readAll(file, at: core.offset, reading.region, rest)
        // A disk that is off cannot be looked at.
        return isRead == nil || reading.region.firstSet(in: rest) == nil
    }

    /// A second start without anything in between finds the same.
    private mutating func openAgain(
        _ first: consuming JournalCore<SimulatedStorage>
    ) -> JournalCore<SimulatedStorage>? {
        let found = first.extents.dropLast()
        disk.kill()
        guard let second = open() else {
            oracle.note("a second start failed")
            return nil
        }
        if second.extents.dropLast() != found {
            oracle.note("a second start found something else")
        }
        return second
    }

    private mutating func work(_ core: consuming JournalCore<SimulatedStorage>) {
        var writers = Writers(core)
        for _ in 0..<bits.below(32) where !disk.isOff {
            switch bits.below(16) {
            case 0...7:
                for _ in 0...bits.below(3) { append(&writers) }
            case 8...11: _ = core.step()
            case 12: commitWhileAppending(&core, &writers)
            case 13: _ = core.markIdle()
            case 14: trim(&core)
            default: core.syncWritten()
            }
            acknowledge(writers)
        }
        if bits.oneIn(8) {
            core.close()
            acknowledge(writers)
        }
    }

    /// A commit during which frames come, as from other threads.
    private mutating func commitWhileAppending(
        _ core: inout JournalCore<SimulatedStorage>, _ writers: inout Writers
    ) {
        guard core.isTakingFrames else { return }
        core.lookAtShards()
        for _ in 0..<3 { append(&writers) }
        _ = core.commitSeen()
    }

    private mutating func append(_ writers: inout Writers) {
        let index = bits.below(configuration.shardCount + 1)
        var content = bits.next()
        if let sizeBits { content = content & 0x03FF_FFFF_FFFF_FFFF | sizeBits }
        JournalOracle.fill(&payload, content)
        guard let sequence = writers.append(index, content, payload) else { return }
        oracle.submitted(index, sequence, content: content)
        record("stream \(index): frame \(sequence)")
        result.frameCount += 1
    }

    private mutating func acknowledge(_ writers: borrowing Writers) {
        for index in 0...configuration.shardCount {
            let sequence = writers.durableSequence(index)
            if sequence != oracle.acknowledged(index) {
                record("stream \(index): acknowledged through \(sequence)")
            }
            oracle.acknowledged(index, through: sequence)
        }
    }

    private mutating func trim(_ core: inout JournalCore<SimulatedStorage>) {
        var through: [UInt64] = []
        for index in 0...configuration.shardCount {
            let sequence = oracle.acknowledged(index)
            through.append(sequence - UInt64(bits.below(Int(sequence / 8) + 1)))
            oracle.mayTrim(index, through: through[index])
        }
        // An error ends the life like any other.
        _ = try? core.trim(through: through)
    }

    /// Closes the journal in order, then has the disk lie and looks at what is found.
    private mutating func lie() {
        disk.plan(DiskFaults())
        disk.spaceByteCount = .max
        var opened = open()
        guard let core = opened.take() else { return oracle.note("the last start failed") }
        let (base, end) = (core.report.endSegment, core.position)
        close(core)
        guard oracle.finding == nil, end > base else { return }
        let name = FileName.segment(base)
        let byteCount = min(Int(end - base), configuration.segmentByteCount)
        switch bits.below(4) {
        case 0, 1: disk.flip(bit: bits.below(byteCount * 8), of: name)
        case 2:
            oracle.allowsLoss = true
            let sector = SimulatedStorage.sectorByteCount
            let to = bits.below(byteCount / sector + 1) * sector
            let from = bits.below(byteCount / sector + 1) * sector
            let count = min(sector, configuration.segmentByteCount - max(to, from))
            disk.overwrite(to..<to + count, from: from, of: name)
        default:
            oracle.allowsLoss = true
            misplaceFrame(name)
        }
        isLying = true
        _ = open()
        isLying = false
        oracle.allowsLoss = false
        disk.kill()
    }

    private mutating func close(_ core: consuming JournalCore<SimulatedStorage>) {
        core.close()
        disk.kill()
    }

    /// Puts a frame where another of the same length is.
    private mutating func misplaceFrame(_ name: FileName) {
        let whole = 0..<configuration.segmentByteCount
        guard let file = try? disk.open(name),
            (try? disk.readAll(file, at: 0, reading.region, whole)) != nil
        else { return }
        var frames: [(offset: Int, byteCount: Int)] = []
        for offset in stride(from: 0, to: whole.count - FrameHeader.byteCount, by: 8) {
            if let header = FrameHeader(reading.region, at: offset), !header.kind.isMark {
                frames.append((offset, header.frameByteCount))
            }
        }
        guard let from = frames.randomElement(using: &bits) else { return }
        guard let to = frames.filter({ $0.byteCount == from.byteCount }).randomElement(using: &bits)
        else { return }
        disk.overwrite(to.offset..<to.offset + to.byteCount, from: from.offset, of: name)
    }

    /// The process is killed, or the power goes.
    private mutating func crash() {
        let isKilled = bits.oneIn(6)
        record(isKilled ? "killed" : "power lost")
        if isKilled { disk.kill() } else { disk.cut() }
        result.crashCount += 1
    }
}

/// The writers of all three streams of a small journal.
private struct Writers: ~Copyable {
    private var first: StreamWriter
    private var second: StreamWriter
    private var control: StreamWriter

    init(_ core: borrowing JournalCore<SimulatedStorage>) {
        first = core.writer(of: 0)
        second = core.writer(of: 1)
        control = core.writer(of: StreamNumber.control)
    }

    mutating func append(_ index: Int, _ content: UInt64, _ payload: [UInt8]) -> UInt64? {
        switch index {
        case 0: Self.append(&first, content, payload)
        case 1: Self.append(&second, content, payload)
        default: Self.append(&control, content, payload)
        }
    }

    func durableSequence(_ index: Int) -> UInt64 {
        switch index {
        case 0: first.durableSequence
        case 1: second.durableSequence
        default: control.durableSequence
        }
    }

    private static func append(
        _ writer: inout StreamWriter, _ content: UInt64, _ payload: [UInt8]
    ) -> UInt64? {
        guard writer.reserve(payloadByteCount: payload.count) else { return nil }
        defer { writer.releaseReserve() }
        let answer = writer.append(
            after: writer.sequence, firstEvent: content, eventCount: 1,
            time: Int64(bitPattern: ~content), payload: payload.span)
        guard case .taken(let sequence) = answer else { return nil }
        return sequence
    }
}
