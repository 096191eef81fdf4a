// What became of a file's rows: counts, and the rejected ones in the order of the file, whatever
// order the pieces were answered in.

import Bytes
import Platform
import Synchronization

/// What became of a file.
struct ImportResult: Equatable, Sendable {
    var accepted = 0
    var duplicates = 0
    var parked = 0
    var rejected = 0
    var nanoseconds: UInt64 = 0

    var rowCount: Int { accepted + duplicates + parked + rejected }

    mutating func add(_ other: ImportResult) {
        accepted += other.accepted
        duplicates += other.duplicates
        parked += other.parked
        rejected += other.rejected
        nanoseconds += other.nanoseconds
    }

    /// Rows a second; 0 where no time passed.
    var rate: Double {
        nanoseconds == 0 ? 0 : Double(rowCount) * 1e9 / Double(nanoseconds)
    }

    /// `1,000 rows in 0.01 s (100,000 rows/s): 990 accepted, 10 rejected`.
    var text: String {
        var text = "\(grouped(rowCount)) row\(rowCount == 1 ? "" : "s") in "
        text += decimal(Double(nanoseconds) / 1e9, places: 2) + " s"
        if nanoseconds >= 10_000_000 { text += " (\(decimal(rate, places: 0)) rows/s)" }
        return text + ": " + outcomes
    }

    var outcomes: String {
        var parts = ["\(grouped(accepted)) accepted"]
        for (count, word) in [
            (duplicates, "duplicates"), (parked, "parked"), (rejected, "rejected"),
        ] where count > 0 {
            parts.append("\(grouped(count)) \(word)")
        }
        return parts.joined(separator: ", ")
    }
}

/// Where rejected rows are listed: standard error, or a file.
final class RejectsList: Sendable {
    private let console: Console
    private let path: String
    private let file: Mutex<Descriptor?>

    init(_ console: Console) {
        self.console = console
        path = ""
        file = Mutex(nil)
    }

    /// Lists into the file at `path`, made or emptied first.
    init(_ console: Console, path: String) throws(CommandError) {
        guard let number = openForWriting(path) else {
            throw .failed(
                SystemError("write", on: path, code: lastErrorNumber).description)
        }
        self.console = console
        self.path = path
        file = Mutex(Descriptor(owning: number))
    }

    func append(_ lines: [String]) throws(CommandError) {
        if lines.isEmpty { return }
        if path.isEmpty {
            for line in lines { console.complain(line) }
            return
        }
        let text = lines.joined(separator: "\n") + "\n"
        do throws(SystemError) {
            try file.withLock { (file) throws(SystemError) in
                try file?.write(text.utf8.span)
            }
        } catch {
            throw .failed(SystemError("write", on: path, code: error.code).description)
        }
    }
}

/// Gathers what the pieces of one file brought.
final class ImportReport: Sendable {
    private let path: String
    private let rejects: RejectsList
    private let start = Clock.monotonicNanoseconds
    private let state = Mutex(State())

    private struct State {
        var result = ImportResult()
        var lines: [Int: [String]] = [:]
        var nextNumber = 0
        var shownAt: UInt64 = 0
    }

    init(path: String, rejects: RejectsList) {
        self.path = path
        self.rejects = rejects
    }

    /// Takes what piece `number` brought; each number once.
    func take(
        number: Int, _ result: ImportResult, _ rows: [RejectedRow]
    ) throws(CommandError) {
        var listed = rows.sorted { $0.line < $1.line }.map { row in
            "\(path):\(row.line): \(row.code): \(row.detail)"
        }
        if result.rejected > rows.count {
            listed.append(
                "\(path): \(grouped(result.rejected - rows.count)) more rows were rejected near "
                    + "there and are not listed")
        }
        try state.withLock { (state) throws(CommandError) in
            state.result.add(result)
            state.lines[number] = listed
            while let lines = state.lines.removeValue(forKey: state.nextNumber) {
                state.nextNumber += 1
                try rejects.append(lines)
            }
        }
    }

    /// Shows how far the import is, ten times a second at most.
    func show(progress: Double?, on console: Console) {
        guard console.showsStatus else { return }
        let now = Clock.monotonicNanoseconds
        let text: String? = state.withLock { state in
            guard now - max(start, state.shownAt) > 100_000_000 else { return nil }
            state.shownAt = now
            var result = state.result
            result.nanoseconds = now - start
            let share = progress.map { "\(Int($0 * 100)) %  " } ?? ""
            return "\(path)  \(share)\(grouped(result.rowCount)) rows  "
                + "\(decimal(result.rate, places: 0)) rows/s"
        }
        if let text { console.show(status: text) }
    }

    /// What there is so far, and the time it took.
    var result: ImportResult {
        var result = state.withLock { $0.result }
        result.nanoseconds = Clock.monotonicNanoseconds - start
        return result
    }
}

/// A row that was not taken, by its line in the file.
struct RejectedRow: Equatable, Sendable {
    let line: Int
    let code: String
    let detail: String
}
