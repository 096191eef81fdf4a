import Platform
import Testing

@testable import Columns

@Suite struct FrozenPagesTests {
    static let rowsPerPage = FrozenPages<UInt64>.rowsPerPage

    @Test(arguments: [0, 1, 8_191, 8_192, 8_193, 20_000])
    func `frozen pages hold what the column held, whatever is written`(rowCount: Int) throws {
        let seed = testSeed()
        var random = Seeded(seed)
        var column = try Self.column(rowCount) { UInt64($0) }
        let expected = (0..<rowCount).map { UInt64($0) }
        let frozen = column.freeze()
        #expect(frozen.rowCount == rowCount)
        #expect(frozen.pageCount == (rowCount + 8_191) / 8_192)
        // Some pages are written before they are read, some after, some never.
        for page in 0..<frozen.pageCount where random.below(3) != 0 {
            let rows = page * Self.rowsPerPage..<min(rowCount, (page + 1) * Self.rowsPerPage)
            Self.write(&column, rows.lowerBound, how: random.below(4))
            Self.write(&column, rows.upperBound - 1, how: random.below(4))
        }
        var read: [UInt64] = []
        for page in 0..<frozen.pageCount {
            read += frozen.withPage(page) { array($0) }
            if random.below(2) == 0 { Self.write(&column, page * Self.rowsPerPage, how: 0) }
        }
        #expect(read == expected, "seed \(seed)")
    }

    @Test(arguments: 0..<4)
    func `every way to write a row spares the frozen page`(how: Int) throws {
        var column = try Self.column(10) { UInt64($0) }
        let frozen = column.freeze()
        Self.write(&column, 3, how: how)
        #expect(column[3] == .max)
        #expect(frozen.withPage(0) { $0[3] } == 3)
    }

    @Test func `rows added after the freeze are not in it`() throws {
        var column = try Self.column(10) { _ in 1 }
        let frozen = column.freeze()
        let first = try column.append(rows: Self.rowsPerPage * 2)
        for row in first..<column.rowCount { column[row] = 2 }
        #expect(frozen.rowCount == 10)
        #expect(frozen.pageCount == 1)
        #expect(frozen.withPage(0) { array($0) } == [UInt64](repeating: 1, count: 10))
        #expect(column[first] == 2 && column[column.rowCount - 1] == 2)
    }

    @Test func `the live column goes on as if it were not frozen`() throws {
        var column = try Self.column(10_000) { UInt64($0) }
        let view = column.view
        let frozen = column.freeze()
        column[9_999] = 5
        #expect(column[9_999] == 5 && view[unchecked: 9_999] == 5)
        _ = frozen.withPage(1) { $0.count }
        column[9_998] = 6
        #expect(column[9_998] == 6 && view[unchecked: 9_998] == 6)
        column.thaw()
        column[9_997] = 7
        #expect((9_996...9_999).map { column[$0] } == [9_996, 7, 6, 5])
    }

    @Test func `a second freeze holds what the first did not`() throws {
        var column = try Self.column(9_000) { _ in 1 }
        let first = column.freeze()
        column[8_999] = 2
        #expect(first.withPage(1) { $0[8_999 - 8_192] } == 1)
        column.thaw()
        column[0] = 3
        let second = column.freeze()
        column[0] = 4
        column[8_999] = 4
        #expect(second.withPage(0) { [$0[0], $0[1]] } == [3, 1])
        #expect(second.withPage(1) { $0[8_999 - 8_192] } == 2)
        // The first freeze is over, what it set aside is still its own.
        #expect(first.withPage(1) { $0[8_999 - 8_192] } == 1)
    }

    @Test func `a column is frozen once at a time`() async {
        await #expect(processExitsWith: .failure) {
            var column = try FrozenPagesTests.column(1) { _ in 1 }
            _ = column.freeze()
            _ = column.freeze()
        }
    }

    @Test func `a page is read once`() async {
        await #expect(processExitsWith: .failure) {
            var column = try FrozenPagesTests.column(1) { _ in 1 }
            let frozen = column.freeze()
            _ = frozen.withPage(0) { $0.count }
            _ = frozen.withPage(0) { $0.count }
        }
    }

    static func column(
        _ rowCount: Int, _ value: (Int) -> UInt64
    ) throws -> Column<UInt64> {
        var column = try Column<UInt64>(rowCountMax: 1 << 20)
        _ = try column.append(rows: rowCount)
        for row in 0..<rowCount { column[row] = value(row) }
        return column
    }

    /// Every way in which the owner writes.
    static func write(_ column: inout Column<UInt64>, _ row: Int, how: Int) {
        switch how {
        case 0: column[row] = .max
        case 1: column[shared: row] = .max
        case 2: column.release(.max, at: row)
        default: column.update(row) { $0 = .max }
        }
    }
}

/// The rows of a span.
private func array(_ rows: Span<UInt64>) -> [UInt64] {
    var copy: [UInt64] = []
    copy.reserveCapacity(rows.count)
    for index in rows.indices { copy.append(rows[index]) }
    return copy
}

@Suite struct FrozenPagesConcurrencyTests {
    @Test func `another thread reads the state of the freeze while the owner writes`() throws {
        let seed = testSeed()
        var random = Seeded(seed)
        let rowCount = FrozenPages<UInt64>.rowsPerPage * 12 + 100
        var column = try FrozenPagesTests.column(rowCount) { UInt64($0) }
        for round in 0..<25 {
            let frozen = column.freeze()
            // At the freeze a row holds its number, and the round in the high half: set below.
            let high = UInt64(round) << 32
            let board = Board()
            let crew = Crew(1) { _ in
                board.add()
                for page in 0..<frozen.pageCount {
                    let first = page * FrozenPages<UInt64>.rowsPerPage
                    frozen.withPage(page) { rows in
                        for index in rows.indices where rows[index] != high | UInt64(first + index)
                        {
                            board.note("page \(page), row \(index): \(rows[index])")
                        }
                    }
                }
                board.stop()
            }
            while board.count == 0 {}
            // In the reader's order, or against it, or anywhere: each meets it elsewhere.
            let order = random.below(3)
            var step = 0
            while !board.isStopped {
                let row =
                    switch order {
                    case 0: step * 16 % rowCount
                    case 1: rowCount - 1 - step * 16 % rowCount
                    default: random.below(rowCount)
                    }
                column[row] = .max
                step += 1
            }
            crew.join()
            if let finding = board.finding {
                Issue.record("seed \(seed), round \(round): \(finding)")
                return
            }
            column.thaw()
            for row in 0..<rowCount { column[row] = UInt64(round + 1) << 32 | UInt64(row) }
        }
    }

    /// What ThreadSanitizer checks here is that the page word alone orders the reader's copy before
    /// the owner's writes: the count by which the owner waits is relaxed and orders nothing.
    @Test func `a page that was read belongs to the owner again`() throws {
        let rowCount = FrozenPages<UInt64>.rowsPerPage * 3
        var column = try FrozenPagesTests.column(rowCount) { UInt64($0) }
        let frozen = column.freeze()
        let board = Board()
        let crew = Crew(1) { _ in
            var sum: UInt64 = 0
            for page in 0..<frozen.pageCount {
                frozen.withPage(page) { rows in
                    for index in rows.indices { sum += rows[index] }
                }
            }
            if sum != UInt64(rowCount * (rowCount - 1) / 2) { board.note("sum \(sum)") }
            board.add()
        }
        while board.count == 0 {}
        for row in 0..<rowCount { column[row] = 0 }
        crew.join()
        #expect(board.finding == nil)
    }
}
