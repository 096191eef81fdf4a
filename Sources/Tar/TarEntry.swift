// Archives as tar(1) reads and writes them: POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format").
//
//     block (512 bytes): name 100 · mode 8 · uid 8 · gid 8 · size 12 · mtime 12 · checksum 8 · kind 1 ·
//                        link 100 · "ustar\0" "00" · owner 32 · group 32 · major 8 · minor 8 · prefix 155
//     of a file: its bytes, and zeros up to the next block
//     at the end: two blocks of zeros
//
// Numbers are octal digits, and a zero byte behind. A size from 8 GiB on is binary, big-endian, its first
// bit set, as GNU tar and all others of today have it. The checksum is the sum of the block's bytes, blanks in
// its own place.

/// What an entry is.
package enum TarKind: UInt8, Sendable {
    case file = 0x30
    case link = 0x32
    case folder = 0x35
}

/// What stands before an entry's bytes.
package struct TarEntry: Equatable, Sendable {
    package var kind: TarKind
    /// At most 100 bytes when written.
    package var name: String
    package var byteCount = 0
    /// Who may read and write it, as chmod(1) has it.
    package var mode = 0o644
    /// Seconds since 1970.
    package var modified = 0
    /// Where a link leads.
    package var target = ""

    package init(_ kind: TarKind, _ name: String) {
        self.kind = kind
        self.name = name
    }
}

/// Why an archive is not read.
package enum TarError: Error, Equatable, Sendable {
    /// It ends before its end is told.
    case truncated
    /// A block is not what it should be.
    case notTar
    /// It has something that is neither file nor folder nor symbolic link.
    case unsupportedKind(UInt8)
}

enum TarBlock {
    static let byteCount = 512
    static let nameByteCount = 100

    static let mode = 100..<107
    static let size = 124..<136
    static let modified = 136..<147
    static let checksum = 148..<156
    static let kind = 156
    static let target = 157..<257
    static let magic = 257..<265
    static let prefix = 345..<500

    /// The largest size in octal digits, plus one.
    static let octalSizeEnd = 1 << 33

    /// Bytes of zeros behind so many bytes of a file.
    static func padding(behind byteCount: Int) -> Int { -byteCount & (Self.byteCount - 1) }
}
