import Engine
import Platform
import Service
import Synchronization
import Testing

/// Random histories over HTTP against a model that is a dictionary and a loop.
///
/// Several clients send at once, in any order, twice, in pieces; so the model may not depend on the
/// order of arrival. It does not: what a shelf holds is its last count, by effective time, and what
/// moved after it.
@Suite(.serialized) struct EndToEndModelTests {
    @Test(arguments: [false, true])
    func `any order of events and stock over several connections ends in the same positions`(
        isNarrow: Bool
    ) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(seed)
        var model = StockModel()
        var plans = (0..<4).map { _ in [Call]() }
        for connection in plans.indices {
            for number in 0..<12 {
                let call = Call.random(
                    "\(connection)-\(number)", &random, &model, time: number * 4 + connection)
                plans[connection].append(call)
                // Sent again: at once, and some time later.
                if call.isRepeatable, random.next() % 3 == 0 { plans[connection].append(call) }
            }
            let again = plans[connection].filter { $0.isRepeatable && random.next() % 4 == 0 }
            plans[connection] += again
        }
        try withService { configuration in
            if isNarrow {
                // Every stall is a cut.
                configuration.engine.inboxCapacity = 2
                configuration.engine.queuedCommandMax = 1
                configuration.patienceMilliseconds = 0
            }
        } _: { here in
            let tally = Tally()
            let threads = plans.map { plan in Sender(here, plan, tally, seed) }
            for thread in threads { try thread.start() }
            for thread in threads { thread.join() }
            #expect(tally.accepted.load(ordering: .relaxed) == model.commandCount, "seed \(seed)")
            if isNarrow {
                #expect(tally.cuts.load(ordering: .relaxed) > 0, "seed \(seed): nothing was cut")
            }
            var client = try here.connect()
            for sku in model.skus {
                let positions = try client.call("GET", "/v1/positions/\(sku)")["positions"].list
                for position in positions {
                    let place = try #require(position["location"].string)
                    for condition in StockModel.conditions {
                        #expect(
                            position[condition].int == model.units(sku, place, condition),
                            "seed \(seed): \(sku) at \(place), \(condition)")
                    }
                }
                let sellable = positions.reduce(0) { $0 + max(0, $1["sellable"].int ?? 0) }
                let item = try client.availability([#"{"sku":"\#(sku)"}"#])[0]
                #expect(item["available"].int == sellable, "seed \(seed): \(sku)")
            }
        }
    }

    private final class Tally: Sendable {
        let accepted = Atomic<Int>(0)
        let cuts = Atomic<Int>(0)
    }

    /// Makes the calls of one connection, each until it is taken whole.
    private final class Sender: Sendable {
        private let here: TestService
        private let plan: [Call]
        private let tally: Tally
        private let seed: UInt64
        private let thread = Mutex<Platform.Thread?>(nil)

        init(_ here: TestService, _ plan: [Call], _ tally: Tally, _ seed: UInt64) {
            self.here = here
            self.plan = plan
            self.tally = tally
            self.seed = seed
        }

        func start() throws {
            var started: Platform.Thread? = try Platform.Thread.start(name: "sender") {
                do { try self.run() } catch { Issue.record("seed \(self.seed): \(error)") }
            }
            thread.withLock { $0 = started.take() }
        }

        func join() {
            let taken = thread.withLock { $0.take() }
            taken?.join()
        }

        private func run() throws {
            var client = try here.connect()
            for call in plan {
                for attempt in 0... {
                    try client.send(call.bytes)
                    let answer = try client.answer()
                    let report = try Document(reading: answer.body)
                    let accepted = report["accepted"].int ?? -1
                    let isCut = answer.status == 429
                    // Stock is taken again as often as it is sent; what counts is once.
                    if call.isRepeatable {
                        tally.accepted.wrappingAdd(accepted, ordering: .relaxed)
                    } else if !isCut {
                        tally.accepted.wrappingAdd(call.count, ordering: .relaxed)
                    }
                    if !isCut {
                        #expect(answer.status == 200, "seed \(seed): \(answer.text)")
                        #expect(
                            accepted + (report["duplicates"].int ?? -1) == call.count,
                            "seed \(seed): \(answer.text.prefix(300))")
                        break
                    }
                    tally.cuts.wrappingAdd(1, ordering: .relaxed)
                    #expect(report["code"].string == "busy")
                    #expect(
                        report["rejected"].list.allSatisfy { $0["code"].string == "busy" },
                        "seed \(seed)")
                    try #require(attempt < 2000, "seed \(seed): never taken")
                }
            }
        }
    }
}

/// One call of a history.
private struct Call {
    var bytes: [UInt8]
    /// Events or rows in it, repeats included.
    var count: Int
    /// Whether a repeat is recognised by ids.
    var isRepeatable: Bool

    static func random(
        _ id: String, _ random: inout Seeded, _ model: inout StockModel, time: Int
    ) -> Call {
        random.next() % 5 == 0
            ? stock(&random, &model, time: time) : events(id, &random, &model)
    }

    private static func events(
        _ id: String, _ random: inout Seeded, _ model: inout StockModel
    ) -> Call {
        var list: [String] = []
        for number in 0..<Int.random(in: 1...120, using: &random) {
            list.append(model.randomEvent("\(id)-\(number)", &random))
            if random.next() % 20 == 0, let repeated = list.randomElement(using: &random) {
                list.append(repeated)
            }
        }
        let isArray = random.next() % 2 == 0
        let body = isArray ? "[\(list.joined(separator: ","))]" : list.joined(separator: "\n")
        return Call(
            bytes: framed("POST", "/v1/events", "", Array(body.utf8), &random), count: list.count,
            isRepeatable: true)
    }

