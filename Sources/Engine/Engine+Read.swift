// Reading positions that were found before, by reference: the fastest way to ask.

internal import Bytes
package import Columns
internal import Domain

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
        var found: PositionReference?
        let version = reader.consistent(id) { extent in
            found = reader.row(of: UInt16(place), in: extent).map { row in
                PositionReference(
                    sku: id, shard: UInt16(shard), location: UInt16(place),
                    slot: UInt16(row - extent.start), count: UInt16(extent.count))
            }
        }
        return version == nil ? nil : found  // What was seen amid a change may be torn.
    }

    /// What may be promised at each position, in order.
    ///
    /// - Returns: How many references were out of date: their SKU has gained positions since, or
    ///   changed all the time. They answer −1 and must be found again.
    /// - Complexity: O(references): two cache lines each, asked for ahead.
    package func availableToPromise(
        _ references: Span<PositionReference>, _ policy: Policy,
        into answers: inout MutableSpan<Int32>
    ) -> Int {
        precondition(answers.count >= references.count)
        var staleCount = 0
        var first = 0
        while first < references.count {
            let end = min(first &+ Self.lookahead, references.count)
            staleCount &+= read(references, first..<end, into: &answers)
            first = end
        }
        if policy.hasClosed {
            for index in references.indices
            where answers[index] > 0 && !policy.isOpen(references[index].location) {
                answers[index] = 0
            }
        }
        return staleCount
    }

    /// References whose cache lines are asked for together: about as many as a processor can have
    /// on their way.
    private static let lookahead = 32

    /// Answers a part of the references, closed locations as if they were open.
    @inline(__always)
    private func read(
        _ references: Span<PositionReference>, _ range: Range<Int>,
        into answers: inout MutableSpan<Int32>
    ) -> Int {
        for index in range {
            let reference = unsafe references[unchecked: index]
            reader(Int(reference.shard)).prefetchRun(reference.sku)
        }
        for index in range {
            let reference = unsafe references[unchecked: index]
            let reader = reader(Int(reference.shard))
            reader.prefetchFree(reader.extent(reference.sku).start &+ Int(reference.slot))
        }
        var staleCount = 0
        for index in range {
            let reference = unsafe references[unchecked: index]
            let free =
                reader(Int(reference.shard)).freeAtOnce(reference) ?? freeAfterRetries(reference)
            unsafe answers[unchecked: index] = free.map { max(0, $0) } ?? -1
            if free == nil { staleCount &+= 1 }
        }
        return staleCount
    }

    @inline(never)
    private func freeAfterRetries(_ reference: PositionReference) -> Int32? {
        let reader = reader(Int(reference.shard))
        var free: Int32?
        let version = reader.consistent(reference.sku) { extent in
            free =
                extent.count == Int(reference.count)
                ? reader.free(at: extent.start &+ Int(reference.slot)) : nil
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
