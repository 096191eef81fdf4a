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
    /// What is available was read.
    @usableFromInline var isRead = false

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

    // Where the only place was found, and the version that its run had then.
    @usableFromInline var row = RunRow()

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
    @inline(__always)
    fileprivate mutating func answer(
        _ available: Int64, _ maxSingle: Int32, _ version: UInt64
    ) {
        self.available = available
        self.maxSingle = maxSingle
        self.version = version
        isRead = true
    }

    /// Answers an item about one place; false when it is another one, or its run has changed since
    /// the place was found.
    @inline(__always)
    fileprivate mutating func readPlace(
        _ places: Span<QueryPlace>, _ readers: Span<RunReader>, _ policy: Policy, hasClosed: Bool
    ) -> Bool {
        guard status == .answered, scope == .places, placeCount == 1,
            let free = readers[Int(shard)].free(at: row, of: sku)
        else { return false }
        var available = max(0, free)
        if hasClosed, !policy.isOpen(places[Int(firstPlace)].location) { available = 0 }
        answer(Int64(available), available, row.changeCount)
        return true
    }

    /// Answers an item about the sum over all locations, every one of them open; false when it is
    /// another one, or its run is changing.
    @inline(__always)
    fileprivate mutating func readRun(_ readers: Span<RunReader>) -> Bool {
        guard status == .answered, scope == .everywhere else { return false }
        let reader = readers[Int(shard)]
        var total: Int64 = 0
        var largest: Int32 = 0
        guard
            let version = reader.consistentAtOnce(
                sku, { extent in (total, largest) = reader.sum(extent) })
        else { return false }
        answer(total, largest, version)
        return true
    }
}

