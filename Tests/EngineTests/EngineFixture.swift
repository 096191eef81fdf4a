// One engine with one reactor in the calling thread: commands go in through the inboxes and come
// back as replies, as they do in the server.

import Bytes
import Columns
import Domain
import Engine
import Platform
import Testing

let testStart: Milliseconds = 1_800_000_000_000

/// A command by names, as a client would send it.
struct NamedCommand: Equatable {
    var verb = Verb.event
    var kind = EventKind.receipt
    var sku = "A"
    var location = "L0"
    var toLocation: String?
    var from = Condition.sellable
    var to = Condition.sellable
    var quantity: Int32 = 1
    /// The units of a stock row, by condition.
    var counted: [Condition: Int32] = [:]
    var at = testStart
    /// No time was given: `at` is the arrival.
    var isArrival = false
    /// Source and id in one; nil for rows that have none.
    var id: String?
    /// Who tells of it, for history alone.
    var source: String?
    var reason = ""
    var isBackfill = false
    /// The event stood aside and is taken up again.
    var isRetry = false
    /// The number of the event that is to be discarded, in the shard of `sku`.
    var letter: UInt64?
    var category: String?
    /// The name of an item, or the text of an event.
    var text = ""

    static func event(
        _ kind: EventKind, _ quantity: Int32, _ sku: String = "A", at location: String = "L0",
        to toLocation: String? = nil, from: Condition = .sellable, into: Condition? = nil,
        time: Milliseconds = testStart, id: String? = nil
    ) -> NamedCommand {
        NamedCommand(
            kind: kind, sku: sku, location: location, toLocation: toLocation, from: from,
            to: into ?? from, quantity: quantity, at: time, id: id)
    }

    static func stock(
        _ quantity: Int32, _ sku: String = "A", at location: String = "L0",
        _ condition: Condition = .sellable, time: Milliseconds = testStart
    ) -> NamedCommand {
        NamedCommand(
            verb: .stock, sku: sku, location: location, quantity: 0,
            counted: [condition: quantity], at: time)
    }

    static func discard(_ letter: UInt64, _ sku: String = "A") -> NamedCommand {
        NamedCommand(verb: .discard, sku: sku, letter: letter)
    }

    static func item(_ sku: String, category: String?, name: String = "") -> NamedCommand {
        NamedCommand(verb: .item, sku: sku, category: category, text: name)
    }
}

extension NamedCommand: CustomStringConvertible {
    var description: String {
        if verb == .discard { return "discard \(letter ?? 0) of the shard of \(sku)" }
        if verb == .item { return "item \(sku) category \(category ?? "-") '\(text)'" }
        if verb == .stock {
            return "stock \(counted) \(sku) at \(location), time \(at - testStart)"
        }
        let what = "\(kind.name)"
        let place = location + (toLocation.map { " → \($0)" } ?? "")
        return "\(what) \(quantity) \(sku) at \(place), \(from) → \(to), "
            + "time \(at - testStart), id \(id ?? "-")\(isBackfill ? ", backfill" : "")\(isRetry ? ", retry" : "")"
    }
}

/// What the owner of a shard says of a SKU.
struct Detail: Equatable {
    struct Position: Equatable {
        var sellable: Int32 = 0
        var returned: Int32 = 0
        var damaged: Int32 = 0
        var blocked: Int32 = 0
        var safetyStock: Int32 = 0
        var free: Int32 = 0
    }
    var positions: [String: Position] = [:]
    var category: String?
    var itemName = ""
}

/// What a query says of a SKU.
struct Answer: Equatable {
    var status = QueryStatus.answered
    var available: Int64 = 0
    var maxSingle: Int32 = 0
    var locations: [String: Int32] = [:]
}

final class EngineFixture {
    let engine: Engine
    var policy: Policy
    var now = testStart
    private var pool = BatchPool(origin: 0)

    init(_ options: EngineOptions = EngineOptions(), seed: UInt64 = 1) throws {
        var random = SeededGenerator(seed: seed)
        engine = try Engine(options: options, using: &random)
        policy = engine.master.policy(now: testStart)
    }

    /// Another one for the same engine, on a thread of its own.
    ///
    /// The policy comes from outside: ThreadSanitizer does not see that the mutex of MasterData
    /// orders those who ask for it.
    init(sharing engine: Engine, _ policy: Policy) {
        self.engine = engine
        self.policy = policy
    }

