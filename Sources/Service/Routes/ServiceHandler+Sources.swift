// GET /v1/sources: what the sources of events have sent, and what of their own sequences is missing.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import JSON

extension ServiceHandler {
    /// Ranges of missing numbers that are listed of a source; what is missing beyond is counted.
    private static var listedGapMax: Int { 64 }

    mutating func answerSources(_ exchange: inout Exchange) -> Progress {
        let watch = shared.sources
        let names = SourceNames(engine.master)
        exchange.body.append("{\"since\":\"")
        exchange.body.append(rfc3339: watch.since)
        exchange.body.append("\",\"sources\":[")
        for (index, source) in watch.all.enumerated() {
            if index > 0 { exchange.body.append(UInt8(ascii: ",")) }
            append(source, names, to: &exchange.body)
        }
        exchange.body.append("]}\n")
        exchange.respond(200)
        return .done
    }

    private func append(
        _ source: WatchedSource, _ names: SourceNames, to output: inout ByteBuffer
    ) {
        output.append("{\"source\":")
        names.append(source.source, to: &output)
        if let highest = source.sequence.highest {
            let missing = source.sequence.missing(rangeCountMax: Self.listedGapMax)
            output.append(",\"highest_seq\":")
            output.append(decimal: highest)
            output.append(",\"missing\":[")
            for (index, range) in missing.ranges.enumerated() {
                output.append(index > 0 ? ",[" : "[")
                output.append(decimal: range.lowerBound)
                output.append(",")
                output.append(decimal: range.upperBound)
                output.append("]")
            }
            output.append("],\"more_missing\":")
            output.append(decimal: Int64(clamping: missing.moreCount))
        }
        output.append(",\"newest_at\":\"")
        output.append(rfc3339: source.newestAt)
        output.append("\",\"last_arrival\":\"")
        output.append(rfc3339: source.arrivedAt)
        output.append("\"}")
    }

    /// Sources that metrics show, those with most gaps.
    private static var sourcesShownMax: Int { 100 }

    /// Appends a sample for each source that has gaps.
    func append(gapsTo output: inout ByteBuffer) {
        for source in shared.sources.withGaps(count: Self.sourcesShownMax) {
            output.append("holdfast_source_gaps{source=\"")
            if let id = source.source.id {
                engine.master.sourceNames.withName(UInt32(id)) { output.append(label: $0) }
            }
            output.append("\"} ")
            output.append(decimal: source.sequence.gapCount)
            output.append("\n")
        }
    }
}

extension ByteBuffer {
    /// Appends the value of a label, as the text format of Prometheus has it. It has no line feeds.
    fileprivate mutating func append(label value: Span<UInt8>) {
        for index in value.indices {
            if value[index] == UInt8(ascii: "\"") || value[index] == UInt8(ascii: "\\") {
                append(UInt8(ascii: "\\"))
            }
            append(value[index])
        }
    }
}
