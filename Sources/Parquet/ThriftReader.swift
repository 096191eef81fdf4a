// Reads structures in Thrift's compact protocol from bytes that may be damaged.

import Bytes

/// Reads from the front of some bytes of a file. Nothing is read or allocated beyond them.
struct ThriftReader: ~Escapable {
    let bytes: Span<UInt8>

    /// Where in the file `bytes` begin, for errors.
    private let fileOffset: Int

    /// Bytes read so far.
    private(set) var offset = 0

    /// Structures inside one another, at most: the format's own have six.
    private static let depthMax = 16

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, fileOffset: Int) {
        self.bytes = bytes
        self.fileOffset = fileOffset
    }

    /// An error at this place.
    func error(_ reason: ParquetError.Reason) -> ParquetError {
        ParquetError(reason, at: fileOffset + offset)
    }

    func corrupt(_ what: String) -> ParquetError { error(.corrupt(what)) }

    mutating func byte() throws(ParquetError) -> UInt8 {
        guard offset < bytes.count else { throw error(.truncated) }
        offset += 1
        return bytes[offset - 1]
    }

    mutating func varint() throws(ParquetError) -> UInt64 {
        guard let value = bytes.varint(at: &offset, end: bytes.count) else {
            throw error(offset < bytes.count ? .corrupt("a number is too long") : .truncated)
        }
        return value
    }

    mutating func long() throws(ParquetError) -> Int64 { Int64(zigzag: try varint()) }

    /// A number that counts or places something: not negative.
    mutating func size() throws(ParquetError) -> Int {
        let value = try long()
        guard value >= 0 else { throw corrupt("a size is negative") }
        return Int(value)
    }

    mutating func integer() throws(ParquetError) -> Int32 {
        guard let value = Int32(exactly: try long()) else {
            throw corrupt("a number is too large")
        }
        return value
    }

    /// A size of 32 bits.
    mutating func shortSize() throws(ParquetError) -> Int {
        let value = try integer()
        guard value >= 0 else { throw corrupt("a size is negative") }
        return Int(value)
    }

    /// Where a byte string lies in `bytes`.
    mutating func binary() throws(ParquetError) -> ByteRange {
        let length = try varint()
        guard length <= bytes.count - offset else { throw error(.truncated) }
        let range = ByteRange(offset: offset, count: Int(length))
        offset = range.end
        return range
    }

    mutating func string() throws(ParquetError) -> String {
        let text = bytes.part(try binary())
        guard text.firstInvalidUTF8() == nil else { throw corrupt("a text is not UTF-8") }
        return text.text
    }

    /// The type and number of the elements that follow.
    mutating func list() throws(ParquetError) -> (type: ThriftType, count: Int) {
        let head = try byte()
        var count = UInt64(head >> 4)
        if count == 15 { count = try varint() }
        // Every element takes a byte at least.
        guard count <= bytes.count - offset else { throw error(.truncated) }
        return (try type(head & 15), Int(count))
    }

    /// How many elements of `wanted` follow.
    mutating func list(of wanted: ThriftType) throws(ParquetError) -> Int {
        let (type, count) = try list()
        guard type == wanted else { throw corrupt("a list holds the wrong type") }
        return count
    }

    /// The next field of a structure, nil at its end.
    ///
    /// - Parameter before: The number of the field before, 0 at the beginning.
    mutating func field(
        after before: inout Int16
    ) throws(ParquetError) -> (number: Int16, type: ThriftType)? {
        let head = try byte()
        if head == 0 { return nil }
        let type = try type(head & 15)
        if head >> 4 != 0 {
            let (number, isTooLarge) = before.addingReportingOverflow(Int16(head >> 4))
            guard !isTooLarge else { throw corrupt("a field's number is too large") }
            before = number
        } else {
            guard let number = Int16(exactly: try long()) else {
                throw corrupt("a field's number is too large")
            }
            before = number
        }
        return (before, type)
    }

    /// Passes over a value that nobody asks for.
    mutating func skip(_ type: ThriftType, depth: Int = 0) throws(ParquetError) {
        guard depth < Self.depthMax else { throw corrupt("structures are too deep") }
        switch type {
        case .isTrue, .isFalse: break
        case .int8: _ = try byte()
        case .int16, .int32, .int64: _ = try varint()
        case .double:
            guard bytes.count - offset >= 8 else { throw error(.truncated) }
            offset += 8
        case .binary: _ = try binary()
        case .list, .set:
            let (type, count) = try list()
            for _ in 0..<count { try skipElement(type, depth: depth + 1) }
        case .map:
            let count = try varint()
            guard count <= bytes.count - offset else { throw error(.truncated) }
            if count == 0 { return }
            let types = try byte()
            let (key, value) = (try self.type(types >> 4), try self.type(types & 15))
            for _ in 0..<count {
                try skipElement(key, depth: depth + 1)
                try skipElement(value, depth: depth + 1)
            }
        case .structure:
            var before: Int16 = 0
            while let field = try field(after: &before) { try skip(field.type, depth: depth + 1) }
        }
    }

    /// An element of a list: its Booleans are bytes.
    private mutating func skipElement(_ type: ThriftType, depth: Int) throws(ParquetError) {
        switch type {
        case .isTrue, .isFalse: _ = try byte()
        default: try skip(type, depth: depth)
        }
    }

    private func type(_ number: UInt8) throws(ParquetError) -> ThriftType {
        guard let type = ThriftType(rawValue: number) else {
            throw corrupt("there is no such type of value")
        }
        return type
    }
}

extension Span<UInt8> {
    /// The varint at `offset`, which moves behind it.
    ///
    /// - Returns: nil, with `offset` where the trouble is, when it does not end before `end` or
    ///   has more than 64 bits.
    func varint(at offset: inout Int, end: Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = self[offset]
            if shift == 63 && byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            offset += 1
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}

extension Int64 {
    init(zigzag value: UInt64) {
        self = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
