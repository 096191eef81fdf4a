// Reads: by reference, by name, whole SKUs.

import Bytes
import Columns
import Domain
import Engine

extension Benchmark {
    func measureReads(_ world: World, _ distribution: KeyDistribution) throws {
        guard ["atp", "names", "sku", "roofline"].contains(where: options.wants) else { return }
        let sample = world.layout.samplePositions(
            sampleCount, distribution, seed: Self.seed &+ 2)
        let rooflines = try Rooflines(
            positionCount: world.layout.positionCount, streamCount: streamCount,
            places: sample.map { $0.place })
        let shape = "\(distribution.rawValue), \(world.layout.shape.rawValue)"
        let count = world.layout.positionCount
        let joins = [(1, ""), (Rooflines.joinedCount, ", joined")]
        if options.wants("roofline") {
            add("stream", "bytes/s", count, "sum of 4-byte values", rooflines.streams)
            add(
                "gather", "values/s", count, "\(distribution.rawValue), batches of 20",
                rooflines.gathers)
        }
        if options.wants("atp") {
            let reads = try ReferenceReads(world, sample)
            for (batches, suffix) in joins {
                report.add(
                    Figure(
                        "atp\(suffix)", positions: count, shape: shape, unit: "positions/s",
                        roofline: "gather",
                        Comparison(
                            rounds: options.repeatCount, rooflines: rooflines.gathers,
                            expected: reads.expected
                        ) { reads.round(joining: batches) }, goal: 0.8))
            }
        }
        if options.wants("names") {
            let reads = try NamedReads(world, sample)
            for (batches, suffix) in joins {
                report.add(
                    Figure(
                        "names\(suffix)", positions: count, shape: shape, unit: "positions/s",
                        roofline: "gather",
                        Comparison(
                            rounds: options.repeatCount, rooflines: rooflines.gathers,
                            expected: reads.expected
                        ) { reads.round(joining: batches) }, goal: 0.3))
            }
        }
        if options.wants("sku") {
            for naming in WholeReads.Naming.allCases {
                for (batches, suffix) in joins {
                    try measureWholeReads(
                        world, Array(sample.prefix(sampleCount / 10)), naming, shape, rooflines,
                        batches, suffix)
                }
            }
        }
    }

    private func measureWholeReads(
        _ world: World, _ sample: [SampledPosition], _ naming: WholeReads.Naming, _ shape: String,
        _ rooflines: Rooflines, _ batches: Int, _ suffix: String
    ) throws {
        let reads = try WholeReads(world, sample, naming)
        let count = world.layout.positionCount
        report.add(
            Figure(
                naming.rawValue + suffix, positions: count, shape: shape, unit: "bytes/s",
                roofline: "stream",
                Comparison(
                    rounds: options.repeatCount, rooflines: rooflines.streams,
                    expected: reads.expected
                ) { reads.round(joining: batches) }, goal: 0.6))
        // Beside the stream, what is possible where each run is somewhere else.
        report.add(
            Figure(
                naming.rawValue + suffix, positions: count, shape: shape, unit: "bytes/s",
                roofline: "random runs",
                Comparison(
                    rounds: options.repeatCount,
                    rooflines: rooflines.runs(world.layout.runCount, count: sample.count),
                    expected: reads.expected
                ) { reads.round(joining: batches) }))
    }

    private func add(
        _ name: String, _ unit: String, _ count: Int, _ shape: String, _ forms: [() -> Round]
    ) {
        var values: [Double] = []
        var checksum: UInt64 = 0
        for round in 0...options.repeatCount {
            let rates = forms.map { rate($0) }
            if round > 0 { values.append(rates.map { $0.rate }.max() ?? 0) }
            checksum = rates[0].checksum
        }
        report.add(
            Figure(
                name, positions: count, shape: shape, unit: unit, Spread(values),
                checksum: checksum))
    }
}

/// ATP of positions found before.
final class ReferenceReads {
    private let engine: Engine
    private let policy: Policy
    private let references: SampleArray<PositionReference>
    let expected: UInt64

    /// References that were not answered because their SKU changed all the time.
    private(set) var staleCount = 0

    init(_ world: World, _ sample: [SampledPosition]) throws {
        let engine = world.engine
        self.engine = engine
        policy = world.policy
        var expected: UInt64 = 0
        var sku = ByteBuffer()
        var location = ByteBuffer()
        references = try SampleArray(count: sample.count) { index in
            let position = sample[index]
            expected &+= UInt64(world.layout.units(Int(position.sku), position.location))
            sku.removeAll()
            location.removeAll()
            Layout.appendSKU(Int(position.sku), to: &sku)
            Layout.appendLocation(position.location, to: &location)
            guard let found = engine.reference(sku: sku.span, location: location.span) else {
                fatalError("a loaded position is not found")
            }
            return found
        }
        self.expected = expected
    }

    /// One pass over all references, so many batches at a time.
    func round(joining batches: Int) -> Round {
        var sum: UInt64 = 0
        references.withSpan { references in
            for batch in Rooflines.batches(references.count, joining: batches) {
                sum &+= read(references.extracting(batch))
            }
        }
        return Round(amount: references.count, checksum: sum)
    }

