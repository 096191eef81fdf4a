// The owner's work on batches: commands go through in windows of a few, step by step, and each step of a
// window is taken while the windows behind it are at earlier ones. So the cache lines of a command are on
// their way while others are decided and evolved, and those that one step asks for travel together.
//
//     ask      index slot of the name, slot of the event's id
//     guess    name record, run, what is remembered under the id
//     find     row and free units, or the locations to find them by
//     search   row and free units of a run that has not all locations
//     apply    prepare, decide, evolve
//
// A processor may wait for the address of a line that it is asked for (a miss of the TLB). In a short loop it
// looks up several at once.

internal import Bytes
internal import Columns
internal import Domain
internal import Platform

extension Shard {
    /// Commands that take a step together.
    private static let windowCount = 8

    /// Applies a batch and fills in its outcomes.
    ///
    /// - Complexity: O(commands). Per command about four cache lines that are not in the cache
    ///   (index and record of the name, row, free) and two of the memory of events, asked for
    ///   ahead.
    package mutating func apply(_ batch: inout CommandBatch) {
        counters.batches += 1
        batch.outcomes.removeAll()
        let count = batch.commands.count
        places.removeAll()
        places.append(repeating: FoundPlace(), count: count)
        // Nearly always there is room for all of them; if not, it is looked for one by one.
        let isPrepared = (try? prepare(commands: count)) != nil
        var start = 0
        while start < count &+ 4 &* Self.windowCount {
            // Those between a command and the one that is applied next may all be new.
            let applied = batch.outcomes.count
            ask(Self.window(start, count), batch.commands, applied: applied)
            guess(Self.window(start &- Self.windowCount, count), batch.commands, applied: applied)
            find(
                Self.window(start &- 2 &* Self.windowCount, count), batch.commands, batch.text.span)
            search(Self.window(start &- 3 &* Self.windowCount, count), batch.commands)
            for index in Self.window(start &- 4 &* Self.windowCount, count) {
                let outcome = apply(
                    index, batch.commands, batch.text.span, batch.now, isPrepared: isPrepared)
                self.count(outcome)
                batch.outcomes.append(outcome)
            }
            start &+= Self.windowCount
        }
    }

    /// The indices of a window that begins at `start`, which may lie before the first command.
    @inline(__always)
    private static func window(_ start: Int, _ count: Int) -> Range<Int> {
        let first = min(max(0, start), count)
        return first..<max(first, min(start &+ windowCount, count))
    }

    @inline(__always)
    private func ask(
        _ window: Range<Int>, _ commands: borrowing Buffer<StockCommand>, applied: Int
    ) {
        for index in window {
            positions.reader.names.prefetchIndex(commands[index].key)
            if commands[index].flags & StockCommand.hasIdentityFlag == 0 { continue }
            remembered.prefetch(commands[index].fingerprint)
        }
        if haveIdentities(window, commands) {
            remembered.prefetchOldest(window.lowerBound &- applied..<window.upperBound &- applied)
        }
    }

    @inline(__always)
    private mutating func guess(
        _ window: Range<Int>, _ commands: borrowing Buffer<StockCommand>, applied: Int
    ) {
        for index in window {
            if commands[index].flags & StockCommand.hasIdentityFlag != 0 {
                remembered.prefetchFound(commands[index].fingerprint)
            }
            let sku = positions.reader.names.candidate(commands[index].key)
            positions.reader.prefetchRun(sku)
            places[index].sku = sku
        }
        if haveIdentities(window, commands) {
            remembered.prefetchOldestElsewhere(
                window.lowerBound &- applied..<window.upperBound &- applied)
        }
    }

    /// Whether commands of a window have ids, by the first of them: they come from one call.
    @inline(__always)
    private func haveIdentities(
        _ window: Range<Int>, _ commands: borrowing Buffer<StockCommand>
    ) -> Bool {
        !window.isEmpty
            && commands[window.lowerBound].flags & StockCommand.hasIdentityFlag != 0
    }

    @inline(__always)
    private mutating func find(
        _ window: Range<Int>, _ commands: borrowing Buffer<StockCommand>, _ text: Span<UInt8>
    ) {
        for index in window {
            let candidate = places[index].sku
            if candidate == .max { continue }
            if !positions.reader.names.isInlineName(candidate, commands[index].key) {
                findName(text.part(commands[index].skuRange), commands[index].key, index)
                if places[index].sku == .max { continue }
            }
            let extent = positions.reader.extent(places[index].sku)
            if extent.isPrefix {
                found(positions.reader.row(of: commands[index].location, in: extent), index)
            } else {
                positions.reader.prefetchLocation(extent.start)
                positions.reader.prefetchLocation(extent.start &+ 32)
            }
        }
    }

    /// Finds a name that is long, or whose tag another name has.
    @inline(never)
    private mutating func findName(_ name: Span<UInt8>, _ key: NameKey, _ index: Int) {
        let candidate = places[index].sku
        places[index].sku =
            positions.reader.names.id(name, key, candidate: candidate) ?? .max
    }

    @inline(__always)
    private mutating func search(
        _ window: Range<Int>, _ commands: borrowing Buffer<StockCommand>
    ) {
        for index in window where !places[index].hasRow && places[index].sku != .max {
            found(positions.row(of: places[index].sku, at: commands[index].location), index)
        }
    }

