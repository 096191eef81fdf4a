// Requests one after the other, most of which begin with the same lines.
//
//     POST /v1/availability HTTP/1.1      ┐
//     Host: stock.example                 │ familiar: compared, not read
//     Content-Type: application/json      ┘
//     Content-Length: 87                  ┐ read
//                                         ┘

import Bytes

/// A parser that knows the lines which requests like to begin with.
///
/// A client sends the same lines with every request, but for the length of the body. What the
/// parser knows behind the lines above Content-Length depends on their bytes alone, so a request
/// that begins with the very same bytes starts from there. What is answered is what a
/// `RequestParser` answers.
///
/// The comparison takes equally long whatever the bytes are: heads hold keys, and how long an
/// answer takes must not tell how much of somebody's key was guessed.
package struct RequestReader: ~Copyable {
    /// Holds the head that was read last.
    package private(set) var parser: RequestParser

    /// The lines above a Content-Length; empty when none are known.
    private var familiarLines = ByteBuffer()

    /// The parser behind the familiar lines.
    private var familiar: RequestParser

    /// Requests that began otherwise.
    private var unfamiliarCount = 0

    /// Lines are learnt from one in so many unfamiliar requests, which bounds what clients that
    /// take turns can cost: to learn is to read the lines once more.
    private static var learningInterval: Int { 16 }

    /// The most bytes that are learnt.
    private static var familiarByteCountMax: Int { 2048 }

    package init(limits: HTTPLimits = .standard) {
        parser = RequestParser(limits: limits)
        familiar = parser
    }

    /// Reads the head of a request from its start.
    ///
    /// - Parameter bytes: Everything from the first byte of the request on.
    /// - Returns: Whether `parser.head` is whole; otherwise more bytes are needed.
    /// - Throws: The reason to refuse.
    /// - Complexity: O(bytes of the head); allocates only while it learns.
    package mutating func read(_ bytes: Span<UInt8>) throws(HTTPRefusal) -> Bool {
        if bytes.begins(withSecret: familiarLines) {
            parser = familiar
            return try parser.read(bytes)
        }
        parser.reset()
        guard try parser.read(bytes) else { return false }
        if unfamiliarCount % Self.learningInterval == 0 { learn(bytes) }
        unfamiliarCount &+= 1
        return true
    }

    /// Learns the lines above Content-Length of the request just read.
    @inline(never)
    private mutating func learn(_ bytes: Span<UInt8>) {
        let byteCount = parser.lengthLineStart
        guard byteCount > 0, byteCount <= Self.familiarByteCountMax else { return }
        let lines = bytes.extracting(first: byteCount)
        familiar.reset()
        guard (try? familiar.read(lines)) == false else {
            preconditionFailure("Lines that were read before cannot be read again.")
        }
        familiarLines.removeAll()
        familiarLines.append(lines)
    }
}

extension Span<UInt8> {
    /// Whether the span begins with what `secret` holds, which is not empty. Takes equally long
    /// whatever the bytes are.
    fileprivate func begins(withSecret secret: borrowing ByteBuffer) -> Bool {
        let prefix = secret.span
        // Shorter than any request line: none is known.
        guard prefix.count >= 8, prefix.count <= count else { return false }
        let last = prefix.count &- 8
        var difference = unsafe word(unchecked: last) ^ prefix.word(unchecked: last)
        var offset = 0
        while offset < last {
            unsafe difference |= word(unchecked: offset) ^ prefix.word(unchecked: offset)
            offset &+= 8
        }
        return difference == 0
    }
}