/// Questions with their answers; memory is kept from use to use.
package struct AvailabilityQuery: ~Copyable {
    package var items = Buffer<QueryItem>()
    package var places = Buffer<QueryPlace>()
    package var answers = Buffer<LocationAnswer>()
    /// Locations that questions named lately.
    package var recentLocations = RecentNames()
    /// Whether `answers` are wanted, or totals only.
    package var wantsLocations = false

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
        engine.withReaders { readers in
            if !wantsLocations, !policy.hasClosed, Self.readResolved(&items, readers) {
                return false
            }
            if items.count <= Self.blockItemCount {
                return runAtOnce(engine, policy, text, readers)
            }
            var isContended = false
            var hasSparseRuns = false
            var ahead = 0
            var step = 0
            repeat {
                Self.askForSlots(block(step), &items, engine, readers)
                Self.askForRuns(block(step &- 1), &items, readers)
                if Self.find(block(step &- 2), &items, places, readers, text) {
                    hasSparseRuns = true
                }
                if hasSparseRuns { Self.search(block(step &- 3), &items, places, readers) }
                let found = block(step &- 2).upperBound
                if !read(block(step &- 4), &ahead, before: found, readers, policy) {
                    isContended = true
                }
                step &+= 1
            } while block(step &- 5).upperBound < items.count
            return isContended
        }
    }

    /// The same for one block: there is no other that its steps could overlap with.
    private mutating func runAtOnce(
        _ engine: Engine, _ policy: Policy, _ text: Span<UInt8>, _ readers: Span<RunReader>
    ) -> Bool {
        let all = items.indices
        Self.askForSlots(all, &items, engine, readers)
        Self.askForRuns(all, &items, readers)
        if Self.find(all, &items, places, readers, text) {
            Self.search(all, &items, places, readers)
        }
        var ahead = 0
        return !read(all, &ahead, before: items.count, readers, policy)
    }

    /// Answers the contended items of a shard; its owner calls this.
    package mutating func readContended(shard: Int, _ engine: Engine, _ policy: Policy) {
        for index in items.indices
        where items[index].status == .contended && Int(items[index].shard) == shard {
            items[index].status = .answered
            _ = engine.withReaders { answer(index, $0, policy) }
        }
    }

    // MARK: - Reading

    /// Answers a block.
    ///
    /// - Parameters:
    ///   - ahead: The first item whose whole run was not asked for yet.
    ///   - found: The first item that was not found yet.
    /// - Returns: false when some items of the block are contended.
    private mutating func read(
        _ block: Range<Int>, _ ahead: inout Int, before found: Int, _ readers: Span<RunReader>,
        _ policy: Policy
    ) -> Bool {
        if !wantsLocations, !block.isEmpty {
            if items[block.lowerBound].scope == .places {
                if Self.readPlaces(block, &items, places, readers, policy) { return true }
            } else if !policy.hasClosed {
                if Self.readRuns(block, &ahead, before: found, &items, readers) { return true }
            }
        }
        var isWhole = true
        for index in block where items[index].status == .answered && !items[index].isRead {
            let next = max(ahead, min(found, index &+ Self.runsAhead))
            for place in max(ahead, index)..<next {
                items[place].askForRows(readers, withLocations: wantsLocations)
            }
            ahead = next
            if !answer(index, readers, policy) { isWhole = false }
        }
        return isWhole
    }

    /// Answers items about sums over all locations of SKUs found before, every location open.
    ///
    /// Items go through the steps one by one, because a whole run is many cache lines: so memory is
    /// never asked for more than it brings meanwhile.
    ///
    /// - Returns: Whether all items were such, and are answered; if not they are to be read again.
    @inline(never)
    private static func readResolved(
        _ items: inout Buffer<QueryItem>, _ readers: Span<RunReader>
    ) -> Bool {
        var items = items.mutableSpan
        let count = items.count
        var index = 0
        while index < count, unsafe items[unchecked: index].isResolved { index &+= 1 }
        if index < count { return false }
        var run = 0
        var rows = 0
        index = 0
        while index < count {
            while run < min(count, index &+ 2 &* runsAhead) {
                unsafe items[unchecked: run].askForRun(readers)
                run &+= 1
            }
            while rows < min(count, index &+ runsAhead) {
                unsafe items[unchecked: rows].askForRows(readers, withLocations: false)
                rows &+= 1
            }
            if !(unsafe items[unchecked: index].readRun(readers)) { return false }
            index &+= 1
        }
        return true
    }

    /// Answers the items about sums over all locations, every one of them open.
    ///
    /// - Parameters: as of `read`.
    /// - Returns: Whether these were all of the block.
    @inline(never)
    private static func readRuns(
        _ block: Range<Int>, _ ahead: inout Int, before found: Int,
        _ items: inout Buffer<QueryItem>, _ readers: Span<RunReader>
    ) -> Bool {
        var items = items.mutableSpan
        precondition(block.upperBound <= found && found <= items.count)
        var isAll = true
        var asked = max(ahead, block.lowerBound)
        var index = block.lowerBound
        while index < block.upperBound {
            let next = min(found, index &+ runsAhead)
            while asked < next {
                unsafe items[unchecked: asked].askForRows(readers, withLocations: false)
                asked &+= 1
            }
            if !(unsafe items[unchecked: index].readRun(readers)) { isAll = false }
            index &+= 1
        }
        ahead = asked
        return isAll
    }

    /// Answers the items about one place whose runs have not changed since they were looked up.
    ///
    /// - Returns: Whether these were all of the block.
    @inline(never)
    private static func readPlaces(
        _ block: Range<Int>, _ items: inout Buffer<QueryItem>,
        _ places: borrowing Buffer<QueryPlace>, _ readers: Span<RunReader>, _ policy: Policy
    ) -> Bool {
        var items = items.mutableSpan
        let places = places.span
        let hasClosed = policy.hasClosed
        precondition(block.upperBound <= items.count)
        var isAll = true
        var index = block.lowerBound
        while index < block.upperBound {
            let isRead = unsafe items[unchecked: index].readPlace(
                places, readers, policy, hasClosed: hasClosed)
            if !isRead { isAll = false }
            index &+= 1
        }
        return isAll
    }

    /// Answers one item; false when it is contended.
    private mutating func answer(
        _ index: Int, _ readers: Span<RunReader>, _ policy: Policy
    ) -> Bool {
        let item = items[index]
        let reader = readers[Int(item.shard)]
        let firstAnswer = answers.count
        var total: Int64 = 0
        var largest: Int32 = 0
        let version = reader.consistent(item.sku) { extent in
            answers.removeLast(answers.count - firstAnswer)
            (total, largest) =
                item.scope == .places
                ? sumPlaces(extent, item, reader, policy) : scan(extent, item, reader, policy)
        }
        guard let version else {
            answers.removeLast(answers.count - firstAnswer)
            items[index].status = .contended
            return false
        }
        items[index].answer(total, largest, version)
        items[index].firstAnswer = UInt32(truncatingIfNeeded: firstAnswer)
        items[index].answerCount = UInt32(truncatingIfNeeded: answers.count - firstAnswer)
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
