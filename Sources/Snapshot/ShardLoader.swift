// Loads the tables of one shard into it.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Parquet

/// One shard of a snapshot on its way into an engine. Holds the columns of a row group.
struct ShardLoader: ~Copyable {
    private let snapshot: Snapshot
    private let engine: Engine
    private let number: Int

    /// By SKU id.
    private var positionCounts = Buffer<Int32>()
    private var changeCounts = Buffer<Int64>()

    init(_ snapshot: Snapshot, _ engine: Engine, _ number: Int) {
        self.snapshot = snapshot
        self.engine = engine
        self.number = number
    }

    private func table(_ table: SnapshotTable) throws(SnapshotError) -> TableReader {
        try .open(table, shard: number, of: snapshot)
    }

    /// Changes the shard; what it refuses is an error of the file at hand.
    private func withShard(
        _ file: String, _ body: (inout Shard) throws(LoadError) -> Void
    ) throws(SnapshotError) {
        do throws(LoadError) { try engine.withShard(number, body) } catch {
            throw SnapshotError(error, file)
        }
    }

    mutating func load() throws(SnapshotError) {
        let manifest = snapshot.manifest
        let counts = LoadCounts(
            skus: try manifest.file(SnapshotTable.skus.fileName(shard: number)).rows,
            movements: try manifest.file(SnapshotTable.movements.fileName(shard: number)).rows,
            remembered: try manifest.file(SnapshotTable.remembered.fileName(shard: number)).rows)
        try withShard(Manifest.fileName) { (shard) throws(LoadError) in
            try shard.prepareLoad(counts)
        }
        try loadSKUs()
        try prepareRuns()
        try loadPositions()
        try loadMovements()
        try loadConditions()
        try loadRemembered()
        try loadParked()
    }

    // MARK: - SKUs

    private mutating func loadSKUs() throws(SnapshotError) {
        var table = try table(.skus)
        var skus = StringTable()
        var categories = StringTable()
        var names = StringTable()
        var skuNumbers = Buffer<UInt32>()
        var categoryNumbers = Buffer<UInt32>()
        var nameNumbers = Buffer<UInt32>()
        var positions = Buffer<Int32>()
        var changes = Buffer<Int64>()
        for group in 0..<table.rowGroupCount {
            let first = positionCounts.count
            try table.read("sku", group, strings: &skus, into: &skuNumbers)
            try table.read("category", group, strings: &categories, into: &categoryNumbers)
            try table.read("name", group, strings: &names, into: &nameNumbers)
            try table.read("positions", group, into: &positions)
            try table.read("changes", group, into: &changes)
            let ids = try ids(
                of: categories, engine.master.categoryNames, plusOne: true, table.name)
            for row in 0..<table.rowCount(group) {
                let name = skus[Int(skuNumbers[row])]
                guard name.count >= 1, name.count <= Identifier.byteCountMax else {
                    throw .file(
                        table.name, .contradiction("the length of a name", row: first + row))
                }
                let key = NameKey(name, engine.hasher)
                guard engine.shard(of: key) == number else {
                    throw .file(table.name, .foreignSKU(row: first + row))
                }
                let category = ids[Int(categoryNumbers[row])]
                let itemName = names[Int(nameNumbers[row])]
                try withShard(table.name) { (shard) throws(LoadError) in
                    try shard.load(
                        sku: name, key, category: UInt16(category), itemName: itemName)
                }
                positionCounts.append(positions[row])
                changeCounts.append(changes[row])
            }
        }
    }

    /// The ids of names of shared data, by their number in a table.
    ///
    /// - Parameter plusOne: Ids count from 1, and the empty name stands for none.
    private func ids(
        of strings: borrowing StringTable, _ names: NameDictionaryView, plusOne: Bool = false,
        _ file: String
    ) throws(SnapshotError) -> [UInt32] {
        var ids: [UInt32] = []
        ids.reserveCapacity(strings.count)
        for index in 0..<strings.count {
            let name = strings[index]
            if plusOne, name.isEmpty {
                ids.append(0)
                continue
            }
            guard name.count >= 1, name.count <= Identifier.byteCountMax,
                let id = names.id(name, NameKey(name, engine.hasher))
            else { throw .file(file, .unknownName(name.text)) }
            ids.append(id + (plusOne ? 1 : 0))
        }
        return ids
    }

