// Names in requests: ranges of the request's bytes, or of what its escapes decode to.

internal import Bytes
internal import CSV
internal import Columns
internal import HTTP
internal import JSON

/// Decoded names behind the bytes they came with.
///
/// Most names are plain and stay where they are. A name with escapes is decoded into `decoded` and
/// its range counts on behind the bytes, as if both were one text, which is never made.
struct DecodedNames: ~Copyable {
    fileprivate var decoded = ByteBuffer()

    mutating func removeAll() { decoded.removeAll() }

    var isEmpty: Bool { decoded.isEmpty }

    /// The range of a JSON string's content.
    mutating func range(_ string: JSONString, in bytes: Span<UInt8>) -> ByteRange {
        if !string.hasEscapes { return string.range }
        let start = decoded.count
        decoded.append(unescaped: string, from: bytes)
        return ByteRange(offset: bytes.count + start, count: decoded.count - start)
    }

    /// The range of a percent-encoded part of the target; nil when its escapes are malformed.
    mutating func range(
        percentEncoded part: ByteRange, in bytes: Span<UInt8>, plusIsSpace: Bool
    ) -> ByteRange? {
        let start = decoded.count
        do {
            try decoded.percentDecode(bytes.part(part), plusIsSpace: plusIsSpace)
        } catch {
            return nil
        }
        return ByteRange(offset: bytes.count + start, count: decoded.count - start)
    }
}

extension DecodedNames {
    /// Hands one name to `body`.
    @inline(__always)
    func withName<Result: ~Copyable, E: Error>(
        _ range: ByteRange, _ bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(E) -> Result
    ) throws(E) -> Result {
        // An empty one may have been decoded, and then lies behind the bytes.
        if range.isEmpty { return try body(bytes.part(.none)) }
        if range.offset < bytes.count { return try body(bytes.part(range)) }
        let part = ByteRange(offset: range.offset - bytes.count, count: range.count)
        return try body(decoded.span.part(part))
    }

    /// The key of one name.
    ///
    /// - Precondition: 1–64 bytes.
    @inline(__always)
    func key(_ range: ByteRange, _ bytes: Span<UInt8>, _ hasher: KeyedHash) -> NameKey {
        if range.offset < bytes.count { return NameKey(bytes, range, hasher) }
        let part = ByteRange(offset: range.offset - bytes.count, count: range.count)
        return NameKey(decoded.span, part, hasher)
    }
}

extension DecodedNames {
    /// The range of a CSV field's content.
    mutating func range(_ field: CSVField, in bytes: Span<UInt8>) -> ByteRange {
        if !field.hasDoubledQuotes { return field.range }
        let start = decoded.count
        decoded.append(unquoted: field, from: bytes)
        return ByteRange(offset: bytes.count + start, count: decoded.count - start)
    }
}
