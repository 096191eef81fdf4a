import Client
import Foundation
import Journal
import Service
import Snapshot
import Testing

@testable import holdfast

@Suite(.serialized, .timeLimit(.minutes(4))) struct SalvageTests {
    private let data: DataFolder
    private let folder: TestFolder

    init() throws {
        data = try DataFolder()
        folder = try TestFolder()
    }

    private var target: String { folder.path + "/new" }

    private func salvage() -> Run { run("inspect", data.path, "--salvage", "--to", target) }

    /// Every stock of one SKU from 1 to `count`, a frame each.
    private func count(_ url: ServerURL, _ range: ClosedRange<Int>) throws {
        for units in range {
            try call(
                url, "POST", "/v1/stock", "sku,location,sellable\nX1,DC1,\(units)\n",
                contentType: "text/csv")
        }
    }

    private func units(_ url: ServerURL) throws -> Int {
        let text = try call(url, "GET", "/v1/positions/X1")
        let found = try #require(text.firstMatch(of: /"sellable":(\d+)/))
        return try #require(Int(found.output.1))
    }

    /// The shard that counts of X1 go to, by the listing of facts.
    private func shard() throws -> UInt16 {
        let facts = run("inspect", data.path, "--facts").output
        let line = try #require(facts.split(separator: "\n").first { $0.contains("\"X1\"") })
        let found = try #require(line.firstMatch(of: /"stream":(\d+)/))
        return try #require(UInt16(found.output.1))
    }

    @Test func `what is whole is salvaged whole`() throws {
        let expected = try data.serve(snapshotting: false) { url, _ throws in
            try fill(url)
            return try positions(url)
        }
        let before = try data.contents()
        let run = salvage()
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("began with the first frame; \(target) has 6 positions\n"))
        #expect(!run.output.contains("LOST"))
        #expect(try data.contents() == before)
        let copy = try DataFolder(target)
        for _ in 0..<2 {
            try copy.serve(snapshotting: false) { url, summary throws in
                #expect(summary.snapshot?.number == 1)
                #expect(try positions(url) == expected)
                let again = try call(url, "POST", "/v1/events", firstEvents)
                #expect(again.contains("\"duplicates\":3"))
                // The streams go on where they were.
                try call(
                    url, "POST", "/v1/stock", "sku,location,sellable\nE1,DC1,1\n",
                    contentType: "text/csv")
            }
        }
    }

    @Test func `frames before the damage are kept, and what is lost is told`() throws {
        try data.serve(snapshotting: false) { url, _ in try count(url, 1...9) }
        let shard = try shard()
        let place = try data.place(ofFrame: 6, of: shard)
        try data.flipBit(of: "journal/0000000000000000.journal", at: place)
        let before = try data.contents()
        let run = salvage()
        #expect(run.status == 1)
        // A snapshot that was given up has left a marker behind the last count.
        #expect(
            run.output.contains(
                "stream \(shard): LOST from sequence 6 on; the last one seen is 10\n"))
        #expect(run.output.contains("stream control: whole"))
        #expect(try data.contents() == before)
        try DataFolder(target).serve { url, _ throws in
            let found = try units(url)
            #expect(found == 5)
        }
    }

    @Test func `damage before the snapshot loses nothing behind it`() throws {
        try data.serve(snapshotting: false) { url, _ throws in
            try count(url, 1...5)
            try call(url, "POST", "/v1/snapshots")
            try count(url, 6...9)
        }
        let shard = try shard()
        let place = try data.place(ofFrame: 3, of: shard)
        try data.flipBit(of: "journal/0000000000000000.journal", at: place)
        #expect(run("inspect", data.path).status == 1)
        let run = salvage()
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("began with snapshot 1;"))
        try DataFolder(target).serve { url, _ throws in
            let found = try units(url)
            #expect(found == 9)
        }
    }

    @Test func `a shard ends where it needs names that were lost`() throws {
        try data.serve(snapshotting: false) { url, _ in
            try count(url, 1...3)
            try call(
                url, "POST", "/v1/stock", "sku,location,sellable\nX1,NEW,7\n",
                contentType: "text/csv")
            try count(url, 4...5)
        }
        let shard = try shard()
        let place = try data.place(ofFrame: 2, of: StreamNumber.control)
        try data.flipBit(of: "journal/0000000000000000.journal", at: place)
        let run = salvage()
        #expect(run.status == 1)
        #expect(run.output.contains("stream control: LOST from sequence 2 on"))
        #expect(run.output.contains("stream \(shard): LOST from sequence 4 on"))
        #expect(run.output.contains("it uses names of shared data that were lost"))
        try DataFolder(target).serve { url, _ in
            let found = try units(url)
            #expect(found == 3)
        }
    }

    @Test func `without a whole snapshot a journal that was trimmed proves nothing`() throws {
        try data.serve { url, _ in try fill(url) }
        try data.flipBit(of: "snapshots/1/master/facts.bin", at: 5)
        let journal = data.path + "/journal/"
        try FileManager.default.removeItem(atPath: journal + "0000000000000000.journal")
        let run = salvage()
        #expect(run.status == 3)
        #expect(run.errors.contains("there is no whole snapshot, and no frame of the journal"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }
}

