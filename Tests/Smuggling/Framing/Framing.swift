// Where each request of a stream ends, as Holdfast's parser and chunk decoder see it.

import Bytes
import HTTP

/// The requests in one stream of bytes, and how the stream ends, as one line of text.
///
///     end TAB request TAB request … LF
///
///     end       open                 every byte belongs to a request that is whole
///               partial              the last request is not whole
///               closed               a request asked for the end of the connection
///               refused STATUS CODE
///     request   METHOD SP target SP body in hexadecimal
struct Framing: ~Copyable {
    /// The largest body that any call takes.
    private static var bodyByteCountMax: Int { 64 << 20 }

    private var line = ByteBuffer()
    private var parser = RequestParser()

    /// Reads the whole of `stream` and adds its line.
    mutating func read(_ stream: Span<UInt8>) {
        var requests = ByteBuffer()
        do throws(HTTPRefusal) {
            line.append(try end(of: stream, &requests))
        } catch {
            line.append("refused ")
            line.append(decimal: error.status)
            line.append(UInt8(ascii: " "))
            line.append(error.code)
        }
        line.append(requests.span)
        line.append(UInt8(ascii: "\n"))
    }

    /// The lines added since the last call.
    mutating func takeLines() -> [UInt8] {
        defer { line.removeAll() }
        return (0..<line.count).map { line[$0] }
    }

    /// Reads `stream`, adds its requests to `requests` and answers how it ends.
    private mutating func end(
        of stream: Span<UInt8>, _ requests: inout ByteBuffer
    ) throws(HTTPRefusal) -> StaticString {
        var offset = 0
        while offset < stream.count {
            parser.reset()
            let rest = stream.extracting(offset...)
            guard let head = try parser.parse(rest) else { return "partial" }
            var body = ByteBuffer()
            guard let count = try read(rest, behind: head, into: &body) else { return "partial" }
            requests.append(head, in: rest, body)
            offset += count
            if !head.keepsAlive { return "closed" }
        }
        return "open"
    }

    /// Reads the body behind `head`.
    ///
    /// - Returns: The bytes of the request; nil when it is not whole.
    private func read(
        _ bytes: Span<UInt8>, behind head: borrowing RequestHead, into body: inout ByteBuffer
    ) throws(HTTPRefusal) -> Int? {
        var offset = head.byteCount
        switch head.framing {
        case .none: return offset
        case .length(let count):
            guard count <= bytes.count - offset else { return nil }
            body.append(bytes.extracting(offset..<offset + count))
            return offset + count
        case .chunked:
            var decoder = ChunkedDecoder(bodyByteCountMax: Self.bodyByteCountMax)
            while true {
                switch try decoder.next(bytes, from: offset) {
                case .data(let range):
                    body.append(bytes.part(range))
                    offset = range.end
                case .needMore: return nil
                case .end(let consumed): return consumed
                }
            }
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func append(
        _ head: borrowing RequestHead, in bytes: Span<UInt8>, _ body: borrowing ByteBuffer
    ) {
        append(UInt8(ascii: "\t"))
        // A line that ends may stand before the method.
        let start = bytes[0] == UInt8(ascii: "\r") ? 2 : 0
        append(bytes.extracting(start..<head.target.end))
        append(UInt8(ascii: " "))
        for index in 0..<body.count { append(hexadecimal: body[index]) }
    }

    private mutating func append(hexadecimal byte: UInt8) {
        for digit in [byte >> 4, byte & 15] {
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
