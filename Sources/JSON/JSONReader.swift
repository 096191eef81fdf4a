// Reading JSON (RFC 8259) by pulling: the caller says what it expects next.
//
// The reader keeps a position and a depth, never the bytes, so it is a few words to copy: keep a
// copy to be able to go back. Nothing is allocated and nothing is lenient: no comments, no
// trailing commas, no byte order mark, no NaN, no unpaired surrogates, valid UTF-8 throughout.
//
//     try reader.beginObject(body)
//     while let key = try reader.nextKey(body) {
//         if key.equals("qty", in: body) { quantity = try reader.integer(body) }
//         else { try reader.skipValue(body) }
//     }
//     try reader.end(body)
//
// Each key, and each element that `nextElement` announces, is followed by exactly one value read
// or skipped. All calls get the same bytes. When they end too early the error is `truncated`,
// with one exception that only a caller who is still waiting for bytes can meet: a number at the
// very end may continue in the next piece. Such callers first find the end of a value with
// `JSONValueScanner` or `JSONElementScanner`.

public import Bytes

/// What a JSON value is, by its first byte.
@usableFromInline
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}

/// A pull reader of one JSON document.
@usableFromInline
package struct JSONReader: Sendable {
    @usableFromInline var position: Int
    @usableFromInline var openCount: Int
    @usableFromInline let depthMax: Int

    /// Whether the container just opened has shown nothing yet.
    @usableFromInline var isFirst = false

    /// A reader of the document that starts at `offset`.
    ///
    /// - Parameter depthMax: How deep containers may nest, at most 64.
    @inlinable
    package init(offset: Int = 0, depthMax: Int = 16) {
        precondition(offset >= 0 && depthMax >= 0 && depthMax <= 64)
        position = offset
        openCount = 0
        self.depthMax = depthMax
    }

    /// Where the next byte is read.
    @inlinable package var offset: Int { position }

    /// How many containers are open.
    @inlinable package var depth: Int { openCount }

    /// The kind of the next value, which stays unread.
    ///
    /// - Throws: `truncated`, `unexpected_byte`.
    @inlinable
    package mutating func peek(_ bytes: Span<UInt8>) throws(JSONError) -> JSONKind {
        let byte = try nextByte(bytes)
        switch byte {
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"): return .true
        case UInt8(ascii: "f"): return .false
        case UInt8(ascii: "n"): return .null
        default: throw JSONError(.unexpectedByte, at: position)
        }
    }

    /// Enters the object that comes next.
    ///
    /// - Throws: `wrong_kind`, `too_deep`, or why there is no value.
    @inlinable @inline(__always)
    package mutating func beginObject(_ bytes: Span<UInt8>) throws(JSONError) {
        try begin(bytes, UInt8(ascii: "{"))
    }

    /// Enters the array that comes next.
    ///
    /// - Throws: `wrong_kind`, `too_deep`, or why there is no value.
    @inlinable @inline(__always)
    package mutating func beginArray(_ bytes: Span<UInt8>) throws(JSONError) {
        try begin(bytes, UInt8(ascii: "["))
    }

    /// The next key of the object, its colon read too; nil when the object ended.
    ///
    /// - Throws: `unexpected_byte` where comma, colon or key are not as they must be, `truncated`,
    ///   and what a string can be refused for.
    @inlinable @inline(__always)
    package mutating func nextKey(_ bytes: Span<UInt8>) throws(JSONError) -> JSONString? {
        if try nextByte(bytes) == UInt8(ascii: "}") {
            close()
            return nil
        }
        return try readKey(bytes)
    }
    /// Reads the next key if it is `name`, written plainly with its colon right behind it.
    ///
    /// The quick way where a caller knows what probably comes; a quarter of `nextKey` and a
    /// comparison. What it does not take, `nextKey` decides on: another key, the same key written
    /// otherwise, the end of the object, an error.
    ///
    /// - Precondition: `name` has nothing that JSON escapes.
    @inlinable @inline(__always)
    package mutating func takeKey(_ bytes: Span<UInt8>, _ name: StaticString) -> Bool {
        var at = position
        if !isFirst {
            guard at < bytes.count, unsafe bytes[unchecked: at] == UInt8(ascii: ",") else {
                return false
            }
            at &+= 1
        }
        let close = at &+ 1 &+ name.utf8CodeUnitCount
        guard close &+ 1 < bytes.count, unsafe bytes[unchecked: at] == UInt8(ascii: "\""),
            unsafe bytes[unchecked: close] == UInt8(ascii: "\""),
            unsafe bytes[unchecked: close &+ 1] == UInt8(ascii: ":"),
            bytes.holds(name, at: at &+ 1)
        else { return false }
        position = close &+ 2
        isFirst = false
        return true
    }

    /// Whether the array has one more element, which comes next; false when the array ended.
    ///
    /// - Throws: `unexpected_byte` where a comma is missing, `truncated`.
    @inlinable
    package mutating func nextElement(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        let byte = try nextByte(bytes)
        if byte == UInt8(ascii: "]") {
            close()
            return false
        }
        if isFirst {
            isFirst = false
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: position) }
        position &+= 1
        return true
    }

    /// Makes sure that only white space follows.
    ///
    /// - Throws: `trailing_bytes`.
    @inlinable
    package mutating func end(_ bytes: Span<UInt8>) throws(JSONError) {
        assert(openCount == 0)
        skipSpace(bytes)
        if position < bytes.count { throw JSONError(.trailingBytes, at: position) }
    }

    /// Follows the bytes after the caller took `byteCount` off their front.
    @inlinable
    package mutating func dropped(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= position)
        position &-= byteCount
    }

    /// Goes on behind the array just entered, whose elements were read by a `JSONElementScanner`.
    ///
    /// - Parameter end: The offset after the closing bracket.
    package mutating func leaveArray(at end: Int) {
        precondition(end > position)
        position = end &- 1
        close()
    }

    // MARK: What the calls above are made of

    /// The next byte that is no white space, which stays unread.
    @inlinable @inline(__always)
    mutating func nextByte(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
        if position < bytes.count {
            let byte = unsafe bytes[unchecked: position]
            if byte > 0x20 { return byte }
        }
        skipSpace(bytes)
        guard position < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
        return unsafe bytes[unchecked: position]
    }

    /// Reads the comma where there must be one, a key and its colon.
    @inlinable
    mutating func readKey(_ bytes: Span<UInt8>) throws(JSONError) -> JSONString {
        var byte = try nextByte(bytes)
        if !isFirst {
            guard byte == UInt8(ascii: ",") else {
                throw JSONError(.unexpectedByte, at: position)
            }
            position &+= 1
            byte = try nextByte(bytes)
        }
        guard byte == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: position) }
        isFirst = false
        let key = try scanString(bytes, from: position &+ 1)
        position = key.range.end &+ 1
        guard try nextByte(bytes) == UInt8(ascii: ":") else {
            throw JSONError(.unexpectedByte, at: position)
        }
        position &+= 1
        return key
    }

    /// Moves past space, tab, line feed and carriage return (RFC 8259 §2).
    @usableFromInline
    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count, isSpace(unsafe bytes[unchecked: position]) { position &+= 1 }
    }

    @inlinable @inline(__always)
    mutating func begin(_ bytes: Span<UInt8>, _ bracket: UInt8) throws(JSONError) {
        guard try nextByte(bytes) == bracket else { throw otherKind(bytes) }
        guard openCount < depthMax else { throw JSONError(.tooDeep, at: position) }
        position &+= 1
        openCount &+= 1
        isFirst = true
    }

    @inlinable @inline(__always)
    mutating func close() {
        precondition(openCount > 0)
        position &+= 1
        openCount &-= 1
        isFirst = false
    }

    /// The error for a value of a kind that was not asked for.
    @usableFromInline
    func otherKind(_ bytes: Span<UInt8>) -> JSONError {
        var copy = self
        do throws(JSONError) {
            _ = try copy.peek(bytes)
            return JSONError(.wrongKind, at: copy.position)
        } catch {
            return error
        }
    }
}

/// Whether `byte` is white space of RFC 8259 §2.
@inlinable
func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
}
