// The owner's work on batches: look-ups and cache lines ahead, then decide and evolve one by one.

internal import Bytes
internal import Columns
internal import Domain
internal import Platform

extension Shard {
    /// Commands looked ahead at a time: their cache lines come in together.
    private static let lookahead = 32

    /// Applies a batch and fills in its outcomes.
    ///
    /// - Complexity: O(commands). Per command about four cache lines that are not in the cache
    ///   (index and record of the name, row, free) and two of the memory of events, asked for
    ///   ahead.
    package mutating func apply(_ batch: inout CommandBatch) {
        counters.batches += 1
        batch.outcomes.removeAll()
        var first = 0
        while first < batch.commands.count {
            let end = min(first + Self.lookahead, batch.commands.count)
            prefetch(batch.commands.span.extracting(first..<end), batch.text.span)
            for index in first..<end {
                let outcome = apply(
                    batch.commands[index],
                    batch.commands.span.extracting(index..<batch.commands.count), batch.text.span,
                    now: batch.now)
                count(outcome)
                batch.outcomes.append(outcome)
            }
            first = end
        }
    }

    private func prefetch(_ commands: Span<StockCommand>, _ text: Span<UInt8>) {
        let reader = positions.reader
        for index in commands.indices {
            reader.names.prefetchIndex(commands[index].key)
            if commands[index].flags & StockCommand.hasIdentityFlag != 0 {
                remembered.prefetch(commands[index].fingerprint)
            }
        }
        for index in commands.indices { _ = reader.names.candidate(commands[index].key) }
        var skus = InlineArray<32, UInt32>(repeating: .max)
        for index in commands.indices {
            let command = commands[index]
            if let sku = reader.names.id(text.part(command.skuRange), command.key) {
                skus[index] = sku
                reader.prefetchRun(sku)
                positions.attributes.prefetch(Int(sku))
            }
        }
        for index in commands.indices where skus[index] != .max {
            if let row = positions.row(of: skus[index], at: commands[index].location) {
                positions.prefetch(row)
            }
        }
    }

    private mutating func apply(
        _ command: StockCommand, _ rest: Span<StockCommand>, _ text: Span<UInt8>,
        now: Milliseconds
    ) -> Outcome {
        let sku = positions.reader.names.id(text.part(command.skuRange), command.key)
        let expected = newPositions(command, rest, sku: sku)
        do {
            try prepare(command, sku: sku, newPositions: expected)
        } catch {
            return .outOfMemory
        }
        facts.removeAll()
        let outcome = decide(command, text, sku: sku, now: now)
        if facts.count > 0 { evolve(text, sku: sku, expecting: expected) }
        return outcome
    }

    /// Positions that the SKU is about to gain by this command and those for it right behind.
    private func newPositions(
        _ command: StockCommand, _ rest: Span<StockCommand>, sku: UInt32?
    ) -> Int {
        if command.verb == .item { return 0 }
        // Room for what one command can add: nothing to look ahead for.
        if let sku, positions.spareRows(sku) >= 2 { return 2 }
        var missing = 0
        for index in rest.indices {
            let next = rest[index]
            if index > 0, next.key.hash != command.key.hash || next.verb != command.verb { break }
            if let sku, positions.row(of: sku, at: next.location) != nil {
                if index == 0, next.toLocation == next.location { return 0 }
                continue
            }
            missing += 1
            if command.verb != .stock { break }
        }
        return command.toLocation == command.location ? missing : missing + 1
    }

    /// Makes room for all that the command may add, so that evolving it cannot fail.
    private mutating func prepare(
        _ command: StockCommand, sku: UInt32?, newPositions: Int
    ) throws(SystemError) {
        try movements.prepare()
        if command.flags & StockCommand.hasIdentityFlag != 0 { try remembered.prepare() }
        if command.verb == .item {
            try itemNames.prepare(rows: Int(command.sourceByteCount))
            try itemNameOf.prepare(keys: 1)
        }
        if command.verb == .stock || command.eventKind == .count
            || command.from != .sellable || command.to != .sellable
        {
            try conditions.prepare(keys: 8)
        }
        if sku == nil { try positions.prepareForSKU() }
        if newPositions > 0 { try positions.prepare(positions: newPositions, for: sku) }
    }

    private mutating func count(_ outcome: Outcome) {
        switch outcome.verdict {
        case .accepted:
            counters.accepted += 1
            if outcome == .recorded { counters.recorded += 1 }
        case .duplicate: counters.duplicates += 1
        case .parked: counters.parked += 1
        case .rejected: counters.rejected += 1
        }
    }
}
