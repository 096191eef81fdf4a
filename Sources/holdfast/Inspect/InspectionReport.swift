// What an inspection found, as people read it and as programs do.

import Bytes
import History
import JSON
import Journal
import Service
import Snapshot

/// What can be done about damage, by what is damaged; empty when all is whole.
private func remedies(_ inspection: DirectoryInspection) -> [String] {
    var advice: [String] = []
    if inspection.snapshots.contains(where: { !$0.problems.isEmpty }) {
        advice.append(
            "a start passes damaged snapshots over and takes the newest whole one; when there is a "
                + "newer one that is whole, the damaged folder can be removed")
    }
    if inspection.historyProblem != nil || inspection.history.contains(where: { $0.problem != nil })
    {
        advice.append(
            "a start does not need the history; moments behind the newest base that follows the damage "
                + "can be asked for still, those before it from a backup alone")
    }
    switch inspection.journal.problem ?? inspection.mismatch {
    case nil: break
    case .newerVersion?: advice.append("use the version of the program that wrote the journal")
    case .shardCount?:
        advice.append("holdfast.json is not that of this journal: bring it back from a backup")
    default:
        advice.append(
            "copy the directory from its device first; then bring a backup back, or have what can "
                + "be proved written anew: holdfast inspect DIR --salvage --to OUT")
    }
    return advice
}

private func streamName(_ stream: UInt16) -> String {
    switch stream {
    case StreamNumber.control: "control"
    case StreamNumber.journal: "marks"
    default: "\(stream)"
    }
}

/// How a journal ends, in words.
private func ending(_ journal: JournalSurvey) -> String {
    let report = journal.report
    if journal.problem != nil { return "not known: read up to the damage" }
    if journal.segments.isEmpty { return "empty" }
    if report.cutByteCount > 0 {
        return "torn: \(grouped(report.cutByteCount)) bytes behind the end were never "
            + "acknowledged, and a start cuts them"
    }
    return report.wasClosed ? "closed in order" : "not closed in order"
}

private func text(_ time: Milliseconds) -> String {
    var text = ByteBuffer()
    text.append(rfc3339: time)
    return text.span.text
}

private func identityText(_ identity: UInt64) -> String {
    var text = ByteBuffer()
    text.append(hexadecimal: identity)
    return text.span.text
}

// MARK: - For people

func inspectionLines(_ inspection: DirectoryInspection) -> [String] {
    let directory = inspection.directory
    var lines = [
        "\(directory.path): identity \(identityText(directory.identity)), "
            + "\(directory.shardCount) shards, format \(directory.format)"
    ]
    if inspection.isInUse {
        lines.append("in use by a process: the end of the journal may be under way")
    }
    lines.append("")
    lines += snapshotLines(inspection.snapshots)
    lines.append("")
    lines += journalLines(inspection)
    lines.append("")
    lines += historyLines(inspection)
    if inspection.isWhole { return lines + ["", "all is whole"] }
    lines.append("")
    for problem in [
        inspection.journal.problem, inspection.mismatch, inspection.historyProblem,
    ] {
        if let problem { lines.append("DAMAGED: \(problem)") }
    }
    return lines + remedies(inspection).map { "to do: \($0)" }
}

private func snapshotLines(_ snapshots: [SnapshotCheck]) -> [String] {
    if snapshots.isEmpty { return ["no snapshot"] }
    var rows = [["SNAPSHOT", "TIME", "POSITIONS", "BYTES", "STATE"]]
    for snapshot in snapshots {
        rows.append([
            "\(snapshot.number)", snapshot.manifest.map { text($0.time) } ?? "-",
            snapshot.manifest.map { grouped($0.positions) } ?? "-",
            snapshot.manifest.map { grouped($0.byteCount) } ?? "-",
            snapshot.problems.isEmpty ? "whole" : "DAMAGED: \(snapshot.problems[0])",
        ])
        for problem in snapshot.problems.dropFirst() {
            rows.append(["", "", "", "", "DAMAGED: \(problem)"])
        }
    }
    return table(rows, [.right, .left, .right, .right, .left])
}

