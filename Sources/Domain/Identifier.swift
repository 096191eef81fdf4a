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
    /// - Complexity: O(bytes).
    package static func check(
        _ bytes: Span<UInt8>, byteCountMax: Int = byteCountMax
    ) throws(IdentifierRefusal) {
        guard bytes.count > 0 else { throw .empty }
        guard bytes.count <= byteCountMax else { throw .tooLong }
        guard bytes.firstInvalidUTF8() == nil else { throw .notUTF8 }
        for offset in 0..<bytes.count where bytes.isControlCharacter(at: offset) {
            throw .controlCharacter
        }
    }
}

extension Span<UInt8> {
    /// Whether a control character (C0, DEL, C1) begins at `offset` of well-formed UTF-8: those up
    /// to U+009F, of which the ones above DEL are C2 80 to C2 9F.
    fileprivate func isControlCharacter(at offset: Int) -> Bool {
        let byte = self[offset]
        if byte < 0x20 || byte == 0x7F { return true }
        return byte == 0xC2 && self[offset + 1] < 0xA0
    }
}
