// Streams of values: the elements of one large array, or lines of JSON, cut out one by one while
// the body arrives. Each piece found is then read with `JSONReader` from its own bytes:
//
//     loop: while true {
//         switch scanner.next(buffer.span, isFinal: isFinal) {
//         case .element(let range):
//             let bytes = buffer.span.part(range)
//             var reader = JSONReader(depthMax: 15)
//             … read …, then try reader.end(bytes)
//         case .needMore(let consumed):
//             buffer.removeFirst(consumed)
//             scanner.dropped(consumed)
//             … append what arrives …
//         case .end: break loop
//         case .refused(let error): …
//         }
//     }
//
// The closing `end` matters: a scanner decides where an element ends, not whether it is valid.

package import Bytes

/// What a scanner of a stream found.
package enum JSONStreamStep: Equatable, Sendable {
    /// The next element's bytes, without white space around them.
    case element(ByteRange)
    /// More bytes are needed. The first `consumed` bytes may be dropped.
    case needMore(consumed: Int)
    /// The stream ended before this offset.
    case end(Int)
    /// The stream is malformed here. After an array's refusal nothing follows; after a line's the
    /// next call goes on behind it.
    case refused(JSONError)
}

/// The elements of an array, one by one.
package struct JSONElementScanner: Sendable {
    private enum State: UInt8 {
        case beforeArray, beforeFirst, inValue, afterValue, afterArray
    }

    private var state: State
    private let isInside: Bool
    private var values: JSONValueScanner
    private var position: Int

    /// A scanner of the array that starts at `offset`, and is all that the bytes hold.
    ///
    /// - Parameters:
    ///   - depthMax: How deep an element may nest.
    ///   - byteCountMax: How many bytes an element may have.
    package init(offset: Int = 0, depthMax: Int = 15, byteCountMax: Int = .max) {
        self.init(.beforeArray, offset, depthMax, byteCountMax)
    }

    /// A scanner of the array that `reader` has just entered. It ends at the closing bracket;
    /// `JSONReader.leaveArray(at:)` goes on from there.
    package init(inside reader: JSONReader, byteCountMax: Int = .max) {
        self.init(.beforeFirst, reader.offset, reader.depthMax - reader.depth, byteCountMax)
    }

    private init(_ state: State, _ offset: Int, _ depthMax: Int, _ byteCountMax: Int) {
        self.state = state
        isInside = state == .beforeFirst
        position = offset
        values = JSONValueScanner(
            offset: offset, depthMax: depthMax, byteCountMax: byteCountMax)
    }

    /// Goes on with the bytes that are there now: those of the last call and perhaps more.
    ///
    /// - Parameter isFinal: Whether no more bytes will come.
    /// - Complexity: Looks at each byte once.
    package mutating func next(_ bytes: Span<UInt8>, isFinal: Bool) -> JSONStreamStep {
        while true {
            if state == .inValue {
                switch values.scan(bytes, isFinal: isFinal) {
                case .complete(let end):
                    position = end
                    state = .afterValue
                    return .element(ByteRange(from: values.start, to: end))
                case .needMore:
                    position = values.start
                    return .needMore(consumed: position)
                case .refused(let error): return .refused(error)
                }
            }
            while position < bytes.count, isSpace(bytes[position]) { position += 1 }
            guard position < bytes.count else {
                if !isFinal { return .needMore(consumed: position) }
                return state == .afterArray
                    ? .end(position) : .refused(JSONError(.truncated, at: position))
            }
            let byte = bytes[position]
            switch (state, byte) {
            case (.beforeArray, UInt8(ascii: "[")):
                state = .beforeFirst
                position += 1
            case (.beforeFirst, UInt8(ascii: "]")), (.afterValue, UInt8(ascii: "]")):
                state = .afterArray
                position += 1
                if isInside { return .end(position) }
            case (.beforeFirst, _): beginValue(at: position)
            case (.afterValue, UInt8(ascii: ",")): beginValue(at: position + 1)
            case (.afterArray, _): return .refused(JSONError(.trailingBytes, at: position))
            default: return .refused(JSONError(.unexpectedByte, at: position))
            }
        }
    }

    /// Follows the bytes after the caller took `byteCount` off their front.
    package mutating func dropped(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= position)
        position -= byteCount
        if state == .inValue { values.dropped(byteCount) }
    }

    private mutating func beginValue(at offset: Int) {
        values.restart(at: offset)
        position = offset
        state = .inValue
    }
}

/// The lines of newline-delimited JSON, one by one; blank ones are left out.
///
/// A line feed cannot stand inside a valid value on one line, so a malformed line spoils itself
/// alone.
package struct JSONLineScanner: Sendable {
    private var position: Int
    private var lineStart: Int
    private var isSkipping = false
    private let byteCountMax: Int

    /// The number of lines begun so far, counted from 1 once there is one; blank ones count.
    package private(set) var line = 0

    /// - Parameter byteCountMax: How many bytes a line may have, which bounds the caller's buffer.
    package init(offset: Int = 0, byteCountMax: Int = .max) {
        precondition(offset >= 0)
        position = offset
        lineStart = offset
        self.byteCountMax = byteCountMax
    }

    /// Goes on with the bytes that are there now: those of the last call and perhaps more.
    ///
    /// - Parameter isFinal: Whether no more bytes will come, so that the last line may lack its
    ///   line feed.
    /// - Complexity: Looks at each byte once.
    package mutating func next(_ bytes: Span<UInt8>, isFinal: Bool) -> JSONStreamStep {
        while true {
            let end = bytes.firstOffset(of: 0x0A, from: position)
            let isWhole = end < bytes.count
            position = end
            if !isSkipping, end - lineStart > byteCountMax {
                isSkipping = true
                line += 1
                return .refused(JSONError(.valueTooLong, at: lineStart))
            }
            if isSkipping {
                lineStart = end
                guard isWhole else { return isFinal ? .end(end) : .needMore(consumed: end) }
                isSkipping = false
                startLine(at: end + 1)
                continue
            }
            guard isWhole || isFinal else { return .needMore(consumed: lineStart) }
            if lineStart == bytes.count { return .end(end) }
            let range = trimmed(bytes, from: lineStart, to: end)
            line += 1
            startLine(at: isWhole ? end + 1 : end)
            if !range.isEmpty { return .element(range) }
        }
    }

    /// Follows the bytes after the caller took `byteCount` off their front.
    package mutating func dropped(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= lineStart)
        lineStart -= byteCount
        position -= byteCount
    }

    private mutating func startLine(at offset: Int) {
        lineStart = offset
        position = offset
    }

    private func trimmed(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> ByteRange {
        var start = start
        var end = end
        while start < end, isSpace(bytes[start]) { start += 1 }
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return ByteRange(from: start, to: end)
    }
}
