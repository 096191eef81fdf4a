import Bytes
import Testing

@Suite struct RFC3339Tests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-27T20:59:58.123Z", 1_795_813_198_123),
        ("2026-11-27T21:59:58.123+01:00", 1_795_813_198_123),
        ("2000-02-29t12:00:00.9999z", 951_825_600_999),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2016-12-31T23:59:60Z", 1_483_228_799_000),
        ("0000-01-01T00:01:00+00:01", -62_167_219_200_000),
        ("9999-12-31T23:58:59.999-00:01", 253_402_300_799_999),
    ])
    func `reads an instant`(text: String, expected: Int64) {
        #expect(withUTF8(text) { $0.rfc3339Milliseconds() } == expected)
    }

    @Test(arguments: [
        "", "2026-11-27", "2026-11-27T20:59:58", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-27T24:00:00Z", "2026-11-27T20:60:00Z", "2026-11-27T20:59:58.Z",
        "2026-11-27T20:59:58+0100", "2026-11-27 20:59:58Z", "2026-11-27T20:59:58Zx",
        "٢٠٢٦-11-27T20:59:58Z", "2026-11-27T20:59:61Z", "0000-01-01T00:00:59+00:01",
        "9999-12-31T23:59:00-00:01",
    ])
    func `refuses what is no instant`(text: String) {
        #expect(withUTF8(text) { $0.rfc3339Milliseconds() } == nil)
    }

    @Test func `every day from 0000 to 9999 comes back from its number`() {
        var expected = daysSinceEpoch(year: 0, month: 1, day: 1)
        for year in 0...9999 {
            for month in 1...12 {
                for day in 1...daysInMonth(year: year, month: month) {
                    let days = daysSinceEpoch(year: year, month: month, day: day)
                    let date = civilDate(daysSinceEpoch: days)
                    if days != expected || date != (year, month, day) {
                        Issue.record("\(year)-\(month)-\(day): \(days), \(date)")
                        return
                    }
                    expected += 1
                }
            }
        }
    }

    @Test func `what is written reads back`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<10_000 {
            let instant = Int64.random(
                in: -62_167_219_200_000...253_402_300_799_999, using: &random)
            var buffer = ByteBuffer()
            buffer.append(rfc3339: instant)
            #expect(buffer.span.rfc3339Milliseconds() == instant)
        }
    }
}
