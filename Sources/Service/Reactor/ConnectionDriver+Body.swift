// Bodies: collected, streamed or skipped; announced by length or in chunks.
//
// Chunks are decoded in place, so that a handler sees one contiguous piece:
//
//     before   │ decoded │ raw: "5\r\nhello\r\n3\r\nyou\r\n…" │
//     after    │ decoded  helloyou │ raw: what is not complete, or the next request │

internal import Bytes
internal import HTTP

extension ConnectionDriver where Handler: ~Copyable {
    // MARK: Collected

    mutating func beginGathering(
        _ c: inout Connection, limit: Int, _ buffer: inout ByteBuffer, _ offset: inout Int
    ) -> Bool {
        let headByteCount = requests.parser.head.byteCount
        switch requests.parser.head.framing {
        case .none:
            return answer(&c, bodyCount: 0, end: offset &+ headByteCount, buffer, &offset)
        case .length(let count):
            guard count <= limit else { return refuseBody(&c) }
            let end = offset &+ headByteCount &+ count
            if end < buffer.count, answerTogether(&c, buffer, &offset) { return true }
            if end <= buffer.count {
                return answer(&c, bodyCount: count, end: end, buffer, &offset)
            }
            c.isChunked = false
            c.remaining = headByteCount &+ count
        case .chunked:
            c.isChunked = true
            c.decoder = ChunkedDecoder(limits: limits.http, bodyByteCountMax: limit)
            c.decodedCount = 0
            c.bodyEnded = false
        }
        c.headByteCount = headByteCount
        c.phase = .gather
        c.beginBodyWindow(now)
        continueIfAwaited(isBodyHere: offset &+ headByteCount < buffer.count)
        c.save(&exchange)
        return c.isChunked
    }

    /// Goes on collecting: the buffer at `offset` starts with the head.
    mutating func gather(
        _ c: inout Connection, _ buffer: inout ByteBuffer, _ offset: inout Int
    ) -> Bool {
        let bodyStart = offset &+ c.headByteCount
        let bodyCount: Int
        if c.isChunked {
            guard decode(&c, &buffer, from: bodyStart) else { return false }
            guard c.bodyEnded else { return false }
            bodyCount = c.decodedCount
        } else {
            guard buffer.count &- offset >= c.remaining else { return false }
            bodyCount = c.remaining &- c.headByteCount
        }
        // Read again rather than kept: a head is large, and few requests come in pieces.
        readAgain(buffer, offset)
        restore(&c)
        return answer(&c, bodyCount: bodyCount, end: bodyStart &+ bodyCount, buffer, &offset)
    }

    /// Reads the head at `offset`, which was read before.
    private mutating func readAgain(_ buffer: borrowing ByteBuffer, _ offset: Int) {
        guard (try? requests.read(buffer.span.from(offset))) == true else {
            preconditionFailure("A head that was read before cannot be read again.")
        }
    }

    /// The request whose head was read last is here whole.
    private mutating func answer(
        _ c: inout Connection, bodyCount: Int, end: Int, _ buffer: borrowing ByteBuffer,
        _ offset: inout Int
    ) -> Bool {
        exchange.bodyIsAhead = false
        let bytes = buffer.span.from(offset)
        let body = bytes.part(
            ByteRange(offset: requests.parser.head.byteCount, count: bodyCount))
        let progress = handler.answer(requests.parser.head, bytes, body: body, &exchange)
        offset = end
        settle(&c, progress)
        return c.phase == .head || c.phase == .producing
    }

    // MARK: Together

    /// Answers the request whose head was just read, and those behind it, together: as many as are
    /// here whole, keep the connection, and are taken by the handler.
    ///
    /// - Returns: false when nothing was answered, so that the request is to be answered by itself.
    private mutating func answerTogether(
        _ c: inout Connection, _ buffer: borrowing ByteBuffer, _ offset: inout Int
    ) -> Bool {
        if isDraining { return false }
        joinedEnds.removeAll()
        var end = offset
        repeat {
            let head = requests.parser.head
            guard case .length(let count) = head.framing, head.keepsAlive, head.minorVersion == 1
            else { break }
            let start = end &- offset
            let next = end &+ head.byteCount &+ count
            guard next <= buffer.count, next &- offset <= Self.joinedByteCountMax,
                handler.join(head, buffer.span.extracting(offset..<next), at: start)
            else { break }
            joinedEnds.append(next)
            end = next
        } while joinedEnds.count < Self.joinedCountMax && end < buffer.count
            && (try? requests.read(buffer.span.from(end))) == true
        if joinedEnds.isEmpty { return false }
        exchange.bodyIsAhead = false
        let count = handler.answerJoined(buffer.span.extracting(offset..<end), &exchange)
        if count == 0 {
            readAgain(buffer, offset)
            return false
        }
        offset = joinedEnds[count - 1]
        joinedSteps = count &- 1
        exchange.counts[.requests] &+= UInt64(count &- 1)
        finish(&c)
        finished.count &+= UInt64(count &- 1)
        return true
    }

    /// As many look-ups as the engine makes at a time.
    private static var joinedCountMax: Int { 32 }