    @inline(__always)
    private func read(_ references: Span<PositionReference>) -> UInt64 {
        var answers = InlineArray<160, Int32>(repeating: 0)
        var span = answers.mutableSpan
        let stale = engine.availableToPromise(references, policy, into: &span)
        if stale > 0 { staleCount += stale }
        var sum: UInt64 = 0
        for index in references.indices { sum &+= UInt64(truncatingIfNeeded: answers[index]) }
        return sum
    }
}

/// ATP of positions by the bytes of their names.
final class NamedReads {
    private let engine: Engine
    private let policy: Policy
    private let text: SampleArray<UInt8>
    private var query = AvailabilityQuery()
    private let count: Int
    let expected: UInt64

    private static let itemByteCount = Layout.skuByteCount + Layout.locationByteCount

    init(_ world: World, _ sample: [SampledPosition]) throws {
        engine = world.engine
        policy = world.policy
        count = sample.count
        var expected: UInt64 = 0
        var text = ByteBuffer()
        for position in sample {
            Layout.appendSKU(Int(position.sku), to: &text)
            Layout.appendLocation(position.location, to: &text)
            expected &+= UInt64(world.layout.units(Int(position.sku), position.location))
        }
        self.text = try SampleArray(count: text.count) { text[$0] }
        self.expected = expected
    }

    func round(joining batches: Int) -> Round {
        var sum: UInt64 = 0
        text.withSpan { text in
            for items in Rooflines.batches(count, joining: batches) {
                sum &+= batch(items, &query, text)
            }
        }
        return Round(amount: count, checksum: sum)
    }

    /// What a request does after its bytes have been split into names.
    @inline(never)
    private func batch(
        _ batch: Range<Int>, _ query: inout AvailabilityQuery, _ text: Span<UInt8>
    ) -> UInt64 {
        query.removeAll()
        for item in batch {
            let sku = ByteRange(offset: item * Self.itemByteCount, count: Layout.skuByteCount)
            let place = ByteRange(offset: sku.end, count: Layout.locationByteCount)
            let location = query.recentLocations.id(
                text, place, engine.master.locationNames, engine.hasher)
            var question = QueryItem(key: NameKey(text, sku, engine.hasher), name: sku)
            question.scope = .places
            question.firstPlace = UInt32(query.places.count)
            question.placeCount = 1
            query.places.append(
                QueryPlace(
                    name: place, location: location.map { UInt16($0) } ?? QueryPlace.unknown))
            query.items.append(question)
        }
        return answer(&query, engine, policy, text)
    }
}

/// Sums over all locations of SKUs; the amount is bytes of `free`.
final class WholeReads {
    /// How SKUs are named in a query.
    enum Naming: String, CaseIterable {
        case byReference = "sku"
        case byName = "sku, named"
    }

    private let engine: Engine
    private let policy: Policy
    private let naming: Naming
    private let text: SampleArray<UInt8>
    private let references: SampleArray<SKUReference>
    private var query = AvailabilityQuery()
    private let count: Int
    private let runCount: Int
    let expected: UInt64

    init(_ world: World, _ sample: [SampledPosition], _ naming: Naming) throws {
        let engine = world.engine
        self.engine = engine
        self.naming = naming
        policy = world.policy
        count = sample.count
        runCount = world.layout.runCount
        var expected: UInt64 = 0
        var text = ByteBuffer()
        for position in sample {
            Layout.appendSKU(Int(position.sku), to: &text)
            for location in world.layout.locations(of: Int(position.sku)) {
                expected &+= UInt64(world.layout.units(Int(position.sku), location))
            }
        }
        references = try SampleArray(count: sample.count) { index in
            let name = text.span.part(Self.name(index))
            guard let found = engine.reference(sku: name) else {
                fatalError("a loaded SKU is not found")
            }
            return found
        }
        self.text = try SampleArray(count: text.count) { text[$0] }
        self.expected = expected
    }

    private static func name(_ index: Int) -> ByteRange {
        ByteRange(offset: index * Layout.skuByteCount, count: Layout.skuByteCount)
    }

    func round(joining batches: Int) -> Round {
        var sum: UInt64 = 0
        text.withSpan { text in
            references.withSpan { references in
                for batch in Rooflines.batches(count, joining: batches) {
                    query.removeAll()
                    switch naming {
                    case .byReference: refer(batch, &query, references)
                    case .byName: name(batch, &query, text)
                    }
                    sum &+= answer(&query, engine, policy, text)
                }
            }
        }
        return Round(amount: count * runCount * 4, checksum: sum)
    }

    @inline(__always)
    private func refer(
        _ batch: Range<Int>, _ query: inout AvailabilityQuery, _ references: Span<SKUReference>
    ) {
        for item in batch { query.items.append(QueryItem(references[item])) }
    }

    @inline(__always)
    private func name(
        _ batch: Range<Int>, _ query: inout AvailabilityQuery, _ text: Span<UInt8>
    ) {
        for item in batch {
            let sku = Self.name(item)
            query.items.append(
                QueryItem(key: NameKey(text, sku, engine.hasher), name: sku))
        }
    }
}

/// Runs a query and sums what is available.
@inline(__always)
private func answer(
    _ query: inout AvailabilityQuery, _ engine: Engine, _ policy: Policy, _ text: Span<UInt8>
) -> UInt64 {
    let isContended = query.run(engine, policy, text)
    check(!isContended, "a read is contended and nothing changed")
    var sum: UInt64 = 0
    for index in query.items.indices {
        sum &+= UInt64(truncatingIfNeeded: query.items[index].available)
    }
    return sum
}
