import Bytes
import Testing

@testable import holdfast

@Suite struct EventRowsTests {
    private func converted(
        _ text: String, headerLineCount: Int = 1
    ) throws -> (text: String, rejections: [Rejection]) {
        var rows = EventRows()
        var piece = piece(text, headerLineCount: headerLineCount)
        let rejections = try rows.convert(&piece, path: "f")
        #expect(piece.headerLineCount == 0)
        return (piece.bytes.span.text, rejections)
    }

    @Test func `a row becomes an object of what it says`() throws {
        let (text, rejections) = try converted(
            "id,kind,sku,location,qty,at,seq,reason,ttl_seconds\n"
                + "e1,sale,A,L,2,2025-11-28T00:00:00Z,7,,\n"
                + "e2,adjust,A,L,-3,1764288000000,,\"a \"\"b\"\", c\",900\n")
        #expect(rejections == [])
        #expect(
            text
                == #"{"id":"e1","kind":"sale","sku":"A","location":"L","qty":2,"#
                + #""at":"2025-11-28T00:00:00Z","seq":7}"# + "\n"
                + #"{"id":"e2","kind":"adjust","sku":"A","location":"L","qty":-3,"#
                + #""at":1764288000000,"reason":"a \"b\", c","ttl_seconds":900}"# + "\n")
    }

    @Test(arguments: ["2.0", "02", "+2", "two", "1e3"])
    func `a quantity that is no whole number goes as a string`(quantity: String) throws {
        #expect(try converted("qty\n\(quantity)\n").text == "{\"qty\":\"\(quantity)\"}\n")
    }

    @Test func `objects keep the lines of their rows`() throws {
        let (text, rejections) = try converted(
            "id,sku\n1,A\n2\n\n\"3\n\",B\n4,\"x\ny\"\n5,C,D\n6,E\n")
        #expect(
            text.split(separator: "\n", omittingEmptySubsequences: false) == [
                #"{"id":"1","sku":"A"}"#, "", "", #"{"id":"3\n","sku":"B"}"#, "",
                #"{"id":"4","sku":"x\ny"}"#, "", "", #"{"id":"6","sku":"E"}"#, "",
            ])
        #expect(
            rejections == [
                Rejection(
                    line: 2, code: "wrong_field_count",
                    detail: "the row has 1 fields, not those of the header"),
                Rejection(
                    line: 8, code: "wrong_field_count",
                    detail: "the row has 3 fields, not those of the header"),
            ])
    }

    @Test(arguments: [
        ("id,colour\n", "f:1: unknown_column: colour"),
        ("id,id\n", "f:1: duplicate_column: id"),
        ("id,a\"b\n", "f:1: bad_quoting: the row is not accepted"),
    ])
    func `a header that is not accepted fails the file`(header: String, message: String) {
        #expect(throws: CommandError.failed(message)) { try converted(header) }
    }
}

@Suite struct MasterRowsTests {
    private func document(
        _ collection: MasterCollection, _ text: String, _ shape: RowShape
    ) throws -> (text: String, rejections: [Rejection]) {
        var rows = MasterRows(collection)
        let piece = piece(text, headerLineCount: shape == .csv ? 1 : 0)
        let rejections = try rows.read(piece, shape, path: "f")
        return (try rows.withDocument { $0.text }, rejections)
    }

    @Test func `rows of locations become a document`() throws {
        let (text, rejections) = try document(
            .locations,
            "location,kind,groups,open,utc_offset\nS1,store,north|stores,true,+01:00\n"
                + "D1,warehouse,,false,\nX,,a,perhaps,\n1,2\n", .csv)
        #expect(
            text
                == #"{"locations":[{"location":"S1","kind":"store","groups":["north","stores"],"#
                + #""open":true,"utc_offset":"+01:00"},"#
                + #"{"location":"D1","kind":"warehouse","groups":[],"open":false},"#
                + #"{"location":"X","groups":["a"],"open":"perhaps"}]}"#)
        #expect(rejections.map(\.line) == [5])
        #expect(rejections.map(\.code) == ["wrong_field_count"])
    }

    @Test func `numbers of channels are numbers`() throws {
        let (text, _) = try document(
            .channels, "default_ttl_seconds,channel\n900,web\n,pos\nx,app\n", .csv)
        #expect(
            text
                == #"{"channels":[{"channel":"web","default_ttl_seconds":900},"#
                + #"{"channel":"pos"},{"channel":"app","default_ttl_seconds":"x"}]}"#)
    }

