import Bytes
import Testing

@testable import Columns

@Suite struct RecentNamesTests {
    let seed = testSeed()

    /// More names than there are places, so that they drive each other out; known and unknown ones,
    /// short and long ones, some that become known while they are asked for.
    @Test func `what is kept is what the dictionary says`() throws {
        var random = Seeded(seed)
        let hasher = KeyedHash(seed: seed &+ 1)
        var dictionary = try NameDictionary(nameCountMax: 3000, quietPoints: QuietPoints())
        var recent = RecentNames()
        let names = (0..<2000).map { number in
            Array("S\(number)".utf8) + random.bytes(number % 25)
        }
        for step in 0..<30_000 {
            let number = random.below(names.count)
            let name = names[number]
            let before = random.bytes(random.below(12))
            let text = before + name + random.bytes(random.below(9))
            let range = ByteRange(offset: before.count, count: name.count)
            let expected = dictionary.view.id(name, hasher)
            let found = recent.id(text.span, range, dictionary.view, hasher)
            if found != expected {
                Issue.record("seed \(seed), step \(step): \(name) is \(String(describing: found))")
                return
            }
            if found == nil, random.below(4) == 0 { _ = try dictionary.add(name, hasher) }
        }
        #expect(dictionary.count > 1500)
    }

    /// Zeros behind a name are no part of it.
    @Test func `names that differ in their length alone are told apart`() throws {
        let hasher = KeyedHash(seed: seed)
        var dictionary = try NameDictionary(nameCountMax: 100, quietPoints: QuietPoints())
        var recent = RecentNames()
        for count in 1...15 { _ = try dictionary.add([UInt8](repeating: 0, count: count), hasher) }
        let text = [UInt8](repeating: 0, count: 40)
        for _ in 0..<2 {
            for count in 1...15 {
                let range = ByteRange(offset: 20, count: count)
                let id = recent.id(text.span, range, dictionary.view, hasher)
                #expect(id == UInt32(count - 1))
            }
        }
    }
}
