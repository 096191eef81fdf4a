// One commit: what all shards have, behind one mark, with one write and one sync.
//
//     gather ──▶ write ──▶ sync ──▶ publish                       --durability sync
//     gather ──▶ write ──▶ publish as released … sync ──▶ durable     interval, none
//
// No delay is waited out: a commit takes what is there, and what comes during its sync makes up the
// next one. So a lone frame costs one sync, and many share one.
//
// Frames of shards build on those of the control stream, which name what they refer to. So a commit
// looks at the shards' outboxes first and at that of the control stream last, but writes in the
// other order, and shards wait until the control stream is through: what a shard's frame builds on
// was put before it, hence was seen, and lies before it in the file.

internal import Platform

extension JournalCore {
    /// Gathers, writes, syncs and publishes what the outboxes hold, as far as one segment goes.
    ///
    /// - Returns: Whether anything was written.
    mutating func commit() -> Bool {
        lookAtShards()
        return commitSeen()
    }

    /// Notes what the outboxes of the shards hold: what comes later is left to the next commit.
    package mutating func lookAtShards() {
        for shard in shardEnds.indices { shardEnds[shard] = memory.outboxes[shard].end }
    }

    /// Commits what the control stream has now, and the shards had when they were looked at.
    ///
    /// - Returns: Whether anything was written.
    package mutating func commitSeen() -> Bool {
        let defects = configuration.defects
        var markByteCount = openingByteCount
        var gathered = gather(behind: markByteCount)
        let needsNext = gathered.isBlocked || (owesOpening && !hasRoomForMark)
        if gathered.byteCount == 0, needsNext, advance() {
            markByteCount = openingByteCount
            gathered = gather(behind: markByteCount)
        }
        guard gathered.byteCount > 0 || owesOpening, hasRoomForMark else { return false }
        if defects.has(.acknowledgeBeforeWrite) { publish(isSynced: true) }
        guard write(mark: offset == 0 ? .segment : .mark, gathered.byteCount) else { return false }
        owesOpening = false
        if configuration.durability == .sync {
            if defects.has(.acknowledgeBeforeSync) { publish(isSynced: true) }
            return sync()
        }
        publish(isSynced: false)
        return true
    }

    /// Says on the device that all before is durable, once nothing has come for a while.
    ///
    /// A flipped bit in the newest commit is then told from a torn write.
    ///
    /// - Returns: Whether a mark was needed and written.
    package mutating func markIdle() -> Bool {
        guard isTakingFrames, needsIdleMark else { return false }
        return write(mark: .mark, 0) && sync()
    }

    /// Whether something is durable that no mark on the device says to be.
    var needsIdleMark: Bool {
        !isVouched && offset > 0 && durablePosition == position && hasRoomForMark
    }

    /// Whether something was written that is not synced.
    var hasUnsynced: Bool { offset > 0 && durablePosition < position }

    /// Syncs what was written; what `interval` does now and then.
    package mutating func syncWritten() {
        if isTakingFrames, hasUnsynced { _ = sync() }
    }

    /// Bytes of the mark that the next commit begins with.
    private var openingByteCount: Int {
        offset == 0 ? streams.segmentMarkByteCount : MarkPayload.frameByteCount
    }

    /// Room for a mark, and for the one that closes the journal.
    private var hasRoomForMark: Bool {
        segments[current].byteCount - offset >= openingByteCount + MarkPayload.frameByteCount
    }

    /// Moves frames from the outboxes to the staging room, behind `start` bytes for the mark.
    ///
    /// - Returns: Their bytes, and whether a frame did not fit into the segment.
    private mutating func gather(behind start: Int) -> (byteCount: Int, isBlocked: Bool) {
        var staged = Staged(
            end: start,
            inSegment: segments[current].byteCount - offset - MarkPayload.frameByteCount)
        let control = streams.controlIndex
        stage(control, before: memory.outboxes[control].end, &staged)
        let count = shardEnds.count
        for step in 0..<count {
            if staged.isCutShort, !configuration.defects.has(.controlOvertaken) { break }
            let index = (turn + step) % count
            stage(index, before: shardEnds[index], &staged)
        }
        turn = (turn + 1) % count
        return (max(0, staged.end - start), staged.isBlocked)
    }

