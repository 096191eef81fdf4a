// The state of a directory as it was: a base, and what is kept of the journal behind it.
//
//     as of T      what took effect by T, among all that is known now
//     known at T   what the journal knew at T
//     behind F     what the journal held up to the frame F
//
// A base serves for what was known at T when nothing in it was decided later, and for what took effect by T
// when all in it did: events lie at most `futureToleranceMilliseconds` ahead of the clock. For a frame it serves
// when all its own frames lie before that.

package import Bytes
internal import Domain
internal import Engine
package import History
internal import Journal
internal import Platform
internal import Snapshot

/// How far back a directory can tell.
package enum PastReach: Equatable, Sendable {
    /// To the very beginning.
    case everything
    /// What was known at this time or later.
    case knownFrom(Milliseconds)
    /// Not at all: there is no base that what follows could be applied to.
    case nothing
}

extension StoredDirectory {
    package var history: HistoryFolder { HistoryFolder(historyPath) }

    /// How far back the directory can tell; the files of snapshots are not looked at.
    package func pastReach() throws(StartError) -> PastReach {
        let reach = try historyReach()
        if reach.hasBeginning { return .everything }
        let oldest = try manifests().last {
            $0.frozenBy != nil && reach.firstSegment(behind: $0) != nil
        }
        return oldest?.frozenBy.map { .knownFrom($0) } ?? .nothing
    }

    private func historyReach() throws(StartError) -> HistoryReach {
        do throws(JournalError) {
            return try HistoryReach(
                journal: journalPath, history: history, shardCount: shardCount)
        } catch { throw StartError("\(path): \(error)") }
    }

    /// Of the snapshots whose manifest can be read, newest first.
    private func manifests() throws(StartError) -> [Manifest] {
        let reader = SnapshotReader(in: snapshotsPath)
        do throws(SnapshotError) {
            return try reader.numbers().compactMap { try? reader.manifest(of: $0) }
        } catch { throw StartError("\(snapshotsPath): \(error)") }
    }

    /// Loads the state of a moment of the past.
    ///
    /// - Parameters:
    ///   - lateWindow: That of the service: how late a count may come.
    ///   - skus: Those that are asked for; nil: all. Shards without any stay empty.
    ///   - shouldContinue: Asked now and then; no gives it up.
    /// - Throws: `isOutOfReach` when the moment lies outside of all that is kept, with the earliest that can
    ///   be asked for; and when what is needed is damaged.
    /// - Complexity: O(positions + facts behind the base).
    package func load(
        at moment: PastMoment, lateWindow: Milliseconds, skus: [String]? = nil,
        _ shouldContinue: () -> Bool = { true }
    ) throws(StartError) -> StoredState {
        let reach = try historyReach()
        let reading = try PastReadingPlan(moment, self, reach)
        let engine = try emptyEngine(reading, lateWindow: lateWindow)
        let shards = skus.map { skus in
            Set(skus.compactMap { engine.key(of: $0) }.map { engine.shard(of: $0) })
        }
        var summary = RecoverySummary()
        let base = try base(for: reading, reach, &summary)
        guard let first = reach.firstSegment(behind: base?.manifest) else {
            throw try outOfReach(moment)
        }
        do throws(SnapshotError) {
            try base?.load(into: engine, now: reading.time, shards: shards)
        } catch { throw StartError("\(snapshotsPath): \(error)") }
        if let time = reading.asOf { engine.restrict(asOf: time) }
        var replay = TailReplay(engine, behind: summary.snapshot, crew: try crew(of: engine))
        // Its threads end whatever comes.
        defer { try? replay.finish() }
        replay.knownBy = reading.knownBy
        replay.through = reading.through
        replay.shards = shards
        let files = HistoryStorage(
            journal: journalPath, history: history, from: first, through: reading.lastSegment)
        do throws(JournalError) {
            let survey = try JournalSurvey(
                files, shardCount: shardCount, starting: replay.starting
            ) { (header, frame) throws(JournalError) in
                guard shouldContinue() else { throw .storage(.givenUp) }
                try replay.apply(header, frame)
            }
            try check(survey, through: reading.through)
            try replay.finish()
            try replay.check(survey.extents)
            summary.journal = survey.report
        } catch { throw StartError("\(path): \(error)") }
        summary.factCount = replay.factCount
        summary.frameCount = replay.frameCount
        summary.newestTime = replay.newestTime
        engine.adoptEverywhere(engine.master.policy(now: reading.time))
        var state = StoredState(engine: engine, summary: summary, now: reading.time, heads: [])
        state.pastSegment = first
        return state
    }

