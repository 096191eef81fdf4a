// Heads of requests (RFC 9112 §2–6), as strict as a server may be.
//
// Two programs that read one stream of bytes must agree where each request ends, or one can be made
// to see a request that the other takes for a body. So what could be read in two ways is refused,
// also where the RFC would let a recipient repair it: bare LF and CR, folded lines, whitespace
// before a colon, repeated Content-Length even with equal values, Content-Length beside
// Transfer-Encoding, any coding but one `chunked`, and so on. `HTTPRefusal` lists it all.

import Bytes

/// Reads the head of one request after the other.
///
///     var parser = RequestParser()
///     // bytes: everything received from the first byte of this request on
///     while let head = try parser.parse(bytes) {
///         // take the body, answer, drop head and body from the front of bytes
///         parser.reset()
///     }
///
/// The parser remembers how far it has looked, so a head that arrives byte by byte costs no more
/// than one that arrives whole. What it answers depends on the bytes alone, never on how they were
/// split. After a refusal, and after a head, it must be reset.
package struct RequestParser: Sendable {
    private enum Stage: UInt8 { case start, requestLine, fields }

    private let limits: HTTPLimits
    private var lines = HeadLines()
    private var stage = Stage.start
    private var seen: UInt32 = 0
    private var headerCount = 0
    private var connection = ConnectionOptions()
    private var hostHeader = ByteRange.none
    private var length = 0

    /// Where the Content-Length line starts; 0 before one was read.
    private(set) var lengthLineStart = 0

    /// What is known so far: the whole head as soon as `read` has answered true.
    package private(set) var head = RequestHead()

    package init(limits: HTTPLimits = .standard) {
        self.limits = limits
    }

    /// Forgets the request that was being read.
    package mutating func reset() {
        self = RequestParser(limits: limits)
    }

    /// Reads on.
    ///
    /// - Parameter bytes: Everything from the first byte of this request on: what was given to the
    ///   last call, unchanged, and what has come since. May hold the body and further requests.
    /// - Returns: The head; nil when it is not complete.
    /// - Throws: The reason to refuse, as soon as the bytes show it.
    /// - Complexity: O(bytes that are new); no allocation.
    package mutating func parse(_ bytes: Span<UInt8>) throws(HTTPRefusal) -> RequestHead? {
        try read(bytes) ? head : nil
    }

    /// Reads on like `parse`, and leaves the head where it is.
    ///
    /// - Returns: Whether `head` is whole.
    package mutating func read(_ bytes: Span<UInt8>) throws(HTTPRefusal) -> Bool {
        if stage != .fields, try !readFirstLine(bytes) { return false }
        // What is kept between calls, in registers; after a refusal it does not matter.
        var lines = lines
        var count = headerCount
        while let line = try lines.next(
            in: bytes, lineByteCountMax: limits.headerByteCountMax, tooLong: .headerTooLarge,
            headByteCountMax: limits.headByteCountMax)
        {
            if line.isEmpty {
                try finish(byteCount: lines.lineStart)
                return true
            }
            count &+= 1
            if count > limits.headerCountMax { throw .tooManyHeaders }
            try readField(line, of: bytes)
        }
        self.lines = lines
        headerCount = count
        return false
    }

    /// Reads the request line; false when it is not complete.
    private mutating func readFirstLine(_ bytes: Span<UInt8>) throws(HTTPRefusal) -> Bool {
        while let line = try lines.next(
            in: bytes, lineByteCountMax: limits.requestLineByteCountMax, tooLong: .uriTooLong,
            headByteCountMax: limits.headByteCountMax)
        {
            if line.isEmpty, stage == .start {
                stage = .requestLine  // One empty line is tolerated (RFC 9112 §2.2).
            } else {
                try head.readRequestLine(line, of: bytes)
                stage = .fields
                return true
            }
        }
        return false
    }

    @inline(__always)
    private mutating func readField(
        _ line: ByteRange, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) {
        let (name, colon) = try bytes.fieldName(of: line)
        if name == .other { return }
        let value = bytes.trimmed(from: colon &+ 1, to: line.end)
        let isRepeated = seen & name.bit != 0
        seen |= name.bit
        switch name {
        case .host:
            if isRepeated { throw .repeatedHost }
            guard bytes.isHost(value) else { throw .badHost }
            hostHeader = value
            if head.host.isEmpty {
                head.host = value
            } else if !bytes.isSame(head.host, as: value) {
                throw .hostMismatch
            }
        case .contentLength:
            if isRepeated { throw .repeatedContentLength }
            if seen & FieldName.transferEncoding.bit != 0 { throw .ambiguousFraming }
            length = try bytes.contentLength(value)
            lengthLineStart = line.offset
        case .transferEncoding:
            if isRepeated { throw .repeatedTransferEncoding }
            if head.minorVersion == 0 { throw .transferEncodingInOldVersion }
            if seen & FieldName.contentLength.bit != 0 { throw .ambiguousFraming }
            try bytes.checkTransferEncoding(value)
        case .connection:
            connection.read(value, of: bytes)
        case .contentType:
            if isRepeated { throw .repeatedHeader }
            head.contentType = value.orNone
        case .accept:
            if !isRepeated { head.accept = value.orNone }
        default:
            try readRareField(name, value, isRepeated: isRepeated, of: bytes)
        }
    }

    private mutating func readRareField(
        _ name: FieldName, _ value: ByteRange, isRepeated: Bool, of bytes: Span<UInt8>
    ) throws(HTTPRefusal) {
        switch name {
        case .authorization:
            if isRepeated { throw .repeatedHeader }
            head.authorization = value.orNone
        case .contentEncoding:
            if isRepeated { throw .repeatedHeader }
            head.contentEncoding = value.orNone
        case .ifMatch:
            if isRepeated { throw .repeatedHeader }
            // Taken for absent, it would turn a conditional write into an unconditional one.
            if value.isEmpty { throw .emptyHeader }
            head.ifMatch = value
        case .ifNoneMatch:
            if isRepeated { throw .repeatedHeader }
            if value.isEmpty { throw .emptyHeader }
            head.ifNoneMatch = value
        case .expect:
            if isRepeated { throw .repeatedHeader }
            guard bytes.part(value).equalsIgnoringCase("100-continue") else {
                throw .unsupportedExpectation
            }
            head.expectsContinue = true
        default: break  // Fields of responses.
        }
    }

    @inline(__always)
    private mutating func finish(byteCount: Int) throws(HTTPRefusal) {
        if hostHeader.isEmpty, head.minorVersion == 1 { throw .missingHost }
        if seen & FieldName.transferEncoding.bit != 0 {
            head.framing = .chunked
        } else if seen & FieldName.contentLength.bit != 0 {
            head.framing = .length(length)
        }
        // RFC 9110 §10.1.1: HTTP/1.0 clients know no 100, and there must be something to continue.
        let hasBody = head.framing != .none && head.framing != .length(0)
        head.expectsContinue = head.expectsContinue && hasBody && head.minorVersion == 1
        head.keepsAlive = connection.keepsConnection(minorVersion: head.minorVersion)
        head.byteCount = byteCount
    }
}

extension ByteRange {
    /// The range; `.none` when it is empty, wherever it lies.
    @inline(__always)
    var orNone: ByteRange { isEmpty ? .none : self }
}
