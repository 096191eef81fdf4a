import Engine
import Service
import Testing

/// Rules, locations, groups and channels.
@Suite struct DocumentCallTests {
    @Test(arguments: [
        ("locations", #"{"locations":[{"location":"L1"}]}"#),
        ("groups", #"{"groups":[{"group":"g","members":["L1"]}]}"#),
        ("channels", #"{"channels":[{"channel":"web"}]}"#),
        ("rules", #"{"safety_stock":[{"id":"s","scope":{},"units":1}]}"#),
    ])
    func `a document has a version, and is changed by who knows it`(
        name: String, body: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            let path = "/v1/\(name)"
            let empty = try client.ask("GET", path)
            #expect(empty.status == 200)
            let first = try #require(header("etag", of: empty))
            #expect(first.wholeMatch(of: /"v[0-9]+"/) != nil)
            let put = try client.ask(
                "PUT", path, headers: "If-Match: \(first)\r\n", body: Array(body.utf8))
            #expect(put.status == 200, "\(put.text)")
            let second = try #require(header("etag", of: put))
            #expect(second != first)
            let version = try #require(try Document(reading: put.body)["version"].int)
            #expect(second == "\"v\(version)\"")
            let read = try client.ask("GET", path)
            #expect(header("etag", of: read) == second)
            // Somebody who still has the old one is told so, and changes nothing.
            for tag in [first, "\"v99\"", "garbage", "W/\(second)", "\"\"", "v\(version)"] {
                let stale = try client.ask(
                    "PUT", path, headers: "If-Match: \(tag)\r\n", body: Array(body.utf8))
                #expect(stale.status == 412, "\(tag)")
                #expect(try Document(reading: stale.body)["code"].string == "version_mismatch")
            }
            #expect(try header("etag", of: client.ask("GET", path)) == second)
            for tag in [second, "W/\(second)", "\"x\", \(second)", "*"] {
                // As to a HEAD: there is no body, whatever the head says.
                try client.send(request("GET", path, headers: "If-None-Match: \(tag)\r\n"))
                let same = try client.answer(toHead: true)
                #expect(same.status == 304, "\(tag)")
                #expect(header("etag", of: same) == second)
            }
            for tag in [first, "\"x\""] {
                let other = try client.ask("GET", path, headers: "If-None-Match: \(tag)\r\n")
                #expect(other.status == 200)
            }
            let any = try client.ask(
                "PUT", path, headers: "If-Match: *\r\n", body: Array(body.utf8))
            #expect(any.status == 200)
            let head = try client.ask("HEAD", path)
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
            #expect(header("etag", of: head) == header("etag", of: any))
            #expect(try client.isServed())
        }
    }

    @Test(arguments: [
        (
            "locations",
            #"[{"location":"é/\"1","kind":"warehouse","groups":["a","b"],"open":false,"utc_offset":"-05:30"},{"location":"L2","kind":"store","groups":[],"open":true,"utc_offset":"+00:00"}]"#
        ),
        ("groups", #"[{"group":"a","members":["L1","b"]},{"group":"b","members":[]}]"#),
        (
            "channels",
            #"[{"channel":"web","default_ttl_seconds":60},{"channel":"app","default_ttl_seconds":31622400}]"#
        ),
        (
            "safety_stock",
            #"[{"id":"a","scope":{},"percent":2,"priority":0},{"id":"b","scope":{"sku":"A\u00e9","location":"L1"},"units":3,"priority":-7},{"id":"c","scope":{"category":"c","group":"g"},"percent":0.05,"from":"2026-11-20T00:00:00Z","until":"2026-12-01T00:00:00Z","priority":10},{"id":"d","scope":{"location":"L1"},"percent":12.3,"priority":0}]"#
        ),
    ])
    func `what is put can be got, and put again`(name: String, list: String) throws {
        try withService { here in
            var client = try here.connect()
            let path = "/v1/\(name == "safety_stock" ? "rules" : name)"
            _ = try client.call("PUT", path, #"{"\#(name)":\#(list)}"#)
            let first = try client.ask("GET", path)
            let got = try Document(reading: first.body)[name]
            let wanted = try Document(reading: Array(list.utf8))
            #expect(got.list.count == wanted.list.count)
            for (one, other) in zip(got.list, wanted.list) {
                #expect(one.keys == other.keys)
                for key in one.keys.subtracting(["from", "until"]) {
                    #expect(one[key].description == other[key].description, "\(key)")
                }
                for key in ["from", "until"] where !other[key].isAbsent {
                    #expect(one[key].string?.prefix(19) == other[key].string?.prefix(19))
                }
            }
            _ = try client.call("PUT", path, first.text)
            #expect(try client.ask("GET", path).body == first.body)
        }
    }

    @Test(arguments: [
        ("", 400, "truncated"), ("[]", 400, "wrong_kind"), (#"{"rules":[]}"#, 400, "unknown_field"),
        (#"{"safety_stock":{}}"#, 400, "wrong_kind"),
        (#"{"safety_stock":[],"safety_stock":[]}"#, 400, "duplicate_key"),
        (#"{"safety_stock":[]}x"#, 400, "trailing_bytes"),
        (#"{"allocation":[{"id":"a"}]}"#, 422, "unsupported_rules"),
        (#"{"oversell":[1]}"#, 422, "unsupported_rules"),
        (#"{"safety_stock":[{"scope":{},"units":1}]}"#, 422, "missing_field"),
        (#"{"safety_stock":[{"id":"s","units":1}]}"#, 422, "missing_field"),
        (#"{"safety_stock":[{"id":"s","scope":{}}]}"#, 422, "units_or_percent"),
        (
            #"{"safety_stock":[{"id":"s","scope":{},"units":1,"percent":1}]}"#, 422,
            "units_or_percent"
        ),
        (#"{"safety_stock":[{"id":"s","scope":{},"units":-1}]}"#, 400, "number_out_of_range"),
        (
            #"{"safety_stock":[{"id":"s","scope":{},"units":2147483648}]}"#, 400,
            "number_out_of_range"
        ),
        (#"{"safety_stock":[{"id":"s","scope":{},"units":1.5}]}"#, 400, "not_an_integer"),
        (
            #"{"safety_stock":[{"id":"s","scope":{},"percent":100.01}]}"#, 422,
            "percent_out_of_range"
        ),
        (#"{"safety_stock":[{"id":"s","scope":{},"percent":-1}]}"#, 422, "percent_out_of_range"),
        (#"{"safety_stock":[{"id":"s","scope":{},"percent":1.234}]}"#, 400, "not_an_integer"),
        (#"{"safety_stock":[{"id":"s","scope":{},"percent":1e1}]}"#, 400, "has_exponent"),
        (#"{"safety_stock":[{"id":"s","scope":{},"percent":"2"}]}"#, 400, "wrong_kind"),
        (#"{"safety_stock":[{"id":"","scope":{},"units":1}]}"#, 400, "identifier_empty"),
        (
            #"{"safety_stock":[{"id":"s","scope":{"sku":"A","category":"c"},"units":1}]}"#, 422,
            "contradicting_scope"
        ),
        (
            #"{"safety_stock":[{"id":"s","scope":{"location":"A","group":"c"},"units":1}]}"#, 422,
            "contradicting_scope"
        ),
        (#"{"safety_stock":[{"id":"s","scope":{"store":"A"},"units":1}]}"#, 400, "unknown_field"),
        (
            #"{"safety_stock":[{"id":"s","scope":{"sku":"\u0007"},"units":1}]}"#, 400,
            "identifier_control_character"
        ),
        (
            #"{"safety_stock":[{"id":"s","scope":{},"units":1,"from":"2026-01-02T00:00:00Z","until":"2026-01-02T00:00:00Z"}]}"#,
            422, "empty_period"
        ),
        (#"{"safety_stock":[{"id":"s","scope":{},"units":1,"from":"soon"}]}"#, 400, "bad_time"),
        // Not in the years that are written back.
        (
            #"{"safety_stock":[{"id":"s","scope":{},"units":1,"from":"0000-01-01T00:00:00+00:01"}]}"#,
            400, "bad_time"
        ),
        (
            #"{"safety_stock":[{"id":"s","scope":{},"units":1,"until":"9999-12-31T23:59:59-00:01"}]}"#,
            400, "bad_time"
        ),
        (
            #"{"safety_stock":[{"id":"s","scope":{},"units":1,"priority":2147483648}]}"#, 400,
            "number_out_of_range"
        ),
        (
            #"{"safety_stock":[{"id":"s","scope":{},"units":1},{"id":"s","scope":{},"units":2}]}"#,
            422, "duplicate_rule_id"
        ),
    ])
    func `a rule document that is wrong anywhere changes nothing`(
        body: String, status: Int, code: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,10"])
            _ = try client.call(
                "PUT", "/v1/rules", #"{"safety_stock":[{"id":"old","scope":{},"units":4}]}"#)
            let before = try client.ask("GET", "/v1/rules")
            let problem = try client.call("PUT", "/v1/rules", body, expecting: status)
            #expect(problem["code"].string == code)
            #expect(problem["status"].int == status)
            #expect(problem["detail"].string?.isEmpty == false)
            #expect(try client.ask("GET", "/v1/rules").body == before.body)
            #expect(try client.position("A1", "L1")["available"].int == 6)
        }
    }

    @Test(arguments: [
        ("locations", #"{}"#, 400, "missing_field"), ("locations", #"[{}]"#, 400, "missing_field"),
        ("locations", #"[{"location":"L","kind":"moon"}]"#, 400, "unknown_location_kind"),
        ("locations", #"[{"location":"L","open":1}]"#, 400, "wrong_kind"),
        ("locations", #"[{"location":"L","utc_offset":"1h"}]"#, 400, "bad_utc_offset"),
        ("locations", #"[{"location":"L","utc_offset":"+15:00"}]"#, 400, "bad_utc_offset"),
        ("locations", #"[{"location":"L","groups":"g"}]"#, 400, "wrong_kind"),
        ("locations", #"[{"location":"L","location":"M"}]"#, 400, "duplicate_key"),
        ("locations", #"[{"location":"L","opened":true}]"#, 400, "unknown_field"),
        ("groups", #"[{"group":"a"}]"#, 400, "missing_field"),
        ("groups", #"[{"members":[]}]"#, 400, "missing_field"),
        ("groups", #"[{"group":"a","members":["a"]}]"#, 422, "group_cycle"),
        (
            "groups",
            #"[{"group":"a","members":["b"]},{"group":"b","members":["c"]},{"group":"c","members":["x","a"]}]"#,
            422, "group_cycle"
        ),
        ("groups", #"[{"group":"a","members":["\u0000"]}]"#, 400, "identifier_control_character"),
        ("channels", #"[{"channel":"c","default_ttl_seconds":0}]"#, 400, "number_out_of_range"),
        (
            "channels", #"[{"channel":"c","default_ttl_seconds":31622401}]"#, 400,
            "number_out_of_range"
        ),
        ("channels", #"[{"default_ttl_seconds":1}]"#, 400, "missing_field"),
        ("channels", #"[{"channel":"c"}"#, 400, "truncated"),
    ])
    func `a list that is wrong anywhere changes nothing`(
        name: String, body: String, status: Int, code: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            let before = try client.ask("GET", "/v1/\(name)")
            let problem = try client.call("PUT", "/v1/\(name)", body, expecting: status)
            #expect(problem["code"].string == code)
            let after = try client.ask("GET", "/v1/\(name)")
            #expect(after.body == before.body)
            #expect(header("etag", of: after) == header("etag", of: before))
        }
    }

    @Test func `a cycle that two documents would make is refused with the second`() throws {
        try withService { here in
            var client = try here.connect()
            _ = try client.call("PUT", "/v1/groups", #"[{"group":"a","members":["b"]}]"#)
            let problem = try client.call(
                "PUT", "/v1/groups", #"[{"group":"b","members":["a"]}]"#, expecting: 422)
            #expect(problem["code"].string == "group_cycle")
            #expect(try client.call("GET", "/v1/groups")["groups"].list.count == 1)
        }
    }

    @Test func `a closed location hides its stock at once, and an open one shows it again`() throws
    {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,1", "A1,L2,20"])
            // Asked over connections of both reactors.
            var others: [Stream] = []
            for _ in 0..<8 { others.append(Stream(try here.connect())) }
            let everywhere = #"{"items":[{"sku":"A1"},{"sku":"A1","locations":["L2"]}]}"#
            for round in 0..<10 {
                let isOpen = round % 2 == 1
                _ = try client.call(
                    "PUT", "/v1/locations", #"[{"location":"L2","open":\#(isOpen)}]"#)
                for other in others {
                    try other.send(
                        request("POST", "/v1/availability", body: Array(everywhere.utf8)))
                    let items = try Document(reading: other.answer().body)["items"].list
                    #expect(items.map { $0["available"].int } == (isOpen ? [21, 20] : [1, 0]))
                }
                let position = try client.position("A1", "L2")
                #expect(position["available"].int == (isOpen ? 20 : 0))
                #expect(position["free"].int == 20)
                #expect(position["on_hand"].int == 20)
            }
        }
    }

    @Test func `safety stock is withheld from the moment its rules are answered`() throws {
        try withService { here in
            var client = try here.connect()
            _ = try client.call(
                "PUT", "/v1/items", #"[{"sku":"A1","category":"phones"},{"sku":"B1"}]"#)
            try client.put(stock: ["A1,L1,10", "A1,L2,101", "B1,L1,3", "C1,L1,0"])
            _ = try client.call("PUT", "/v1/groups", #"[{"group":"west","members":["L2"]}]"#)
            let cases: [(String, [Int])] = [
                (#"{"id":"a","scope":{},"units":4}"#, [4, 4, 4, 4]),
                (#"{"id":"a","scope":{},"percent":2}"#, [1, 3, 1, 0]),
                (#"{"id":"a","scope":{},"percent":0.01}"#, [1, 1, 1, 0]),
                (
                    #"{"id":"a","scope":{},"units":1},{"id":"b","scope":{"category":"phones"},"units":2}"#,
                    [2, 2, 1, 1]
                ),
                (
                    #"{"id":"a","scope":{"sku":"A1","location":"L1"},"units":7},"#
                        + #"{"id":"b","scope":{"sku":"A1"},"units":5},"#
                        + #"{"id":"c","scope":{"group":"west"},"units":9}"#, [7, 5, 0, 0]
                ),
                (#"{"id":"a","scope":{},"units":4,"until":"2020-01-01T00:00:00Z"}"#, [0, 0, 0, 0]),
                ("", [0, 0, 0, 0]),
            ]
            let positions = [("A1", "L1", 10), ("A1", "L2", 101), ("B1", "L1", 3), ("C1", "L1", 0)]
            for (number, (rules, withheld)) in cases.enumerated() {
                let put = try client.call("PUT", "/v1/rules", #"{"safety_stock":[\#(rules)]}"#)
                #expect(put["version"].int == number + 1)
                for ((sku, place, sellable), units) in zip(positions, withheld) {
                    let position = try client.position(sku, place)
                    #expect(position["safety_stock"].int == units, "\(rules) \(sku) \(place)")
                    #expect(position["free"].int == sellable - units)
                    #expect(position["available"].int == max(0, sellable - units))
                    let item = try client.availability([
                        #"{"sku":"\#(sku)","locations":["\#(place)"]}"#
                    ])[0]
                    #expect(item["available"].int == max(0, sellable - units))
                }
                let answer = try client.call("POST", "/v1/availability", #"{"items":[]}"#)
                #expect(answer["rules_version"].int == number + 1)
            }
        }
    }
}
