// Instants as text: RFC 3339 §5.6 date-times, read and written without Foundation.
//
// Only UTC instants leave the program; offsets are accepted on the way in. Days are counted by the
// proleptic Gregorian calendar (the "days from civil" method of Howard Hinnant's chrono papers).

/// Milliseconds since 1970-01-01T00:00:00Z.
@usableFromInline
package typealias Milliseconds = Int64

/// Days between 1970-01-01 and the civil date; negative before it.
@inlinable
package func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

/// The civil date that lies `days` after 1970-01-01.
@inlinable
package func civilDate(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}

@inlinable
package func daysInMonth(year: Int, month: Int) -> Int {
    switch month {
    case 2: (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

extension Span<UInt8> {
    /// The number in `width` ASCII digits at `offset`; −1 when one of them is no digit.
    @inlinable
    func digits(at offset: Int, width: Int) -> Int {
        var value = 0
        for index in offset..<(offset + width) {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return -1 }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// The span as an RFC 3339 date-time, for example `2026-11-27T20:59:58.123+01:00`.
    ///
    /// A fraction beyond milliseconds is cut off; a leap second reads as the second before it, so
    /// that every accepted text names an instant.
    ///
    /// - Returns: nil when the text is anything else, also an instant that no text in UTC names
    ///   because its offset takes it out of the years 0000 ... 9999: none could be written back.
    package func rfc3339Milliseconds() -> Milliseconds? {
        guard count >= 20, self[4] == UInt8(ascii: "-"), self[7] == UInt8(ascii: "-"),
            self[10] | 0x20 == UInt8(ascii: "t"), self[13] == UInt8(ascii: ":"),
            self[16] == UInt8(ascii: ":")
        else { return nil }
        let year = digits(at: 0, width: 4)
        let month = digits(at: 5, width: 2)
        let day = digits(at: 8, width: 2)
        let hour = digits(at: 11, width: 2)
        let minute = digits(at: 14, width: 2)
        var second = digits(at: 17, width: 2)
        guard year >= 0, (1...12).contains(month), day >= 1,
            day <= daysInMonth(year: year, month: month), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        if second == 60 { second = 59 }
        var offset = 19
        var fraction = 0
        if self[offset] == UInt8(ascii: ".") {
            offset += 1
            let start = offset
            var scale = 100
            while offset < count, self[offset] &- UInt8(ascii: "0") < 10 {
                fraction += Int(self[offset] - UInt8(ascii: "0")) * scale
                scale /= 10
                offset += 1
            }
            guard offset > start else { return nil }
        }
        guard offset < count else { return nil }
        var zone = 0
        switch self[offset] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard offset + 1 == count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard offset + 6 == count, self[offset + 3] == UInt8(ascii: ":") else { return nil }
            let hours = digits(at: offset + 1, width: 2)
            let minutes = digits(at: offset + 4, width: 2)
            guard (0...23).contains(hours), (0...59).contains(minutes) else { return nil }
            zone = (hours * 60 + minutes) * (self[offset] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        let days = daysSinceEpoch(year: year, month: month, day: day)
        let seconds = days * 86_400 + hour * 3600 + (minute - zone) * 60 + second
        guard (-62_167_219_200...253_402_300_799).contains(seconds) else { return nil }
        return Milliseconds(seconds) * 1000 + Milliseconds(fraction)
    }
}

extension ByteBuffer {
    /// Appends `instant` as `2026-11-27T20:59:58.123Z`.
    ///
    /// - Precondition: The year lies in 0000 ... 9999.
    package mutating func append(rfc3339 instant: Milliseconds) {
        let day = instant >= 0 ? instant / 86_400_000 : (instant - 86_399_999) / 86_400_000
        let rest = Int(instant - day * 86_400_000)
        let date = civilDate(daysSinceEpoch: Int(day))
        append(padded: date.year, width: 4)
        append(UInt8(ascii: "-"))
        append(padded: date.month, width: 2)
        append(UInt8(ascii: "-"))
        append(padded: date.day, width: 2)
        append(UInt8(ascii: "T"))
        append(padded: rest / 3_600_000, width: 2)
        append(UInt8(ascii: ":"))
        append(padded: rest / 60_000 % 60, width: 2)
        append(UInt8(ascii: ":"))
        append(padded: rest / 1000 % 60, width: 2)
        append(UInt8(ascii: "."))
        append(padded: rest % 1000, width: 3)
        append(UInt8(ascii: "Z"))
    }

    /// Appends `value` in exactly `width` digits, zeros in front.
    @inlinable
    package mutating func append(padded value: Int, width: Int) {
        precondition(value >= 0)
        reserve(width)
        count &+= width
        var rest = value
        for offset in stride(from: count - 1, through: count - width, by: -1) {
            unsafe base[offset] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        precondition(rest == 0)
    }
}
