// Reading positions that were found before, by reference: the fastest way to ask.

internal import Bytes
package import Columns
internal import Domain
internal import Synchronization

extension Engine {
    /// Finds a SKU by name; nil when there is no such SKU.
    package func reference(sku name: Span<UInt8>) -> SKUReference? {
        let key = NameKey(name, hasher)
        let shard = shard(of: key)
        return reader(shard).names.id(name, key).map {
            SKUReference(sku: $0, shard: UInt16(shard))
        }
    }

    /// Finds a position by names.
    ///
    /// - Returns: nil when there is no such position, or its SKU changed all the time.
    package func reference(
        sku: Span<UInt8>, location: Span<UInt8>
    ) -> PositionReference? {
        let key = NameKey(sku, hasher)
        let shard = shard(of: key)
        let reader = reader(shard)
        guard let id = reader.names.id(sku, key),
            let place = master.locationNames.id(location, NameKey(location, hasher))
        else { return nil }
        let layout = reader.layout  // Before the row is found: see `PositionReference`.
        atomicMemoryFence(ordering: .acquiring)
        var found: PositionReference?
        let version = reader.consistent(id) { extent in
            found = reader.row(of: UInt16(place), in: extent).map { row in
                PositionReference(
                    row: UInt32(row), layout: layout, sku: id, shard: UInt16(shard),
                    location: UInt16(place), count: UInt16(extent.count))
            }
        }
        return version == nil ? nil : found  // What was seen amid a change may be torn.
    }

    /// What may be promised at each position, in order.
    ///
    /// - Returns: How many references were out of date: their SKU has gained positions since, or
    ///   changed all the time. They answer −1 and must be found again.
    /// - Complexity: O(references): one cache line each, asked for ahead; three where the shard has gained
    ///   positions since.
    package func availableToPromise(
        _ references: Span<PositionReference>, _ policy: Policy,
        into answers: inout MutableSpan<Int32>
    ) -> Int {
        precondition(answers.count >= references.count)
        let staleCount = withReaders { read(references, $0, into: &answers) }
        if policy.hasClosed {
            for index in references.indices
            where answers[index] > 0 && !policy.isOpen(references[index].location) {
                answers[index] = 0
            }
        }
        return staleCount
    }

    /// Cache lines that are on their way at a time: about as many as a processor waits for.
    private static let lookahead = 24

    /// Answers references, closed locations as if they were open.
    private func read(
        _ references: Span<PositionReference>, _ readers: Span<RunReader>,
        into answers: inout MutableSpan<Int32>
    ) -> Int {
        let count = references.count
        let ahead = min(Self.lookahead, count)
        for index in 0..<ahead { prefetch(unsafe references[unchecked: index], readers) }
        var staleCount = 0
        var index = 0
        while index < count &- ahead {
            prefetch(unsafe references[unchecked: index &+ ahead], readers)
            let answer = answer(references, index, readers)
            unsafe answers[unchecked: index] = answer
            if answer < 0 { staleCount &+= 1 }
            index &+= 1
        }
        while index < count {
            let answer = answer(references, index, readers)
            unsafe answers[unchecked: index] = answer
            if answer < 0 { staleCount &+= 1 }
            index &+= 1
        }
        return staleCount
    }

    @inline(__always)
    private func prefetch(_ reference: PositionReference, _ readers: Span<RunReader>) {
        readers[Int(reference.shard)].prefetchFree(Int(reference.row))
    }

    /// What may be promised where all locations are open; −1 where the reference is out of date.
    ///
    /// By its place, so that of one that is in place only what is needed is loaded.
    @inline(__always)
    private func answer(
        _ references: Span<PositionReference>, _ index: Int, _ readers: Span<RunReader>
    ) -> Int32 {
        let reference = unsafe references[unchecked: index]
        let free =
            readers[Int(reference.shard)].freeWhileInPlace(reference)
            ?? freeUnderVersion(references, index)
        return free.map { max(0, $0) } ?? -1
    }

    /// Free units of a position whose shard has gained positions since it was found.
    ///
    /// - Returns: nil when its own SKU has, or changed all the time.
    @inline(never)
    private func freeUnderVersion(
        _ references: Span<PositionReference>, _ index: Int
    ) -> Int32? {
        let reference = references[index]
        let reader = reader(Int(reference.shard))
        var free: Int32?
        let version = reader.consistent(reference.sku) { extent in
            free =
                extent.count == Int(reference.count) ? reader.free(at: Int(reference.row)) : nil
        }
        return version == nil ? nil : free
    }

    /// The sum of what may be promised over all positions of all SKUs, where every location is
    /// open: a scan of the `free` columns. Not one moment: each value is of its own.
    package func totalAvailable() -> Int64 {
        var total: Int64 = 0
        for number in 0..<shardCount {
            let rows = withShard(number) { $0.positions.rowCount }
            total &+= reader(number).sum(rows: 0, rows).available
        }
        return total
    }
}
