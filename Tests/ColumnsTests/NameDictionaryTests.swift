import Bytes
import Collisions
import Platform
import Testing

@testable import Columns

@Suite struct NameDictionaryTests {
    let seed = testSeed()

    @Test func `random names agree with a dictionary`() throws {
        var random = Seeded(seed)
        let hasher = KeyedHash(seed: seed &+ 1)
        var dictionary = try NameDictionary(nameCountMax: 20_000, quietPoints: QuietPoints())
        var model: [[UInt8]: UInt32] = [:]
        var names: [[UInt8]] = []
        for step in 0..<20_000 {
            let name = randomName(&random, names)
            let found = dictionary.view.id(name, hasher)
            if found != model[name] {
                Issue.record("seed \(seed), step \(step): \(name) is \(String(describing: found))")
                return
            }
            if found == nil {
                let id = try dictionary.add(name, hasher)
                #expect(id == UInt32(names.count), "seed \(seed), step \(step)")
                model[name] = id
                names.append(name)
            }
        }
        #expect(dictionary.count == names.count)
        #expect(names.count > 10_000)
        let view = dictionary.view
        for (id, name) in names.enumerated() {
            if !view.has(name, as: UInt32(id)) || view.id(name, hasher) != UInt32(id) {
                Issue.record("seed \(seed): \(name) is not \(id)")
                return
            }
        }
    }

    @Test func `a key read out of a text is that of the name alone`() {
        var random = Seeded(seed)
        let hasher = KeyedHash(seed: seed &+ 1)
        for count in 1...64 {
            for before in 0...20 {
                let name = random.bytes(count)
                let text = random.bytes(before) + name + random.bytes(random.below(9))
                let inside = NameKey(text.span, ByteRange(offset: before, count: count), hasher)
                let alone = NameKey(name.span, hasher)
                #expect(
                    inside.first == alone.first && inside.second == alone.second
                        && inside.hash == alone.hash,
                    "seed \(seed), \(count) bytes behind \(before)")
            }
        }
    }

    @Test(arguments: [
        ByteRange(offset: 4, count: 0), ByteRange(offset: 8, count: 65),
        ByteRange(offset: 95, count: 6), ByteRange(offset: -1, count: 9),
    ])
    func `a key of no name traps`(range: ByteRange) async {
        await #expect(processExitsWith: .failure) {
            [offset = range.offset as Int, count = range.count as Int] in
            let text = [UInt8](repeating: 65, count: 100)
            let range = ByteRange(offset: offset, count: count)
            _ = NameKey(text.span, range, KeyedHash(seed: 1))
        }
    }

    /// Short and long names, some known already, some the beginning of one or one and a bit more.
    private func randomName(_ random: inout Seeded, _ known: [[UInt8]]) -> [UInt8] {
        if !known.isEmpty {
            let other = known[random.below(known.count)]
            switch random.below(6) {
            case 0: return other
            case 1: return Array(other.prefix(1 + random.below(other.count)))
            case 2: return Array((other + random.bytes(1 + random.below(20))).prefix(64))
            case 3:
                var near = other
                near[random.below(near.count)] ^= 1 << random.below(8)
                return near
            default: break
            }
        }
        return random.bytes(1 + random.below(random.below(2) == 0 ? 15 : 64))
    }

    @Test func `every beginning of a name is a name of its own`() throws {
        let hasher = KeyedHash(seed: seed)
        var dictionary = try NameDictionary(nameCountMax: 200, quietPoints: QuietPoints())
        // Zero bytes too: what pads a record must not be taken for a part of the name.
        for byte in [0, 65] as [UInt8] {
            let whole = [UInt8](repeating: byte, count: 64)
            for count in 1...64 {
                let name = Array(whole.prefix(count))
                let view = dictionary.view
                #expect(view.id(name, hasher) == nil, "seed \(seed), \(count) bytes")
                let id = try dictionary.add(name, hasher)
                #expect(view.id(name, hasher) == id, "seed \(seed), \(count) bytes")
                #expect(view.has(name, as: id), "seed \(seed), \(count) bytes")
            }
        }
        #expect(dictionary.count == 128)
    }

    /// 15 bytes are compared as words, 16 as bytes elsewhere.
    @Test(arguments: [15, 16])
    func `names with one hash are names of their own`(byteCount: Int) throws {
        let hasher = KnownSecret.hasher
        var dictionary = try NameDictionary(nameCountMax: 200, quietPoints: QuietPoints())
        let names = CollidingNames.ownKnownSecret.names(100).map {
            $0 + [UInt8](repeating: 65, count: byteCount - 15)
        }
        #expect(Set(names.map { hasher($0) }).count == 1)
        for (number, name) in names.enumerated() {
            let view = dictionary.view
            #expect(view.id(name, hasher) == nil)
            #expect(try dictionary.add(name, hasher) == UInt32(number))
        }
        let view = dictionary.view
        for (number, name) in names.enumerated() {
            #expect(view.id(name, hasher) == UInt32(number))
        }
    }

    @Test(arguments: ["A", "eightch8", "fifteen letters", "sixteen letters!", "Ærøskøbing–1"])
    func `a name comes back as text`(name: String) throws {
        var dictionary = try NameDictionary(nameCountMax: 10, quietPoints: QuietPoints())
        let bytes = Array(name.utf8)
        let id = try dictionary.add(bytes, KeyedHash(seed: seed))
        let view = dictionary.view
        #expect(view.text(id) == name)
        var buffer = ByteBuffer()
        view.append(id, to: &buffer)
        let isSame = buffer.span.equals(bytes.span)
        #expect(isSame)
    }

    @Test(arguments: [2, 64])
    func `a full dictionary refuses and keeps what it has`(byteCount: Int) throws {
        let hasher = KeyedHash(seed: seed)
        var dictionary = try NameDictionary(nameCountMax: 100, quietPoints: QuietPoints())
        func name(_ number: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(number), count: byteCount)
        }
        for number in 0..<100 { _ = try dictionary.add(name(number), hasher) }
        let view = dictionary.view
        for _ in 0..<3 {
            var isRefused = false
            do throws(SystemError) { _ = try dictionary.add(name(100), hasher) } catch {
                isRefused = true
            }
            #expect(isRefused)
            #expect(dictionary.count == 100)
            #expect(view.id(name(100), hasher) == nil)
        }
        for number in 0..<100 { #expect(view.id(name(number), hasher) == UInt32(number)) }
    }
}

