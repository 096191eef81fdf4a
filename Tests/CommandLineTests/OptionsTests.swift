import Client
import Testing

@testable import holdfast

private let options: [Option] = [
    .value("to", "URL", "a value"), .value("location", "L", "again and again", isRepeatable: true),
    .flag("json", "a flag"), .missing("data", "there is none"),
]

@Suite struct OptionsTests {
    @Test(arguments: [
        ["--to", "x", "a", "b"], ["--to=x", "a", "b"], ["a", "--to", "x", "b"],
        ["a", "b", "--to", "x"],
    ])
    func `an option may stand anywhere, its value behind it or joined`(words: [String]) throws {
        let arguments = try Arguments(words, options: options)
        #expect(arguments.value("to") == "x")
        #expect(arguments.words == ["a", "b"])
    }

    @Test func `what stands behind two hyphens is no option`() throws {
        let arguments = try Arguments(["--json", "--", "--to", "-x", "--"], options: options)
        #expect(arguments.has("json"))
        #expect(!arguments.has("to"))
        #expect(arguments.words == ["--to", "-x", "--"])
    }

    @Test func `a single hyphen is a word and may be a value`() throws {
        let arguments = try Arguments(["-", "--to", "-"], options: options)
        #expect(arguments.words == ["-"])
        #expect(arguments.value("to") == "-")
    }

    @Test func `a value may hold an equals sign, and hyphens when it is joined`() throws {
        let arguments = try Arguments(["--to=a=b", "--location=--json"], options: options)
        #expect(arguments.value("to") == "a=b")
        #expect(arguments.value("location") == "--json")
        #expect(!arguments.has("json"))
    }

    @Test func `a repeatable option keeps its values in order`() throws {
        let arguments = try Arguments(
            ["--location", "b", "--location=a", "--location", "b"], options: options)
        #expect(arguments.values("location") == ["b", "a", "b"])
    }

    @Test(arguments: [
        (["--too", "x"], "no such option: --too; did you mean --to?"),
        (["--bogus"], "no such option: --bogus"),
        (["-j"], "no such option: -j"),
        (["--dat", "x"], "no such option: --dat"),
        (["--to"], "--to needs a value: --to URL"),
        (["--to="], "--to needs a value: --to URL"),
        (["--to", "--json"], "--to needs a value: --to URL"),
        (["--to", "--"], "--to needs a value: --to URL"),
        (["--to", "a", "--to", "b"], "--to is given twice"),
        (["--json", "--json"], "--json is given twice"),
        (["--json=yes"], "--json takes no value"),
        (["--data", "x"], "--data: there is none"),
        (["--data=x"], "--data: there is none"),
    ])
    func `mistakes are refused with a hint`(words: [String], message: String) {
        #expect(throws: CommandError.usage(message)) { try Arguments(words, options: options) }
    }

    @Test(arguments: [
        ("stok", "stock"), ("events", "events"), ("event", "events"), ("itmes", "items"),
        ("xyz", nil), ("", nil),
    ])
    func `the nearest name is the one that was probably meant`(name: String, near: String?) {
        #expect(nearest(to: name, among: ["items", "stock", "events"]) == near)
    }
}

@Suite struct ValueTests {
    private func arguments(_ text: String) throws -> Arguments {
        try Arguments(["--v=\(text)"], options: [.value("v", "V", "a value")])
    }

    @Test(arguments: [
        ("0", 0), ("17", 17), ("5K", 5000), ("100M", 100_000_000), ("2G", 2_000_000_000),
    ])
    func `a count has an optional scale`(text: String, count: Int) {
        #expect(countValue(text) == count)
    }

