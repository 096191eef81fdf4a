// Why a file cannot be read, and where.

package import Zstd

/// What is wrong with a file, and the place in it.
package struct ParquetError: Error, Equatable, Sendable {
    package enum Reason: Error, Equatable, Sendable {
        /// The file does not begin or end with the marks of the format.
        case notParquet

        /// The file, a structure or a page ends too early.
        case truncated

        /// What was read contradicts itself or the format; the text says what.
        case corrupt(String)

        /// The bytes of a page are not those that were written.
        case checksumMismatch

        /// Conforming, and not read here; the text says what.
        case unsupported(String)

        /// A size beyond the limits of `ParquetLimits`; the text says of what.
        case tooLarge(String)

        /// The column holds other values than were asked for.
        case wrongKind

        /// The compressed bytes of a page.
        case zstd(ZstdError)
    }

    package let reason: Reason

    /// Bytes from the beginning of the file to what is wrong, or to the page that holds it.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The stable name of the reason, for answers and messages.
    package var code: String {
        switch reason {
        case .notParquet: "parquet_not_parquet"
        case .truncated: "parquet_truncated"
        case .corrupt: "parquet_corrupt"
        case .checksumMismatch: "parquet_checksum_mismatch"
        case .unsupported: "parquet_unsupported"
        case .tooLarge: "parquet_too_large"
        case .wrongKind: "parquet_wrong_kind"
        case .zstd(let error): error.code
        }
    }
}

extension ParquetError: CustomStringConvertible {
    package var description: String {
        switch reason {
        case .corrupt(let what), .unsupported(let what), .tooLarge(let what):
            "\(code) at offset \(offset): \(what)"
        default: "\(code) at offset \(offset)"
        }
    }
}

/// The largest sizes that are read. A file that claims more is refused before memory is asked for.
package enum ParquetLimits {
    /// Bytes of the structure at the end of a file.
    package static let footerByteCountMax = 64 << 20

    /// Rows of a row group, for reading and for writing.
    package static let rowGroupRowCountMax = 1 << 24

    /// Bytes of a page before compression.
    package static let pageByteCountMax = 64 << 20

    /// Bytes of a string, for writing.
    package static let stringByteCountMax = 1 << 20

    /// Bytes of a value of fixed length.
    package static let fixedByteCountMax = 1 << 10
}
