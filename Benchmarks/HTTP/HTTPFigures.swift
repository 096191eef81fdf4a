// What HTTP adds: the service beside a bare epoll loop that moves the same bytes.
//
// Server and client run on a processor each. A rate is answers per second of the server's processor
// time, all its threads and the kernel's work for them, so that a client that cannot keep up with
// the simpler server does not hide the difference.

import Bytes
import Engine
import Foundation
import HTTP
import Platform
import Service

/// The service for measuring, in a child process: one reactor on one processor, or several wherever
/// they run.
enum MeasuredService {
    static func run(_ words: ArraySlice<String>) throws {
        var rest = Arguments(words)
        var configuration = ServiceConfiguration()
        configuration.address = .loopback(port: 0)
        configuration.reactorCount = 1
        while let option = rest.next() {
            switch option {
            case "--processor":
                // Threads started from here stay there.
                try Thread.pinCurrent(to: try rest.number(of: option))
            case "--reactors": configuration.reactorCount = try rest.number(of: option)
            case "--shared": configuration.scheme = .shared
            case "--data": configuration.data = DataConfiguration(path: try rest.value(of: option))
            default: throw UsageError("unknown option \(option)")
            }
        }
        let service = try HoldfastService(configuration)
        try service.start()
        let start = Clock.monotonicNanoseconds
        let loaded = try service.load()
        let all = (Clock.monotonicNanoseconds - start) / 1_000_000
        let report =
            "\(all) \(loaded.snapshotMilliseconds) \(loaded.replayMilliseconds) \(loaded.factCount)"
        try FileHandle.standardOutput.write(
            contentsOf: Data("\(report) \(service.address)\n".utf8))
        service.join()
    }
}

extension Benchmark {
    /// One kind of request.
    private struct Work {
        var name: String
        var itemCount: Int
        var pipeline: Int
        var goal: Double
    }

    func measureHTTP() throws {
        let layout = Layout(positionCount: options.isSmoke ? 20_000 : 1_000_000, .full)
        let service = try ServerProcess(["service", "--processor", "\(options.processor)"])
        try Thread.pinCurrent(to: otherProcessor ?? options.processor)
        defer { try? Thread.pinCurrent(to: options.processor) }
        try load(layout, into: service.address)
        for work in [
            Work(name: "http 1", itemCount: 1, pipeline: 1, goal: 0.85),
            Work(name: "http 20", itemCount: 20, pipeline: 1, goal: 0.5),
            Work(name: "http 1 x16", itemCount: 1, pipeline: 16, goal: 0.5),
        ] {
            try measure(work, layout, service)
        }
    }

    private func measure(_ work: Work, _ layout: Layout, _ service: ServerProcess) throws {
        let deck = RequestDeck(requests(work.itemCount, layout))
        var loop = try LoadLoop(service.address, connections: 50, pipeline: work.pipeline)
        let first = try loop.run(deck, milliseconds: options.isSmoke ? 50 : 500)
        check(first.failures == 0 && first.answers > 0, "an answer was no 200")
        // The bare loop moves as many bytes an answer as the service does on the average.
        let answerByteCount = first.answerByteCount / first.answers
        let responder = try ServerProcess([
            "responder", "--port", "0", "--bytes", "\(answerByteCount)", "--request-bytes",
            "\(deck.requestByteCount)", "--processor", "\(options.processor)",
        ])
        var bareLoop = try LoadLoop(responder.address, connections: 50, pipeline: work.pipeline)
        var rates: [Double] = []
        var bounds: [Double] = []
        for round in 0...options.repeatCount {
            let bound = try rate(responder, &bareLoop, deck)
            let found = try rate(service, &loop, deck)
            if round == 0 { continue }
            bounds.append(bound)
            rates.append(found)
        }
        report.add(
            Figure(
                work.name, positions: layout.positionCount,
                shape: "\(deck.requestByteCount) B in, \(answerByteCount) B out",
                unit: "answers/cpu s", roofline: "epoll",
                Comparison(
                    figure: Spread(rates), roofline: Spread(bounds),
                    ratio: Spread(zip(rates, bounds).map { $0 / $1 }), checksum: 0),
                goal: work.goal))
    }

    private func rate(
        _ server: ServerProcess, _ loop: inout LoadLoop, _ deck: borrowing RequestDeck
    ) throws -> Double {
        let before = server.processorNanoseconds
        let result = try loop.run(deck, milliseconds: options.isSmoke ? 50 : 1500)
        let used = server.processorNanoseconds - before
        check(result.failures == 0, "an answer was no 200")
        return Double(result.answers) * 1e9 / Double(max(1, used))
    }

    /// Requests for random positions, all of one length.
    private func requests(_ itemCount: Int, _ layout: Layout) -> [[UInt8]] {
        var random = SplitMix(seed: Self.seed)
        return (0..<2000).map { _ in
            let items = (0..<itemCount).map { _ in
                let sku = String(format: "SKU-%07d", random.below(layout.skuCount))
                let location = String(format: "S%03d", random.below(Layout.locationCount))
                return "{\"sku\":\"\(sku)\",\"locations\":[\"\(location)\"]}"
            }
            let body = "{\"channel\":\"web\",\"items\":[\(items.joined(separator: ","))]}"
            let head =
                "POST /v1/availability HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            return Array((head + body).utf8)
        }
    }

    func load(_ layout: Layout, into address: Address) throws {
        var loop = try LoadLoop(address, connections: 1, pipeline: 1)
        let skusPerCall = 2000
        for first in stride(from: 0, to: layout.skuCount, by: skusPerCall) {
            var body = "sku,location,sellable\n"
            for sku in first..<min(first + skusPerCall, layout.skuCount) {
                let name = String(format: "SKU-%07d", sku)
                for location in 0..<Layout.locationCount {
                    body += name + ",S"
                    body += String(1000 + location).dropFirst()
                    body += ",\(layout.units(sku, UInt16(location)))\n"
                }
            }
            let head =
                "POST /v1/stock?mode=upsert HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                + "Content-Type: text/csv\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            try loop.runOnce(Array((head + body).utf8))
        }
    }
}