    /// Few shards: address space is reserved for each.
    static func options(_ change: (inout EngineOptions) -> Void = { _ in }) -> EngineOptions {
        var options = EngineOptions()
        options.shardCount = 2
        options.rememberedMax = 1 << 16
        change(&options)
        return options
    }

    func key(_ name: String) -> NameKey { withUTF8(name) { NameKey($0, engine.hasher) } }

    func shard(of sku: String) -> Int { engine.shard(of: key(sku)) }

    func locationID(_ name: String) -> UInt16? {
        let key = key(name)
        return withUTF8(name) { engine.master.locationNames.id($0, key) }.map { UInt16($0) }
    }

    func locationName(_ id: UInt16) -> String { engine.master.locationNames.text(UInt32(id)) }

    // MARK: - Policy

    /// What a reactor does between two turns.
    func refreshPolicy() {
        if engine.master.generation != policy.generation { policy = engine.master.policy(now: now) }
        engine.master.advance(to: now, past: policy.nextBoundary)
        if engine.master.generation != policy.generation { policy = engine.master.policy(now: now) }
    }

    /// Brings a part of the newest policy into every shard; whether there is more to do.
    func adoptSlice() -> Bool {
        refreshPolicy()
        var hasMore = false
        for shard in 0..<engine.shardCount where engine.adopt(policy, shard: shard) {
            hasMore = true
        }
        return hasMore
    }

    func adoptAll() { while adoptSlice() {} }

    // MARK: - Commands

