// Locations, channels and groups: rows of CSV or lines of JSON into the documents that the service
// takes whole.
//
//     {"locations": [{…}, {…}]}
//
// A document is taken or refused as a whole. When the service names the entry that it refuses, that
// entry is taken out, and the rest is sent again.

import Bytes
import CSV
import JSON

/// What a column's text becomes.
private enum ColumnKind { case text, number, boolean, list }

/// One collection of master data.
struct MasterCollection: Sendable {
    /// The member of the document, and the last part of the path.
    let member: String
    let columns: [CSVColumn]
    fileprivate let kinds: [ColumnKind]

    static let locations = MasterCollection(
        member: "locations",
        columns: [
            CSVColumn("location", isRequired: true), CSVColumn("kind"), CSVColumn("groups"),
            CSVColumn("open"), CSVColumn("utc_offset"),
        ], kinds: [.text, .text, .list, .boolean, .text])

    static let channels = MasterCollection(
        member: "channels",
        columns: [CSVColumn("channel", isRequired: true), CSVColumn("default_ttl_seconds")],
        kinds: [.text, .number])

    static let groups = MasterCollection(
        member: "groups",
        columns: [CSVColumn("group", isRequired: true), CSVColumn("members", isRequired: true)],
        kinds: [.text, .list])
}

/// The entries of one document.
struct MasterRows: ~Copyable {
    private let collection: MasterCollection
    private var text = ByteBuffer()
    private var field = ByteBuffer()
    private var document = ByteBuffer()

    /// Where each entry is in `text`, and its line in the piece.
    private var entries: [(range: ByteRange, line: Int)] = []

    init(_ collection: MasterCollection) { self.collection = collection }

    /// How many entries the document has.
    var count: Int { entries.count }

    /// Reads the rows of `piece`.
    ///
    /// - Returns: The rows that cannot be sent, by their lines in the piece.
    mutating func read(
        _ piece: borrowing Piece, _ shape: RowShape, path: String
    ) throws(CommandError) -> [Rejection] {
        text.removeAll()
        entries.removeAll()
        return shape == .csv ? try readRows(piece, path) : readLines(piece.bytes.span)
    }

    private mutating func readRows(
        _ piece: borrowing Piece, _ path: String
    ) throws(CommandError) -> [Rejection] {
        var rejections: [Rejection] = []
        var reader = CSVReader()
        var header: CSVHeader?
        while true {
            var refusal: CSVRefusal?
            switch reader.nextRow(piece.bytes.span, isFinal: true) {
            case .row:
                if let header {
                    refusal = header.refusal(of: reader)
                    if refusal == nil { take(header, reader, piece.bytes.span) }
                } else {
                    header = try readHeader(reader, collection.columns, piece, path)
                }
            case .refused(let reason): refusal = reason
            case .needMore, .end: return rejections
            }
            if let refusal {
                if header == nil { throw headerFailure(refusal, path, piece) }
                rejections.append(
                    Rejection(
                        line: refusal.line, code: refusal.code.name.description,
                        detail: describe(refusal)))
            }
        }
    }

    private mutating func take(
        _ header: CSVHeader, _ reader: borrowing CSVReader, _ bytes: Span<UInt8>
    ) {
        let start = text.count
        text.append(UInt8(ascii: "{"))
        for column in collection.columns.indices {
            guard let place = header.field(column, of: reader) else { continue }
            field.removeAll()
            field.append(unquoted: place, from: bytes)
            // An empty list says something; an empty text is a value left out.
            if field.isEmpty, collection.kinds[column] != .list { continue }
            if text.count > start + 1 { text.append(UInt8(ascii: ",")) }
            text.append(jsonString: collection.columns[column].name.description.utf8.span)
            text.append(UInt8(ascii: ":"))
            Self.append(collection.kinds[column], field, to: &text)
        }
        text.append(UInt8(ascii: "}"))
        entries.append((ByteRange(from: start, to: text.count), reader.rowLine))
    }

    /// Appends `field`; what does not fit its kind goes as a string, for the service to refuse.
    private static func append(
        _ kind: ColumnKind, _ field: borrowing ByteBuffer, to text: inout ByteBuffer
    ) {
        let value = field.span
        switch kind {
        case .number where value.decimalInteger() != nil: text.append(value)
        case .boolean where value.equals("true") || value.equals("false"): text.append(value)
        case .text, .number, .boolean: text.append(jsonString: value)
        case .list:
            text.append(UInt8(ascii: "["))
            var start = 0
            while start < value.count {
                if start > 0 { text.append(UInt8(ascii: ",")) }
                let end = value.firstOffset(of: UInt8(ascii: "|"), from: start)
                text.append(jsonString: value.part(ByteRange(from: start, to: end)))
                start = end + 1
            }
            text.append(UInt8(ascii: "]"))
        }
    }

    private mutating func readLines(_ bytes: Span<UInt8>) -> [Rejection] {
        var rejections: [Rejection] = []
        var scanner = JSONLineScanner()
        while case .element(let range) = scanner.next(bytes, isFinal: true) {
            var reader = JSONReader()
            let line = bytes.part(range)
            do throws(JSONError) {
                // Checked here, so that a broken line cannot break the others around it.
                try reader.skipValue(line)
                try reader.end(line)
                let start = text.count
                text.append(line)
                entries.append((ByteRange(from: start, to: text.count), scanner.line))
            } catch {
                rejections.append(
                    Rejection(
                        line: scanner.line, code: error.code.name.description,
                        detail: "the JSON is wrong at byte \(error.offset) of the line"))
            }
        }
        return rejections
    }

    /// Runs `body` over the document of the entries that are left.
    mutating func withDocument<Result>(
        _ body: (Span<UInt8>) throws(CommandError) -> Result
    ) throws(CommandError) -> Result {
        document.removeAll()
        document.append("{\"\(collection.member)\":[")
        for (index, entry) in entries.enumerated() {
            if index > 0 { document.append(UInt8(ascii: ",")) }
            document.append(entry.range, of: text)
        }
        document.append("]}" as StaticString)
        return try body(document.span)
    }

    /// Takes out the entry that a refusal of the document names.
    ///
    /// - Returns: The entry as a rejected row; nil when the refusal names none.
    mutating func takeOut(_ answer: ServiceAnswer) -> Rejection? {
        // The service ends its detail so: `… in locations[3]`.
        let mark = " in \(collection.member)["
        guard answer.detail.hasSuffix("]"),
            let place = lastRange(of: mark, in: answer.detail),
            let index = Int(answer.detail[place.upperBound...].dropLast()),
            entries.indices.contains(index)
        else { return nil }
        var detail = String(answer.detail[..<place.lowerBound])
        // A place in the document that was sent is none in the file.
        if let offset = lastRange(of: " at byte ", in: detail) {
            detail = String(detail[..<offset.lowerBound])
        }
        return Rejection(
            line: entries.remove(at: index).line, code: answer.code, detail: detail)
    }
}

/// Where `part` stands last in `text`.
private func lastRange(of part: String, in text: String) -> Range<String.Index>? {
    var end = text.endIndex
    while end > text.startIndex {
        if text[..<end].hasSuffix(part) {
            return text.index(end, offsetBy: -part.count)..<end
        }
        end = text.index(before: end)
    }
    return nil
}
