// How a query finds what its items ask about: in steps, each of which asks the memory for what the
// next one reads.
//
//     index slot → name record, run → locations, where the run has not all → free → read
//
// Items go through the steps in blocks, one block behind the other, so that there are always cache
// lines on their way and not many more than the processor can wait for. Loops are kept apart from
// what they do with an item, and check their block once.

internal import Bytes
internal import Columns

extension AvailabilityQuery {
    /// Items that go through a step together.
    static let blockItemCount = 10

    /// Items whose whole runs are asked for while one is read: each has several cache lines.
    static let runsAhead = 8

    /// The items of a block; empty for a number that no block has.
    @inline(__always)
    func block(_ number: Int) -> Range<Int> {
        let first = min(max(0, number &* Self.blockItemCount), items.count)
        let end = min(max(0, (number &+ 1) &* Self.blockItemCount), items.count)
        return unsafe Range(uncheckedBounds: (first, end))
    }

    // MARK: - Steps of a block

    @inline(never)
    static func askForSlots(
        _ block: Range<Int>, _ items: inout Buffer<QueryItem>, _ engine: Engine,
        _ readers: Span<RunReader>
    ) {
        var items = items.mutableSpan
        precondition(block.upperBound <= items.count)
        var index = block.lowerBound
        while index < block.upperBound {
            unsafe items[unchecked: index].askForSlot(engine, readers)
            index &+= 1
        }
    }

    @inline(never)
    static func askForRuns(
        _ block: Range<Int>, _ items: inout Buffer<QueryItem>, _ readers: Span<RunReader>
    ) {
        var items = items.mutableSpan
        precondition(block.upperBound <= items.count)
        var index = block.lowerBound
        while index < block.upperBound {
            unsafe items[unchecked: index].askForRun(readers)
            index &+= 1
        }
    }

    /// Makes sure of the SKUs, and asks for what is read at places that are listed.
    ///
    /// - Returns: Whether places of some are still to be searched for.
    @inline(never)
    static func find(
        _ block: Range<Int>, _ items: inout Buffer<QueryItem>,
        _ places: borrowing Buffer<QueryPlace>, _ readers: Span<RunReader>, _ text: Span<UInt8>
    ) -> Bool {
        var items = items.mutableSpan
        let places = places.span
        precondition(block.upperBound <= items.count)
        var hasSparseRuns = false
        var index = block.lowerBound
        while index < block.upperBound {
            if unsafe items[unchecked: index].find(places, readers, text) { hasSparseRuns = true }
            index &+= 1
        }
        return hasSparseRuns
    }

    /// Finds places in runs that have not all locations, and asks for their free units.
    @inline(never)
    static func search(
        _ block: Range<Int>, _ items: inout Buffer<QueryItem>,
        _ places: borrowing Buffer<QueryPlace>, _ readers: Span<RunReader>
    ) {
        var items = items.mutableSpan
        let places = places.span
        precondition(block.upperBound <= items.count)
        var index = block.lowerBound
        while index < block.upperBound {
            unsafe items[unchecked: index].search(places, readers)
            index &+= 1
        }
    }
}

// MARK: - Steps of an item

extension QueryItem {
    @inline(__always)
    fileprivate mutating func askForSlot(_ engine: Engine, _ readers: Span<RunReader>) {
        isRead = false
        if isResolved { return }
        let shard = engine.shard(of: key)
        self.shard = UInt16(truncatingIfNeeded: shard)
        readers[shard].names.prefetchIndex(key)
    }

    @inline(__always)
    mutating func askForRun(_ readers: Span<RunReader>) {
        let reader = readers[Int(shard)]
        if !isResolved {
            // Nearly always the SKU: its run can be asked for along with its name.
            sku = reader.names.candidate(key)
        }
        reader.prefetchRun(sku)
    }

    /// Makes sure of the SKU, and asks for what is read at places that are listed.
    ///
    /// - Returns: Whether places are still to be searched for.
    @inline(__always)
    fileprivate mutating func find(
        _ places: Span<QueryPlace>, _ readers: Span<RunReader>, _ text: Span<UInt8>
    ) -> Bool {
        guard status == .answered else { return false }
        let reader = readers[Int(shard)]
        if !isResolved, sku == .max || !reader.names.isInlineName(sku, key),
            !isFoundByText(readers, text)
        {
            return false
        }
        guard scope == .places else { return false }
        if placeCount != 1 { return askForPlaces(places, readers) }
        let found = reader.rowInPrefix(of: places[Int(firstPlace)].location, sku)
        row = found
        if found.isSparse {
            Self.askForLocations(reader, sku)
            return true
        }
        reader.prefetchFree(found.index)
        return false
    }

    /// Whether the SKU is known, for names that are long, or not the first under their tag.
    @inline(never)
    private mutating func isFoundByText(
        _ readers: Span<RunReader>, _ text: Span<UInt8>
    ) -> Bool {
        if sku != .max, let found = readers[Int(shard)].names.id(text.part(name), key) {
            sku = found
            return true
        }
        status = .unknownSKU
        return false
    }

    @inline(never)
    private func askForPlaces(_ places: Span<QueryPlace>, _ readers: Span<RunReader>) -> Bool {
        let reader = readers[Int(shard)]
        let extent = reader.extent(sku)
        if !extent.isPrefix {
            Self.askForLocations(reader, sku)
            return true
        }
        for place in Int(firstPlace)..<Int(firstPlace &+ placeCount) {
            reader.prefetchFree(extent.start &+ Int(places[place].location))
        }
        return false
    }

    /// Static, because a borrowed item would be copied.
    @inline(__always)
    private static func askForLocations(_ reader: RunReader, _ sku: UInt32) {
        let extent = reader.extent(sku)
        prefetch(extent, rows: 32) { reader.prefetchLocation($0) }
        reader.prefetchLocation(extent.start &+ extent.count &- 1)
    }

    /// Finds places in a run that has not all locations, and asks for their free units.
    @inline(__always)
    fileprivate mutating func search(_ places: Span<QueryPlace>, _ readers: Span<RunReader>) {
        guard status == .answered, scope == .places else { return }
        let reader = readers[Int(shard)]
        if placeCount == 1 {
            if !row.isSparse { return }
            let found = reader.row(of: places[Int(firstPlace)].location, sku)
            row = found
            reader.prefetchFree(found.index)
            return
        }
        let extent = reader.settledExtent(sku)
        for place in Int(firstPlace)..<Int(firstPlace &+ placeCount) {
            if let row = reader.row(of: places[place].location, in: extent) {
                reader.prefetchFree(row)
            }
        }
    }

    /// Asks for the whole run, where that is what is read.
    @inline(__always)
    func askForRows(_ readers: Span<RunReader>, withLocations: Bool) {
        if status != .answered || scope == .places { return }
        let reader = readers[Int(shard)]
        let extent = reader.extent(sku)
        Self.prefetch(extent, rows: 16) { reader.prefetchFree($0) }
        if scope == .group || withLocations {
            Self.prefetch(extent, rows: 32) { reader.prefetchLocation($0) }
        }
    }

    /// Asks for a line every so many rows; the processor's own prefetcher follows from there.
    @inline(__always)
    private static func prefetch(
        _ extent: RunExtent, rows step: Int, _ prefetch: (Int) -> Void
    ) {
        var row = extent.start
        let end = extent.start &+ min(extent.count, 256)
        while row < end {
            prefetch(row)
            row &+= step
        }
    }
}
