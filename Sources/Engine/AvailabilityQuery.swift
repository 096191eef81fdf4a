// A batch of availability questions, read straight from the columns by whoever asks.
//
// Look-ups go in steps over a group of items, each step asking for the cache lines of the next, so
// that the misses of a batch overlap: index slot → name record → run → free.

public import Bytes
public import Columns
internal import Domain
internal import Platform

/// Which positions of a SKU an item asks about.
@usableFromInline
package enum QueryScope: UInt8, BitwiseCopyable, Sendable {
    case everywhere
    /// The places listed.
    case places
    case group
}

@usableFromInline
package enum QueryStatus: UInt8, BitwiseCopyable, Sendable {
    case answered
    case unknownSKU
    case unknownLocation
    case unknownGroup
    /// The SKU changed at every try: its owner must read it.
    case contended
    /// The question itself is wrong: `problem` says how.
    case malformed
}

/// A location that an item lists.
@usableFromInline
package struct QueryPlace: BitwiseCopyable, Sendable {
    /// The name, in the query's text.
    @usableFromInline package var name: ByteRange
    /// The location's id, or `unknown`.
    @usableFromInline package var location: UInt16

    @inlinable package static var unknown: UInt16 { .max }

    @inlinable
    package init(name: ByteRange, location: UInt16) {
        self.name = name
        self.location = location
    }
}

/// What is available at one location.
package struct LocationAnswer: BitwiseCopyable, Sendable {
    package var location: UInt16
    package var available: Int32
    /// The item's place that it answers, where places were listed.
    package var place: UInt32
}

/// One question and, after `run`, its answer.
@usableFromInline
package struct QueryItem: BitwiseCopyable, Sendable {
    @usableFromInline package var key: NameKey
    /// The SKU's name, in the query's text.
    @usableFromInline package var name: ByteRange
    /// Units wanted; 0 where the caller did not say.
    @usableFromInline package var quantity: Int64 = 0
    @usableFromInline package var scope = QueryScope.everywhere
    @usableFromInline package var group: UInt16 = 0
    @usableFromInline package var firstPlace: UInt32 = 0
    @usableFromInline package var placeCount: UInt32 = 0

    /// The SKU is known: `key` and `name` do not count.
    @usableFromInline let isResolved: Bool

    @usableFromInline package internal(set) var status = QueryStatus.answered
    /// What is wrong with a malformed item, in the asker's own numbering.
    @usableFromInline package internal(set) var problem: UInt8 = 0
    @usableFromInline package internal(set) var shard: UInt16 = 0
    @usableFromInline var sku: UInt32 = .max
    @usableFromInline package internal(set) var available: Int64 = 0
    @usableFromInline package internal(set) var maxSingle: Int32 = 0
    @usableFromInline package internal(set) var version: UInt64 = 0
    @usableFromInline package internal(set) var firstAnswer: UInt32 = 0
    @usableFromInline package internal(set) var answerCount: UInt32 = 0

    // Where the only place was found: a slot, or `max` where it has none; and the positions that
    // the run had then. It stays there until the run gains one.
    @usableFromInline var slot: UInt16 = 0
    @usableFromInline var slotCount: UInt16 = 0

    @inlinable
    package init(key: NameKey, name: ByteRange) {
        self.key = key
        self.name = name
        isResolved = false
    }

    /// A question about a SKU of the same engine that was found before.
    @inlinable
    package init(_ reference: SKUReference) {
        key = NameKey()
        name = ByteRange(offset: 0, count: 0)
        isResolved = true
        shard = reference.shard
        sku = reference.sku
    }

    /// Answers with an error instead of stock.
    package mutating func fail(_ status: QueryStatus, problem: UInt8 = 0) {
        self.status = status
        self.problem = problem
    }

    /// Answers with what was found, as one consistent state.
    fileprivate mutating func answer(
        _ available: Int64, _ maxSingle: Int32, version: UInt64, _ answers: Range<Int>
    ) {
        self.available = available
        self.maxSingle = maxSingle
        self.version = version
        firstAnswer = UInt32(truncatingIfNeeded: answers.lowerBound)
        answerCount = UInt32(truncatingIfNeeded: answers.count)
    }
}

