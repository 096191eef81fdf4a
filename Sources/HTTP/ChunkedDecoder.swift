// Chunked bodies (RFC 9112 §7.1), read where they lie.
//
//     chunk     = size [ extensions ] CRLF data CRLF          size: hexadecimal, not zero
//     the end   = 1*"0" [ extensions ] CRLF *( trailer CRLF ) CRLF
//
// Valid here: a size of 1 to 15 hexadecimal digits with nothing around it; extensions start with
// `;` and a token character right behind the size, hold no control characters, and are skipped;
// trailers are `name: value` lines and are discarded. Every line ends in CRLF exactly. The spaces
// that the RFC lets a recipient skip before `;` are refused: readers disagree about them.

package import Bytes

/// Finds the data in a chunked body, and its end, as the bytes arrive.
///
/// The decoder consumes all it is given and keeps its state itself, so the caller may drop every
/// byte that was stepped over and need not keep chunks together.
///
///     var offset = 0                                   // in bytes
///     reading: while true {
///         switch try decoder.next(bytes, from: offset) {
///         case .data(let range): use(bytes.part(range)); offset = range.end
///         case .needMore(let consumed): offset = consumed; break reading
///         case .end(let consumed): offset = consumed; break reading
///         }
///     }
///
/// The pieces of data that come out depend on how the bytes were split; the bytes in them, the end
/// and every refusal do not.
package struct ChunkedDecoder: Sendable {
    /// What the next bytes are. Offsets count from the start of the span that was given.
    package enum Step: Equatable, Sendable {
        /// Body bytes, at least one. Continue behind the range.
        case data(ByteRange)

        /// Everything before offset `consumed`, the end of the span, is done with.
        case needMore(consumed: Int)

        /// The body ended; what follows starts at offset `consumed`.
        case end(consumed: Int)
    }

    private enum State: UInt8 {
        case size, sizeDigits, sizeLineFeed
        case extensionStart, `extension`
        case data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed
        case lastLineFeed, done
    }

    /// Digits of a chunk size; 15 of them cannot overflow.
    private static let sizeDigitCountMax = 15

    private let limits: HTTPLimits
    private let bodyByteCountMax: Int
    private var state = State.size
    private var digitCount = 0
    private var remaining = 0
    private var extensionByteCount = 0
    private var trailerByteCount = 0

    /// Bytes of data in the chunks announced so far.
    package private(set) var bodyByteCount = 0

    /// A decoder for one body.
    ///
    /// - Parameter bodyByteCountMax: A chunk that takes the body beyond is refused by its size,
    ///   before any of its data is awaited.
    package init(limits: HTTPLimits = .standard, bodyByteCountMax: Int = .max) {
        precondition(bodyByteCountMax >= 0)
        self.limits = limits
        self.bodyByteCountMax = bodyByteCountMax
    }

    /// Makes the decoder ready for another body with the same limits.
    package mutating func reset() {
        self = ChunkedDecoder(limits: limits, bodyByteCountMax: bodyByteCountMax)
    }

    /// Reads on at `offset`.
    ///
    /// - Throws: The reason to refuse; the decoder must not be used again without a reset.
    /// - Complexity: O(bytes of framing); data is stepped over.
    package mutating func next(
        _ bytes: Span<UInt8>, from offset: Int
    ) throws(HTTPRefusal) -> Step {
        var offset = offset
        if state == .done { return .end(consumed: offset) }
        while offset < bytes.count {
            if state == .data {
                let count = min(remaining, bytes.count &- offset)
                remaining &-= count
                if remaining == 0 { state = .dataReturn }
                return .data(ByteRange(offset: offset, count: count))
            }
            try step(over: bytes[offset])
            offset &+= 1
            if state == .done { return .end(consumed: offset) }
        }
        return .needMore(consumed: offset)
    }

    @inline(__always)
    private mutating func step(over byte: UInt8) throws(HTTPRefusal) {
        switch state {
        case .size, .sizeDigits: try stepOverSize(byte)
        case .sizeLineFeed:
            guard byte == UInt8(ascii: "\n") else { throw .badChunkSize }
            if remaining == 0 {
                state = .trailerStart
            } else {
                bodyByteCount &+= remaining
                state = .data
            }
        case .dataReturn:
            guard byte == UInt8(ascii: "\r") else { throw .badChunkEnd }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == UInt8(ascii: "\n") else { throw .badChunkEnd }
            (state, digitCount) = (.size, 0)
        case .extensionStart, .extension: try stepOverExtension(byte)
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            try stepOverTrailer(byte)
        case .data, .done: break
        }
    }

    @inline(__always)
    private mutating func stepOverSize(_ byte: UInt8) throws(HTTPRefusal) {
        if let digit = byte.hexValue {
            digitCount &+= 1
            guard digitCount <= Self.sizeDigitCountMax else { throw .badChunkSize }
            remaining = remaining &<< 4 | Int(digit)
            guard remaining <= bodyByteCountMax &- bodyByteCount else { throw .bodyTooLarge }
            state = .sizeDigits
        } else if byte == UInt8(ascii: "\r"), state == .sizeDigits {
            state = .sizeLineFeed
        } else if byte == UInt8(ascii: ";"), state == .sizeDigits {
            state = .extensionStart
            try countExtensionByte()
        } else {
            throw .badChunkSize
        }
    }

    private mutating func stepOverExtension(_ byte: UInt8) throws(HTTPRefusal) {
        if state == .extensionStart {
            guard ByteSet.token.contains(byte) else { throw .badChunkExtension }
            state = .extension
        } else if byte == UInt8(ascii: "\r") {
            state = .sizeLineFeed
            return
        } else if byte.isControl {
            throw .badChunkExtension
        }
        try countExtensionByte()
    }

    private mutating func countExtensionByte() throws(HTTPRefusal) {
        extensionByteCount &+= 1
        guard extensionByteCount <= limits.chunkExtensionByteCountMax else {
            throw .chunkExtensionsTooLarge
        }
    }

    private mutating func stepOverTrailer(_ byte: UInt8) throws(HTTPRefusal) {
        trailerByteCount &+= 1
        guard trailerByteCount <= limits.trailerByteCountMax else { throw .trailersTooLarge }
        switch state {
        case .trailerStart where byte == UInt8(ascii: "\r"):
            state = .lastLineFeed
        case .trailerName where byte == UInt8(ascii: ":"):
            state = .trailerValue
        case .trailerStart, .trailerName:
            guard ByteSet.token.contains(byte) else { throw .badTrailer }
            state = .trailerName
        case .trailerValue where byte == UInt8(ascii: "\r"):
            state = .trailerLineFeed
        case .trailerValue:
            if byte.isControl { throw .badTrailer }
        default:
            guard byte == UInt8(ascii: "\n") else { throw .badTrailer }
            state = state == .lastLineFeed ? .done : .trailerStart
        }
    }
}

extension UInt8 {
    /// Whether the byte is a control character other than a tab.
    var isControl: Bool { (self < 0x20 && self != UInt8(ascii: "\t")) || self == 0x7F }
}
