// Which figures there are, and the order they are measured in.

import Columns
import Engine
import Platform

/// One run of the program: everything that is measured goes through `report`.
final class Benchmark {
    /// Where all data comes from.
    static let seed: UInt64 = 0x4F1D_FA57

    static let names: Set<String> = [
        "roofline", "load", "atp", "names", "sku", "scan", "events", "interference", "inbox",
        "flood", "http", "accept", "parquet", "journal", "durable",
        "snapshot", "recovery",
    ]

    /// Figures that need no store.
    static let apart: Set<String> = [
        "inbox", "flood", "http", "accept", "parquet", "journal", "durable", "recovery",
    ]

    let options: Options
    let report: Report

    /// The processor for the second thread of a figure; nil when there is none.
    let otherProcessor: Int?

    private init(_ options: Options) {
        self.options = options
        let count = Machine.processorCount
        otherProcessor = count > 1 ? (options.processor + 1) % count : nil
        report = Report(options, processors: count)
    }

    /// Items a round, so that a round takes some tenths of a second.
    var sampleCount: Int { options.isSmoke ? 20_000 : 2_000_000 }

    /// Integers in the stream: far more than fit the caches.
    var streamCount: Int { options.isSmoke ? 1 << 18 : 1 << 26 }

    static func run(_ options: Options) throws {
        let benchmark = Benchmark(options)
        // Before this thread is bound: its services run wherever there is room.
        if options.wants("durable") { try benchmark.measureDurable() }
        if options.wants("recovery") {
            for count in options.positionCounts { try benchmark.measureRecovery(count) }
        }
        try Thread.pinCurrent(to: options.processor)
        if options.wants("events") { try benchmark.measureRememberedIDs() }
        if options.wants("inbox") { try benchmark.measureInbox() }
        if options.wants("flood") { try benchmark.measureFlood() }
        if options.wants("http") { try benchmark.measureHTTP() }
        if options.wants("accept") { try benchmark.measureAccept() }
        if options.wants("parquet") {
            // Row groups are alike, so that more of them tell nothing new.
            for count in options.positionCounts where count <= 10_000_000 {
                try benchmark.measureParquet(count)
            }
        }
        if options.wants("journal") { try benchmark.measureJournal() }
        let needsStore = options.only.isEmpty || !options.only.isSubset(of: apart)
        for count in options.positionCounts where needsStore {
            try benchmark.measure(count, .full)
            // The small runs are another shape, not another size.
            if count <= 10_000_000 { try benchmark.measure(count, .sparse) }
        }
        try benchmark.report.finish()
    }

    private func measure(_ positionCount: Int, _ shape: RunShape) throws {
        let needed = positionCount * 60 + streamCount * 4 + (1 << 30)
        guard Setting.availableByteCount > needed else {
            report.note(
                "\(scaled(Double(positionCount))) positions, \(shape.rawValue): skipped, "
                    + "needs \(scaled(Double(needed))) bytes of memory, "
                    + "\(scaled(Double(Setting.availableByteCount))) are free")
            return
        }
        let world = try World.load(
            Layout(positionCount: positionCount, shape), rememberedMax: rememberedMax)
        reportLoad(world)
        let reader = world.engine.quietPoints.register()
        world.engine.quietPoints.enter(reader)
        defer { world.engine.quietPoints.leave(reader) }
        for distribution in KeyDistribution.allCases {
            try measureReads(world, distribution)
        }
        if options.wants("scan") { try measureScan(world) }
        if options.wants("events") { try measureEvents(world) }
        if options.wants("interference") { try measureInterference(world) }
        if options.wants("snapshot") { try measureSnapshot(world) }
    }

    private func reportLoad(_ world: World) {
        guard options.wants("load") else { return }
        let count = world.layout.positionCount
        let seconds = Double(world.loadNanoseconds) / 1e9
        report.add(
            Figure(
                "load", positions: count, shape: world.layout.shape.rawValue, unit: "rows/s",
                Spread([Double(count) / seconds]),
                checksum: UInt64(bitPattern: world.expectedTotal)))
        let bytes = Double(world.residentByteCount) / Double(count)
        report.add(
            Figure(
                "memory", positions: count, shape: world.layout.shape.rawValue,
                unit: "bytes/position", Spread([bytes]),
                checksum: UInt64(bitPattern: world.expectedTotal),
                goal: world.layout.shape == .full ? "<= 48" : nil))
    }
}
