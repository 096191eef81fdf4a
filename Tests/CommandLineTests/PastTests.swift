import Bytes
import Client
import Foundation
import History
import Service
import Testing

@testable import holdfast

/// What can be told of the past of a directory, and by a service of its own.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PastTests {
    private let data: DataFolder
    private let folder: TestFolder
    private let now = Int64(Date().timeIntervalSince1970 * 1000)

    init() throws {
        data = try DataFolder()
        folder = try TestFolder()
    }

    private func minutes(_ count: Int64) -> Int64 { now + count * 60_000 }

    private func send(_ url: ServerURL, _ lines: [String]) throws {
        let answer = try call(url, "POST", "/v1/events", "[" + lines.joined(separator: ",") + "]")
        #expect(answer.contains("\"accepted\":\(lines.count)"), "\(answer)")
    }

    private func event(_ id: Int, _ kind: String, _ qty: Int, at minute: Int64) -> String {
        #"{"id":"\#(id)","kind":"\#(kind)","sku":"A1","location":"DC1","qty":\#(qty),"#
            + #""at":\#(minutes(minute))}"#
    }

    /// A receipt, a sale, a count, and a sale that comes when it has been counted already.
    private func live(_ url: ServerURL) throws {
        try call(url, "PUT", "/v1/locations", #"[{"location":"DC1"}]"#)
        try send(
            url,
            [
                event(1, "receipt", 10, at: -180), event(2, "sale", 3, at: -60),
                event(3, "count", 20, at: -30),
            ])
        try send(url, [event(4, "sale", 2, at: -120), event(5, "sale", 1, at: -1)])
    }

    /// So much that the first segments of the journal are full, and snapshots that let them go.
    private func handOver(_ url: ServerURL) throws {
        for round in 0..<24 {
            let name = "\(round) " + String(repeating: "x", count: 1000)
            let lines = (0..<400).map { #"{"sku":"I\#($0)","category":"c","name":"\#(name)"}"# }
            try call(url, "PUT", "/v1/items", lines.joined(separator: "\n"))
        }
        for _ in 0..<2 { try call(url, "POST", "/v1/snapshots") }
        let first = data.path + "/journal/0000000000000000.journal"
        for _ in 0..<400 where FileManager.default.fileExists(atPath: first) {
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(!FileManager.default.fileExists(atPath: first))
    }

    private func sellable(_ options: String...) throws -> String {
        let run = run(["query", "A1", "--data", data.path] + options)
        #expect(run.status == 0, "\(run.errors)")
        // The header alone: the SKU has no position.
        guard let line = run.output.split(separator: "\n").dropFirst().first else { return "none" }
        return String(line.split(separator: " ").dropFirst(3).first ?? "none")
    }

    private let firstFile = "history/0000000000000000.journal.zst"

    @Test func `the past is told by effective time, also what was let go of the journal`() throws {
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
            // Behind the snapshots.
            try send(url, [event(6, "receipt", 5, at: -20)])
        }
        #expect(FileManager.default.fileExists(atPath: data.path + "/" + firstFile))
        let before = try data.contents()
        #expect(try sellable("--as-of", "\(minutes(-181))") == "none")
        #expect(try sellable("--as-of", "\(minutes(-180))") == "10")
        #expect(try sellable("--as-of", "\(minutes(-120))") == "8")
        #expect(try sellable("--as-of", "\(minutes(-31))") == "5")
        #expect(try sellable("--as-of", "\(minutes(-30))") == "20")
        #expect(try sellable("--as-of", "\(minutes(-20))") == "25")
        #expect(try sellable() == "24")
        #expect(try sellable("--as-of", "\(minutes(60))") == "24")
        #expect(try data.contents() == before)

        let path = folder.path + "/then.csv"
        let export = run([
            "export", "--data", data.path, "--as-of", "\(minutes(-30))", "--columns",
            "sku,location,sellable", "--out", path,
        ])
        #expect(export.status == 0, "\(export.errors)")
        #expect(
            try String(contentsOfFile: path, encoding: .utf8)
                == "sku,location,sellable\nA1,DC1,20\n")
    }

    @Test func `what was known at a time knows nothing of what came later`() throws {
        var moments: [Int64] = []
        func note() {
            Thread.sleep(forTimeInterval: 0.1)
            moments.append(Int64(Date().timeIntervalSince1970 * 1000))
            Thread.sleep(forTimeInterval: 0.1)
        }
        try data.serve { url, _ in
            note()
            try send(url, [event(1, "receipt", 10, at: -180)])
            note()
            try handOver(url)
            try call(
                url, "PUT", "/v1/rules", #"{"safety_stock":[{"id":"s","scope":{},"units":2}]}"#)
            note()
            try send(url, [event(2, "sale", 3, at: -170)])
        }
        let units = try moments.map { try sellable("--known-at", "\($0)") }
        #expect(units == ["none", "10", "10"])
        #expect(try sellable("--as-of", "\(minutes(-170))") == "7")
        func available(_ moment: Int64) throws -> String {
            let run = run(["query", "A1", "--data", data.path, "--known-at", "\(moment)"])
            return String(try #require(run.output.split(separator: " ").last))
        }
        #expect(try moments[1...].map(available) == ["10\n", "8\n"])
    }

    @Test func `a moment before all that is kept is refused with the earliest there is`() throws {
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
        }
        try FileManager.default.removeItem(atPath: data.path + "/" + firstFile)
        let report = try data.inspection()
        let history = try #require(report["history"] as? [String: Any])
        let reach = try #require(history["reach"] as? [String: Any])
        #expect(reach["everything"] as? Bool == false)
        let (known, effective) = (
            try #require(reach["known_at"] as? String), try #require(reach["as_of"] as? String)
        )
        for (option, earliest) in [("--known-at", known), ("--as-of", effective)] {
            let refused = run(["query", "A1", "--data", data.path, option, "\(minutes(-30))"])
            #expect(refused.status == 3)
            #expect(
                refused.errors.hasSuffix(
                    "the moment lies before what is kept: the earliest moment that can be asked for "
                        + "is \(earliest)\n"), "\(refused.errors)")
            #expect(try sellable(option, earliest) == "19")
        }
    }

    @Test func `damage of the history is named; what does not need it is told`() throws {
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
        }
        try data.flipBit(of: firstFile, at: 100)
        let refused = run(["query", "A1", "--data", data.path, "--as-of", "\(minutes(-30))"])
        #expect(refused.status == 3)
        #expect(refused.errors.contains(firstFile), "\(refused.errors)")
        #expect(try sellable("--as-of", "\(minutes(60))") == "19")
        #expect(try sellable() == "19")
        let report = try data.inspection(expecting: 1)
        #expect(report["whole"] as? Bool == false)
        let text = run("inspect", data.path)
        #expect(text.output.contains("DAMAGED") && text.output.contains("history/0000"))
        #expect(text.output.contains("a start does not need the history"))
    }

    @Test func `a backup takes the past along`() throws {
        let target = folder.path + "/copy"
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
            let run = run("backup", "--data", data.path, "--to", target)
            #expect(run.status == 0, "\(run.errors)")
        }
        for minute in [Int64(-181), -120, -31, 0, 60] {
            let words = ["query", "A1", "--as-of", "\(minutes(minute))", "--data"]
            let (here, there) = (run(words + [data.path]), run(words + [target]))
            #expect(here.status == 0 && here.output == there.output, "\(there.errors)")
        }
        let copy = try DataFolder(target)
        let report = try copy.inspection()
        #expect(report["whole"] as? Bool == true)
        let history = try #require(report["history"] as? [String: Any])
        #expect((history["segments"] as? [Any])?.isEmpty == false)
        let there = try copy.serve { url, _ throws in try call(url, "GET", "/v1/positions/A1") }
        #expect(there.contains("\"sellable\":19"))
    }

    @Test func `without history nothing of the past is kept`() throws {
        data.change = { $0.history.age = 0 }
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
        }
        #expect(!FileManager.default.fileExists(atPath: data.path + "/history"))
        let refused = run(["query", "A1", "--data", data.path, "--as-of", "\(minutes(-30))"])
        #expect(refused.status == 3 && refused.errors.contains("the earliest moment"))
    }

    // MARK: - As of a place in the journal

    private func sellable(from url: ServerURL, _ options: String...) throws -> String {
        let run = run(["query", "A1", "--from", "\(url)"] + options)
        #expect(run.status == 0, "\(run.errors)")
        guard let line = run.output.split(separator: "\n").dropFirst().first else { return "none" }
        return String(line.split(separator: " ").dropFirst(3).first ?? "none")
    }

    /// The mark of an answer.
    private func mark(of answer: String) throws -> String {
        String(try #require(answer.firstMatch(of: /"mark":"([^"]+)"/)).output.1)
    }

    /// Receipts of one unit, with what is let go of the journal between them.
    ///
    /// - Returns: The mark behind each.
    private func receipts(_ url: ServerURL, _ numbers: Range<Int>) throws -> [String] {
        try numbers.map { number in
            try mark(
                of: call(url, "POST", "/v1/events", "[\(event(number, "receipt", 1, at: -5))]"))
        }
    }

    @Test func `the state behind a mark is what the journal held up to its frame`() throws {
        var marks: [String] = []
        try data.serve { url, _ in
            marks += try receipts(url, 0..<5)
            try handOver(url)
            marks += try receipts(url, 5..<8)
            for (index, mark) in marks.enumerated() {
                #expect(try sellable(from: url, "--known-at", mark) == "\(index + 1)", "\(mark)")
            }
        }
        // A life later.
        try data.serve { url, _ in marks += try receipts(url, 8..<10) }
        for (index, mark) in marks.enumerated() {
            #expect(try sellable("--known-at", mark) == "\(index + 1)", "\(mark)")
        }
        let path = folder.path + "/then.csv"
        let export = run([
            "export", "--data", data.path, "--known-at", marks[2], "--columns", "sku,on_hand",
            "--out",
            path,
        ])
        #expect(export.status == 0, "\(export.errors)")
        #expect(try folder.text("then.csv") == "sku,on_hand\nA1,3\n")
    }

    @Test func `the state behind a frame is that of the prefix that ends with it`() throws {
        let frames = try data.serve(snapshotting: false) { url, _ throws in
            try call(url, "PUT", "/v1/locations", #"[{"location":"DC1"}]"#)
            _ = try receipts(url, 0..<6)
            let run = run("inspect", data.path, "--facts")
            return try run.output.split(separator: "\n").compactMap { line -> String? in
                guard line.contains(#""fact":"moved""#) else { return nil }
                let found = try #require(line.firstMatch(of: /"stream":(\d+),"sequence":(\d+)/))
                return "\(found.output.1):\(found.output.2)"
            }
        }
        #expect(frames.count == 6)
        for (index, frame) in frames.enumerated() {
            #expect(try sellable("--known-at", frame) == "\(index + 1)", "\(frame)")
        }
        // Shared data comes before all that uses it.
        #expect(try sellable("--known-at", "control:1") == "none")
    }

    @Test func `a place that is not kept, not there or not ours is refused`() throws {
        let mark = try data.serve { url, _ throws -> String in
            try live(url)
            let marks = try receipts(url, 10..<11)
            try handOver(url)
            #expect(
                try refusal(url, 404, "GET", "/v1/positions/A1?known_at=control:9999")
                    == "moment_not_kept")
            return try #require(marks.first)
        }
        let parts = mark.split(separator: "-")
        for (place, reason) in [
            ("\(parts[0])-1-99999", "the journal does not reach it"),
            ("1234-1-1", "the mark is of another directory"),
            ("99:1", "there is no stream 99"), ("control:9999", "the journal does not reach it"),
        ] {
            let refused = run(["query", "A1", "--data", data.path, "--known-at", place])
            #expect(refused.status == 3)
            #expect(
                refused.errors.contains("the moment cannot be told: \(reason)"), "\(refused.errors)"
            )
        }
        for place in ["x", "a:1", "1:0", "1:x", "300:1", "12-1", "12-1--1", "-1:1"] {
            let refused = run(["query", "A1", "--data", data.path, "--known-at", place])
            #expect(refused.status == 2 && refused.errors.contains("--known-at takes a time"))
        }
        try FileManager.default.removeItem(atPath: data.path + "/" + firstFile)
        let gone = run(["query", "A1", "--data", data.path, "--known-at", mark])
        #expect(
            gone.status == 3 && gone.errors.contains("it lies before what is kept"),
            "\(gone.errors)")
    }

    @Test func `a mark of what did not survive is told apart`() throws {
        try data.serve(snapshotting: false) { url, _ in _ = try receipts(url, 0..<2) }
        let later = try data.serve(snapshotting: false) { url, _ throws -> String in
            try mark(of: call(url, "POST", "/v1/events", "[\(event(7, "receipt", 1, at: -5))]"))
        }
        // As if the first life had answered it, and lost it.
        let parts = later.split(separator: "-")
        let refused = run([
            "query", "A1", "--data", data.path, "--known-at", "\(parts[0])-1-\(parts[2])",
        ])
        #expect(refused.status == 3 && refused.errors.contains("was never acknowledged"))
    }

    // MARK: - Asking a service

    @Test func `a service tells the same of the past as its directory`() throws {
        var told: [String: String] = [:]
        func ask(_ options: [String], _ origin: [String]) -> Run {
            run(["query", "A1", "NOPE", "--location", "DC1"] + options + origin)
        }
        let options =
            [Int64(-181), -180, -120, -31, -30, 60].map { ["--as-of", "\(minutes($0))"] }
            + [["--known-at", "\(now)"], ["--known-at", "\(minutes(1))"]]
        let columns = ["--columns", "sku,location,sellable,available"]
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
            for option in options {
                let asked = ask(option, ["--from", "\(url)"])
                #expect(asked.status == 0, "\(asked.errors)")
                let out = folder.path + "/out.csv"
                let export = run(["export", "--from", "\(url)", "--out", out] + columns + option)
                #expect(export.status == 0, "\(export.errors)")
                told["\(option)"] = try asked.output + folder.text("out.csv")
            }
            let single = try call(url, "GET", "/v1/positions/A1?as_of=\(minutes(-120))")
            #expect(single.contains(#""location":"DC1","on_hand":8,"sellable":8"#), "\(single)")
            let names = try FileManager.default.contentsOfDirectory(
                atPath: data.path + "/temporary")
            #expect(names == [])
        }
        for option in options {
            let out = folder.path + "/out.csv"
            let export = run(["export", "--data", data.path, "--out", out] + columns + option)
            #expect(export.status == 0, "\(export.errors)")
            let here = try ask(option, ["--data", data.path]).output + folder.text("out.csv")
            #expect(told["\(option)"] == here, "\(option)")
        }
    }

    @Test func `a second question about what moved a SKU is told to come back`() throws {
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
            var wasRefused = false
            for _ in 0..<100 where !wasRefused {
                var first = HTTPClient(url)
                try first.send(ClientRequest("GET", "/v1/history/A1"))
                var second = HTTPClient(url)
                let response = try second.call(ClientRequest("GET", "/v1/history/A1"))
                if response.status == 429 {
                    wasRefused = true
                    #expect(response.retryAfterSeconds == 1)
                    #expect(second.body.span.text.contains("\"code\":\"busy\""))
                }
                let answered = try first.receive()
                #expect(answered.status == 200 || answered.status == 429)
            }
            #expect(wasRefused)
            #expect(try history(url).facts.count == 5)
        }
    }

    private struct Facts: Decodable {
        struct Fact: Decodable, Equatable {
            var sequence: Int
            var location: String
            var fact: String
            var condition: String
            var delta: Int?
            var value: Int?
            var outcome: String?
            var kind: String
            var source: String?
            var reason: String?
        }
        var sku: String
        var facts: [Fact]
        var next: Int?
    }

    private func history(_ url: ServerURL, _ query: String = "") throws -> Facts {
        let text = try call(url, "GET", "/v1/history/A1\(query)")
        return try JSONDecoder().decode(Facts.self, from: Data(text.utf8))
    }

    @Test func `a service tells what moved a SKU, newest first, page by page`() throws {
        try data.serve { url, _ in
            try live(url)
            try handOver(url)
            try send(url, [event(6, "receipt", 5, at: -20)])
            let all = try history(url)
            let found = all.facts.map { "\($0.fact) \($0.delta ?? $0.value ?? 0)" }
            #expect(
                found == [
                    "moved 5", "moved -1", "movement_recorded -2", "counted 20", "moved -3",
                    "moved 10",
                ])
            #expect(all.next == nil && all.sku == "A1")
            #expect(all.facts.allSatisfy { $0.location == "DC1" && $0.condition == "sellable" })
            #expect(
                all.facts.map(\.outcome) == ["accepted", "accepted", "recorded"]
                    + Array(repeating: "accepted", count: 3))
            var paged: [Facts.Fact] = []
            var query = "?limit=1"
            while true {
                let page = try history(url, query)
                paged += page.facts
                guard let next = page.next else { break }
                query = "?limit=1&before=\(next)"
            }
            #expect(paged == all.facts)
            let between = try history(url, "?from=\(minutes(-120))&to=\(minutes(-30))&location=DC1")
            #expect(between.facts.map { $0.delta ?? $0.value } == [-2, 20, -3])
        }
    }

    @Test func `history and inspect tell what kind of event it was, of whom, and why`() throws {
        let long = String(repeating: "ä", count: 200)
        func check(_ facts: Facts) {
            let told = facts.facts.map { fact in
                "\(fact.kind) \(fact.source ?? "-") \(fact.reason ?? "-")"
            }
            #expect(
                told == [
                    "stock - -", "sale till \"7\" -",
                    "write_off till \"7\" " + String(long.prefix(127)),
                    "adjust  it fell\nfrom a truck", "receipt erp -",
                ])
        }
        try data.serve { url, _ in
            try call(url, "PUT", "/v1/locations", #"[{"location":"DC1"}]"#)
            func line(_ id: Int, _ kind: String, _ more: String) -> String {
                String(event(id, kind, 2, at: Int64(id) - 60).dropLast()) + more + "}"
            }
            try send(
                url,
                [
                    line(1, "receipt", #","source":"erp""#),
                    line(2, "adjust", #","reason":"it fell\nfrom a truck""#),
                    line(3, "write_off", #","source":"till \"7\"","reason":"\#(long)""#),
                    line(4, "sale", #","source":"till \"7\"""#),
                ])
            try call(
                url, "POST", "/v1/stock", "sku,location,sellable\nA1,DC1,1\n",
                contentType: "text/csv")
            check(try history(url))
        }
        let text = run("inspect", data.path, "--facts").output
        for part in [
            #""fact":"moved","sku":"A1""#, #""fact":"named","source":"erp"}"#,
            #""kind":"adjust","source":"","reason":"it fell\nfrom a truck"}"#,
            #""fact":"reason_given","reason":"it fell\nfrom a truck"}"#, #""kind":"stock""#,
            #""kind":"sale","source":"till \"7\""}"#,
        ] { #expect(text.contains(part), "\(part)") }
        try data.serve { url, _ in
            check(try history(url))
            try handOver(url)
            check(try history(url))
        }
        // And when the names come from a snapshot.
        try data.serve { url, _ in check(try history(url)) }
    }

    @Test func `questions that make no sense are refused by code`() throws {
        try data.serve { url, _ in
            try live(url)
            for (target, status, code) in [
                ("/v1/history/NOPE", 404, "unknown_sku"),
                ("/v1/history/A1?location=NOPE", 404, "unknown_location"),
                ("/v1/history/A1?limit=0", 400, "bad_limit"),
                ("/v1/history/A1?from=yesterday", 400, "bad_time"),
                ("/v1/history/A1?before=x", 400, "bad_before"),
                ("/v1/history/%zz", 400, "bad_percent_encoding"),
                ("/v1/positions/NOPE?as_of=1", 404, "unknown_sku"),
                ("/v1/positions/A1?as_of=x", 400, "bad_time"),
                ("/v1/positions/A1?as_of=3:1", 400, "bad_time"),
                ("/v1/positions/A1?as_of=1&known_at=1", 400, "two_moments"),
                ("/v1/positions/A1?as_of=1&sku=B", 400, "unknown_parameter"),
                ("/v1/positions/%zz?as_of=1", 400, "bad_percent_encoding"),
                ("/v1/positions?sku=A1", 400, "missing_moment"),
                ("/v1/positions?as_of=1", 400, "bad_sku_count"),
                ("/v1/export/carts", 404, "unknown_table"),
                ("/v1/export/positions?format=xml", 400, "bad_format"),
                ("/v1/export/positions?columns=sku,sku", 400, "bad_columns"),
                ("/v1/export/positions?columns=price", 400, "bad_columns"),
                ("/v1/export/positions?asof=1", 400, "unknown_parameter"),
                ("/v1/export/positions?known_at=yesterday", 400, "bad_time"),
            ] {
                var client = HTTPClient(url)
                let response = try client.call(ClientRequest("GET", target))
                #expect(response.status == status, "\(target)")
                #expect(client.body.span.text.contains("\"\(code)\""), "\(target)")
            }
        }
    }
}
