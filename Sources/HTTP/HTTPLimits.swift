// How much of a message is looked at before it is refused.

/// The sizes above which a head, a chunk extension or a trailer is refused.
package struct HTTPLimits: Equatable, Sendable {
    /// Bytes of the request line without its CRLF.
    package var requestLineByteCountMax: Int

    /// Bytes of one header line without its CRLF.
    package var headerByteCountMax: Int

    /// Bytes of the whole head: request line, headers, the empty line and every CRLF.
    package var headByteCountMax: Int

    /// Header lines.
    package var headerCountMax: Int

    /// Bytes of all chunk extensions of one body.
    package var chunkExtensionByteCountMax: Int

    /// Bytes of the trailer section of one body, with its CRLFs and the empty line.
    package var trailerByteCountMax: Int

    package init(
        requestLineByteCountMax: Int = 8192, headerByteCountMax: Int = 8192,
        headByteCountMax: Int = 32_768, headerCountMax: Int = 64,
        chunkExtensionByteCountMax: Int = 4096, trailerByteCountMax: Int = 8192
    ) {
        self.requestLineByteCountMax = requestLineByteCountMax
        self.headerByteCountMax = headerByteCountMax
        self.headByteCountMax = headByteCountMax
        self.headerCountMax = headerCountMax
        self.chunkExtensionByteCountMax = chunkExtensionByteCountMax
        self.trailerByteCountMax = trailerByteCountMax
    }

    package static let standard = HTTPLimits()
}
