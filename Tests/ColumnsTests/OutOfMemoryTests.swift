// What a store does when the system has no memory, at every place where it asks for some.
//
// Fault model: from one moment on `mprotect` and `mmap` give at most k × 64 KiB of writable memory
// (RLIMIT_DATA), for k = 0, 1, 2 … until the operation passes; then there is memory again. Each
// test runs in a process of its own: the limit is the process's. A column takes its memory in
// steps of 64 KiB, so each step of k moves the refusal to the next request or beyond.

import Bytes
import Glibc
import Platform
import Testing

@testable import Columns

@Suite struct OutOfMemoryTests {
    @Test func `a SKU that could not be added leaves nothing behind`() async {
        await #expect(processExitsWith: .success) {
            var refused = 0
            for steps in 0..<40 {
                // With the 8,192nd name of 64 bytes everything that a SKU takes is full at once:
                // runs, attributes, records, long names and the index.
                let count = 8_192
                var store = try PositionStore(
                    skuCountMax: 10_000, positionCountMax: 10_000, quietPoints: QuietPoints())
                let hasher = KeyedHash(seed: 1)
                for sku in 0..<count { _ = try store.addSKU(Self.longName(sku), hasher) }
                let name = Self.longName(count)
                let isAdded = MemoryLimit.withSteps(steps) {
                    (try? store.addSKU(name, hasher)) != nil
                }
                if isAdded { break }
                refused += 1
                let view = store.names.view
                #expect(store.names.count == count, "\(steps) steps")
                #expect(store.skuCount == count, "\(steps) steps")
                #expect(view.id(name, hasher) == nil, "\(steps) steps")
                // With memory again it is as if nothing had been.
                #expect(try store.addSKU(name, hasher) == UInt32(count), "\(steps) steps")
                #expect(try store.addSKU([65], hasher) == UInt32(count + 1), "\(steps) steps")
                #expect(view.has(name, as: UInt32(count)), "\(steps) steps")
                #expect(store.skuCount == count + 2, "\(steps) steps")
            }
            // Runs, attributes, long names, records and the index's three steps of its 128 KiB.
            #expect(refused >= 5 && refused < 40)
        }
    }

    @Test func `a name that could not be added is added by the next try`() async {
        await #expect(processExitsWith: .success) {
            var refused = 0
            for steps in 0..<40 {
                let count = 4_096
                var names = try NameDictionary(nameCountMax: 10_000, quietPoints: QuietPoints())
                let hasher = KeyedHash(seed: 1)
                for number in 0..<count { _ = try names.add(Self.longName(number), hasher) }
                let name = Self.longName(count)
                let isAdded = MemoryLimit.withSteps(steps) {
                    (try? names.add(name, hasher)) != nil
                }
                if isAdded { break }
                refused += 1
                let view = names.view
                #expect(names.count == count, "\(steps) steps")
                #expect(view.id(name, hasher) == nil, "\(steps) steps")
                #expect(try names.add(name, hasher) == UInt32(count), "\(steps) steps")
                #expect(view.id(name, hasher) == UInt32(count), "\(steps) steps")
                #expect(view.has(Self.longName(count - 1), as: UInt32(count - 1)))
            }
            #expect(refused >= 3 && refused < 40)
        }
    }

    @Test func `a run that could not move stays and can move later`() async {
        await #expect(processExitsWith: .success) {
            var refused = 0
            for steps in 0..<60 {
                var store = try PositionStore(
                    skuCountMax: 4, positionCountMax: 200_000, quietPoints: QuietPoints())
                let sku = try store.addSKU([65], KeyedHash(seed: 1))
                let row = try store.place(sku, at: 9)
                store.setFree(7, at: row)
                let before = store.reader.extent(sku).word
                let rowCount = store.rowCount
                // Rows for 40,000 positions: new memory for all three columns.
                let isReserved = MemoryLimit.withSteps(steps) {
                    (try? store.prepare(positions: 40_000, for: sku)) != nil
                }
                if isReserved { break }
                refused += 1
                #expect(store.reader.extent(sku).word == before, "\(steps) steps")
                #expect(store.rowCount == rowCount, "\(steps) steps")
                #expect(store.rows.rowCount == rowCount, "\(steps) steps")
                #expect(store.locations.rowCount == rowCount, "\(steps) steps")
                _ = try store.place(sku, at: 11, expecting: 40_000)
                let place = store.row(of: sku, at: 9)
                let found = try #require(place)
                #expect(store.reader.free(at: found) == 7, "\(steps) steps")
                #expect(try store.place(sku, at: 3) == found, "\(steps) steps")
            }
            // 40,008 rows of 32, 2 and 4 bytes: 20, 1 and 2 steps more than there were.
            #expect(refused >= 20 && refused < 60)
        }
    }

    /// 64 bytes, different for different numbers.
    static func longName(_ number: Int) -> [UInt8] {
        numberedName("a name of sixty-four bytes, so that it takes all it may ", number)
    }
}

/// A limit on the writable memory of this process.
private enum MemoryLimit {
    /// Runs `body` while the process may have only `steps` × 64 KiB more than it has.
    static func withSteps(_ steps: Int, _ body: () -> Bool) -> Bool {
        // Room in the heap for what `body` allocates by itself.
        for _ in 0..<4 { _ = [UInt8](repeating: 1, count: 4_096) }
        var limit = rlimit()
        precondition(unsafe getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0)
        let before = limit.rlim_cur
        limit.rlim_cur = rlim_t(writableByteCount() + steps << 16)
        precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0)
        let isDone = body()
        limit.rlim_cur = before
        precondition(unsafe setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0)
        return isDone
    }

    /// What the limit counts: `VmData`.
    private static func writableByteCount() -> Int {
        guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while unsafe fgets(&line, 256, file) != nil {
            let text = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            guard text.starts(with: Array("VmData:".utf8)) else { continue }
            let digits = text.filter { $0 >= 48 && $0 <= 57 }
            return digits.reduce(0) { $0 * 10 + Int($1 - 48) } << 10
        }
        return 0
    }
}
