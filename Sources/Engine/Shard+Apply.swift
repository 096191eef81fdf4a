// The owner's work on batches: each command is found in steps that are a few commands apart, so that
// the cache lines of a later command are on their way while an earlier one is decided and evolved.
//
//     ask      index slot of the name, slot of the event's id
//     guess    name record, run, what is remembered under the id
//     find     row and free units, or the locations to find them by
//     search   row and free units of a run that has not all locations
//     apply    prepare, decide, evolve

internal import Bytes
internal import Columns
internal import Domain
internal import Platform

extension Shard {
    /// Commands between two steps.
    private static let distance = 8

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
        // Nearly always there is room for all of them; if not, it is looked for one by one.
        let isPrepared = (try? prepare(commands: count)) != nil
        for step in 0..<count &+ 4 &* Self.distance {
            var index = step
            if index < count {
                // Those between this one and the one that is applied next may all be new.
                ask(batch.commands[index], ahead: index &- batch.outcomes.count)
            }
            index &-= Self.distance
            if isIndex(index, below: count) {
                guess(batch.commands[index], ahead: index &- batch.outcomes.count)
            }
            index &-= Self.distance
            if isIndex(index, below: count) {
                find(batch.commands[index], index, batch.text.span)
            }
            index &-= Self.distance
            if isIndex(index, below: count) { search(batch.commands[index], index) }
            index &-= Self.distance
            if index < 0 { continue }
            let outcome = apply(
                index, batch.commands, batch.text.span, batch.now, isPrepared: isPrepared)
            self.count(outcome)
            batch.outcomes.append(outcome)
        }
    }

    @inline(__always)
    private func ask(_ command: borrowing StockCommand, ahead: Int) {
        positions.reader.names.prefetchIndex(command.key)
        if command.flags & StockCommand.hasIdentityFlag == 0 { return }
        remembered.prefetch(command.fingerprint)
        remembered.prefetchOldest(ahead: ahead)
    }

    @inline(__always)
    private mutating func guess(_ command: borrowing StockCommand, ahead: Int) {
        if command.flags & StockCommand.hasIdentityFlag != 0 {
            remembered.prefetchFound(command.fingerprint, ahead: ahead)
        }
        var place = FoundPlace()
        place.sku = positions.reader.names.candidate(command.key)
        positions.reader.prefetchRun(place.sku)
        places.append(place)
    }

    @inline(__always)
    private mutating func find(
        _ command: borrowing StockCommand, _ index: Int, _ text: Span<UInt8>
    ) {
        let candidate = places[index].sku
        if candidate == .max { return }
        if !positions.reader.names.isInlineName(candidate, command.key) {
            findName(text.part(command.skuRange), command.key, index)
            if places[index].sku == .max { return }
        }
        let extent = positions.reader.extent(places[index].sku)
        if extent.isPrefix {
            found(positions.reader.row(of: command.location, in: extent), index)
        } else {
            positions.reader.prefetchLocation(extent.start)
            positions.reader.prefetchLocation(extent.start &+ 32)
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
    private mutating func search(_ command: borrowing StockCommand, _ index: Int) {
        if places[index].hasRow || places[index].sku == .max { return }
        found(positions.row(of: places[index].sku, at: command.location), index)
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
        if command.verb == .item { return 0 }
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
        if command.flags & StockCommand.hasIdentityFlag != 0 {
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
