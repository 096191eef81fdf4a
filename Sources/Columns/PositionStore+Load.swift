// Positions that are known as a whole, as a snapshot has them: run by run, each given its rows at
// once. Nobody reads the store yet, so no version is raised on the way.

package import Platform

extension PositionStore {
    /// Makes room for so many SKUs at once, so that the index of names grows once.
    package mutating func prepare(skus additional: Int) throws(SystemError) {
        try names.prepare(names: additional)
        try runs.prepare(rows: 2 * additional)
        try attributes.prepare(rows: additional)
    }

    /// Rows that a run of `count` positions takes when it is loaded.
    package static func rowCount(ofRun count: Int) -> Int {
        count == 0
            ? 0 : min(RunExtent.countMax, RowAllocator.capacity(for: count, growing: 0))
    }

    /// Makes room for the rows of all runs that are loaded, so that columns grow once.
    package mutating func prepare(loadedRows additional: Int) throws(SystemError) {
        try prepare(rows: additional)
    }

    /// Gives a SKU without positions a run of `count` rows, which `loadRow` fills and `endRun` ends.
    ///
    /// - Precondition: `count` is within `RunExtent.countMax`; nobody reads the store yet.
    /// - Returns: The first of the rows.
    package mutating func beginRun(_ sku: UInt32, count: Int) throws(SystemError) -> Int {
        precondition(count > 0 && count <= RunExtent.countMax)
        precondition(attributes[Int(sku)].capacity == 0, "a run is loaded once")
        let capacity = Self.rowCount(ofRun: count)
        try prepare(rows: capacity)
        let start = rows.rowCount
        rows.appendPrepared(rows: capacity)
        locations.appendPrepared(rows: capacity)
        free.appendPrepared(rows: capacity)
        attributes.update(Int(sku)) { $0.capacity = UInt16(capacity) }
        positionCount += count
        return start
    }

    /// Writes a position of a run that was begun. Locations ascend.
    @inlinable @inline(always)
    package mutating func loadRow(_ row: Int, _ location: UInt16, _ state: PositionRow, free: Int32)
    {
        rows[row] = state
        locations[row] = location
        self.free[row] = free
    }

    /// Ends the run of a SKU, whose change count it sets.
    package mutating func endRun(_ sku: UInt32, start: Int, count: Int, changeCount: UInt64) {
        let last = count == 0 ? 0 : Int(locations[start + count - 1])
        runs[Int(sku) * 2] = changeCount << 1
        runs[Int(sku) * 2 + 1] =
            RunExtent(start: start, count: count, isPrefix: count > 0 && last == count - 1).word
    }

    /// The change count of a SKU that nobody changes just now.
    package static func changeCount(ofVersion word: UInt64) -> UInt64 { word >> 1 }
}
