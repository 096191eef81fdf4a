// What a life does between its start and its end: one small step after the other, as they may come.

internal import Bytes
internal import Domain
internal import Engine
internal import Journal
internal import Snapshot

extension EngineSimulation {
    /// Works for so many steps; at the end lets all that is under way come to its own.
    mutating func work(
        _ machine: consuming Machine, stepCount: Int, takesSnapshot: Bool, isSettled: Bool
    ) {
        var machine = machine
        _ = machine.refreshPolicy(now: script.now)
        repeatDoubtful(&machine)
        var isTaking = takesSnapshot
        for _ in 0..<stepCount where !isOver {
            if isTaking, script.bits.oneIn(2) {
                isTaking = stepSnapshot(&machine)
            } else {
                step(&machine)
            }
        }
        // Mostly it comes to its end.
        if !isOver, isTaking, !script.bits.oneIn(4) { takeSnapshot(&machine) }
        if !isOver, isSettled { settle(&machine) }
        if !isOver, script.bits.oneIn(6) {
            abandonSnapshot(&machine)
            if script.bits.oneIn(3) { takeSnapshot(&machine) }
            record("close")
            oracle.visit(.closedInOrder)
            machine.core.close()
            takeReplies(&machine)
        }
    }

    /// The power is gone, or something was found.
    var isOver: Bool { disk.isOff || oracle.finding != nil }

    mutating func step(_ machine: inout Machine) {
        let shard = script.bits.below(options.shardCount)
        switch script.bits.below(24) {
        case 0...7: send(&machine, shard)
        case 8...12: drain(&machine, shard)
        case 13...16: commit(&machine)
        case 17: commitWhileApplying(&machine)
        case 18, 19: put(&machine)
        case 20:
            script.tick()
            record("time \(script.now)")
            oracle.visit(
                .ruleBoundaryPassed, if: machine.refreshPolicy(now: script.now))
        case 21:
            _ = machine.refreshPolicy(now: script.now)
            oracle.visit(.policyHalfBroughtIn, if: machine.adoptSlice(shard))
        case 22: idle(&machine)
        default:
            machine.adoptAll(now: script.now)
            compare(machine.engine, "in between")
        }
        if !disk.isOff { takeReplies(&machine) }
    }

    mutating func commit(_ machine: inout Machine) {
        trim(&machine)
        let wasFull = machine.core.state == .full
        _ = machine.core.step()
        record("journal: step, \(machine.core.state)")
        oracle.visit(.resumedAfterFull, if: wasFull && machine.core.state == .open)
        oracle.visit(.writeOrSyncFailed, if: machine.core.failure != nil && !disk.isOff)
    }

    private mutating func trim(_ machine: inout Machine) {
        let isTrimming = machine.hasTrims && !disk.isOff
        if isTrimming { cutSoon(within: 4, oneIn: 4) }
        let removed = machine.trim()
        oracle.visit(.trimCut, if: isTrimming && disk.isOff)
        guard removed > 0 else { return }
        record("journal: \(removed) segments are trimmed")
        oracle.visit(.journalTrimmed)
    }

    /// A commit during which shards work, as on other threads.
    private mutating func commitWhileApplying(_ machine: inout Machine) {
        guard machine.isTakingFrames else { return }
        record("journal: commit while shards work")
        oracle.visit(.appliedDuringCommit)
        machine.core.lookAtShards()
        if script.bits.oneIn(2) { put(&machine) }
        for shard in 0..<options.shardCount {
            send(&machine, shard)
            drain(&machine, shard)
        }
        _ = machine.core.commitSeen()
    }

    /// Nothing comes for a while, or somebody makes room on the disk.
    private mutating func idle(_ machine: inout Machine) {
        let space = disk.spaceByteCount
        if script.bits.oneIn(2) {
            _ = machine.core.markIdle()
        } else if space == .max {
            return
        } else if machine.core.state == .full, machine.taking == nil, script.bits.oneIn(2) {
            // There is room for a snapshot, if not for a segment and the ballast.
            disk.spaceByteCount = space + 4096
            takeSnapshot(&machine)
        } else {
            record("space is freed")
            disk.spaceByteCount = .max
        }
    }

    // MARK: - Batches

    /// Clients send again what they had no answer to, or give it up.
    private mutating func repeatDoubtful(_ machine: inout Machine) {
        for shard in 0..<options.shardCount {
            let doubtful = clients.takeDoubtful(shard)
            let repeated = doubtful.filter { _ in script.bits.oneIn(2) }
            for first in stride(from: 0, to: repeated.count, by: 3) {
                let commands = Array(repeated[first..<min(first + 3, repeated.count)])
                guard send(&machine, shard, commands) else { continue }
                drain(&machine, shard)
                if script.bits.oneIn(2) { commit(&machine) }
                if isOver { return }
            }
        }
    }

