// What durability costs: events over HTTP into a service with a data directory, beside one without and
// beside the disk.
//
// Unlike the other HTTP figures these are by the clock: a durable answer waits for the device.

import Bytes
import Client
import Foundation
import HTTP
import Journal
import Platform

extension Benchmark {
    func measureDurable() throws {
        let folder = NSTemporaryDirectory() + "holdfast-bench-durable-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let durable = try ServerProcess(["service", "--reactors", "2", "--data", folder])
        let memory = try ServerProcess(["service", "--reactors", "2"])
        try measureStream(durable, memory, folder)
        try measureLoneWrites(durable, memory, folder)
    }

    /// 50 connections, 1,000 events a request.
    private func measureStream(
        _ durable: ServerProcess, _ memory: ServerProcess, _ folder: String
    ) throws {
        let eventCount = options.isSmoke ? 20 : 1000
        let stride = 16
        var durableLoop = try LoadLoop(
            durable.address, connections: 50, pipeline: 1, stride: stride)
        var memoryLoop = try LoadLoop(
            memory.address, connections: 50, pipeline: 1, stride: stride)
        var rates: [Double] = []
        var bounds: [Double] = []
        var disk: [Double] = []
        let bytesBefore = try journalByteCount(durable)
        var accepted = 0
        for round in 0...options.repeatCount {
            let deck = RequestDeck(
                Self.eventRequests(50 * stride, eventCount: eventCount, round: round))
            let bare = try eventRate(&memoryLoop, deck, eventCount)
            let found = try eventRate(&durableLoop, deck, eventCount)
            accepted += found.events
            if round == 0 { continue }
            bounds.append(bare.rate)
            rates.append(found.rate)
            disk.append(try diskRate(folder))
        }
        let bytes = Double(try journalByteCount(durable) - bytesBefore) / Double(max(1, accepted))
        report.add(
            Figure(
                "durable", positions: 0, shape: "50 connections, \(eventCount) events a request",
                unit: "events/s", roofline: "the same in memory only",
                Comparison(
                    figure: Spread(rates), roofline: Spread(bounds),
                    ratio: Spread(zip(rates, bounds).map { $0 / $1 }), checksum: 0)))
        report.add(
            Figure(
                "durable", positions: 0, shape: "the same, \(Int(bytes)) B of journal an event",
                unit: "events/s", roofline: "the disk's writes of those bytes",
                Comparison(
                    figure: Spread(rates), roofline: Spread(disk.map { $0 / bytes }),
                    ratio: Spread(zip(rates, disk).map { $0 / ($1 / bytes) }), checksum: 0)))
    }

    /// One connection, one event a request: what the wait for the device adds.
    ///
    /// Each event to the service with a journal is followed by a bare write and sync, and by an event
    /// to the one without: processors and device have rested as long before one as before the other.
    private func measureLoneWrites(
        _ durable: ServerProcess, _ memory: ServerProcess, _ folder: String
    ) throws {
        let count = options.isSmoke ? 20 : 400
        var durableLoop = try LoadLoop(durable.address, connections: 1, pipeline: 1)
        var memoryLoop = try LoadLoop(memory.address, connections: 1, pipeline: 1)
        let before = try journalByteCount(durable)
        let first = Self.eventRequests(count, eventCount: 1, round: 1000)
        for request in first { try durableLoop.runOnce(request) }
        let byteCount = (try journalByteCount(durable) - before) / count
        var added: [Double] = []
        var syncs: [Double] = []
        for round in 0...options.repeatCount {
            let file = try BareFile(folder, pieces: count, byteCount: byteCount)
            var bare: [Double] = []
            var found: [Double] = []
            var synced: [Double] = []
            let requests = Self.eventRequests(count, eventCount: 1, round: 1001 + round)
            for (piece, request) in requests.enumerated() {
                bare.append(try microseconds { try memoryLoop.runOnce(request) })
                found.append(try microseconds { try durableLoop.runOnce(request) })
                synced.append(try microseconds { try file.write(piece) })
            }
            if round == 0 { continue }
            added.append(Spread(found).median - Spread(bare).median)
            syncs.append(Spread(synced).median)
        }
        report.add(
            Figure(
                "durable", positions: 0, shape: "added to one event alone", unit: "µs",
                roofline: "a write and fdatasync of \(byteCount) B in turns with it",
                Comparison(
                    figure: Spread(added), roofline: Spread(syncs),
                    ratio: Spread(zip(added, syncs).map { $0 / $1 }), checksum: 0)))
        report.note("added to one event alone: medians of \(count) in turns; want ratio <= 1.3")
    }

