// The figures as a table for people and as JSON for programs.

import Bytes
import Foundation
import Platform

/// One line of the report.
struct Figure: Encodable {
    var name: String
    var positions: Int
    var shape: String
    var unit: String
    var median: Double
    var minimum: Double
    var maximum: Double
    var roofline: String?
    var rooflineMedian: Double?
    var rooflineMinimum: Double?
    var rooflineMaximum: Double?
    var ratio: Double?
    var ratioMinimum: Double?
    var ratioMaximum: Double?
    var goal: String?
    var checksum: String

    /// A figure beside its roofline.
    init(
        _ name: String, positions: Int, shape: String, unit: String, roofline: String,
        _ comparison: Comparison, goal: Double? = nil
    ) {
        self.init(
            name, positions: positions, shape: shape, unit: unit, comparison.figure,
            checksum: comparison.checksum)
        self.roofline = roofline
        rooflineMedian = comparison.roofline.median
        rooflineMinimum = comparison.roofline.minimum
        rooflineMaximum = comparison.roofline.maximum
        ratio = comparison.ratio.median
        ratioMinimum = comparison.ratio.minimum
        ratioMaximum = comparison.ratio.maximum
        self.goal = goal.map { "ratio >= \(decimal($0, 2))" }
    }

    init(
        _ name: String, positions: Int, shape: String, unit: String, _ spread: Spread,
        checksum: UInt64, goal: String? = nil
    ) {
        self.name = name
        self.positions = positions
        self.shape = shape
        self.unit = unit
        median = spread.median
        minimum = spread.minimum
        maximum = spread.maximum
        self.goal = goal
        self.checksum = String(checksum, radix: 16)
    }
}

/// What the figures were measured on, and with what.
struct Setting: Encodable {
    var processors: Int
    var processorModel = Setting.line(of: "/proc/cpuinfo", "model name")
    var kernel = Setting.text("/proc/sys/kernel/osrelease")
    var hugePages = Setting.text("/sys/kernel/mm/transparent_hugepage/enabled")
    var build = Setting.buildFlags
    var seed = String(Benchmark.seed, radix: 16)
    var repeats: Int

    static var buildFlags: String {
        #if DEBUG
            "debug: not worth quoting"
        #elseif arch(x86_64)
            "release (-O, whole module), x86-64 baseline (SSE2)"
        #else
            "release (-O, whole module)"
        #endif
    }

    static func text(_ path: String) -> String {
        guard let content = try? readFile(path, limit: 1 << 16) else { return "unknown" }
        return content.span.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static func line(of path: String, _ key: String) -> String {
        for line in text(path).split(separator: "\n") where line.hasPrefix(key) {
            return line.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces)
        }
        return "unknown"
    }

    /// Bytes of memory that can be had without swapping.
    static var availableByteCount: Int {
        let words = line(of: "/proc/meminfo", "MemAvailable").split(separator: " ")
        return (words.first.flatMap { Int($0) } ?? 0) * 1024
    }
}

/// Prints figures as they come and keeps them.
final class Report {
    private struct Document: Encodable {
        var setting: Setting
        var figures: [Figure]
        var notes: [String]
    }

    private let setting: Setting
    private let jsonPath: String?
    private var figures: [Figure] = []
    private var notes: [String] = []
    private let output: FileHandle

    init(_ options: Options, processors: Int) {
        setting = Setting(processors: processors, repeats: options.repeatCount)
        jsonPath = options.jsonPath
        output = options.jsonPath == "-" ? .standardError : .standardOutput
        put("\(setting.processorModel), \(setting.processors) processors, Linux \(setting.kernel)")
        put("build: \(setting.build); huge pages: \(setting.hugePages); seed \(setting.seed)")
        put("medians of \(setting.repeats) rounds [min … max]; a ratio is of one round")
        put("rates are per second of the measuring thread's processor time; inbox: of real time")
        put("")
        put(
            row(
                "figure", "size", "shape", "rate", "roofline", "ratio", "goal", "checksum"))
    }

    func add(_ figure: Figure) {
        figures.append(figure)
        let rate =
            "\(scaled(figure.median)) [\(scaled(figure.minimum)) … \(scaled(figure.maximum))] "
            + figure.unit
        var bound = ""
        var ratio = ""
        if let name = figure.roofline, let median = figure.rooflineMedian {
            bound = "\(scaled(median)) \(name)"
        }
        if let median = figure.ratio, let low = figure.ratioMinimum, let high = figure.ratioMaximum
        {
            ratio = "\(decimal(median, 2)) [\(decimal(low, 2)) … \(decimal(high, 2))]"
        }
        put(
            row(
                figure.name, scaled(Double(figure.positions)), figure.shape, rate, bound, ratio,
                figure.goal ?? "", figure.checksum))
    }

    /// A line that is no figure: what was skipped, and why.
    func note(_ text: String) {
        notes.append(text)
        put("-- \(text)")
    }

    func finish() throws {
        guard let jsonPath else { return }
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let document = Document(setting: setting, figures: figures, notes: notes)
        var data = try encoder.encode(document)
        data.append(UInt8(ascii: "\n"))
        if jsonPath == "-" {
            try FileHandle.standardOutput.write(contentsOf: data)
        } else {
            try data.write(to: URL(fileURLWithPath: jsonPath))
        }
    }

    private func put(_ line: String) {
        try? output.write(contentsOf: Data((line + "\n").utf8))
    }

    private func row(_ cells: String...) -> String {
        let widths = [18, 5, 29, 38, 14, 18, 13, 10]
        return zip(cells, widths)
            .map { cell, width in
                cell + String(repeating: " ", count: max(0, width - cell.count))
            }
            .joined(separator: " ")
    }
}

/// `value` with so many places behind the point.
func decimal(_ value: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", value)
}

/// `value` with three digits and a letter: 12.3M.
func scaled(_ value: Double) -> String {
    let steps: [(Double, String)] = [(1e9, "G"), (1e6, "M"), (1e3, "k")]
    for (size, letter) in steps where abs(value) >= size {
        let short = value / size
        return decimal(short, short < 9.995 ? 2 : short < 99.95 ? 1 : 0) + letter
    }
    return decimal(value, value < 10 ? 2 : value < 100 ? 1 : 0)
}
