// What can go wrong with compressed bytes, by name.
//
// libzstd answers with a `size_t` that is a count, or the negated number of an error. The numbers
// are part of its interface since version 1.3.1 (zstd_errors.h).

import CZstd

/// Why bytes could not be decompressed or compressed.
package enum ZstdError: Error, Equatable, Sendable {
    /// The input ended inside a frame, or held none at all.
    case truncated

    /// The bytes where a frame should begin are none of zstd's.
    case notZstd

    /// A frame contradicts itself. `detail` is libzstd's number of the error.
    case corrupt(detail: Int32)

    /// A frame decompressed to other bytes than its checksum was made of.
    case checksumMismatch

    /// A frame asks for a window larger than `ZstdReader.windowByteCountMax`.
    case windowTooLarge

    /// A frame was compressed with a dictionary, and there is none.
    case dictionaryNeeded

    /// The stream holds more bytes than the caller allowed.
    case tooLarge

    case outOfMemory

    /// The stable name of the error, for answers and messages.
    package var code: String {
        switch self {
        case .truncated: "zstd_truncated"
        case .notZstd: "zstd_not_zstd"
        case .corrupt: "zstd_corrupt"
        case .checksumMismatch: "zstd_checksum_mismatch"
        case .windowTooLarge: "zstd_window_too_large"
        case .dictionaryNeeded: "zstd_dictionary_needed"
        case .tooLarge: "zstd_too_large"
        case .outOfMemory: "zstd_out_of_memory"
        }
    }

    /// The error in what a libzstd call returned; nil when it returned a count.
    init?(result: Int) {
        guard ZSTD_isError(result) != 0 else { return nil }
        switch 0 &- result {
        case 10: self = .notZstd
        case 16: self = .windowTooLarge
        case 22: self = .checksumMismatch
        case 32: self = .dictionaryNeeded
        case 64: self = .outOfMemory
        case let number: self = .corrupt(detail: Int32(truncatingIfNeeded: number))
        }
    }
}
