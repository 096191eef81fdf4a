// A batch of availability questions, read straight from the columns by whoever asks.
//
// Look-ups go in steps over a group of items, each step asking for the cache lines of the next, so
// that the misses of a batch overlap: index slot → name record → run → free.

package import Bytes
package import Columns
internal import Domain
internal import Platform

/// Which positions of a SKU an item asks about.
package enum QueryScope: UInt8, BitwiseCopyable, Sendable {
    case everywhere
    /// The places listed.
    case places
    case group
}

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
package struct QueryPlace: BitwiseCopyable, Sendable {
    /// The name, in the query's text.
    package var name: ByteRange
    /// The location's id, or `unknown`.
    package var location: UInt16

    package static let unknown = UInt16.max

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
package struct QueryItem: BitwiseCopyable, Sendable {
    package var key: NameKey
    /// The SKU's name, in the query's text.
    package var name: ByteRange
    /// Units wanted; 0 where the caller did not say.
    package var quantity: Int64 = 0
    package var scope = QueryScope.everywhere
    package var group: UInt16 = 0
    package var firstPlace: UInt32 = 0
    package var placeCount: UInt32 = 0

    package fileprivate(set) var status = QueryStatus.answered
    /// What is wrong with a malformed item, in the asker's own numbering.
    package private(set) var problem: UInt8 = 0
    package fileprivate(set) var shard: UInt16 = 0
    fileprivate var sku: UInt32 = .max
    package fileprivate(set) var available: Int64 = 0
    package fileprivate(set) var maxSingle: Int32 = 0
    package fileprivate(set) var version: UInt64 = 0
    package fileprivate(set) var firstAnswer: UInt32 = 0
    package fileprivate(set) var answerCount: UInt32 = 0

    package init(key: NameKey, name: ByteRange) {
        self.key = key
        self.name = name
    }

    /// Answers with an error instead of stock.
    package mutating func fail(_ status: QueryStatus, problem: UInt8 = 0) {
        self.status = status
        self.problem = problem
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
        for index in range {
            let key = items[index].key
            let shard = engine.shard(of: key)
            items[index].shard = UInt16(truncatingIfNeeded: shard)
            engine.reader(shard).names.prefetchIndex(key)
        }
        for index in range {
            engine.reader(Int(items[index].shard)).names.prefetchRecord(items[index].key)
        }
        for index in range where items[index].status == .answered {
            let item = items[index]
            let reader = engine.reader(Int(item.shard))
            guard let sku = reader.names.id(text.part(item.name), item.key) else {
                items[index].status = .unknownSKU
                continue
            }
            items[index].sku = sku
            reader.prefetchRun(sku)
        }
        for index in range where items[index].status == .answered {
            prefetch(items[index], engine.reader(Int(items[index].shard)))
        }
    }

    private func prefetch(_ item: QueryItem, _ reader: RunReader) {
        let extent = reader.extent(item.sku)
        switch item.scope {
        case .places:
            for place in 0..<Int(item.placeCount) {
                let location = places[Int(item.firstPlace) &+ place].location
                if extent.isPrefix {
                    reader.prefetchFree(extent.start &+ Int(location))
                } else if let row = reader.row(of: location, in: extent) {
                    reader.prefetchFree(row)
                }
            }
        case .everywhere, .group:
            // The first kilobyte; the processor's own prefetcher follows from there.
            var row = extent.start
            let end = extent.start &+ min(extent.count, 256)
            while row < end {
                reader.prefetchFree(row)
                row &+= 16
            }
        }
    }

    // MARK: - Reading

    /// Answers one item; false when it is contended.
    private mutating func answer(_ index: Int, _ engine: Engine, _ policy: Policy) -> Bool {
        let item = items[index]
        let reader = engine.reader(Int(item.shard))
        let firstAnswer = answers.count
        var total: Int64 = 0
        var largest: Int32 = 0
        let version: UInt64?
        switch item.scope {
        case .everywhere where !wantsLocations && !policy.hasClosed:
            version = reader.consistent(item.sku) { extent in
                (total, largest) = reader.sum(extent)
            }
        case .everywhere, .group:
            version = reader.consistent(item.sku) { extent in
                answers.removeLast(answers.count - firstAnswer)
                (total, largest) = scan(extent, item, reader, policy)
            }
        case .places:
            version = reader.consistent(item.sku) { extent in
                answers.removeLast(answers.count - firstAnswer)
                (total, largest) = sumPlaces(extent, item, reader, policy)
            }
        }
        guard let version else {
            answers.removeLast(answers.count - firstAnswer)
            items[index].status = .contended
            return false
        }
        items[index].available = total
        items[index].maxSingle = largest
        items[index].version = version
        items[index].firstAnswer = UInt32(firstAnswer)
        items[index].answerCount = UInt32(answers.count - firstAnswer)
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