    private static func stock(
        _ random: inout Seeded, _ model: inout StockModel, time: Int
    ) -> Call {
        // Of a time of its own, to the millisecond, so that no two counts are of the same moment.
        let at = StockModel.start + 3_600_000 * time + 17
        var rows: [String] = []
        var taken = Set<String>()
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let (sku, place) = StockModel.position(&random)
            guard taken.insert("\(sku) \(place)").inserted else { continue }
            let units = (0..<4).map { _ in Int.random(in: 0...50, using: &random) }
            for (condition, count) in zip(StockModel.conditions, units) {
                model.note(sku, place, condition, count: count, at: at)
            }
            model.commandCount += 1
            rows.append("\(sku),\(place),\(units.map(String.init).joined(separator: ","))")
        }
        let header = "sku,location,\(StockModel.conditions.joined(separator: ","))\n"
        return Call(
            bytes: framed(
                "POST", "/v1/stock?as_of=\(at)", "Content-Type: text/csv\r\n",
                Array((header + rows.joined(separator: "\n")).utf8), &random), count: rows.count,
            isRepeatable: false)
    }

    /// By length or in chunks of some size.
    private static func framed(
        _ method: String, _ path: String, _ headers: String, _ body: [UInt8],
        _ random: inout Seeded
    ) -> [UInt8] {
        if random.next() % 3 > 0 { return request(method, path, headers: headers, body: body) }
        let size = Int.random(in: 1...2000, using: &random)
        return request(method, path, headers: headers + "Transfer-Encoding: chunked\r\n")
            + chunked(body, by: size)
    }
}

/// What stock is after a history, whatever the order in which it arrived.
private struct StockModel {
    static let conditions = ["sellable", "returned", "damaged", "blocked"]
    /// 2025-06-01, long ago for every clock.
    static let start = 1_748_736_000_000

    private struct Shelf {
        var moves: [(at: Int, delta: Int)] = []
        var count: (at: Int, units: Int)?
    }

    private var shelves: [String: Shelf] = [:]
    private(set) var skus = Set<String>()
    /// Commands that take effect once, or are recorded.
    var commandCount = 0

    static func position(_ random: inout Seeded) -> (sku: String, place: String) {
        ("A\(random.next() % 23)", "L\(random.next() % 5)")
    }

    mutating func note(
        _ sku: String, _ place: String, _ condition: String, delta: Int, at: Int
    ) {
        skus.insert(sku)
        shelves["\(sku) \(place) \(condition)", default: Shelf()].moves.append((at, delta))
    }

    mutating func note(
        _ sku: String, _ place: String, _ condition: String, count: Int, at: Int
    ) {
        skus.insert(sku)
        let key = "\(sku) \(place) \(condition)"
        if let last = shelves[key]?.count, last.at >= at { return }
        shelves[key, default: Shelf()].count = (at, count)
    }

    func units(_ sku: String, _ place: String, _ condition: String) -> Int {
        guard let shelf = shelves["\(sku) \(place) \(condition)"] else { return 0 }
        let from = shelf.count?.at ?? .min
        return shelf.moves.filter { $0.at > from }.reduce(shelf.count?.units ?? 0) { $0 + $1.delta }
    }

    /// An event that nobody has seen, noted; never of the millisecond of a count.
    mutating func randomEvent(_ id: String, _ random: inout Seeded) -> String {
        let (sku, place) = Self.position(&random)
        commandCount += 1
        let hour = Int.random(in: 0..<48, using: &random)
        // Counts have milliseconds of their own.
        let isCount = random.next() % 12 == 0
        let at =
            Self.start + 3_600_000 * hour + Int.random(in: 100..<1_700_000, using: &random) * 2
            + (isCount ? 1 : 0)
        let units = Int.random(in: 1...9, using: &random)
        let condition = Self.conditions.randomElement(using: &random) ?? "sellable"
        var kind = "count"
        var more = #","at":\#(at)"#
        if isCount {
            more += #","to":"\#(condition)""#
            note(sku, place, condition, count: units, at: at)
            return event(id, kind, sku, place, units, more)
        }
        switch random.next() % 7 {
        case 0:
            kind = "sale"
            note(sku, place, "sellable", delta: -units, at: at)
        case 1:
            kind = "receipt"
            more += #","to":"\#(condition)""#
            note(sku, place, condition, delta: units, at: at)
        case 2:
            kind = "return"
            note(sku, place, "returned", delta: units, at: at)
        case 3:
            kind = "write_off"
            more += #","from":"\#(condition)""#
            note(sku, place, condition, delta: -units, at: at)
        case 4:
            kind = "move"
            let other = condition == "sellable" ? "blocked" : "sellable"
            more += #","from":"\#(condition)","to":"\#(other)""#
            note(sku, place, condition, delta: -units, at: at)
            note(sku, place, other, delta: units, at: at)
        case 5:
            kind = "transfer"
            let there = "L\((Int(place.dropFirst()) ?? 0) + 5)"
            more += #","to_location":"\#(there)""#
            note(sku, place, "sellable", delta: -units, at: at)
            note(sku, there, "sellable", delta: units, at: at)
        default:
            kind = "adjust"
            note(sku, place, "sellable", delta: units - 5, at: at)
            return event(id, kind, sku, place, units - 5, more)
        }
        return event(id, kind, sku, place, units, more)
    }
}
