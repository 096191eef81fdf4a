// A data directory: what is fixed when it is made, and who has it.
//
//     holdfast.json    format, identity, number of shards
//     key              the secret of the name hashes; its owner alone may read it
//     lock             held by the process that serves it
//     journal/         see Journal/Journal.swift
//     snapshots/       see Snapshot
//     history/         see History; made when there is something to keep
//     temporary/       what calls need meanwhile; removed at start
//
// `key` is written before `holdfast.json`, so a directory that has the one has the other.

internal import Bytes
internal import Columns
internal import Engine
internal import Foundation
internal import Journal
internal import Platform

/// Why the service cannot start with what it was given.
package struct StartError: Error, Equatable, CustomStringConvertible {
    package let description: String

    /// Nothing is wrong: the moment asked for lies outside of what is kept.
    package let isOutOfReach: Bool

    package init(_ description: String, isOutOfReach: Bool = false) {
        self.description = description
        self.isOutOfReach = isOutOfReach
    }
}

/// A directory that this process has taken.
package final class DataDirectory: Sendable {
    package let path: String
    /// Names the directory in marks.
    package let identity: UInt64
    package let shardCount: Int
    let hasher: KeyedHash
    private let lock: FileLock

    package var journalPath: String { path + "/journal" }
    package var snapshotsPath: String { path + "/snapshots" }
    package var historyPath: String { path + "/history" }

    /// What `holdfast.json` says.
    struct Description: Codable {
        var format: Int
        var identity: String
        var shards: Int
    }

    static let format = 1

    static let temporaryName = "temporary"

    /// Takes the directory at `path`, or makes one.
    ///
    /// - Parameter shardCount: Of a new one; nil for the default of 16. One that is there keeps its
    ///   number, and another one is an error.
    package init(_ path: String, shardCount: Int?) throws(StartError) {
        self.path = path
        let description: Description
        let words: [UInt64]
        do {
            try Files.makeFolders(path)
            lock = try FileLock(path + "/lock")
            if !Files.exists(path + "/holdfast.json") {
                try Self.begin(path, shardCount: shardCount ?? 16)
            }
            description = try Self.readDescription(path)
            words = try Self.readKey(path)
        } catch let error as SystemError {
            if error.code == FileLock.heldElsewhere {
                throw StartError("\(path) is in use by another process")
            }
            throw StartError(error.description)
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("\(path): \(error)")
        }
        guard let identity = UInt64(description.identity, radix: 16) else {
            throw StartError("\(path)/holdfast.json: identity is not a hexadecimal number")
        }
        if let shardCount, shardCount != description.shards {
            throw StartError(
                "\(path) has \(description.shards) shards, not \(shardCount): leave --shards out")
        }
        self.identity = identity
        self.shardCount = description.shards
        hasher = KeyedHash(words: words)
        do {
            try Files.makeFolder(journalPath)
            try Files.makeFolder(snapshotsPath)
            // What calls of a killed service have left.
            try Files.removeTree(path + "/" + Self.temporaryName)
            // Also those that a killed start has made.
            try Files.syncFolder(path)
        } catch { throw StartError(error.description) }
    }

    private static func begin(_ path: String, shardCount: Int) throws {
        for part in ["journal", "snapshots"] where Files.exists("\(path)/\(part)") {
            throw StartError(
                "\(path) has a \(part) but no holdfast.json: it is damaged, and was left as it is")
        }
        try Files.syncFolder(Files.folder(of: path))
        var random = SystemRandomNumberGenerator()
        try write(
            path, KeyedHash(using: &random), identity: random.next(), shardCount: shardCount)
    }

    /// Writes the key, and then what is fixed besides.
    static func write(
        _ path: String, _ hasher: KeyedHash, identity: UInt64, shardCount: Int
    ) throws {
        var key = ByteBuffer()
        for word in hasher.words { key.append(littleEndian: word) }
        key.append(littleEndian: xxh64(key.span))
        try Files.replace(path + "/key", with: key.span)
        let description = Description(
            format: format, identity: String(identity, radix: 16), shards: shardCount)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        var json = ByteBuffer()
        for byte in try encoder.encode(description) { json.append(byte) }
        json.append("\n")
        try Files.replace(path + "/holdfast.json", with: json.span)
    }

    static func readDescription(_ path: String) throws -> Description {
        let file = path + "/holdfast.json"
        let bytes = try readFile(file, limit: 1 << 16)
        guard let found = try? JSONDecoder().decode(Description.self, from: Data(bytes.span.array))
        else { throw StartError("\(file) is not what this program wrote") }
        guard found.format <= format else {
            throw StartError(
                "\(path) was written by a newer version (format \(found.format), this program "
                    + "reads \(format))")
        }
        guard found.shards >= 1, found.shards <= 256, found.shards & (found.shards - 1) == 0 else {
            throw StartError("\(file): \(found.shards) shards cannot be")
        }
        return found
    }

    static func readKey(_ path: String) throws -> [UInt64] {
        let bytes = try readFile(path + "/key", limit: 1 << 16)
        let count = KeyedHash.wordCount
        guard bytes.count == (count + 1) * 8,
            bytes.span.littleEndian(at: count * 8) == xxh64(bytes.span.extracting(first: count * 8))
        else { throw StartError("\(path)/key is damaged: bring it back from a backup") }
        return (0..<count).map { bytes.span.littleEndian(at: $0 * 8) }
    }
}
