// A segment written by another program from the description of the format (Golden/make.py).

import Bytes
import Platform
import Testing

@testable import Journal

@Suite struct JournalGoldenTests {
    private func image() throws -> Region {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let content = try readFile("/\(folder)/Golden/version-1.journal")
        let region = try Region(byteCount: 4096)
        region.load(content.span, repairingHashes: false)
        return region
    }

    @Test(arguments: StorageKind.allCases)
    func `version 1 of the format is read as it was written`(kind: StorageKind) throws {
        switch kind {
        case .file: try isRead(FileFixture())
        case .simulated: try isRead(SimulatedFixture())
        }
    }

    private func isRead(_ fixture: some Fixture) throws {
        let file = try fixture.files.create(.segment(0), byteCount: 4096)
        try fixture.files.writeAll(file, at: 0, image(), 0..<4096)
        try fixture.files.sync(file)
        try fixture.files.syncDirectory()
        var headers: [FrameHeader] = []
        var payloads: [[UInt8]] = []
        let core = try JournalCore.open(fixture.files, small, JournalMemory(small)) {
            header, frame in
            headers.append(header)
            payloads.append(Array(payload(bytes(frame))))
        }
        #expect(payloads == [Array("received 5".utf8), [], Array(0..<100)])
        #expect(headers.map(\.kind) == [.facts, .facts, .marker])
        #expect(headers.map(\.stream) == [0, StreamNumber.control, 0])
        #expect(headers.map(\.sequence) == [1, 1, 2])
        #expect(headers.map(\.firstEvent) == [100, 0, 101])
        #expect(headers.map(\.eventCount) == [1, 0, 0])
        #expect(headers.map(\.time) == [1_790_000_000_000, -1, 1_790_000_000_500])
        #expect(core.report.wasClosed && core.report.cutByteCount == 0)
        #expect(core.generation == 3)
    }
}
