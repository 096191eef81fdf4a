// What a comparison found, as plain values: totals, sums by SKU and by location, and variances with their
// names. And how it is written, as CSV or JSON.

package import Bytes
internal import CSV
internal import Domain
internal import Engine
internal import JSON
package import Platform

/// How much may differ.
package struct ReconciliationTolerance: Sendable {
    /// Units of one line.
    package var line: Int64 = 0
    /// Units of all lines beyond that, whatever their signs.
    package var total: Int64 = 0

    package init() {}
}

/// Variances of one SKU, or at one location.
package struct VarianceSum: Equatable, Sendable {
    package var name: String
    package var count = 0
    /// Units, signs left out, and with them.
    package var size: Int64 = 0
    package var difference: Int64 = 0

    package init(name: String) { self.name = name }
}

/// One condition of a position that differs, by names.
package struct VarianceLine: Equatable, Sendable {
    package var sku = ""
    package var location = ""
    package var condition = ""
    package var theirs: Int64 = 0
    package var ours: Int64 = 0
    package var kind = ""
    package var explanation = ""
    /// Units of ours that took effect by the cut-off and came after it.
    package var lateUnits: Int64 = 0
    /// Line of the file; 0: it has none.
    package var line = 0

    package var difference: Int64 { theirs - ours }

    package init() {}
}

/// The figures of a comparison.
package struct ReconciliationReport: Equatable, Sendable {
    /// The cut-off, as RFC 3339.
    package var cutOff = ""
    package var isWithinTolerance = false
    package var rowCount = 0
    package var rejectedCount = 0
    package var unnamedCount = 0
    package var theirUnits: Int64 = 0
    package var ourUnits: Int64 = 0
    package var varianceCount = 0
    package var size: Int64 = 0
    package var difference: Int64 = 0

    /// How many variances have each explanation; those that none has are left out.
    package var explanations: [VarianceSum] = []
    /// Largest first; of SKUs the largest hundred.
    package var byLocation: [VarianceSum] = []
    package var bySKU: [VarianceSum] = []
    /// The first thousand.
    package var rejected: [RejectedStockRow] = []
    /// Largest first; all, or as many as were asked for.
    package var variances: [VarianceLine] = []

    package static let rejectedCountMax = 1000

    package init() {}
}

extension Reconciliation {
    /// - Parameter varianceCount: Variances that are wanted with their names, the largest.
    package func report(
        _ tolerance: ReconciliationTolerance, varianceCount: Int
    ) -> ReconciliationReport {
        var report = ReconciliationReport()
        var text = ByteBuffer()
        text.append(rfc3339: cutOff)
        report.cutOff = text.span.text
        report.isWithinTolerance = isWithin(tolerance)
        report.rowCount = rowCount
        report.rejectedCount = rejected.count
        report.unnamedCount = unnamedCount
        report.theirUnits = theirUnits
        report.ourUnits = ourUnits
        report.varianceCount = variances.count
        report.size = variances.reduce(0) { $0 + $1.size }
        report.difference = variances.reduce(0) { $0 + $1.difference }
        for explanation in VarianceExplanation.allCases {
            var sum = VarianceSum(name: explanation.rawValue)
            for variance in variances where variance.explanation == explanation {
                sum.count += 1
            }
            if sum.count > 0 { report.explanations.append(sum) }
        }
        report.byLocation = sums(byLocation: true)
        report.bySKU = Array(sums(byLocation: false).prefix(100))
        report.rejected = Array(rejected.prefix(ReconciliationReport.rejectedCountMax))
        for variance in variances.prefix(varianceCount) { report.variances.append(line(variance)) }
        return report
    }

    /// Whether what differs is within the tolerance. A row that was left out is not.
    private func isWithin(_ tolerance: ReconciliationTolerance) -> Bool {
        let beyond = variances.filter { $0.size > tolerance.line }.reduce(0) { $0 + $1.size }
        return beyond <= tolerance.total && rejected.isEmpty
    }

    private func sums(byLocation: Bool) -> [VarianceSum] {
        var sums: [UInt64: VarianceSum] = [:]
        for variance in variances {
            let key =
                byLocation
                ? UInt64(variance.location) : UInt64(variance.shard) << 32 | UInt64(variance.sku)
            var sum =
                sums[key]
                ?? VarianceSum(name: byLocation ? locationName(variance) : skuName(variance))
            sum.count += 1
            sum.size += variance.size
            sum.difference += variance.difference
            sums[key] = sum
        }
        return sums.values.sorted { ($0.size, $1.name) > ($1.size, $0.name) }
    }

