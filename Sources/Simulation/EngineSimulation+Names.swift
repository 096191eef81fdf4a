// From names to ids, and documents: what changes shared data.

internal import Bytes
internal import Columns
internal import Domain
internal import Engine
internal import Journal

extension EngineSimulation {
    /// A command with ids in the place of names, and as it went; nil when a name cannot be had.
    mutating func resolve(
        _ engine: Engine, _ command: ScriptCommand
    ) -> (stock: StockCommand, command: ScriptCommand)? {
        var command = command
        command.hasUnknownLocation = false
        var ids: [UInt16] = []
        for location in command.locations {
            let name = SmallWorld.locations[location]
            if let id = oracle.shared.current.location(name) {
                ids.append(UInt16(id))
            } else if options.createsUnknown {
                guard let id = addLocation(engine, name) else { return nil }
                ids.append(id)
            } else {
                command.hasUnknownLocation = true
            }
        }
        if command.hasUnknownLocation { ids = [0, 0] }
        var quantity = command.quantity
        if command.verb == .item {
            quantity = 0
            if let category = command.category {
                guard let id = addCategory(engine, SmallWorld.categories[category]) else {
                    return nil
                }
                quantity = Int32(id) + 1
            }
        }
        var stock = StockCommand(
            verb: command.verb, key: SmallWorld.key(command.sku, hasher),
            textOffset: 0,
            location: ids.first ?? 0, quantity: quantity, at: command.at, index: 0)
        stock.toLocation = ids.last ?? 0
        stock.kind = command.kind
        stock.from = command.from
        stock.to = command.to
        for condition in Condition.allCases {
            stock[counted: condition] = command.counted[condition]
        }
        if command.hasUnknownLocation { stock.flags |= StockCommand.unknownLocationFlag }
        if command.isBackfill { stock.flags |= StockCommand.backfillFlag }
        if command.isRetry { stock.flags |= StockCommand.retryFlag }
        if let letter = command.discarded { stock.letter = letter }
        if let id = command.id {
            stock.flags |= StockCommand.hasIdentityFlag
            stock.fingerprint = fingerprint(id, command)
            if let source = command.source {
                guard let named = nameSource(engine, SmallWorld.sources[source]) else { return nil }
                stock.eventSource = named
            }
        }
        return (stock, command)
    }

    private func fingerprint(_ id: Int, _ command: ScriptCommand) -> EventFingerprint {
        var body = StateHash()
        body.add(Int(command.kind.rawValue))
        body.add(command.sku)
        body.add(command.location)
        body.add(command.toLocation ?? -1)
        body.add(Int(command.from.rawValue))
        body.add(Int(command.to.rawValue))
        body.add(Int(command.quantity))
        body.add(Int(command.at))
        var name = StateHash()
        name.add(id)
        return EventFingerprint(
            first: name.value, second: UInt32(truncatingIfNeeded: SeededBits.mix(name.value)),
            body: UInt32(truncatingIfNeeded: body.value))
    }

    private mutating func addLocation(_ engine: Engine, _ name: Identifier) -> UInt16? {
        do throws(MasterDataRefusal) {
            let id = try engine.master.addLocation(name.bytes.span)
            change(engine, .location(name))
            return id
        } catch {
            noteRefusal(.location(name), error)
            return nil
        }
    }

    private mutating func addCategory(_ engine: Engine, _ name: Identifier) -> UInt16? {
        do throws(MasterDataRefusal) {
            let isNew = !oracle.shared.current.categories.contains(name)
            let id = try engine.master.addCategory(name.bytes.span)
            if isNew { change(engine, .category(name)) }
            return id
        } catch {
            noteRefusal(.category(name), error)
            return nil
        }
    }

    private mutating func nameSource(_ engine: Engine, _ name: Identifier) -> EventSource? {
        do throws(MasterDataRefusal) {
            let isNew = !oracle.shared.current.sources.contains(name)
            let source = try engine.master.eventSource(name.bytes.span)
            if isNew { change(engine, .source(name)) }
            return source
        } catch {
            noteRefusal(.source(name), error)
            return nil
        }
    }

    /// Shared data has changed, by one frame.
    private mutating func change(_ engine: Engine, _ change: SharedChange) {
        record("shared data: \(change)")
        oracle.shared.apply(change)
        if engine.master.sequence != oracle.shared.sequence {
            oracle.note(
                "control: frame \(engine.master.sequence) in the place of "
                    + "\(oracle.shared.sequence)")
        }
    }

    // MARK: - Documents

    /// A client puts a document, now and then under a version that is not the current one.
    mutating func put(_ machine: inout Machine) {
        let document = script.document()
        let version = oracle.shared.current.version(of: document)
        var expected: UInt64?
        if script.bits.oneIn(4) { expected = version + (script.bits.oneIn(2) ? 1 : 0) }
        _ = machine.refreshPolicy(now: script.now)
        do throws(MasterDataRefusal) {
            let found = try put(machine.engine.master, document, expected)
            if let expected, expected != version {
                oracle.note("\(document) is put in the place of version \(expected)")
            }
            change(machine.engine, document)
            if found != oracle.shared.current.version(of: document) {
                oracle.note("\(document) is version \(found)")
            }
            clients.documents.append(machine.engine.master.sequence)
        } catch {
            noteRefusal(document, error, expected, machine)
        }
        _ = machine.refreshPolicy(now: script.now)
    }

    private func put(
        _ master: MasterData, _ document: SharedChange, _ expected: UInt64?
    ) throws(MasterDataRefusal) -> UInt64 {
        switch document {
        case .locations(let changed): try master.put(locations: changed, expecting: expected)
        case .channels(let changed): try master.put(channels: changed, expecting: expected)
        case .groups(let changed): try master.put(groups: changed, expecting: expected)
        case .rules(let changed): try master.put(rules: changed, expecting: expected)
        case .location, .category, .source: preconditionFailure("a name is no document")
        }
    }

    private mutating func noteRefusal(_ change: SharedChange, _ refusal: MasterDataRefusal) {
        record("shared data: \(change) is refused: \(refusal)")
        oracle.visit(.documentRefused)
        switch refusal {
        case .busy, .journalFull, .readOnly: break
        default: oracle.note("\(change) is refused: \(refusal)")
        }
    }

    private mutating func noteRefusal(
        _ document: SharedChange, _ refusal: MasterDataRefusal, _ expected: UInt64?,
        _ machine: borrowing Machine
    ) {
        let current = oracle.shared.current
        switch refusal {
        case .groupCycle where current.hasCycle(document): oracle.visit(.groupCycle)
        case .versionMismatch(let version)
        where version == current.version(of: document) && expected != version:
            oracle.visit(.versionMismatch)
        default: noteRefusal(document, refusal)
        }
    }
}

extension CommandBatch {
    /// Adds a command and its text.
    mutating func append(_ stock: StockCommand, _ command: ScriptCommand) {
        var stock = stock
        stock.textOffset = UInt32(text.count)
        stock.index = UInt32(commands.count)
        stock.sourceByteCount = UInt32(command.text.utf8.count)
        SmallWorld.append(command.sku, to: &text)
        text.append(command.text)
        stock.reasonByteCount = UInt8(command.reason.utf8.count)
        text.append(command.reason)
        commands.append(stock)
    }
}
