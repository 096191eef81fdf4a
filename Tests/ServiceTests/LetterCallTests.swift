import Engine
import Platform
import Service
import Testing

/// Calls of /v1/dead-letters.
@Suite struct LetterCallTests {
    /// A service that refuses unknown names, and knows one location.
    private func withStrictService(
        parkedMax: Int = 10_000, _ body: (TestService, inout Client) throws -> Void
    ) throws {
        try withService {
            $0.engine.createsUnknown = false
            $0.engine.parkedMax = parkedMax
        } _: { here in
            var client = try here.connect()
            _ = try client.call("PUT", "/v1/locations", #"[{"location":"DC1"}]"#)
            try body(here, &client)
        }
    }

    private func receipt(_ id: String, _ sku: String, _ place: String = "DC1") -> String {
        event(id, "receipt", sku, place, 1)
    }

    private func park(_ events: [String], _ client: inout Client) throws {
        #expect(try client.post(events: events)["parked"].int == events.count)
    }

    private func know(_ skus: [String], _ client: inout Client) throws {
        let items = skus.map { #"{"sku":"\#($0)"}"# }.joined(separator: ",")
        _ = try client.call("PUT", "/v1/items", "[\(items)]")
    }

    private func letters(
        _ client: inout Client, _ query: String = ""
    ) throws -> [Document] {
        let answer = try client.ask("GET", "/v1/dead-letters\(query)")
        #expect(answer.status == 200)
        return try answer.text.split(separator: "\n").map { try Document(reading: Array($0.utf8)) }
    }

    private func id(of event: String, _ client: inout Client) throws -> String {
        let letter = try letters(&client).first { $0["event"]["id"].string == event }
        return try #require(letter?["id"].string)
    }

    @Test func `a letter says what it is, since when and why`() throws {
        try withStrictService { _, client in
            try park([receipt("1", "A1")], &client)
            let letter = try #require(try letters(&client).first)
            #expect(
                letter.keys == ["id", "parked_at", "age_seconds", "code", "reason", "event"])
            #expect(letter["id"].string?.hasSuffix("-1") == true)
            #expect(letter["reason"].string == "unknown_sku")
            #expect((0...60).contains(letter["age_seconds"].int ?? -1))
            #expect(letter["event"]["sku"].string == "A1")
        }
    }

    @Test func `pages go on behind the last letter, by reason`() throws {
        try withStrictService { _, client in
            try park((0..<20).map { receipt("s\($0)", "S\($0)") }, &client)
            try know(["A1"], &client)
            try park((0..<5).map { receipt("l\($0)", "A1", "X\($0)") }, &client)
            let all = try letters(&client).map { $0["id"].string }
            #expect(all.count == 25 && Set(all).count == 25)
            var paged: [String?] = []
            var last = ""
            while true {
                let after = last.isEmpty ? "" : "&after=\(last)"
                let page = try letters(&client, "?limit=4\(after)").map { $0["id"].string }
                #expect(page.count <= 4)
                guard let next = page.last ?? nil else { break }
                last = next
                paged += page
            }
            #expect(paged == all)
            let places = try letters(&client, "?reason=unknown_location")
            #expect(Set(places.map { $0["event"]["id"].string }) == ["l0", "l1", "l2", "l3", "l4"])
            #expect(try letters(&client, "?reason=before_remembered").isEmpty)
        }
    }

    @Test func `a list of any size comes, and as many letters as there are go`() throws {
        try withStrictService { _, client in
            let count = 3000
            let padding = String(repeating: "x", count: 200)
            let events = (0..<count).map {
                event("\($0)", "receipt", "S\($0)", "DC1", 1, #","reason":"\#(padding)""#)
            }
            try park(events, &client)
            #expect(try letters(&client).count == count)
            let still = try client.call("POST", "/v1/dead-letters/retry")
            #expect(still["parked"].int == count && still["accepted"].int == 0)
            try know((0..<count).map { "S\($0)" }, &client)
            let taken = try client.call("POST", "/v1/dead-letters/retry")
            #expect(taken["accepted"].int == count)
            #expect(taken["mark"].string?.isEmpty == false)
            #expect(try letters(&client).isEmpty)
            #expect(try client.post(events: events)["duplicates"].int == count)
            #expect(try client.position("S7", "DC1")["on_hand"].int == 1)
        }
    }

    @Test func `a letter is retried by its id, and takes effect once`() throws {
        try withStrictService { _, client in
            try park([receipt("1", "A1"), receipt("2", "A1")], &client)
            let first = try id(of: "1", &client)
            let still = try client.call("POST", "/v1/dead-letters/\(first)/retry")
            #expect(still["parked"].int == 1)
            #expect(try letters(&client).count == 2)
            try know(["A1"], &client)
            let taken = try client.call("POST", "/v1/dead-letters/\(first)/retry")
            #expect(taken["accepted"].int == 1)
            #expect(taken["rejected"].list.isEmpty)
            let gone = try client.call(
                "POST", "/v1/dead-letters/\(first)/retry", expecting: 404)
            #expect(gone["code"].string == "unknown_letter")
            #expect(try client.position("A1", "DC1")["on_hand"].int == 1)
            #expect(try letters(&client).map { $0["event"]["id"].string } == ["2"])
        }
    }

    @Test func `a retry for one reason leaves the others alone`() throws {
        try withStrictService { _, client in
            try park([receipt("1", "A1"), receipt("2", "A1", "X")], &client)
            try know(["A1"], &client)
            _ = try client.call("PUT", "/v1/locations", #"[{"location":"DC1"},{"location":"X"}]"#)
            let taken = try client.call(
                "POST", "/v1/dead-letters/retry?reason=unknown_location")
            #expect(taken["accepted"].int == 1)
            #expect(try letters(&client).map { $0["event"]["id"].string } == ["1"])
        }
    }

    /// The event names no time: it took effect when it came, which was before the count.
    @Test func `a retry happens as of when the event came`() throws {
        try withStrictService { here, client in
            try park([receipt("early", "A1")], &client)
            Thread.sleep(milliseconds: 5)
            try know(["A1"], &client)
            let counted = try client.post(events: [event("count", "count", "A1", "DC1", 10)])
            #expect(counted["accepted"].int == 1)
            let early = try id(of: "early", &client)
            #expect(
                try client.call("POST", "/v1/dead-letters/\(early)/retry")["accepted"].int == 1)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 10)
        }
    }

    @Test func `a retry that is refused says why, and the letter stays`() throws {
        try withStrictService { _, client in
            let largest = event("max", "receipt", "A1", "DC1", Int(Int32.max))
            try park([receipt("1", "A1")], &client)
            try know(["A1"], &client)
            #expect(try client.post(events: [largest])["accepted"].int == 1)
            let answer = try client.call("POST", "/v1/dead-letters/retry")
            #expect(rejections(answer) == ["0 overflow"])
            #expect(answer["rejected"][0]["id"].string == "1")
            #expect(try letters(&client).count == 1)
        }
    }

    @Test func `what is older than memory is taken by a retry`() throws {
        try withService {
            $0.engine.shardCount = 1
            $0.engine.rememberedMax = 16
        } _: { here in
            var client = try here.connect()
            for number in 0..<20 {
                _ = try client.post(events: [receipt("f\(number)", "F")])
            }
            try park(
                [event("old", "receipt", "A1", "DC1", 5, #","at":"2025-01-01T00:00:00Z""#)],
                &client)
            let taken = try client.call(
                "POST", "/v1/dead-letters/retry?reason=before_remembered")
            #expect(taken["accepted"].int == 1)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 5)
            #expect(try letters(&client).isEmpty)
        }
    }

    @Test func `a discarded event takes no effect, and its repeat is a duplicate`() throws {
        try withStrictService { _, client in
            try park([receipt("1", "A1"), receipt("2", "A1")], &client)
            let first = try id(of: "1", &client)
            let discarded = try client.call("DELETE", "/v1/dead-letters/\(first)")
            #expect(discarded["discarded"].int == 1)
            #expect(discarded["mark"].string?.isEmpty == false)
            for method in ["DELETE", "POST"] {
                let path = "/v1/dead-letters/\(first)" + (method == "POST" ? "/retry" : "")
                let gone = try client.call(method, path, expecting: 404)
                #expect(gone["code"].string == "unknown_letter")
            }
            try know(["A1"], &client)
            let again = try client.post(events: [receipt("1", "A1"), receipt("2", "A1")])
            #expect(again["duplicates"].int == 1 && again["accepted"].int == 1)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 1)
        }
    }

    @Test func `letters are discarded by reason, however many`() throws {
        try withStrictService { _, client in
            try park((0..<1000).map { receipt("s\($0)", "S\($0)") }, &client)
            try know(["A1"], &client)
            try park([receipt("l", "A1", "X")], &client)
            let answer = try client.call("DELETE", "/v1/dead-letters?reason=unknown_sku")
            #expect(answer["discarded"].int == 1000)
            #expect(try letters(&client).map { $0["event"]["id"].string } == ["l"])
            let none = try client.call("DELETE", "/v1/dead-letters?reason=unknown_sku")
            #expect(none["discarded"].int == 0)
        }
    }

    @Test func `calls that work through the same letters at once take each once`() throws {
        try withStrictService { here, client in
            let count = 2000
            try park((0..<count).map { receipt("\($0)", "S\($0 % 50)") }, &client)
            try know((0..<50).map { "S\($0)" }, &client)
            let request = Array(
                "POST /v1/dead-letters/retry HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".utf8)
            var first = try here.connect()
            var second = try here.connect()
            try first.send(request)
            try second.send(request)
            var accepted = 0
            for answer in [try first.answer(), try second.answer()] {
                #expect(answer.status == 200)
                accepted += try Document(reading: answer.body)["accepted"].int ?? 0
            }
            #expect(accepted == count)
            #expect(try letters(&client).isEmpty)
            #expect(try client.position("S3", "DC1")["on_hand"].int == count / 50)
        }
    }

    @Test(arguments: [
        ("GET", "/v1/dead-letters?reason=nonsense", 400, "bad_reason"),
        ("GET", "/v1/dead-letters?limit=0", 400, "bad_limit"),
        ("GET", "/v1/dead-letters?limit=10001", 400, "bad_limit"),
        ("GET", "/v1/dead-letters?after=7", 400, "bad_cursor"),
        ("GET", "/v1/dead-letters?after=4-1", 400, "bad_cursor"),
        ("GET", "/v1/dead-letters?after=0-99999999999999999999", 400, "bad_cursor"),
        ("POST", "/v1/dead-letters/retry?reason=accepted", 400, "bad_reason"),
        ("DELETE", "/v1/dead-letters", 400, "missing_reason"),
        ("DELETE", "/v1/dead-letters/0-1", 404, "unknown_letter"),
        ("DELETE", "/v1/dead-letters/0-0", 404, "unknown_letter"),
        ("DELETE", "/v1/dead-letters/9-1", 404, "unknown_letter"),
        ("DELETE", "/v1/dead-letters/x", 404, "unknown_letter"),
        ("POST", "/v1/dead-letters/0-1/retry", 404, "unknown_letter"),
        ("POST", "/v1/dead-letters/-1-1/retry", 404, "unknown_letter"),
        ("POST", "/v1/dead-letters/0-1/other", 404, "not_found"),
        ("POST", "/v1/dead-letters/0-1/retry/x", 404, "not_found"),
        ("DELETE", "/v1/dead-letters/", 404, "not_found"),
        ("POST", "/v1/dead-letters", 405, "method_not_allowed"),
        ("GET", "/v1/dead-letters/0-1", 405, "method_not_allowed"),
        ("DELETE", "/v1/dead-letters/retry", 405, "method_not_allowed"),
        ("GET", "/v1/dead-letters/0-1/retry", 405, "method_not_allowed"),
    ])
    func `what cannot be done is refused by code`(
        method: String, path: String, status: Int, code: String
    ) throws {
        try withStrictService { _, client in
            let answer = try client.call(method, path, expecting: status)
            #expect(answer["code"].string == code)
            #expect(try client.isServed())
        }
    }
}
