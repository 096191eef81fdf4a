// Which journals go with a snapshot.

import Testing

@testable import Engine
@testable import Journal
@testable import Snapshot

@Suite struct JournalMarksTests {
    /// Shard 0 at 7, shard 1 at 9, the control stream at 4; a hash is ten times the sequence.
    private let marks = JournalMarks(
        Manifest(
            format: 1, number: 3, time: 0, shardCount: 2, positions: 0,
            shards: [head(7), head(9)].map { StreamMark($0) }, control: StreamMark(head(4)),
            versions: MasterVersions(locations: 0, groups: 0, channels: 0, rules: 0), files: []))

    private static func head(_ sequence: UInt64) -> StreamHead {
        StreamHead(sequence: sequence, hash: sequence * 10, generation: 1)
    }

    private func frame(_ stream: UInt16, _ sequence: UInt64, hash: UInt64) -> FrameHeader {
        var header = FrameHeader(
            .facts, stream: stream, payloadByteCount: 0, generation: 1, sequence: sequence,
            previousHash: 0)
        header.hash = hash
        return header
    }

    /// Streams that go from behind the first number to the second.
    private func extents(
        _ first: (UInt64, UInt64), _ second: (UInt64, UInt64), _ control: (UInt64, UInt64)
    ) -> [Extent] {
        zip([0, 1, StreamNumber.control], [first, second, control]).map { stream, range in
            Extent(stream: stream, start: Self.head(range.0), head: Self.head(range.1))
        }
    }

    @Test func `frames up to a mark are passed, those behind it are not`() throws {
        #expect(try !marks.isBehind(frame(0, 6, hash: 1)))
        #expect(try !marks.isBehind(frame(0, 7, hash: 70)))
        #expect(try marks.isBehind(frame(0, 8, hash: 1)))
        #expect(try !marks.isBehind(frame(StreamNumber.control, 4, hash: 40)))
        #expect(try marks.isBehind(frame(StreamNumber.control, 5, hash: 1)))
        #expect(try JournalMarks(nil).isBehind(frame(1, 1, hash: 1)))
    }

    @Test func `a marker must be the frame that the snapshot was taken at`() {
        #expect(throws: JournalError.self) { try marks.isBehind(frame(1, 9, hash: 91)) }
    }

    @Test func `a marker that was trimmed is known by the frame behind it`() throws {
        try marks.check(extents((7, 8), (9, 9), (4, 4)))
        var other = extents((7, 8), (9, 9), (4, 4))
        other[0].start.hash += 1
        #expect(throws: JournalError.self) { try marks.check(other) }
    }

    @Test func `a journal must begin before the snapshot ends, and end behind it`() throws {
        try marks.check(extents((0, 7), (3, 12), (0, 4)))
        #expect(throws: JournalError.self) { try marks.check(extents((8, 9), (0, 9), (0, 4))) }
        #expect(throws: JournalError.self) { try marks.check(extents((0, 7), (0, 8), (0, 4))) }
        #expect(throws: JournalError.self) { try marks.check(extents((0, 7), (0, 9), (0, 3))) }
    }

    @Test func `without a snapshot the journal must have its first frames`() throws {
        try JournalMarks(nil).check(extents((0, 7), (0, 0), (0, 4)))
        #expect(throws: JournalError.self) {
            try JournalMarks(nil).check(extents((0, 7), (0, 0), (1, 4)))
        }
        // Marks of the journal itself hold nothing.
        let own = Extent(stream: StreamNumber.journal, start: Self.head(5), head: Self.head(9))
        try JournalMarks(nil).check(extents((0, 7), (0, 0), (0, 4)) + [own])
    }
}
