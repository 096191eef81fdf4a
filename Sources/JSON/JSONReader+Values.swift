// Reading single values: strings, numbers, words, and values nobody wants.

public import Bytes

extension JSONReader {
    /// The string that comes next, checked whole and left where it is.
    ///
    /// - Throws: `wrong_kind`, `truncated`, `bad_escape`, `lone_surrogate`, `bad_utf8`,
    ///   `control_character`.
    @inlinable
    package mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> JSONString {
        guard try nextByte(bytes) == UInt8(ascii: "\"") else { throw otherKind(bytes) }
        let string = try scanString(bytes, from: position &+ 1)
        position = string.range.end &+ 1
        return string
    }

    /// The integer that comes next: an optional minus and digits, nothing else, never rounded.
    ///
    /// - Throws: `wrong_kind` (also for `"1"`), `bad_number`, `leading_zero`, `negative_zero`,
    ///   `not_an_integer` (a fraction, also `1.0`), `has_exponent` (also `1e2`),
    ///   `number_out_of_range` (does not fit `Int64`), `truncated`.
    @usableFromInline
    package mutating func integer(_ bytes: Span<UInt8>) throws(JSONError) -> Int64 {
        let first = try nextByte(bytes)
        var at = position
        if first == UInt8(ascii: "-") { at &+= 1 }
        let magnitude = try wholePart(bytes, &at)
        if at < bytes.count {
            let byte = unsafe bytes[unchecked: at]
            if byte == UInt8(ascii: ".") { throw JSONError(.notAnInteger, at: at) }
            if byte | 0x20 == UInt8(ascii: "e") { throw JSONError(.hasExponent, at: at) }
        }
        return try finish(magnitude, isNegative: first == UInt8(ascii: "-"), end: at)
    }

    /// The integer that comes next, within `range`.
    ///
    /// - Throws: As `integer(_:)`; `number_out_of_range` outside `range`.
    @inlinable
    package mutating func integer(
        _ bytes: Span<UInt8>, in range: ClosedRange<Int64>
    ) throws(JSONError) -> Int64 {
        skipSpace(bytes)
        let start = position
        let value = try integer(bytes)
        guard range.contains(value) else { throw JSONError(.numberOutOfRange, at: start) }
        return value
    }

    /// The number that comes next, times ten to the power of `places`: `2.5` with two places is
    /// 250. Exact: a number with more decimals is refused, even if they are zeros.
    ///
    /// - Parameter places: 1 ... 9.
    /// - Throws: As `integer(_:)`; `not_an_integer` for too many decimals.
    package mutating func fixedPoint(
        _ bytes: Span<UInt8>, places: Int
    ) throws(JSONError) -> Int64 {
        precondition(places >= 1 && places <= 9)
        let first = try nextByte(bytes)
        var at = position
        if first == UInt8(ascii: "-") { at &+= 1 }
        var magnitude = try wholePart(bytes, &at)
        var missing = places
        if at < bytes.count, unsafe bytes[unchecked: at] == UInt8(ascii: ".") {
            at &+= 1
            while let digit = digit(bytes, at) {
                guard missing > 0 else { throw JSONError(.notAnInteger, at: at) }
                magnitude = try shifted(magnitude, digit)
                missing &-= 1
                at &+= 1
            }
            if missing == places { throw numberCut(bytes, at) }
        }
        if at < bytes.count, unsafe bytes[unchecked: at] | 0x20 == UInt8(ascii: "e") {
            throw JSONError(.hasExponent, at: at)
        }
        for _ in 0..<missing { magnitude = try shifted(magnitude, 0) }
        return try finish(magnitude, isNegative: first == UInt8(ascii: "-"), end: at)
    }

    /// The `true` or `false` that comes next.
    ///
    /// - Throws: `wrong_kind`, `truncated`, `unexpected_byte`.
    package mutating func boolean(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        switch try nextByte(bytes) {
        case UInt8(ascii: "t"):
            try word(bytes, "true")
            return true
        case UInt8(ascii: "f"):
            try word(bytes, "false")
            return false
        default: throw otherKind(bytes)
        }
    }

    /// Reads the `null` that comes next.
    ///
    /// - Throws: `wrong_kind`, `truncated`, `unexpected_byte`.
    package mutating func null(_ bytes: Span<UInt8>) throws(JSONError) {
        guard try nextByte(bytes) == UInt8(ascii: "n") else { throw otherKind(bytes) }
        try word(bytes, "null")
    }

    /// Reads a `null` if one comes next, and says whether it did.
    package mutating func takeNull(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        guard try nextByte(bytes) == UInt8(ascii: "n") else { return false }
        try word(bytes, "null")
        return true
    }

