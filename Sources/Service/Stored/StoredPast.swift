// The state of a directory as it was: a base, and what is kept of the journal behind it.
//
//     as of T      what took effect by T, among all that is known now
//     known at T   what the journal knew at T
//
// A base serves for what was known at T when nothing in it was decided later, and for what took effect by T
// when all in it did: events lie at most `futureToleranceMilliseconds` ahead of the clock.

package import Bytes
internal import Domain
internal import Engine
package import History
internal import Journal
internal import Platform
internal import Snapshot

/// A moment of the past.
package enum PastMoment: Equatable, Sendable {
    case asOf(Milliseconds)
    case knownAt(Milliseconds)

    package var time: Milliseconds {
        switch self {
        case .asOf(let time), .knownAt(let time): time
        }
    }

    /// How much later than a base the first effective time lies that it serves for.
    package static let asOfLag = futureToleranceMilliseconds

    /// A base must have been frozen by then.
    var baseTime: Milliseconds {
        switch self {
        case .asOf(let time): time - Self.asOfLag
        case .knownAt(let time): time
        }
    }
}

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
    /// - Parameter lateWindow: That of the service: how late a count may come.
    /// - Throws: When the moment lies before all that is kept, with the earliest that can be asked for; and
    ///   when what is needed is damaged.
    /// - Complexity: O(positions + facts behind the base).
    package func load(
        at moment: PastMoment, lateWindow: Milliseconds
    ) throws(StartError) -> StoredState {
        let reach = try historyReach()
        var summary = RecoverySummary()
        let base = try base(for: moment, reach, &summary)
        guard let first = reach.firstSegment(behind: base?.manifest) else {
            throw try outOfReach(moment)
        }
        let engine = try load(base, at: moment, lateWindow: lateWindow)
        var replay = try TailReplay(engine, behind: summary.snapshot, crew: crew(of: engine))
        // Its threads end whatever comes.
        defer { try? replay.finish() }
        if case .knownAt(let time) = moment { replay.knownBy = time }
        let files = HistoryStorage(journal: journalPath, history: history, from: first)
        do throws(JournalError) {
            let survey = try JournalSurvey(
                files, shardCount: shardCount, starting: replay.starting
            ) { (header, frame) throws(JournalError) in try replay.apply(header, frame) }
            if let problem = survey.problem { throw problem }
            try replay.finish()
            try replay.check(survey.extents)
            summary.journal = survey.report
        } catch { throw StartError("\(path): \(error)") }
        summary.factCount = replay.factCount
        summary.frameCount = replay.frameCount
        summary.newestTime = replay.newestTime
        engine.adoptEverywhere(engine.master.policy(now: moment.time))
        var state = StoredState(engine: engine, summary: summary, now: moment.time, heads: [])
        state.pastSegment = first
        return state
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
            if let problem = survey.problem { throw problem }
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
        return StartError("\(path): the moment lies before what is kept: \(kept)")
    }

    /// The newest whole snapshot that serves for `moment`; nil: the beginning.
    private func base(
        for moment: PastMoment, _ reach: HistoryReach, _ summary: inout RecoverySummary
    ) throws(StartError) -> Snapshot? {
        let reader = SnapshotReader(in: snapshotsPath)
        for manifest in try manifests() {
            guard let frozenBy = manifest.frozenBy, frozenBy <= moment.baseTime,
                reach.firstSegment(behind: manifest) != nil
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

    private func load(
        _ base: Snapshot?, at moment: PastMoment, lateWindow: Milliseconds
    ) throws(StartError) -> Engine {
        var options = StoredState.keepingOptions
        options.shardCount = shardCount
        if case .asOf = moment { options.lateWindow = lateWindow }
        let engine: Engine
        do throws(SystemError) {
            engine = try Engine(options: options, reactorCount: 1, hasher: hasher)
        } catch { throw StartError(error.description) }
        do throws(SnapshotError) { try base?.load(into: engine, now: moment.time) } catch {
            throw StartError("\(snapshotsPath): \(error)")
        }
        if case .asOf(let time) = moment { engine.restrict(asOf: time) }
        return engine
    }

    private func crew(of engine: Engine) throws(StartError) -> ReplayCrew {
        do throws(SystemError) { return try ReplayCrew(engine) } catch {
            throw StartError(error.description)
        }
    }
}