    @inline(__always)
    private mutating func found(_ row: Int?, _ index: Int) {
        places[index].layout = positions.layout
        guard let row else { return }
        places[index].row = UInt32(truncatingIfNeeded: row)
        positions.prefetch(row)
    }

    /// The place of a command behind others that may have added its SKU or moved its run.
    @inline(never)
    private func findAgain(
        _ command: StockCommand, _ text: Span<UInt8>, _ sku: UInt32
    ) -> FoundPlace {
        var found = FoundPlace(sku: sku)
        if sku == .max {
            guard let sku = positions.reader.names.id(text.part(command.skuRange), command.key)
            else { return found }
            found.sku = sku
        }
        if let row = positions.row(of: found.sku, at: command.location) {
            found.row = UInt32(truncatingIfNeeded: row)
        }
        return found
    }

    /// Applies one of `commands`.
    private mutating func apply(
        _ index: Int, _ commands: borrowing Buffer<StockCommand>, _ text: Span<UInt8>,
        _ now: Milliseconds, isPrepared: Bool
    ) -> Outcome {
        var place = places[index]
        if place.sku == .max || place.layout != positions.layout {
            place = findAgain(commands[index], text, place.sku)
        }
        if isPrepared, place.hasRow,
            let outcome = applyMove(commands[index], place, now: now)
        {
            return outcome
        }
        return applyByList(index, commands, place, text, now, isPrepared: isPrepared)
    }

    /// Applies a command of any kind, by a list of facts.
    @inline(never)
    private mutating func applyByList(
        _ index: Int, _ commands: borrowing Buffer<StockCommand>, _ place: FoundPlace,
        _ text: Span<UInt8>, _ now: Milliseconds, isPrepared: Bool
    ) -> Outcome {
        var place = place
        place.location = commands[index].location
        var expected = 0
        do {
            if !place.hasRow || commands[index].toLocation != place.location {
                expected = newPositions(index, commands, sku: place.knownSKU)
                if place.sku == .max { try positions.prepareForSKU() }
                if expected > 0 { try positions.prepare(positions: expected, for: place.knownSKU) }
            }
            if !isPrepared { try prepare(commands[index]) }
            if commands[index].verb == .item {
                try itemNames.prepare(rows: Int(commands[index].sourceByteCount))
                try itemNameOf.prepare(keys: 1)
            }
        } catch {
            return .outOfMemory
        }
        facts.removeAll()
        let outcome = decide(commands[index], text, place, now: now)
        if facts.count > 0 {
            evolve(text, place, expecting: expected)
            let isLeftOut = defects.has(.recordedNotKept) && outcome == .recorded
            if keepsFacts, !isLeftOut {
                FactFormat.append(facts, text, to: &keptFacts)
                keptCommandCount &+= 1
            }
        }
        return outcome
    }

    /// Positions that the SKU is about to gain by a command and those for it right behind.
    private func newPositions(
        _ first: Int, _ commands: borrowing Buffer<StockCommand>, sku: UInt32?
    ) -> Int {
        let command = commands[first]
        if command.verb == .item || command.verb == .discard { return 0 }
        // Room for what one command can add: nothing to look ahead for.
        if let sku, positions.spareRows(sku) >= 2 { return 2 }
        var missing = 0
        for index in first..<commands.count {
            let next = commands[index]
            if next.key.hash != command.key.hash || next.verb != command.verb { break }
            if let sku, positions.row(of: sku, at: next.location) != nil {
                if index == first, next.toLocation == next.location { return 0 }
                continue
            }
            missing += 1
            if command.verb != .stock { break }
        }
        return command.toLocation == command.location ? missing : missing + 1
    }

    /// The same for one command, and for no more than it may add.
    @inline(never)
    private mutating func prepare(_ command: StockCommand) throws(SystemError) {
        if command.verb == .discard || command.flags & StockCommand.hasIdentityFlag != 0 {
            // A repeat is told so, room or not.
            if case .same(.accepted) = remembered.recall(command.fingerprint) { return }
            try remembered.prepare(1)
        }
        try movements.prepare(2)
        if command.verb == .stock || command.kind == .count
            || command.from != .sellable || command.to != .sellable
        {
            try conditions.prepare(keys: 8)
        }
    }

    /// Makes room for what commands may add besides SKUs, positions and names of items, so that
    /// evolving them cannot fail.
    mutating func prepare(commands count: Int) throws(SystemError) {
        try movements.prepare(2 * count)
        try remembered.prepare(count)
        try conditions.prepare(keys: 8 * count)
    }

    @inline(__always)
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

/// Where a command's SKU and position were found; `max` stands for what is not known.
struct FoundPlace: BitwiseCopyable {
    var sku: UInt32 = .max
    var row: UInt32 = .max
    var location: UInt16 = .max
    /// The layout of the rows that it was found in.
    var layout: UInt32 = 0

    @inline(__always) var knownSKU: UInt32? { sku == .max ? nil : sku }
    @inline(__always) var hasRow: Bool { row != .max }

    mutating func found(_ location: UInt16, _ row: Int) {
        self.location = location
        self.row = UInt32(truncatingIfNeeded: row)
    }
}
