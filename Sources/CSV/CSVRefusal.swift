// Why a row, or a header, is not accepted.

/// The reason for a refusal. The names are part of the protocol and never change.
@usableFromInline
package enum CSVRefusalCode: UInt8, Sendable, CaseIterable {
    /// More bytes than a row may have.
    case rowTooLong
    /// More fields than a row may have.
    case tooManyFields
    /// A quote inside a plain field, or something behind the closing quote of a quoted one.
    case badQuoting
    /// A quoted field that the end of the input cut off.
    case unclosedQuote
    /// A carriage return without a line feed, outside of quotes.
    case bareCarriageReturn
    /// A zero byte.
    case nulByte
    /// Malformed UTF-8.
    case badUTF8
    /// A row with more or fewer fields than the header.
    case wrongFieldCount
    /// A name in the header that nobody knows.
    case unknownColumn
    /// A name that is in the header twice.
    case duplicateColumn
    /// A column that must be there and is not.
    case missingColumn

    package var name: StaticString {
        switch self {
        case .rowTooLong: "row_too_long"
        case .tooManyFields: "too_many_fields"
        case .badQuoting: "bad_quoting"
        case .unclosedQuote: "unclosed_quote"
        case .bareCarriageReturn: "bare_carriage_return"
        case .nulByte: "nul_byte"
        case .badUTF8: "bad_utf8"
        case .wrongFieldCount: "wrong_field_count"
        case .unknownColumn: "unknown_column"
        case .duplicateColumn: "duplicate_column"
        case .missingColumn: "missing_column"
        }
    }
}

/// A refusal of one row.
package struct CSVRefusal: Error, Equatable {
    package let code: CSVRefusalCode

    /// The line the row starts on, counted from 1.
    package let line: Int

    /// The field it is about, counted from 0, or how many fields there are where it is about the
    /// row; for a missing column its number in the caller's list.
    package let index: Int

    package init(_ code: CSVRefusalCode, line: Int, index: Int) {
        self.code = code
        self.line = line
        self.index = index
    }
}
