import Engine
import Platform
import Service
import Testing

/// GET /v1/availability/{sku}.
@Suite struct AvailabilityOneTests {
    @Test(arguments: [
        ("A1", 4321), ("A1?location=L2", 20), ("A1?location=L1&location=L3", 301),
        ("A1?location=L1&location=L1", 1), ("A1?group=west", 320), ("A1?location=nowhere", 0),
        ("A%31", 4321), ("%41%31?location=%4c2", 20), ("a%2Fb%20%C3%A9", 7), ("a%2fb%20%c3%a9", 7),
        ("a+b", 8), ("a%2Bb", 8), ("A1?location=a+b", 0), ("plus?location=a+b", 9),
        ("plus?location=a%20b", 9), ("A1?channel=web&note=1", 4321), ("A1?", 4321),
        ("NOPE", 0), ("A1?location=L1&group=", 1),
    ])
    func `one SKU is asked for by its name in the path`(target: String, available: Int) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: [
                "A1,L1,1", "A1,L2,20", "A1,L3,300", "A1,L4,4000", "a/b é,L1,7", "a+b,L1,8",
                "plus,a b,9",
            ])
            _ = try client.call(
                "PUT", "/v1/groups", #"{"groups":[{"group":"west","members":["L2","L3"]}]}"#)
            let answer = try client.call("GET", "/v1/availability/\(target)")
            #expect(answer["items"].list.count == 1)
            #expect(answer["items"][0]["available"].int == available)
            #expect(answer["mark"].string?.isEmpty == false)
            let isKnown = !target.hasPrefix("NOPE")
            #expect(answer["items"][0]["error"].string == (isKnown ? nil : "unknown_sku"))
        }
    }

    @Test func `quantity and detail are parameters`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,1", "A1,L2,20"])
            let path = "/v1/availability/A1?location=L2&location=L1&detail=locations&qty="
            let item = try client.call("GET", path + "21")["items"][0]
            #expect(item["satisfied"].bool == true)
            #expect(item["locations"].list.map { $0["location"].string } == ["L2", "L1"])
            #expect(item["locations"].list.map { $0["available"].int } == [20, 1])
            let more = try client.call("GET", path + "22")["items"][0]
            #expect(more["satisfied"].bool == false)
            #expect(more["available"].int == 21)
        }
    }

    @Test(arguments: [
        ("A1?qty=", 400, "bad_quantity"), ("A1?qty=0", 400, "bad_quantity"),
        ("A1?qty=-1", 400, "bad_quantity"), ("A1?qty=1.5", 400, "bad_quantity"),
        ("A1?qty=2147483648", 400, "bad_quantity"), ("A1?qty=1e2", 400, "bad_quantity"),
        ("A1?qty=%D9%A1", 400, "bad_quantity"), ("A1?qty", 400, "bad_quantity"),
        ("A1?detail=", 400, "bad_detail"), ("A1?detail=all", 400, "bad_detail"),
        ("A1?by=2026-01-01", 400, "unsupported_field"),
        ("A1?location=L1&group=west", 400, "locations_and_group"),
        ("A%", 400, "bad_percent_encoding"), ("A%4", 400, "bad_percent_encoding"),
        ("A%zz", 400, "bad_percent_encoding"), ("A1?location=%", 400, "bad_percent_encoding"),
        ("A1?channel=%00", 400, "identifier_control_character"),
        ("A1?after=x", 409, "unknown_mark"), ("A1/L1", 404, "not_found"), ("", 404, "not_found"),
    ])
    func `a target that cannot be meant is a problem with a code`(
        target: String, status: Int, code: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,1"])
            let problem = try client.call(
                "GET", "/v1/availability/\(target)", expecting: status)
            #expect(problem["code"].string == code)
            #expect(try client.isServed())
        }
    }

    @Test(arguments: [
        ("A%00", "identifier_control_character"), ("A%0a", "identifier_control_character"),
        (String(repeating: "x", count: 65), "identifier_too_long"), ("%FF", "identifier_not_utf8"),
        ("A%C3", "identifier_not_utf8"),
    ])
    func `a name that no SKU can have is said to be one`(name: String, code: String) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.call("GET", "/v1/availability/\(name)")
            #expect(answer["items"][0]["error"].string == code)
        }
    }

    @Test(arguments: ["location=", "location", "group=", "channel=", "after=", "=", "&&", "x=&y"])
    func `an empty parameter is no name`(query: String) throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,1"])
            for detail in ["", "&detail=locations"] {
                let answer = try client.call("GET", "/v1/availability/A1?\(query)\(detail)")
                let isPlace = query.hasPrefix("location")
                #expect(answer["items"][0]["available"].int == (isPlace ? 0 : 1))
            }
        }
    }

    @Test func `a head of it has the length and no body`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,1"])
            for path in [
                "/v1/availability/A1", "/v1/positions/A1", "/v1/items/A1", "/healthz", "/",
            ] {
                // The clock's skew has as many digits as it has: either answer may have more.
                let before = try client.ask("GET", path)
                let head = try client.ask("HEAD", path)
                let after = try client.ask("GET", path)
                #expect(head.status == 200)
                #expect(head.body.isEmpty)
                let length = try #require(header("content-length", of: head).flatMap { Int($0) })
                let lengths = [before.body.count, after.body.count]
                let spread = path == "/healthz" || path == "/" ? 4 : 0
                #expect(
                    lengths.contains { abs($0 - length) <= spread }, "\(path): \(length)")
            }
        }
    }

    @Test func `what follows in a pipeline does not change what names mean`() throws {
        try withService { here in
            var client = try here.connect()
            try client.put(stock: ["A1,L1,1", "é,L1,2"])
            var bytes: [UInt8] = []
            for _ in 0..<500 {
                bytes += request("GET", "/v1/availability/%41%31?location=%4C1")
                bytes += request("GET", "/v1/availability/%C3%A9?location=L%31&detail=locations")
            }
            let writer = try Writer(bytes).start(client.descriptor.duplicate())
            var wrong = 0
            for _ in 0..<500 {
                let first = try Document(reading: client.answer().body)["items"][0]
                if first["available"].int != 1 || first["sku"].string != "A1" { wrong += 1 }
                let second = try Document(reading: client.answer().body)["items"][0]
                if second["available"].int != 2 || second["sku"].string != "é" { wrong += 1 }
                if second["locations"][0]["location"].string != "L1" { wrong += 1 }
            }
            #expect(wrong == 0)
            writer.join()
        }
    }
}
