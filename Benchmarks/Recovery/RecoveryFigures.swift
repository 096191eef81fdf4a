// A start after a kill: a snapshot of all positions and as many events behind it, up to ten million.
//
// By the clock, on all processors.

import Client
import Foundation
import HTTP
import Platform

extension Benchmark {
    func measureRecovery(_ positionCount: Int) throws {
        let layout = Layout(positionCount: positionCount, .full)
        let eventCount = min(positionCount, 10_000_000) / Self.eventsPerRequest
        let folder = NSTemporaryDirectory() + "holdfast-bench-recovery-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let words = ["service", "--reactors", "\(Machine.processorCount)", "--data", folder]
        let first = try ServerProcess(words)
        try load(layout, into: first.address)
        var client = HTTPClient(ServerURL(first.address))
        _ = try client.call(ClientRequest("POST", "/v1/snapshots"))
        try sendEvents(eventCount, layout, to: first.address)
        first.kill()

        var figures: [[Double]] = [[], [], [], []]
        for _ in 0..<options.repeatCount {
            let again = try ServerProcess(words)
            let numbers = again.report.compactMap { Double($0) }
            guard numbers.count == 4 else { throw UsageError("a start reported nothing") }
            check(
                Int(numbers[3]) >= eventCount * Self.eventsPerRequest,
                "a start replayed less than was sent")
            figures[0].append(numbers[0] / 1000)
            figures[1].append(Double(positionCount) * 1000 / max(1, numbers[1]))
            figures[2].append(numbers[3] * 1000 / max(1, numbers[2]))
            figures[3].append(Double(again.residentByteCount) / Double(1 << 30))
            again.kill()
        }
        let shape = "and \(scaled(Double(eventCount * Self.eventsPerRequest))) events behind"
        for (values, (name, unit, goal)) in zip(
            figures,
            [
                ("start", "s", positionCount == 10_000_000 ? "<= 5" : nil),
                ("start load", "positions/s", ">= 10M"), ("start replay", "facts/s", ">= 4M"),
                ("start memory", "GiB", positionCount == 100_000_000 ? "<= 5.5" : nil),
            ])
        {
            report.add(
                Figure(
                    name, positions: positionCount, shape: shape, unit: unit, Spread(values),
                    checksum: 0, goal: goal))
        }
    }

    private static let eventsPerRequest = 1000

    /// Sends events that were never sent before, `requestCount` requests of them.
    private func sendEvents(
        _ requestCount: Int, _ layout: Layout, to address: Address
    ) throws {
        var loop = try LoadLoop(address, connections: 1, pipeline: 1)
        // As many at once as fit the memory easily.
        let roundCount = 1000
        for first in stride(from: 0, to: requestCount, by: roundCount) {
            let requests = Self.eventRequests(
                min(roundCount, requestCount - first), eventCount: Self.eventsPerRequest,
                round: first, skus: layout.skuCount, locations: Layout.locationCount)
            for request in requests { try loop.runOnce(request) }
        }
    }
}
