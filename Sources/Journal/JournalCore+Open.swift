// Bringing a journal up: read it, clean its tail, begin a new generation (W2).

internal import Platform

extension JournalCore {
    /// Opens the journal of a storage, or begins one.
    ///
    /// - Parameters:
    ///   - reading: What segments are read into; made here when nil or too small.
    ///   - starting: Where streams stand when there is no journal yet: shards, then control, then
    ///     the journal's own; empty: all at 0.
    ///   - verified: Told what was found, before anything is changed on the device.
    ///   - deliver: Gets every frame of shards and control, whole, in the order of the file.
    package static func open(
        _ files: Files, _ configuration: JournalConfiguration, _ memory: JournalMemory,
        reading: SharedRegion? = nil, starting: [StreamHead] = [],
        verified: ([Extent]) throws(JournalError) -> Void = { _ in },
        _ deliver: (FrameHeader, Span<UInt8>) throws(JournalError) -> Void
    ) throws(JournalError) -> JournalCore {
        configuration.check()
        do { try files.lock() } catch {
            throw error.code == wouldBlock ? .locked : .storage(error)
        }
        do throws(JournalError) {
            let none = [StreamHead](repeating: StreamHead(), count: configuration.streams.count)
            var recovery = try Recovery(
                files: files, configuration: configuration,
                starting: starting.isEmpty ? none : starting)
            let largest = max(recovery.largestSegmentByteCount, configuration.prepareByteCount)
            var room = reading
            if (room?.region.byteCount ?? 0) < largest {
                room = try storing { () throws(SystemError) in
                    try SharedRegion(byteCount: largest)
                }
            }
            guard let room else { preconditionFailure() }
            try recovery.run(into: room.region, deliver)
            try verified(recovery.extents())
            let remains = recovery.remains
            var core = JournalCore(
                files: files, configuration: configuration, memory: memory, recovery: recovery)
            do throws(SystemError) {
                try core.clean(remains, room.region)
                try core.begin()
            } catch {
                core.closeFiles()
                throw .storage(error)
            }
            return core
        } catch {
            files.unlock()
            throw error
        }
    }

    /// Makes all behind the end zero, and what was found durable, before anything new is written.
    private mutating func clean(
        _ remains: [(segment: Int, range: Range<Int>)], _ region: borrowing Region
    ) throws(SystemError) {
        if files.exists(.preparing) { try files.remove(.preparing) }
        hasBallast = files.exists(.ballast)
        if segments.isEmpty { return try files.syncDirectory() }
        // Not only what was cleaned: frames that a killed process wrote are perhaps not synced yet.
        file = try files.open(.segment(segments[current].base))
        for (index, range) in remains {
            if configuration.defects.has(.tailNotCleaned) { break }
            let cleaned = try files.open(.segment(segments[index].base))
            defer { files.close(cleaned) }
            try files.writeZeros(cleaned, at: range.lowerBound, range.count, region)
            if !configuration.defects.has(.cleanedTailNotSynced) { try files.sync(cleaned) }
        }
        if let file, !configuration.defects.has(.cleanedTailNotSynced) { try files.sync(file) }
        try files.syncDirectory()
    }

    /// Sets up the outboxes, has a segment to write in, and writes the mark of this life.
    private mutating func begin() throws(SystemError) {
        memory.shared.reset()
        durablePosition = position
        memory.shared.durablePosition = durablePosition
        for (index, outbox) in memory.outboxes.enumerated() {
            outbox.reset(sequence: heads[index].sequence)
        }
        if segments.isEmpty {
            while segments.isEmpty {
                _ = prepareAhead()
                if let failure { throw failure }
                if state == .full {
                    throw SystemError("begin the journal", code: SystemError.noSpace)
                }
            }
            file = try files.open(.segment(segments[0].base))
        }
        if offset == 0 { segments[current].heads = heads }
        publishLimit()
        _ = prepareAhead()
        if isTakingFrames { _ = commit() }
        if let failure { throw failure }
    }
}
