// The numbers that the format gives to things (parquet.thrift), as far as they are used here.

enum PhysicalType: Int32 {
    case boolean = 0
    case int32 = 1
    case int64 = 2
    case byteArray = 6
    case fixedLengthByteArray = 7
}

enum ConvertedType: Int32 {
    case utf8 = 0
    case timestampMilliseconds = 9
    case int8 = 15
    case int16 = 16
    case int32 = 17
    case int64 = 18
}

/// How the values of a page are written.
enum Encoding: Int32 {
    case plain = 0
    /// An older number of `dictionary`.
    case plainDictionary = 2
    /// Runs and packed bits; here for Booleans and definition levels.
    case runLength = 3
    case deltaBinaryPacked = 5
    /// Numbers into the chunk's dictionary, as runs and packed bits.
    case dictionary = 8
}

enum Codec: Int32 {
    case uncompressed = 0
    case zstd = 6
}

enum PageKind: Int32 {
    case data = 0
    case index = 1
    case dictionary = 2
    case dataV2 = 3
}

/// What a file begins and ends with.
var fileMark: StaticString { "PAR1" }

extension ParquetColumn.Kind {
    /// The type that values are stored as; nil when the column is not read here.
    var physicalType: PhysicalType? {
        switch self {
        case .boolean: .boolean
        case .int32: .int32
        case .int64, .timestamp: .int64
        case .string: .byteArray
        case .fixed: .fixedLengthByteArray
        case .unsupported: nil
        }
    }
}
