import Platform
import Testing

@testable import Columns

@Suite struct ColumnTests {
    @Test func `appended rows read as zero and keep what is written`() throws {
        let seed = testSeed()
        var random = Seeded(seed)
        var column = try Column<UInt64>(rowCountMax: 300_000)
        var model: [UInt64] = []
        while model.count < 100_000 {
            let additional = random.below(5_000)
            let first = try column.append(rows: additional)
            #expect(first == model.count, "seed \(seed)")
            model += [UInt64](repeating: 0, count: additional)
            for _ in 0..<100 where !model.isEmpty {
                let row = random.below(model.count)
                if column[row] != model[row] {
                    Issue.record("seed \(seed), row \(row): \(column[row]), not \(model[row])")
                    return
                }
                model[row] = random.next()
                if row % 2 == 0 {
                    column[row] = model[row]
                } else {
                    column[shared: row] = model[row]
                }
            }
        }
        let view = column.view
        for row in model.indices where column[shared: row] != model[row] {
            Issue.record("seed \(seed), row \(row)")
        }
        #expect((0..<model.count).allSatisfy { view[unchecked: $0] == model[$0] })
        #expect(column.rowCount == model.count)
    }

    @Test(arguments: [1, 2, 8_192, 8_193, 100_000])
    func `a column takes exactly the rows it was reserved for`(rowCountMax: Int) throws {
        var column = try Column<UInt64>(rowCountMax: rowCountMax)
        #expect(try column.append(rows: rowCountMax - 1) == 0)
        #expect(try column.append(rows: 1) == rowCountMax - 1)
        column[rowCountMax - 1] = 7
        for _ in 0..<2 {
            var isRefused = false
            do throws(SystemError) { _ = try column.append(rows: 1) } catch { isRefused = true }
            #expect(isRefused)
            #expect(column.rowCount == rowCountMax)
        }
        #expect(column[rowCountMax - 1] == 7)
    }

    /// 100,000 times 4 GiB: three times the addresses that a process has, if they were kept.
    @Test func `a column gives its addresses back`() throws {
        for _ in 0..<100_000 {
            let column = try Column<UInt64>(rowCountMax: 1 << 29)
            if column.rowCount != 0 { Issue.record("rows before any were appended") }
        }
    }

    @Test func `rows that were not appended are out of bounds`() async {
        await #expect(processExitsWith: .failure) {
            var column = try Column<UInt32>(rowCountMax: 100)
            _ = try column.append(rows: 10)
            column[10] = 1
        }
        await #expect(processExitsWith: .failure) {
            var column = try Column<UInt32>(rowCountMax: 100)
            _ = try column.append(rows: 10)
            column[shared: -1] = 1
        }
    }
}
