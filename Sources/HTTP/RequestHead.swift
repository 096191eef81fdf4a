// What a request says before its body.

package import Bytes

/// A request method. Methods are case-sensitive (RFC 9110 §9.1).
package enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options

    /// A well-formed method without a meaning here; the router answers 405 or 501.
    case other
}

/// How the end of a request's body is found (RFC 9112 §6.3).
package enum BodyFraming: Equatable, Sendable {
    /// There is no body.
    case none

    /// Exactly so many bytes follow the head; may be 0.
    case length(Int)

    /// Chunks follow: see `ChunkedDecoder`.
    case chunked
}

/// The head of a request: ranges into the bytes that were parsed.
///
/// A range is `.none` where the header is absent or empty. Values have no whitespace around them and
/// no control characters but tabs; they may hold bytes from 0x80.
package struct RequestHead: Sendable {
    package var method = Method.other

    /// The request target as it was sent.
    package var target = ByteRange.none

    /// The target's path, still percent-encoded: starts with `/`, or is `*` (OPTIONS only), or is
    /// empty, which means the root, for a target like `http://host` or `http://host?query`.
    package var path = ByteRange.none

    /// What follows the first `?`; `.none` when there is none or nothing follows it.
    package var query = ByteRange.none

    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    package var minorVersion: UInt8 = 1

    /// Whether the client wants the connection kept after the answer (RFC 9112 §9.3).
    package var keepsAlive = true

    /// Whether the client waits for `100 Continue` before it sends the body.
    package var expectsContinue = false

    package var framing = BodyFraming.none

    /// Host and port: the authority of an absolute target, else the Host header.
    package var host = ByteRange.none
    package var contentType = ByteRange.none
    package var contentEncoding = ByteRange.none

    /// The first Accept header; it alone may be repeated.
    package var accept = ByteRange.none
    package var authorization = ByteRange.none
    package var ifMatch = ByteRange.none
    package var ifNoneMatch = ByteRange.none

    /// Bytes of the head, with an empty line tolerated before it and the empty line that ends it.
    /// The body starts here.
    package var byteCount = 0

    init() {}
}
