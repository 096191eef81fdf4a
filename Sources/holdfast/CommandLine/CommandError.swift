// How a run of the program ends.

import Client
import Platform

/// What the shell sees.
enum ExitStatus: Int32, Sendable {
    case done = 0

    /// Done, but some rows were rejected and listed.
    case rejectedRows = 1

    /// Done, and what was looked at is damaged.
    static let damaged = rejectedRows

    /// The command line makes no sense.
    case usage = 2

    case failed = 3
}

/// Why a command ended without doing what it was asked.
struct CommandError: Error, Equatable {
    let status: ExitStatus

    /// One line, without the program's name.
    let message: String

    static func usage(_ message: String) -> CommandError {
        CommandError(status: .usage, message: message)
    }

    static func failed(_ message: String) -> CommandError {
        CommandError(status: .failed, message: message)
    }
}

/// Runs `body`; what the system refuses is a failure of the command.
func orFailed<Result: ~Copyable>(
    _ body: () throws(SystemError) -> Result
) throws(CommandError) -> Result {
    do throws(SystemError) { return try body() } catch { throw .failed(error.description) }
}
