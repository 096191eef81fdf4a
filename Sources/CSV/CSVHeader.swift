// The first row: which field holds which column.

import Bytes

/// A column that a caller knows.
package struct CSVColumn: Sendable {
    package let name: StaticString
    package let isRequired: Bool

    package init(_ name: StaticString, isRequired: Bool = false) {
        self.name = name
        self.isRequired = isRequired
    }
}

/// Where the columns of a file are. Columns go by their number in the caller's list; they may
/// stand in the file in any order, and those not required may be left out.
@usableFromInline
package struct CSVHeader: Sendable {
    @usableFromInline var indexes = [32 of Int8](repeating: -1)

    /// How many fields the header has, and each row must have.
    @usableFromInline package private(set) var fieldCount: Int

    /// Reads the row that `reader` has just found in `bytes`.
    ///
    /// - Parameter columns: At most 32, names exact.
    /// - Throws: `unknown_column`, `duplicate_column`, `missing_column`.
    package init(
        _ columns: [CSVColumn], row reader: borrowing CSVReader, in bytes: Span<UInt8>
    ) throws(CSVRefusal) {
        precondition(columns.count <= CSVReader.fieldCountMax)
        fieldCount = reader.fieldCount
        for field in 0..<reader.fieldCount {
            let name = reader.field(field)
            let found = columns.firstIndex {
                $0.name.utf8CodeUnitCount == name.range.count
                    && name.equals($0.name, in: bytes)
            }
            guard let column = found else {
                throw CSVRefusal(.unknownColumn, line: reader.rowLine, index: field)
            }
            guard indexes[column] < 0 else {
                throw CSVRefusal(.duplicateColumn, line: reader.rowLine, index: field)
            }
            indexes[column] = Int8(field)
        }
        for column in columns.indices where columns[column].isRequired && indexes[column] < 0 {
            throw CSVRefusal(.missingColumn, line: reader.rowLine, index: column)
        }
    }

    /// The field that holds column `number`; nil when the file has no such column.
    @inlinable
    package func index(of number: Int) -> Int? {
        let index = indexes[number]
        return index < 0 ? nil : Int(index)
    }

    /// Column `number` of the row that `reader` has just found; nil when the file has no such
    /// column.
    ///
    /// - Precondition: The row has as many fields as the header.
    @inlinable
    package func field(_ number: Int, of reader: borrowing CSVReader) -> CSVField? {
        let index = indexes[number]
        return index < 0 ? nil : reader.field(Int(index))
    }

    /// Why the row that `reader` has just found does not fit: `wrong_field_count`.
    package func refusal(of reader: borrowing CSVReader) -> CSVRefusal? {
        if reader.fieldCount == fieldCount { return nil }
        return CSVRefusal(.wrongFieldCount, line: reader.rowLine, index: reader.fieldCount)
    }
}
