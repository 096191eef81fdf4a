// Looking at a journal without opening it: what a start would read of it. Nothing is changed, so the
// journal of a running service may be looked at too; what its thread is writing just then looks like
// a torn tail, or like damage that is not there when looked at again.

internal import Platform

/// A file of a journal as it was found.
package struct SegmentFile: Equatable, Sendable {
    package var name: String
    /// Where it begins in the journal.
    package var base: UInt64
    package var byteCount: Int
}

/// What was found in a journal.
package struct JournalSurvey: Sendable {
    package private(set) var segments: [SegmentFile] = []

    /// Where each stream begins and ends, as far as frames are good: shards, then the control
    /// stream, then the journal's own.
    package private(set) var extents: [Extent] = []
    package private(set) var report = RecoveryReport()

    /// Of the oldest frame and of the newest mark; nil when there is none.
    package private(set) var generations: ClosedRange<UInt64>?

    /// Why nothing behind the last good frame was read; nil: all is good.
    package private(set) var problem: JournalError?

    /// Reads the journal in `folder`.
    ///
    /// - Parameters:
    ///   - starting: Where the streams stand if there is no journal yet; empty: all at 0.
    ///   - deliver: Gets every good frame that is no mark, whole, in the order of the file. What it
    ///     throws is the survey's problem.
    /// - Throws: `storage` alone, when the folder cannot be read.
    /// - Complexity: O(bytes); holds the largest segment in memory.
    package init(
        folder: String, shardCount: Int, starting: [StreamHead] = [],
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) throws(JournalError) {
        try self.init(
            FileStorage(folder: folder, isReadOnly: true), shardCount: shardCount,
            starting: starting, deliver)
    }

    /// Reads the journal in `files`, likewise.
    package init(
        _ files: some Storage, shardCount: Int, starting: [StreamHead] = [],
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) throws(JournalError) {
        var configuration = JournalConfiguration()
        configuration.shardCount = shardCount
        let none = [StreamHead](repeating: StreamHead(), count: configuration.streams.count)
        do throws(JournalError) {
            var recovery = try Recovery(
                files: files, configuration: configuration,
                starting: starting.isEmpty ? none : starting)
            try read(&recovery, deliver)
        } catch {
            if case .storage = error { throw error }
            problem = error
        }
    }

    private mutating func read(
        _ recovery: inout Recovery<some Storage>,
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) throws(JournalError) {
        segments = recovery.segments.map {
            SegmentFile(
                name: segmentFileName($0.base), base: $0.base, byteCount: $0.byteCount)
        }
        let byteCount = max(4096, recovery.largestSegmentByteCount)
        let region = try storing { () throws(SystemError) in try Region(byteCount: byteCount) }
        var oldest: UInt64?
        // Also of what was good before something was not.
        defer {
            extents = recovery.extents()
            report = recovery.report
            let newest = recovery.checker.generation
            if newest > 0 { generations = min(oldest ?? newest, newest)...newest }
        }
        try recovery.run(into: region) { (header, frame) throws(JournalError) in
            oldest = oldest ?? header.generation
            try deliver(header, frame)
        }
    }
}
