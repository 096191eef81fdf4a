import Bytes
import Client
import Foundation
import Parquet
import Platform
import Service
import Testing

@testable import holdfast

@Suite(.serialized, .timeLimit(.minutes(3))) struct ExportTests {
    private let data: DataFolder
    private let folder: TestFolder

    init() throws {
        data = try DataFolder()
        folder = try TestFolder()
    }

    private func export(_ words: String..., to name: String = "out.csv") throws -> String {
        let console = Console.capturing()
        let path = folder.path + "/" + name
        let arguments = ["export"] + words + ["--data", data.path, "--out", path]
        #expect(runHoldfast(arguments, console: console) == 0, "\(console.captured.errors)")
        return path
    }

    private func sorted(_ path: String) throws -> [String] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        return try [String(#require(lines.first))] + lines.dropFirst().map(String.init).sorted()
    }

    private let positionLines = [
        "sku,location,on_hand,sellable,returned,damaged,blocked,held,allocated,inbound,"
            + "safety_stock,available",
        "A1,\"S,1\",5,5,0,0,0,0,0,0,2,0",
        "A1,DC1,23,17,1,2,3,0,0,0,2,15",
        "B1,\"S,1\",11,7,0,0,4,0,0,0,2,0",
        "B1,DC1,1,0,1,0,0,0,0,0,2,0",
        "C1,NEW,4,4,0,0,0,0,0,0,2,2",
        "D1,DC1,0,0,0,0,0,0,0,0,2,0",
    ]

    @Test(arguments: [true, false])
    func `every position is a row, from a snapshot or from the journal`(
        snapshotting: Bool
    ) throws {
        try data.serve(snapshotting: snapshotting) { url, _ in try fill(url) }
        let before = try data.contents()
        #expect(try sorted(export()) == positionLines)
        #expect(try data.contents() == before)
    }

    @Test func `chosen columns come in the order asked for`() throws {
        try data.serve { url, _ in try fill(url) }
        let path = try export("positions", "--columns", "available,sku")
        let lines = try sorted(path)
        #expect(lines == ["available,sku", "0,A1", "0,B1", "0,B1", "0,D1", "15,A1", "2,C1"])
    }

    @Test func `exported stock imported elsewhere is the same stock`() throws {
        try data.serve { url, _ in try fill(url) }
        let locations = try export("locations", to: "locations.csv")
        let items = try export("items", to: "items.csv")
        let stock = try export(
            "--columns", "sku,location,sellable,returned,damaged,blocked", to: "stock.csv")
        let expected = try data.serve { url, _ in try positions(url).map(\.sortedPositions) }
        let other = try DataFolder()
        try other.serve { url, _ in
            for (kind, path) in [("locations", locations), ("items", items), ("stock", stock)] {
                let run = run("import", kind, path, "--to", "\(url)")
                #expect(run.status == 0, "\(run.errors)")
            }
            try call(
                url, "PUT", "/v1/rules",
                #"{"safety_stock":[{"id":"s","scope":{},"units":2}]}"#)
            #expect(try positions(url).map(\.sortedPositions) == expected)
            #expect(try call(url, "GET", "/v1/items/A1").contains(#""name":"Boot \"x\"""#))
        }
    }

    @Test func `items and locations are tables too`() throws {
        try data.serve { url, _ in try fill(url) }
        #expect(
            try sorted(export("items"))
                == ["sku,category,name", "A1,shoes,\"Boot \"\"x\"\"\"", "B1,,", "C1,,", "D1,,"])
        #expect(
            try sorted(export("locations")) == [
                "location,kind,groups,open,utc_offset", "\"S,1\",store,,false,+00:00",
                "DC1,store,west,true,+00:00", "NEW,store,,true,+00:00",
            ])
        #expect(try sorted(export("items", "--columns", "category")).contains("\"\""))
    }

    @Test func `a Parquet file has the rows of the CSV`() throws {
        try data.serve { url, _ in try fill(url) }
        let names = ["sku", "location", "on_hand", "sellable", "available"]
        let columns = names.joined(separator: ",")
        let csv = try sorted(export("--columns", columns, to: "a.csv"))
        let path = try export("--columns", columns, to: "a.parquet")
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        let footer = try ParquetFooter(file: bytes.span)
        #expect(footer.columns.map(\.name) == names)
        #expect(footer.columns.map(\.kind) == [.string, .string, .int64, .int32, .int32])
        let chunks = try #require(footer.rowGroups.first).chunks
        let skus = try texts(chunks[0], bytes)
        let locations = try texts(chunks[1], bytes)
        var reader = try ParquetChunkReader()
        var onHand = [Int64](repeating: 0, count: 6)
        var onHandSpan = onHand.mutableSpan
        try reader.read(chunks[2], bytes.span.part(chunks[2].range), into: &onHandSpan)
        var numbers = [[Int32](repeating: 0, count: 6), [Int32](repeating: 0, count: 6)]
        for column in 0..<2 {
            let chunk = chunks[3 + column]
            var span = numbers[column].mutableSpan
            try reader.read(chunk, bytes.span.part(chunk.range), into: &span)
        }
        let lines = (0..<6).map { row in
            let location = locations[row].contains(",") ? "\"\(locations[row])\"" : locations[row]
            return "\(skus[row]),\(location),\(onHand[row]),\(numbers[0][row]),\(numbers[1][row])"
        }
        #expect([columns] + lines.sorted() == csv)
    }

    private func texts(_ chunk: ParquetChunk, _ bytes: [UInt8]) throws -> [String] {
        var reader = try ParquetChunkReader()
        var strings = StringTable()
        var numbers = [UInt32](repeating: 0, count: chunk.rowCount)
        var span = numbers.mutableSpan
        try reader.read(chunk, bytes.span.part(chunk.range), strings: &strings, into: &span)
        var texts: [String] = []
        for number in numbers { texts.append(strings[Int(number)].text) }
        return texts
    }

    @Test func `an empty directory gives an empty table`() throws {
        try data.serve { _, _ in }
        #expect(try sorted(export()) == [positionLines[0]])
        let path = try export(to: "empty.parquet")
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(try ParquetFooter(file: bytes.span).rowCount == 0)
    }

    @Test func `standard output takes the table alone`() throws {
        try data.serve { url, _ in try fill(url) }
        let run = run("export", "--data", data.path, "--out", "-", "--columns", "sku")
        #expect(run.status == 0 && run.errors == "")
        #expect(run.output.split(separator: "\n").count == 7)
    }

    @Test func `a directory in use is refused`() throws {
        try data.serve { _, _ in
            let refused = run("export", "--data", data.path, "--out", "-")
            #expect(refused.status == 3)
            #expect(
                refused.errors.hasSuffix(
                    "is in use by another process: ask it by --from URL, or use the copy that "
                        + "holdfast backup makes\n"))
        }
    }

    // MARK: - From a service

    @Test(arguments: ["csv", "parquet"])
    func `a service gives the bytes that its directory gives at rest`(format: String) throws {
        let tables = ["positions", "items", "locations"]
        try data.serve { url, _ in
            try fill(url)
            for table in tables {
                let path = "\(folder.path)/\(table).\(format)"
                let run = run("export", table, "--from", "\(url)", "--out", path)
                #expect(run.status == 0, "\(run.errors)")
                #expect(run.output.contains(" bytes of \(table) in "))
            }
        }
        for table in tables {
            let here = try export(table, to: "here.\(format)")
            #expect(
                FileManager.default.contents(atPath: "\(folder.path)/\(table).\(format)")
                    == FileManager.default.contents(atPath: here), "\(table)")
        }
    }

    @Test func `the answer says what it is and how it may be called`() throws {
        try data.serve { url, _ in
            try fill(url)
            for (query, type, name) in [
                ("?columns=sku", "text/csv; charset=utf-8", /positions-\d{8}T\d{6}Z\.csv/),
                (
                    "?format=parquet&known_at=control:2", "application/vnd.apache.parquet",
                    /positions-control-2\.parquet/
                ),
                (
                    "?as_of=2026-01-02T03:04:05Z", "text/csv; charset=utf-8",
                    /positions-2026-01-02T03-04-05Z\.csv/
                ),
            ] {
                let lines = try head(url, "/v1/export/positions" + query)
                    .components(separatedBy: "\r\n")
                #expect(lines.contains("Content-Type: \(type)"), "\(lines)")
                let field = try #require(lines.first { $0.hasPrefix("Content-Disposition: ") })
                let found = field.wholeMatch(
                    of: /Content-Disposition: attachment; filename="([^"]+)"/)
                #expect(try name.wholeMatch(in: #require(found).output.1) != nil, "\(field)")
            }
        }
    }

    /// The head of an answer in chunks, once all of it is here.
    private func head(_ url: ServerURL, _ target: String) throws -> String {
        let descriptor = try Descriptor.connect(to: url.resolved(), timeoutMilliseconds: 20_000)
        try descriptor.sendAll("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n".utf8.span)
        var bytes = ByteBuffer()
        while !bytes.span.array.suffix(5).elementsEqual("0\r\n\r\n".utf8) {
            guard try descriptor.read(into: &bytes, room: 1 << 16) > 0 else { break }
        }
        return bytes.span.text
    }

    @Test func `an export holds all that was acknowledged before, while events come`() throws {
        try data.serve { url, _ in
            let isEnding = Flag()
            let traffic = RunningThread(
                try Platform.Thread.start(name: "traffic") {
                    var number = 1000
                    while !isEnding.isUp {
                        _ = try? send(url, number)
                        number += 1
                    }
                })
            defer {
                isEnding.raise()
                traffic.join()
            }
            for number in 1...5 {
                try send(url, number)
                for options in [[], ["--known-at", "4102444800000"]] {
                    let path = folder.path + "/now.csv"
                    let run = run(
                        ["export", "--from", "\(url)", "--out", path, "--columns", "sku,sellable"]
                            + options)
                    #expect(run.status == 0, "\(run.errors)")
                    let lines = try folder.text("now.csv").split(separator: "\n")
                    #expect(lines.contains("N\(number),\(number)"))
                }
            }
        }
    }

    @Test func `a service without a data directory has nothing to export`() throws {
        try withService { url throws in
            for (method, target) in [
                ("GET", "/v1/export/positions"), ("GET", "/v1/backup"),
                ("GET", "/v1/positions/A?as_of=1"), ("GET", "/v1/history/A"),
                ("POST", "/v1/reconciliations?as_of=1"),
            ] as [(StaticString, String)] {
                #expect(try refusal(url, 409, method, target) == "memory_only", "\(target)")
            }
            let path = folder.path + "/out.csv"
            let run = run("export", "--from", "\(url)", "--out", path)
            #expect(run.status == 3 && run.errors.contains("memory_only"), "\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `an answer that breaks off leaves the file that was there`() throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for name in ["new.csv", "old.csv"] {
            let path = try name == "old.csv" ? folder.file(name, "old\n") : folder.path + "/" + name
            let service = try CannedService([head + "4\r\nsku\n\r\n"])
            let run = run("export", "--from", "\(service.url)", "--out", path)
            #expect(run.status == 3)
            #expect(run.errors.contains("the server closed the connection"), "\(run.errors)")
        }
        #expect(try folder.text("old.csv") == "old\n")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names == ["old.csv"])
    }

    @Test(arguments: [
        (["export", "--out", "x"], "--from URL or --data DIR is required"),
        (
            ["export", "holds", "--out", "x"],
            "holds cannot be exported; there are positions, items"
        ),
        (["export", "--out", "x", "--format", "xml"], "--format takes csv or parquet, not xml"),
        (
            ["export", "--out", "x", "--columns", "sku,qty"],
            "positions have no column qty; there are sku, location"
        ),
        (["export", "--out", "x", "--columns", "sku,sku"], "sku is named twice"),
        (
            ["export", "--out", "x", "--from", "http://h", "--data", "d"],
            "--from and --data exclude each other"
        ),
        (
            ["export", "--out", "x", "--from", "http://h", "--late-window", "1d"],
            "--late-window goes with --data"
        ),
    ])
    func `what makes no sense is refused`(arguments: [String], message: String) {
        let console = Console.capturing()
        #expect(runHoldfast(arguments, console: console) == 2)
        #expect(console.captured.errors.hasPrefix("holdfast: \(message)"))
    }
}

extension String {
    /// The positions of an answer in any order of locations: ids are given in the order of arrival.
    var sortedPositions: [Substring] { split(separator: "{").sorted() }
}

/// Receives so many units of a SKU of that number.
private func send(_ url: ServerURL, _ number: Int) throws {
    let event =
        #"{"id":"n\#(number)","kind":"receipt","sku":"N\#(number)","location":"L","#
        + #""qty":\#(number)}"#
    try call(url, "POST", "/v1/events", "[\(event)]")
}