private func journalLines(_ inspection: DirectoryInspection) -> [String] {
    let journal = inspection.journal
    let byteCount = journal.segments.reduce(0) { $0 + $1.byteCount }
    let generations = journal.generations.map {
        ", generations \($0.lowerBound) to \($0.upperBound)"
    }
    var lines = [
        "journal: \(journal.segments.count) segments of \(grouped(byteCount)) bytes, "
            + "\(grouped(journal.report.frameCount)) frames\(generations ?? "")"
    ]
    lines += table(
        journal.segments.map { ["  " + $0.name, grouped($0.byteCount)] }, [.left, .right])
    if let last = journal.segments.first(where: { $0.base == journal.report.endSegment }),
        journal.problem == nil
    {
        lines.append("ends in \(last.name) at offset \(grouped(journal.report.endOffset))")
    }
    lines += ["end: \(ending(journal))", ""]
    var rows = [["STREAM", "FIRST", "LAST", "IN SNAPSHOT"]]
    let newest = inspection.snapshots.first { $0.problems.isEmpty }?.manifest
    let marks = newest.map { $0.shards + [$0.control] } ?? []
    for (index, extent) in journal.extents.enumerated() {
        let hasFrames = extent.first <= extent.head.sequence
        rows.append([
            streamName(extent.stream), hasFrames ? "\(extent.first)" : "-",
            hasFrames ? "\(extent.head.sequence)" : "-",
            index < marks.count ? "\(marks[index].sequence)" : "-",
        ])
    }
    return lines + table(rows, [.left, .right, .right, .right])
}

private func historyLines(_ inspection: DirectoryInspection) -> [String] {
    let history = inspection.history
    let stored = history.reduce(0) { $0 + $1.storedByteCount }
    var lines = [
        "history: \(history.count) segments compressed to \(grouped(stored)) bytes"
    ]
    lines += table(
        history.map { segment in
            [
                "  " + segment.fileName, grouped(segment.storedByteCount),
                segment.problem.map { "DAMAGED: \($0)" } ?? "whole",
            ]
        }, [.left, .right, .left])
    switch inspection.reach {
    case .everything: lines.append("the past can be told to the very beginning")
    case .nothing: lines.append("the past cannot be told")
    case .knownFrom(let time):
        lines.append(
            "the past can be told as known at \(text(time)) or later, and as of "
                + "\(text(PastMoment.asOfLag + time)) or later")
    }
    return lines
}

// MARK: - For programs

func inspectionJSON(_ inspection: DirectoryInspection) -> ByteBuffer {
    var output = ByteBuffer()
    let directory = inspection.directory
    output.append("{\"path\":")
    output.append(jsonText: directory.path)
    output.append(",\"identity\":\"")
    output.append(hexadecimal: directory.identity)
    output.append("\",\"shards\":")
    output.append(decimal: directory.shardCount)
    output.append(",\"format\":")
    output.append(decimal: directory.format)
    output.append(",\"in_use\":")
    output.append(jsonBoolean: inspection.isInUse)
    output.append(",\"whole\":")
    output.append(jsonBoolean: inspection.isWhole)
    output.append(",\"snapshots\":")
    output.append(list: inspection.snapshots) { $0.append($1) }
    output.append(",\"journal\":")
    output.append(inspection.journal)
    output.append(",\"history\":{\"segments\":")
    output.append(list: inspection.history) { $0.append($1) }
    output.append(",\"problem\":")
    output.append(inspection.historyProblem)
    output.append(",\"reach\":")
    output.append(inspection.reach)
    output.append("}")
    output.append(",\"mismatch\":")
    output.append(inspection.mismatch)
    output.append(",\"to_do\":")
    output.append(list: remedies(inspection)) { $0.append(jsonText: $1) }
    output.append("}\n")
    return output
}

