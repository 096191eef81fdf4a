// What a column holds.

/// A column of a flat table: every row has a value.
package struct ParquetColumn: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case boolean
        case int32
        case int64
        /// Milliseconds since 1970 in UTC, as `Int64`.
        case timestamp
        /// UTF-8.
        case string
        /// Byte strings of one length, 1 ... `ParquetLimits.fixedByteCountMax`.
        case fixed(byteCount: Int)
        /// A conforming column of another program's that is not read here, and why.
        case unsupported(String)
    }

    package let name: String
    package let kind: Kind

    package init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// The integers that columns hold.
protocol ColumnInteger: FixedWidthInteger, SignedInteger, BitwiseCopyable {}

extension Int32: ColumnInteger {}
extension Int64: ColumnInteger {}
