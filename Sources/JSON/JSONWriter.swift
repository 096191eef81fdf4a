// Writing JSON: strings. Punctuation and keys are written by the caller as static text, numbers by
// `append(decimal:)`; there is no generic encoder.

public import Bytes

extension ByteBuffer {
    /// Appends `text` as a JSON string, quotes included.
    ///
    /// Quote, backslash and control characters are escaped, everything else stays as it is. A
    /// byte that is no UTF-8 becomes U+FFFD, so that what is written is valid JSON whatever came.
    ///
    /// - Complexity: O(bytes); eight bytes a step while nothing needs escaping.
    package mutating func append(jsonString text: Span<UInt8>) {
        reserve(text.count &+ 10)
        append(UInt8(ascii: "\""))
        var offset = 0
        while offset < text.count {
            let word = text.partialWord(at: offset)
            let mask = specialLanes(word)
            // The lanes behind the end are zeros, so the mask stops there too.
            let plain = mask == 0 ? 8 : firstLane(mask)
            append(word: word, byteCount: plain)
            offset &+= plain
            if mask != 0, offset < text.count { offset &+= append(special: text, at: offset) }
        }
        append(UInt8(ascii: "\""))
    }

    /// Appends `text`, known to need no escapes, as a JSON string, quotes included.
    ///
    /// - Precondition: `text` is UTF-8 without quote, backslash and control characters, for
    ///   example a mark, or an identifier that was checked when it came in.
    @inlinable
    package mutating func append(jsonPlain text: Span<UInt8>) {
        reserve(text.count &+ 2)
        append(UInt8(ascii: "\""))
        append(text)
        append(UInt8(ascii: "\""))
    }

    /// Appends the string at `string` in `bytes` just as it is written there, quotes included.
    @inlinable
    package mutating func append(jsonEscaped string: JSONString, from bytes: Span<UInt8>) {
        append(jsonPlain: bytes.part(string.range))
    }

    /// Appends what `text` holds as a JSON string, quotes included.
    package mutating func append(jsonString text: borrowing ByteBuffer) {
        append(jsonString: text.span)
    }

    /// Appends `true` or `false`.
    @inlinable
    package mutating func append(jsonBoolean value: Bool) {
        append(value ? "true" as StaticString : "false")
    }

    /// Appends what stands at `offset`, which is not plain ASCII.
    ///
    /// - Returns: How many bytes of `text` that was.
    private mutating func append(special text: Span<UInt8>, at offset: Int) -> Int {
        let byte = text[offset]
        switch byte {
        case UInt8(ascii: "\""): append("\\\"" as StaticString)
        case UInt8(ascii: "\\"): append("\\\\" as StaticString)
        case 0x08: append("\\b" as StaticString)
        case 0x09: append("\\t" as StaticString)
        case 0x0A: append("\\n" as StaticString)
        case 0x0C: append("\\f" as StaticString)
        case 0x0D: append("\\r" as StaticString)
        case 0..<0x20:
            append("\\u00" as StaticString)
            append(UInt8(ascii: "0") &+ byte &>> 4)
            let low = byte & 15
            append(low < 10 ? UInt8(ascii: "0") &+ low : UInt8(ascii: "a") &+ low &- 10)
        default:
            let length = text.utf8SequenceLength(at: offset)
            guard length > 0 else {
                append("\u{FFFD}" as StaticString)
                return 1
            }
            append(text.part(ByteRange(offset: offset, count: length)))
            return length
        }
        return 1
    }
}
