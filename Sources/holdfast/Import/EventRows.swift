// Events from CSV to lines of JSON, as `POST /v1/events` takes them.
//
// Each object stands on the line of its row (counted behind the header), with empty lines where a
// row was refused or went over several, so lines keep their numbers. Values are not judged here: what
// is no number where one belongs goes as a string, and the service refuses it by name.

import Bytes
import CSV
import JSON

/// The fields of an event (DESIGN §3.5), as columns.
private let eventColumns: [CSVColumn] = [
    CSVColumn("id"), CSVColumn("kind"), CSVColumn("sku"), CSVColumn("location"),
    CSVColumn("qty"), CSVColumn("at"), CSVColumn("source"), CSVColumn("seq"),
    CSVColumn("channel"), CSVColumn("to_location"), CSVColumn("from"), CSVColumn("to"),
    CSVColumn("ref"), CSVColumn("due"), CSVColumn("reason"), CSVColumn("hold"),
    CSVColumn("line"), CSVColumn("shipment"), CSVColumn("ttl_seconds"), CSVColumn("owner"),
]

/// Whether numbers of the column are JSON numbers.
private func isNumeric(_ column: Int) -> Bool {
    column == 4 || column == 5 || column == 7 || column == 18  // qty, at, seq, ttl_seconds
}

/// Turns pieces of CSV into lines of JSON. Its memory is kept from piece to piece.
struct EventRows: ~Copyable {
    private var output = ByteBuffer()
    private var field = ByteBuffer()

    /// Turns `piece` into lines of JSON.
    ///
    /// - Returns: The rows that are no CSV, by their lines in the result.
    mutating func convert(
        _ piece: inout Piece, path: String
    ) throws(CommandError) -> [Rejection] {
        var rejections: [Rejection] = []
        var reader = CSVReader()
        var header: CSVHeader?
        var line = 1  // The line that `output` is at.
        output.removeAll()
        rows: while true {
            var refusal: CSVRefusal?
            switch reader.nextRow(piece.bytes.span, isFinal: true) {
            case .row:
                if let header {
                    refusal = header.refusal(of: reader)
                    if refusal == nil {
                        padTo(reader.rowLine - piece.headerLineCount, &line)
                        append(header, reader, piece.bytes.span)
                        line += 1
                    }
                } else {
                    header = try readHeader(reader, eventColumns, piece, path)
                }
            case .refused(let reason): refusal = reason
            case .needMore, .end: break rows
            }
            if let refusal {
                if header == nil { throw headerFailure(refusal, path, piece) }
                rejections.append(
                    Rejection(
                        line: refusal.line - piece.headerLineCount,
                        code: refusal.code.name.description, detail: describe(refusal)))
            }
        }
        swap(&piece.bytes, &output)
        piece.headerLineCount = 0
        return rejections
    }

    private mutating func padTo(_ wanted: Int, _ line: inout Int) {
        while line < wanted {
            output.append(0x0A)
            line += 1
        }
    }

    private mutating func append(
        _ header: CSVHeader, _ reader: borrowing CSVReader, _ bytes: Span<UInt8>
    ) {
        var isFirst = true
        output.append(UInt8(ascii: "{"))
        for column in eventColumns.indices {
            guard let place = header.field(column, of: reader), !place.range.isEmpty else {
                continue
            }
            if !isFirst { output.append(UInt8(ascii: ",")) }
            isFirst = false
            output.append(UInt8(ascii: "\""))
            output.append(eventColumns[column].name)
            output.append("\":" as StaticString)
            field.removeAll()
            field.append(unquoted: place, from: bytes)
            if isNumeric(column), field.span.decimalInteger() != nil {
                output.append(contentsOf: field)
            } else {
                output.append(jsonStringOf: field)
            }
        }
        output.append("}\n" as StaticString)
    }
}

/// The header that `reader` has just found.
func readHeader(
    _ reader: borrowing CSVReader, _ columns: [CSVColumn], _ piece: borrowing Piece,
    _ path: String
) throws(CommandError) -> CSVHeader {
    do throws(CSVRefusal) {
        return try CSVHeader(columns, row: reader, in: piece.bytes.span)
    } catch {
        var name = ""
        if error.code == .missingColumn { name = columns[error.index].name.description }
        if error.code == .unknownColumn || error.code == .duplicateColumn {
            name = piece.bytes.span.part(reader.field(error.index).range).text
        }
        throw headerFailure(error, path, piece, name)
    }
}

/// The failure of a file whose header is not accepted.
func headerFailure(
    _ refusal: CSVRefusal, _ path: String, _ piece: borrowing Piece, _ name: String = ""
) -> CommandError {
    let line = max(1, piece.firstLine - piece.headerLineCount + refusal.line - 1)
    return .failed(
        "\(path):\(line): \(refusal.code.name): \(name.isEmpty ? describe(refusal) : name)")
}

/// A refused row in words.
func describe(_ refusal: CSVRefusal) -> String {
    refusal.code == .wrongFieldCount
        ? "the row has \(refusal.index) fields, not those of the header"
        : "the row is not accepted"
}
