// From arguments to a subcommand, and the help of all of them.

import Client
import Platform

/// The version of the program.
let holdfastVersion = "0.1.0"

/// One thing that the program does.
struct Subcommand: Sendable {
    let name: String

    /// What stands behind the name in its usage line.
    let usage: String

    /// One line.
    let summary: String
    let options: [Option]

    /// What else there is to know, in whole lines.
    let notes: String
    let run: @Sendable (Arguments, Console) throws(CommandError) -> ExitStatus
}

/// All there is, in the order of the help.
let subcommands = [
    serveCommand, demoCommand, importCommand, queryCommand, exportCommand, reconcileCommand,
    backupCommand,
    inspectCommand, simulateCommand,
]

/// Does what the arguments ask for.
///
/// - Returns: The exit status.
func runHoldfast(_ arguments: [String], console: Console = Console()) -> Int32 {
    TerminationSignals.ignoreBrokenPipes()
    do throws(CommandError) {
        return try run(arguments, console).rawValue
    } catch {
        var message = "holdfast: \(error.message)"
        if error.status == .usage {
            let command = subcommands.first { $0.name == arguments.first }
            message += "; see holdfast help" + (command.map { " \($0.name)" } ?? "")
        }
        console.complain(message)
        return error.status.rawValue
    }
}

private func run(
    _ arguments: [String], _ console: Console
) throws(CommandError) -> ExitStatus {
    guard let name = arguments.first else {
        console.say(shortHelp)
        return .done
    }
    switch name {
    case "--version":
        console.say("holdfast \(holdfastVersion)")
        return .done
    case "help", "--help", "-h":
        guard arguments.count > 1 else {
            console.say(shortHelp)
            return .done
        }
        console.say(try help(subcommand(arguments[1])))
        return .done
    default: break
    }
    let command = try subcommand(name)
    let rest = Array(arguments.dropFirst())
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
        console.say(help(command))
        return .done
    }
    return try command.run(Arguments(rest, options: command.options), console)
}

private func subcommand(_ name: String) throws(CommandError) -> Subcommand {
    if let command = subcommands.first(where: { $0.name == name }) { return command }
    if name.hasPrefix("-") { throw .usage("no such option: \(name)") }
    let names = subcommands.map(\.name).joined(separator: ", ")
    throw .usage("no such command: \(name); there are \(names) and help")
}

private var shortHelp: String {
    let rows =
        subcommands.map { ["  \($0.name)", $0.summary] } + [
            ["  help", "what a command takes: holdfast help import"]
        ]
    return """
        usage: holdfast COMMAND ...

        How much of what can be promised, from where, on which channel: answered from memory, over HTTP.

        \(table(rows, [.left, .left]).joined(separator: "\n"))

        Exit status: 0 done, 1 done with rejected rows or damage found, 2 wrong usage, 3 failed.
        """
}

private func help(_ command: Subcommand) -> String {
    let options = command.options.filter { $0.excuse == nil }.map { option in
        [
            "  --\(option.name)" + (option.placeholder.map { " \($0)" } ?? ""),
            option.help + (option.isRepeatable ? "; may be given again" : ""),
        ]
    }
    let usage = ["holdfast", command.name, command.usage].filter { !$0.isEmpty }
    return """
        usage: \(usage.joined(separator: " "))

        \(command.summary)

        \(table(options, [.left, .left]).joined(separator: "\n"))

        \(command.notes)
        """
}
