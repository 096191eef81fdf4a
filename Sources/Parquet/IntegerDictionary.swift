// The distinct values of an integer column, numbered.

import Bytes

/// Finds the distinct values of a chunk when they are few, and the number of each.
///
/// Values that lie close together go through a table by value, the others through a hash table.
struct IntegerDictionary: ~Copyable {
    /// The distinct values by number.
    private(set) var entries = Buffer<Int64>()

    /// The span of values for a table by value: 256 KiB of slots.
    private static let directSpanMax = 1 << 16

    /// Distinct values of a hash table, which has four slots for each.
    private static let hashedCountMax = 1 << 12
    private static let hashedSlotBits = 14

    /// By value or by hash: the number plus one; 0 where there is none.
    private var slots = Buffer<UInt32>()
    private var smallest: Int64 = 0
    private var isDirect = true

    /// Numbers the distinct values of `values`, which lie in `minimum ... maximum`.
    ///
    /// - Returns: False when there are too many.
    mutating func build<Value: ColumnInteger>(
        _ values: Span<Value>, minimum: Value, maximum: Value
    ) -> Bool {
        smallest = Int64(minimum)
        entries.removeAll()
        slots.removeAll()
        let span = Int64(maximum).subtractingReportingOverflow(smallest)
        isDirect = !span.overflow && span.partialValue < Int64(Self.directSpanMax)
        if isDirect {
            buildDirect(values, span: Int(span.partialValue))
            return true
        }
        return buildHashed(values)
    }

    /// Numbers values in their order.
    private mutating func buildDirect<Value: ColumnInteger>(_ values: Span<Value>, span: Int) {
        slots.append(repeating: span == 0 ? 1 : 0, count: span + 1)
        if span > 0 {
            let smallest = smallest
            var places = slots.mutableSpan
            for row in values.indices {
                places[Int(Int64(unsafe values[unchecked: row]) &- smallest)] = 1
            }
        }
        for slot in slots.indices where slots[slot] != 0 {
            entries.append(smallest + Int64(slot))
            slots[slot] = UInt32(entries.count)
        }
    }

    /// Numbers values as they come.
    private mutating func buildHashed<Value: ColumnInteger>(_ values: Span<Value>) -> Bool {
        slots.append(repeating: 0, count: 1 << Self.hashedSlotBits)
        for row in values.indices {
            let value = Int64(unsafe values[unchecked: row])
            let slot = slot(of: value)
            if slots[slot] != 0 { continue }
            guard entries.count < Self.hashedCountMax else { return false }
            entries.append(value)
            slots[slot] = UInt32(entries.count)
        }
        return true
    }

    /// The slot that holds `value`, or the empty one where it belongs.
    private func slot(of value: Int64) -> Int {
        let hash = UInt64(bitPattern: value) &* 0x9E37_79B9_7F4A_7C15
        var slot = Int(hash >> UInt64(64 - Self.hashedSlotBits))
        while slots[slot] != 0, entries[Int(slots[slot] - 1)] != value {
            slot = (slot + 1) & (1 << Self.hashedSlotBits - 1)
        }
        return slot
    }

    /// Appends the numbers of `values`, which are among those of `build`.
    func appendNumbers<Value: ColumnInteger>(
        of values: Span<Value>, to numbers: inout Buffer<UInt32>
    ) {
        let start = numbers.count
        numbers.append(repeating: 0, count: values.count)
        var places = numbers.mutableSpan
        if isDirect {
            let slots = slots.span
            for row in values.indices {
                let slot = Int(Int64(unsafe values[unchecked: row]) &- smallest)
                unsafe places[unchecked: start &+ row] = slots[slot] &- 1
            }
        } else {
            for row in values.indices {
                let slot = slot(of: Int64(unsafe values[unchecked: row]))
                unsafe places[unchecked: start &+ row] = slots[slot] &- 1
            }
        }
    }
}

/// Bits for numbers below `count`, at least one: some readers stumble over none.
func numberWidth(_ count: Int) -> Int {
    max(1, Int.bitWidth - max(0, count - 1).leadingZeroBitCount)
}
