// Names of SKUs, locations, channels, groups, categories and rules.
//
// UTF-8, 1–64 bytes, no control characters. Compared byte for byte: two names that look alike but
// differ in bytes (case, Unicode form) are two names.

internal import Bytes

/// Why a name is refused. Checked in the order of the cases.
package enum IdentifierRefusal: Error, Equatable, Sendable {
    case empty
    case tooLong
    case notUTF8
    case controlCharacter

    package var code: StaticString {
        switch self {
        case .empty: "identifier_empty"
        case .tooLong: "identifier_too_long"
        case .notUTF8: "identifier_not_utf8"
        case .controlCharacter: "identifier_control_character"
        }
    }
}

/// A checked name, for the calls that are not hot.
@usableFromInline
package struct Identifier: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let bytes: [UInt8]

    @inlinable package static var byteCountMax: Int { 64 }

    /// - Throws: When `bytes` is no identifier of at most `byteCountMax` bytes.
    package init(_ bytes: Span<UInt8>) throws(IdentifierRefusal) {
        try Self.check(bytes)
        var copy: [UInt8] = []
        copy.reserveCapacity(bytes.count)
        for offset in 0..<bytes.count { copy.append(bytes[offset]) }
        self.bytes = copy
    }

    package init(_ text: String) throws(IdentifierRefusal) {
        self = try withUTF8(text) { (bytes) throws(IdentifierRefusal) in try Identifier(bytes) }
    }

    @usableFromInline package var description: String { bytes.span.text }

    @usableFromInline package static func < (left: Identifier, right: Identifier) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// Checks a name without copying it.
    ///
    /// - Complexity: O(bytes); names of printable ASCII take the first loop only.
    package static func check(
        _ bytes: Span<UInt8>, byteCountMax: Int = byteCountMax
    ) throws(IdentifierRefusal) {
        guard bytes.count > 0 else { throw .empty }
        guard bytes.count <= byteCountMax else { throw .tooLong }
        var offset = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte >= 0x20, byte < 0x7F else { break }
            offset += 1
        }
        var hasControl = false
        while offset < bytes.count {
            guard let (scalar, length) = decodeScalar(bytes, at: offset) else { throw .notUTF8 }
            if scalar < 0x20 || (0x7F...0x9F).contains(scalar) { hasControl = true }
            offset += length
        }
        if hasControl { throw .controlCharacter }
    }
}

/// The Unicode scalar at `offset` and its length in bytes; nil where RFC 3629 does not allow it.
func decodeScalar(_ bytes: Span<UInt8>, at offset: Int) -> (scalar: UInt32, length: Int)? {
    let lead = bytes[offset]
    let length: Int
    var scalar: UInt32
    let smallest: UInt32
    switch lead {
    case 0x00...0x7F: return (UInt32(lead), 1)
    case 0xC2...0xDF: (length, scalar, smallest) = (2, UInt32(lead & 0x1F), 0x80)
    case 0xE0...0xEF: (length, scalar, smallest) = (3, UInt32(lead & 0x0F), 0x800)
    case 0xF0...0xF4: (length, scalar, smallest) = (4, UInt32(lead & 0x07), 0x1_0000)
    default: return nil
    }
    guard offset + length <= bytes.count else { return nil }
    for index in 1..<length {
        let byte = bytes[offset + index]
        guard byte & 0xC0 == 0x80 else { return nil }
        scalar = scalar << 6 | UInt32(byte & 0x3F)
    }
    guard scalar >= smallest, scalar <= 0x10_FFFF, !(0xD800...0xDFFF).contains(scalar) else {
        return nil
    }
    return (scalar, length)
}
