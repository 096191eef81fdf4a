// Writes the tables of one frozen shard.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Parquet
internal import Platform

/// What names of shared data a shard's tables are written with.
struct SharedNames {
    let locations: NameDictionaryView
    let categories: NameDictionaryView
    /// At least those that the shard refers to.
    let counts: NameCounts
    /// Tells which locations are open.
    let policy: Policy
}

/// One frozen shard on its way into tables. Row groups of up to `rowGroupRowCountMax` rows are held.
struct ShardTables: ~Copyable {
    let shard: FrozenShard
    let names: SharedNames
    let folder: String
    let place: SnapshotPlace
    let shouldContinue: () -> Bool

    private var positions = PositionColumns()
    private var movements = MomentColumns()
    private var counts = MomentColumns()

    init(
        _ shard: FrozenShard, _ names: SharedNames, in folder: String,
        _ place: SnapshotPlace, _ shouldContinue: @escaping () -> Bool
    ) {
        self.shard = shard
        self.names = names
        self.folder = folder
        self.place = place
        self.shouldContinue = shouldContinue
    }

    /// Writes all tables; answers their files.
    mutating func write() throws(SnapshotError) -> [SnapshotFile] {
        var files = try writePositions()
        files.append(try writeRemembered())
        files.append(try writeParked())
        return files
    }

    private func table(_ table: SnapshotTable) throws(SnapshotError) -> TableWriter {
        try .create(table, shard: shard.number, in: folder, place, shouldContinue)
    }

    // MARK: - Positions

    private mutating func writePositions() throws(SnapshotError) -> [SnapshotFile] {
        var positionTable = try table(.positions)
        var timeTable = try table(.times)
        var movementTable = try table(.movements)
        var conditionTable = try table(.conditions)
        var skus = try SKURows(shard, names, try table(.skus))
        var places = StringTable()
        for id in 0..<names.counts.locations {
            names.locations.withName(UInt32(id)) { places.append($0) }
        }
        var runs = FrozenRuns(shard)
        while let next = runs.next {
            if positions.count + next.positionCount > SnapshotTable.rowGroupRowCountMax {
                try writeGroup(&positionTable, &timeTable, places)
            }
            runs.appendRun(&positions, &movements, &counts)
            try skus.append(positionCount: next.positionCount, changeCount: next.changeCount)
            if movements.count >= SnapshotTable.rowGroupRowCountMax {
                try writeMovements(&movementTable)
            }
            if counts.count >= SnapshotTable.rowGroupRowCountMax {
                try writeCounts(&conditionTable)
            }
        }
        try writeGroup(&positionTable, &timeTable, places)
        try writeMovements(&movementTable)
        try writeCounts(&conditionTable)
        return [
            try positionTable.finish(), try timeTable.finish(), try movementTable.finish(),
            try conditionTable.finish(), try skus.finish(),
        ]
    }

    private mutating func writeGroup(
        _ table: inout TableWriter, _ times: inout TableWriter, _ places: borrowing StringTable
    ) throws(SnapshotError) {
        let count = positions.count
        if count == 0 { return }
        let first = positions.skus[0]
        var skuNames = StringTable()
        for sku in first...positions.skus[count - 1] {
            shard.names.withName(sku) { skuNames.append($0) }
        }
        var numbers = Buffer<UInt32>(capacity: count)
        var onHand = Buffer<Int64>(capacity: count)
        var available = Buffer<Int32>(capacity: count)
        for row in 0..<count {
            numbers.append(positions.skus[row] - first)
            onHand.append(
                Int64(positions.sellable[row]) + Int64(positions.returned[row])
                    + Int64(positions.damaged[row]) + Int64(positions.blocked[row]))
            let isOpen = names.policy.isOpen(UInt16(positions.locations[row]))
            available.append(availableToPromise(free: positions.free[row], isOpen: isOpen))
        }
        var inbound = Buffer<Int32>(capacity: count)
        inbound.append(repeating: 0, count: count)
        try table.column(numbers, of: skuNames)
        try table.column(positions.locations, of: places)
        try table.column(onHand)
        try table.column(positions.sellable)
        try table.column(positions.returned)
        try table.column(positions.damaged)
        try table.column(positions.blocked)
        try table.column(positions.held)
        try table.column(positions.allocated)
        try table.column(inbound)
        try table.column(positions.safetyStock)
        try table.column(available)
        try times.column(timestamps: positions.newest)
        try times.column(timestamps: positions.counted)
        try times.column(positions.countedWhole)
        positions.removeAll()
    }

