// Single fields: found by the reader, compared and copied here; and written.

public import Bytes

/// A field of a row: where it is.
@usableFromInline
package struct CSVField: Equatable, Sendable {
    /// The bytes of the field, without the quotes around it.
    @usableFromInline package let range: ByteRange

    /// Whether it has quotes that are written twice, so that the bytes are not the field itself.
    @usableFromInline package let hasDoubledQuotes: Bool

    @inlinable
    package init(range: ByteRange, hasDoubledQuotes: Bool) {
        self.range = range
        self.hasDoubledQuotes = hasDoubledQuotes
    }

    /// Whether the field, which lies in `bytes`, is `text`.
    ///
    /// - Precondition: `text` has no quotes.
    @inlinable
    package func equals(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        !hasDoubledQuotes && range.count == text.utf8CodeUnitCount
            && bytes.holds(text, at: range.offset)
    }
}

extension ByteBuffer {
    /// Appends `field`, which lies in `bytes`, each doubled quote made one.
    package mutating func append(unquoted field: CSVField, from bytes: Span<UInt8>) {
        let text = bytes.part(field.range)
        guard field.hasDoubledQuotes else { return append(text) }
        var offset = 0
        while offset < text.count {
            let quote = text.firstOffset(of: UInt8(ascii: "\""), from: offset)
            let end = min(quote + 1, text.count)
            append(text.part(ByteRange(from: offset, to: end)))
            offset = end + 1
        }
    }

    /// Appends `text` as a field, quoted if it has a comma, a quote, a line feed or a carriage
    /// return, or starts with what a reader would take for a byte order mark.
    ///
    /// A row whose only field is empty is written `""` by the caller: an empty line is no row.
    package mutating func append(csvField text: Span<UInt8>) {
        var isPlain = !text.holds("\u{FEFF}", at: 0)
        for offset in text.indices {
            switch text[offset] {
            case UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D: isPlain = false
            default: break
            }
        }
        if isPlain { return append(text) }
        append(UInt8(ascii: "\""))
        for offset in text.indices {
            if text[offset] == UInt8(ascii: "\"") { append(UInt8(ascii: "\"")) }
            append(text[offset])
        }
        append(UInt8(ascii: "\""))
    }
}
