// Small numbers as runs and packed bits (Encodings.md, "Run Length Encoding / Bit-Packing Hybrid").
//
//     run:     varint(count « 1)          · the number in ⌈width / 8⌉ bytes
//     packed:  varint(groups « 1 | 1)     · groups × 8 numbers of `width` bits each

import Bytes

extension ByteBuffer {
    /// Appends `numbers`, each below 2^`width`.
    ///
    /// - Parameter width: 1 ... 32.
    mutating func append(hybrid numbers: borrowing Buffer<UInt32>, width: Int) {
        let numbers = numbers.span
        // Shorter runs take more bytes as runs than as packed bits.
        let runCountMin = max(8, (64 + width - 1) / width)
        var packedFrom = 0
        var index = 0
        while index &+ 8 <= numbers.count {
            let number = unsafe numbers[unchecked: index]
            // The first and the last of the eight tell most groups that are no run.
            if unsafe numbers[unchecked: index &+ 1] == number
                && numbers[unchecked: index &+ 7] == number
            {
                let end = endOfRun(numbers, from: index)
                if end &- index >= runCountMin {
                    appendPackedRun(numbers.extracting(packedFrom..<index), width: width)
                    append(run: number, count: end &- index, width: width)
                    index = end
                    packedFrom = end
                    continue
                }
            }
            index &+= 8
        }
        appendPackedRun(numbers.extracting(packedFrom..<numbers.count), width: width)
    }

    /// Appends `number`, `count` times.
    mutating func append(run number: UInt32, count: Int, width: Int) {
        append(varint: UInt64(count) << 1)
        append(word: UInt64(number), byteCount: (width + 7) / 8)
    }

    private func endOfRun(_ numbers: Span<UInt32>, from start: Int) -> Int {
        let number = numbers[start]
        var end = start
        while end < numbers.count, unsafe numbers[unchecked: end] == number { end &+= 1 }
        return end
    }

    /// Appends `numbers` packed, the last group of eight filled up with zeros.
    private mutating func appendPackedRun(_ numbers: Span<UInt32>, width: Int) {
        if numbers.isEmpty { return }
        let groupCount = (numbers.count + 7) / 8
        append(varint: UInt64(groupCount) << 1 | 1)
        let start = count
        append(packed: numbers, width: width)
        let end = start + groupCount * width
        while count < end { append(0) }
    }
}
