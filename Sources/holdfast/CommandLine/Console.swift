// Where a command's words go: standard output, standard error, a status line on a terminal.

import Bytes
import Platform
import Synchronization

/// The two standard streams, or what stands in for them in a test. Any thread may use it.
final class Console: Sendable {
    /// What was written, when nothing is really printed.
    struct Captured: Equatable, Sendable {
        var output = ""
        var errors = ""
    }

    /// Whether standard output shows colours and standard error a status line.
    let showsStyle: Bool
    let showsStatus: Bool

    private let isReal: Bool
    private let state = Mutex(State())

    private struct State {
        var captured = Captured()
        var hasStatus = false
    }

    /// The process's own streams.
    ///
    /// Colour is left away where there is no terminal, or somebody asks so (no-color.org).
    init() {
        isReal = true
        let isPlain = !(environment("NO_COLOR") ?? "").isEmpty || environment("TERM") == "dumb"
        showsStyle = Terminal.isTerminal(Terminal.standardOutput) && !isPlain
        showsStatus = Terminal.isTerminal(Terminal.standardError) && environment("TERM") != "dumb"
    }

    private init(isReal: Bool) {
        self.isReal = isReal
        showsStyle = false
        showsStatus = false
    }

    /// Streams that keep what is written.
    static func capturing() -> Console { Console(isReal: false) }

    var captured: Captured { state.withLock { $0.captured } }

    /// Writes a line to standard output.
    func say(_ line: String = "") { write(line + "\n", isError: false) }

    /// Writes bytes to standard output as they are.
    func write(_ bytes: Span<UInt8>) {
        state.withLock { state in
            clearStatus(&state)
            if isReal {
                put(bytes, Terminal.standardOutput)
            } else {
                state.captured.output += bytes.text
            }
        }
    }

    /// Writes a line to standard error.
    func complain(_ line: String) { write(line + "\n", isError: true) }

    private func write(_ text: String, isError: Bool) {
        state.withLock { state in
            clearStatus(&state)
            if isReal {
                put(text.utf8.span, isError ? Terminal.standardError : Terminal.standardOutput)
            } else if isError {
                state.captured.errors += text
            } else {
                state.captured.output += text
            }
        }
    }

    /// Puts `text` into the status line, where there is one; it goes when something else comes.
    func show(status text: String) {
        guard showsStatus else { return }
        let room = Terminal.columnCount(Terminal.standardError) - 1
        state.withLock { state in
            put("\r\u{1B}[K\(text.prefix(room))".utf8.span, Terminal.standardError)
            state.hasStatus = true
        }
    }

    /// Takes the status line away.
    func endStatus() { state.withLock { clearStatus(&$0) } }

    private func clearStatus(_ state: inout State) {
        if state.hasStatus { put("\r\u{1B}[K".utf8.span, Terminal.standardError) }
        state.hasStatus = false
    }

    private func put(_ bytes: Span<UInt8>, _ number: Int32) {
        // Where nobody listens there is nobody to tell.
        try? Terminal.write(bytes, to: number)
    }

    // MARK: - Style

    func bold(_ text: String) -> String { showsStyle ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

    func dim(_ text: String) -> String { showsStyle ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}