    @Test(arguments: ["", "K", "-1", "+1", "1.5M", "1 K", "5k", "5KB", "9223372036854775807K"])
    func `what is no count is refused`(text: String) { #expect(countValue(text) == nil) }

    @Test(arguments: [
        ("1ms", 1), ("90s", 90_000), ("30m", 1_800_000), ("12h", 43_200_000), ("7d", 604_800_000),
    ])
    func `a span of time has a unit`(text: String, milliseconds: Int64) {
        #expect(durationMilliseconds(text) == milliseconds)
    }

    @Test(arguments: ["", "7", "d", "-7d", "0s", "7 d", "1.5h", "7w", "106751991168d"])
    func `what is no span of time is refused`(text: String) {
        #expect(durationMilliseconds(text) == nil)
    }

    @Test(arguments: ["0", "11", "x", "1.0", "99999999999999999999"])
    func `a number out of its range is refused`(text: String) throws {
        let arguments = try arguments(text)
        #expect(throws: CommandError.usage("--v takes a number from 1 to 10, not \(text)")) {
            try arguments.integer("v", in: 1...10, default: 5)
        }
    }

    @Test func `what is not given has its standard value`() throws {
        let none = try Arguments([], options: [])
        #expect(try none.integer("v", in: 1...10, default: 5) == 5)
        #expect(try none.count("v", in: 1...10, default: 6) == 6)
        #expect(try none.duration("v", default: 7) == 7)
        #expect(try none.moment("v") == nil)
    }

    @Test(arguments: ["2025-11-28T00:00:00Z", "2025-11-28T01:00:00.5+01:00", "1764288000000"])
    func `a moment is RFC 3339 or milliseconds`(text: String) throws {
        #expect(try arguments(text).moment("v") == text)
    }

    @Test(arguments: ["2025-11-28", "yesterday", "2025-02-29T00:00:00Z"])
    func `what is no moment is refused`(text: String) throws {
        let arguments = try arguments(text)
        #expect(throws: CommandError.self) { try arguments.moment("v") }
    }

    @Test func `a service must be named by a URL`() throws {
        #expect(try arguments("http://localhost:1").service("v").authority == "localhost:1")
        let other = try arguments("localhost:1")
        #expect(throws: CommandError.self) { try other.service("v") }
        #expect(
            throws: CommandError.usage(
                "--w URL is required, for example --w http://127.0.0.1:8080")
        ) { try other.service("w") }
    }
}

@Suite struct TextTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (-1000, "-1,000"), (1_234_567, "1,234,567"),
    ])
    func `figures are grouped by thousands`(number: Int, text: String) {
        #expect(grouped(number) == text)
    }

    @Test(arguments: [
        (0.0, 0, "0"), (1.005, 1, "1.0"), (2.5, 0, "3"), (-2.5, 0, "-3"), (-0.04, 1, "0.0"),
        (12345.678, 2, "12,345.68"), (0.07, 3, "0.070"), (Double.infinity, 1, "?"),
    ])
    func `decimals are rounded half away from zero`(value: Double, places: Int, text: String) {
        #expect(decimal(value, places: places) == text)
    }

    @Test(arguments: [
        (850 as UInt64, "850 ns"), (85_040, "85.0 us"), (850_000, "850 us"),
        (1_250_000, "1.25 ms"), (125_000_000, "125 ms"), (3_400_000_000, "3.40 s"),
    ])
    func `times come in the unit that suits them`(nanoseconds: UInt64, text: String) {
        #expect(timeText(nanoseconds) == text)
    }

    @Test(arguments: [
        (604_800_000 as Int64, "7 d"), (90_000, "90 s"), (3_600_000, "1 h"), (1500, "1500 ms"),
    ])
    func `spans of time come in the largest unit that fits`(milliseconds: Int64, text: String) {
        #expect(durationText(milliseconds) == text)
    }

    @Test func `columns are as wide as their widest text, wide letters counted twice`() {
        let rows = [["SKU", "N"], ["和紙-A6", "7"], ["CRÈME", "100"]]
        #expect(
            table(rows, [.left, .right])
                == ["SKU        N", "和紙-A6    7", "CRÈME    100"])
    }
}
