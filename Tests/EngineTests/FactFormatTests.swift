import Bytes
import Domain
import Testing

@testable import Engine

@Suite struct FactFormatTests {
    private static let position = PositionKey(sku: 0x0102_0304, location: 0x0506)
    private static let moved = StockMoved(
        position: position, condition: .damaged, delta: -7, at: testStart)
    private static let counted = StockCounted(
        position: position, condition: .returned, value: 8, at: testStart - 1, isWhole: true)

    private static func event(_ outcome: Outcome) -> RememberedEvent {
        RememberedEvent(
            fingerprint: EventFingerprint(first: 1 << 63 | 5, second: 6, body: 7),
            outcome: outcome, time: testStart)
    }

    private func read(_ payload: [UInt8]) throws(FactError) -> [[Fact]] {
        var reader = FactReader(time: testStart)
        var commands: [[Fact]] = []
        var facts = Buffer<Fact>()
        while try reader.readCommand(payload.span, into: &facts) {
            commands.append(facts.indices.map { facts[$0] })
            facts.removeAll()
        }
        return commands
    }

    private func written(_ commands: [[Fact]], _ text: String = "") -> [UInt8] {
        var output = ByteBuffer()
        for command in commands {
            var facts = Buffer<Fact>()
            for fact in command { facts.append(fact) }
            withUTF8(text) { FactFormat.append(facts, $0, to: &output) }
        }
        return output.span.array
    }

    @Test(arguments: EventKind.allCases)
    func `an event is read as it was written`(kind: EventKind) throws {
        let origins = [EventSource.none, .unknown, EventSource(id: 0), EventSource(id: 65_533)]
        for source in origins {
            let origin = EventOrigin(kind: kind, source: source)
            let payload = written(
                [
                    [
                        .moved(Self.moved), .counted(Self.counted),
                        .reasonGiven(ByteRange(offset: 1, count: 4)),
                        .remembered(Self.event(.accepted), origin),
                    ], [.remembered(Self.event(.parkedBeforeWindow), origin)],
                ], "-lost-")
            let commands = try read(payload)
            try #require(commands.map(\.count) == [4, 1])
            guard case .moved(let moved) = commands[0][0],
                case .counted(let counted) = commands[0][1],
                case .reasonGiven(let reason) = commands[0][2],
                case .remembered(let first, let told) = commands[0][3],
                case .remembered(let second, let toldToo) = commands[1][0]
            else {
                Issue.record("other facts: \(commands)")
                return
            }
            #expect(moved == Self.moved && counted == Self.counted)
            #expect(payload.span.part(reason).text == "lost")
            #expect(first == Self.event(.accepted) && told == origin)
            #expect(second == Self.event(.parkedBeforeWindow) && toldToo == origin)
        }
    }

    @Test func `what is set aside, and ends, is read as it was written`() throws {
        let parked = EventParked(
            fingerprint: EventFingerprint(first: 1 << 63 | 5, second: 6, body: 7),
            outcome: .parkedUnknownSKU, time: testStart, source: ByteRange(offset: 2, count: 3))
        let endings = [LetterEnded.Ending.taken, .discarded].map { ending in
            LetterEnded(number: 1 << 40 | 3, ending: ending, time: testStart)
        }
        let payload = written([[.parked(parked)]] + endings.map { [.letterEnded($0)] }, "a text")
        let commands = try read(payload)
        try #require(commands.map(\.count) == [1, 1, 1])
        guard case .parked(var found) = commands[0][0],
            case .letterEnded(let taken) = commands[1][0],
            case .letterEnded(let discarded) = commands[2][0]
        else {
            Issue.record("other facts: \(commands)")
            return
        }
        #expect(payload.span.part(found.source).text == "tex")
        found.source = parked.source
        #expect(found == parked)
        #expect([taken, discarded] == endings)
        var other = payload
        other[other.count - 1] = 3
        #expect(throws: FactError(offset: other.count - 1, reason: .unknownEnding)) {
            try read(other)
        }
    }

    @Test func `the straight way writes what a list of facts comes to`() throws {
        let origin = EventOrigin(kind: .sale, source: EventSource(id: 3))
        for outcome in [Outcome.accepted, .recorded] {
            let event = Self.event(outcome)
            let told: Fact =
                outcome == .accepted ? .moved(Self.moved) : .movementRecorded(Self.moved)
            let listed = [[told, .remembered(event, origin)], [.remembered(event, origin)]]
            var output = ByteBuffer()
            FactFormat.append(Self.moved, event, origin, to: &output)
            FactFormat.append(nil, event, origin, to: &output)
            #expect(output.span.array == written(listed))
        }
    }

    @Test func `facts of another version are refused as such`() throws {
        var payload = written([[.moved(Self.moved)]])
        #expect(try read(payload).count == 1)
        #expect(payload[0] == FactFormat.version)
        #expect(throws: FactError(offset: 0, reason: .olderVersion)) {
            try read(Array(payload.dropFirst()))
        }
        payload[0] += 1
        #expect(throws: FactError(offset: 0, reason: .newerVersion)) { try read(payload) }
        payload[0] -= 2
        #expect(throws: FactError(offset: 0, reason: .olderVersion)) { try read(payload) }
        let refusal = ReplayError.malformed(FactError(offset: 0, reason: .olderVersion))
        #expect(refusal.description == "its facts were written by an older version of the program")
    }

    @Test func `no cut payload is taken for a whole one`() throws {
        let payload = written(
            [
                [
                    .moved(Self.moved), .reasonGiven(ByteRange(offset: 0, count: 3)),
                    .remembered(
                        Self.event(.accepted), EventOrigin(kind: .adjust, source: .unknown)),
                ]
            ], "why")
        let whole = try read(payload)[0].count
        for count in 1..<payload.count {
            let facts = try? read(Array(payload[..<count]))
            // Between two facts the cut is one between commands, to whoever does not know.
            #expect((facts?.first?.count ?? 0) < whole, "cut at \(count)")
        }
    }

    @Test func `the largest commands fit what is reserved for them`() throws {
        let fixture = try EngineFixture(
            EngineFixture.options {
                $0.shardCount = 1
                $0.keepsFacts = true
            })
        func check(_ commands: [NamedCommand]) throws {
            let textByteCount = commands.reduce(0) {
                $0 + $1.sku.utf8.count + $1.text.utf8.count + $1.reason.utf8.count
            }
            for outcome in try fixture.apply(commands) { #expect(outcome.verdict != .rejected) }
            let count = fixture.engine.withShard(0) { shard in
                defer { shard.keptFacts.removeAll() }
                return shard.keptFacts.count
            }
            let reserved = FactFormat.byteCountMax(
                commandCount: commands.count, textByteCount: textByteCount)
            #expect(count > 0 && count <= reserved, "\(commands[0])")
        }
        let name = String(repeating: "n", count: 64)
        var transfer = NamedCommand.event(.transfer, 1, name, at: "L0", to: "L1", id: "1")
        transfer.reason = String(repeating: "r", count: 255)
        transfer.source = "till"
        try check([transfer])
        var stock = NamedCommand.stock(1, name + "", at: "L2")
        stock.counted = [.sellable: 1, .returned: 2, .damaged: 3, .blocked: 4]
        try check([stock])
        var early = NamedCommand.event(.count, 1, name, at: "L0", time: testStart - 30 * 86_400_000)
        early.id = "2"
        early.text = String(repeating: "t", count: 1000)
        early.reason = transfer.reason
        try check([early])
        try check([.item(name, category: "c", name: String(repeating: "i", count: 1024))])
    }
}