    private func microseconds(_ body: () throws -> Void) throws -> Double {
        let start = Clock.monotonicNanoseconds
        try body()
        return Double(Clock.monotonicNanoseconds - start) / 1e3
    }

    private func eventRate(
        _ loop: inout LoadLoop, _ deck: borrowing RequestDeck, _ eventCount: Int
    ) throws -> (rate: Double, events: Int) {
        let result = try loop.run(deck, milliseconds: options.isSmoke ? 50 : 1000)
        check(result.failures == 0, "an answer was no 200")
        let events = result.answers * eventCount
        return (Double(events) * 1e9 / Double(result.nanoseconds), events)
    }

    /// Requests of one length with events that were never sent before.
    static func eventRequests(
        _ count: Int, eventCount: Int, round: Int, skus: Int = 100_000, locations: Int = 20
    ) -> [[UInt8]] {
        var random = SplitMix(seed: seed &+ UInt64(round))
        return (0..<count).map { request in
            var body = ByteBuffer()
            for event in 0..<eventCount {
                body.append("{\"id\":\"\(1_000_000 + round)-")
                body.append(padded: request * eventCount + event, width: 8)
                body.append("\",\"kind\":\"receipt\",\"sku\":\"SKU-")
                body.append(padded: random.below(skus), width: 7)
                body.append("\",\"location\":\"S")
                body.append(padded: random.below(locations), width: 3)
                body.append("\",\"qty\":1,\"at\":1795000000000}\n")
            }
            var bytes = ByteBuffer()
            bytes.append(
                "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    + "Content-Type: application/x-ndjson\r\nContent-Length: \(body.count)\r\n\r\n")
            bytes.append(contentsOf: body)
            return bytes.span.array
        }
    }

    // MARK: - The disk

    /// Bytes a second, written and synced a megabyte at a time over space that is there.
    private func diskRate(_ folder: String) throws -> Double {
        let count = options.isSmoke ? 2 : 48
        let file = try BareFile(folder, pieces: count, byteCount: 1 << 20)
        let microseconds = try microseconds {
            for piece in 0..<count { try file.write(piece) }
        }
        return Double(count << 20) * 1e6 / microseconds
    }

    private func journalByteCount(_ service: ServerProcess) throws -> Int {
        var client = HTTPClient(ServerURL(service.address))
        _ = try client.call(ClientRequest("GET", "/metrics"))
        let text = client.body.span.text
        for line in text.split(separator: "\n")
        where line.hasPrefix("holdfast_journal_durable_bytes ") {
            return Int(line.split(separator: " ")[1]) ?? 0
        }
        throw UsageError("the service does not tell how long its journal is")
    }
}

/// A file as a segment of the journal is, and written as one: prepared with bytes on the device, then
/// one write and one sync for each piece.
private struct BareFile: ~Copyable {
    private let storage: FileStorage
    private let file: FileNumber
    private let room: Region
    private let byteCount: Int

    init(_ folder: String, pieces: Int, byteCount: Int) throws {
        let place = folder + "/bare"
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true)
        let storage = FileStorage(folder: place)
        let room = try Region(byteCount: byteCount)
        let file = try storage.create(.ballast, byteCount: pieces * byteCount)
        for piece in 0..<pieces {
            try storage.writeAll(file, at: piece * byteCount, room, 0..<byteCount)
        }
        try storage.sync(file)
        try storage.syncDirectory()
        self.storage = storage
        self.file = file
        self.room = room
        self.byteCount = byteCount
    }

    deinit { storage.close(file) }

    func write(_ piece: Int) throws {
        try storage.writeAll(file, at: piece * byteCount, room, 0..<byteCount)
        try storage.sync(file)
    }
}