    /// Moves the frames of one stream to the staging room, as far as they fit.
    private mutating func stage(_ index: Int, before end: UInt64, _ staged: inout Staged) {
        let outbox = memory.outboxes[index]
        let limit = min(memory.staging.byteCount, staged.inSegment)
        while let header = outbox.front(before: end) {
            let byteCount = header.frameByteCount
            if staged.end + byteCount > limit {
                staged.isCutShort = staged.isCutShort || index == streams.controlIndex
                staged.isBlocked = staged.end + byteCount > staged.inSegment
                return
            }
            outbox.take(byteCount, into: memory.staging, at: staged.end)
            // What left the outbox is in this commit, or the journal has failed.
            assert(header.sequence == heads[index].sequence + 1)
            heads[index] = StreamHead(
                sequence: header.sequence, hash: header.hash, generation: header.generation)
            consumedGrant += UInt64(configuration.cost(ofFrame: byteCount))
            staged.end += byteCount
        }
    }

    /// Writes the staging room: a mark, which is made here, and `frameByteCount` bytes behind it.
    ///
    /// - Returns: False when the journal has failed.
    mutating func write(mark kind: FrameKind, _ frameByteCount: Int) -> Bool {
        guard let file else { preconditionFailure("a journal is written before it is open") }
        let defects = configuration.defects
        let isTooHigh = defects.has(.durableUpToTooHigh) && offset > 0
        let payload = MarkPayload(
            position: position, durableUpTo: isTooHigh ? position : durablePosition,
            commitByteCount: UInt64(frameByteCount))
        let byteCount = seal(kind, payload) + frameByteCount
        do {
            try files.writeAll(file, at: offset, memory.staging, 0..<byteCount)
        } catch {
            if !defects.has(.writeErrorIgnored) {
                fail(error)
                return false
            }
        }
        offset += byteCount
        isVouched = frameByteCount == 0
        publishLimit()
        return true
    }

    /// Makes the mark at the start of the staging room.
    ///
    /// - Returns: Its bytes.
    private mutating func seal(_ kind: FrameKind, _ payload: MarkPayload) -> Int {
        let head = heads[streams.journalIndex]
        let isSegment = kind == .segment
        var header = FrameHeader(
            kind, stream: StreamNumber.journal,
            payloadByteCount: isSegment ? streams.segmentPayloadByteCount : MarkPayload.byteCount,
            generation: generation, sequence: head.sequence + 1, previousHash: head.hash)
        payload.write(memory.staging, frameAt: 0)
        if isSegment {
            memory.staging.setWord(UInt64(streams.count), at: 88)
            for (index, head) in segments[current].heads.enumerated() {
                head.write(memory.staging, segmentMarkAt: 0, index)
            }
        }
        header.seal(memory.staging, at: 0)
        heads[streams.journalIndex] = StreamHead(
            sequence: header.sequence, hash: header.hash, generation: generation)
        return header.frameByteCount
    }

    /// Syncs the current segment and publishes what is durable now.
    ///
    /// - Returns: False when the journal has failed.
    mutating func sync() -> Bool {
        guard let file else { preconditionFailure("a journal is synced before it is open") }
        do {
            try files.sync(file)
        } catch {
            let isRetried = configuration.defects.has(.syncRetriedAfterError)
            guard isRetried, (try? files.sync(file)) != nil else {
                fail(error)
                return false
            }
        }
        durablePosition = position
        memory.shared.durablePosition = position
        publish(isSynced: true)
        return true
    }

    private func publish(isSynced: Bool) {
        let ahead: UInt64 = configuration.defects.has(.acknowledgeOneTooMany) ? 1 : 0
        for (index, outbox) in memory.outboxes.enumerated() {
            let sequence = heads[index].sequence + ahead
            outbox.publish(
                released: sequence, durable: isSynced ? sequence : outbox.durableSequence)
        }
    }

    /// Goes on in the next segment, after all of this one is synced.
    ///
    /// - Returns: False when there is none yet, or the journal has failed.
    private mutating func advance() -> Bool {
        guard current + 1 < segments.count else { return false }
        if durablePosition < position, !configuration.defects.has(.segmentNotSynced) {
            guard sync() else { return false }
        }
        do {
            let next = try files.open(.segment(segments[current + 1].base))
            if let file { files.close(file) }
            file = next
        } catch {
            fail(error)
            return false
        }
        current += 1
        offset = 0
        segments[current].heads = heads
        return true
    }
}

/// What is gathered for a commit.
private struct Staged {
    /// Where the next frame goes in the staging room.
    var end: Int

    /// Bytes that the segment has room for, the mark included.
    let inSegment: Int

    /// Frames of the control stream are left, for want of room.
    var isCutShort = false

    /// A frame did not fit into the segment.
    var isBlocked = false
}