    private func line(_ variance: Variance) -> VarianceLine {
        var line = VarianceLine()
        line.sku = skuName(variance)
        line.location = locationName(variance)
        line.condition = "\(variance.condition.name)"
        line.theirs = Int64(variance.theirs)
        line.ours = Int64(variance.ours)
        line.kind = variance.kind.rawValue
        line.explanation = variance.explanation.rawValue
        line.lateUnits = variance.lateUnits
        line.line = variance.line
        return line
    }

    /// Writes all of it: every variance, in JSON behind the figures.
    package func write(
        _ tolerance: ReconciliationTolerance, asJSON: Bool, to sink: ExportSink
    ) throws(SystemError) {
        var output = ByteBuffer()
        if asJSON {
            output.append(summary: report(tolerance, varianceCount: 0))
            output.append(",\"variances\":[")
        } else {
            output.append(VarianceLine.csvHeader)
        }
        for index in variances.indices {
            let line = line(variances[index])
            if asJSON {
                output.append(index > 0 ? ",\n" : "\n")
                output.append(json: line)
            } else {
                output.append(csv: line)
            }
            if output.count >= 1 << 20 {
                try sink(output.span)
                output.removeAll()
            }
        }
        if asJSON { output.append("]}\n") }
        try sink(output.span)
    }
}

extension VarianceLine {
    package static let csvHeader =
        "sku,location,condition,theirs,ours,difference,kind,explanation,late_units,line\n"
}

extension ByteBuffer {
    /// Appends a variance as a line.
    package mutating func append(csv variance: VarianceLine) {
        append(csvField: variance.sku.utf8.span)
        append(",")
        append(csvField: variance.location.utf8.span)
        append(",\(variance.condition)")
        for number in [variance.theirs, variance.ours, variance.difference] {
            append(",")
            append(decimal: number)
        }
        append(",\(variance.kind),\(variance.explanation),")
        append(decimal: variance.lateUnits)
        append(",")
        if variance.line > 0 { append(decimal: variance.line) }
        append("\n")
    }

    /// Appends a variance as an object.
    fileprivate mutating func append(json variance: VarianceLine) {
        append("{\"sku\":")
        append(jsonString: variance.sku.utf8.span)
        append(",\"location\":")
        append(jsonString: variance.location.utf8.span)
        append(",\"condition\":\"\(variance.condition)\"")
        for (name, number) in [
            ("theirs", variance.theirs), ("ours", variance.ours),
            ("difference", variance.difference), ("late_units", variance.lateUnits),
            ("line", Int64(variance.line)),
        ] {
            append(",\"\(name)\":")
            append(decimal: number)
        }
        append(",\"kind\":\"\(variance.kind)\",\"explanation\":\"\(variance.explanation)\"}")
    }

    /// Appends all but the variances, the object left open.
    fileprivate mutating func append(summary report: ReconciliationReport) {
        append("{\"as_of\":\"\(report.cutOff)\",\"within_tolerance\":")
        append(jsonBoolean: report.isWithinTolerance)
        for (name, number) in [
            ("rows", Int64(report.rowCount)), ("rejected", Int64(report.rejectedCount)),
            ("unnamed", Int64(report.unnamedCount)), ("their_units", report.theirUnits),
            ("our_units", report.ourUnits), ("variance_count", Int64(report.varianceCount)),
            ("size", report.size), ("difference", report.difference),
        ] {
            append(",\"\(name)\":")
            append(decimal: number)
        }
        append(",\"explanations\":{")
        for (index, explanation) in report.explanations.enumerated() {
            append(index > 0 ? ",\"\(explanation.name)\":" : "\"\(explanation.name)\":")
            append(decimal: explanation.count)
        }
        append("},\"by_location\":")
        append(report.byLocation)
        append(",\"by_sku\":")
        append(report.bySKU)
        append(",\"rejected_rows\":[")
        for (index, row) in report.rejected.enumerated() {
            append(index > 0 ? ",{\"line\":" : "{\"line\":")
            append(decimal: row.line)
            append(",\"code\":\"\(row.code)\"}")
        }
        append("]")
    }

    private mutating func append(_ sums: [VarianceSum]) {
        append("[")
        for (index, sum) in sums.enumerated() {
            if index > 0 { append(",") }
            append("{\"name\":")
            append(jsonString: sum.name.utf8.span)
            append(",\"count\":")
            append(decimal: sum.count)
            append(",\"size\":")
            append(decimal: sum.size)
            append(",\"difference\":")
            append(decimal: sum.difference)
            append("}")
        }
        append("]")
    }
}