    // MARK: - Positions

    /// The counts add up to the rows of a table that is there, or loading them is an error.
    private func prepareRuns() throws(SnapshotError) {
        let file = SnapshotTable.skus.fileName(shard: number)
        do throws(LoadError) {
            try engine.withShard(number) { (shard) throws(LoadError) in
                try shard.prepareRuns(positionCounts)
            }
        } catch { throw SnapshotError(error, file) }
    }

    private mutating func loadPositions() throws(SnapshotError) {
        var table = try table(.positions)
        var times = try self.table(.times)
        guard times.rowGroupCount == table.rowGroupCount else {
            throw .file(times.name, .wrongTable)
        }
        var columns = PositionColumns()
        var places = StringTable()
        var numberOfFirst = 0
        var sku = 0
        for group in 0..<table.rowGroupCount {
            let count = table.rowCount(group)
            guard times.rowCount(group) == count else { throw .file(times.name, .wrongTable) }
            try read(group, &table, &times, &columns, &places)
            var row = 0
            while sku < positionCounts.count {
                let length = Int(positionCounts[sku])
                guard length >= 0, length <= count - row else { break }
                try loadRun(sku, columns, row..<row + length, number: numberOfFirst + row)
                row += length
                sku += 1
            }
            guard row == count else {
                throw .file(
                    table.name,
                    .contradiction("not the rows that the SKUs have", row: numberOfFirst + row))
            }
            numberOfFirst += count
        }
        while sku < positionCounts.count, positionCounts[sku] == 0 {
            try loadRun(sku, columns, 0..<0, number: numberOfFirst)
            sku += 1
        }
        guard sku == positionCounts.count else {
            throw .file(
                table.name, .contradiction("fewer rows than the SKUs have", row: numberOfFirst))
        }
    }

    private func loadRun(
        _ sku: Int, _ columns: borrowing PositionColumns, _ rows: Range<Int>, number: Int
    ) throws(SnapshotError) {
        let file = SnapshotTable.positions.fileName(shard: self.number)
        let changeCount = UInt64(bitPattern: changeCounts[sku])
        do throws(LoadError) {
            try engine.withShard(self.number) { (shard) throws(LoadError) in
                try shard.loadRun(
                    UInt32(sku), changeCount: changeCount, columns, rows, number: number)
            }
        } catch { throw SnapshotError(error, file) }
    }

    private func read(
        _ group: Int, _ table: inout TableReader, _ times: inout TableReader,
        _ columns: inout PositionColumns, _ places: inout StringTable
    ) throws(SnapshotError) {
        try table.read("location", group, strings: &places, into: &columns.locations)
        let ids = try ids(of: places, engine.master.locationNames, table.name)
        for row in columns.locations.indices {
            columns.locations[row] = ids[Int(columns.locations[row])]
        }
        try table.read("sellable", group, into: &columns.sellable)
        try table.read("returned", group, into: &columns.returned)
        try table.read("damaged", group, into: &columns.damaged)
        try table.read("blocked", group, into: &columns.blocked)
        try table.read("held", group, into: &columns.held)
        try table.read("allocated", group, into: &columns.allocated)
        try times.read("newest_movement", group, into: &columns.newest)
        try times.read("counted", group, into: &columns.counted)
        try times.read("counted_whole", group, into: &columns.countedWhole)
    }