/// Questions with their answers; memory is kept from use to use.
package struct AvailabilityQuery: ~Copyable {
    package var items = Buffer<QueryItem>()
    package var places = Buffer<QueryPlace>()
    package var answers = Buffer<LocationAnswer>()
    /// Whether `answers` are wanted, or totals only.
    package var wantsLocations = false

    /// Items looked ahead at a time.
    private static let lookahead = 32

    // Which item last named a location: a location listed twice counts once.
    private var stamps = Buffer<UInt32>()
    private var stamp: UInt32 = 0

    package init() {}

    package mutating func removeAll() {
        items.removeAll()
        places.removeAll()
        answers.removeAll()
        wantsLocations = false
    }

    /// Answers all items that have no error yet.
    ///
    /// - Parameter text: Where the names of the items lie.
    /// - Returns: Whether some are contended and must be read by the owners of their shards.
    /// - Complexity: O(items + places + positions summed over); no lock, no allocation once the
    ///   buffers have grown.
    package mutating func run(_ engine: Engine, _ policy: Policy, _ text: Span<UInt8>) -> Bool {
        var isContended = false
        var first = 0
        while first < items.count {
            let end = min(first + Self.lookahead, items.count)
            resolve(first..<end, engine, text)
            for index in first..<end where items[index].status == .answered {
                if !answer(index, engine, policy) { isContended = true }
            }
            first = end
        }
        return isContended
    }

    /// Answers the contended items of a shard; its owner calls this.
    package mutating func readContended(shard: Int, _ engine: Engine, _ policy: Policy) {
        for index in items.indices
        where items[index].status == .contended && Int(items[index].shard) == shard {
            items[index].status = .answered
            _ = answer(index, engine, policy)
        }
    }

    // MARK: - Look-ups

    private mutating func resolve(_ range: Range<Int>, _ engine: Engine, _ text: Span<UInt8>) {
        for index in range where !items[index].isResolved {
            let key = items[index].key
            let shard = engine.shard(of: key)
            items[index].shard = UInt16(truncatingIfNeeded: shard)
            engine.reader(shard).names.prefetchIndex(key)
        }
        for index in range {
            let reader = engine.reader(Int(items[index].shard))
            if items[index].isResolved {
                reader.prefetchRun(items[index].sku)
                continue
            }
            // Nearly always the SKU: its run can be asked for along with its name.
            let candidate = reader.names.candidate(items[index].key) ?? .max
            if candidate != .max { reader.prefetchRun(candidate) }
            items[index].sku = candidate
        }
        var hasSparseRuns = false
        for index in range where items[index].status == .answered {
            let reader = engine.reader(Int(items[index].shard))
            if find(index, reader, text), prefetch(index, reader) { hasSparseRuns = true }
        }
        if !hasSparseRuns { return }
        for index in range where items[index].status == .answered && items[index].scope == .places {
            search(index, engine.reader(Int(items[index].shard)))
        }
    }

    /// Makes sure of the SKU of an item; false when it is not known.
    @inline(__always)
    private mutating func find(_ index: Int, _ reader: RunReader, _ text: Span<UInt8>) -> Bool {
        if items[index].isResolved { return true }
        let candidate = items[index].sku
        if candidate != .max {
            let name = text.part(items[index].name)
            if let sku = reader.names.id(name, items[index].key, candidate: candidate) {
                if sku != candidate { items[index].sku = sku }
                return true
            }
        }
        items[index].status = .unknownSKU
        return false
    }

    /// Asks for what the item reads of its run: free units, or the locations to find them by.
    ///
    /// - Returns: Whether it is the locations.
    @inline(__always)
    private func prefetch(_ index: Int, _ reader: RunReader) -> Bool {
        let extent = reader.extent(items[index].sku)
        switch items[index].scope {
        case .places:
            if !extent.isPrefix {
                prefetch(extent, rows: 32, most: 256) { reader.prefetchLocation($0) }
                return true
            }
            let first = Int(items[index].firstPlace)
            for place in first..<first &+ Int(items[index].placeCount) {
                reader.prefetchFree(extent.start &+ Int(places[place].location))
            }
        case .everywhere, .group:
            prefetch(extent, rows: 16, most: 256) { reader.prefetchFree($0) }
            if items[index].scope == .group || wantsLocations {
                prefetch(extent, rows: 32, most: 256) { reader.prefetchLocation($0) }
            }
        }
        return false
    }

    /// Asks for a line every so many rows; the processor's own prefetcher follows from there.
    @inline(__always)
    private func prefetch(
        _ extent: RunExtent, rows step: Int, most: Int, _ prefetch: (Int) -> Void
    ) {
        var row = extent.start
        let end = extent.start &+ min(extent.count, most)
        while row < end {
            prefetch(row)
            row &+= step
        }
    }

    /// Finds the item's places in a run that has not all locations, and asks for their free units.
    private mutating func search(_ index: Int, _ reader: RunReader) {
        let extent = reader.settledExtent(items[index].sku)
        if extent.isPrefix { return }
        let first = Int(items[index].firstPlace)
        for place in first..<first &+ Int(items[index].placeCount) {
            let row = reader.row(of: places[place].location, in: extent)
            if let row { reader.prefetchFree(row) }
            items[index].slot = row.map { UInt16(truncatingIfNeeded: $0 &- extent.start) } ?? .max
            items[index].slotCount = UInt16(truncatingIfNeeded: extent.count)
        }
    }

    // MARK: - Reading

    /// Answers one item; false when it is contended.
    @inline(__always)
    private mutating func answer(_ index: Int, _ engine: Engine, _ policy: Policy) -> Bool {
        let scope = items[index].scope
        if !wantsLocations {
            if scope == .places, items[index].placeCount == 1 {
                return answerOne(index, engine, policy)
            }
            if scope == .everywhere, !policy.hasClosed { return answerSum(index, engine) }
        }
        return answerMany(index, engine, policy)
    }

    /// An item about one place.
    @inline(__always)
    private mutating func answerOne(_ index: Int, _ engine: Engine, _ policy: Policy) -> Bool {
        let reader = engine.reader(Int(items[index].shard))
        let location = places[Int(items[index].firstPlace)].location
        let slot = items[index].slot
        let slotCount = Int(items[index].slotCount)
        var available: Int32 = 0
        let version = reader.consistent(items[index].sku) { extent in
            available = 0
            if location == QueryPlace.unknown { return }
            if !extent.isPrefix, extent.count == slotCount {
                if slot != .max { available = max(0, reader.free(at: extent.start &+ Int(slot))) }
            } else if let row = reader.row(of: location, in: extent) {
                available = max(0, reader.free(at: row))
            }
        }
        if available > 0, !policy.isOpen(location) { available = 0 }
        return finish(index, Int64(available), available, version, from: answers.count)
    }

    /// An item about the sum over all locations, every one of them open.
    @inline(__always)
    private mutating func answerSum(_ index: Int, _ engine: Engine) -> Bool {
        let reader = engine.reader(Int(items[index].shard))
        var total: Int64 = 0
        var largest: Int32 = 0
        let version = reader.consistent(items[index].sku) { extent in
            (total, largest) = reader.sum(extent)
        }
        return finish(index, total, largest, version, from: answers.count)
    }

    private mutating func answerMany(_ index: Int, _ engine: Engine, _ policy: Policy) -> Bool {
        let item = items[index]
        let reader = engine.reader(Int(item.shard))
        let firstAnswer = answers.count
        var total: Int64 = 0
        var largest: Int32 = 0
        let version = reader.consistent(item.sku) { extent in
            answers.removeLast(answers.count - firstAnswer)
            (total, largest) =
                item.scope == .places
                ? sumPlaces(extent, item, reader, policy) : scan(extent, item, reader, policy)
        }
        return finish(index, total, largest, version, from: firstAnswer)
    }

    /// Notes an answer; nil for the version is a contended item, and false is returned.
    @inline(__always)
    private mutating func finish(
        _ index: Int, _ available: Int64, _ maxSingle: Int32, _ version: UInt64?,
        from firstAnswer: Int
    ) -> Bool {
        guard let version else {
            answers.removeLast(answers.count - firstAnswer)
            items[index].status = .contended
            return false
        }
        items[index].answer(available, maxSingle, version: version, firstAnswer..<answers.count)
        return true
    }

    private mutating func scan(
        _ extent: RunExtent, _ item: QueryItem, _ reader: RunReader, _ policy: Policy
    ) -> (Int64, Int32) {
        var total: Int64 = 0
        var largest: Int32 = 0
        for row in extent.rows {
            let location = reader.location(at: row)
            if item.scope == .group, !policy.isMember(location, of: item.group) { continue }
            let available = availableToPromise(
                free: reader.free(at: row), isOpen: policy.isOpen(location))
            total &+= Int64(available)  // At most 65,535 positions of 31 bits.
            largest = max(largest, available)
            if wantsLocations {
                answers.append(LocationAnswer(location: location, available: available, place: 0))
            }
        }
        return (total, largest)
    }

    private mutating func sumPlaces(
        _ extent: RunExtent, _ item: QueryItem, _ reader: RunReader, _ policy: Policy
    ) -> (Int64, Int32) {
        var total: Int64 = 0
        var largest: Int32 = 0
        if item.placeCount > 1 { nextStamp() }
        for place in Int(item.firstPlace)..<Int(item.firstPlace &+ item.placeCount) {
            let location = places[place].location
            if item.placeCount > 1, location != QueryPlace.unknown, isSeen(location) { continue }
            var available: Int32 = 0
            if location != QueryPlace.unknown, let row = reader.row(of: location, in: extent) {
                available = availableToPromise(
                    free: reader.free(at: row), isOpen: policy.isOpen(location))
            }
            total &+= Int64(available)  // Each location once: at most 65,535 of 31 bits.
            largest = max(largest, available)
            if wantsLocations {
                answers.append(
                    LocationAnswer(
                        location: location, available: available,
                        place: UInt32(truncatingIfNeeded: place)))
            }
        }
        return (total, largest)
    }

    private mutating func nextStamp() {
        if stamp == .max {
            for index in stamps.indices { stamps[index] = 0 }
            stamp = 0
        }
        stamp &+= 1
    }

    /// Whether the location was named before since `nextStamp`; notes that it is now.
    private mutating func isSeen(_ location: UInt16) -> Bool {
        let index = Int(location)
        if index >= stamps.count {
            stamps.append(repeating: 0, count: index - stamps.count + 1)
        }
        if stamps[index] == stamp { return true }
        stamps[index] = stamp
        return false
    }
}
