// A file system that fails at a step, and what a loss of power leaves of what was not synced.
//
// Fault model: a step fails and so do all behind it. Then, of what was not synced, each piece is kept
// or lost by itself: a file written since its last sync is cut anywhere or has zeros in its second
// half; a name made since its folder's last sync is gone; a rename since then is undone.

import Bytes
import Foundation
import Platform

@testable import EngineTests
@testable import Snapshot

/// One thread uses it at a time.
final class FailingStorage: SnapshotStorage, @unchecked Sendable {
    enum Operation: Equatable {
        case makeFolder(String)
        case create(String)
        case write(String)
        case sync(String)
        case syncFolder(String)
        case rename(String, to: String)
        case link(String)
        case remove(String)
    }

    private let system = FileSystem()
    private var failingStep: Int?
    private(set) var operations: [Operation] = []
    private(set) var hasFailed = false

    private var unsyncedFiles: Set<String> = []
    private var unsyncedNames: Set<String> = []
    private var renames: [(from: String, to: String, before: String?)] = []

    /// - Parameter failingStep: Counted from 0; nil: none fails.
    init(failingAt failingStep: Int? = nil) { self.failingStep = failingStep }

    private func step(_ operation: Operation) throws(SystemError) {
        if hasFailed || operations.count == failingStep {
            hasFailed = true
            throw SystemError("go on", code: 5)
        }
        operations.append(operation)
    }

    /// Steps succeed again; what was not synced is still in memory alone.
    func recover() {
        failingStep = nil
        hasFailed = false
    }

    func makeFolder(_ path: String) throws(SystemError) {
        try step(.makeFolder(path))
        try system.makeFolder(path)
    }

    func names(in path: String) throws(SystemError) -> [String] { try system.names(in: path) }

    func open(_ path: String, isUncached: Bool) throws(SystemError) -> any StoredFile {
        try system.open(path, isUncached: isUncached)
    }

    func create(_ path: String) throws(SystemError) -> any StoredFile {
        try step(.create(path))
        let file = try system.create(path)
        unsyncedFiles.insert(path)
        unsyncedNames.insert(path)
        return FailingFile(self, path, file)
    }

    fileprivate func write(
        _ bytes: Span<UInt8>, to file: any StoredFile, _ path: String
    ) throws(SystemError) {
        try step(.write(path))
        unsyncedFiles.insert(path)
        try file.write(bytes)
    }

    fileprivate func sync(_ file: any StoredFile, _ path: String) throws(SystemError) {
        try step(.sync(path))
        try file.sync()
        unsyncedFiles.remove(path)
    }

    func syncFolder(_ path: String) throws(SystemError) {
        try step(.syncFolder(path))
        try system.syncFolder(path)
        unsyncedNames = unsyncedNames.filter { ($0 as NSString).deletingLastPathComponent != path }
        renames.removeAll { ($0.to as NSString).deletingLastPathComponent == path }
    }

    func rename(_ path: String, to target: String) throws(SystemError) {
        try step(.rename(path, to: target))
        let before = try? FileManager.default.destinationOfSymbolicLink(atPath: target)
        try system.rename(path, to: target)
        renames.append((path, target, before))
        if unsyncedFiles.remove(path) != nil { unsyncedFiles.insert(target) }
    }

    func link(_ path: String, to target: String) throws(SystemError) {
        try step(.link(path))
        try system.link(path, to: target)
    }

    func remove(_ path: String) throws(SystemError) {
        try step(.remove(path))
        try system.remove(path)
    }

    /// Loses power: what is on the device stays, the rest as it comes.
    func losePower(_ random: inout SeededGenerator) throws {
        let files = FileManager.default
        for rename in renames.reversed() where Bool.random(using: &random) {
            if rename.to.hasSuffix("latest") {
                try files.removeItem(atPath: rename.to)
                if let before = rename.before {
                    try files.createSymbolicLink(
                        atPath: rename.to, withDestinationPath: before)
                }
            } else {
                try files.moveItem(atPath: rename.to, toPath: rename.from)
            }
        }
        for path in unsyncedFiles where files.fileExists(atPath: path) {
            var content = try Data(contentsOf: URL(fileURLWithPath: path))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: content = content.prefix(Int.random(in: 0...content.count, using: &random))
            case 1: for index in content.count / 2..<content.count { content[index] = 0 }
            default: break
            }
            try content.write(to: URL(fileURLWithPath: path))
        }
        for path in unsyncedNames where Bool.random(using: &random) {
            try? files.removeItem(atPath: path)
        }
    }
}

/// A file that is being written, each step of which may be the one that fails.
private final class FailingFile: StoredFile {
    private let storage: FailingStorage
    private let path: String
    private let file: any StoredFile

    init(_ storage: FailingStorage, _ path: String, _ file: any StoredFile) {
        self.storage = storage
        self.path = path
        self.file = file
    }

    func byteCount() throws(SystemError) -> Int { try file.byteCount() }

    func write(_ bytes: Span<UInt8>) throws(SystemError) {
        try storage.write(bytes, to: file, path)
    }

    func read(
        at offset: Int, _ count: Int, into buffer: inout ByteBuffer
    ) throws(SystemError) -> Int {
        try file.read(at: offset, count, into: &buffer)
    }

    func sync() throws(SystemError) { try storage.sync(file, path) }
}
