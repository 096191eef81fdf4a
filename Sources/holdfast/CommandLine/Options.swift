// Options and words of a command line.
//
//     arguments = ( word | "--" name [ "=" value ] | "--" name value ) *  [ "--" word * ]
//
// A single `-` is a word (standard input). A value that begins with `--` must be joined by `=`, so
// that a forgotten value is noticed.

/// One option that a command takes.
struct Option: Sendable {
    let name: String

    /// What stands for its value in the help; nil for an option without a value.
    let placeholder: String?

    let isRepeatable: Bool
    let help: String

    /// What to say to whoever uses an option that this version does not have; nil: it has it.
    let excuse: String?

    /// An option without a value.
    static func flag(_ name: String, _ help: String) -> Option {
        Option(name: name, placeholder: nil, isRepeatable: false, help: help, excuse: nil)
    }

    static func value(
        _ name: String, _ placeholder: String, _ help: String, isRepeatable: Bool = false
    ) -> Option {
        Option(
            name: name, placeholder: placeholder, isRepeatable: isRepeatable, help: help,
            excuse: nil)
    }

    /// An option that is known, but not to this version: `excuse` says what that means.
    static func missing(_ name: String, _ excuse: String) -> Option {
        Option(name: name, placeholder: "", isRepeatable: true, help: "", excuse: excuse)
    }
}

/// A command line, taken apart.
struct Arguments: Equatable, Sendable {
    /// What is no option, in order.
    private(set) var words: [String] = []

    private var values: [String: [String]] = [:]

    /// - Throws: A usage error for options that are unknown, missing from this version, given
    ///   twice, without their value or with one they do not take.
    init(_ arguments: [String], options: [Option]) throws(CommandError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                words += rest
                return
            }
            guard argument.hasPrefix("-"), argument != "-" else {
                words.append(argument)
                continue
            }
            let parts = argument.split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard argument.hasPrefix("--"),
                let option = options.first(where: { "--" + $0.name == parts[0] })
            else { throw Self.unknown(String(parts[0]), options) }
            if let excuse = option.excuse { throw .usage("\(parts[0]): \(excuse)") }
            let joined = parts.count > 1 ? String(parts[1]) : nil
            try take(option, joined, &rest)
        }
    }

    private mutating func take(
        _ option: Option, _ joined: String?, _ rest: inout ArraySlice<String>
    ) throws(CommandError) {
        if values[option.name] != nil, !option.isRepeatable {
            throw .usage("--\(option.name) is given twice")
        }
        guard let placeholder = option.placeholder else {
            if joined != nil { throw .usage("--\(option.name) takes no value") }
            values[option.name] = []
            return
        }
        var value = joined
        if value == nil, let next = rest.first, !next.hasPrefix("--") { value = rest.removeFirst() }
        guard let value, !value.isEmpty else {
            throw .usage("--\(option.name) needs a value: --\(option.name) \(placeholder)")
        }
        values[option.name, default: []].append(value)
    }

    private static func unknown(_ name: String, _ options: [Option]) -> CommandError {
        let names = options.filter { $0.excuse == nil }.map { "--" + $0.name }
        guard let near = nearest(to: name, among: names) else {
            return .usage("no such option: \(name)")
        }
        return .usage("no such option: \(name); did you mean \(near)?")
    }

    /// Whether the option is there.
    func has(_ name: String) -> Bool { values[name] != nil }

    /// The value of an option that may be there once.
    func value(_ name: String) -> String? { values[name]?.first }

    /// The values of an option that may be there often.
    func values(_ name: String) -> [String] { values[name] ?? [] }
}

/// The name among `names` that was probably meant; nil when none is close.
func nearest(to name: String, among names: [String]) -> String? {
    let distances = names.map { editDistance($0, name) }
    guard let least = distances.min(), least <= max(1, (name.count + 1) / 3),
        let index = distances.firstIndex(of: least)
    else { return nil }
    return names[index]
}

/// How many letters must be put in, taken out or exchanged to make one text of the other
/// (Levenshtein's distance).
private func editDistance(_ one: String, _ other: String) -> Int {
    let letters = Array(other)
    var row = Array(0...letters.count)
    for (index, letter) in one.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in letters.indices {
            let substituted = diagonal + (letters[column] == letter ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(substituted, row[column] + 1, diagonal + 1)
        }
    }
    return row[letters.count]
}
