// What the service answers to an import: counts, rejected rows, or a problem.

import Bytes
import JSON

/// A row that was not taken, by its place in what was sent.
struct Rejection: Equatable, Sendable {
    /// Which element it is, from 0; −1 where it is not said.
    var index = -1

    /// The line it starts on, from 1; 0 where it is not said.
    var line = 0
    var code = ""
    var detail = ""
}

/// An answer of the service, read for what an import needs.
struct ServiceAnswer: Equatable, Sendable {
    var accepted = 0
    var duplicates = 0
    var parked = 0
    var rejected = 0

    /// The rejected ones that are listed; there may be more.
    var rejections: [Rejection] = []

    /// Of a problem (RFC 9457) or a stream that was cut; empty where there is none.
    var code = ""
    var detail = ""

    init() {}

    /// Reads a body; nil when it is no JSON object as the service writes them.
    init?(_ bytes: Span<UInt8>) {
        var reader = JSONReader()
        do throws(JSONError) {
            try reader.beginObject(bytes)
            while let key = try reader.nextKey(bytes) { try read(key, &reader, bytes) }
            try reader.end(bytes)
        } catch {
            return nil
        }
    }

    private mutating func read(
        _ key: JSONString, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        if key.equals("accepted", in: bytes) {
            accepted = Int(try reader.integer(bytes))
        } else if key.equals("duplicates", in: bytes) {
            duplicates = Int(try reader.integer(bytes))
        } else if key.equals("parked", in: bytes) {
            parked = Int(try reader.integer(bytes))
        } else if key.equals("rejected_count", in: bytes) {
            rejected = Int(try reader.integer(bytes))
        } else if key.equals("code", in: bytes) {
            code = try reader.text(bytes)
        } else if key.equals("detail", in: bytes) {
            detail = try reader.text(bytes)
        } else if key.equals("rejected", in: bytes) {
            try reader.beginArray(bytes)
            while try reader.nextElement(bytes) { try readRejection(&reader, bytes) }
        } else {
            try reader.skipValue(bytes)
        }
    }

    private mutating func readRejection(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(JSONError) {
        var rejection = Rejection()
        try reader.beginObject(bytes)
        while let key = try reader.nextKey(bytes) {
            if key.equals("index", in: bytes) {
                rejection.index = Int(try reader.integer(bytes))
            } else if key.equals("line", in: bytes) {
                rejection.line = Int(try reader.integer(bytes))
            } else if key.equals("code", in: bytes) {
                rejection.code = try reader.text(bytes)
            } else if key.equals("detail", in: bytes) {
                rejection.detail = try reader.text(bytes)
            } else {
                try reader.skipValue(bytes)
            }
        }
        rejections.append(rejection)
    }
}

extension JSONReader {
    /// The string that comes next, its escapes resolved.
    mutating func text(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        let string = try string(bytes)
        guard string.hasEscapes else { return bytes.part(string.range).text }
        var text = ByteBuffer(capacity: string.range.count)
        text.append(unescaped: string, from: bytes)
        return text.span.text
    }
}
