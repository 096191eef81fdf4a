// Parts of a request target: query pairs, path segments, percent escapes.

package import Bytes

/// One `name=value` of a query, still encoded.
package struct QueryPair: Equatable, Sendable {
    package let name: ByteRange

    /// Empty when there is no `=`.
    package let value: ByteRange
}

/// The pairs of a query, in order; empty ones (`a=1&&b=2`) are passed over.
///
///     var pairs = QueryPairs(head.query)
///     while let pair = pairs.next(in: bytes) { … }
package struct QueryPairs: Sendable {
    private var offset: Int
    private let end: Int

    package init(_ query: ByteRange) {
        offset = query.offset
        end = query.end
    }

    /// - Parameter bytes: The bytes that the query is a range of.
    package mutating func next(in bytes: Span<UInt8>) -> QueryPair? {
        while offset < end {
            let rest = ByteRange(from: offset, to: end)
            let pairEnd = bytes.firstIndex(of: UInt8(ascii: "&"), in: rest)
            let pair = ByteRange(from: offset, to: pairEnd)
            offset = pairEnd &+ 1
            if pair.isEmpty { continue }
            let nameEnd = bytes.firstIndex(of: UInt8(ascii: "="), in: pair)
            return QueryPair(
                name: ByteRange(from: pair.offset, to: nameEnd),
                value: ByteRange(from: min(nameEnd &+ 1, pairEnd), to: pairEnd))
        }
        return nil
    }
}

/// The segments of a path, still encoded: `/v1/a%2Fb/` has `v1`, `a%2Fb` and an empty one.
///
/// Nothing is resolved or skipped: empty segments, `.` and `..` come out as they are, and a router
/// that knows no such name refuses them.
package struct PathSegments: Sendable {
    private var offset: Int
    private let end: Int

    /// - Parameter path: Starts with a slash, or is empty.
    package init(_ path: ByteRange) {
        offset = path.offset
        end = path.end
    }

    /// - Parameter bytes: The bytes that the path is a range of.
    package mutating func next(in bytes: Span<UInt8>) -> ByteRange? {
        guard offset < end else { return nil }
        let start = offset &+ 1
        offset = bytes.firstIndex(of: UInt8(ascii: "/"), in: ByteRange(from: start, to: end))
        return ByteRange(from: start, to: offset)
    }
}

extension Span<UInt8> {
    /// Whether percent-decoding would change the bytes.
    package func isPercentEncoded(plusIsSpace: Bool) -> Bool {
        for offset in 0..<count {
            let byte = self[offset]
            if byte == UInt8(ascii: "%") || plusIsSpace && byte == UInt8(ascii: "+") { return true }
        }
        return false
    }
}

extension ByteBuffer {
    /// Appends `encoded` with every `%XX` replaced by its byte, once: `%2541` gives `%41`.
    ///
    /// Any byte can come out, also NUL, controls, slashes and what is no UTF-8.
    ///
    /// - Parameter plusIsSpace: Whether `+` means a space: so in queries, not in paths.
    /// - Throws: `badPercentEncoding`; nothing is appended then.
    package mutating func percentDecode(
        _ encoded: Span<UInt8>, plusIsSpace: Bool
    ) throws(HTTPRefusal) {
        reserve(encoded.count)
        let start = count
        var offset = 0
        while offset < encoded.count {
            let byte = encoded[offset]
            offset &+= 1
            if byte == UInt8(ascii: "+"), plusIsSpace {
                append(UInt8(ascii: " "))
            } else if byte != UInt8(ascii: "%") {
                append(byte)
            } else {
                guard offset &+ 1 < encoded.count, let high = encoded[offset].hexValue,
                    let low = encoded[offset &+ 1].hexValue
                else {
                    removeLast(count - start)
                    throw .badPercentEncoding
                }
                append(high &<< 4 | low)
                offset &+= 2
            }
        }
    }

    /// Appends `bytes` as one path segment or query value: all but letters, digits and `-._~`
    /// (RFC 3986 §2.3) as `%XX`.
    package mutating func percentEncode(_ bytes: Span<UInt8>) {
        for offset in 0..<bytes.count {
            let byte = bytes[offset]
            if ByteSet.unreserved.contains(byte) {
                append(byte)
            } else {
                append(UInt8(ascii: "%"))
                append(hexDigit(byte &>> 4))
                append(hexDigit(byte & 15))
            }
        }
    }
}

/// The upper-case hexadecimal digit of `value`, below 16.
@inline(__always)
func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "A") &+ value &- 10
}