    /// What bounds the work between two looks at how much is unsent.
    private static var joinedByteCountMax: Int { 16 << 10 }

    // MARK: Streamed

    mutating func beginStreaming(
        _ c: inout Connection, limit: Int, _ buffer: inout ByteBuffer, _ offset: inout Int
    ) -> Bool {
        switch requests.parser.head.framing {
        case .none:
            c.isChunked = false
            c.remaining = 0
        case .length(let count):
            guard count <= limit else { return refuseBody(&c) }
            c.isChunked = false
            c.remaining = count
        case .chunked:
            c.isChunked = true
            c.decoder = ChunkedDecoder(limits: limits.http, bodyByteCountMax: limit)
            c.decodedCount = 0
            c.bodyEnded = false
        }
        offset &+= requests.parser.head.byteCount
        c.phase = .stream
        c.offeredCount = -1
        c.beginBodyWindow(now)
        continueIfAwaited(isBodyHere: offset < buffer.count)
        c.save(&exchange)
        return true
    }

    /// Offers what is here of the body to the handler.
    mutating func stream(
        _ c: inout Connection, _ buffer: inout ByteBuffer, _ offset: inout Int
    ) -> Bool {
        if isOverfull(&c) { return false }
        let count: Int
        let isLast: Bool
        if c.isChunked {
            guard decode(&c, &buffer, from: offset) else { return false }
            count = c.decodedCount
            isLast = c.bodyEnded
        } else {
            count = min(c.remaining, buffer.count &- offset)
            isLast = count == c.remaining
        }
        if !isLast, count == 0 || count == c.offeredCount { return false }
        restore(&c)
        exchange.bodyIsAhead =
            !isLast && (c.isChunked || c.remaining > limits.skippedBodyByteCountMax)
        let piece = buffer.span.part(ByteRange(offset: offset, count: count))
        let intake = handler.consume(piece, isLast: isLast, &exchange)
        precondition(intake.consumedByteCount >= 0 && intake.consumedByteCount <= count)
        offset &+= intake.consumedByteCount
        if c.isChunked {
            c.decodedCount &-= intake.consumedByteCount
        } else {
            c.remaining &-= intake.consumedByteCount
        }
        c.offeredCount = count &- intake.consumedByteCount
        return follow(&c, intake.progress, isLast: isLast, &offset)
    }

    /// What follows from the handler's word about a piece.
    private mutating func follow(
        _ c: inout Connection, _ progress: Progress, isLast: Bool, _ offset: inout Int
    ) -> Bool {
        let leftCount = c.offeredCount
        switch progress {
        case .done where isLast:
            offset &+= leftCount
            finish(&c)
            return c.isReading
        case .done, .cut:
            if c.isChunked || progress == .cut { exchange.keepsAlive = false }
            finish(&c, leaving: c.isChunked ? 0 : c.remaining)
            return c.isReading
        case .later:
            c.save(&exchange)
            c.phase = isLast && leftCount == 0 ? .waiting : .paused
            return false
        case .more:
            c.save(&exchange)
            if isLast {
                if leftCount == 0 {
                    c.phase = .producing
                    return true
                }
                c.offeredCount = -1
                c.wantsTurn = true
            } else if leftCount >= limits.pieceByteCountMax {
                end(
                    &c, status: 413, "item_too_large",
                    "One item of the body is larger than the limit.")
            }
            return false
        }
    }

    // MARK: Skipped

    mutating func skip(
        _ c: inout Connection, _ buffer: inout ByteBuffer, _ offset: inout Int
    ) -> Bool {
        let count = min(c.remaining, buffer.count &- offset)
        offset &+= count
        c.remaining &-= count
        if c.remaining > 0 { return false }
        c.phase = .head
        c.since = now
        return true
    }

    // MARK: Common

    /// Decodes the chunks that are here, so that `decodedCount` bytes at `start` are body.
    ///
    /// - Returns: false when they were refused.
    private mutating func decode(
        _ c: inout Connection, _ buffer: inout ByteBuffer, from start: Int
    ) -> Bool {
        if c.bodyEnded { return true }
        var end = start &+ c.decodedCount
        var raw = end
        do {
            decoding: while true {
                switch try c.decoder.next(buffer.span, from: raw) {
                case .data(let range):
                    buffer.moveBytes(range, to: end)
                    end &+= range.count
                    raw = range.end
                case .needMore(let consumed):
                    raw = consumed
                    break decoding
                case .end(let consumed):
                    raw = consumed
                    c.bodyEnded = true
                    break decoding
                }
            }
        } catch {
            refuse(&c, error)
            return false
        }
        buffer.remove(ByteRange(from: end, to: raw))
        c.decodedCount = end &- start
        return true
    }

    /// Lets a client send that waits for it (RFC 9110 §10.1.1).
    private mutating func continueIfAwaited(isBodyHere: Bool) {
        if requests.parser.head.expectsContinue, !isBodyHere { exchange.output.appendContinue() }
    }

    private mutating func refuseBody(_ c: inout Connection) -> Bool {
        // The plan is made: the handler must hear that nothing comes of it.
        c.save(&exchange)
        refuse(&c, .bodyTooLarge)
        return false
    }
}