@Suite struct NameDictionaryConcurrencyTests {
    @Test func `readers find every published name while the index grows`() throws {
        let seed = testSeed()
        let quietPoints = QuietPoints()
        let hasher = KeyedHash(seed: seed)
        let nameCount = 60_000
        var dictionary = try NameDictionary(nameCountMax: nameCount, quietPoints: quietPoints)
        let view = dictionary.view
        let board = Board()
        let crew = Crew(2) { index in
            var random = Seeded(seed &+ UInt64(index) &+ 1)
            let reader = quietPoints.register()
            quietPoints.enter(reader)
            while !board.isStopped {
                let published = board.progress
                if published > 0 {
                    let number = random.below(published)
                    let name = Self.name(number)
                    let id = view.id(name, hasher)
                    if id != UInt32(number) {
                        board.note("seed \(seed): \(number) of \(published) is \(id as Any)")
                    }
                    // The newest too: nothing was published after it for long.
                    let newest = Self.name(published - 1)
                    if view.id(newest, hasher) == nil {
                        board.note("seed \(seed): the newest, \(published - 1), is not found")
                    }
                }
                let absent = Self.name(nameCount + random.below(1 << 20))
                if view.id(absent, hasher) != nil {
                    board.note("seed \(seed): a name that was never added is found")
                }
                board.add()
                // Between two requests: nothing is held.
                if random.below(8) == 0 { quietPoints.pass(reader) }
            }
            quietPoints.leave(reader)
        }
        for number in 0..<nameCount where !board.isStopped {
            let name = Self.name(number)
            let id = try dictionary.add(name, hasher)
            if id != UInt32(number) { board.note("id \(id) for name \(number)") }
            board.publish(number + 1)
        }
        let start = ContinuousClock.now
        while board.count < 1_000, elapsedMilliseconds(since: start) < 20_000 {}
        board.stop()
        crew.join()
        #expect(board.finding == nil)
        #expect(board.count >= 1_000)
    }

    /// Every third name is long.
    private static func name(_ number: Int) -> [UInt8] {
        number % 3 == 0
            ? numberedName("a name that takes long-name room ", number)
            : numberedName("SKU", number)
    }
}
