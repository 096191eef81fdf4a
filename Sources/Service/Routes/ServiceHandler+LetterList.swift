// GET /v1/dead-letters: what is set aside, as lines of JSON, by shard and number.
//
// A page ends behind `limit` lines; the next one begins `after` the id of its last. Owners are asked
// for one piece after the other, and what a page does not hold at once is sent in chunks.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import HTTP

/// A list of dead letters on its way.
final class LetterListExchange: WaitingExchange {
    private(set) var shard: Int
    private(set) var range = LetterRange()
    private let shardCount: Int
    /// Letters that may still come.
    private var left: Int
    /// Lines that were not sent yet.
    var lines = ByteBuffer()
    var hasBegun = false

    init(_ parameters: LetterParameters, shardCount: Int) {
        self.shardCount = shardCount
        shard = parameters.after?.shard ?? 0
        left = parameters.limit ?? .max
        range.reason = parameters.reason
        range.after = parameters.after?.number ?? 0
        range.limit = min(left, CommandBatch.commandCountMax)
    }

    var isOver: Bool { left == 0 || shard == shardCount }

    override func take(_ batch: BatchReference) {
        batch.withBatch { batch in
            for index in batch.letters.indices {
                append(batch.letters[index], batch.listing.span, now: batch.now)
            }
            left -= batch.letters.count
            range = batch.letterRange
            if batch.isLastLetter {
                shard += 1
                range.after = 0
                range.through = .max
            }
            range.limit = min(left, CommandBatch.commandCountMax)
        }
    }

    private func append(_ letter: LetterEntry, _ text: Span<UInt8>, now: Milliseconds) {
        lines.append("{\"id\": \"")
        lines.append(letter: letter.number, shard: shard)
        lines.append("\", \"parked_at\": \"")
        lines.append(rfc3339: letter.parkedAt)
        lines.append("\", \"age_seconds\": ")
        lines.append(decimal: max(0, now - letter.parkedAt) / 1000)
        lines.append(", \"code\": \"")
        lines.append(letter.outcome.code)
        lines.append("\", \"reason\": \"")
        lines.append(letter.outcome.code)
        lines.append("\", \"event\": ")
        if letter.source.isEmpty {
            lines.append("null")
        } else {
            lines.append(onOneLine: text.part(letter.source))
        }
        lines.append("}\n")
    }
}

extension ByteBuffer {
    /// Appends JSON that came over several lines as one: outside of strings a line end is a space
    /// like any other, and inside of them there is none.
    fileprivate mutating func append(onOneLine source: Span<UInt8>) {
        reserve(source.count)
        for index in source.indices {
            let byte = source[index]
            append(byte == 0x0A || byte == 0x0D ? UInt8(ascii: " ") : byte)
        }
    }
}

extension ServiceHandler {
    mutating func listLetters(
        _ parameters: LetterParameters, _ exchange: inout Exchange
    ) -> Progress {
        let state = LetterListExchange(parameters, shardCount: engine.shardCount)
        enroll(state, exchange.token)
        exchange.state = state
        return produce(state, &exchange)
    }

    mutating func produce(
        _ state: LetterListExchange, _ exchange: inout Exchange
    ) -> Progress {
        if state.outstanding > 0 { return .later }
        if !state.isOver, state.lines.count < Self.letterChunkByteCount {
            askLetters(state.shard, state.range, for: state)
            return .later
        }
        if state.isOver, !state.hasBegun {
            release(state)
            exchange.body.append(contentsOf: state.lines)
            exchange.respond(200, contentType: "application/x-ndjson")
            return .done
        }
        if !state.hasBegun { exchange.beginStream(200, contentType: "application/x-ndjson") }
        state.hasBegun = true
        if !state.lines.isEmpty {
            exchange.writeChunk { $0.append(contentsOf: state.lines) }
            state.lines.removeAll()
        }
        if !state.isOver { return .more }
        exchange.endStream()
        release(state)
        return .done
    }

    /// Bytes of lines that are sent as one chunk.
    private static var letterChunkByteCount: Int { 128 << 10 }

    /// Asks the owner of a shard for letters; where its inbox is full, in the next turn again.
    mutating func askLetters(_ shard: Int, _ range: LetterRange, for state: WaitingExchange) {
        if let batch = batches.take() {
            batch.withBatch { batch in
                batch.task = .listParked
                batch.shard = shard
                batch.letterRange = range
            }
            if send(batch, for: state) { return }
            batches.give(batch)
        }
        retrying.append(state.number)
    }
}
