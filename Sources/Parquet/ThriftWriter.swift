// The structures of the format are written in Thrift's compact protocol: fields as a byte of
// (number − number of the field before) « 4 | type, then the value; integers as zigzag varints;
// byte strings and lists behind their length; a zero byte ends a structure.

import Bytes

/// The types of values on the wire. Booleans carry their value in the type.
enum ThriftType: UInt8 {
    case isTrue = 1
    case isFalse = 2
    case int8 = 3
    case int16 = 4
    case int32 = 5
    case int64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
}

/// Writes one structure after the other into a buffer.
struct ThriftWriter: ~Copyable {
    private(set) var output = ByteBuffer()

    /// The number of the field before, in this structure and in those around it.
    private var before: Int16 = 0
    private var outer: [Int16] = []

    /// Forgets what was written; keeps the memory.
    mutating func removeAll() { output.removeAll() }

    mutating func integer(_ field: Int16, _ value: Int32) {
        begin(field, .int32)
        output.append(zigzag: Int64(value))
    }

    mutating func long(_ field: Int16, _ value: Int) {
        begin(field, .int64)
        output.append(zigzag: Int64(value))
    }

    mutating func boolean(_ field: Int16, _ value: Bool) {
        begin(field, value ? .isTrue : .isFalse)
    }

    mutating func binary(_ field: Int16, _ value: Span<UInt8>) {
        begin(field, .binary)
        binaryElement(value)
    }

    mutating func string(_ field: Int16, _ value: String) {
        withUTF8(value) { binary(field, $0) }
    }

    /// Begins a structure that is a field; `endStructure` ends it.
    mutating func beginStructure(_ field: Int16) {
        begin(field, .structure)
        beginElement()
    }

    mutating func emptyStructure(_ field: Int16) {
        beginStructure(field)
        endStructure()
    }

    /// Begins a list that is a field; `count` elements must follow.
    mutating func beginList(_ field: Int16, of type: ThriftType, count: Int) {
        begin(field, .list)
        if count < 15 {
            output.append(UInt8(count) << 4 | type.rawValue)
        } else {
            output.append(0xF0 | type.rawValue)
            output.append(varint: UInt64(count))
        }
    }

    /// Begins a structure that is an element of a list; `endStructure` ends it.
    mutating func beginElement() {
        outer.append(before)
        before = 0
    }

    mutating func integerElement(_ value: Int32) { output.append(zigzag: Int64(value)) }

    mutating func binaryElement(_ value: Span<UInt8>) {
        output.append(varint: UInt64(value.count))
        output.append(value)
    }

    /// Ends the innermost structure, or the one that `output` is.
    mutating func endStructure() {
        output.append(0)
        before = outer.popLast() ?? 0
    }

    private mutating func begin(_ field: Int16, _ type: ThriftType) {
        // All structures here have few fields, written in the order of their numbers.
        precondition(field > before && field - before < 16)
        output.append(UInt8(field - before) << 4 | type.rawValue)
        before = field
    }
}

extension ByteBuffer {
    /// Appends seven bits a byte, the lowest first; bit 7 says that more follow.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// Appends a varint in which small negative numbers are short too.
    mutating func append(zigzag value: Int64) {
        append(varint: UInt64(bitPattern: value << 1 ^ value >> 63))
    }
}
