// How much of a message is looked at before it is refused.

/// The sizes above which a head, a chunk extension or a trailer is refused.
package struct HTTPLimits: Equatable, Sendable {
    /// Bytes of the request line without its CRLF.
    package let requestLineByteCountMax: Int

    /// Bytes of one header line without its CRLF.
    package let headerByteCountMax: Int

    /// Bytes of the whole head: request line, headers, the empty line and every CRLF.
    package let headByteCountMax: Int

    /// Header lines.
    package let headerCountMax: Int

    /// Bytes of all chunk extensions of one body.
    package let chunkExtensionByteCountMax: Int

    /// Bytes of the trailer section of one body, with its CRLFs and the empty line.
    package let trailerByteCountMax: Int

    /// - Precondition: Each limit lies in 0 ... 2³¹ − 1, so that sums with offsets cannot overflow.
    package init(
        requestLineByteCountMax: Int = 8192, headerByteCountMax: Int = 8192,
        headByteCountMax: Int = 32_768, headerCountMax: Int = 64,
        chunkExtensionByteCountMax: Int = 4096, trailerByteCountMax: Int = 8192
    ) {
        for limit in [
            requestLineByteCountMax, headerByteCountMax, headByteCountMax, headerCountMax,
            chunkExtensionByteCountMax, trailerByteCountMax,
        ] {
            precondition(limit >= 0 && limit <= Int32.max)
        }
        self.requestLineByteCountMax = requestLineByteCountMax
        self.headerByteCountMax = headerByteCountMax
        self.headByteCountMax = headByteCountMax
        self.headerCountMax = headerCountMax
        self.chunkExtensionByteCountMax = chunkExtensionByteCountMax
        self.trailerByteCountMax = trailerByteCountMax
    }

    package static let standard = HTTPLimits()
}
