// Timing rounds and what they sum up to.

import Foundation
import Platform

/// What one round did: how much, and a checksum of what it found.
struct Round {
    /// Items or bytes, in the figure's unit.
    var amount: Double
    var checksum: UInt64
    /// Time that the round itself took, where it does more than what is measured.
    var nanoseconds: UInt64?

    init(amount: Int, checksum: UInt64, nanoseconds: UInt64? = nil) {
        self.amount = Double(amount)
        self.checksum = checksum
        self.nanoseconds = nanoseconds
    }
}

/// Several values of one quantity.
struct Spread {
    let median: Double
    let minimum: Double
    let maximum: Double

    init(_ values: [Double]) {
        let sorted = values.sorted()
        precondition(!sorted.isEmpty)
        minimum = sorted[0]
        maximum = sorted[sorted.count - 1]
        let middle = sorted.count / 2
        median =
            sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// Runs `body` and gives its rate per second of this thread's processor time: what other programs
/// run at the same time counts by what it does to the caches only.
func rate(_ body: () -> Round) -> (rate: Double, checksum: UInt64) {
    let start = Clock.threadNanoseconds
    let round = body()
    let elapsed = round.nanoseconds ?? (Clock.threadNanoseconds - start)
    return (round.amount * 1e9 / Double(max(1, elapsed)), round.checksum)
}

/// A figure and its roofline, measured in turns, so that what else the machine does at the time
/// strikes both alike.
struct Comparison {
    let figure: Spread
    let roofline: Spread
    let ratio: Spread
    let checksum: UInt64

    init(figure: Spread, roofline: Spread, ratio: Spread, checksum: UInt64) {
        self.figure = figure
        self.roofline = roofline
        self.ratio = ratio
        self.checksum = checksum
    }

    /// - Parameters:
    ///   - count: Rounds, after one of each to warm up.
    ///   - roofline: One round of each form of the simplest thing; the fastest form counts.
    ///   - expected: The checksum that every round of the figure must have; nil when rounds differ
    ///     and check themselves.
    init(
        rounds count: Int, rooflines: [() -> Round], expected: UInt64? = nil,
        figure body: () -> Round
    ) {
        var figures: [Double] = []
        var bounds: [Double] = []
        var ratios: [Double] = []
        var checksum: UInt64 = 0
        for round in 0...count {
            let bound = rooflines.map { rate($0).rate }.max() ?? 0
            let (figure, found) = rate(body)
            check(expected == nil || found == expected, "a figure's answer is wrong")
            if round == 0 { continue }
            checksum = found
            figures.append(figure)
            bounds.append(bound)
            ratios.append(bound > 0 ? figure / bound : 0)
        }
        self.figure = Spread(figures)
        roofline = Spread(bounds)
        ratio = Spread(ratios)
        self.checksum = checksum
    }
}

/// Stops the program when an answer is wrong: a fast wrong answer is no figure.
func check(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}

/// `base` to the power of `exponent`.
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
