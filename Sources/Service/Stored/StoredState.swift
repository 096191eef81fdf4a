// What a data directory holds, loaded without a service: the newest whole snapshot and the journal
// behind it. The journal is read and not opened, so nothing changes.

package import Bytes
package import Engine
package import Journal
internal import Platform
internal import Snapshot

/// The state of a data directory, and where its streams stand.
package struct StoredState: Sendable {
    package let engine: Engine
    package let summary: RecoverySummary

    /// Service time: now, or that of the newest frame.
    package let now: Milliseconds

    /// The newest frames: of each shard, then of the control stream.
    package let heads: [StreamHead]

    /// Of the past: the segment that what follows the base was read from.
    package var pastSegment: UInt64?

    /// Options of an engine that forgets nothing of what is loaded: how much a service forgets is
    /// its own choice.
    package static var keepingOptions: EngineOptions {
        var options = EngineOptions()
        options.lateWindow = 100 * 365 * 86_400_000
        options.rememberedFor = options.lateWindow
        options.rememberedMax = 1 << 30
        return options
    }
}

extension StoredDirectory {
    /// Loads all there is.
    ///
    /// - Parameter watch: Gets every frame of the journal, whole, when it has been applied (or passed,
    ///   because the snapshot holds it): the names it uses are known by then.
    /// - Throws: When a start would stop.
    package func load(
        _ watch: (Engine, FrameHeader, Span<UInt8>) -> Void = { _, _, _ in }
    ) throws(StartError) -> StoredState {
        var summary = RecoverySummary()
        let (engine, now) = try loadSnapshot(&summary)
        var replay = TailReplay(engine, behind: summary.snapshot)
        let survey: JournalSurvey
        do throws(JournalError) {
            survey = try JournalSurvey(
                folder: journalPath, shardCount: shardCount, starting: replay.starting
            ) { (header, frame) throws(JournalError) in
                try replay.apply(header, frame)
                watch(engine, header, frame)
            }
            if let problem = survey.problem { throw problem }
            try replay.check(survey.extents)
        } catch { throw StartError("\(journalPath): \(error)") }
        summary.journal = survey.report
        summary.factCount = replay.factCount
        summary.frameCount = replay.frameCount
        summary.newestTime = replay.newestTime
        let time = max(now, replay.newestTime ?? now)
        engine.adoptEverywhere(engine.master.policy(now: time))
        return StoredState(
            engine: engine, summary: summary, now: time,
            heads: survey.extents.prefix(shardCount + 1).map(\.head))
    }

    /// An engine with the newest whole snapshot, and the time by the wall clock.
    func loadSnapshot(
        _ summary: inout RecoverySummary
    ) throws(StartError) -> (Engine, now: Milliseconds) {
        var options = StoredState.keepingOptions
        options.shardCount = shardCount
        let engine: Engine
        do throws(SystemError) {
            engine = try Engine(options: options, reactorCount: 1, hasher: hasher)
        } catch { throw StartError(error.description) }
        var now = Clock.wallMilliseconds
        do throws(SnapshotError) {
            let (snapshot, passedOver) = try SnapshotReader(in: snapshotsPath).newest()
            summary.passedOver = passedOver
            if let snapshot {
                now = max(now, snapshot.manifest.time)
                try snapshot.load(into: engine, now: now)
                summary.snapshot = snapshot.manifest
            }
        } catch { throw StartError("\(snapshotsPath): \(error)") }
        return (engine, now)
    }
}