    private mutating func writeMovements(_ table: inout TableWriter) throws(SnapshotError) {
        if movements.count == 0 { return }
        try table.column(movements.positions)
        try table.column(movements.conditions)
        try table.column(timestamps: movements.times)
        try table.column(movements.deltas)
        movements.removeAll()
    }

    private mutating func writeCounts(_ table: inout TableWriter) throws(SnapshotError) {
        if counts.count == 0 { return }
        try table.column(counts.positions)
        try table.column(counts.conditions)
        try table.column(timestamps: counts.times)
        counts.removeAll()
    }

    // MARK: - Events

    private func writeRemembered() throws(SnapshotError) -> SnapshotFile {
        var table = try table(.remembered)
        let remembered = shard.remembered
        var events = Buffer<RememberedEvent>()
        var first = Buffer<Int64>()
        var rest = Buffer<Int64>()
        var times = Buffer<Int64>()
        var outcomes = Buffer<Int32>()
        var start = 0
        let count = place.defects.has(.rememberedForgotten) ? 0 : remembered.count
        while start < count {
            let end = min(start + SnapshotTable.rowGroupRowCountMax, count)
            events.removeAll()
            first.removeAll()
            rest.removeAll()
            times.removeAll()
            outcomes.removeAll()
            remembered.append(start..<end, to: &events)
            for index in events.indices {
                let fingerprint = events[index].fingerprint
                first.append(Int64(bitPattern: fingerprint.first))
                rest.append(fingerprint.rest)
                times.append(events[index].time)
                outcomes.append(Int32(events[index].outcome.rawValue))
            }
            try table.column(first)
            try table.column(rest)
            try table.column(timestamps: times)
            try table.column(outcomes)
            start = end
        }
        return try table.finish(
            metadata: [SnapshotTable.forgottenKey: "\(remembered.hasForgotten)"])
    }

    private func writeParked() throws(SnapshotError) -> SnapshotFile {
        var table = try table(.parked)
        if shard.parked.count > 0 {
            var numbers = Buffer<Int64>()
            var first = Buffer<Int64>()
            var rest = Buffer<Int64>()
            var outcomes = Buffer<Int32>()
            var times = Buffer<Int64>()
            var rows = Buffer<UInt32>()
            var codes = StringTable()
            var events = StringTable()
            for (row, event) in shard.parked.events.enumerated() {
                numbers.append(Int64(event.number))
                first.append(Int64(bitPattern: event.fingerprint.first))
                rest.append(event.fingerprint.rest)
                outcomes.append(Int32(event.outcome.rawValue))
                times.append(event.parkedAt)
                rows.append(UInt32(row))
                codes.append("\(event.outcome.code)")
                events.append(text: event.source.span)
            }
            try table.column(numbers)
            try table.column(first)
            try table.column(rest)
            try table.column(outcomes)
            try table.column(rows, of: codes)
            try table.column(timestamps: times)
            try table.column(rows, of: events)
        }
        let next = place.defects.has(.letterNumbersForgotten) ? 1 : shard.parked.next
        return try table.finish(
            metadata: next == 1 ? [:] : [SnapshotTable.nextNumberKey: "\(next)"])
    }
}

extension EventFingerprint {
    /// The second word of the two that tables have of it.
    var rest: Int64 { Int64(bitPattern: UInt64(second) << 32 | UInt64(body)) }

    init(first: Int64, rest: Int64) {
        let word = UInt64(bitPattern: rest)
        self.init(
            first: UInt64(bitPattern: first), second: UInt32(truncatingIfNeeded: word >> 32),
            body: UInt32(truncatingIfNeeded: word))
    }
}

extension StringTable {
    /// Adds text that may come from outside.
    ///
    /// No decoder lets text in that is not UTF-8. Should one have come by another way, it is written
    /// with U+FFFD in the place of what is wrong: a table that no reader accepts were worse.
    mutating func append(text: Span<UInt8>) {
        if text.firstInvalidUTF8() == nil {
            append(text)
        } else {
            append(text.text)
        }
    }
}
