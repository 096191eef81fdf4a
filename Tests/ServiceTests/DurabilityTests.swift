import Bytes
import Engine
import Foundation
import Journal
import Platform
import Service
import Snapshot
import Testing

/// A data directory of its own, and services that live in it one after the other.
private final class DataFolder {
    let path: String
    /// For the services to come.
    var durability = Durability.sync
    var snapshotByteCount: UInt64 = 1 << 30

    init() throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("holdfast-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Small segments: every test prepares two of them.
    func configuration(
        _ change: (inout ServiceConfiguration) -> Void = { _ in }
    ) -> ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.address = .loopback(port: 0)
        configuration.reactorCount = 2
        configuration.limits.tickMilliseconds = 20
        var data = DataConfiguration(path: path)
        data.shardCount = 4
        data.segmentByteCount = 8 << 20
        data.ballastByteCount = 1 << 20
        data.snapshots.every = 0
        data.snapshots.journalByteCount = snapshotByteCount
        data.durability = durability
        configuration.data = data
        change(&configuration)
        return configuration
    }

    /// Runs `body` beside a service that is loaded, then ends it, with a last snapshot or without.
    func serve(
        snapshotting: Bool = true, _ body: (TestService, RecoverySummary) throws -> Void
    ) throws {
        let service = try HoldfastService(configuration())
        try service.start()
        let summary = try service.load()
        defer {
            service.drain()
            service.join()
            _ = service.close { snapshotting }
        }
        try body(TestService(service: service), summary)
    }

    func refusal(_ change: (inout ServiceConfiguration) -> Void = { _ in }) -> String {
        do {
            let service = try HoldfastService(configuration(change))
            _ = try service.load()
            return ""
        } catch { return "\(error)" }
    }

    func flipBit(of file: String, at offset: Int) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/" + file))
        bytes[offset] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path + "/" + file))
    }
}

@Suite struct DurabilityTests {
    private let folder: DataFolder

    init() throws { folder = try DataFolder() }

