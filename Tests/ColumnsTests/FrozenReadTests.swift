import Platform
import Testing

@testable import Columns

@Suite struct FrozenReadTests {
    private static let rowsPerPage = FrozenPages<UInt64>.rowsPerPage

    /// Rows `range` as a freeze has them.
    private func read(_ frozen: FrozenPages<UInt64>, _ range: Range<Int>) -> [UInt64] {
        var rows = [UInt64](repeating: .max, count: range.count)
        var span = rows.mutableSpan
        frozen.read(range.lowerBound, range.count, into: &span)
        return rows
    }

    @Test func `any rows are read in any order, as often as wanted, as they were`() throws {
        let seed = testSeed()
        var random = Seeded(seed)
        let rowCount = Self.rowsPerPage * 3 + 77
        var column = try FrozenPagesTests.column(rowCount) { UInt64($0) }
        let frozen = column.freeze()
        for _ in 0..<400 {
            let first = random.below(rowCount)
            let count = random.below(min(rowCount - first, 2 * Self.rowsPerPage) + 1)
            let expected = (first..<first + count).map { UInt64($0) }
            if read(frozen, first..<first + count) != expected {
                Issue.record("seed \(seed): rows \(first) and \(count) more")
            }
            let row = random.below(rowCount)
            #expect(frozen[row] == UInt64(row), "seed \(seed)")
            FrozenPagesTests.write(&column, random.below(rowCount), how: random.below(4))
        }
    }

    @Test func `rows of a page that was handed out cannot be read again`() async {
        await #expect(processExitsWith: .failure) {
            var column = try FrozenPagesTests.column(1) { _ in 1 }
            let frozen = column.freeze()
            _ = frozen.withPage(0) { $0.count }
            _ = frozen[0]
        }
    }

    /// A formal race, as `withPage` has: what is torn is thrown away. So not for ThreadSanitizer,
    /// whose runs take suites by their name.
    @Test func `another thread reads rows here and there while the owner writes`() throws {
        let seed = testSeed()
        var random = Seeded(seed)
        let rowCount = Self.rowsPerPage * 6 + 5
        var column = try FrozenPagesTests.column(rowCount) { UInt64($0) }
        for round in 0..<20 {
            let frozen = column.freeze()
            let high = UInt64(round) << 32
            let board = Board()
            let start = random.next()
            let crew = Crew(1) { _ in
                var random = Seeded(start)
                board.add()
                var rows = [UInt64](repeating: 0, count: 100)
                for _ in 0..<4000 {
                    let first = random.below(rowCount - 100)
                    var span = rows.mutableSpan
                    frozen.read(first, 100, into: &span)
                    for index in 0..<100 where rows[index] != high | UInt64(first + index) {
                        board.note("row \(first + index): \(rows[index])")
                    }
                }
                board.stop()
            }
            while board.count == 0 {}
            while !board.isStopped { column[random.below(rowCount)] = .max }
            crew.join()
            #expect(board.finding == nil, "seed \(seed), round \(round)")
            column.thaw()
            for row in 0..<rowCount { column[row] = UInt64(round + 1) << 32 | UInt64(row) }
        }
    }

    @Test func `a side table is frozen with its values, in the order of keys`() throws {
        var table = try SideTable(entryCountMax: 1 << 16, quietPoints: QuietPoints())
        try table.prepare(keys: 10_000)
        for key in 0..<9_000 { table.set(UInt64((key * 7919) % 9_000), Int64(key)) }
        let frozen = table.freeze()
        for key in 0..<9_500 { table.set(UInt64(key), -1) }
        let entries = frozen.sorted()
        #expect(entries.map { $0.key } == (0..<9_000).map { UInt64($0) })
        #expect(entries.allSatisfy { UInt64(($0.value * 7919) % 9_000) == $0.key })
        table.thaw()
        #expect(table[9_400] == -1)
    }
}