    private mutating func send(_ machine: inout Machine, _ shard: Int) {
        var commands: [ScriptCommand] = []
        let letters = oracle.shards[shard].current.parked
        for _ in 0...script.bits.below(3) {
            commands.append(
                script.command(about: letters)
                    ?? script.command(of: skus[shard], shard: shard))
        }
        _ = send(&machine, shard, commands)
    }

    /// Sends commands to a shard as one batch; those whose names cannot be had are left out.
    ///
    /// - Returns: Whether any were sent.
    private mutating func send(
        _ machine: inout Machine, _ shard: Int, _ commands: [ScriptCommand]
    ) -> Bool {
        guard let reference = clients.takeBatch() else { return false }
        var sent: [ScriptCommand] = []
        let now = script.now
        reference.withBatch { batch in
            batch.shard = shard
            batch.now = now
        }
        for command in commands {
            guard let resolved = resolve(machine.engine, command) else { continue }
            reference.withBatch { $0.append(resolved.stock, resolved.command) }
            sent.append(resolved.command)
        }
        let flight = Flight(batch: reference, commands: sent)
        guard !sent.isEmpty, machine.engine.send(reference) else {
            oracle.visit(.inboxFull, if: !sent.isEmpty)
            clients.giveBack(flight)
            return false
        }
        record("shard \(shard) is sent \(sent)")
        clients.waiting[shard].append(flight)
        result.commandCount += sent.count
        return true
    }

    /// Has a shard work on the next batch that waits for it.
    private mutating func drain(_ machine: inout Machine, _ shard: Int) {
        let engine = machine.engine
        let changes = engine.changeCount
        let done = engine.drain(shard, limit: 1)
        guard done > 0 else {
            oracle.visit(.batchWaited, if: engine.isStalled(shard))
            return
        }
        oracle.visit(.pagesSetAside, if: machine.taking?.frozenShard == shard)
        var flight = clients.waiting[shard].removeFirst()
        flight.outcomes = flight.batch.withBatch { batch in
            batch.outcomes.indices.map { batch.outcomes[$0] }
        }
        let refusal = flight.outcomes.first
        if refusal == .journalFull || refusal == .readOnly {
            noteRefusal(machine, flight, refusal == .journalFull)
        } else {
            let isFrame = engine.changeCount != changes
            judge(&flight, shard, isFrame: isFrame, control: engine.master.sequence)
            if isFrame { result.frameCount += 1 }
        }
        record("shard \(shard) answers \(flight.outcomes)")
        clients.unanswered.append(flight)
    }

    private mutating func noteRefusal(
        _ machine: borrowing Machine, _ flight: Flight, _ isFull: Bool
    ) {
        oracle.visit(isFull ? .refusedForFull : .refusedAfterFailure)
        if isFull ? machine.core.state != .full : machine.isTakingFrames {
            oracle.note("\(flight.outcomes) while the journal is \(machine.core.state)")
        }
    }

    /// Compares what a shard decided with what the model says.
    private mutating func judge(
        _ flight: inout Flight, _ shard: Int, isFrame: Bool, control: UInt64
    ) {
        let events = oracle.shards[shard].current.eventCount
        let hadForgotten = oracle.shards[shard].current.hasForgotten
        let lettersBefore = oracle.shards[shard].current.parked
        let expected = oracle.shards[shard].apply(
            flight.commands, now: flight.batch.withBatch { $0.now }, isFrame: isFrame,
            controlSequence: control)
        flight.sequence = oracle.shards[shard].sequence
        flight.logIndex = oracle.shards[shard].log.count - 1
        for (index, outcome) in expected.enumerated() {
            visit(outcome, flight.commands[index], shard)
            if index >= flight.outcomes.count || flight.outcomes[index] != outcome {
                oracle.note(
                    "shard \(shard): \(flight.outcomes) in the place of \(expected) for "
                        + "\(flight.commands)")
            }
        }
        let current = oracle.shards[shard].current
        visitLetters(from: lettersBefore, to: current.parked, flight.commands, expected)
        oracle.visit(.eventForgotten, if: current.hasForgotten && !hadForgotten)
        if isFrame != (current.eventCount != events) {
            oracle.note("shard \(shard): a frame is \(isFrame ? "needless" : "missing")")
        }
        let isPending = oracle.shards[shard].acknowledged < flight.sequence
        oracle.visit(.repeatHeld, if: isPending && !isFrame && expected.contains(.duplicate))
    }