    /// Something of every kind that is kept.
    private func fill(_ client: inout Client) throws -> String {
        _ = try client.call(
            "PUT", "/v1/locations", #"[{"location":"DC1","groups":["west"]},{"location":"S1"}]"#)
        _ = try client.call("PUT", "/v1/items", #"{"sku":"A1","category":"shoes","name":"Boot"}"#)
        _ = try client.call(
            "PUT", "/v1/rules", #"{"safety_stock":[{"id":"s","scope":{},"units":2}]}"#)
        try client.put(stock: ["A1,DC1,20", "B1,S1,7"])
        let answer = try client.post(events: [
            event("1", "sale", "A1", "DC1", 3), event("2", "receipt", "C1", "NEW", 4),
        ])
        #expect(answer["accepted"].int == 2)
        return try #require(answer["mark"].string)
    }

    private func check(_ client: inout Client) throws {
        #expect(try client.position("A1", "DC1")["sellable"].int == 17)
        #expect(try client.position("A1", "DC1")["available"].int == 15)
        #expect(try client.position("C1", "NEW")["available"].int == 2)
        #expect(try client.call("GET", "/v1/items/A1")["name"].string == "Boot")
        #expect(try client.call("GET", "/v1/items/A1")["category"].string == "shoes")
        let repeated = try client.post(events: [
            event("1", "sale", "A1", "DC1", 3), event("2", "receipt", "C1", "NEW", 5),
        ])
        #expect(repeated["duplicates"].int == 1)
        #expect(rejections(repeated) == ["1 id_conflict"])
    }

    @Test(arguments: [Durability.sync, .interval(milliseconds: 20), .none])
    func `what was acknowledged is there after a restart`(durability: Durability) throws {
        var mark = ""
        var tags: [String?] = []
        folder.durability = durability
        try folder.serve { here, summary in
            #expect(summary.snapshot == nil && summary.frameCount == 0)
            var client = try here.connect()
            mark = try fill(&client)
            #expect(try client.call("GET", "/healthz")["durability"].string == "\(durability)")
            for path in ["/v1/rules", "/v1/locations", "/v1/items"] {
                tags.append(header("etag", of: try client.ask("GET", path)))
            }
        }
        try folder.serve { here, summary in
            #expect(summary.snapshot?.positions == 3, "one is taken at the end")
            #expect(summary.frameCount == 0)
            var client = try here.connect()
            try check(&client)
            var found: [String?] = []
            for path in ["/v1/rules", "/v1/locations", "/v1/items"] {
                found.append(header("etag", of: try client.ask("GET", path)))
            }
            #expect(found == tags)
            let body = #"{"items":[{"sku":"A1"}],"after":"\#(mark)"}"#
            #expect(
                try client.call("POST", "/v1/availability", body)["items"][0]["available"].int
                    == 15)
        }
    }

    @Test(arguments: [false, true])
    func `what stands aside, and what was discarded, is known after a restart`(
        snapshotting: Bool
    ) throws {
        func late(_ id: String) -> String {
            event(id, "count", "A1", "DC1", 1, #","at":"2020-01-01T00:00:00Z""#)
        }
        func letters(_ client: inout Client) throws -> [String: String] {
            let lines = try client.ask("GET", "/v1/dead-letters").text.split(separator: "\n")
            let letters = try lines.map { try Document(reading: Array($0.utf8)) }
            return Dictionary(
                uniqueKeysWithValues: letters.map {
                    ($0["event"]["id"].string ?? "?", $0["id"].string ?? "?")
                })
        }
        var before: [String: String] = [:]
        try folder.serve(snapshotting: snapshotting) { here, _ in
            var client = try here.connect()
            _ = try client.post(events: [event("1", "receipt", "A1", "DC1", 5)])
            let answer = try client.post(events: [late("a"), late("b"), late("c")])
            #expect(answer["parked"].int == 3)
            before = try letters(&client)
            for id in ["a", "c"] {
                let removed = before.removeValue(forKey: id)
                let letter = try #require(removed)
                _ = try client.call("DELETE", "/v1/dead-letters/\(letter)")
            }
        }
        try folder.serve(snapshotting: snapshotting) { here, _ in
            var client = try here.connect()
            #expect(try letters(&client) == before)
            let again = try client.post(events: [late("a"), late("b"), late("c")])
            #expect(again["duplicates"].int == 2 && again["parked"].int == 1)
            #expect(try letters(&client) == before)
            // The numbers of those that were discarded are not given again.
            _ = try client.post(events: [late("d")])
            #expect(try letters(&client)["d"]?.hasSuffix("-4") == true)
            let letter = try #require(before["b"])
            let retried = try client.call("POST", "/v1/dead-letters/\(letter)/retry")
            #expect(retried["parked"].int == 1)
        }
    }

    @Test func `without a last snapshot the journal alone brings everything back`() throws {
        try folder.serve(snapshotting: false) { here, _ in
            var client = try here.connect()
            _ = try fill(&client)
        }
        for _ in 0..<2 {
            try folder.serve(snapshotting: false) { here, summary in
                #expect(summary.snapshot == nil)
                #expect(summary.factCount > 0)
                var client = try here.connect()
                try check(&client)
            }
        }
    }

    @Test func `snapshots are taken on request, listed, and passed over when damaged`() throws {
        try folder.serve(snapshotting: false) { here, _ in
            var client = try here.connect()
            let first = try client.call("POST", "/v1/snapshots", expecting: 201)
            #expect(first["number"].int == 1 && first["positions"].int == 0)
            _ = try fill(&client)
            let second = try client.call("POST", "/v1/snapshots", expecting: 201)
            #expect(second["number"].int == 2 && second["positions"].int == 3)
            try client.put(stock: ["B1,S1,9"])
            let listed = try client.call("GET", "/v1/snapshots")["snapshots"].list
            #expect(listed.map { $0["number"].int } == [2, 1])
        }
        try folder.serve(snapshotting: false) { here, summary in
            #expect(summary.snapshot?.number == 2)
            var client = try here.connect()
            try check(&client)
            #expect(try client.position("B1", "S1")["sellable"].int == 9)
        }
        try folder.flipBit(of: "snapshots/2/master/facts.bin", at: 5)
        try folder.serve(snapshotting: false) { here, summary in
            #expect(summary.snapshot?.number == 1)
            #expect(summary.passedOver.map(\.number) == [2])
            var client = try here.connect()
            try check(&client)
            #expect(try client.position("B1", "S1")["sellable"].int == 9)
        }
    }

    @Test func `snapshots by volume let the journal go, and starts still find everything`() throws {
        folder.snapshotByteCount = 1 << 20
        try folder.serve { here, _ in
            var client = try here.connect()
            _ = try fill(&client)
            for round in 0..<40 {
                // About 400 KB of facts a round: items have names of their own each time.
                let name = String(repeating: "x", count: 1000)
                let lines = (0..<400).map {
                    #"{"sku":"I\#($0)","category":"c","name":"\#(round) \#(name)"}"#
                }
                _ = try client.call("PUT", "/v1/items", lines.joined(separator: "\n"))
            }
            let isTrimmed = try here.eventually {
                try !FileManager.default.contentsOfDirectory(atPath: folder.path + "/journal")
                    .contains("0000000000000000.journal")
            }
            #expect(isTrimmed)
        }
        try folder.serve { here, _ in
            var client = try here.connect()
            try check(&client)
            let name = try client.call("GET", "/v1/items/I7")["name"].string
            #expect(name?.hasPrefix("39 xxx") == true)
        }
    }

    @Test func `until all is loaded calls are refused, and health says why`() throws {
        let service = try HoldfastService(folder.configuration())
        try service.start()
        defer {
            service.drain()
            service.join()
            _ = service.close()
        }
        var client = try TestService(service: service).connect()
        let refused = try client.call("GET", "/v1/positions/A", expecting: 503)
        #expect(refused["code"].string == "starting")
        #expect(try client.call("GET", "/readyz", expecting: 503)["status"].string == "starting")
        #expect(try client.call("GET", "/healthz")["reads"].bool == false)
        _ = try service.load()
        let isReady = try TestService(service: service).eventually {
            try client.ask("GET", "/readyz").status == 200
        }
        #expect(isReady)
        #expect(try client.call("GET", "/v1/positions/A", expecting: 404)["code"].string != nil)
    }

    @Test func `a directory that cannot be served says why`() throws {
        try folder.serve { here, _ in
            var client = try here.connect()
            _ = try fill(&client)
            #expect(folder.refusal().hasSuffix("is in use by another process"))
        }
        let otherCount = folder.refusal { $0.data?.shardCount = 8 }
        #expect(otherCount.contains("has 4 shards, not 8"))
        let noFolder = folder.refusal { $0.data?.path = "/dev/null/d" }
        #expect(noFolder.contains("/dev/null"))

        try folder.flipBit(of: "key", at: 100)
        #expect(folder.refusal().contains("key is damaged"))
        try folder.flipBit(of: "key", at: 100)

        let description = folder.path + "/holdfast.json"
        let text = try String(contentsOfFile: description, encoding: .utf8)
        try text.replacing("\"format\" : 1", with: "\"format\" : 2")
            .write(toFile: description, atomically: true, encoding: .utf8)
        #expect(folder.refusal().contains("written by a newer version (format 2"))
        try FileManager.default.removeItem(atPath: description)
        #expect(folder.refusal().contains("no holdfast.json"))
        try text.write(toFile: description, atomically: true, encoding: .utf8)
        #expect(folder.refusal() == "")
    }

    @Test func `damage in the journal stops the start with its place`() throws {
        try folder.serve(snapshotting: false) { here, _ in
            var client = try here.connect()
            _ = try fill(&client)
            try client.put(stock: ["B1,S1,9"])
        }
        // In the first frames, behind the mark of the segment: later marks vouch for them.
        try folder.flipBit(of: "journal/0000000000000000.journal", at: 1000)
        let refusal = folder.refusal()
        #expect(refusal.contains("0000000000000000.journal, offset"))
        #expect(refusal.contains("a frame that was durable is damaged"))
    }

    @Test func `without a data directory there are no snapshots`() throws {
        try withService { here in
            var client = try here.connect()
            for method in ["GET", "POST"] {
                let problem = try client.call(method, "/v1/snapshots", expecting: 409)
                #expect(problem["code"].string == "memory_only")
            }
        }
    }
}
