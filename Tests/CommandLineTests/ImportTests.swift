import Bytes
import Client
import Testing

@testable import holdfast

private let stockText = """
    sku,location,sellable,returned,damaged,blocked
    A,L1,10,0,0,0
    A,L2,-1,0,0,0
    A,L2,5,0,0,0

    "B ""b"", c",L1,7,1,0,0
    C,L1,many,0,0,0
    C,L1,1,0,0
    "line
    feed",L1,1,0,0,0
    D,"L
    1",4,0,0,0
    E,L1,3000000000,0,0,0
    F,L1,4,0,0,0

    """

private let stockRejections = [
    "3: bad_quantity: sellable must be at least 0",
    "7: bad_quantity: sellable must be a whole number",
    "8: wrong_field_count: the row has another number of fields",
    "9: identifier_control_character: sku: identifier_control_character",
    "11: identifier_control_character: location: identifier_control_character",
    "13: quantity_out_of_range: sellable does not fit 32 bits",
]

@Suite(.serialized, .timeLimit(.minutes(2))) struct ImportTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func available(_ skus: [String], _ url: ServerURL) throws -> [Int64] {
        var client = HTTPClient(url)
        var question = AvailabilityQuestion()
        question.skus = skus
        _ = try ask(question, &client)
        return try answered(client.body.span).map(\.available)
    }

    @Test(arguments: [1, 16, 40, 100, 1 << 20], [1, 3])
    func `stock is taken and bad rows are listed by their lines in the file`(
        byteCount: Int, connectionCount: Int
    ) throws {
        let path = try folder.file("stock.csv", stockText)
        try withService { url in
            let (result, listed) = try importPieces(
                .stock, path, to: url, byteCount: byteCount, connectionCount: connectionCount)
            #expect(result == counts(accepted: 4, rejected: 6))
            #expect(listed == stockRejections)
            #expect(try available(["A", "B \"b\", c", "F"], url) == [15, 7, 4])
        }
    }

    @Test(arguments: [1, 60, 1 << 20])
    func `lines of JSON are taken and bad ones listed by their lines`(byteCount: Int) throws {
        let path = try folder.file(
            "stock.ndjson",
            """
            {"sku":"A","location":"L1","sellable":10}

            {"sku":"A","location":"L2","sellable":1.5}
            {"sku":"A","sellable":1}
            {"sku":"A","location":"L2",
            {"sku":"A","location":"L3","on_hand":9,"damaged":2}
            """)
        try withService { url in
            let (result, listed) = try importPieces(
                .stock, path, to: url, byteCount: byteCount)
            #expect(result == counts(accepted: 2, rejected: 3))
            #expect(
                listed.map { $0.split(separator: ":")[0...1].joined(separator: ":") } == [
                    "3: not_an_integer", "4: missing_field", "5: truncated",
                ])
            #expect(try available(["A"], url) == [17])
        }
    }

    @Test(arguments: [1, 200, 1 << 20], ["events.ndjson", "events.csv"])
    func `events keep their order and bad ones are listed by their lines`(
        byteCount: Int, name: String
    ) throws {
        let csv = """
            id,kind,sku,location,qty,at,reason
            1,count,A,L1,10,2025-11-28T08:00:00Z,
            2,sale,A,L1,3,2025-11-28T09:00:00Z,
            3,sale,A,L1,0,2025-11-28T09:00:00Z,

            4,dance,A,L1,1,2025-11-28T09:00:00Z,
            2,sale,A,L1,3,2025-11-28T09:00:00Z,
            2,sale,A,L1,4,2025-11-28T09:00:00Z,
            5,sale,A,L1,1,2025-11-28T07:00:00Z,"before
            the count"
            6,receipt,A,L1,20,2025-11-28T10:00:00Z,
            """
        let lines = """
            {"id":"1","kind":"count","sku":"A","location":"L1","qty":10,"at":1764316800000}
            {"id":"2","kind":"sale","sku":"A","location":"L1","qty":3,"at":1764320400000}

            {"id":"3","kind":"sale","sku":"A","location":"L1","qty":0,"at":1764320400000}

            {"id":"4","kind":"dance","sku":"A","location":"L1","qty":1,"at":1764320400000}
            {"id":"2","kind":"sale","sku":"A","location":"L1","qty":3,"at":1764320400000}
            {"id":"2","kind":"sale","sku":"A","location":"L1","qty":4,"at":1764320400000}
            {"id":"5","kind":"sale","sku":"A","location":"L1","qty":1,"at":1764313200000}
            {"id":"6","kind":"receipt","sku":"A","location":"L1","qty":20,"at":1764324000000}
            """
        let path = try folder.file(name, name.hasSuffix("csv") ? csv : lines)
        try withService { url in
            let (result, listed) = try importPieces(
                .events, path, to: url, byteCount: byteCount)
            #expect(result == counts(accepted: 4, duplicates: 1, rejected: 3))
            #expect(
                listed.map { $0.split(separator: ":")[0...1].joined(separator: ":") } == [
                    "4: bad_quantity", "6: unknown_kind", "8: id_conflict",
                ])
            #expect(try available(["A"], url) == [27])
        }
    }

    @Test func `an event row that is no CSV is listed with the others`() throws {
        let path = try folder.file(
            "events.csv",
            "id,kind,sku,location,qty\n1,receipt,A,L,5\n2,receipt,A\n3,receipt,A,L,0\n4,re\"x,A\n")
        try withService { url in
            let (result, listed) = try importPieces(.events, path, to: url, byteCount: 1 << 20)
            #expect(result == counts(accepted: 1, rejected: 3))
            #expect(
                listed.map { $0.split(separator: ":")[0...1].joined(separator: ":") } == [
                    "3: wrong_field_count", "4: bad_quantity", "5: bad_quoting",
                ])
        }
    }

    @Test func `compressed files are read as they are, by any name`() throws {
        let path = try folder.file("stock.zst", stockText, isCompressed: true)
        try withService { url in
            let (result, listed) = try importPieces(.stock, path, to: url, byteCount: 50)
            #expect(result == counts(accepted: 4, rejected: 6))
            #expect(listed == stockRejections)
        }
    }

    @Test func `a bad location is listed and the others are taken`() throws {
        let path = try folder.file(
            "locations.csv",
            "location,kind,groups,open,utc_offset\nS1,store,north,true,+01:00\n"
                + "S2,castle,north,true,Z\nS3,store,,perhaps,Z\nS4,store\nS5,store,,false,Z\n")
        try withService { url in
            let (result, listed) = try importPieces(
                .locations, path, to: url, byteCount: 1 << 20)
            #expect(result == counts(accepted: 2, rejected: 3))
            #expect(
                listed == [
                    "3: unknown_location_kind: kind is store, warehouse, supplier or marketplace",
                    "4: wrong_kind: the JSON is wrong",
                    "5: wrong_field_count: the row has 2 fields, not those of the header",
                ])
            var client = HTTPClient(url)
            _ = try client.call(ClientRequest("GET", "/v1/locations"))
            let text = client.body.span.text
            #expect(text.contains("\"S1\"") && text.contains("\"S5\""))
            #expect(!text.contains("\"S2\"") && !text.contains("\"S3\""))
        }
    }

    @Test func `master data of all kinds decides what is available`() throws {
        let files = [
            try folder.file("l.csv", "location,groups,open\nS1,north,true\nS2,north,false\n"),
            try folder.file("g.csv", "group,members\nall,north|S3\n"),
            try folder.file("c.ndjson", "{\"channel\":\"web\",\"default_ttl_seconds\":60}\n"),
            try folder.file("i.csv", "sku,category,name\nA,toys,\"Ball, red\"\n"),
            try folder.file(
                "r.json",
                #"{"safety_stock":[{"id":"r","scope":{"category":"toys"},"units":2}]}"#),
            try folder.file("s.csv", "sku,location,sellable\nA,S1,10\nA,S2,10\nA,S3,10\n"),
        ]
        let kinds: [ImportKind] = [.locations, .groups, .channels, .items, .rules, .stock]
        try withService(createsUnknown: true) { url in
            for (kind, path) in zip(kinds, files) {
                let (_, listed) = try importPieces(kind, path, to: url, byteCount: 1 << 20)
                #expect(listed == [])
            }
            let places = run(
                "query", "A", "--channel", "web", "--group", "all", "--from", "\(url)", "--detail")
            #expect(
                places.output == """
                    SKU   AVAILABLE  MAX SINGLE  LEVEL
                    A            16           8  in
                      S1          8
                      S2          0
                      S3          8

                    """)
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct ImportCommandTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    @Test func `rejected rows make the exit status 1 and are listed on standard error`() throws {
        let path = try folder.file("stock.csv", stockText)
        try withService { url in
            let run = run("import", "stock", path, "--to", "\(url)")
            #expect(run.status == 1)
            #expect(run.errorLines.map { String($0) } == stockRejections.map { "\(path):\($0)" })
            #expect(run.output.hasPrefix("stock \(path): 10 rows in "))
            #expect(run.output.hasSuffix(": 4 accepted, 6 rejected\n"))
        }
    }

    @Test func `rejected rows go to a file on request, which is emptied first`() throws {
        let path = try folder.file("stock.csv", stockText)
        let rejects = try folder.file("rejects", String(repeating: "old\n", count: 1000))
        try withService { url in
            let run = run("import", "stock", path, "--to", "\(url)", "--rejects", rejects)
            #expect(run.status == 1)
            #expect(run.errors == "")
            let wanted = stockRejections.map { "\(path):\($0)\n" }.joined()
            let listed = try folder.text("rejects")
            #expect(listed == wanted)
        }
    }

    @Test func `several files are added up`() throws {
        let one = try folder.file("1.csv", "sku,location,sellable\nA,L,1\n")
        let two = try folder.file("2.csv", "location,sku,on_hand\nL,B,2\nL,C,3\n")
        try withService { url in
            let run = run("import", "stock", one, two, "--to", "\(url)")
            #expect(run.status == 0)
            let lines = run.output.split(separator: "\n")
            #expect(lines.count == 3)
            #expect(lines.first?.hasPrefix("stock \(one): 1 row in ") == true)
            #expect(lines.last?.hasPrefix("stock in all: 3 rows in ") == true)
            #expect(run.errors == "")
        }
    }

    @Test func `a header that is not accepted fails the file, also without rows`() throws {
        let path = try folder.file("stock.csv", "sku,place,sellable\n")
        try withService { url in
            let run = run("import", "stock", path, "--to", "\(url)")
            #expect(run.status == 3)
            #expect(
                run.errors == "holdfast: \(path): unknown_column: the header is not accepted\n")
        }
    }

    @Test func `rules that are refused are a failure that says why`() throws {
        let path = try folder.file("rules.json", #"{"safety_stock":[{"id":"a"}]}"#)
        try withService { url in
            let run = run("import", "rules", path, "--to", "\(url)")
            #expect(run.status == 3)
            #expect(run.errors.hasPrefix("holdfast: \(path): missing_field: "))
            #expect(run.errorLines.count == 1)
        }
    }

    @Test func `a moment ahead of now is refused by the service`() throws {
        let path = try folder.file("stock.csv", "sku,location,sellable\nA,L,1\n")
        try withService { url in
            let run = run(
                "import", "stock", path, "--to", "\(url)", "--as-of", "2999-01-01T00:00:00Z")
            #expect(run.status == 3)
            #expect(run.errors.hasPrefix("holdfast: \(path): bad_time: "))
        }
    }

    @Test func `stock as of a moment leaves later events in force`() throws {
        let events = try folder.file(
            "e.ndjson",
            #"{"id":"1","kind":"sale","sku":"A","location":"L","qty":3,"at":"2025-11-28T09:00:00Z"}"#
        )
        let stock = try folder.file("s.csv", "sku,location,sellable\nA,L,10\n")
        try withService { url in
            #expect(run("import", "events", events, "--to", "\(url)", "--backfill").status == 0)
            #expect(
                run(
                    "import", "stock", stock, "--to", "\(url)", "--as-of",
                    "2025-11-28T09:00:00+01:00"
                ).status == 0)
            #expect(
                run("query", "A", "--from", "\(url)").output
                    == "SKU  AVAILABLE  MAX SINGLE  LEVEL\nA            7           7  in\n")
        }
    }

    @Test func `nobody listening is a failure that names the address`() throws {
        let path = try folder.file("stock.csv", "sku,location,sellable\nA,L,1\n")
        let url = try withService { $0 }
        let run = run("import", "stock", path, "--to", "\(url)")
        #expect(run.status == 3)
        #expect(
            run.errors
                == "holdfast: \(url): cannot connect to \(url.authority): Connection refused "
                + "(errno 111)\n")
    }

    @Test(arguments: [
        (
            ["import"],
            "import what? One of items, locations, channels, groups, rules, stock, events"
        ),
        (["import", "stok", "f"], "stok cannot be imported; did you mean stock?"),
        (["import", "holds", "f"], "holds cannot be imported by this version"),
        (
            ["import", "stock", "--to", "http://h"],
            "import stock needs a file; - is standard input"
        ),
        (
            ["import", "stock", "-", "-", "--to", "http://h"],
            "standard input can be read once only"
        ),
        (
            ["import", "stock", "f"],
            "--to URL is required, for example --to http://127.0.0.1:8080"
        ),
        (
            ["import", "items", "f", "--to", "http://h", "--as-of", "0"],
            "--as-of goes with stock only"
        ),
        (
            ["import", "stock", "f", "--to", "http://h", "--backfill"],
            "--backfill goes with events only"
        ),
        (
            ["import", "stock", "f", "--data", "d"],
            "--data: this version imports into a running service alone: use --to"
        ),
    ])
    func `mistakes are usage errors`(arguments: [String], message: String) {
        let console = Console.capturing()
        #expect(runHoldfast(arguments, console: console) == 2)
        #expect(
            console.captured.errors == "holdfast: \(message); see holdfast help import\n")
    }
}
