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
            let skus = lookUp(
                batch.commands.span.extracting(first..<end), batch.text.span, now: batch.now)
            for index in first..<end {
                let outcome = apply(
                    batch.commands.span.extracting(index..<batch.commands.count), batch.text.span,
                    sku: skus[index &- first], now: batch.now)
                count(outcome)
                batch.outcomes.append(outcome)
            }
            first = end
        }
    }

    /// Finds the SKUs of commands and asks for all that applying them needs.
    ///
    /// - Returns: Their ids; `UInt32.max` where a name is not known yet.
    private func lookUp(
        _ commands: Span<StockCommand>, _ text: Span<UInt8>, now: Milliseconds
    ) -> InlineArray<32, UInt32> {
        let reader = positions.reader
        var identityCount = 0
        for index in commands.indices {
            reader.names.prefetchIndex(commands[index].key)
            if commands[index].flags & StockCommand.hasIdentityFlag != 0 {
                remembered.prefetch(commands[index].fingerprint)
                identityCount &+= 1
            }
        }
        remembered.prefetchOldest(identityCount, now: now)
        var skus = InlineArray<32, UInt32>(repeating: .max)
        for index in commands.indices {
            guard let candidate = reader.names.candidate(commands[index].key) else { continue }
            skus[index] = candidate
            reader.prefetchRun(candidate)
            positions.attributes.prefetch(Int(candidate))
        }
        for index in commands.indices where skus[index] != .max {
            let command = commands[index]
            guard
                let sku = reader.names.id(
                    text.part(command.skuRange), command.key, candidate: skus[index])
            else {
                skus[index] = .max
                continue
            }
            skus[index] = sku
            let extent = reader.extent(sku)
            if extent.isPrefix {
                if let row = reader.row(of: command.location, in: extent) {
                    positions.prefetch(row)
                }
            } else {
                reader.prefetchLocation(extent.start)
                reader.prefetchLocation(extent.start &+ 32)
            }
        }
        for index in commands.indices where skus[index] != .max {
            let extent = reader.extent(skus[index])
            if extent.isPrefix { continue }
            if let row = reader.row(of: commands[index].location, in: extent) {
                positions.prefetch(row)
            }
        }
        return skus
    }

    /// Applies the first of `commands`.
    ///
    /// - Parameter found: Its SKU, or `UInt32.max` when that was not known; a command before it may
    ///   have added it since.
    private mutating func apply(
        _ commands: Span<StockCommand>, _ text: Span<UInt8>, sku found: UInt32, now: Milliseconds
    ) -> Outcome {
        let command = commands[0]
        let sku =
            found != .max
            ? found : positions.reader.names.id(text.part(command.skuRange), command.key)
        let expected = newPositions(command, commands, sku: sku)
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
            if case .recorded = outcome { counters.recorded += 1 }
        case .duplicate: counters.duplicates += 1
        case .parked: counters.parked += 1
        case .rejected: counters.rejected += 1
        }
    }
}