    private mutating func visitLetters(
        from before: [StockModel.Parked], to after: [StockModel.Parked],
        _ commands: [ScriptCommand], _ outcomes: [Outcome]
    ) {
        for letter in before {
            let now = after.first { $0.number == letter.number }
            oracle.visit(.letterOfAnotherReason, if: now != nil && now?.outcome != letter.outcome)
            for (command, outcome) in zip(commands, outcomes) where now == nil {
                let isIts = command.content == letter.content
                oracle.visit(.letterDiscarded, if: command.discarded == letter.number)
                oracle.visit(.letterRetried, if: isIts && outcome.verdict == .accepted)
                oracle.visit(.letterTakenMeanwhile, if: isIts && outcome == .duplicate)
            }
        }
    }

    private mutating func visit(_ outcome: Outcome, _ command: ScriptCommand, _ shard: Int) {
        switch outcome {
        case .recorded: oracle.visit(.recorded)
        case .overflow: oracle.visit(.overflow)
        case .parkedBeforeWindow: oracle.visit(.parkedBeforeWindow)
        case .parkedBeforeMemory: oracle.visit(.parkedBeforeMemory)
        case .parkedUnknownLocation: oracle.visit(.parkedUnknownLocation)
        case .parkedUnknownSKU: oracle.visit(.parkedUnknownSKU)
        case .parkingFull: oracle.visit(.parkingFull)
        case .rowBeforeWindow: oracle.visit(.rowBeforeWindow)
        case .idConflict: oracle.visit(.conflict)
        default: break
        }
        guard let id = command.id else { return }
        oracle.visit(.backfilled, if: outcome == .accepted && command.isBackfill)
        if clients.wasDoubtful(id) {
            oracle.visit(.repeatOfKept, if: outcome == .duplicate)
            oracle.visit(.repeatOfLost, if: outcome == .accepted)
        }
    }

    // MARK: - Replies

    /// Has replies that may leave do so, and takes all there are.
    mutating func takeReplies(_ machine: inout Machine) {
        for shard in 0..<options.shardCount where machine.engine.hasWork(shard) {
            // Replies alone: a batch that waits is worked on when its turn comes.
            _ = machine.engine.drain(shard, limit: 0)
        }
        while let reference = machine.engine.receiveReply(0) {
            guard
                let index = clients.unanswered.firstIndex(where: {
                    $0.batch.word == reference.word
                })
            else { return oracle.note("a reply that nobody waits for") }
            let flight = clients.unanswered.remove(at: index)
            take(flight, reference, machine)
            clients.giveBack(flight)
        }
        oracle.visit(.replyHeld, if: !clients.unanswered.isEmpty)
        takeDocuments(machine)
    }

    private mutating func take(
        _ flight: Flight, _ reference: BatchReference, _ machine: borrowing Machine
    ) {
        let (shard, outcomes) = reference.withBatch { batch in
            (batch.shard, batch.outcomes.indices.map { batch.outcomes[$0] })
        }
        if outcomes == flight.outcomes {
            if flight.logIndex != nil { oracle.shards[shard].acknowledge(flight.sequence) }
            return
        }
        record("shard \(shard): the reply says \(outcomes)")
        guard outcomes.allSatisfy({ $0 == .unknown }), !machine.isTakingFrames else {
            return oracle.note("a reply says \(outcomes), decided was \(flight.outcomes)")
        }
        oracle.visit(.replyUnknown)
        if let index = flight.logIndex { oracle.shards[shard].log[index].isUnknown = true }
        clients.doubt(flight.commands, shard: shard)
    }

    private mutating func takeDocuments(_ machine: borrowing Machine) {
        clients.documents.removeAll { sequence in
            switch machine.engine.master.acknowledgement(of: sequence) {
            case .pending: return false
            case .given: oracle.shared.acknowledge(sequence)
            case .unknown: oracle.visit(.documentUnknown)
            }
            return true
        }
    }

    // MARK: - The end

    /// Once nothing fails any more, everybody gets an answer.
    mutating func settle(_ machine: inout Machine) {
        record("settle")
        var round = 0
        while round < 64, !isOver, clients.isWaiting {
            for shard in 0..<options.shardCount { drain(&machine, shard) }
            commit(&machine)
            if !disk.isOff { takeReplies(&machine) }
            round += 1
        }
        if isOver { return }
        oracle.visit(.settled)
        if clients.isWaiting { oracle.note("an answer does not come") }
        machine.adoptAll(now: script.now)
        compare(machine.engine, "settled")
    }
}
