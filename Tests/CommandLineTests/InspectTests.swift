import Foundation
import Journal
import Service
import Testing

@testable import holdfast

@Suite(.serialized, .timeLimit(.minutes(3))) struct InspectTests {
    private let data: DataFolder

    init() throws { data = try DataFolder() }

    private func fillAndEnd(snapshotting: Bool) throws {
        try data.serve(snapshotting: snapshotting) { url, _ in try fill(url) }
    }

    private func journal(_ report: [String: Any]) throws -> [String: Any] {
        try #require(report["journal"] as? [String: Any])
    }

    @Test func `what a directory holds is told, and nothing in it changes`() throws {
        try fillAndEnd(snapshotting: true)
        let before = try data.contents()
        let report = try data.inspection()
        #expect(try data.contents() == before)
        #expect(report["whole"] as? Bool == true)
        #expect(report["in_use"] as? Bool == false)
        #expect(report["shards"] as? Int == 4)
        let snapshots = try #require(report["snapshots"] as? [[String: Any]])
        #expect(snapshots.map { $0["number"] as? Int } == [1])
        #expect(snapshots[0]["positions"] as? Int == 6)
        let journal = try journal(report)
        #expect((journal["segments"] as? [Any])?.count == 2)
        #expect(journal["generations"] as? [Int] == [1, 1])
        let end = try #require(journal["end"] as? [String: Any])
        #expect(end["closed"] as? Bool == true)
        #expect(end["torn_bytes"] as? Int == 0)

        let streams = try #require(journal["streams"] as? [[String: Any]])
        #expect(
            streams.map { $0["stream"] as? String } == ["0", "1", "2", "3", "control", "marks"])
        let last = streams.compactMap { $0["last"] as? Int }
        #expect(snapshots[0]["sequences"] as? [Int] == Array(last.prefix(5)))

        let text = run("inspect", data.path)
        #expect(text.status == 0 && text.errors == "")
        #expect(text.output.contains("all is whole\n"))
        #expect(text.output.contains("end: closed in order\n"))
    }

    @Test func `a torn tail is no damage`() throws {
        try fillAndEnd(snapshotting: false)
        let end = try #require(journal(data.inspection())["end"] as? [String: Any])
        let offset = try #require(end["offset"] as? Int)
        try data.flipBit(of: "journal/0000000000000000.journal", at: offset + 4000)
        let torn = try #require(journal(data.inspection())["end"] as? [String: Any])
        #expect(torn["torn_bytes"] as? Int == 8)
        #expect(torn["closed"] as? Bool == false)
        #expect(run("inspect", data.path).output.contains("end: torn: 8 bytes behind the end"))
    }

    @Test func `damage in the journal has a place, a sequence and a remedy`() throws {
        try fillAndEnd(snapshotting: false)
        let place = try data.place(ofFrame: 2, of: StreamNumber.control)
        try data.flipBit(of: "journal/0000000000000000.journal", at: place)
        let before = try data.contents()
        let report = try data.inspection(expecting: 1)
        let problem = try #require(journal(report)["problem"] as? [String: Any])
        #expect(problem["segment"] as? Int == 0)
        let offset = place - FrameHeader.byteCount
        #expect(problem["offset"] as? Int == offset)
        #expect(problem["stream"] as? String == "control")
        #expect(problem["sequence"] as? Int == 2)
        let text = run("inspect", data.path)
        #expect(text.status == 1)
        #expect(
            text.output.contains("DAMAGED: 0000000000000000.journal, offset \(offset): a frame"))
        #expect(text.output.contains("--salvage --to OUT"))
        #expect(try data.contents() == before)
    }

    @Test func `every damaged file of a snapshot is listed`() throws {
        try fillAndEnd(snapshotting: true)
        try data.flipBit(of: "snapshots/1/master/facts.bin", at: 5)
        try FileManager.default.removeItem(atPath: data.path + "/snapshots/1/skus/2.parquet")
        let report = try data.inspection(expecting: 1)
        let snapshots = try #require(report["snapshots"] as? [[String: Any]])
        #expect(
            snapshots[0]["problems"] as? [String] == [
                "skus/2.parquet: is missing",
                "master/facts.bin: has not the bytes that were written",
            ])
        #expect(report["mismatch"] is NSNull, "the journal has everything")
    }

    @Test func `a flipped bit anywhere in what was durable is found`() throws {
        try fillAndEnd(snapshotting: true)
        let end = try #require(journal(data.inspection())["end"] as? [String: Any])
        let offset = try #require(end["offset"] as? Int)
        // The closing mark is the last frame: nothing vouches for it, so without it is a torn tail.
        for place in stride(from: 8, to: offset - 200, by: 1013) {
            try data.flipBit(of: "journal/0000000000000000.journal", at: place)
            #expect(run("inspect", data.path).status == 1, "bit at \(place)")
            try data.flipBit(of: "journal/0000000000000000.journal", at: place)
        }
        #expect(run("inspect", data.path).status == 0)
    }

    @Test func `the directory of a running service is inspected beside it`() throws {
        try data.serve { url, _ in
            try fill(url)
            let report = try data.inspection()
            #expect(report["in_use"] as? Bool == true)
            #expect(run("inspect", data.path).output.contains("in use by a process"))
            // And it goes on undisturbed.
            try call(
                url, "POST", "/v1/stock", "sku,location,sellable\nE1,DC1,1\n",
                contentType: "text/csv")
        }
        #expect(try data.inspection()["in_use"] as? Bool == false)
    }

    @Test func `facts are lines with names`() throws {
        try fillAndEnd(snapshotting: true)
        let all = run("inspect", data.path, "--facts")
        #expect(all.status == 0 && all.errors == "")
        var lines: [[String: Any]] = []
        for line in all.output.split(separator: "\n") {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            lines.append(try #require(object as? [String: Any]))
        }
        for line in lines { #expect(line["sequence"] is Int && line["time"] is String) }
        let sale = try #require(
            lines.first { $0["fact"] as? String == "moved" && $0["delta"] as? Int == -3 })
        #expect(sale["sku"] as? String == "A1" && sale["location"] as? String == "DC1")
        #expect(sale["condition"] as? String == "sellable")
        let named = lines.filter { $0["fact"] as? String == "named" }
        #expect(named.compactMap { $0["location"] as? String } == ["DC1", "S,1", "NEW"])
        #expect(named.compactMap { $0["category"] as? String } == ["shoes"])
        let item = try #require(lines.first { $0["fact"] as? String == "categorised" })
        #expect(item["category"] as? String == "shoes" && item["name"] as? String == "Boot \"x\"")
        let rules = try #require(lines.first { $0["fact"] as? String == "rules" })
        #expect((rules["document"] as? [String: Any])?["safety_stock"] is [Any])
        #expect(lines.filter { $0["fact"] as? String == "marker" }.count == 4)

        let control = run("inspect", data.path, "--facts", "--stream", "control")
        #expect(!control.output.isEmpty)
        #expect(
            control.output.split(separator: "\n").allSatisfy {
                $0.hasPrefix("{\"stream\":\"control\"")
            })
        let later = run("inspect", data.path, "--facts", "--stream", "control", "--from", "3")
        #expect(control.output.hasSuffix(later.output) && later.output.count < control.output.count)
    }

    @Test(arguments: [
        (["inspect"], "inspect takes one data directory"),
        (["inspect", "a", "b"], "inspect takes one data directory"),
    ])
    func `what makes no sense is refused`(arguments: [String], message: String) {
        let console = Console.capturing()
        #expect(runHoldfast(arguments, console: console) == 2)
        #expect(console.captured.errors.hasPrefix("holdfast: \(message)"))
    }

    @Test func `what is no data directory cannot be read`() throws {
        try FileManager.default.createDirectory(
            atPath: data.path, withIntermediateDirectories: true)
        let refused = run("inspect", data.path)
        #expect(refused.status == 3)
        #expect(refused.errors.hasSuffix("is no data directory: it has no holdfast.json\n"))
        try fillAndEndElsewhere()
    }

    /// A shard that there is not.
    private func fillAndEndElsewhere() throws {
        let other = try DataFolder()
        try other.serve { _, _ in }
        let refused = run("inspect", other.path, "--facts", "--stream", "4")
        #expect(refused.status == 2)
        #expect(refused.errors.contains("--stream takes control or a shard below 4, not 4"))
    }
}
