// Figures and columns as people read them.

/// `1234567` as `1,234,567`.
func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
        if index > 0, index % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
}

/// `value` with so many decimals, rounded half away from zero.
func decimal(_ value: Double, places: Int) -> String {
    var scale = 1
    for _ in 0..<places { scale *= 10 }
    guard value.isFinite, abs(value) < 1e15 else { return "?" }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if places == 0 { return sign + grouped(scaled) }
    let fraction = String(scaled % scale)
    let zeros = String(repeating: "0", count: places - fraction.count)
    return "\(sign)\(grouped(scaled / scale)).\(zeros)\(fraction)"
}

/// Nanoseconds in the unit that suits them: `850 ns`, `85.0 us`, `1.25 ms`, `3.40 s`.
func timeText(_ nanoseconds: UInt64) -> String {
    let value = Double(nanoseconds)
    switch value {
    case ..<1e3: return "\(nanoseconds) ns"
    case ..<1e6: return decimal(value / 1e3, places: value < 1e5 ? 1 : 0) + " us"
    case ..<1e9: return decimal(value / 1e6, places: value < 1e8 ? 2 : 0) + " ms"
    default: return decimal(value / 1e9, places: 2) + " s"
    }
}

/// A span of milliseconds: `7 d`, `90 s`.
func durationText(_ milliseconds: Int64) -> String {
    let units: [(String, Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000),
    ]
    for (unit, scale) in units where milliseconds >= scale && milliseconds % scale == 0 {
        return "\(milliseconds / scale) \(unit)"
    }
    return "\(milliseconds) ms"
}

/// Columns that `text` takes on a terminal. East Asian wide letters take two (Unicode UAX #11, the
/// blocks that are wide throughout).
func columnCount(_ text: String) -> Int {
    var count = 0
    for letter in text {
        guard let scalar = letter.unicodeScalars.first?.value else { continue }
        switch scalar {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
            0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            count += 2
        default: count += 1
        }
    }
    return count
}

enum Alignment: Sendable { case left, right }

/// Rows of text in columns, two blanks between them.
func table(_ rows: [[String]], _ alignments: [Alignment]) -> [String] {
    var widths = alignments.map { _ in 0 }
    for row in rows {
        for (column, text) in row.enumerated() {
            widths[column] = max(widths[column], columnCount(text))
        }
    }
    return rows.map { row in
        var line = ""
        for (column, text) in row.enumerated() {
            let blanks = String(repeating: " ", count: widths[column] - columnCount(text))
            if column > 0 { line += "  " }
            line += alignments[column] == .left ? text + blanks : blanks + text
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
