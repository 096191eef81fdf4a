// Why bytes are no acceptable JSON, and where.

/// The reason for a refusal. The names are part of the protocol and never change.
@usableFromInline
package enum JSONErrorCode: UInt8, Sendable, CaseIterable {
    /// The bytes end before the value does: more bytes may make it whole.
    case truncated
    /// A byte that cannot stand here.
    case unexpectedByte
    /// A value of another kind than the caller asked for.
    case wrongKind
    /// Not a number by the grammar, for example a minus without digits.
    case badNumber
    /// A zero before other digits.
    case leadingZero
    /// Minus zero, where an integer is wanted.
    case negativeZero
    /// A fraction (of more places than allowed), where an integer is wanted. Also `1.0`.
    case notAnInteger
    /// An exponent, where an integer is wanted. Also `1e2`.
    case hasExponent
    /// An integer outside the range wanted.
    case numberOutOfRange
    /// A backslash before anything but an escape of RFC 8259 §7.
    case badEscape
    /// An escape for half of a surrogate pair.
    case loneSurrogate
    /// Malformed UTF-8.
    case badUTF8
    /// A control character inside a string that is not escaped.
    case controlCharacter
    /// Containers nested deeper than the limit.
    case tooDeep
    /// Something after the end of the document.
    case trailingBytes
    /// A key that the object already had.
    case duplicateKey
    /// More keys than one object may have.
    case tooManyKeys
    /// A value of more bytes than the limit.
    case valueTooLong

    package var name: StaticString {
        switch self {
        case .truncated: "truncated"
        case .unexpectedByte: "unexpected_byte"
        case .wrongKind: "wrong_kind"
        case .badNumber: "bad_number"
        case .leadingZero: "leading_zero"
        case .negativeZero: "negative_zero"
        case .notAnInteger: "not_an_integer"
        case .hasExponent: "has_exponent"
        case .numberOutOfRange: "number_out_of_range"
        case .badEscape: "bad_escape"
        case .loneSurrogate: "lone_surrogate"
        case .badUTF8: "bad_utf8"
        case .controlCharacter: "control_character"
        case .tooDeep: "too_deep"
        case .trailingBytes: "trailing_bytes"
        case .duplicateKey: "duplicate_key"
        case .tooManyKeys: "too_many_keys"
        case .valueTooLong: "value_too_long"
        }
    }
}

/// A refusal of bytes as JSON.
@usableFromInline
package struct JSONError: Error, Equatable {
    @usableFromInline package let code: JSONErrorCode

    /// Where, in the bytes handed in: the first byte that is wrong, or the start of what is too
    /// long, repeated or cut off.
    @usableFromInline package let offset: Int

    @inlinable
    package init(_ code: JSONErrorCode, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// Whether more bytes could still make a valid document.
    @inlinable package var isTruncation: Bool { code == .truncated }
}
