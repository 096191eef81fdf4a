// What a comparison found: totals, sums by SKU and by location, and every variance, as CSV or JSON.

package import Bytes
internal import CSV
internal import Domain
internal import JSON

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
}

extension Reconciliation {
    /// Of all variances: units with signs left out, and with them.
    package var size: Int64 { variances.reduce(0) { $0 + $1.size } }
    package var difference: Int64 { variances.reduce(0) { $0 + $1.difference } }

    /// Whether what differs is within the tolerance. A row that was left out is not.
    package func isWithin(_ tolerance: ReconciliationTolerance) -> Bool {
        let beyond = variances.filter { $0.size > tolerance.line }.reduce(0) { $0 + $1.size }
        return beyond <= tolerance.total && rejected.isEmpty
    }

    /// Largest first.
    package func sums(byLocation: Bool) -> [VarianceSum] {
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

    /// How many variances have each explanation.
    package func explanationCounts() -> [(explanation: VarianceExplanation, count: Int)] {
        VarianceExplanation.allCases.map { explanation in
            (explanation, variances.count { $0.explanation == explanation })
        }
    }

    // MARK: - CSV

    package static var csvHeader: String {
        "sku,location,condition,theirs,ours,difference,kind,explanation,late_units,line\n"
    }

    /// Appends a variance as a line.
    package func append(csv variance: Variance, to output: inout ByteBuffer) {
        output.append(csvField: skuName(variance).utf8.span)
        output.append(",")
        output.append(csvField: locationName(variance).utf8.span)
        output.append(",")
        output.append(variance.condition.name)
        for number in [
            Int64(variance.theirs), Int64(variance.ours), variance.difference,
        ] {
            output.append(",")
            output.append(decimal: number)
        }
        output.append(",\(variance.kind.rawValue),\(variance.explanation.rawValue),")
        output.append(decimal: variance.lateUnits)
        output.append(",")
        if variance.line > 0 { output.append(decimal: variance.line) }
        output.append("\n")
    }

    // MARK: - JSON

    /// Appends all but the variances, the object left open.
    package func append(
        summary tolerance: ReconciliationTolerance, to output: inout ByteBuffer
    ) {
        output.append("{\"as_of\":\"")
        output.append(rfc3339: cutOff)
        output.append("\",\"within_tolerance\":")
        output.append(jsonBoolean: isWithin(tolerance))
        for (name, number) in [
            ("rows", Int64(rowCount)), ("rejected", Int64(rejected.count)),
            ("unnamed", Int64(unnamedCount)), ("their_units", theirUnits), ("our_units", ourUnits),
            ("variance_count", Int64(variances.count)), ("size", size), ("difference", difference),
        ] {
            output.append(",\"\(name)\":")
            output.append(decimal: number)
        }
        output.append(",\"by_location\":")
        append(sums(byLocation: true), to: &output)
        output.append(",\"by_sku\":")
        append(Array(sums(byLocation: false).prefix(100)), to: &output)
    }

    private func append(_ sums: [VarianceSum], to output: inout ByteBuffer) {
        output.append("[")
        for (index, sum) in sums.enumerated() {
            if index > 0 { output.append(",") }
            output.append("{\"name\":")
            output.append(jsonString: sum.name.utf8.span)
            output.append(",\"count\":")
            output.append(decimal: sum.count)
            output.append(",\"size\":")
            output.append(decimal: sum.size)
            output.append(",\"difference\":")
            output.append(decimal: sum.difference)
            output.append("}")
        }
        output.append("]")
    }

    /// Appends a variance as an object.
    package func append(json variance: Variance, to output: inout ByteBuffer) {
        output.append("{\"sku\":")
        output.append(jsonString: skuName(variance).utf8.span)
        output.append(",\"location\":")
        output.append(jsonString: locationName(variance).utf8.span)
        output.append(",\"condition\":\"")
        output.append(variance.condition.name)
        output.append("\"")
        for (name, number) in [
            ("theirs", Int64(variance.theirs)), ("ours", Int64(variance.ours)),
            ("difference", variance.difference), ("late_units", variance.lateUnits),
            ("line", Int64(variance.line)),
        ] {
            output.append(",\"\(name)\":")
            output.append(decimal: number)
        }
        output.append(
            ",\"kind\":\"\(variance.kind.rawValue)\",\"explanation\":\""
                + "\(variance.explanation.rawValue)\"}")
    }
}
