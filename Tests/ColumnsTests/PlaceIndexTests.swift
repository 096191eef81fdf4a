import Columns
import Testing

@Suite struct PlaceIndexTests {
    /// A ring of hashes under an index, as whoever remembers events has it, and a dictionary beside it.
    private struct Ring: ~Copyable {
        var index: PlaceIndex
        var hashes: [UInt64?]
        var placesOf: [UInt64: Set<Int>] = [:]
        var oldest = 0
        var next = 0
        var moving = 0
        var movingCount = 0

        init(_ capacity: Int) throws {
            index = try PlaceIndex(placeCount: capacity)
            hashes = Array(repeating: nil, count: capacity)
        }

        mutating func add(_ hash: UInt64) throws {
            if index.count == hashes.count { removeOldest() }
            if index.isFull(for: 1) {
                move(.max)
                let count = index.count
                if try index.prepare(entries: 1) { (moving, movingCount) = (oldest, count) }
            }
            index.insert(hash, next)
            hashes[next] = hash
            placesOf[hash, default: []].insert(next)
            next = (next + 1) % hashes.count
            move(4)
        }

        mutating func removeOldest() {
            guard let hash = hashes[oldest] else { return }
            let isMoved = movingCount == 0 || moving != oldest
            index.remove(hash, oldest, isMoved: isMoved)
            placesOf[hash]?.remove(oldest)
            hashes[oldest] = nil
            oldest = (oldest + 1) % hashes.count
            if !isMoved { pass() }
        }

        private mutating func move(_ limit: Int) {
            for _ in 0..<min(limit, movingCount) {
                if let hash = hashes[moving] { index.move(hash, moving) }
                pass()
            }
        }

        private mutating func pass() {
            moving = (moving + 1) % hashes.count
            movingCount -= 1
            if movingCount == 0 { index.endMove() }
        }

        /// All places that the index gives for a hash, those it has no more left out.
        borrowing func places(of hash: UInt64) -> Set<Int> {
            var found: Set<Int> = []
            let hashes = hashes
            _ = index.find(hash) { place in
                if hashes[place] == hash { found.insert(place) }
                return false
            }
            return found
        }
    }

    @Test(arguments: [16, 100, 1000, 20_000])
    func `every entry of a ring is found, and no other`(capacity: Int) throws {
        let seed = testSeed()
        var random = Seeded(seed)
        var ring = try Ring(capacity)
        var drawn: [UInt64] = []
        for step in 0..<capacity * 4 {
            // Some hashes come twice, some share what a slot keeps of them.
            var hash = random.next()
            if step % 7 == 3, let earlier = drawn.randomElement(using: &random) {
                hash = step % 2 == 0 ? earlier : earlier ^ 1
            }
            drawn.append(hash)
            try ring.add(hash)
            if random.next() % 5 == 0 { ring.removeOldest() }
            for wanted in [hash, drawn[Int(random.next() % UInt64(drawn.count))], random.next()] {
                let found = ring.places(of: wanted)
                let expected = ring.placesOf[wanted] ?? []
                #expect(found == expected, "seed \(seed), step \(step)")
            }
        }
        for hash in drawn {
            let found = ring.places(of: hash)
            #expect(found == ring.placesOf[hash] ?? [], "seed \(seed)")
        }
        let bytesMax = capacity < 1000 ? 64 * 16 : capacity * 5 + 64
        #expect(ring.index.byteCount <= bytesMax, "\(ring.index.byteCount)")
    }

    @Test func `hashes that are all the same are all found`() throws {
        var ring = try Ring(200)
        for step in 0..<500 {
            try ring.add(step % 3 == 0 ? 7 : 42)
            let (sevens, others) = (ring.places(of: 7), ring.places(of: 42))
            #expect(sevens == ring.placesOf[7] && others == ring.placesOf[42] ?? [])
        }
        let overflowCount = ring.index.overflowCount
        #expect(overflowCount >= 100)
        for _ in 0..<200 { ring.removeOldest() }
        let isEmpty = ring.index.count == 0 && ring.index.overflowCount == 0
        #expect(isEmpty)
    }

    @Test func `a full index holds 13 entries in 64 bytes`() throws {
        let capacity = 130_000
        var index = try PlaceIndex(placeCount: capacity)
        #expect(try index.prepare(entries: capacity))
        index.endMove()
        #expect(index.byteCount == capacity / 13 * 64)
        var random = Seeded(5)
        let hashes = (0..<capacity).map { _ in random.next() }
        for (place, hash) in hashes.enumerated() { index.insert(hash, place) }
        #expect(index.overflowCount == 0)
        for (place, hash) in hashes.enumerated() {
            #expect(index.find(hash) { $0 == place } == place)
            index.remove(hash, place)
        }
        #expect(index.count == 0)
        for hash in hashes { #expect(index.find(hash) { _ in true } == nil) }
    }
}
