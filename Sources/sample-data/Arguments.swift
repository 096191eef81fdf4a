// What the command line asks for.

import SampleData

/// The arguments of a run.
struct Arguments: Equatable {
    var directory = "Data"
    var options = SampleOptions()

    static let usage = """
        usage: sample-data [--out DIR] [--seed N] [--skus N] [--stores N] [--events N]

          --out DIR     where the files go, made if missing   Data
          --seed N      other stores, stock and sales         1
          --skus N      \(text(SampleOptions.skuCounts))                        5000
          --stores N    \(text(SampleOptions.storeCounts))                              60
          --events N    \(text(SampleOptions.eventCounts)), repeats not counted    120000

        """

    private static func text(_ range: ClosedRange<Int>) -> String {
        "\(range.lowerBound) to \(range.upperBound)"
    }

    /// What is wrong with the arguments, in words.
    struct Mistake: Error {
        let message: String
    }

    /// - Throws: `Mistake`, for what is unknown, has no value or lies out of its range.
    init(_ words: [String]) throws(Mistake) {
        var seed: UInt64 = 1
        var sizes = ["--skus": 5000, "--stores": 60, "--events": 120_000]
        let ranges = [
            "--skus": SampleOptions.skuCounts, "--stores": SampleOptions.storeCounts,
            "--events": SampleOptions.eventCounts,
        ]
        var rest = words[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else {
                throw Mistake(message: "\(name) is no option, or has no value")
            }
            if name == "--out" {
                directory = value
            } else if name == "--seed" {
                guard let number = UInt64(value) else {
                    throw Mistake(message: "--seed takes a number, not \(value)")
                }
                seed = number
            } else if let range = ranges[name] {
                guard let number = Int(value), range.contains(number) else {
                    throw Mistake(message: "\(name) takes \(Self.text(range)), not \(value)")
                }
                sizes[name] = number
            } else {
                throw Mistake(message: "no such option: \(name)")
            }
        }
        options = SampleOptions(
            seed: seed, skuCount: sizes["--skus", default: 0],
            storeCount: sizes["--stores", default: 0], eventCount: sizes["--events", default: 0])
    }
}
