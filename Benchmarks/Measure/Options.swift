// The command line of the benchmarks.

/// What to measure, at which sizes, how often.
struct Options {
    /// Positions in the store, one whole set of figures for each.
    var positionCounts = [1_000_000, 10_000_000, 100_000_000]

    /// Names of the figures wanted; empty: all.
    var only: Set<String> = []

    /// Measured rounds per figure, besides one to warm up.
    var repeatCount = 5

    /// Toy sizes: everything runs, nothing is worth quoting.
    var isSmoke = false

    /// Where the figures go as JSON; `-` is standard output, and the table goes to standard error.
    var jsonPath: String?

    /// The processor of the measuring thread; the second thread of a figure takes another.
    var processor = 0

    static let usage = """
        holdfast-bench [--positions 1M,10M,100M] [--only NAME,...] [--repeat 5] [--smoke]
                       [--json FILE|-] [--processor 0]
        holdfast-bench responder --port P --bytes N --request-bytes M [--processor C]

        Figures: roofline, load, atp, names, sku, scan, events, interference, inbox, flood, http,
                 accept, parquet, journal, durable, snapshot, recovery.
        """

    init(_ arguments: ArraySlice<String>) throws(UsageError) {
        var wantsSizes = false
        var rest = Arguments(arguments)
        while let option = rest.next() {
            switch option {
            case "--positions":
                wantsSizes = true
                positionCounts = []
                for size in try rest.value(of: option).split(separator: ",") {
                    positionCounts.append(try Self.count(size, option))
                }
            case "--only":
                let names = try rest.value(of: option).split(separator: ",").map { String($0) }
                for name in names where !Benchmark.names.contains(name) {
                    throw UsageError("there is no figure \(name)")
                }
                only = Set(names)
            case "--repeat": repeatCount = try Self.count(rest.value(of: option)[...], option)
            case "--smoke": isSmoke = true
            case "--json": jsonPath = try rest.value(of: option)
            case "--processor": processor = try rest.number(of: option)
            default: throw UsageError("unknown option \(option)")
            }
        }
        if isSmoke {
            if !wantsSizes { positionCounts = [20_000] }
            repeatCount = min(repeatCount, 2)
        }
    }

    func wants(_ name: String) -> Bool { only.isEmpty || only.contains(name) }

    /// Reads `250`, `100k` or `10M`.
    private static func count(_ text: Substring, _ option: String) throws(UsageError) -> Int {
        var digits = text
        var scale = 1
        if text.hasSuffix("M") { scale = 1_000_000 }
        if text.hasSuffix("k") { scale = 1000 }
        if scale > 1 { digits = text.dropLast() }
        guard let number = Int(digits), number > 0, number <= 2_000_000_000 / scale else {
            throw UsageError("\(option): \(text) is no count")
        }
        return number * scale
    }
}

/// A command line that cannot be followed, and why.
struct UsageError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

/// Words of a command line, taken one by one.
struct Arguments {
    private var rest: ArraySlice<String>

    init(_ words: ArraySlice<String>) { rest = words }

    mutating func next() -> String? { rest.popFirst() }

    mutating func value(of option: String) throws(UsageError) -> String {
        guard let value = rest.popFirst() else { throw UsageError("\(option) needs a value") }
        return value
    }

    mutating func number(of option: String) throws(UsageError) -> Int {
        let text = try value(of: option)
        guard let number = Int(text), number >= 0 else {
            throw UsageError("\(option): \(text) is no number")
        }
        return number
    }
}
