// What options' values mean: numbers, sizes, spans of time, moments, addresses.

import Bytes
import Client
import Platform
import Service

/// Where stock is read.
enum Origin {
    case service(ServerURL)
    case directory(String)
}

extension Arguments {
    /// The number that `--name` has, or `standard`.
    func integer(
        _ name: String, in range: ClosedRange<Int>, default standard: Int
    ) throws(CommandError) -> Int {
        guard let text = value(name) else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw .usage(
                "--\(name) takes a number from \(range.lowerBound) to \(range.upperBound), "
                    + "not \(text)")
        }
        return number
    }

    /// The count that `--name` has, with `K`, `M` or `G` for thousands, millions and milliards.
    func count(
        _ name: String, in range: ClosedRange<Int>, default standard: Int
    ) throws(CommandError) -> Int {
        guard let text = value(name) else { return standard }
        guard let number = countValue(text), range.contains(number) else {
            throw .usage("--\(name) takes a count like 5000, 500K or 100M, not \(text)")
        }
        return number
    }

    /// The span of time that `--name` has, in milliseconds.
    func duration(_ name: String, default standard: Int64) throws(CommandError) -> Int64 {
        guard let text = value(name) else { return standard }
        guard let milliseconds = durationMilliseconds(text) else {
            throw .usage("--\(name) takes a time like 90s, 30m, 12h or 7d, not \(text)")
        }
        return milliseconds
    }

    /// The moment that `--name` names, as text that the service understands.
    func moment(_ name: String) throws(CommandError) -> String? {
        guard let text = value(name) else { return nil }
        let bytes = text.utf8.span
        guard bytes.rfc3339Milliseconds() != nil || bytes.decimalInteger() != nil else {
            throw .usage(
                "--\(name) takes a time like 2025-11-28T00:00:00Z, or milliseconds since 1970, "
                    + "not \(text)")
        }
        return text
    }

    /// The moment of the past that `--as-of` or `--known-at` names; nil: neither is there.
    func pastMoment() throws(CommandError) -> PastMoment? {
        let (effective, known) = (try moment("as-of"), value("known-at"))
        if effective != nil, known != nil {
            throw .usage("--as-of and --known-at exclude each other")
        }
        if let effective { return PastMoment(asOf: effective.utf8.span) }
        guard let known else { return nil }
        guard let moment = PastMoment(knownAt: known.utf8.span) else {
            throw .usage(
                "--known-at takes a time like 2025-11-28T00:00:00Z, milliseconds since 1970, a mark of an "
                    + "answer, or STREAM:SEQUENCE, not \(known)")
        }
        return moment
    }

    /// The same as parameters of a call, each with its `&`.
    func pastParameters() throws(CommandError) -> String {
        if value("late-window") != nil {
            throw .usage("--late-window goes with --data: a service has its own")
        }
        guard try pastMoment() != nil else { return "" }
        return value("as-of").map { "&as_of=" + percentEncoded($0) }
            ?? value("known-at").map { "&known_at=" + percentEncoded($0) } ?? ""
    }

    /// The service of `--from`, or the directory of `--data`: one of both is required.
    func origin() throws(CommandError) -> Origin {
        switch (value("from"), value("data")) {
        case (nil, let path?): return .directory(path)
        case (_?, nil): return .service(try service("from"))
        case (nil, nil): throw .usage("--from URL or --data DIR is required")
        default: throw .usage("--from and --data exclude each other")
        }
    }

    /// The address that `--name` has.
    func address(_ name: String, default standard: Address) throws(CommandError) -> Address {
        guard let text = value(name) else { return standard }
        guard let address = Address(text) else {
            throw .usage("--\(name) takes HOST:PORT like 127.0.0.1:8080 or [::1]:8080, not \(text)")
        }
        return address
    }

    /// The service that `--name` names; the option is required.
    func service(_ name: String) throws(CommandError) -> ServerURL {
        guard let text = value(name) else {
            throw .usage("--\(name) URL is required, for example --\(name) http://127.0.0.1:8080")
        }
        do { return try ServerURL(text) } catch { throw .usage("--\(name): \(error)") }
    }
}

/// `100M` is 100,000,000; nil when it is no count.
func countValue(_ text: String) -> Int? {
    let scales: [Character: Int] = ["K": 1000, "M": 1_000_000, "G": 1_000_000_000]
    guard let last = text.last else { return nil }
    let scale = scales[last]
    let digits = scale == nil ? text[...] : text.dropLast()
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
        let number = Int(digits)
    else { return nil }
    let (value, isTooLarge) = number.multipliedReportingOverflow(by: scale ?? 1)
    return isTooLarge ? nil : value
}

/// `7d` is 604,800,000; nil when it is no span of time, or none above zero.
func durationMilliseconds(_ text: String) -> Int64? {
    let units: [(String, Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    for (unit, scale) in units where text.hasSuffix(unit) {
        let digits = text.dropLast(unit.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = Int64(digits), number > 0
        else { continue }
        let (value, isTooLarge) = number.multipliedReportingOverflow(by: scale)
        return isTooLarge ? nil : value
    }
    return nil
}
