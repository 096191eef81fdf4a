import Engine
import Service
import Testing

/// POST /v1/stock and PUT /v1/items.
@Suite struct StockCallTests {
    private static let csv = "Content-Type: text/csv\r\n"

    @Test(arguments: [
        "sku,location,sellable,returned,damaged,blocked\nA1,DC1,5,1,2,3\n",
        "blocked,damaged,returned,sellable,location,sku\n3,2,1,5,DC1,A1",
        "sku,location,on_hand,returned,damaged,blocked\r\nA1,DC1,11,1,2,3\r\n",
        "sku,location,on_hand,sellable,returned,damaged,blocked\nA1,DC1,11,5,1,2,3\n",
        "\u{FEFF}sku,location,sellable,returned,damaged,blocked\n\nA1,DC1,5,1,2,3\n\n",
        "\"sku\",location,\"sellable\",returned,damaged,blocked\n\"A1\",\"DC1\",\"5\",1,2,3\n",
    ])
    func `columns may stand in any order, and on hand may take the place of sellable`(
        body: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.call("POST", "/v1/stock", body, headers: Self.csv)
            #expect(answer["accepted"].int == 1, "\(answer)")
            let position = try client.position("A1", "DC1")
            #expect(position["sellable"].int == 5)
            #expect(position["returned"].int == 1)
            #expect(position["damaged"].int == 2)
            #expect(position["blocked"].int == 3)
            #expect(position["on_hand"].int == 11)
        }
    }

    @Test(arguments: [
        (#"{"sku":"A1","location":"DC1","sellable":5}"#, 5, 5),
        (#"{"sku":"A1","location":"DC1","on_hand":5}"#, 5, 5),
        (#"{"sku":"A1","location":"DC1","on_hand":5,"damaged":2}"#, 3, 5),
        (
            #"{"on_hand":5,"blocked":0,"note":[1],"damaged":2,"sku":"\u00411","location":"DC1"}"#,
            3, 5
        ),
        (#"{"sku":"A1","location":"DC1","damaged":2}"#, 0, 2),
        (#"{"sku":"A1","location":"DC1","on_hand":5,"damaged":5}"#, 0, 5),
        (#"{"sku":"A1","location":"DC1","sellable":2147483647}"#, 2_147_483_647, 2_147_483_647),
    ])
    func `a row may be JSON`(row: String, sellable: Int, onHand: Int) throws {
        try withService { here in
            var client = try here.connect()
            for body in ["[\(row)]", row, "\n\(row)\n"] {
                let answer = try client.call("POST", "/v1/stock?mode=upsert", body)
                #expect(answer["accepted"].int == 1, "\(answer)")
                let position = try client.position("A1", "DC1")
                #expect(position["sellable"].int == sellable)
                #expect(position["on_hand"].int == onHand)
            }
        }
    }

    @Test func `bad rows are listed by line, and the others are taken`() throws {
        try withService { here in
            var client = try here.connect()
            let long = String(repeating: "x", count: 65)
            let rows: [(String, String?)] = [
                ("A1,DC1,1,,", nil), ("", "-"), (",DC1,1,,", "missing_field"),
                ("A2,,1,,", "missing_field"), ("A2,DC1,-1,,", "bad_quantity"),
                ("A2,DC1,1.5,,", "bad_quantity"), ("A2,DC1,1e3,,", "bad_quantity"),
                ("A2,DC1,01,,", "bad_quantity"), ("A2,DC1, 1,,", "bad_quantity"),
                ("A2,DC1,\u{661},,", "bad_quantity"), ("A2,DC1,NaN,,", "bad_quantity"),
                ("A2,DC1,2147483648,,", "quantity_out_of_range"),
                ("A2,DC1,9223372036854775808,,", "bad_quantity"),
                ("A2,DC1,,,", "missing_field"), ("A2,DC1,1", "wrong_field_count"),
                ("A2,DC1,1,,,", "wrong_field_count"), ("\(long),DC1,1,,", "identifier_too_long"),
                ("A2,DC\u{1},1,,", "identifier_control_character"),
                ("\"A2\nB2\",DC1,1,,", "identifier_control_character"),
                ("A2,\"DC\r\n\n1\",1,,", "identifier_control_character"),
                ("A\"2,DC1,1,,", "bad_quoting"), ("\"A2\"x,DC1,1,,", "bad_quoting"),
                ("A2,DC1,1,,2", "contradicting_quantities"),
                ("A2,DC1,,3,2", "contradicting_quantities"),
                ("\"A\"\"3\",\"D,1\",1,2,3", nil), ("A4,DC1,4,,", nil),
            ]
            var body = "sku,location,sellable,damaged,on_hand\n"
            var expected: [String] = []
            var line = 2
            for (text, code) in rows {
                if let code, code != "-" { expected.append("\(line) \(code)") }
                line += 1 + text.count { $0 == "\n" || $0 == "\r\n" }
                body += text + "\n"
            }
            let answer = try client.call("POST", "/v1/stock", body, headers: Self.csv)
            let listed = answer["rejected"].list
                .map { ($0["line"].int ?? -1, $0["code"].string ?? "?") }
                .sorted { $0.0 < $1.0 }.map { "\($0.0) \($0.1)" }
            #expect(listed == expected)
            #expect(answer["accepted"].int == 3)
            #expect(answer["rejected_count"].int == expected.count)
            #expect(try client.position("A1", "DC1")["sellable"].int == 1)
            #expect(try client.position("A%223", "D,1")["on_hand"].int == 3)
            #expect(try client.position("A4", "DC1")["sellable"].int == 4)
            #expect(try client.position("A2", "DC1").isAbsent)
        }
    }

    @Test(arguments: [1, 5, 4096])
    func `lines are counted whatever the pieces and the blank lines between`(size: Int) throws {
        try withService { here in
            var client = try here.connect()
            let csv = "sku,location,sellable\n\nA1,DC1,1\n\"A\n\n2\",DC1,1\n\r\nB,DC1,x\nC,DC1,3"
            let json =
                "\n{\"sku\":\"A1\",\"location\":\"DC1\",\"sellable\":1}\n\n\n{}\r\n"
                + " \n{\"sku\":\"B\"}\n\n{\"sku\":\"C\",\"location\":\"DC1\",\"sellable\":3}\nx"
            for (body, type, lines) in [
                (csv, "text/csv", [4, 8]), (json, "application/json", [5, 7, 10]),
            ] {
                try client.send(
                    "POST /v1/stock HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n")
                try client.send(chunked(Array(body.utf8), by: size))
                let answer = try Document(reading: client.answer().body)
                #expect(answer["rejected"].list.map { $0["line"].int } == lines, "\(answer)")
                #expect(answer["accepted"].int == 2)
            }
        }
    }

    @Test(arguments: [
        ("sku,sellable\n", "missing_column"), ("sku,location,sellable,sku\n", "duplicate_column"),
        ("sku,location,stock\n", "unknown_column"), ("SKU,location,sellable\n", "unknown_column"),
        ("sku;location;sellable\n", "unknown_column"),
    ])
    func `a header that is not understood refuses the file`(header: String, code: String) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.call(
                "POST", "/v1/stock", header + "A1,DC1,1\n", headers: Self.csv, expecting: 400)
            #expect(answer["code"].string == code)
            #expect(try client.position("A1", "DC1").isAbsent)
        }
    }

    @Test func `a file that was written before holds as of then`() throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.post(events: [
                event("1", "receipt", "A1", "DC1", 100, #","at":"2025-06-01T00:00:00Z""#),
                event("2", "sale", "A1", "DC1", 3, #","at":"2025-06-02T12:00:00Z""#),
                event(
                    "3", "receipt", "A1", "DC1", 2, #","at":"2025-06-02T13:00:00Z","to":"damaged""#),
            ])
            #expect(answer["accepted"].int == 3)
            let stock = try client.call(
                "POST", "/v1/stock?as_of=2025-06-02T00%3A00%3A00Z",
                #"{"sku":"A1","location":"DC1","sellable":50,"damaged":1}"#)
            #expect(stock["accepted"].int == 1)
            let position = try client.position("A1", "DC1")
            #expect(position["sellable"].int == 47)
            #expect(position["damaged"].int == 3)
            // An event from before the file came late: it is in the file's numbers.
            let late = event("4", "sale", "A1", "DC1", 9, #","at":"2025-06-01T12:00:00Z""#)
            #expect(try client.post(events: [late])["accepted"].int == 1)
            #expect(try client.position("A1", "DC1")["sellable"].int == 47)
        }
    }

    @Test(arguments: [
        ("mode=replace", "unsupported_mode"), ("mode=", "unsupported_mode"),
        ("as_of=tomorrow", "bad_time"), ("as_of=2999-01-01T00:00:00Z", "bad_time"),
        ("as_of=", "bad_time"), ("as_of=%zz", "bad_time"), ("mode=%zz", "unsupported_mode"),
    ])
    func `parameters that cannot be met are refused before anything is taken`(
        query: String, code: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.call(
                "POST", "/v1/stock?\(query)", #"{"sku":"A1","location":"DC1","sellable":1}"#,
                expecting: 400)
            #expect(answer["code"].string == code)
            #expect(try client.position("A1", "DC1").isAbsent)
        }
    }

    @Test func `where unknown names are refused, rows are listed and not parked`() throws {
        try withService {
            $0.engine.createsUnknown = false
        } _: { here in
            var client = try here.connect()
            _ = try client.call("PUT", "/v1/locations", #"[{"location":"DC1"}]"#)
            _ = try client.call("PUT", "/v1/items", #"[{"sku":"A1"}]"#)
            let answer = try client.call(
                "POST", "/v1/stock", "sku,location,sellable\nA1,DC1,1\nB1,DC1,1\nA1,X,1",
                headers: Self.csv)
            #expect(rejections(answer) == ["1 unknown_sku", "2 unknown_location"])
            #expect(answer["accepted"].int == 1)
            #expect(try client.ask("GET", "/v1/dead-letters").body.isEmpty)
        }
    }

    @Test func `items have a name and a category, as they were last put`() throws {
        try withService { here in
            var client = try here.connect()
            let csv = "sku,name,category\nA1,\"Phone, \"\"big\"\"\",phones\nB1,,\n,x,y\n"
            let answer = try client.call("PUT", "/v1/items", csv, headers: Self.csv)
            #expect(answer["accepted"].int == 2)
            #expect(answer["rejected"][0]["line"].int == 4)
            #expect(answer["rejected"][0]["code"].string == "missing_field")
            let item = try client.call("GET", "/v1/items/A1")
            #expect(item["sku"].string == "A1")
            #expect(item["name"].string == "Phone, \"big\"")
            #expect(item["category"].string == "phones")
            #expect(try client.call("GET", "/v1/items/B1")["category"].isAbsent)
            let lines = #"{"sku":"A1","name":"\u00c9t\u00e9\n","category":"s/1"}"#
            #expect(try client.call("PUT", "/v1/items", lines)["accepted"].int == 1)
            let changed = try client.call("GET", "/v1/items/A%31")
            #expect(changed["name"].string == "Été\n")
            #expect(changed["category"].string == "s/1")
            let problem = try client.call("GET", "/v1/items/NOPE", expecting: 404)
            #expect(problem["code"].string == "unknown_sku")
            let long = String(repeating: "n", count: 1025)
            let refused = try client.call("PUT", "/v1/items", #"{"sku":"C","name":"\#(long)"}"#)
            #expect(rejections(refused) == ["0 name_too_long"])
        }
    }

    @Test func `a catalogue that is put again takes no more memory`() throws {
        try withService {
            $0.engine.shardCount = 1
        } _: { here in
            var client = try here.connect()
            func memory(_ client: inout Client) throws -> Int {
                let metrics = try client.ask("GET", "/metrics").text
                let line = metrics.split(separator: "\n").first {
                    $0.hasPrefix("holdfast_shard_memory_bytes ")
                }
                return Int(line?.split(separator: " ").last ?? "") ?? -1
            }
            let name = String(repeating: "n", count: 1000)
            let items = (0..<500).map { #"{"sku":"A\#($0)","name":"\#(name)\#($0)"}"# }
            let body = items.joined(separator: "\n")
            _ = try client.call("PUT", "/v1/items", body)
            let before = try memory(&client)
            for _ in 0..<15 { _ = try client.call("PUT", "/v1/items", body) }
            #expect(try memory(&client) == before)
            _ = try client.call("PUT", "/v1/items", #"{"sku":"A7","name":"seven"}"#)
            #expect(try client.call("GET", "/v1/items/A7")["name"].string == "seven")
            #expect(try client.call("GET", "/v1/items/A8")["name"].string == name + "8")
        }
    }
}
