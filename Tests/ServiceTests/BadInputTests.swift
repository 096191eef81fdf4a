import Engine
import Service
import Testing

/// Input that no correct caller sends. The service refuses it by name, loses nothing else of the
/// batch, and goes on.
@Suite struct BadInputTests {
    @Test(arguments: [64, 65, 600, 60_000])
    func `a name that a kind has no use for is checked all the same`(byteCount: Int) throws {
        try withService { here in
            var client = try here.connect()
            let place = String(repeating: "x", count: byteCount)
            let answer = try client.post(events: [
                event("1", "receipt", "A1", "DC1", 1, #","to_location":"\#(place)""#),
                event("2", "receipt", "A1", "DC1", 1),
            ])
            #expect(rejections(answer) == (byteCount > 64 ? ["0 identifier_too_long"] : []))
            #expect(answer["accepted"].int == (byteCount > 64 ? 1 : 2))
            #expect(try client.isServed())
        }
    }

    @Test(arguments: [
        ("0", "bad_quantity"), ("-0", "negative_zero"), ("-1", "bad_quantity"),
        ("2147483648", "quantity_out_of_range"), ("9223372036854775807", "quantity_out_of_range"),
        ("9223372036854775808", "number_out_of_range"), ("1e308", "has_exponent"),
        ("1e2", "has_exponent"), ("1.5", "not_an_integer"), ("1.0", "not_an_integer"),
        (#""1""#, "wrong_kind"), ("null", "wrong_kind"), ("true", "wrong_kind"),
        ("[1]", "wrong_kind"), ("01", "leading_zero"), ("-", "bad_number"),
        ("NaN", "unexpected_byte"), ("+1", "unexpected_byte"), ("0x1", "unexpected_byte"),
        ("Infinity", "unexpected_byte"), ("\u{661}", "unexpected_byte"),
        ("1_000", "unexpected_byte"),
        (String(repeating: "9", count: 60_000), "number_out_of_range"),
    ])
    func `a quantity is a whole number or refused, never rounded`(
        quantity: String, code: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            let bad = #"{"id":"b","kind":"sale","sku":"A1","location":"DC1","qty":\#(quantity)}"#
            let body =
                "\(event("1", "receipt", "A1", "DC1", 1))\n\(bad)\n"
                + "\(event("2", "receipt", "A1", "DC1", 1))\n"
            let answer = try client.call("POST", "/v1/events", body)
            #expect(rejections(answer) == ["1 \(code)"])
            #expect(answer["accepted"].int == 2)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 2)
            let row = #"{"sku":"B1","location":"DC1","sellable":\#(quantity)}"#
            let stock = try client.call("POST", "/v1/stock", row)
            #expect(stock["accepted"].int == (quantity == "0" ? 1 : 0))
        }
    }

    @Test func `an item of ten megabytes costs itself alone`() throws {
        try withService { here in
            var client = try here.connect()
            let long = String(repeating: "x", count: 10 << 20)
            let good = { event($0, "receipt", "A1", "DC1", 1) }
            let lines = "\(good("1"))\n\(event("b", "sale", long, "DC1", 1))\n\(good("2"))"
            let events = try client.call("POST", "/v1/events", lines)
            #expect(rejections(events) == ["1 value_too_long"])
            #expect(events["accepted"].int == 2)

            let rows = "sku,location,sellable\nB1,DC1,1\n\(long),DC1,1\nB1,DC2,1\n"
            let stock = try client.call(
                "POST", "/v1/stock", rows, headers: "Content-Type: text/csv\r\n")
            #expect(rejections(stock) == ["1 row_too_long"])
            #expect(stock["rejected"][0]["line"].int == 3)
            #expect(stock["accepted"].int == 2)

            let question = #"{"items":[{"sku":"A1"},{"sku":"\#(long)"},{"sku":"B1"}]}"#
            let answer = try client.ask("POST", "/v1/availability", body: Array(question.utf8))
            let items = try Document(reading: answer.body)["items"].list
            #expect(items.map { $0["available"].int } == [2, 0, 2])
            #expect(items[1]["error"].string == "identifier_too_long")
            #expect(answer.body.count < 1000)
        }
    }

    @Test func `an element of an array that is too long ends the array, not what came before`()
        throws
    {
        try withService { here in
            var client = try here.connect()
            let long = String(repeating: "x", count: 1 << 20)
            let answer = try client.post(
                events: [
                    event("1", "receipt", "A1", "DC1", 1), event("b", "sale", long, "DC1", 1),
                    event("2", "receipt", "A1", "DC1", 1),
                ], expecting: 400)
            #expect(answer["code"].string == "value_too_long")
            #expect(answer["accepted"].int == 1)
            #expect(try client.isServed())
        }
    }

    @Test(arguments: ["[", #"{"a":"#])
    func `what is nested a hundred thousand deep is refused as that`(unit: String) throws {
        try withService { here in
            var client = try here.connect()
            let deep = String(repeating: unit, count: 100_000)
            let good = { event($0, "receipt", "A1", "DC1", 1) }
            // Within one line's limit of size, and beyond it.
            for count in [10_000, 100_000] {
                let text = deep.prefix(unit.count * count)
                let answer = try client.call(
                    "POST", "/v1/events", "\(good("1"))\n\(text)\n\(good("2"))")
                let taken = (answer["accepted"].int ?? 0) + (answer["duplicates"].int ?? 0)
                #expect(taken == 2)
                let isLong = text.utf8.count > 64 << 10
                let code = isLong ? "value_too_long" : unit == "[" ? "wrong_kind" : "too_deep"
                #expect(rejections(answer) == ["1 \(code)"])
            }
            let array = try client.call(
                "POST", "/v1/events", "[\(good("3")),\(deep)", expecting: 400)
            #expect(array["code"].string == "too_deep")
            #expect(array["accepted"].int == 1)
            for body in [#"{"items":[\#(deep)"#, #"{"items":[{"sku":"A1","x":\#(deep)"#, deep] {
                let answer = try client.call("POST", "/v1/availability", body, expecting: 400)
                #expect(["too_deep", "wrong_kind"].contains(answer["code"].string ?? ""))
            }
            for path in ["/v1/rules", "/v1/groups", "/v1/locations", "/v1/channels"] {
                let answer = try client.call("PUT", path, deep, expecting: 400)
                let codes = ["too_deep", "wrong_kind", "unknown_field"]
                #expect(codes.contains(answer["code"].string ?? ""))
            }
            #expect(try client.position("A1", "DC1")["on_hand"].int == 3)
        }
    }

    @Test func `a body of any bytes is answered, and the service goes on`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(seed)
        let words = [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "\r\n", "\"id\"", "\"kind\":\"sale\"",
            "\"items\":", "\"sku\":\"A1\"", "\"qty\":1", "null", "-1e9", "\u{0}", "é", "\\u00e9",
            "sku,location,sellable", "A1,L1,1", "\"location\":\"L1\"", "\"safety_stock\":",
            "\\ud83d",
        ]
        try withService { here in
            var client = try here.connect()
            let calls = [
                ("POST", "/v1/events"), ("POST", "/v1/stock"), ("PUT", "/v1/items"),
                ("POST", "/v1/availability"), ("PUT", "/v1/rules"), ("PUT", "/v1/groups"),
                ("PUT", "/v1/locations"), ("PUT", "/v1/channels"),
            ]
            for _ in 0..<400 {
                var body: [UInt8] = []
                for _ in 0..<Int(random.next() % 40) {
                    if random.next() % 8 == 0 {
                        body.append(UInt8(truncatingIfNeeded: random.next()))
                    } else {
                        body += Array((words.randomElement(using: &random) ?? "").utf8)
                    }
                }
                let (method, path) = calls[Int(random.next() % 8)]
                let isCSV = random.next() % 2 == 0 && (path == "/v1/stock" || path == "/v1/items")
                let answer = try client.ask(
                    method, path, headers: isCSV ? "Content-Type: text/csv\r\n" : "", body: body)
                #expect([200, 400, 422].contains(answer.status), "seed \(seed)")
                #expect(throws: Never.self, "seed \(seed): \(body)") {
                    _ = try Document(reading: answer.body)
                }
            }
            for _ in 0..<400 {
                var target = "/v1/availability/"
                for _ in 0..<Int(random.next() % 12) {
                    let parts = [
                        "A", "%41", "%", "%zz", "?", "&", "=", "location", "qty", "1", "+", "%FF",
                    ]
                    target += parts.randomElement(using: &random) ?? ""
                }
                let answer = try client.ask("GET", target)
                #expect([200, 400, 404].contains(answer.status), "seed \(seed): \(target)")
            }
            #expect(try client.isServed())
        }
    }
}
