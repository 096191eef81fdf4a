import Engine
import Service
import Testing

/// Health, metrics, and calls that do not exist.
@Suite struct HealthCallTests {
    @Test func `health says what is served and how durable it is`() throws {
        try withService { here in
            var client = try here.connect()
            for path in ["/healthz", "/readyz", "/"] {
                let answer = try client.call("GET", path)
                #expect(answer["status"].string == "ok")
                #expect(answer["durability"].string == "memory")
                #expect(answer["clock_skew_ms"].int != nil)
                #expect(answer["ready"].bool == (path == "/healthz" ? nil : true))
            }
        }
    }

    @Test func `metrics are what Prometheus reads, and move with what happens`() throws {
        try withService { here in
            var client = try here.connect()
            let before = try Metrics(client.ask("GET", "/metrics"))
            _ = try client.post(events: [
                event("1", "receipt", "A1", "L1", 5), event("1", "receipt", "A1", "L1", 5),
                event("2", "receipt", "A1", "L2", 5), event("2", "receipt", "A1", "L2", 6),
                event("3", "sale", "B1", "L2", 5), event("4", "sail", "B1", "L2", 5),
            ])
            for _ in 0..<7 { _ = try client.availability([#"{"sku":"A1"}"#]) }
            _ = try client.ask("GET", "/nowhere")
            _ = try client.call("PUT", "/v1/rules", #"{"safety_stock":[]}"#)
            // Figures are published by each reactor as it turns.
            var after = try Metrics(client.ask("GET", "/metrics"))
            _ = try here.eventually {
                after = try Metrics(client.ask("GET", "/metrics"))
                return after["holdfast_positions"] == 3
                    && after[#"holdfast_commands_total{outcome="rejected"}"#] == 1
            }
            #expect(before["holdfast_positions"] == 0)
            #expect(after["holdfast_positions"] == 3)
            #expect(after["holdfast_skus"] == 2)
            #expect(after["holdfast_remembered_events"] == 3)
            #expect(after["holdfast_rules_version"] == 1)
            #expect(after["holdfast_connections"] == 1)
            #expect(after[#"holdfast_commands_total{outcome="accepted"}"#] == 3)
            #expect(after[#"holdfast_commands_total{outcome="duplicate"}"#] == 1)
            #expect(after[#"holdfast_commands_total{outcome="rejected"}"#] == 1)
            #expect(after[#"holdfast_request_seconds_count{call="availability_batch"}"#] == 7)
            #expect(after[#"holdfast_request_seconds_count{call="events"}"#] == 1)
            #expect(after[#"holdfast_inbox_commands{shard="3"}"#] == 0)
            let received = try #require(after["holdfast_received_bytes_total"])
            #expect(received > before["holdfast_received_bytes_total"] ?? received)
        }
    }

    @Test(arguments: [
        ("/nowhere", "GET"), ("/v1", "GET"), ("/v1/", "GET"), ("/v1/holds", "GET"),
        ("/v1/availability/", "GET"), ("/v1/availability/A/B", "GET"), ("/v1//rules", "GET"),
        ("/V1/rules", "GET"), ("/v1/rules/", "GET"), ("/v1/rules/x", "PUT"), ("/healthz/", "GET"),
        ("/v1/export", "GET"), ("/v1/backup/x", "GET"), ("/v1/events/1", "POST"),
        ("/v1/%72ules", "GET"),
        ("/v1/./rules", "GET"), ("/v1/rules;x", "GET"), ("//v1/rules", "GET"),
    ])
    func `a path that does not exist is not found`(path: String, method: String) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.ask(method, path, body: method == "GET" ? nil : [])
            #expect(answer.status == 404)
            #expect(header("content-type", of: answer) == "application/problem+json")
            #expect(try Document(reading: answer.body)["code"].string == "not_found")
        }
    }

    @Test(arguments: [
        ("/v1/availability", "GET", "POST"), ("/v1/availability/A1", "POST", "GET, HEAD"),
        ("/v1/positions/A1", "DELETE", "GET, HEAD"), ("/v1/events", "GET", "POST"),
        ("/v1/stock", "PUT", "POST"), ("/v1/items", "POST", "PUT"),
        ("/v1/items/A1", "PUT", "GET, HEAD"), ("/v1/rules", "POST", "GET, HEAD, PUT"),
        ("/v1/locations", "DELETE", "GET, HEAD, PUT"), ("/v1/groups", "PATCH", "GET, HEAD, PUT"),
        ("/v1/channels", "OPTIONS", "GET, HEAD, PUT"),
        ("/v1/dead-letters", "PUT", "GET, HEAD, DELETE"),
        ("/healthz", "POST", "GET, HEAD"), ("/readyz", "PUT", "GET, HEAD"),
        ("/metrics", "TRACE", "GET, HEAD"), ("/", "POST", "GET, HEAD"),
    ])
    func `a method that a path does not have is refused with those it has`(
        path: String, method: String, allowed: String
    ) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.ask(method, path, body: [])
            #expect(answer.status == 405)
            let list = Set((header("allow", of: answer) ?? "").split(separator: ", "))
            #expect(list.isSuperset(of: allowed.split(separator: ", ")))
            #expect(!list.contains(method[...]))
            let problem = try Document(reading: answer.body)
            #expect(problem["code"].string == "method_not_allowed")
            #expect(problem["status"].int == 405)
            #expect(problem["title"].string == "Method Not Allowed")
            #expect(try client.isServed())
        }
    }

    @Test func `a body that is too large is refused by its length`() throws {
        try withService { here in
            for (path, method, limit) in [
                ("/v1/rules", "PUT", 1 << 20), ("/v1/availability", "POST", 64 << 20),
                ("/v1/events", "POST", 64 << 20), ("/v1/stock", "POST", 64 << 20),
            ] {
                for length in [limit + 1, 10 << 30] {
                    var client = try here.connect()
                    try client.send(
                        "\(method) \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(length)\r\n\r\n{"
                    )
                    let answer = try client.answer()
                    #expect(answer.status == 413)
                    #expect(try Document(reading: answer.body)["code"].string == "body_too_large")
                    #expect(try client.isClosed())
                }
            }
        }
    }
}

/// Samples in the text format of Prometheus, read strictly.
private struct Metrics {
    private var samples: [String: Double] = [:]

    init(_ answer: Answer) throws {
        #expect(answer.status == 200)
        #expect(header("content-type", of: answer) == "text/plain; version=0.0.4")
        #expect(answer.text.hasSuffix("\n"))
        var types: [String: String] = [:]
        for line in answer.text.split(separator: "\n") {
            if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge|summary)/) {
                #expect(types[String(match.1)] == nil, "one type for each name")
                types[String(match.1)] = String(match.2)
                continue
            }
            let sample = try #require(
                line.wholeMatch(
                    of: /([a-z_]+)(\{[a-z]+="[a-z0-9._]+"(,[a-z]+="[a-z0-9._]+")?\})? ([0-9.]+)/),
                "\(line)")
            let name = String(sample.1)
            let base = name.replacing(/_(sum|count)$/, with: "")
            #expect(types[name] != nil || types[base] == "summary", "\(name) has a type before it")
            if types[name] == "counter" { #expect(name.hasSuffix("_total")) }
            let key = name + (sample.2.map(String.init) ?? "")
            #expect(samples[key] == nil, "\(key) stands once")
            samples[key] = Double(sample.4)
        }
        #expect(samples.count > 20)
    }

    subscript(name: String) -> Double? { samples[name] }
}
