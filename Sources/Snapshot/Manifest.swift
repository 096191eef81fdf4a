// manifest.json: what a snapshot consists of and where in the journal it stands. Written last: a
// folder without one is no snapshot.
//
//     { "checksum": "0123456789abcdef", … }
//
// The checksum is the XXH64 of the file itself with 16 zeros in its place, so that a flipped bit in
// a sequence is noticed as one in a table is.

package import Bytes
package import Engine
internal import FoundationEssentials
package import Journal

/// A 64-bit word, in JSON as 16 hexadecimal digits: many programs read numbers as floating point.
package struct HexWord: Codable, Equatable, Sendable {
    package var value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not 16 digits"))
        }
        self.value = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// How far a stream of the journal is in a snapshot: its marker frame.
package struct StreamMark: Codable, Equatable, Sendable {
    package var sequence: UInt64
    package var hash: HexWord
    package var generation: UInt64
    /// Of a shard: commands that have left facts, and changes of items.
    package var events: UInt64 = 0
    package var itemChanges: UInt64 = 0

    package init(sequence: UInt64, hash: UInt64, generation: UInt64) {
        self.sequence = sequence
        self.hash = HexWord(hash)
        self.generation = generation
    }

    package init(_ head: StreamHead) {
        self.init(sequence: head.sequence, hash: head.hash, generation: head.generation)
    }

    package var head: StreamHead {
        StreamHead(sequence: sequence, hash: hash.value, generation: generation)
    }
}

/// A file of a snapshot.
package struct SnapshotFile: Codable, Equatable, Sendable {
    /// In the snapshot's folder.
    package var name: String
    package var bytes: Int
    /// Of a table; 0 otherwise.
    package var rows: Int
    package var xxh64: HexWord
}

package struct Manifest: Codable, Equatable, Sendable {
    package var format: Int
    package var number: UInt64
    /// Service time, in milliseconds since 1970 UTC.
    package var time: Milliseconds
    /// Service time when it held all that it holds: nothing in it was decided later. nil: not told.
    package var frozenBy: Milliseconds?
    package var shardCount: Int
    package var positions: Int
    /// By shard.
    package var shards: [StreamMark]
    package var control: StreamMark
    package var versions: MasterVersions
    package var files: [SnapshotFile]

    package static let currentFormat = 2
    package static let fileName = "manifest.json"
    static let byteCountMax = 64 << 20

    private static let head = "{\n  \"checksum\" : \""
    private static let zeros = "0000000000000000"

    /// The bytes of the file.
    package func encoded() -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let body = try? encoder.encode(self) else {
            preconditionFailure("numbers and texts are always encoded")
        }
        var output = ByteBuffer()
        output.append(Self.head + Self.zeros + "\",")
        // The rest of the object, without its brace.
        for byte in body.dropFirst() { output.append(byte) }
        output.append("\n")
        var hash = XXH64Stream()
        hash.update(output.span)
        for (offset, digit) in HexWord(hash.hash).text.utf8.enumerated() {
            output[Self.head.utf8.count + offset] = digit
        }
        return output
    }

}

extension Manifest {
    /// Reads a manifest. Trusts nothing.
    init(_ bytes: Span<UInt8>) throws(SnapshotError.Problem) {
        let start = Self.head.utf8.count
        guard bytes.count > start + 16,
            bytes.extracting(first: start).text == Self.head
        else { throw .manifest("is no manifest") }
        let checksum = bytes.extracting(start..<start + 16).text
        var zeroed = ByteBuffer(copying: bytes)
        for offset in start..<start + 16 { zeroed[offset] = UInt8(ascii: "0") }
        var hash = XXH64Stream()
        hash.update(zeroed.span)
        guard checksum == HexWord(hash.hash).text else { throw .wrongHash }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let manifest: Manifest
        do { manifest = try decoder.decode(Manifest.self, from: Data(bytes.array)) } catch {
            throw .manifest("is no manifest of this format")
        }
        guard manifest.format == Self.currentFormat else {
            throw .manifest("has the format \(manifest.format)")
        }
        guard manifest.shardCount > 0, manifest.shards.count == manifest.shardCount else {
            throw .manifest("has not a mark for each shard")
        }
        self = manifest
    }

    /// What it says of a file.
    func file(_ name: String) throws(SnapshotError) -> SnapshotFile {
        guard let file = files.first(where: { $0.name == name }) else {
            throw .file(name, .manifest("is not in the manifest"))
        }
        return file
    }

    /// The files that a snapshot of so many shards has.
    static func fileNames(shardCount: Int) -> [String] {
        SnapshotTable.allCases.flatMap { table in
            (0..<shardCount).map { table.fileName(shard: $0) }
        } + [masterFileName]
    }
}
