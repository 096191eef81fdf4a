// Numbers in base 16, for marks.

extension ByteBuffer {
    /// Appends `value` in 16 lower-case hexadecimal digits.
    package mutating func append(hexadecimal value: UInt64) {
        reserve(16)
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift)) & 15
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
