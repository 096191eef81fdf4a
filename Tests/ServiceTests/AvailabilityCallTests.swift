import Engine
import Platform
import Service
import Testing

/// POST /v1/availability.
@Suite struct AvailabilityCallTests {
    @Test func `the example of the contract is answered as it is written`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10", "A1,S07,2"])
            let answer = try client.call(
                "POST", "/v1/availability",
                """
                {"channel": "web", "detail": "locations", "items": [
                  {"sku": "A1", "qty": 3, "locations": ["DC1", "S07"]}, {"sku": "NOPE"}]}
                """)
            #expect(answer["as_of"].string?.wholeMatch(of: /20\d\d-\d\d-\d\dT[0-9:.]+Z/) != nil)
            #expect(answer["mark"].string?.isEmpty == false)
            #expect(answer["rules_version"].int == 0)
            let known = answer["items"][0]
            #expect(known["sku"].string == "A1")
            #expect(known["available"].int == 12)
            #expect(known["max_single"].int == 10)
            #expect(known["level"].string == "in")
            #expect(known["satisfied"].bool == true)
            #expect(known["version"].int != nil)
            #expect(known["error"].isAbsent)
            #expect(known["locations"].list.map { $0["location"].string } == ["DC1", "S07"])
            #expect(known["locations"].list.map { $0["available"].int } == [10, 2])
            let unknown = answer["items"][1]
            #expect(unknown["sku"].string == "NOPE")
            #expect(unknown["available"].int == 0)
            #expect(unknown["level"].string == "out")
            #expect(unknown["satisfied"].bool == false)
            #expect(unknown["error"].string == "unknown_sku")
            #expect(answer["items"].list.count == 2)
        }
    }

    @Test func `detail is total unless it says locations`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10", "A1,S07,2"])
            for body in [
                #"{"items":[{"sku":"A1"}]}"#, #"{"detail":"total","items":[{"sku":"A1"}]}"#,
            ] {
                let item = try client.call("POST", "/v1/availability", body)["items"][0]
                #expect(item["available"].int == 12)
                #expect(item["locations"].isAbsent)
            }
            let item = try client.availability([#"{"sku":"A1"}"#], detail: "locations")[0]
            #expect(
                Set(item["locations"].list.map { "\($0["location"]) \($0["available"])" })
                    == ["DC1 10", "S07 2"])
            let refusal = try client.call(
                "POST", "/v1/availability", #"{"items":[],"detail":"all"}"#, expecting: 400)
            #expect(refusal["code"].string == "bad_detail")
        }
    }

    @Test func `an item asks everywhere, at places or in a group`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,1", "A1,L2,20", "A1,L3,300", "A1,L4,4000"])
            _ = try client.call(
                "PUT", "/v1/groups",
                #"{"groups":[{"group":"west","members":["L2","sub"]},"#
                    + #"{"group":"sub","members":["L3"]}]}"#)
            let items = try client.availability([
                #"{"sku":"A1"}"#, #"{"sku":"A1","locations":["L1","L4"]}"#,
                #"{"sku":"A1","group":"west"}"#, #"{"sku":"A1","group":"sub"}"#,
                #"{"sku":"A1","locations":[]}"#, #"{"sku":"A1","locations":["L1","nowhere"]}"#,
                #"{"sku":"A1","group":"east"}"#, #"{"sku":"A1","locations":["L2"]}"#,
            ])
            #expect(items.map { $0["available"].int } == [4321, 4001, 320, 300, 0, 1, 0, 20])
            #expect(items.map { $0["max_single"].int } == [4000, 4000, 300, 300, 0, 1, nil, 20])
            #expect(items[6]["error"].string == "unknown_group")
            #expect(items[5]["error"].isAbsent)
        }
    }

    @Test(arguments: [
        (5, "", true), (0, "", false), (5, #","qty":5"#, true), (5, #","qty":6"#, false),
        (5, #","qty":1"#, true), (0, #","qty":1"#, false), (5, #","qty":2147483647"#, false),
    ])
    func `satisfied is whether the units wanted are there`(
        stock: Int, quantity: String, isSatisfied: Bool
    ) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,\(stock)"])
            let item = try client.availability([#"{"sku":"A1"\#(quantity)}"#])[0]
            #expect(item["satisfied"].bool == isSatisfied)
            #expect(item["level"].string == (stock > 0 ? "in" : "out"))
        }
    }

    @Test func `a location that is listed twice counts once`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10", "A1,S07,2"])
            let item = try client.availability(
                [#"{"sku":"A1","locations":["DC1","S07","DC1","DC1","S07"]}"#],
                detail: "locations")[0]
            #expect(item["available"].int == 12)
            #expect(item["locations"].list.map { $0["location"].string } == ["DC1", "S07"])
        }
    }

    @Test func `a SKU listed twice is answered twice`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10", "B1,DC1,7"])
            let items = try client.availability([
                #"{"sku":"A1"}"#, #"{"sku":"B1"}"#, #"{"sku":"A1","qty":11}"#,
            ])
            #expect(items.map { $0["available"].int } == [10, 7, 10])
            #expect(items.map { $0["satisfied"].bool } == [true, true, false])
        }
    }

    @Test(arguments: [
        (#"{}"#, "missing_field"), (#"{"qty":1}"#, "missing_field"),
        (#"{"sku":""}"#, "identifier_empty"),
        (#"{"sku":"\#(String(repeating: "x", count: 65))"}"#, "identifier_too_long"),
        (#"{"sku":"\#(String(repeating: "é", count: 33))"}"#, "identifier_too_long"),
        (#"{"sku":"A\u0000"}"#, "identifier_control_character"),
        (#"{"sku":"A\u0085"}"#, "identifier_control_character"),
        (#"{"sku":"A1","qty":0}"#, "bad_quantity"), (#"{"sku":"A1","qty":-3}"#, "bad_quantity"),
        (#"{"sku":"A1","qty":2147483648}"#, "bad_quantity"),
        (#"{"sku":"A1","locations":["DC1"],"group":"g"}"#, "locations_and_group"),
        (#"{"sku":"A1","group":"g","locations":["DC1"]}"#, "locations_and_group"),
        (#"{"sku":1}"#, "bad_item"), (#"{"sku":null}"#, "bad_item"), (#""A1""#, "bad_item"),
        (#"17"#, "bad_item"), (#"null"#, "bad_item"), (#"["A1"]"#, "bad_item"),
        (#"{"sku":"A1","locations":"DC1"}"#, "bad_item"),
        (#"{"sku":"A1","locations":["DC1",7]}"#, "bad_item"),
        (#"{"sku":"A1","group":[]}"#, "bad_item"),
        (#"{"sku":"A1","sku":"A1"}"#, "bad_item"),
        (#"{"sku":"A1","\u0073ku":"A1"}"#, "bad_item"),
    ])
    func `what is wrong with one item is said there, and the others are answered`(
        item: String, code: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10", "B1,DC1,7"])
            let items = try client.availability(
                [#"{"sku":"A1","locations":["DC1"]}"#, item, #"{"sku":"B1","locations":["DC1"]}"#],
                detail: "locations")
            #expect(items.map { $0["error"].string } == [nil, code, nil])
            #expect(items.map { $0["available"].int } == [10, 0, 7])
            #expect(items[1]["satisfied"].bool == false)
            #expect(items[2]["locations"][0]["available"].int == 7)
        }
    }

    @Test(arguments: [
        "0", "-0", "-1", "9223372036854775808", "1e308", "NaN", "1.5", "1.0", #""1""#, "01", "+1",
        "0x1", "1e2", "\u{661}", "Infinity", "null", "true", "[1]",
    ])
    func `a quantity that is not a whole number above 0 is never rounded`(text: String) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10"])
            let answer = try client.ask(
                "POST", "/v1/availability",
                body: Array(#"{"items":[{"sku":"A1","qty":\#(text)},{"sku":"A1"}]}"#.utf8))
            // What is no JSON at all is refused whole; what is, alone.
            if answer.status == 200 {
                let items = try Document(reading: answer.body)["items"].list
                #expect(items[0]["error"].string == "bad_quantity")
                #expect(items[0]["satisfied"].bool == false)
                #expect(items[0]["sku"].string == "A1")
                #expect(items[1]["available"].int == 10)
            } else {
                #expect(answer.status == 400)
                #expect(["NaN", "01", "+1", "0x1", "\u{661}", "Infinity"].contains(text))
            }
            #expect(try client.isServed())
        }
    }

    @Test func `escapes in names mean the same names`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10", "é/\u{1F600},Süd,3"])
            _ = try client.call(
                "PUT", "/v1/groups", #"{"groups":[{"group":"gé","members":["S\u00fcd"]}]}"#)
            let items = try client.availability(
                [
                    #"{"\u0073ku":"\u0041\u0031","locations":["DC1","\u0044C1"]}"#,
                    #"{"sku":"A1","locations":["\u0044C1"]}"#,
                    #"{"sku":"\u00e9\/\ud83d\ude00","locations":["S\u00fcd"]}"#,
                    #"{"sku":"é/😀","locations":["Süd"]}"#,
                    #"{"sku":"\u00e9/\ud83d\ude00","group":"g\u00e9"}"#,
                    #"{"sku":"\u004eOPE"}"#, #"{"sku":"A1"}"#,
                ], detail: "locations")
            #expect(items.map { $0["available"].int } == [10, 10, 3, 3, 3, 0, 10])
            #expect(
                items.map { $0["sku"].string } == ["A1", "A1", "é/😀", "é/😀", "é/😀", "NOPE", "A1"])
            #expect(
                items.map { $0["locations"][0]["location"].string } == [
                    "DC1", "DC1", "Süd", "Süd", "Süd", nil, "DC1",
                ])
            #expect(items[0]["locations"].list.count == 1)
        }
    }

    @Test(arguments: [
        #"{"items":[{"sku":"A1"}],"channel":"w\u0065b"}"#,
        #"{"channel":"web","items":[{"sku":"A1"}]}"#,
        #" { "channel" : "web" , "owner" : "o" , "hold" : "h" , "items" : [ { "sku" : "A1" } ] } "#,
        #"{"note":{"items":[1]},"items":[{"note":[{}],"sku":"A1"}],"detail":"total","more":1.5}"#,
        "{\r\n\t\"items\":\n[{\"sku\":\"A1\"}]}\r\n",
    ])
    func `members may come in any order, among others`(body: String) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10"])
            let items = try client.call("POST", "/v1/availability", body)["items"].list
            #expect(items.map { $0["available"].int } == [10])
        }
    }

    @Test(arguments: [
        ("", "truncated"), ("{}", "missing_field"), ("[]", "wrong_kind"),
        ("xyz", "unexpected_byte"),
        (#"{"items":{}}"#, "wrong_kind"), (#"{"items":[{"sku":"A1"}"#, "truncated"),
        (#"{"items":[]} x"#, "trailing_bytes"), (#"{"items":[],"items":[]}"#, "duplicate_key"),
        (#"{"items":[],"channel":7}"#, "wrong_kind"),
        (#"{"items":[],"channel":"\u0001"}"#, "identifier_control_character"),
        (#"{"items":[{"sku":"A1",}]}"#, "unexpected_byte"),
        (#"{"items":[{"sku":"A1"},]}"#, "unexpected_byte"),
        (#"{"items":[],"by":"2026-01-01"}"#, "unsupported_field"),
        (#"{"items":[{"sku":"\ud800"}]}"#, "lone_surrogate"),
        ("{\"items\":[{\"sku\":\"\u{1}\"}]}", "control_character"),
        (#"{"items":[],"after":"garbage"}"#, "unknown_mark"),
    ])
    func `a request that is wrong as a whole is a problem with a code`(
        body: String, code: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.ask("POST", "/v1/availability", body: Array(body.utf8))
            #expect(answer.status == (code == "unknown_mark" ? 409 : 400))
            #expect(header("content-type", of: answer) == "application/problem+json")
            let problem = try Document(reading: answer.body)
            #expect(problem["code"].string == code)
            #expect(problem["status"].int == answer.status)
            #expect(problem["title"].string?.isEmpty == false)
            #expect(problem["type"].string == "urn:holdfast:problem:\(code)")
            #expect(try client.isServed())
        }
    }

    @Test func `where unknown names are refused, channels and locations are known by name`() throws
    {
        try withService {
            $0.engine.createsUnknown = false
        } _: { here in
            var client = try here.connect()
            _ = try client.call("PUT", "/v1/locations", #"[{"location":"DC1"},{"location":"S07"}]"#)
            _ = try client.call("PUT", "/v1/channels", #"[{"channel":"web"}]"#)
            _ = try client.call("PUT", "/v1/items", #"[{"sku":"A1"}]"#)
            try client.put(stock: ["A1,DC1,10"])
            let problem = try client.call(
                "POST", "/v1/availability", #"{"channel":"app","items":[{"sku":"A1"}]}"#,
                expecting: 404)
            #expect(problem["code"].string == "unknown_channel")
            // One that was accepted before vouches for itself alone, however it is written.
            for (channel, status) in [
                ("web", 200), ("app", 404), ("web", 200), ("we", 404), ("webs", 404),
                (#"w\u0065b"#, 200), (#"w\u0065c"#, 404),
            ] {
                _ = try client.call(
                    "POST", "/v1/availability",
                    #"{"channel":"\#(channel)","items":[{"sku":"A1"}]}"#, expecting: status)
            }
            let items = try client.call(
                "POST", "/v1/availability",
                """
                {"channel":"web","items":[{"sku":"A1","locations":["DC1","S07"]},
                 {"sku":"A1","locations":["DC1","S08"]},{"sku":"NOPE"},{"sku":"A1"}]}
                """)["items"].list
            #expect(
                items.map { $0["error"].string } == [nil, "unknown_location", "unknown_sku", nil])
            #expect(items.map { $0["available"].int } == [10, 0, 0, 10])
        }
    }

    @Test func `only marks that were given are taken`() throws {
        var foreign = ""
        try withService { here in
            var client = try here.connect()
            foreign =
                try client.post(events: [event("1", "receipt", "A1", "DC1", 1)])["mark"]
                .string ?? ""
        }
        try withService { here in
            var client = try here.connect()
            let mark = try #require(
                try client.post(events: [event("1", "receipt", "A1", "DC1", 1)])["mark"].string)
            func ask(_ mark: String, _ status: Int, _ client: inout Client) throws {
                let body = #"{"items":[{"sku":"A1"}],"after":"\#(mark)"}"#
                let answer = try client.call(
                    "POST", "/v1/availability", body, expecting: status)
                if status == 200 { #expect(answer["items"][0]["available"].int == 1) }
                if status != 200 { #expect(answer["code"].string == "unknown_mark") }
            }
            try ask(mark, 200, &client)
            try ask(foreign, 409, &client)
            // Identity, life, changes.
            let parts = mark.split(separator: "-")
            try #require(parts.count == 3)
            let life = "\(parts[0])-\(parts[1])"
            for bad in [
                "\(life)-999999", "\(life)-", "\(life)--1", life, "\(parts[0])-999-0",
                "\(parts[0])", "x",
            ] { try ask(bad, 409, &client) }
            try ask("\(life)-0", 200, &client)
        }
    }

    @Test func `a hundred thousand pairs are answered in pieces, each right`() throws {
        try withService { here in
            var client = try here.connect()
            var lines: [String] = []
            for sku in 0..<60 {
                for place in 0..<5 { lines.append("S\(sku),L\(place),\(sku + place)") }
            }
            try client.put(stock: lines)
            var expected = 0
            let items = (0..<25_000).map { index in
                let sku = index % 61  // The last one is not known.
                if sku < 60 { expected += 4 * sku + 6 }
                // Every 97th name needs decoding.
                let name = index % 97 == 0 ? "\\u0053\(sku)" : "S\(sku)"
                return #"{"sku":"\#(name)","locations":["L0","L1","L2","L3"]}"#
            }
            let answer = try client.ask(
                "POST", "/v1/availability",
                body: Array(#"{"items":[\#(items.joined(separator: ","))]}"#.utf8))
            #expect(answer.status == 200)
            #expect(header("transfer-encoding", of: answer) == "chunked")
            let answers = try Document(reading: answer.body)["items"].list
            #expect(answers.count == 25_000)
            #expect(answers.reduce(0) { $0 + ($1["available"].int ?? -1) } == expected)
            var wrong = 0
            for (index, item) in answers.enumerated() where item["sku"].string != "S\(index % 61)" {
                wrong += 1
            }
            #expect(wrong == 0)
            #expect(try client.isServed())
        }
    }

    @Test func `a long question that is malformed at its end is refused before it is answered`()
        throws
    {
        try withService { here in
            var client = try here.connect()
            let items = Array(repeating: #"{"sku":"A1"}"#, count: 2000).joined(separator: ",")
            for end in ["]", "}", ",]}", "]}}", #","x"]}"#] {
                let body = #"{"items":[\#(items)\#(end)"#
                let isWhole = end == #","x"]}"#
                let answer = try client.call(
                    "POST", "/v1/availability", body, expecting: isWhole ? 200 : 400)
                if isWhole { #expect(answer["items"][2000]["error"].string == "bad_item") }
            }
        }
    }

    @Test func `a long answer to an old client ends with the connection`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,2"])
            let items = Array(repeating: #"{"sku":"A1"}"#, count: 1500).joined(separator: ",")
            let body = #"{"items":[\#(items)]}"#
            var old = try here.connect()
            try old.send(
                "POST /v1/availability HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            )
            let answer = try old.answer()
            #expect(header("transfer-encoding", of: answer) == nil)
            #expect(try Document(reading: answer.body)["items"].list.count == 1500)
            #expect(try old.isClosed())
        }
    }

    @Test func `a body may wait to be asked for, and come in chunks`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,DC1,10"])
            let body = Array(#"{"items":[{"sku":"A1"}]}"#.utf8)
            try client.send(
                "POST /v1/availability HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n")
            #expect(try client.answer().status == 100)
            try client.send(body)
            #expect(try Document(reading: client.answer().body)["items"][0]["available"].int == 10)
            for size in [1, 7, 1000] {
                try client.send(
                    "POST /v1/availability HTTP/1.1\r\nHost: x\r\n"
                        + "Transfer-Encoding: chunked\r\n\r\n")
                try client.send(chunked(body, by: size))
                let answer = try Document(reading: client.answer().body)
                #expect(answer["items"][0]["available"].int == 10)
            }
        }
    }

    @Test func `pipelined writes and reads keep their order, and reads see the writes`() throws {
        try withService { here in
            var client = try here.connect()
            var bytes: [UInt8] = []
            for number in 1...150 {
                bytes += request(
                    "POST", "/v1/events",
                    body: Array(event("\(number)", "receipt", "A1", "L\(number % 3)", 1).utf8))
                bytes += request(
                    "POST", "/v1/availability", body: Array(#"{"items":[{"sku":"A1"}]}"#.utf8))
                if number % 10 == 0 { bytes += request("GET", "/v1/positions/A1") }
                if number % 10 == 5 { bytes += request("GET", "/v1/availability/A1?location=L0") }
            }
            try client.send(bytes)
            for number in 1...150 {
                #expect(try Document(reading: client.answer().body)["accepted"].int == 1)
                let read = try Document(reading: client.answer().body)
                #expect(read["items"][0]["available"].int == number)
                if number % 10 == 0 {
                    let positions = try Document(reading: client.answer().body)["positions"].list
                    #expect(positions.reduce(0) { $0 + ($1["on_hand"].int ?? 0) } == number)
                }
                if number % 10 == 5 {
                    let item = try Document(reading: client.answer().body)["items"][0]
                    #expect(item["available"].int == number / 3)
                }
            }
        }
    }

    @Test func `the head of a call that takes a body only is refused with the method to use`()
        throws
    {
        try withService { here in
            var client = try here.connect()
            for method in ["HEAD", "GET", "PUT", "DELETE"] {
                let answer = try client.ask(method, "/v1/availability")
                #expect(answer.status == 405)
                #expect(header("allow", of: answer) == "POST")
            }
        }
    }

    @Test func `a question about every location is answered in pieces, each location once`() throws
    {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: (0..<1000).map { "A1,L\($0),\($0)" } + ["B1,L7,3"])
            let items = (0..<60).map { #"{"sku":"\#($0 % 3 == 0 ? "B1" : "A1")"}"# }
            // The wish for locations may come behind the items.
            for body in [
                #"{"detail":"locations","items":[\#(items.joined(separator: ","))]}"#,
                #"{"items":[\#(items.joined(separator: ","))],"chann\u0065l":"w\u0065b","detail":"locations"}"#,
            ] {
                let answer = try client.ask("POST", "/v1/availability", body: Array(body.utf8))
                #expect(header("transfer-encoding", of: answer) == "chunked")
                let answers = try Document(reading: answer.body)["items"].list
                #expect(answers.count == 60)
                for (index, item) in answers.enumerated() {
                    let isB = index % 3 == 0
                    #expect(item["available"].int == (isB ? 3 : 499_500))
                    #expect(item["locations"].list.count == (isB ? 1 : 1000))
                }
            }
            // Places that are listed count as well.
            let places = (0..<1000).map { #""L\#($0)""# }.joined(separator: ",")
            let listed = Array(repeating: #"{"sku":"A1","locations":[\#(places)]}"#, count: 30)
            let answer = try client.availability(listed)
            #expect(answer.map { $0["available"].int } == Array(repeating: 499_500, count: 30))
        }
    }
}
