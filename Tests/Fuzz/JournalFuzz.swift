// The journal's recovery on any bytes as segments, and its readers after it.
//
// - Nothing traps, and nothing is read past the end of a segment.
// - What is delivered is dense and chained from the first sequence of its stream to the head.
// - What was accepted once is accepted again, with the same heads: cutting a tail leaves a journal.
// - A reader of a stream delivers what recovery has delivered.

import Bytes
import Journal
import Platform

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJournal(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = ByteBuffer(capacity: count)
    if let start = unsafe start {
        input.append(unsafe Span(_unsafeStart: start, count: min(count, segmentByteCount)))
    }
    do { try check(input.span) } catch { fatalError("\(error)") }
    return 0
}

let segmentByteCount = 4096

func require(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

/// Puts `bytes` into the first segment, every frame's hash made right where the first byte of all
/// is odd: else the hashes would stop the fuzzer at the door.
func check(_ bytes: Span<UInt8>) throws {
    let files = SimulatedStorage(seed: 1, fileByteCountMax: segmentByteCount)
    let region = try Region(byteCount: segmentByteCount)
    let hasHint = bytes.count > 0
    let content = hasHint ? bytes.extracting(1..<bytes.count) : bytes
    region.load(content, repairingHashes: hasHint && bytes[0] & 1 == 1)
    for base in [UInt64(0), UInt64(segmentByteCount)] {
        let file = try files.create(.segment(base), byteCount: segmentByteCount)
        if base == 0 { try files.writeAll(file, at: 0, region, 0..<segmentByteCount) }
        try files.sync(file)
    }
    try files.syncDirectory()
    guard let first = try recover(files) else { return }
    guard let second = try recover(files) else { fatalError("a cut journal was refused") }
    require(first == second, "a second start found something else")
}

/// The frames of each stream; nil where the journal is refused.
func recover(_ files: SimulatedStorage) throws -> [[FrameHeader]]? {
    let configuration = JournalSimulation.smallConfiguration()
    let memory = try JournalMemory(configuration)
    var frames = [[FrameHeader]](repeating: [], count: 3)
    var core: JournalCore<SimulatedStorage>
    do throws(JournalError) {
        core = try JournalCore.open(files, configuration, memory) { header, frame in
            require(frame.count == header.frameByteCount, "a frame is not whole")
            frames[min(2, Int(header.stream))].append(header)
        }
    } catch {
        if case .storage = error { fatalError("\(error)") }
        return nil
    }
    for (index, frames) in frames.enumerated() {
        let extent = core.extents[index]
        var head: FrameHeader?
        for frame in frames {
            require(frame.sequence == head.map { $0.sequence + 1 } ?? extent.first, "a hole")
            require(head == nil || frame.previousHash == head?.hash, "a broken chain")
            head = frame
        }
        require(head == nil || extent.head.sequence == head?.sequence, "a wrong head")
        try read(files, configuration, index, frames)
    }
    core.close()
    return frames
}

/// What a reader delivers must be what recovery has delivered.
func read(
    _ files: SimulatedStorage, _ configuration: JournalConfiguration, _ index: Int,
    _ frames: [FrameHeader]
) throws {
    guard let first = frames.first, let last = frames.last else { return }
    let stream = index == 2 ? StreamNumber.control : UInt16(index)
    var reader = try StreamReader(files, configuration, stream: stream, from: first.sequence)
    var read: [FrameHeader] = []
    _ = try reader.read(max: .max, through: last.sequence) { header, _ in read.append(header) }
    require(read == frames, "a reader delivers something else")
}