    @Test func `lines are put together and broken ones left out`() throws {
        let (text, rejections) = try document(
            .groups,
            #"{"group":"a","members":["x"]}"# + "\n\n{\"group\":\n {} {} \n"
                + #"{"group":"b","members":[]}"#, .lines)
        #expect(
            text == #"{"groups":[{"group":"a","members":["x"]},{"group":"b","members":[]}]}"#)
        #expect(rejections.map(\.line) == [3, 4])
        #expect(rejections.map(\.code) == ["truncated", "trailing_bytes"])
    }

    @Test func `the entry that a refusal names is taken out`() throws {
        var rows = MasterRows(.channels)
        _ = try rows.read(piece("channel\na\n\nb\nc\n"), .csv, path: "f")
        var answer = ServiceAnswer()
        answer.code = "some_code"
        answer.detail = "it is wrong in channels[1]"
        #expect(
            rows.takeOut(answer)
                == Rejection(line: 4, code: "some_code", detail: "it is wrong"))
        let text = try rows.withDocument { $0.text }
        #expect(text == #"{"channels":[{"channel":"a"},{"channel":"c"}]}"#)
        #expect(rows.count == 2)
    }

    @Test(arguments: [
        "", "it is wrong", "in channels[1]", "wrong in channels[3]", "wrong in channels[-1]",
        "wrong in groups[1]", "wrong in channels[1] x",
    ])
    func `a refusal that names no entry takes none out`(detail: String) throws {
        var rows = MasterRows(.channels)
        _ = try rows.read(piece("channel\na\nb\nc\n"), .csv, path: "f")
        var answer = ServiceAnswer()
        answer.detail = detail
        #expect(rows.takeOut(answer) == nil)
        #expect(rows.count == 3)
    }
}

@Suite struct ServiceAnswerTests {
    @Test func `counts and rejected rows are read, unknown members passed over`() {
        let text = #"""
            {"accepted": 3, "new": [{}], "duplicates": 2, "parked": 1, "rejected": [
              {"index": 17, "id": "x", "code": "overflow", "detail": "a \"b\""},
              {"index": 20, "line": 22, "code": "busy"}], "rejected_count": 5, "mark": "m"}
            """#
        var wanted = ServiceAnswer()
        wanted.accepted = 3
        wanted.duplicates = 2
        wanted.parked = 1
        wanted.rejected = 5
        wanted.rejections = [
            Rejection(index: 17, line: 0, code: "overflow", detail: "a \"b\""),
            Rejection(index: 20, line: 22, code: "busy", detail: ""),
        ]
        #expect(ServiceAnswer(text.utf8.span) == wanted)
    }

    @Test(arguments: ["", "[]", "{", "{} x", #"{"accepted":"1"}"#, #"{"rejected":{}}"#, "<html>"])
    func `what is no answer is none`(text: String) {
        #expect(ServiceAnswer(text.utf8.span) == nil)
    }

    @Test func `indexes become lines, blank lines not counted`() {
        let text = "\n{}\n\n{}\n{}\n\n\n{}"
        let rejections = [3, 0, 2].map { Rejection(index: $0) } + [Rejection(index: 1, line: 9)]
        #expect(elementLines(rejections, text.utf8.span) == [8, 2, 5, 9])
    }

    @Test func `availability is read with locations and errors`() throws {
        let text = #"""
            {"as_of": "x", "items": [
              {"sku": "A", "available": 12, "max_single": 10, "level": "in", "satisfied": true,
               "version": 3, "locations": [{"location": "L", "available": 12}]},
              {"sku": "B", "available": 0, "level": "out", "error": "unknown_sku"}]}
            """#
        var first = AvailableItem()
        first.sku = "A"
        first.available = 12
        first.maxSingle = 10
        first.level = "in"
        first.isSatisfied = true
        first.places = [AvailableItem.Place(location: "L", available: 12)]
        var second = AvailableItem()
        second.sku = "B"
        second.level = "out"
        second.error = "unknown_sku"
        #expect(try availableItems(text.utf8.span) == [first, second])
        #expect(
            availabilityTable([first, second], showsSatisfied: true) == [
                "SKU  AVAILABLE  MAX SINGLE  LEVEL        SATISFIED",
                "A           12          10  in           yes",
                "  L         12",
                "B            0           -  unknown_sku  no",
            ])
    }
}
