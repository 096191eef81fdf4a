import Bytes
import Client
import Foundation
import Platform
import Service
import Testing
import Zstd

@testable import holdfast

/// Another system's stock file against a directory, at the file's own cut-off.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ReconcileTests {
    private let data: DataFolder
    private let folder: TestFolder
    private let now = Int64(Date().timeIntervalSince1970 * 1000)

    init() throws {
        data = try DataFolder()
        folder = try TestFolder()
    }

    private func minutes(_ count: Int64) -> Int64 { now + count * 60_000 }

    private func send(_ url: ServerURL, _ events: [(String, String, String, Int, Int64)]) throws {
        let lines = events.enumerated().map { index, event in
            #"{"id":"\#(event.0)-\#(event.1)-\#(event.2)-\#(event.3)-\#(event.4)-\#(index)","#
                + #""kind":"\#(event.0)","sku":"\#(event.1)","location":"\#(event.2)","#
                + #""qty":\#(event.3),"at":\#(minutes(event.4))}"#
        }
        let answer = try call(url, "POST", "/v1/events", "[" + lines.joined(separator: ",") + "]")
        #expect(answer.contains("\"accepted\":\(events.count)"), "\(answer)")
    }

    /// Stock of an hour ago, the cut-off, and what happened around it.
    private func live() throws { try data.serve { url, _ in try live(url) } }

    private func live(_ url: ServerURL) throws {
        do {
            let day = (1...9).map { ("receipt", "S\($0)", "DC1", 100, Int64(-600)) }
            try send(
                url, day + [("receipt", "S1", "DC2", 7, -600), ("return", "S2", "DC1", 4, -600)])
            try send(
                url,
                [
                    ("sale", "S3", "DC1", 3, -61), ("sale", "S3", "DC1", 3, -61),
                    ("sale", "S4", "DC1", 5, -63), ("sale", "S4", "DC1", 2, -62),
                    ("sale", "S5", "DC1", 6, -59), ("sale", "S5", "DC1", 1, -58),
                    ("sale", "S6", "DC1", 9, -300), ("sale", "S6", "DC1", 8, -200),
                    ("sale", "S9", "DC1", 11, -59),
                ])
            try send(url, [("count", "S8", "DC1", 90, -61)])
            try send(url, [("sale", "S8", "DC1", 4, -70)])
        }
    }

    private let header = "sku,location,sellable,returned\n"

    private func reconcile(
        _ rows: String, _ options: String..., isCompressed: Bool = false
    ) throws -> Run {
        let file = try folder.file("stock.csv", rows, isCompressed: isCompressed)
        return run(
            ["reconcile", file, "--as-of", "\(minutes(-60))", "--data", data.path] + options)
    }

    /// What we have an hour ago.
    private let ours = """
        S1,DC1,100,0
        S1,DC2,7,0
        S2,DC1,100,4
        S3,DC1,94,0
        S4,DC1,93,0
        S5,DC1,100,0
        S6,DC1,83,0
        S7,DC1,100,0
        S8,DC1,90,0
        S9,DC1,100,0

        """

    @Test(arguments: [false, true])
    func `a file that says what we had at its cut-off is within the tolerance`(
        isCompressed: Bool
    ) throws {
        try live()
        let before = try data.contents()
        let run = try reconcile(header + ours, isCompressed: isCompressed)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.hasPrefix("10 rows compared, 0 left out; 0 positions of ours are not"))
        #expect(run.output.contains("units: theirs 871, ours 871\n0 variances, 0 units, 0 in all"))
        #expect(try data.contents() == before)
    }

    @Test func `each difference is told with its size, sums and what may explain it`() throws {
        try live()
        let theirs = """
            S1,DC1,100,0
            S2,DC1,100,3
            S3,DC1,97,0
            S4,DC1,95,0
            S5,DC1,94,0
            S6,DC1,92,0
            S7,DC1,60,0
            S8,DC1,86,0
            S9,DC1,100,0
            NEW,DC1,5,0
            S1,MOON,2,0

            """
        let out = folder.path + "/out.csv"
        // The receipts of the day are no part of it.
        let run = try reconcile(header + theirs, "--out", out, "--around", "330m")
        #expect(run.status == 1 && run.errors == "", "\(run.errors)")
        #expect(
            try String(contentsOfFile: out, encoding: .utf8) == """
                sku,location,condition,theirs,ours,difference,kind,explanation,late_units,line
                S7,DC1,sellable,60,100,-40,differs,none,0,8
                S6,DC1,sellable,92,83,9,differs,missing,-17,7
                S1,DC2,sellable,0,7,-7,missing_there,none,0,
                S5,DC1,sellable,94,100,-6,differs,drawn_later,0,6
                NEW,DC1,sellable,5,0,5,missing_here,none,0,11
                S8,DC1,sellable,86,90,-4,differs,recorded,0,9
                S3,DC1,sellable,97,94,3,differs,duplicate,-6,4
                S4,DC1,sellable,95,93,2,differs,drawn_earlier,-7,5
                S1,MOON,sellable,2,0,2,missing_here,none,0,12
                S2,DC1,returned,3,4,-1,differs,none,0,3

                """)
        #expect(run.output.contains("10 variances, 79 units, -37 in all: BEYOND the tolerance"))
        #expect(run.output.contains("LOCATION  VARIANCES  UNITS  DIFFERENCE\nDC1               8"))
    }

    @Test func `what came late explains just its units`() throws {
        let moments = try data.serve { url, _ throws -> Int64 in
            try send(url, [("receipt", "S1", "DC1", 10, -600)])
            Thread.sleep(forTimeInterval: 0.05)
            let cutOff = Int64(Date().timeIntervalSince1970 * 1000)
            Thread.sleep(forTimeInterval: 0.05)
            // Both took effect before the cut-off.
            try send(url, [("sale", "S1", "DC1", 3, -5), ("sale", "S1", "DC1", 1, -4)])
            return cutOff
        }
        let file = try folder.file("theirs.csv", "sku,location,on_hand\nS1,DC1,10\n")
        let run = run([
            "reconcile", file, "--as-of", "\(moments)", "--data", data.path, "--out", "-",
            "--format", "json",
        ])
        #expect(run.status == 1, "\(run.errors)")
        let report = try #require(
            JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(report["within_tolerance"] as? Bool == false)
        #expect(report["size"] as? Int == 4 && report["difference"] as? Int == 4)
        let variance = try #require((report["variances"] as? [[String: Any]])?.first)
        #expect(variance["explanation"] as? String == "late")
        #expect(variance["late_units"] as? Int == -4)
        let places = try #require(report["by_location"] as? [[String: Any]])
        #expect(places.map { $0["name"] as? String } == ["DC1"])
    }

    @Test func `tolerances are of a line and of all beyond it`() throws {
        try live()
        let theirs = ours.replacing("S7,DC1,100", with: "S7,DC1,97")
            .replacing("S9,DC1,100", with: "S9,DC1,108")
        for (options, status) in [
            ([], 1), (["--tolerance", "3"], 1), (["--tolerance", "8"], 0),
            (["--tolerance", "3", "--tolerance-total", "8"], 0),
            (["--tolerance", "2", "--tolerance-total", "10"], 1),
            (["--tolerance-total", "11"], 0),
        ] as [([String], Int32)] {
            let file = try folder.file("stock.csv", header + theirs)
            let found = run(
                ["reconcile", file, "--as-of", "\(minutes(-60))", "--data", data.path] + options)
            #expect(found.status == status, "\(options)")
        }
    }

    @Test func `rows that cannot be compared are listed`() throws {
        try live()
        let run = try reconcile(header + ours + "S1,DC1,1,0\nS2,DC1,x,0\nS2\n")
        #expect(run.status == 1)
        let lines = run.errors.split(separator: "\n").map { $0.split(separator: ", ").last ?? "" }
        #expect(
            lines == [
                "line 12: repeated_position", "line 13: bad_quantity", "line 14: wrong_field_count",
            ])
    }

    // MARK: - By a service

    /// Of what a run has said, all but how long it took.
    private func told(_ run: Run) -> [String] {
        run.output.split(separator: "\n").filter { !$0.hasPrefix("in ") }.map(String.init)
            + [run.errors, "\(run.status)"]
    }

    @Test func `a service reports what its directory does`() throws {
        let files = try [
            folder.file("equal.csv", header + ours),
            folder.file("other.csv", header + ours.replacing("S7,DC1,100", with: "S7,DC1,60")),
            folder.file("bad.csv", header + ours + "S1,DC1,1,0\nS2,DC1,x,0\nS2\n"),
            folder.file("small.csv.zst", header + "S8,DC1,90,0\n", isCompressed: true),
            folder.file(
                "lines.ndjson",
                """
                {"sku":"S1","location":"DC1","sellable":100}

                {"sku":"S2","location":"DC1","sellable":90,"returned":4}
                {"sku":"S2"}
                {"sku":"N\\"1","location":"MOON","on_hand":3}

                """),
            folder.file("array.json", #"[{"sku":"S1","location":"DC1","damaged":1}]"#),
            folder.file("none.csv", "a,b\n"), folder.file("broken.json", #"[{"sku":"S1",]"#),
        ]
        let options = ["--as-of", "\(minutes(-60))", "--tolerance-total", "40"]
        let outs = ["out.csv", "out.json"].map { folder.path + "/" + $0 }
        func runs(_ origin: [String]) -> [[String]] {
            files.map { file in
                outs.map { out in
                    try? FileManager.default.removeItem(atPath: out)
                    let found = run(["reconcile", file, "--out", out] + options + origin)
                    let text = FileManager.default.contents(atPath: out).map {
                        String(decoding: $0, as: UTF8.self)
                    }
                    return ([text ?? "no file"] + told(found)).joined(separator: "\n")
                }
            }
        }
        let remote = try data.serve { url, _ throws in
            try live(url)
            let remote = runs(["--from", "\(url)"])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: data.path + "/temporary") == [])
            return remote
        }
        let local = runs(["--data", data.path])
        for (index, file) in files.enumerated().dropLast(2) {
            #expect(remote[index] == local[index], "\(file)")
        }
        // What is no stock file at all.
        for found in (remote + local).filter({ $0[0].hasPrefix("no file") }) {
            #expect(found[0].hasSuffix("\n3"), "\(found)")
        }
        #expect(remote[6][0].contains("bad_stock_file: line 1: unknown_column"), "\(remote[6])")
        #expect(remote[7][0].contains("bad_stock_file"), "\(remote[7])")
        #expect(remote[0][0].hasSuffix("\n0") && remote[1][0].hasSuffix("\n0"))
        #expect(remote[2][0].hasSuffix("\n1"))
    }

    @Test func `objects of JSON are compared as rows are`() throws {
        try live()
        let text = ours.split(separator: "\n").map { row in
            let fields = row.split(separator: ",")
            return #"{"sku":"\#(fields[0])","location":"\#(fields[1])","sellable":\#(fields[2]),"#
                + #""returned":\#(fields[3])}"#
        }
        for (name, file) in [
            ("a.ndjson", text.joined(separator: "\n")),
            ("a.json", "[" + text.joined(separator: ",") + "]"),
        ] {
            let found = run([
                "reconcile", try folder.file(name, file), "--as-of", "\(minutes(-60))", "--data",
                data.path,
            ])
            #expect(found.status == 0, "\(found.output)\(found.errors)")
            #expect(found.output.hasPrefix("10 rows compared, 0 left out; 0 positions"))
        }
    }

    @Test func `the answer is CSV where that is asked for`() throws {
        try data.serve { url, _ in
            try live(url)
            var body = ""
            var client = HTTPClient(url)
            var isSent = false
            let request = ClientRequest(
                "POST", "/v1/reconciliations?as_of=\(minutes(-60))", contentType: "text/csv")
            let response = try client.stream(
                request, accept: "text/csv", hasBody: true,
                from: { piece in
                    if !isSent { piece.append(header + ours + "S1,MOON,2,0\n") }
                    isSent = true
                }
            ) { body += $0.text }
            #expect(response.status == 200 && response.contentType.hasPrefix("text/csv"))
            #expect(
                body == VarianceLine.csvHeader
                    + "S1,MOON,sellable,2,0,2,missing_here,none,0,12\n")
            for (query, code) in [
                ("", "missing_cut_off"), ("?as_of=x", "bad_time"), ("?as_of=3:1", "bad_time"),
                ("?as_of=1&tolerance=-1", "bad_number"), ("?as_of=1&a=b", "unknown_parameter"),
            ] {
                #expect(
                    try refusal(url, 400, "POST", "/v1/reconciliations" + query, "sku") == code)
            }
        }
    }

    @Test func `one file at a time, and what is sent by halves leaves nothing`() throws {
        try data.serve { url, _ throws in
            try live(url)
            let temporary = data.path + "/temporary"
            func names() -> [String] {
                (try? FileManager.default.contentsOfDirectory(atPath: temporary)) ?? []
            }
            do {
                let half = try Descriptor.connect(
                    to: url.resolved(), timeoutMilliseconds: 20_000)
                let head = "POST /v1/reconciliations?as_of=1 HTTP/1.1\r\nHost: h\r\n"
                try half.sendAll((head + "Content-Length: 100\r\n\r\nsku,location").utf8.span)
                while names().isEmpty { Platform.Thread.sleep(milliseconds: 1) }
                let file = try folder.file("stock.csv", header + ours)
                let busy = run([
                    "reconcile", file, "--as-of", "\(minutes(-60))", "--from", "\(url)",
                ])
                #expect(busy.status == 3 && busy.errors.contains("busy: another call"))
                _ = consume half
            }
            for _ in 0..<2000 where !names().isEmpty { Platform.Thread.sleep(milliseconds: 5) }
            #expect(names() == [])
        }
    }

    @Test func `a service that ends does not wait for a file that is sent by halves`() throws {
        var configuration = data.configuration
        configuration.limits.drainMilliseconds = 300
        let service = try HoldfastService(configuration)
        try service.start()
        _ = try service.load()
        let temporary = data.path + "/temporary"
        let half = try Descriptor.connect(to: service.address, timeoutMilliseconds: 20_000)
        let head = "POST /v1/reconciliations?as_of=1 HTTP/1.1\r\nHost: h\r\n"
        try half.sendAll((head + "Content-Length: 100\r\n\r\nsku,location").utf8.span)
        while (try? FileManager.default.contentsOfDirectory(atPath: temporary))?.isEmpty ?? true {
            Platform.Thread.sleep(milliseconds: 1)
        }
        service.drain()
        service.join()
        _ = service.close { false }
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary) == [])
    }

    @Test(arguments: [
        (["reconcile", "--data", "d"], "reconcile takes one file"),
        (["reconcile", "f"], "--from URL or --data DIR is required"),
        (["reconcile", "f", "--data", "d"], "--as-of TIME is required"),
        (["reconcile", "f", "--data", "d", "--as-of", "x"], "--as-of takes a time like"),
        (
            ["reconcile", "f", "--data", "d", "--as-of", "1", "--format", "xml"],
            "--format takes csv or json, not xml"
        ),
        (
            ["reconcile", "f", "--from", "http://h", "--as-of", "1", "--late-window", "1d"],
            "--late-window goes with --data"
        ),
    ])
    func `what makes no sense is refused`(arguments: [String], message: String) {
        let found = run(arguments)
        #expect(found.status == 2)
        #expect(found.errors.hasPrefix("holdfast: \(message)"), "\(found.errors)")
    }

    @Test func `a file that is no stock file is refused with its line`() throws {
        try live()
        for (text, code) in [("a,b\n", "line 1: unknown_column"), ("", "line 1: no_header")] {
            let run = try reconcile(text)
            #expect(run.status == 3 && run.errors.contains(code), "\(run.errors)")
        }
    }
}