    /// Reads past the value that comes next and checks it whole, except for repeated keys.
    ///
    /// - Returns: The bytes of the value.
    /// - Throws: What any other read of it would throw.
    /// - Complexity: O(bytes); a constant amount of memory at any depth.
    @discardableResult
    package mutating func skipValue(_ bytes: Span<UInt8>) throws(JSONError) -> ByteRange {
        var isObject: UInt64 = 0  // The containers entered here, the innermost in bit 0.
        var entered = 0
        skipSpace(bytes)
        let start = position
        value: while true {
            switch try peek(bytes) {
            case .object:
                try beginObject(bytes)
                isObject = isObject &<< 1 | 1
                entered &+= 1
            case .array:
                try beginArray(bytes)
                isObject = isObject &<< 1
                entered &+= 1
            case .string: position = try scanString(bytes, from: position &+ 1).range.end &+ 1
            case .number: try skipNumber(bytes)
            case .true: try word(bytes, "true")
            case .false: try word(bytes, "false")
            case .null: try word(bytes, "null")
            }
            while entered > 0 {
                if isObject & 1 == 1 {
                    if try nextKey(bytes) != nil { continue value }
                } else {
                    if try nextElement(bytes) { continue value }
                }
                isObject &>>= 1
                entered &-= 1
            }
            return ByteRange(from: start, to: position)
        }
    }

    // MARK: Parts of numbers and words

    /// The digit at `at`, if there is one.
    @inline(__always)
    private func digit(_ bytes: Span<UInt8>, _ at: Int) -> UInt64? {
        guard at < bytes.count else { return nil }
        let digit = unsafe bytes[unchecked: at] &- UInt8(ascii: "0")
        return digit < 10 ? UInt64(digit) : nil
    }

    /// Reads the digits at `at` that stand before a point, an exponent or the end.
    private func wholePart(_ bytes: Span<UInt8>, _ at: inout Int) throws(JSONError) -> UInt64 {
        let start = at
        guard var magnitude = digit(bytes, at) else {
            throw at == position ? otherKind(bytes) : numberCut(bytes, at)
        }
        at &+= 1
        while let next = digit(bytes, at) {
            if magnitude == 0 { throw JSONError(.leadingZero, at: start) }
            // 19 digits fit UInt64; more cannot fit Int64.
            guard at &- start < 19 else { throw JSONError(.numberOutOfRange, at: position) }
            magnitude = magnitude &* 10 &+ next
            at &+= 1
        }
        return magnitude
    }

    private func shifted(_ magnitude: UInt64, _ digit: UInt64) throws(JSONError) -> UInt64 {
        guard magnitude <= UInt64.max / 10 - 1 else {
            throw JSONError(.numberOutOfRange, at: position)
        }
        return magnitude * 10 + digit
    }

    private mutating func finish(
        _ magnitude: UInt64, isNegative: Bool, end: Int
    ) throws(JSONError) -> Int64 {
        let start = position
        if !isNegative {
            guard let value = Int64(exactly: magnitude) else {
                throw JSONError(.numberOutOfRange, at: start)
            }
            position = end
            return value
        }
        guard magnitude != 0 else { throw JSONError(.negativeZero, at: start) }
        guard magnitude <= Int64.min.magnitude else {
            throw JSONError(.numberOutOfRange, at: start)
        }
        position = end
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }

    /// The error for a number that lacks a digit at `at`.
    private func numberCut(_ bytes: Span<UInt8>, _ at: Int) -> JSONError {
        JSONError(at < bytes.count ? .badNumber : .truncated, at: at)
    }

    /// Moves past the number at `position` (RFC 8259 §6).
    private mutating func skipNumber(_ bytes: Span<UInt8>) throws(JSONError) {
        var at = position
        if bytes[at] == UInt8(ascii: "-") { at &+= 1 }
        guard let first = digit(bytes, at) else { throw numberCut(bytes, at) }
        at &+= 1
        if first == 0 {
            if digit(bytes, at) != nil { throw JSONError(.leadingZero, at: at &- 1) }
        } else {
            while digit(bytes, at) != nil { at &+= 1 }
        }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at &+= 1
            guard digit(bytes, at) != nil else { throw numberCut(bytes, at) }
            while digit(bytes, at) != nil { at &+= 1 }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at &+= 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") {
                at &+= 1
            }
            guard digit(bytes, at) != nil else { throw numberCut(bytes, at) }
            while digit(bytes, at) != nil { at &+= 1 }
        }
        position = at
    }

    /// Moves past `text`, which must stand at `position`.
    private mutating func word(_ bytes: Span<UInt8>, _ text: StaticString) throws(JSONError) {
        let length = text.utf8CodeUnitCount
        for index in 0..<length {
            let at = position &+ index
            guard at < bytes.count else { throw JSONError(.truncated, at: at) }
            guard unsafe bytes[unchecked: at] == text.utf8Start[index] else {
                throw JSONError(.unexpectedByte, at: at)
            }
        }
        position &+= length
    }
}
