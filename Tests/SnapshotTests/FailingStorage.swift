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
    private let failingStep: Int?
    private(set) var operations: [Operation] = []
    private(set) var hasFailed = false

    private var pathOfFile: [Int32: String] = [:]
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

    func makeFolder(_ path: String) throws(SystemError) {
        try step(.makeFolder(path))
        try system.makeFolder(path)
    }

    func create(_ path: String) throws(SystemError) -> Descriptor {
        try step(.create(path))
        let file = try system.create(path)
        pathOfFile[file.number] = path
        unsyncedFiles.insert(path)
        unsyncedNames.insert(path)
        return file
    }

    func write(_ bytes: Span<UInt8>, to file: borrowing Descriptor) throws(SystemError) {
        let path = pathOfFile[file.number] ?? ""
        try step(.write(path))
        unsyncedFiles.insert(path)
        try system.write(bytes, to: file)
    }

    func sync(_ file: borrowing Descriptor) throws(SystemError) {
        let path = pathOfFile[file.number] ?? ""
        try step(.sync(path))
        try system.sync(file)
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