    /// Applies commands in batches, one a shard, and returns their outcomes in order.
    func apply(_ commands: [NamedCommand]) throws -> [Outcome] {
        var outcomes = [Outcome?](repeating: nil, count: commands.count)
        for shard in 0..<engine.shardCount {
            let indices = commands.indices.filter { self.shard(of: commands[$0].sku) == shard }
            for first in stride(from: 0, to: indices.count, by: CommandBatch.commandCountMax) {
                let last = min(first + CommandBatch.commandCountMax, indices.count)
                let batch = try takeBatch()
                let resolved = try indices[first..<last].map { try resolve(commands[$0], $0) }
                batch.withBatch { batch in
                    batch.shard = shard
                    batch.now = now
                    for stock in resolved {
                        let command = commands[Int(stock.index)]
                        batch.append(stock, command.sku, command.text, command.reason)
                    }
                }
                try exchange(batch) { batch in
                    #expect(batch.outcomes.count == batch.commands.count)
                    for place in batch.outcomes.indices {
                        outcomes[Int(batch.commands[place].index)] = batch.outcomes[place]
                    }
                }
            }
        }
        return try outcomes.map { try #require($0) }
    }

    func apply(_ command: NamedCommand) throws -> Outcome { try apply([command])[0] }

    /// The command with ids in the place of names; its place in a batch's text is left open.
    func resolve(_ command: NamedCommand, _ index: Int) throws -> StockCommand {
        let names = [command.location] + (command.toLocation.map { [$0] } ?? [])
        var locations: [UInt16] = []
        let hasPlace = command.verb == .event || command.verb == .stock
        for name in hasPlace ? names : [] {
            if engine.options.createsUnknown {
                locations.append(
                    try withUTF8(name) { bytes throws(MasterDataRefusal) in
                        try engine.master.addLocation(bytes)
                    })
            } else if let id = locationID(name) {
                locations.append(id)
            }
        }
        let isUnknown = hasPlace && locations.count < names.count
        var quantity = command.quantity
        if command.verb == .item {
            quantity = 0
            if let category = command.category {
                let id = try withUTF8(category) { bytes throws(MasterDataRefusal) in
                    try engine.master.addCategory(bytes)
                }
                quantity = Int32(id) + 1
            }
        }
        var stock = StockCommand(
            verb: command.verb, key: key(command.sku), textOffset: 0,
            location: isUnknown ? 0 : locations.first ?? 0,
            quantity: quantity, at: command.at, index: index)
        stock.toLocation = isUnknown ? stock.location : locations.last ?? 0
        stock.kind = command.kind
        stock.from = command.from
        stock.to = command.to
        for (condition, units) in command.counted { stock[counted: condition] = units }
        stock.sourceByteCount = UInt32(command.text.utf8.count)
        if let letter = command.letter { stock.letter = letter }
        if isUnknown { stock.flags |= StockCommand.unknownLocationFlag }
        if command.isArrival { stock.flags |= StockCommand.arrivalFlag }
        if command.isBackfill { stock.flags |= StockCommand.backfillFlag }
        if command.isRetry { stock.flags |= StockCommand.retryFlag }
        if let id = command.id {
            stock.flags |= StockCommand.hasIdentityFlag
            stock.fingerprint = fingerprint(command, id)
            stock.reasonByteCount = UInt8(command.reason.utf8.count)
            if let source = command.source {
                stock.eventSource = try withUTF8(source) { bytes throws(MasterDataRefusal) in
                    try engine.master.eventSource(bytes)
                }
            }
        }
        return stock
    }

    private func fingerprint(_ command: NamedCommand, _ id: String) -> EventFingerprint {
        let (first, second) = withUTF8(id) { engine.hasher.hash128($0) }
        let body =
            "\(command.kind) \(command.sku) \(command.location) \(command.toLocation ?? "") "
            + "\(command.from) \(command.to) \(command.quantity) \(command.at)"
        return EventFingerprint(
            first: first, second: UInt32(truncatingIfNeeded: second),
            body: UInt32(truncatingIfNeeded: withUTF8(body) { engine.hasher.hash128($0).0 }))
    }

    /// Sends a batch, works on it as its shard's owner, and hands the reply to `read`.
    func exchange(
        _ reference: BatchReference, _ read: (inout CommandBatch) -> Void
    ) throws {
        let shard = reference.withBatch { $0.shard }
        #expect(engine.send(reference))
        #expect(engine.hasWork(shard))
        #expect(engine.drain(shard, limit: 8) == 1)
        #expect(engine.queuedCommands(shard) == 0)
        let reply = try #require(engine.receiveReply(0))
        #expect(reply.word == reference.word)
        defer { pool.give(reply) }
        reply.withBatch { read(&$0) }
    }

    func takeBatch() throws -> BatchReference {
        let batch = pool.take()
        return try #require(batch)
    }

    // MARK: - Master data

    func put(rules: [ModelRule]) throws {
        _ = try engine.master.put(
            rules: rules.map { rule in
                let goods: RuleScope.Goods =
                    if let sku = rule.sku {
                        .sku(try Identifier(sku))
                    } else if let category = rule.category {
                        .category(try Identifier(category))
                    } else { .all }
                let place: RuleScope.Place =
                    if let location = rule.location {
                        .location(try Identifier(location))
                    } else if let group = rule.group {
                        .group(try Identifier(group))
                    } else { .all }
                return SafetyStockRule(
                    id: try Identifier(rule.id), scope: RuleScope(goods: goods, place: place),
                    amount: rule.units.map { .units(Int32($0)) }
                        ?? .basisPoints(Int32(rule.basisPoints)),
                    from: rule.from, until: rule.until, priority: rule.priority)
            })
    }

    func put(location: String, groups: [String], isOpen: Bool) throws {
        _ = try engine.master.put(locations: [
            Location(
                name: try Identifier(location), groups: try groups.map { try Identifier($0) },
                isOpen: isOpen)
        ])
    }

    func put(group: String, members: [String]) throws {
        _ = try engine.master.put(groups: [
            Group(
                name: try Identifier(group), members: try members.map { try Identifier($0) })
        ])
    }

    // MARK: - Reads

    struct Letter: Equatable {
        var number: UInt64
        var outcome: Outcome
        var parkedAt: Milliseconds
        var text: String
    }

    /// The events that stand aside in a shard, listed a few at a time.
    func parked(
        _ shard: Int, reason: Outcome? = nil, after: UInt64 = 0, limit: Int = 3
    ) throws -> [Letter] {
        var letters: [Letter] = []
        var range = LetterRange()
        range.reason = reason
        range.after = after
        range.limit = limit
        var isOver = false
        while !isOver {
            let batch = try takeBatch()
            batch.withBatch { batch in
                batch.task = .listParked
                batch.shard = shard
                batch.letterRange = range
            }
            try exchange(batch) { batch in
                #expect(batch.letters.count <= limit)
                for index in batch.letters.indices {
                    let letter = batch.letters[index]
                    letters.append(
                        Letter(
                            number: letter.number, outcome: letter.outcome,
                            parkedAt: letter.parkedAt,
                            text: batch.listing.span.part(letter.source).text))
                }
                range = batch.letterRange
                isOver = batch.isLastLetter
            }
        }
        return letters
    }

    func detail(_ sku: String) throws -> (version: UInt64, detail: Detail)? {
        let batch = try takeBatch()
        batch.withBatch { batch in
            batch.task = .detail
            batch.shard = shard(of: sku)
            batch.text.append(sku)
        }
        var found: (UInt64, Detail)?
        try exchange(batch) { batch in
            guard batch.isFound else { return }
            var detail = Detail()
            if batch.category > 0 {
                detail.category = engine.master.categoryNames.text(UInt32(batch.category) - 1)
            }
            detail.itemName = batch.itemName.span.text
            for index in batch.details.indices {
                let position = batch.details[index]
                #expect(position.held == 0 && position.allocated == 0)
                let previous = detail.positions.updateValue(
                    Detail.Position(
                        sellable: position.sellable, returned: position.returned,
                        damaged: position.damaged, blocked: position.blocked,
                        safetyStock: position.safetyStock, free: position.free),
                    forKey: locationName(position.location))
                #expect(previous == nil, "a position is there twice")
            }
            found = (batch.version, detail)
        }
        return found
    }

    enum Scope: Equatable {
        case everywhere
        case group(String)
        case places([String])
    }

    /// Fills a query with one item.
    ///
    /// - Parameter isResolved: Ask by reference where the SKU has one.
    func ask(
        _ query: inout AvailabilityQuery, _ text: inout ByteBuffer, _ sku: String, _ scope: Scope,
        isResolved: Bool = false
    ) {
        let offset = text.count
        text.append(sku)
        var item = QueryItem(
            key: key(sku), name: ByteRange(offset: offset, count: sku.utf8.count))
        if isResolved, let reference = withUTF8(sku, { engine.reference(sku: $0) }) {
            item = QueryItem(reference)
        }
        switch scope {
        case .everywhere: break
        case .group(let group):
            item.scope = .group
            let key = key(group)
            let id = withUTF8(group) { engine.master.groupNames.id($0, key) }
            if let id { item.group = UInt16(id) } else { item.fail(.unknownGroup) }
        case .places(let names):
            item.scope = .places
            item.firstPlace = UInt32(query.places.count)
            item.placeCount = UInt32(names.count)
            for name in names {
                query.places.append(
                    QueryPlace(name: .none, location: locationID(name) ?? QueryPlace.unknown))
            }
        }
        query.items.append(item)
    }

    func answer(_ query: borrowing AvailabilityQuery, _ index: Int) -> Answer {
        let item = query.items[index]
        var answer = Answer(
            status: item.status, available: item.available, maxSingle: item.maxSingle)
        for place in 0..<Int(item.answerCount) {
            let found = query.answers[Int(item.firstAnswer) + place]
            let isKnown = found.location != QueryPlace.unknown
            let name = isKnown ? locationName(found.location) : "?\(found.place - item.firstPlace)"
            let previous = answer.locations.updateValue(found.available, forKey: name)
            #expect(previous == nil, "a location answers twice")
        }
        return answer
    }

    /// Asks once for every SKU, by name and again by reference, which must be the same.
    func query(
        _ skus: [String], _ scope: Scope = .everywhere, wantsLocations: Bool = true
    ) -> [Answer] {
        let answers = query(skus, scope, wantsLocations, isResolved: false)
        #expect(query(skus, scope, wantsLocations, isResolved: true) == answers)
        return answers
    }

    private func query(
        _ skus: [String], _ scope: Scope, _ wantsLocations: Bool, isResolved: Bool
    ) -> [Answer] {
        var query = AvailabilityQuery()
        query.wantsLocations = wantsLocations
        var text = ByteBuffer()
        for sku in skus { ask(&query, &text, sku, scope, isResolved: isResolved) }
        let isContended = query.run(engine, policy, text.span)
        #expect(!isContended)
        return skus.indices.map { answer(query, $0) }
    }

    /// What the position answers by reference; nil when there is none.
    func byReference(_ sku: String, _ location: String) -> Int32? {
        let found = withUTF8(sku) { sku in
            withUTF8(location) { engine.reference(sku: sku, location: $0) }
        }
        guard let found else { return nil }
        var answers: [Int32] = [-2]
        var span = answers.mutableSpan
        let stale = engine.availableToPromise([found].span, policy, into: &span)
        #expect(stale == 0)
        return answers[0]
    }

    /// Over all shards.
    var counters: [ShardCounters] {
        (0..<engine.shardCount).map { engine.withShard($0) { $0.counters } }
    }
}

extension CommandBatch {
    /// Adds a command and its text.
    mutating func append(
        _ command: StockCommand, _ sku: String, _ source: String = "", _ reason: String = ""
    ) {
        var command = command
        command.textOffset = UInt32(text.count)
        text.append(sku)
        text.append(source)
        text.append(reason)
        commands.append(command)
    }
}
