// What `POST /v1/reconciliations` answers.

import Bytes
import JSON
import Service

/// Reads a report.
///
/// - Throws: Where the JSON is not what the service writes.
func reconciliationReport(_ bytes: Span<UInt8>) throws(JSONError) -> ReconciliationReport {
    var report = ReconciliationReport()
    var reader = JSONReader()
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("as_of", in: bytes) {
            report.cutOff = try reader.text(bytes)
        } else if key.equals("within_tolerance", in: bytes) {
            report.isWithinTolerance = try reader.boolean(bytes)
        } else if key.equals("rows", in: bytes) {
            report.rowCount = Int(try reader.integer(bytes))
        } else if key.equals("rejected", in: bytes) {
            report.rejectedCount = Int(try reader.integer(bytes))
        } else if key.equals("unnamed", in: bytes) {
            report.unnamedCount = Int(try reader.integer(bytes))
        } else if key.equals("their_units", in: bytes) {
            report.theirUnits = try reader.integer(bytes)
        } else if key.equals("our_units", in: bytes) {
            report.ourUnits = try reader.integer(bytes)
        } else if key.equals("variance_count", in: bytes) {
            report.varianceCount = Int(try reader.integer(bytes))
        } else if key.equals("size", in: bytes) {
            report.size = try reader.integer(bytes)
        } else if key.equals("difference", in: bytes) {
            report.difference = try reader.integer(bytes)
        } else if key.equals("explanations", in: bytes) {
            report.explanations = try explanations(&reader, bytes)
        } else if key.equals("by_location", in: bytes) {
            report.byLocation = try list(&reader, bytes, sum)
        } else if key.equals("by_sku", in: bytes) {
            report.bySKU = try list(&reader, bytes, sum)
        } else if key.equals("rejected_rows", in: bytes) {
            report.rejected = try list(&reader, bytes, rejectedRow)
        } else if key.equals("variances", in: bytes) {
            report.variances = try list(&reader, bytes, variance)
        } else {
            try reader.skipValue(bytes)
        }
    }
    try reader.end(bytes)
    return report
}

private func list<Element>(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>,
    _ element: (inout JSONReader, Span<UInt8>) throws(JSONError) -> Element
) throws(JSONError) -> [Element] {
    var elements: [Element] = []
    try reader.beginArray(bytes)
    while try reader.nextElement(bytes) { elements.append(try element(&reader, bytes)) }
    return elements
}

private func explanations(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>
) throws(JSONError) -> [VarianceSum] {
    var sums: [VarianceSum] = []
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        var sum = VarianceSum(name: bytes.part(key.range).text)
        sum.count = Int(try reader.integer(bytes))
        sums.append(sum)
    }
    return sums
}

private func sum(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>
) throws(JSONError) -> VarianceSum {
    var sum = VarianceSum(name: "")
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("name", in: bytes) {
            sum.name = try reader.text(bytes)
        } else if key.equals("count", in: bytes) {
            sum.count = Int(try reader.integer(bytes))
        } else if key.equals("size", in: bytes) {
            sum.size = try reader.integer(bytes)
        } else if key.equals("difference", in: bytes) {
            sum.difference = try reader.integer(bytes)
        } else {
            try reader.skipValue(bytes)
        }
    }
    return sum
}

private func rejectedRow(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>
) throws(JSONError) -> RejectedStockRow {
    var line = 0
    var code = ""
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("line", in: bytes) {
            line = Int(try reader.integer(bytes))
        } else if key.equals("code", in: bytes) {
            code = try reader.text(bytes)
        } else {
            try reader.skipValue(bytes)
        }
    }
    return RejectedStockRow(line: line, code: code)
}

private func variance(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>
) throws(JSONError) -> VarianceLine {
    var variance = VarianceLine()
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("sku", in: bytes) {
            variance.sku = try reader.text(bytes)
        } else if key.equals("location", in: bytes) {
            variance.location = try reader.text(bytes)
        } else if key.equals("condition", in: bytes) {
            variance.condition = try reader.text(bytes)
        } else if key.equals("theirs", in: bytes) {
            variance.theirs = try reader.integer(bytes)
        } else if key.equals("ours", in: bytes) {
            variance.ours = try reader.integer(bytes)
        } else if key.equals("late_units", in: bytes) {
            variance.lateUnits = try reader.integer(bytes)
        } else if key.equals("line", in: bytes) {
            variance.line = Int(try reader.integer(bytes))
        } else if key.equals("kind", in: bytes) {
            variance.kind = try reader.text(bytes)
        } else if key.equals("explanation", in: bytes) {
            variance.explanation = try reader.text(bytes)
        } else {
            try reader.skipValue(bytes)
        }
    }
    return variance
}
