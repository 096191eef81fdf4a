// Finding where a value ends while its bytes are still arriving.
//
// The scanner follows only what decides the end: strings, escapes, brackets and their depth. What
// it calls complete may still be refused by `JSONReader`; what the reader accepts, the scanner
// ends at the same byte. Each byte is looked at once, however small the pieces are.

import Bytes

/// A resumable search for the end of the next value in a growing buffer.
package struct JSONValueScanner: Sendable {
    package enum Step: Equatable, Sendable {
        /// The value starts at `start` and ends before `end`; the next call looks for another one.
        case complete(end: Int)
        /// All bytes were looked at. Those before `start` may be dropped.
        case needMore
        /// No more bytes can make this a value. Further calls say the same.
        case refused(JSONError)
    }

    private enum State: UInt8 {
        case before, inScalar, inContainer, inString, inEscape, refused
    }

    /// Where the value found, or looked for, starts.
    package private(set) var start: Int

    private var position: Int
    private var state = State.before
    private var isObject: UInt64 = 0  // The open containers, the innermost in bit 0.
    private var depth = 0
    private let depthMax: Int
    private let byteCountMax: Int
    private var error = JSONError(.truncated, at: 0)

    /// A scanner for the value that comes next at or after `offset`.
    ///
    /// - Parameters:
    ///   - depthMax: How deep containers may nest, at most 64.
    ///   - byteCountMax: How many bytes a value may have, which bounds the caller's buffer.
    package init(offset: Int = 0, depthMax: Int = 16, byteCountMax: Int = .max) {
        precondition(offset >= 0 && depthMax >= 0 && depthMax <= 64)
        start = offset
        position = offset
        self.depthMax = depthMax
        self.byteCountMax = byteCountMax
    }

    /// Goes on with the bytes that are there now: those of the last call and perhaps more.
    ///
    /// - Parameter isFinal: Whether no more bytes will come.
    package mutating func scan(_ bytes: Span<UInt8>, isFinal: Bool) -> Step {
        while position < bytes.count {
            switch state {
            case .before: begin(bytes)
            case .inScalar: if endScalar(bytes) { return complete() }
            case .inContainer: if walkContainer(bytes) { return complete() }
            case .inString: if walkString(bytes) { return complete() }
            case .inEscape:
                position &+= 1
                state = .inString
            case .refused: return .refused(error)
            }
        }
        if state == .refused { return .refused(error) }
        if position &- start > byteCountMax { return refuse(.valueTooLong, at: start) }
        if !isFinal { return .needMore }
        return state == .inScalar ? complete() : refuse(.truncated, at: start)
    }

    /// Follows the bytes after the caller took `byteCount` off their front.
    package mutating func dropped(_ byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= start)
        start -= byteCount
        position -= byteCount
    }

    /// Looks for the next value at or after `offset` instead.
    mutating func restart(at offset: Int) {
        start = offset
        position = offset
    }

    private mutating func complete() -> Step {
        guard position &- start <= byteCountMax else { return refuse(.valueTooLong, at: start) }
        state = .before
        return .complete(end: position)
    }

    private mutating func refuse(_ code: JSONErrorCode, at offset: Int) -> Step {
        state = .refused
        error = JSONError(code, at: offset)
        return .refused(error)
    }

    /// Skips white space and takes the first byte of the value.
    private mutating func begin(_ bytes: Span<UInt8>) {
        while position < bytes.count, isSpace(unsafe bytes[unchecked: position]) { position &+= 1 }
        start = position
        guard position < bytes.count else { return }
        switch bytes[position] {
        case UInt8(ascii: "\""):
            position &+= 1
            state = .inString
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            state = .inContainer
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "t"),
            UInt8(ascii: "f"), UInt8(ascii: "n"):
            state = .inScalar
        default: _ = refuse(.unexpectedByte, at: position)
        }
    }

    /// Moves to the end of a number or word; whether the end is there.
    private mutating func endScalar(_ bytes: Span<UInt8>) -> Bool {
        while position < bytes.count {
            switch unsafe bytes[unchecked: position] {
            case 0x09, 0x0A, 0x0D, 0x20, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["),
                UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "\""):
                return true
            default: position &+= 1
            }
        }
        return false
    }

    /// Moves through a container, outside of strings; whether the outermost one ended.
    private mutating func walkContainer(_ bytes: Span<UInt8>) -> Bool {
        while position < bytes.count {
            let byte = unsafe bytes[unchecked: position]
            position &+= 1
            switch byte {
            case UInt8(ascii: "\""):
                state = .inString
                return false
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < depthMax else {
                    _ = refuse(.tooDeep, at: position &- 1)
                    return false
                }
                depth &+= 1
                isObject = isObject &<< 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard isObject & 1 == (byte == UInt8(ascii: "}") ? 1 : 0) else {
                    _ = refuse(.unexpectedByte, at: position &- 1)
                    return false
                }
                depth &-= 1
                isObject &>>= 1
                if depth == 0 { return true }
            default: break
            }
        }
        return false
    }

    /// Moves to the end of a string; whether the string was the whole value.
    private mutating func walkString(_ bytes: Span<UInt8>) -> Bool {
        while position < bytes.count {
            let word = bytes.partialWord(at: position)
            let mask =
                (laneTerm(word, equalTo: UInt8(ascii: "\""))
                    | laneTerm(word, equalTo: UInt8(ascii: "\\"))) & ~word & laneHighBits
            if mask == 0 {
                position = min(position &+ 8, bytes.count)
                continue
            }
            position &+= firstLane(mask)
            let byte = bytes[position]
            position &+= 1
            if byte == UInt8(ascii: "\\") {
                state = .inEscape
                return false
            }
            state = .inContainer
            return depth == 0
        }
        return false
    }
}
