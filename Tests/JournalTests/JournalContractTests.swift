// The contract J1 to J12, kept by every storage.

import Platform
import Testing

@testable import Journal

@Suite struct JournalContractTests {
    @Test(arguments: StorageKind.allCases)
    func `J1 what is durable survives, and is durable only after its sync`(kind: StorageKind)
        throws
    {
        switch kind {
        case .file: try survives(FileFixture())
        case .simulated: for seed in 1...50 { try survives(SimulatedFixture(seed: UInt64(seed))) }
        }
    }

    private func survives(_ fixture: some Fixture) throws {
        var core = try open(fixture.files)
        var writer = core.writer(of: 0)
        writer.append(count: 3)
        #expect(writer.outcome(of: 1) == nil)
        _ = core.step()
        #expect(writer.outcome(of: 3) == .durable(3))
        writer.append(count: 2)
        #expect(writer.outcome(of: 4) == nil)
        core.abandon(fixture)

        var found: [UInt16: Frames] = [:]
        let again = try open(fixture.files, found: &found)
        #expect(
            found[0]?.map { Array(payload($0)) } == (0..<3).map { Array(repeating: $0, count: 20) })
        #expect(again.extents[0].head.sequence == 3)
        #expect(again.extents[0].first == 1)
    }

    @Test(arguments: StorageKind.allCases)
    func `J2 a place in a stream is taken once, and a journal by one process`(kind: StorageKind)
        throws
    {
        switch kind {
        case .file: try oneWins(FileFixture())
        case .simulated: try oneWins(SimulatedFixture())
        }
    }

    private func oneWins(_ fixture: some Fixture) throws {
        let core = try open(fixture.files)
        var writer = core.writer(of: 0)
        equal(writer.append([1]), .taken(1))
        equal(writer.reserve(payloadByteCount: 1), true)
        let second = writer.append(
            after: 0, firstEvent: 0, eventCount: 0, time: 0, payload: [2].span)
        #expect(second == .fenced(head: 1))
        #expect(throws: JournalError.locked) { _ = try open(fixture.files) }
    }

    @Test(arguments: StorageKind.allCases)
    func `J3 J5 J6 after a device error nothing later is durable, and a start tells`(
        kind: StorageKind
    ) throws {
        switch kind {
        case .file: try fails(FileFixture())
        case .simulated: try fails(SimulatedFixture())
        }
    }

    private func fails(_ fixture: some Fixture) throws {
        var core = try open(fixture.files)
        core.settle()
        var writer = core.writer(of: 0)
        var other = core.writer(of: 1)
        writer.append(count: 2)
        _ = core.step()
        writer.append(count: 2)
        other.append(count: 1)
        fixture.breakDevice(core)
        _ = core.step()
        #expect(core.state == .failed)
        #expect(writer.outcome(of: 2) == .durable(2))
        #expect(writer.outcome(of: 3) == .unknown)
        #expect(other.outcome(of: 1) == .unknown)
        equal(writer.reserve(payloadByteCount: 1), false)
        equal(
            writer.append(after: 4, firstEvent: 0, eventCount: 0, time: 0, payload: [1].span),
            .failed)
        equal(core.step(), false)
        equal(core.markIdle(), false)
        fixture.crash()

        let again = try open(fixture.files)
        // Each frame is at its place or nowhere: here nothing of the failed write got through.
        #expect(again.extents.dropLast().map(\.head.sequence) == [2, 0, 0])
    }

    @Test(arguments: StorageKind.allCases)
    func `J4 every life has a higher generation`(kind: StorageKind) throws {
        switch kind {
        case .file: try generations(FileFixture())
        case .simulated: try generations(SimulatedFixture())
        }
    }

    private func generations(_ fixture: some Fixture) throws {
        for life in 1...4 {
            var core = try open(fixture.files)
            #expect(core.generation == UInt64(life))
            var writer = core.writer(of: StreamNumber.control)
            writer.append(count: 1)
            _ = core.step()
            core.abandon(fixture)
        }
        let core = try open(fixture.files)
        #expect(core.extents[2].head.generation == 4)
        #expect(core.extents[2].head.sequence == 4)
    }

    @Test(arguments: StorageKind.allCases)
    func `J7 a reader gets every durable frame once, and names a damaged one`(kind: StorageKind)
        throws
    {
        switch kind {
        case .file: try reads(FileFixture())
        case .simulated: try reads(SimulatedFixture())
        }
    }

    private func reads(_ fixture: some Fixture) throws {
        var core = try open(fixture.files)
        core.settle()
        var writer = core.writer(of: 0)
        var other = core.writer(of: 1)
        var reader = try StreamReader(fixture.files, small, stream: 0, from: 1)
        var read: Frames = []
        var count = 0
        for round in 0..<40 {
            writer.append(count: 1 + round % 3)
            other.append(count: 1)
            core.settle()
            count += try reader.read(max: 2, through: writer.durableSequence) { _, frame in
                read.append(bytes(frame))
            }
        }
        count += try reader.read(max: .max, through: writer.durableSequence) { _, frame in
            read.append(bytes(frame))
        }
        #expect(core.current > 2)
        #expect(count == Int(writer.sequence) && reader.next == writer.sequence + 1)
        core.abandon(fixture)
        var found: [UInt16: Frames] = [:]
        try open(fixture.files, found: &found).abandon(fixture)
        #expect(found[0] == read)

        // The first byte of the payload of frame 2.
        let file = try fixture.files.open(.segment(0))
        try damage(fixture.files, file, sequence: 2, from: small.streams.segmentMarkByteCount)
        var second = try StreamReader(fixture.files, small, stream: 0, from: 2)
        let error = #expect(throws: JournalError.self) {
            _ = try second.read(max: 9, through: 9) { _, _ in }
        }
        guard case .damaged(let damage) = error else { throw try #require(error) }
        #expect(damage.stream == 0 && damage.sequence == 2 && damage.segment == 0)
    }

    /// Changes a byte of the frame of stream 0 with this sequence.
    private func damage(
        _ files: some Storage, _ file: FileNumber, sequence: UInt64, from start: Int
    ) throws {
        let region = try Region(byteCount: 4096)
        try files.readAll(file, at: 0, region, 0..<4096)
        for offset in stride(from: start, to: 4000, by: 8) {
            guard let header = FrameHeader(region, at: offset), header.stream == 0,
                header.sequence == sequence
            else { continue }
            region.setWord(region.word(at: offset + 64) ^ 1, at: offset + 64)
            try files.writeAll(file, at: 0, region, 0..<4096)
            return
        }
        Issue.record("there is no frame \(sequence)")
    }

    @Test(arguments: StorageKind.allCases)
    func `J8 trimming keeps what is above, and sequences go on`(kind: StorageKind) throws {
        switch kind {
        case .file: try trims(FileFixture())
        case .simulated: try trims(SimulatedFixture())
        }
    }

    private func trims(_ fixture: some Fixture) throws {
        var core = try open(fixture.files)
        core.settle()
        var writer = core.writer(of: 0)
        for _ in 0..<60 {
            writer.append(count: 2, byteCount: 40)
            core.settle()
        }
        #expect(core.current > 3)
        let kept = core.segments[2].heads[0].sequence
        // One less than the second segment's last: only the first can go.
        equal(try core.trim(through: [kept - 1, 0, 0]), 1)
        equal(try core.trim(through: [kept, 0, 0]), 1)
        equal(try core.trim(through: [kept, 0, 0]), 0)
        var reader = try StreamReader(fixture.files, small, stream: 0, from: kept)
        #expect(throws: JournalError.trimmed(first: kept + 1)) {
            _ = try reader.read(max: 1, through: kept) { _, _ in }
        }
        // All but the segment in use.
        _ = try core.trim(through: [writer.sequence, 0, 0])
        #expect(core.current == 0)
        core.abandon(fixture)
        var again = try open(fixture.files)
        let extent = again.extents[0]
        #expect(extent.head.sequence == 120 && extent.first <= 121 && extent.first > kept)
        var next = again.writer(of: 0)
        equal(next.append([9]), .taken(121))
        again.settle()
        #expect(next.outcome(of: 121) == .durable(121))
    }

    @Test(arguments: StorageKind.allCases)
    func `J9 what is under way is bounded`(kind: StorageKind) throws {
        switch kind {
        case .file: try isBounded(FileFixture())
        case .simulated: try isBounded(SimulatedFixture())
        }
    }

    private func isBounded(_ fixture: some Fixture) throws {
        var core = try open(fixture.files)
        core.settle()
        var writer = core.writer(of: 0)
        var taken = 0
        while writer.append([UInt8](repeating: 1, count: 64)) == .taken(UInt64(taken + 1)) {
            taken += 1
        }
        #expect(taken == small.outboxByteCount / 128)
        equal(writer.append([UInt8](repeating: 1, count: 64)), .busy)
        core.settle()
        #expect(writer.outcome(of: UInt64(taken)) == .durable(UInt64(taken)))
        equal(writer.append([1]), .taken(UInt64(taken + 1)))
    }

    @Test(arguments: StorageKind.allCases)
    func `J10 time is what the frames say`(kind: StorageKind) throws {
        switch kind {
        case .file: try keepsTime(FileFixture())
        case .simulated: try keepsTime(SimulatedFixture())
        }
    }

    private func keepsTime(_ fixture: some Fixture) throws {
        let times: [Int64] = [5, 1, -1, .max, .min, 0]
        var core = try open(fixture.files)
        var writer = core.writer(of: 0)
        for time in times { _ = writer.append([], time: time) }
        core.settle()
        core.abandon(fixture)
        var found: [Int64] = []
        let memory = try JournalMemory(small)
        _ = try JournalCore.open(fixture.files, small, memory) { header, _ in
            found.append(header.time)
        }
        #expect(found == times)
    }

    @Test(arguments: StorageKind.allCases)
    func `J11 opening again finds the same, also after a close`(kind: StorageKind) throws {
        switch kind {
        case .file: try opensAgain(FileFixture())
        case .simulated: try opensAgain(SimulatedFixture())
        }
    }

    private func opensAgain(_ fixture: some Fixture) throws {
        var core = try open(fixture.files)
        var writer = core.writer(of: 1)
        for _ in 0..<30 {
            writer.append(count: 3)
            core.settle()
        }
        core.abandon(fixture)
        let second = try open(fixture.files)
        let extents = second.extents
        #expect(extents[1].head.sequence == 90 && extents[1].head.hash == writer.chainHash)
        #expect(!second.report.wasClosed)
        second.abandon(fixture)
        var third = try open(fixture.files)
        #expect(third.extents.dropLast() == extents.dropLast())
        third.close()
        let fourth = try open(fixture.files)
        #expect(fourth.extents.dropLast() == extents.dropLast())
        #expect(fourth.report.wasClosed && fourth.report.cutByteCount == 0)
    }

    @Test func `J12 frames of one storage are imported into another at their sequence`() throws {
        try imports(from: FileFixture(), to: SimulatedFixture())
        try imports(from: SimulatedFixture(), to: FileFixture())
    }

    private func imports(from source: some Fixture, to target: some Fixture) throws {
        var core = try open(source.files)
        var writer = core.writer(of: 0)
        for count in [4, 5] {
            writer.append(count: count)
            core.settle()
        }
        var frames: Frames = []
        var reader = try StreamReader(source.files, small, stream: 0, from: 1)
        _ = try reader.read(max: 9, through: 9) { _, frame in frames.append(bytes(frame)) }

        // The first three came by a snapshot.
        var heads = [StreamHead](repeating: StreamHead(), count: small.streams.count)
        var third: FrameHeader?
        var again = try StreamReader(source.files, small, stream: 0, from: 3)
        _ = try again.read(max: 1, through: 9) { header, _ in third = header }
        let head = try #require(third)
        heads[0] = StreamHead(sequence: 3, hash: head.hash, generation: head.generation)
        var found: [UInt16: Frames] = [:]
        var copy = try open(target.files, starting: heads, found: &found)
        var importer = copy.writer(of: 0)
        let old = frames[0]
        for frame in frames[3...] {
            equal(importer.reserve(payloadByteCount: frame.count - 64), true)
            // Not twice, not with a gap, not changed.
            let head = importer.sequence
            equal(try importer.importFrame(old.span), .fenced(head: head))
            var changed = frame
            changed[70] ^= 4
            #expect(throws: JournalError.self) { _ = try importer.importFrame(changed.span) }
            equal(try importer.importFrame(frame.span), .taken(head + 1))
            importer.releaseReserve()
        }
        #expect(importer.chainHash == writer.chainHash)
        copy.settle()
        copy.abandon(target)
        let last = try open(target.files, found: &found)
        #expect(found[0] == Array(frames[3...]))
        #expect(last.extents[0].first == 4 && last.extents[0].head.sequence == 9)
    }

    @Test func `frames of a later generation are imported, and our own follow them`() throws {
        let source = SimulatedFixture(seed: 2)
        for _ in 0..<4 { try open(source.files).abandon(source) }
        var core = try open(source.files)
        var writer = core.writer(of: 0)
        writer.append(count: 1)
        core.settle()
        var reader = try StreamReader(source.files, small, stream: 0, from: 1)
        var frame: [UInt8] = []
        _ = try reader.read(max: 1, through: 1) { _, found in frame = bytes(found) }

        let target = SimulatedFixture(seed: 3)
        var copy = try open(target.files)
        var importer = copy.writer(of: 0)
        equal(importer.reserve(payloadByteCount: frame.count - 64), true)
        equal(try importer.importFrame(frame.span), .taken(1))
        equal(importer.append([7]), .taken(2))
        copy.settle()
        #expect(importer.outcome(of: 2) == .durable(2))
        copy.abandon(target)
        let again = try open(target.files)
        #expect(again.extents[0].head.sequence == 2)
        #expect(again.generation > core.generation)
    }

    @Test func `a journal begun at a later generation keeps what it acknowledges`() throws {
        let fixture = SimulatedFixture()
        var heads = [StreamHead](repeating: StreamHead(), count: small.streams.count)
        heads[0] = StreamHead(sequence: 3, hash: 9, generation: 7)
        var found: [UInt16: Frames] = [:]
        var core = try open(fixture.files, starting: heads, found: &found)
        var writer = core.writer(of: 0)
        equal(writer.append([1]), .taken(4))
        core.settle()
        #expect(writer.outcome(of: 4) == .durable(4))
        core.abandon(fixture)
        #expect(try open(fixture.files).extents[0].head.sequence == 4)
    }

    @Test func `frames larger than new ones may be are kept`() throws {
        let fixture = SimulatedFixture()
        var core = try open(fixture.files)
        var writer = core.writer(of: 0)
        writer.append(count: 2, byteCount: 250)
        core.settle()
        core.abandon(fixture)
        var smaller = small
        smaller.frameByteCountMax = 128
        #expect(try open(fixture.files, smaller).extents[0].head.sequence == 2)
    }

    @Test func `a reader delivers frames larger than new ones may be`() throws {
        // Above the smallest window, which is 256 KiB.
        var large = small
        large.segmentByteCount = 1 << 20
        large.frameByteCountMax = 300 << 10
        large.outboxByteCount = 1 << 20
        let fixture = try FileFixture()
        var core = try open(fixture.files, large)
        var writer = core.writer(of: 0)
        writer.append(count: 1, byteCount: 290 << 10)
        writer.append(count: 1, byteCount: 9)
        core.settle()
        #expect(writer.durableSequence == 2)
        var smaller = large
        smaller.frameByteCountMax = 128
        var reader = try StreamReader(fixture.files, smaller, stream: 0, from: 1)
        var byteCounts: [Int] = []
        _ = try reader.read(max: 9, through: 2) { header, _ in
            byteCounts.append(header.payloadByteCount)
        }
        #expect(byteCounts == [290 << 10, 9])
    }

    @Test func `a reader that trimming has overtaken is told so`() throws {
        let fixture = try FileFixture()
        var core = try open(fixture.files)
        core.settle()
        var writer = core.writer(of: 0)
        writer.append(count: 1)
        core.settle()
        var reader = try StreamReader(fixture.files, small, stream: 0, from: 1)
        equal(try reader.read(max: 1, through: 1) { _, _ in }, 1)
        for _ in 0..<60 {
            writer.append(count: 2, byteCount: 40)
            core.settle()
        }
        #expect(core.current > 3)
        _ = try core.trim(through: [writer.sequence, 0, 0])
        let first = core.segments[0].heads[0].sequence + 1
        #expect(throws: JournalError.trimmed(first: first)) {
            _ = try reader.read(max: .max, through: 121) { _, _ in }
        }
    }

    @Test func `owners are woken when the journal closes`() throws {
        let bell = try Doorbell()
        var poller = try Poller()
        try poller.add(bell.waker.descriptor, token: 0, interest: Interest.reading.with(.edge))
        let memory = try JournalMemory(small, doorbells: [bell])
        var core = try JournalCore.open(SimulatedFixture().files, small, memory) { _, _ in }
        core.settle()
        bell.prepareToSleep()
        #expect(poller.wait(timeoutMilliseconds: 0) == 0)
        core.close()
        #expect(poller.wait(timeoutMilliseconds: 0) == 1)
    }
}