    private func loadMovements() throws(SnapshotError) {
        var table = try table(.movements)
        var columns = MomentColumns()
        var place = PositionPlace()
        for group in 0..<table.rowGroupCount {
            try table.read("position", group, into: &columns.positions)
            try table.read("condition", group, into: &columns.conditions)
            try table.read("at", group, into: &columns.times)
            try table.read("delta", group, into: &columns.deltas)
            try withShard(table.name) { (shard) throws(LoadError) in
                try shard.loadMovements(columns, &place)
            }
        }
    }

    private func loadConditions() throws(SnapshotError) {
        var table = try table(.conditions)
        var columns = MomentColumns()
        var place = PositionPlace()
        for group in 0..<table.rowGroupCount {
            try table.read("position", group, into: &columns.positions)
            try table.read("condition", group, into: &columns.conditions)
            try table.read("counted", group, into: &columns.times)
            try withShard(table.name) { (shard) throws(LoadError) in
                try shard.loadCounts(columns, &place)
            }
        }
    }

    // MARK: - Events

    private func loadRemembered() throws(SnapshotError) {
        var table = try table(.remembered)
        var skipped = max(
            0, table.footer.rowCount - engine.withShard(number) { $0.rememberedCountMax })
        if skipped > 0 || table.footer.metadata[SnapshotTable.forgottenKey] == "true" {
            engine.withShard(number) { $0.loadForgotten() }
        }
        var first = Buffer<Int64>()
        var rest = Buffer<Int64>()
        var times = Buffer<Int64>()
        var outcomes = Buffer<Int32>()
        var events = Buffer<RememberedEvent>()
        for group in 0..<table.rowGroupCount {
            try table.read("first", group, into: &first)
            try table.read("rest", group, into: &rest)
            try table.read("at", group, into: &times)
            try table.read("outcome", group, into: &outcomes)
            events.removeAll()
            for row in first.indices {
                if skipped > 0 {
                    skipped -= 1
                    continue
                }
                events.append(
                    RememberedEvent(
                        fingerprint: EventFingerprint(first: first[row], rest: rest[row]),
                        outcome: try Self.outcome(outcomes[row], row, table.name),
                        time: times[row]))
            }
            try withShard(table.name) { (shard) throws(LoadError) in try shard.load(events) }
        }
    }

    private static func outcome(
        _ number: Int32, _ row: Int, _ file: String
    ) throws(SnapshotError) -> Outcome {
        guard let code = UInt8(exactly: number), let outcome = Outcome(rawValue: code) else {
            throw .file(file, .contradiction("an outcome that there is not", row: row))
        }
        return outcome
    }

    private func loadParked() throws(SnapshotError) {
        var table = try table(.parked)
        var numbers = Buffer<Int64>()
        var first = Buffer<Int64>()
        var rest = Buffer<Int64>()
        var outcomes = Buffer<Int32>()
        var times = Buffer<Int64>()
        var texts = StringTable()
        var textNumbers = Buffer<UInt32>()
        var events: [ParkedEvent] = []
        for group in 0..<table.rowGroupCount {
            try table.read("number", group, into: &numbers)
            try table.read("first", group, into: &first)
            try table.read("rest", group, into: &rest)
            try table.read("outcome", group, into: &outcomes)
            try table.read("parked_at", group, into: &times)
            try table.read("event", group, strings: &texts, into: &textNumbers)
            for row in outcomes.indices {
                guard let number = UInt64(exactly: numbers[row]) else {
                    throw .file(table.name, .contradiction("a number that cannot be", row: row))
                }
                events.append(
                    ParkedEvent(
                        number: number,
                        fingerprint: EventFingerprint(first: first[row], rest: rest[row]),
                        outcome: try Self.outcome(outcomes[row], row, table.name),
                        parkedAt: times[row], source: texts[Int(textNumbers[row])].array))
            }
        }
        let told = table.footer.metadata[SnapshotTable.nextNumberKey]
        let next = told.map { UInt64(exactly: Int64($0) ?? 0) ?? 0 } ?? 1
        try withShard(table.name) { (shard) throws(LoadError) in
            try shard.load(events, next: next)
        }
    }
}