@Suite(.serialized, .timeLimit(.minutes(4))) struct ReshardTests {
    @Test(arguments: [1, 2, 8, 64])
    func `the same stock lies in another number of shards`(shardCount: Int) throws {
        let data = try DataFolder()
        let folder = try TestFolder()
        let target = folder.path + "/new"
        var lines = ["sku,location,sellable,damaged"]
        for sku in 0..<300 {
            for location in 0..<(1 + sku % 3) {
                lines.append("K\(sku),L\((sku + location) % 7),\(sku * 3 + location),\(sku % 2)")
            }
        }
        let stock = lines.joined(separator: "\n") + "\n"
        let late =
            #"[{"id":"moved","kind":"receipt","sku":"P1","location":"L0","qty":1},"#
            + #"{"id":"late","kind":"count","sku":"P1","location":"L0","qty":5,"#
            + #""at":"2020-01-01T00:00:00Z"}]"#
        try data.serve(snapshotting: false) { url, _ throws in
            try fill(url)
            try call(url, "POST", "/v1/snapshots")
            try call(url, "POST", "/v1/stock", stock, contentType: "text/csv")
            try call(url, "POST", "/v1/events", late)
        }
        let before = try data.contents()
        let resharded = run(
            "inspect", data.path, "--reshard", "\(shardCount)", "--to", target)
        #expect(resharded.status == 0, "\(resharded.errors)")
        #expect(try data.contents() == before)
        let copy = try DataFolder(target)
        #expect(try copy.inspection()["shards"] as? Int == shardCount)
        let (old, new) = (exported(data.path), exported(target))
        #expect(old == new && old.count == 608)

        let (details, parked) = try data.serve(snapshotting: false) { url, _ throws in
            (try positions(url), try letters(url))
        }
        #expect(parked.count == 1)
        for _ in 0..<2 {
            try copy.serve { url, _ throws in
                #expect(try positions(url) == details)
                #expect(try letters(url) == parked)
                // It stands aside where its SKU is, and a repeat of it finds it there.
                #expect(try call(url, "POST", "/v1/events", late).contains("\"parked\":1"))
                #expect(try letters(url) == parked)
                let again = try call(url, "POST", "/v1/events", firstEvents)
                #expect(again.contains("\"duplicates\":3"))
                #expect(try call(url, "GET", "/v1/items/A1").contains("shoes"))
            }
        }
    }

    /// What stands aside, without the ids, which are others, and the age.
    private func letters(_ url: ServerURL) throws -> [String] {
        let lines = try call(url, "GET", "/v1/dead-letters").split(separator: "\n")
        return lines.map { line in
            line.split(separator: ", ").filter { part in
                !part.hasPrefix("{\"id\"") && !part.hasPrefix("\"age")
            }.joined(separator: ", ")
        }.sorted()
    }

    private func exported(_ path: String) -> [Substring] {
        run("export", "--data", path, "--out", "-").output.split(separator: "\n").sorted()
    }

    @Test(arguments: [
        (["--reshard", "3", "--to", "x"], "--reshard takes a power of two, not 3"),
        (["--reshard", "8"], "--to OUT is required"),
        (["--reshard", "8", "--salvage", "--to", "x"], "--salvage and --reshard exclude"),
        (["--to", "x"], "--to goes with --salvage or --reshard"),
    ])
    func `what makes no sense is refused`(arguments: [String], message: String) throws {
        let data = try DataFolder()
        try data.serve { _, _ in }
        let console = Console.capturing()
        #expect(runHoldfast(["inspect", data.path] + arguments, console: console) == 2)
        #expect(console.captured.errors.hasPrefix("holdfast: \(message)"))
    }
}