extension ByteBuffer {
    fileprivate mutating func append(jsonText text: String) { append(jsonString: text.utf8.span) }

    fileprivate mutating func append<Element>(
        list elements: [Element], _ write: (inout ByteBuffer, Element) -> Void
    ) {
        append("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { append(",") }
            write(&self, element)
        }
        append("]")
    }

    fileprivate mutating func append(_ number: UInt64) {
        append(decimal: Int64(truncatingIfNeeded: number))
    }

    fileprivate mutating func append(_ snapshot: SnapshotCheck) {
        append("{\"number\":")
        append(snapshot.number)
        if let manifest = snapshot.manifest {
            append(",\"time\":\"")
            append(rfc3339: manifest.time)
            append("\",\"positions\":")
            append(decimal: manifest.positions)
            append(",\"bytes\":")
            append(decimal: manifest.byteCount)
            append(",\"sequences\":")
            append(list: manifest.shards + [manifest.control]) { $0.append($1.sequence) }
        }
        append(",\"problems\":")
        append(list: snapshot.problems) { $0.append(jsonText: "\($1)") }
        append("}")
    }

    fileprivate mutating func append(_ segment: ArchivedCheck) {
        append("{\"file\":")
        append(jsonText: segment.fileName)
        append(",\"stored_bytes\":")
        append(decimal: segment.storedByteCount)
        if let byteCount = segment.byteCount {
            append(",\"bytes\":")
            append(decimal: byteCount)
        }
        append(",\"problem\":")
        if let problem = segment.problem {
            append(jsonText: "\(problem)")
        } else {
            append("null")
        }
        append("}")
    }

    /// Appends the earliest moments that can be asked for; null: none can.
    fileprivate mutating func append(_ reach: PastReach) {
        switch reach {
        case .nothing: append("null")
        case .everything: append("{\"everything\":true}")
        case .knownFrom(let time):
            append("{\"everything\":false,\"known_at\":\"")
            append(rfc3339: time)
            append("\",\"as_of\":\"")
            append(rfc3339: time + PastMoment.asOfLag)
            append("\"}")
        }
    }

    fileprivate mutating func append(_ journal: JournalSurvey) {
        append("{\"segments\":")
        append(list: journal.segments) { output, segment in
            output.append("{\"file\":")
            output.append(jsonText: segment.name)
            output.append(",\"bytes\":")
            output.append(decimal: segment.byteCount)
            output.append("}")
        }
        append(",\"frames\":")
        append(decimal: journal.report.frameCount)
        if let generations = journal.generations {
            append(",\"generations\":")
            append(list: [generations.lowerBound, generations.upperBound]) { $0.append($1) }
        }
        append(",\"streams\":")
        append(list: journal.extents) { output, extent in
            output.append("{\"stream\":")
            output.append(jsonText: streamName(extent.stream))
            output.append(",\"first\":")
            output.append(extent.first)
            output.append(",\"last\":")
            output.append(extent.head.sequence)
            output.append("}")
        }
        append(",\"end\":{\"segment\":")
        append(journal.report.endSegment)
        append(",\"offset\":")
        append(decimal: journal.report.endOffset)
        append(",\"closed\":")
        append(jsonBoolean: journal.report.wasClosed)
        append(",\"torn_bytes\":")
        append(decimal: journal.report.cutByteCount)
        append("},\"problem\":")
        append(journal.problem)
        append("}")
    }

    /// Appends what is wrong, with its place where it has one; null when nothing is.
    fileprivate mutating func append(_ problem: JournalError?) {
        guard let problem else { return append("null") }
        append("{\"text\":")
        append(jsonText: "\(problem)")
        if case .damaged(let damage) = problem {
            append(",\"segment\":")
            append(damage.segment)
            append(",\"offset\":")
            append(decimal: damage.offset)
            if let stream = damage.stream, let sequence = damage.sequence {
                append(",\"stream\":")
                append(jsonText: streamName(stream))
                append(",\"sequence\":")
                append(sequence)
            }
        }
        append("}")
    }
}
