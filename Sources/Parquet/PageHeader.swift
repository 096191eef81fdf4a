// What stands before every page: its kind, its sizes, its checksum.

import Bytes

struct PageHeader {
    var kind: PageKind
    /// Bytes of the page before compression and as stored, without this header.
    var uncompressedByteCount: Int
    var byteCount: Int
    /// Of the page as stored.
    var checksum: UInt32?
    var valueCount: Int
    /// By its number: an unknown one is an error only where it matters.
    var encoding: Int32

    // Data pages, version 2: the levels stand before the values, not compressed.
    var repetitionByteCount = 0
    var definitionByteCount = 0
    var nullCount = 0
    var isCompressed = true

    /// Data pages, version 1: how definition levels are written.
    var definitionEncoding = Encoding.runLength.rawValue
}

extension ThriftWriter {
    /// Writes the header of a data page (version 1) or of a dictionary page.
    mutating func pageHeader(
        _ kind: PageKind, _ encoding: Encoding, valueCount: Int, uncompressedByteCount: Int,
        byteCount: Int, checksum: UInt32
    ) {
        integer(1, kind.rawValue)
        integer(2, Int32(uncompressedByteCount))
        integer(3, Int32(byteCount))
        integer(4, Int32(bitPattern: checksum))
        beginStructure(kind == .data ? 5 : 7)
        integer(1, Int32(valueCount))
        integer(2, encoding.rawValue)
        if kind == .data {
            integer(3, Encoding.runLength.rawValue)
            integer(4, Encoding.runLength.rawValue)
        }
        endStructure()
        endStructure()
    }
}

extension ThriftReader {
    mutating func pageHeader() throws(ParquetError) -> PageHeader {
        var kind: Int32?
        var uncompressedByteCount: Int?
        var byteCount: Int?
        var checksum: UInt32?
        var details = PageHeader(
            kind: .index, uncompressedByteCount: 0, byteCount: 0, valueCount: 0, encoding: 0)
        var detailed: PageKind?
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .int32): kind = try integer()
            case (2, .int32): uncompressedByteCount = try shortSize()
            case (3, .int32): byteCount = try shortSize()
            case (4, .int32): checksum = UInt32(bitPattern: try integer())
            case (5, .structure):
                try dataPage(&details)
                detailed = .data
            case (7, .structure):
                try dictionaryPage(&details)
                detailed = .dictionary
            case (8, .structure):
                try dataPageV2(&details)
                detailed = .dataV2
            default: try skip(field.type)
            }
        }
        guard let kind, let uncompressedByteCount, let byteCount else {
            throw corrupt("a page header is not complete")
        }
        guard let kind = PageKind(rawValue: kind) else {
            throw corrupt("there is no such kind of page")
        }
        guard kind == detailed || kind == .index else {
            throw corrupt("a page header is not of its kind")
        }
        details.kind = kind
        details.uncompressedByteCount = uncompressedByteCount
        details.byteCount = byteCount
        details.checksum = checksum
        return details
    }

    private mutating func dataPage(_ header: inout PageHeader) throws(ParquetError) {
        var found: Set<Int16> = []
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .int32): header.valueCount = try shortSize()
            case (2, .int32): header.encoding = try integer()
            case (3, .int32): header.definitionEncoding = try integer()
            default: try skip(field.type)
            }
            found.insert(field.number)
        }
        try require([1, 2, 3, 4], in: found)
    }

    private mutating func dictionaryPage(_ header: inout PageHeader) throws(ParquetError) {
        var found: Set<Int16> = []
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .int32): header.valueCount = try shortSize()
            case (2, .int32): header.encoding = try integer()
            default: try skip(field.type)
            }
            found.insert(field.number)
        }
        try require([1, 2], in: found)
    }

    private mutating func dataPageV2(_ header: inout PageHeader) throws(ParquetError) {
        var found: Set<Int16> = []
        var before: Int16 = 0
        while let field = try field(after: &before) {
            switch (field.number, field.type) {
            case (1, .int32): header.valueCount = try shortSize()
            case (2, .int32): header.nullCount = try shortSize()
            case (4, .int32): header.encoding = try integer()
            case (5, .int32): header.definitionByteCount = try shortSize()
            case (6, .int32): header.repetitionByteCount = try shortSize()
            case (7, .isTrue): header.isCompressed = true
            case (7, .isFalse): header.isCompressed = false
            default: try skip(field.type)
            }
            found.insert(field.number)
        }
        try require([1, 2, 3, 4, 5, 6], in: found)
    }

    /// Refuses a structure without the fields that the format requires.
    private func require(_ fields: Set<Int16>, in found: Set<Int16>) throws(ParquetError) {
        guard fields.isSubset(of: found) else { throw corrupt("a page header is not complete") }
    }
}
