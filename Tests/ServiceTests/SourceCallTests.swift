import Platform
import Service
import Testing

/// GET /v1/sources, and the gaps that metrics show.
@Suite struct SourceCallTests {
    private func event(
        _ id: String, _ source: String, _ number: Int?, at: String = ""
    ) -> String {
        let sequence = number.map { #","seq":\#($0)"# } ?? ""
        let time = at.isEmpty ? "" : #","at":"\#(at)""#
        return ServiceTests.event(
            id, "receipt", "A1", "DC1", 1, #","source":"\#(source)"\#(sequence)\#(time)"#)
    }

    private func source(_ name: String, _ client: inout Client) throws -> Document {
        let all = try client.call("GET", "/v1/sources")["sources"].list
        return try #require(all.first { $0["source"].string == name })
    }

    private func missing(_ source: Document) -> [[Int]] {
        source["missing"].list.map { $0.list.map { $0.int ?? -1 } }
    }

    @Test func `a source's gaps are told, and shrink when late events fill them`() throws {
        try withService { here in
            var client = try here.connect()
            let sent = [1, 2, 3, 7, 8, 10].map { (number: Int) in event("\(number)", "till", number)
            }
            #expect(try client.post(events: sent)["accepted"].int == 6)
            var till = try source("till", &client)
            #expect(till["highest_seq"].int == 10)
            var gaps = missing(till)
            #expect(gaps == [[4, 6], [9, 9]])
            #expect(till["more_missing"].int == 0)
            _ = try client.post(events: [event("5", "till", 5), event("8", "till", 8)])
            till = try source("till", &client)
            gaps = missing(till)
            #expect(gaps == [[4, 4], [6, 6], [9, 9]])
            var other = try here.connect()
            _ = try other.post(
                events: [4, 6, 9].map { (number: Int) in event("\(number)", "till", number) })
            till = try source("till", &client)
            gaps = missing(till)
            #expect(gaps.isEmpty && till["highest_seq"].int == 10)
        }
    }

    @Test func `each source has a sequence of its own, or none`() throws {
        try withService { here in
            var client = try here.connect()
            let start = try client.call("GET", "/v1/sources")
            #expect(start["since"].string?.hasSuffix("Z") == true)
            #expect(start["sources"].list.isEmpty)
            _ = try client.post(events: [
                event("1", "a", 1, at: "2025-06-01T00:00:00Z"),
                event("2", "b", 5, at: "2025-06-02T00:00:00Z"),
                event("3", "a", 3, at: "2025-05-01T00:00:00Z"),
                event("4", "c", nil, at: "2025-06-03T00:00:00Z"),
                ServiceTests.event("5", "receipt", "A1", "DC1", 1, #","seq":7"#),
            ])
            let a = try source("a", &client)
            #expect(missing(a) == [[2, 2]])
            #expect(a["newest_at"].string?.hasPrefix("2025-06-01T00:00:00") == true)
            #expect(a["last_arrival"].string ?? "" > "2025-06-03")
            let b = try source("b", &client)
            #expect(missing(b).isEmpty && b["highest_seq"].int == 5)
            let c = try source("c", &client)
            #expect(c.keys == ["source", "newest_at", "last_arrival"])
            let nameless = try source("", &client)
            #expect(nameless["highest_seq"].int == 7)
        }
    }

    @Test func `what is refused was not seen, and is missing`() throws {
        try withService { here in
            var client = try here.connect()
            let bad = event("2", "till", 2).replacing(#""qty":1"#, with: #""qty":-1"#)
            let answer = try client.post(
                events: [event("1", "till", 1), bad, event("3", "till", 3)])
            #expect(answer["rejected_count"].int == 1)
            let till = try source("till", &client)
            #expect(missing(till) == [[2, 2]])
        }
    }

    @Test func `metrics show sources with gaps, their names escaped`() throws {
        try withService { here in
            var client = try here.connect()
            _ = try client.post(events: [
                event("1", #"a \"b\" \\c"#, 1), event("2", #"a \"b\" \\c"#, 4),
                event("3", "whole", 1),
            ])
            let metrics = try client.ask("GET", "/metrics").text
            #expect(metrics.contains("# TYPE holdfast_source_gaps gauge\n"))
            #expect(metrics.contains(#"holdfast_source_gaps{source="a \"b\" \\c"} 1"# + "\n"))
            #expect(!metrics.contains("whole"))
        }
    }

    @Test func `metrics show the sources with most gaps, not more than a hundred`() throws {
        try withService { here in
            var client = try here.connect()
            var events: [String] = []
            for source in 0..<120 {
                for number in 0...(source == 119 ? 2 : 1) {
                    events.append(event("\(number)", "s\(source)", number * 2))
                }
            }
            _ = try client.post(events: events)
            let lines = try client.ask("GET", "/metrics").text.split(separator: "\n")
                .filter { $0.hasPrefix("holdfast_source_gaps{") }
            #expect(lines.count == 100)
            #expect(lines.first == #"holdfast_source_gaps{source="s119"} 2"#)
        }
    }
}
