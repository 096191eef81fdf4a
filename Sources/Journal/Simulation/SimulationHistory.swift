/// What happens in a run of a simulation, in words; kept when a run is played again.
package final class SimulationHistory {
    private let isKept: Bool
    package private(set) var lines: [String] = []

    package init(isKept: Bool) { self.isKept = isKept }

    /// Adds a line; `text` is not made where nothing is kept.
    package func record(_ text: @autoclosure () -> String) { if isKept { lines.append(text()) } }
}
