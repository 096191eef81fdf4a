// Closed segments of the journal, compressed: what an answer about the past is made from.
//
//     history/0000000000000000.journal.zst          one zstd frame, with its content's size and checksum
//     history/0000000004000000.journal.zst.new      one that is being written
//
// What a file holds is the segment byte for byte, so it is read and checked as the journal is. Segments
// follow each other without a gap, and the journal's own follow the last of them.

package import Platform

/// The folder of the history.
package struct HistoryFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    static let suffix = ".journal.zst"
    static let draftSuffix = ".new"

    package static func fileName(_ base: UInt64) -> String {
        let digits = String(base, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits + suffix
    }

    package func file(_ base: UInt64) -> String { "\(path)/\(Self.fileName(base))" }

    /// The segments there are, by base, oldest first; none where there is no folder.
    package func bases() throws(SystemError) -> [UInt64] {
        try Files.names(in: path).compactMap { name in
            guard name.hasSuffix(Self.suffix), let base = UInt64(name.prefix(16), radix: 16),
                Self.fileName(base) == name
            else { return nil }
            return base
        }
    }

    /// Bytes of the file of a segment.
    package func byteCount(_ base: UInt64) throws(SystemError) -> Int {
        try Descriptor.open(file(base)).byteCount()
    }
}
