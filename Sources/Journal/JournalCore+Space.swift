// Space ahead: the next segment is prepared while the current one fills, so that a commit never
// changes the size or the blocks of a file, and a full disk is noticed before anything changes (W4).
//
// Prepared means: allocated, filled with zeros, synced, then renamed to its name and the folder
// synced. A crash in between leaves a file of another name, which the next start removes.
//
// On a full disk the ballast is given up, so that others can close in order with its space. The
// journal itself does not eat it: a new segment is tried only when there is room for both again.

internal import Platform

extension JournalCore {
    /// Does one piece of preparing the next segment and the ballast.
    ///
    /// - Returns: Whether there was anything to do.
    mutating func prepareAhead() -> Bool {
        do {
            if let preparing { return try fill(preparing.file, from: preparing.offset) }
            if segments.count < current + 2 || segments.isEmpty { return try startSegment() }
            if !hasBallast, configuration.ballastByteCount > 0 { return try keepBallast() }
        } catch {
            if error.isForSpace { runShort() } else { fail(error) }
        }
        return false
    }

    private mutating func startSegment() throws(SystemError) -> Bool {
        if state == .full {
            let needed = configuration.segmentByteCount + configuration.ballastByteCount
            if try files.freeByteCount() < needed { return false }
        }
        let file = try files.create(.preparing, byteCount: configuration.segmentByteCount)
        preparing = (file, 0)
        return true
    }

    /// Writes the next zeros; behind the last, the segment is there.
    private mutating func fill(_ file: FileNumber, from start: Int) throws(SystemError) -> Bool {
        let end = min(start + configuration.prepareByteCount, configuration.segmentByteCount)
        if !configuration.defects.has(.zeroFillSkipped) {
            try files.writeZeros(file, at: start, end - start, memory.staging)
        }
        try files.sync(file)
        if end < configuration.segmentByteCount {
            preparing = (file, end)
            return true
        }
        let base = segments.last?.end ?? 0
        try files.rename(.preparing, to: .segment(base))
        if !configuration.defects.has(.directoryNotSynced) { try files.syncDirectory() }
        files.close(file)
        preparing = nil
        segments.append(Segment(base: base, byteCount: configuration.segmentByteCount))
        if state == .full { memory.shared.state = .open }
        publishLimit()
        return true
    }

    private mutating func keepBallast() throws(SystemError) -> Bool {
        if state == .full, try files.freeByteCount() < configuration.ballastByteCount {
            return false
        }
        let file = try files.create(.ballast, byteCount: configuration.ballastByteCount)
        files.close(file)
        try files.syncDirectory()
        hasBallast = true
        if state == .full { memory.shared.state = .open }
        return true
    }

    /// The disk is full: gives up the ballast and what was begun.
    private mutating func runShort() {
        if let preparing { files.close(preparing.file) }
        preparing = nil
        hasBallast = false
        do {
            for name in [FileName.preparing, .ballast] where files.exists(name) {
                try files.remove(name)
            }
            try files.syncDirectory()
            memory.shared.state = .full
        } catch {
            fail(error)
        }
    }
}
