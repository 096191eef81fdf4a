// Ends: the end of the journal, and of segments that nobody needs any more.

internal import Platform

extension JournalCore {
    /// Removes the segments all of whose frames are covered by `sequences`: of each shard, then of
    /// the control stream, the last sequence that two verified snapshots hold. The current segment
    /// stays. Oldest first, each removal synced before the next, so that no crash leaves a gap.
    ///
    /// - Returns: How many were removed.
    package mutating func trim(through sequences: [UInt64]) throws(JournalError) -> Int {
        precondition(sequences.count == streams.count - 1)
        let extra: UInt64 = configuration.defects.has(.trimOneTooMany) ? 1 : 0
        var removed = 0
        while current > 0, isTakingFrames {
            let next = segments[1].heads
            let isCovered = sequences.indices.allSatisfy {
                next[$0].sequence <= sequences[$0] + extra
            }
            // The next segment must be able to stand at the front: its mark must be durable.
            guard isCovered, durablePosition > segments[1].base else { break }
            do {
                try files.remove(.segment(segments[0].base))
                try files.syncDirectory()
            } catch {
                fail(error)
                throw .storage(error)
            }
            segments.removeFirst()
            current -= 1
            removed += 1
        }
        return removed
    }

    /// Writes what the outboxes hold and a mark that says so, gives the folder free.
    ///
    /// What became of the frames is told by their writers as usual. A journal that has failed is
    /// only let go.
    package mutating func close() {
        while isTakingFrames, commit() {}
        syncWritten()
        if isTakingFrames, offset > 0, !owesOpening {
            if write(mark: .close, 0), sync() { memory.shared.state = .closed }
        }
        if isTakingFrames { memory.shared.state = .closed }
        closeFiles()
        files.unlock()
        // Frames that came too late are `unknown` now: nothing else would tell their owners.
        for outbox in memory.outboxes { outbox.ringOwner() }
    }

    mutating func closeFiles() {
        if let file { files.close(file) }
        if let preparing { files.close(preparing.file) }
        file = nil
        preparing = nil
    }
}
