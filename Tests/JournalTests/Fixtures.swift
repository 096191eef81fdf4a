// Journals on real and simulated storages, in one shape.

import Bytes
import Foundation
import Platform
import Testing

@testable import Journal

/// A folder that goes away with the value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("holdfast-journal-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A storage that a test can break.
protocol Fixture {
    associatedtype Files: Storage
    var files: Files { get }

    /// The process ends, and the power goes where that can be done.
    func crash()

    /// Every write fails from now on.
    func breakDevice(_ core: borrowing JournalCore<Files>)
}

struct FileFixture: Fixture {
    let folder: TemporaryFolder
    let files: FileStorage

    init() throws {
        folder = try TemporaryFolder()
        files = FileStorage(folder: folder.path)
    }

    func crash() { files.unlock() }

    func breakDevice(_ core: borrowing JournalCore<FileStorage>) {
        if let file = core.file { files.close(file) }
    }
}

struct SimulatedFixture: Fixture {
    let files: SimulatedStorage

    init(seed: UInt64 = 1) { files = SimulatedStorage(seed: seed, fileByteCountMax: 4096) }

    func crash() { files.cut() }

    func breakDevice(_ core: borrowing JournalCore<SimulatedStorage>) {
        var faults = DiskFaults()
        faults.failWrite = 1
        faults.failsForEver = true
        files.plan(faults)
    }
}

enum StorageKind: CaseIterable, Sendable {
    case file, simulated
}

let small = JournalSimulation.smallConfiguration()

/// All frames of a stream, whole.
typealias Frames = [[UInt8]]

func bytes(_ span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }

/// Opens a journal; `found` gets the frames of each stream's index.
func open<Files: Storage>(
    _ files: Files, _ configuration: JournalConfiguration = small,
    starting: [StreamHead] = [], found: inout [UInt16: Frames]
) throws(JournalError) -> JournalCore<Files> {
    let memory = try storing { () throws(SystemError) in try JournalMemory(configuration) }
    var frames: [UInt16: Frames] = [:]
    defer { found = frames }
    return try JournalCore.open(files, configuration, memory, starting: starting) {
        header, frame in frames[header.stream, default: []].append(bytes(frame))
    }
}

func open<Files: Storage>(
    _ files: Files, _ configuration: JournalConfiguration = small
) throws(JournalError) -> JournalCore<Files> {
    var found: [UInt16: Frames] = [:]
    return try open(files, configuration, found: &found)
}

extension StreamWriter {
    /// Reserves and appends a frame that says which it is.
    mutating func append(_ payload: [UInt8], time: Int64 = 5) -> Appended? {
        guard reserve(payloadByteCount: payload.count) else { return nil }
        defer { releaseReserve() }
        return append(
            after: sequence, firstEvent: sequence * 10, eventCount: 10, time: time,
            payload: payload.span)
    }

    /// Appends `count` frames, which must be taken.
    mutating func append(count: Int, byteCount: Int = 20) {
        for _ in 0..<count {
            let number = UInt8(truncatingIfNeeded: sequence)
            let answer = append([UInt8](repeating: number, count: byteCount))
            if answer != .taken(sequence) { Issue.record("\(String(describing: answer))") }
        }
    }
}

extension JournalCore {
    /// Steps until there is nothing to do.
    mutating func settle() { while step() {} }

    /// The process is gone: nothing is written any more, the files are closed.
    consuming func abandon(_ fixture: some Fixture) {
        closeFiles()
        fixture.crash()
    }
}

func payload(_ frame: [UInt8]) -> ArraySlice<UInt8> {
    let count = Int(frame[8]) | Int(frame[9]) << 8
    return frame[64..<64 + count]
}

/// `#expect` for calls that change a value without copies, which the macro cannot hold.
func equal<Value: Equatable>(
    _ found: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found == expected, sourceLocation: sourceLocation)
}