    /// Damage counts that lies before the end of what is wanted: what is written meanwhile may look like it.
    private func check(
        _ survey: JournalSurvey, through: [UInt64]?
    ) throws(JournalError) {
        guard let problem = survey.problem else { return }
        let isBehind =
            through.map { zip(survey.extents, $0).allSatisfy { $0.head.sequence >= $1 } } ?? false
        if !isBehind { throw problem }
    }

    /// Delivers the facts of all shards' frames from a segment on.
    ///
    /// - Complexity: O(bytes).
    func walkFacts(
        from first: UInt64, _ deliver: (FrameHeader, borrowing Buffer<Fact>) -> Void
    ) throws(StartError) {
        let files = HistoryStorage(journal: journalPath, history: history, from: first)
        var facts = Buffer<Fact>()
        do throws(JournalError) {
            let survey = try JournalSurvey(files, shardCount: shardCount) {
                (header, frame) throws(JournalError) in
                guard header.kind == .facts, header.stream != StreamNumber.control else { return }
                let payload = frame.extracting(
                    FrameHeader.byteCount..<FrameHeader.byteCount + header.payloadByteCount)
                var reader = FactReader(time: header.time)
                facts.removeAll()
                do throws(FactError) {
                    while try reader.readCommand(payload, into: &facts) {}
                } catch {
                    throw .unusable(
                        stream: header.stream, sequence: header.sequence,
                        reason: error.description)
                }
                deliver(header, facts)
            }
            try check(survey, through: durable)
        } catch { throw StartError("\(path): \(error)") }
    }

    private func outOfReach(_ moment: PastMoment) throws(StartError) -> StartError {
        let kept: String
        switch try pastReach() {
        case .everything: kept = "the base for it is damaged"
        case .nothing: kept = "nothing of the past is kept"
        case .knownFrom(let time):
            var text = ByteBuffer()
            var earliest = time
            if case .asOf = moment { earliest += PastMoment.asOfLag }
            text.append(rfc3339: earliest)
            kept = "the earliest moment that can be asked for is \(text.span.text)"
        }
        return StartError(
            "\(path): the moment lies before what is kept: \(kept)", isOutOfReach: true)
    }

    /// The newest whole snapshot that serves; nil: the beginning.
    private func base(
        for reading: PastReadingPlan, _ reach: HistoryReach, _ summary: inout RecoverySummary
    ) throws(StartError) -> Snapshot? {
        let reader = SnapshotReader(in: snapshotsPath)
        for manifest in try manifests() {
            guard reading.isServed(by: manifest), reach.firstSegment(behind: manifest) != nil
            else { continue }
            do throws(SnapshotError) {
                let snapshot = try reader.open(manifest.number)
                summary.snapshot = manifest
                return snapshot
            } catch {
                summary.passedOver.append(PassedOver(number: manifest.number, reason: error))
            }
        }
        return nil
    }

    private func emptyEngine(
        _ reading: PastReadingPlan, lateWindow: Milliseconds
    ) throws(StartError) -> Engine {
        var options = StoredState.keepingOptions
        options.shardCount = shardCount
        if reading.asOf != nil { options.lateWindow = lateWindow }
        do throws(SystemError) {
            return try Engine(options: options, reactorCount: 1, hasher: hasher)
        } catch { throw StartError(error.description) }
    }

    private func crew(of engine: Engine) throws(StartError) -> ReplayCrew {
        do throws(SystemError) { return try ReplayCrew(engine) } catch {
            throw StartError(error.description)
        }
    }
}

/// What has to be read for a moment.
private struct PastReadingPlan {
    /// Rules in force then are applied.
    let time: Milliseconds
    /// Facts that took effect later are left out.
    private(set) var asOf: Milliseconds?
    /// Frames of a later time are left out.
    private(set) var knownBy: Milliseconds?
    /// Frames behind these are left out, by stream.
    private(set) var through: [UInt64]?
    /// The last segment that is read.
    private(set) var lastSegment = UInt64.max
    private var cut: JournalCut?

    init(
        _ moment: PastMoment, _ directory: StoredDirectory, _ reach: HistoryReach
    ) throws(StartError) {
        through = directory.durable
        switch moment {
        case .asOf(let time):
            self.time = time
            asOf = time
        case .knownAt(let time):
            self.time = time
            knownBy = time
        case .behind(let point):
            let cut = try directory.cut(behind: point, reach)
            time = cut.time
            through = cut.sequences
            lastSegment = cut.segment
            self.cut = cut
        }
    }

    /// Whether nothing in a snapshot has to be left out.
    func isServed(by manifest: Manifest) -> Bool {
        if let cut { return cut.covers(manifest.sequences) }
        guard let frozenBy = manifest.frozenBy else { return false }
        return frozenBy <= asOf.map { $0 - PastMoment.asOfLag } ?? time
    }
}
