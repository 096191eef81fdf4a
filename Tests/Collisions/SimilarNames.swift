/// Names that a weak hash puts together without anybody meaning harm.
package enum SimilarNames: String, CaseIterable, Sendable {
    case sequential, sequentialLong, lastByte, letterCase, unicodeForm

    /// - Parameter number: Below 2²⁰; different numbers have different names.
    package func name(_ number: Int) -> [UInt8] {
        switch self {
        case .sequential: Array("SKU-".utf8) + digits(number)
        case .sequentialLong: Array("warehouse/aisle/shelf/bin/item-".utf8) + digits(number)
        case .lastByte: digits(number / 94 * 0x0101) + [UInt8(33 + number % 94)]
        case .letterCase:
            (0..<20).map { UInt8(ascii: "a") + UInt8($0) - (number >> $0 & 1 == 1 ? 32 : 0) }
        case .unicodeForm:
            // é as one code point, or as e with a combining accent.
            (0..<20).flatMap { number >> $0 & 1 == 1 ? [0xC3, 0xA9] : [0x65, 0xCC, 0x81] }
        }
    }

    /// Eight hexadecimal digits.
    private func digits(_ number: Int) -> [UInt8] {
        stride(from: 28, through: 0, by: -4).map { shift in
            let digit = UInt8(number >> shift & 15)
            return digit < 10 ? 48 + digit : 87 + digit
        }
    }
}
