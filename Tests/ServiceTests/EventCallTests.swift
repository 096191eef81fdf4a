import Engine
import Platform
import Service
import Testing

/// POST /v1/events.
@Suite struct EventCallTests {
    @Test(arguments: EventForm.allCases)
    func `events come as an array, as lines or alone`(form: EventForm) throws {
        try withService { here in
            var client = try here.connect()
            let events = (1...7).map { event("e\($0)", "receipt", "A\($0 % 3)", "DC1", $0) }
            var accepted = 0
            for body in form.bodies(of: events) {
                let answer = try client.call("POST", "/v1/events", body)
                #expect(answer["rejected"].list.isEmpty)
                #expect(answer["duplicates"].int == 0)
                #expect(answer["parked"].int == 0)
                #expect(answer["mark"].string?.isEmpty == false)
                accepted += answer["accepted"].int ?? 0
            }
            #expect(accepted == 7)
            #expect(try client.position("A0", "DC1")["on_hand"].int == 9)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 12)
            #expect(try client.position("A2", "DC1")["on_hand"].int == 7)
        }
    }

    @Test(arguments: ["", " ", "\n\n", "[]", " [ ] ", "\r\n"])
    func `a body without events is no error`(body: String) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.call("POST", "/v1/events", body)
            #expect(answer["accepted"].int == 0)
            #expect(answer["rejected_count"].int == 0)
            #expect(try client.call("POST", "/v1/events")["accepted"].int == 0)
        }
    }

    @Test func `every kind does to stock what it says`() throws {
        try withService { here in
            var client = try here.connect()
            let events = [
                event("1", "receipt", "A1", "DC1", 100),
                event("2", "sale", "A1", "DC1", 7, #","channel":"web""#),
                event("3", "return", "A1", "DC1", 3),
                event("4", "move", "A1", "DC1", 2, #","from":"returned","to":"sellable""#),
                event("5", "write_off", "A1", "DC1", 5, #","reason":"broken""#),
                event("6", "adjust", "A1", "DC1", -4),
                event("7", "adjust", "A1", "DC1", 6, #","to":"damaged""#),
                event("8", "transfer", "A1", "DC1", 10, #","to_location":"S1""#),
                event("9", "receipt", "A1", "DC1", 11, #","to":"blocked""#),
                event("10", "count", "B1", "DC1", 42),
                event("11", "sale", "C1", "S1", 3),
            ]
            #expect(try client.post(events: events)["accepted"].int == 11)
            let here = try client.position("A1", "DC1")
            #expect(here["sellable"].int == 100 - 7 + 2 - 5 - 4 - 10)
            #expect(here["returned"].int == 1)
            #expect(here["damaged"].int == 6)
            #expect(here["blocked"].int == 11)
            #expect(here["on_hand"].int == 76 + 1 + 6 + 11)
            #expect(here["held"].int == 0)
            #expect(here["free"].int == 76)
            #expect(here["available"].int == 76)
            #expect(try client.position("A1", "S1")["sellable"].int == 10)
            #expect(try client.position("B1", "DC1")["sellable"].int == 42)
            #expect(try client.position("C1", "S1")["free"].int == -3)
            #expect(try client.position("C1", "S1")["available"].int == 0)
        }
    }

    /// Within a millisecond, and on connections that may be of different reactors.
    @Test func `what names no time takes effect in the order in which it came`() throws {
        try withService { here in
            var one = try here.connect()
            var other = try here.connect()
            var number = 0
            func next(_ kind: String, _ units: Int) -> String {
                number += 1
                return event("\(number)", kind, "A1", "DC1", units)
            }
            for round in 0..<60 {
                let events = [
                    next("count", 10), next("sale", 3), next("count", 20), next("sale", 1),
                    next("receipt", 2),
                ]
                #expect(try one.post(events: events)["accepted"].int == 5)
                #expect(try other.position("A1", "DC1")["on_hand"].int == 21)
                for units in [5, 6] {
                    _ = try one.post(events: [next("count", units)])
                    _ = try other.post(events: [next("sale", 1)])
                    _ = try one.post(events: [next("receipt", 3)])
                }
                #expect(try other.position("A1", "DC1")["on_hand"].int == 8, "round \(round)")
            }
        }
    }

    @Test func `a repeat changes nothing and is counted as one`() throws {
        try withService { here in
            var client = try here.connect()
            let first = event("1", "receipt", "A1", "DC1", 5, #","source":"wms""#)
            let other = event("1", "receipt", "A1", "DC1", 5, #","source":"pos""#)
            let answer = try client.post(events: [first, other, first])
            #expect(answer["accepted"].int == 2)
            #expect(answer["duplicates"].int == 1)
            // The same event, said with other spaces, escapes, and members that nobody knows.
            let again =
                #"{ "note":1, "source":"wm\u0073", "qty":5, "location":"DC1", "sku":"A1", "#
                + #""kind":"receipt", "id":"1" }"#
            #expect(try client.post(events: [again])["duplicates"].int == 1)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 10)
        }
    }

    @Test func `kinds and conditions may be escaped like any text`() throws {
        try withService { here in
            var client = try here.connect()
            let body =
                #"{"id":"1","kind":"\u0072eceipt","to":"d\u0061maged","sku":"A1","#
                + #""location":"DC1","qty":5,"at":"2025-01-0\u0031T00:00:00Z"}"#
            #expect(try client.post(events: [body])["accepted"].int == 1)
            #expect(try client.position("A1", "DC1")["damaged"].int == 5)
        }
    }

    @Test func `the same id with another content is refused`() throws {
        try withService { here in
            var client = try here.connect()
            let contents = [
                event("1", "receipt", "A1", "DC1", 6), event("1", "receipt", "A1", "DC2", 5),
                event("1", "return", "A1", "DC1", 5),
                event("1", "receipt", "A1", "DC1", 5, #","to":"damaged""#),
                event("1", "receipt", "A1", "DC1", 5, #","at":"2025-01-01T00:00:00Z""#),
                event("1", "receipt", "A1", "DC1", 5, #","reason":"found""#),
            ]
            #expect(
                try client.post(events: [event("1", "receipt", "A1", "DC1", 5)])["accepted"].int
                    == 1)
            let answer = try client.post(events: contents)
            #expect(rejections(answer) == contents.indices.map { "\($0) id_conflict" })
            #expect(answer["rejected"].list.allSatisfy { $0["id"].string == "1" })
            #expect(try client.position("A1", "DC1")["on_hand"].int == 5)
        }
    }

    @Test(arguments: EventForm.many)
    func `each refusal is listed by index, id and code, and the others are taken`(
        form: EventForm
    ) throws {
        try withService { here in
            var client = try here.connect()
            let long = String(repeating: "x", count: 65)
            let bad: [(String, String)] = [
                (#"{"kind":"sale","sku":"A1","location":"DC1","qty":1}"#, "missing_field"),
                (event("", "sale", "A1", "DC1", 1), "missing_field"),
                (event(long + long, "sale", "A1", "DC1", 1), "identifier_too_long"),
                (event("a\\u0000", "sale", "A1", "DC1", 1), "identifier_control_character"),
                (#"{"id":"b","sku":"A1","location":"DC1","qty":1}"#, "missing_field"),
                (#"{"id":"b","kind":"sale","location":"DC1","qty":1}"#, "missing_field"),
                (#"{"id":"b","kind":"sale","sku":"A1","qty":1}"#, "missing_field"),
                (#"{"id":"b","kind":"sale","sku":"A1","location":"DC1"}"#, "missing_field"),
                (event("b", "sail", "A1", "DC1", 1), "unknown_kind"),
                (event("b", "", "A1", "DC1", 1), "unknown_kind"),
                (event("b", "inbound", "A1", "DC1", 1), "unsupported_kind"),
                (event("b", "hold", "A1", "DC1", 1), "unsupported_kind"),
                (event("b", "transfer_ship", "A1", "DC1", 1), "unsupported_kind"),
                (event("b", "sale", "A1", "DC1", 0), "bad_quantity"),
                (event("b", "sale", "A1", "DC1", -1), "bad_quantity"),
                (event("b", "count", "A1", "DC1", -1), "bad_quantity"),
                (event("b", "sale", "A1", "DC1", 1 << 31), "quantity_out_of_range"),
                (event("b", "adjust", "A1", "DC1", -1 << 31 - 1), "quantity_out_of_range"),
                (event("b", "sale", "A1", "DC1", 1, #","at":"yesterday""#), "bad_time"),
                (event("b", "sale", "A1", "DC1", 1, #","at":-99999999999999"#), "bad_time"),
                (
                    event("b", "sale", "A1", "DC1", 1, #","at":"2999-01-01T00:00:00Z""#),
                    "future_time"
                ),
                (event("b", "sale", "A1", "DC1", 1, #","at":32503679999999"#), "future_time"),
                (event("b", "sale", "A1", "DC1", 1, #","from":"lost""#), "unknown_condition"),
                (
                    event("b", "sale", "A1", "DC1", 1, #","to":"damaged""#),
                    "contradicting_conditions"
                ),
                (event("b", "move", "A1", "DC1", 1), "missing_field"),
                (
                    event("b", "move", "A1", "DC1", 1, #","from":"sellable","to":"sellable""#),
                    "contradicting_conditions"
                ),
                (event("b", "transfer", "A1", "DC1", 1), "missing_field"),
                (event("b", "transfer", "A1", "DC1", 1, #","to_location":"DC1""#), "same_location"),
                (
                    event("b", "transfer", "A1", "DC1", 1, #","to_location":"\#(long)""#),
                    "identifier_too_long"
                ),
                (event("b", "sale", "", "DC1", 1), "missing_field"),
                (event("b", "sale", long, "DC1", 1), "identifier_too_long"),
                (event("b", "sale", "A\\n", "DC1", 1), "identifier_control_character"),
                (event("b", "sale", "A1", long, 1), "identifier_too_long"),
                (
                    event("b", "sale", "A1", "DC1", 1, #","channel":"\#(long)""#),
                    "identifier_too_long"
                ),
                (
                    event("b", "sale", "A1", "DC1", 1, #","source":"\#(long)""#),
                    "identifier_too_long"
                ),
                (event("b", "receipt", "MAX", "DC1", 1), "overflow"),
                (event("b", "sale", "A1", "DC1", 1, #","sku":"A1""#), "duplicate_key"),
                (event("b", "sale", "A1", "DC1", 1, #","channel":7"#), "wrong_kind"),
                (event("b", "sale", "A1", "DC1", 1, #","seq":"7""#), "wrong_kind"),
                (#"{"id":"b","kind":"sale","sku":"\ud800"}"#, "lone_surrogate"),
                (#"{"id":"b","kind":"sale","sku":"\x"}"#, "bad_escape"), (#""b""#, "wrong_kind"),
                ("17", "wrong_kind"), ("null", "wrong_kind"), ("[]", "wrong_kind"),
            ]
            _ = try client.post(events: [event("max", "receipt", "MAX", "DC1", Int(Int32.max))])
            var events: [String] = []
            for (number, (text, _)) in bad.enumerated() {
                events.append(event("good\(number)", "receipt", "A1", "DC1", 1))
                events.append(text)
            }
            let answer = try client.call("POST", "/v1/events", form.bodies(of: events)[0])
            #expect(answer["accepted"].int == bad.count)
            #expect(answer["rejected_count"].int == bad.count)
            let expected = bad.enumerated().map { "\($0.offset * 2 + 1) \($0.element.1)" }
            #expect(rejections(answer) == expected)
            for entry in answer["rejected"].list {
                let text = bad[(entry["index"].int ?? 1) / 2].0
                if text.contains(#""id":"b""#) { #expect(entry["id"].string == "b", "\(text)") }
                #expect(entry["detail"].string?.isEmpty == false)
            }
            #expect(try client.position("A1", "DC1")["on_hand"].int == bad.count)
        }
    }

    @Test(arguments: [
        "{,}", "x", "{\"id\":\"b\"", "[1", "{\"id\": \"\u{1}\"}", "{\"a\":1}}", "{}{}",
    ])
    func `a malformed line spoils itself alone`(line: String) throws {
        try withService { here in
            var client = try here.connect()
            let good = { event($0, "receipt", "A1", "DC1", 1) }
            let body = "\(good("1"))\n\(good("2"))\n\(line)\n\n\(good("3"))\n\(good("4"))"
            let answer = try client.call("POST", "/v1/events", body)
            #expect(answer["accepted"].int == 4)
            #expect(answer["rejected"].list.map { $0["index"].int } == [2])
            #expect(try client.position("A1", "DC1")["on_hand"].int == 4)
        }
    }

    @Test(arguments: [
        ("{,}", 3), ("x", 2), (#"{"id":"b""#, 2), ("1]]", 3), ("]", 2), ("", 2),
        (#"{"id":"b"}}"#, 3), ("{}{}", 3),
    ])
    func `what comes before the place where an array breaks is taken, and the answer says so`(
        element: String, elementCount: Int
    ) throws {
        try withService { here in
            var client = try here.connect()
            let good = { event($0, "receipt", "A1", "DC1", 1) }
            let body = "[\(good("1")),\(good("2")),\(element),\(good("3"))]"
            let answer = try client.ask("POST", "/v1/events", body: Array(body.utf8))
            let report = try Document(reading: answer.body)
            if element == "{,}" || element == "{}{}" || element == #"{"id":"b"}}"# {
                // Brackets match: the element ends, and is refused by itself.
                if element == "{,}" {
                    #expect(answer.status == 200)
                    #expect(report["accepted"].int == 3)
                    #expect(rejections(report) == ["2 unexpected_byte"])
                    return
                }
            }
            #expect(answer.status == 400)
            #expect(report["accepted"].int == 2)
            #expect(report["code"].string?.isEmpty == false)
            #expect(report["detail"].string?.isEmpty == false)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 2)
            #expect(try client.isServed())
        }
    }

    @Test(arguments: [
        ("[", "truncated"), ("[1,", "truncated"), ("nonsense", ""), ("[}", "unexpected_byte"),
    ])
    func `an array of which nothing was taken is a problem`(body: String, code: String) throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.ask("POST", "/v1/events", body: Array(body.utf8))
            let report = try Document(reading: answer.body)
            if code.isEmpty {
                #expect(answer.status == 200)
                #expect(report["rejected_count"].int == 1)
            } else {
                #expect(answer.status == 400)
                #expect(report["code"].string == code)
            }
        }
    }

    @Test(arguments: [1, 2, 255, 256, 257, 2000])
    func `an array that is cut off is never taken for a whole one`(count: Int) throws {
        try withService { here in
            var client = try here.connect()
            let events = (0..<count).map { event("\($0)", "receipt", "A\($0 % 5)", "DC1", 1) }
            let body = "[" + events.joined(separator: ",")
            for ending in ["", ",", " "] {
                let answer = try client.call(
                    "POST", "/v1/events", body + ending, expecting: 400)
                #expect(answer["code"].string == "truncated")
                let taken = (answer["accepted"].int ?? 0) + (answer["duplicates"].int ?? 0)
                #expect(taken == count)
            }
        }
    }

    @Test func `an old event of a shelf that was counted after it is kept without effect`() throws {
        try withService { here in
            var client = try here.connect()
            let answer = try client.post(events: [
                event("1", "count", "A1", "DC1", 10, #","at":"2025-06-02T00:00:00Z""#),
                event("2", "receipt", "A1", "DC1", 5, #","at":"2025-06-01T00:00:00Z""#),
                event("3", "sale", "A1", "DC1", 1, #","at":"2025-06-03T00:00:00+02:00""#),
                event("4", "count", "A1", "DC1", 99, #","at":"2025-06-01T12:00:00Z""#),
            ])
            #expect(answer["accepted"].int == 4)
            #expect(try client.position("A1", "DC1")["sellable"].int == 9)
        }
    }

    @Test func `what is older than memory is parked, unless it is loaded on purpose`() throws {
        try withService {
            $0.engine.shardCount = 1
            $0.engine.rememberedMax = 16
        } _: { here in
            var client = try here.connect()
            for number in 0..<40 {
                _ = try client.post(events: [event("f\(number)", "receipt", "F", "DC1", 1)])
            }
            let old = event("old", "receipt", "A1", "DC1", 5, #","at":"2025-01-01T00:00:00Z""#)
            #expect(try client.post(events: [old])["parked"].int == 1)
            #expect(try client.position("A1", "DC1").isAbsent)
            let older = event("older", "receipt", "A1", "DC1", 7, #","at":"2024-01-01T00:00:00Z""#)
            #expect(
                try client.post(events: [older], query: "?backfill=true")["accepted"].int == 1)
            #expect(try client.position("A1", "DC1")["on_hand"].int == 7)
        }
    }

    @Test func `where unknown names are refused, events are parked and listed`() throws {
        try withService {
            $0.engine.createsUnknown = false
        } _: { here in
            var client = try here.connect()
            _ = try client.call("PUT", "/v1/locations", #"[{"location":"DC1"},{"location":"S1"}]"#)
            _ = try client.call("PUT", "/v1/channels", #"[{"channel":"web"}]"#)
            _ = try client.call("PUT", "/v1/items", #"[{"sku":"A1"}]"#)
            // One of them spreads over lines, as one of an array may.
            let body = """
                [\(event("1", "receipt", "A1", "DC1", 9)),
                 {"id": "2",
                  "kind": "receipt", "sku": "B1",\r
                  "location": "DC1", "qty": 1, "reason": "two\\nlines"},
                 \(event("3", "receipt", "A1", "X", 1)),
                 \(event("4", "sale", "A1", "DC1", 1, #","channel":"app""#)),
                 \(event("5", "transfer", "A1", "DC1", 1, #","to_location":"X""#)),
                 \(event("6", "sale", "A1", "DC1", 2, #","channel":"web""#))]
                """
            let answer = try client.call("POST", "/v1/events", body)
            #expect(answer["accepted"].int == 2)
            #expect(answer["parked"].int == 4)
            #expect(answer["rejected_count"].int == 0)
            let list = try client.ask("GET", "/v1/dead-letters")
            #expect(header("content-type", of: list) == "application/x-ndjson")
            let letters = try list.text.split(separator: "\n")
                .map { try Document(reading: Array($0.utf8)) }
            let codes = Dictionary(
                uniqueKeysWithValues: letters.map {
                    ($0["event"]["id"].string ?? "?", $0["code"].string ?? "?")
                })
            #expect(
                codes == [
                    "2": "unknown_sku", "3": "unknown_location", "4": "unknown_channel",
                    "5": "unknown_location",
                ])
            #expect(letters.allSatisfy { $0["parked_at"].string?.hasSuffix("Z") == true })
            let two = letters.first { $0["event"]["id"].string == "2" }
            #expect(two?["event"]["reason"].string == "two\nlines")
            #expect(try client.position("A1", "DC1")["on_hand"].int == 7)
            // A parked one that comes again is still parked, once.
            let again = try client.post(events: [event("3", "receipt", "A1", "X", 1)])
            #expect(again["parked"].int == 1)
            #expect(
                try client.ask("GET", "/v1/dead-letters").text.split(separator: "\n").count == 4)
        }
    }

    @Test func `rejections beyond ten thousand are counted`() throws {
        try withService { here in
            var client = try here.connect()
            var body = ""
            for number in 0..<10_500 { body += "{\"id\":\"e\(number)\"}\n" }
            body += event("good", "receipt", "A1", "DC1", 1)
            let answer = try client.call("POST", "/v1/events", body)
            #expect(answer["accepted"].int == 1)
            #expect(answer["rejected_count"].int == 10_500)
            #expect(answer["rejected"].list.count == 10_000)
            #expect(answer["rejected"][9_999]["id"].string == "e9999")
        }
    }

    @Test func `lines and arrays may come in pieces of any size`() throws {
        try withService { here in
            var client = try here.connect()
            var bytes: [UInt8] = []
            for number in 0..<40 {
                bytes += Array(event("\(number)", "receipt", "A1", "DC1", 1).utf8) + [10]
            }
            let array =
                Array("[\n".utf8) + bytes.map { $0 == 10 ? UInt8(ascii: ",") : $0 }.dropLast()
                + Array(" ]".utf8)
            var expected = 40
            for body in [bytes, array] {
                for size in [1, 3, 64, 1000] {
                    try client.send(
                        "POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                    try client.send(chunked(body, by: size))
                    let answer = try Document(reading: client.answer().body)
                    #expect(answer["accepted"].int == expected)
                    #expect(answer["duplicates"].int == 40 - expected)
                    expected = 0
                }
            }
        }
    }

    @Test func `what belongs to another format is refused by its type`() throws {
        try withService { here in
            var client = try here.connect()
            for type in ["text/csv", "Text/CSV; charset=utf-8"] {
                let problem = try client.call(
                    "POST", "/v1/events", "id,kind\n", headers: "Content-Type: \(type)\r\n",
                    expecting: 415)
                #expect(problem["code"].string == "unsupported_media_type")
            }
            let packed = try client.call(
                "POST", "/v1/events", "x", headers: "Content-Encoding: gzip\r\n", expecting: 415)
            #expect(packed["code"].string == "unsupported_encoding")
        }
    }
}

/// How events are put into bodies.
enum EventForm: String, CaseIterable, CustomTestStringConvertible {
    case array, spacedArray, lines, endedLines, carriageReturns, single

    static let many: [EventForm] = [.array, .lines]

    var testDescription: String { rawValue }

    func bodies(of events: [String]) -> [String] {
        switch self {
        case .array: ["[\(events.joined(separator: ","))]"]
        case .spacedArray: ["\n [ \(events.joined(separator: " ,\r\n\t")) ] \n"]
        case .lines: [events.joined(separator: "\n")]
        case .endedLines: ["\n" + events.joined(separator: "\n\n") + "\n"]
        case .carriageReturns: [events.joined(separator: "\r\n") + "\r\n"]
        case .single: events
        }
    }
}
