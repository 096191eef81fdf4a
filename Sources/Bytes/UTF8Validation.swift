// Well-formed UTF-8: RFC 3629 §4, the grammar `UTF8-octets`.
//
//     00..7F
//     C2..DF 80..BF
//     E0     A0..BF 80..BF
//     E1..EC 80..BF 80..BF
//     ED     80..9F 80..BF             (no surrogates)
//     EE..EF 80..BF 80..BF
//     F0     90..BF 80..BF 80..BF      (nothing overlong)
//     F1..F3 80..BF 80..BF 80..BF
//     F4     80..8F 80..BF 80..BF      (nothing above U+10FFFF)

extension Span<UInt8> {
    /// How many bytes the UTF-8 sequence at `offset` has.
    ///
    /// - Returns: 1 ... 4; 0 when it is malformed; −1 when the span ends inside what could still
    ///   become a well-formed sequence.
    /// - Precondition: `offset` is in `0 ..< count`.
    package func utf8SequenceLength(at offset: Int) -> Int {
        let first = self[offset]
        if first < 0x80 { return 1 }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { second = 0xA0...0xBF }
            if first == 0xED { second = 0x80...0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { second = 0x90...0xBF }
            if first == 0xF4 { second = 0x80...0x8F }
        default: return 0
        }
        for index in 1..<length {
            guard offset &+ index < count else { return -1 }
            let byte = unsafe self[unchecked: offset &+ index]
            guard index == 1 ? second.contains(byte) : byte & 0xC0 == 0x80 else { return 0 }
        }
        return length
    }

    /// The offset of the first sequence that is malformed or cut off by the end of the span; nil
    /// when the span is well-formed UTF-8.
    ///
    /// - Complexity: O(count); eight bytes a step over ASCII.
    package func firstInvalidUTF8() -> Int? {
        var offset = 0
        while offset < count {
            let high = partialWord(at: offset) & laneHighBits
            if high == 0 {
                offset &+= 8
                continue
            }
            offset &+= firstLane(high)
            let length = utf8SequenceLength(at: offset)
            if length <= 0 { return offset }
            offset &+= length
        }
        return nil
    }
}
