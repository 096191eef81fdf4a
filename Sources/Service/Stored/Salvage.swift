// A new directory from what can be proved of a damaged one: the newest whole snapshot, and of each
// stream the frames that follow it without a gap. The damaged one is not touched.

internal import Bytes
internal import Domain
internal import Engine
package import Journal
package import Snapshot

/// What was saved, and what was not.
package struct SalvageSummary: Sendable {
    /// What it began with; nil: there was no whole snapshot.
    package let snapshot: Manifest?
    package let passedOver: [PassedOver]
    package let streams: [SalvagedStream]
    /// The snapshot that the new directory begins with.
    package let written: Manifest

    /// Whether frames are known to be lost.
    package var hasLosses: Bool { streams.contains { $0.newestSeen > $0.head.sequence } }
}

extension StoredDirectory {
    /// Writes a new directory at `target`, where there must be nothing, from what can be proved.
    ///
    /// - Throws: Also when nothing can.
    package func salvage(to target: String) throws(StartError) -> SalvageSummary {
        try withoutServing { () throws(StartError) in
            var summary = RecoverySummary()
            let (engine, now) = try loadSnapshot(&summary)
            var replay = TailReplay(engine, behind: summary.snapshot)
            let marks = summary.snapshot.map { $0.shards + [$0.control] }
            let none = [StreamHead](repeating: StreamHead(), count: shardCount + 1)
            let streams: [SalvagedStream]
            do throws(JournalError) {
                streams = try salvageFrames(
                    folder: journalPath, behind: marks?.map(\.head) ?? none
                ) { (header, frame) throws(JournalError) in
                    try checkNames(header, frame, engine)
                    try replay.apply(header, frame)
                }
            } catch { throw StartError("\(journalPath): \(error)") }
            guard summary.snapshot != nil || streams.contains(where: { $0.head.sequence > 0 })
            else {
                throw StartError(
                    "\(path): there is no whole snapshot, and no frame of the journal can be "
                        + "proved without one")
            }
            let time = max(now, replay.newestTime ?? now)
            engine.adoptEverywhere(engine.master.policy(now: time))
            let written = try writeDirectory(
                at: target, engine, behind: streams.map(\.head), time: time)
            return SalvageSummary(
                snapshot: summary.snapshot, passedOver: summary.passedOver, streams: streams,
                written: written)
        }
    }
}

/// Refuses a frame that uses names which were lost, before any of its facts is applied.
private func checkNames(
    _ header: FrameHeader, _ frame: Span<UInt8>, _ engine: Engine
) throws(JournalError) {
    guard header.kind == .facts, header.stream != StreamNumber.control else { return }
    let payload = frame.extracting(
        FrameHeader.byteCount..<FrameHeader.byteCount + header.payloadByteCount)
    let known = engine.master.nameCounts
    var reader = FactReader(time: header.time)
    var facts = Buffer<Fact>()
    var isKnown = true
    do throws(FactError) { while try reader.readCommand(payload, into: &facts) {} } catch {
        throw .unusable(
            stream: header.stream, sequence: header.sequence, reason: error.description)
    }
    for index in facts.indices {
        switch facts[index] {
        case .positionAdded(let position): isKnown = isKnown && position.location < known.locations
        case .categorised(let fact): isKnown = isKnown && fact.category <= known.categories
        // A source that was lost has no effect.
        case .skuAdded, .moved, .counted, .movementRecorded, .countRecorded, .remembered, .parked,
            .reasonGiven, .letterEnded:
            break
        }
    }
    if isKnown { return }
    throw .unusable(
        stream: header.stream, sequence: header.sequence,
        reason: "it uses names of shared data that were lost")
}
