// Reads the past of a running service, away from its reactors: one reading at a time, on a queue of low
// priority.

internal import Bytes
internal import Dispatch
internal import Engine
internal import History
internal import Journal
internal import Synchronization

/// What became of a question about the past.
enum PastOutcome: Sendable {
    case found(PastAnswer)
    /// What it would have to read is damaged; the text says where.
    case failed(String)
}

/// A place for an outcome, filled by the queue and looked at by a reactor.
final class PastTicket: Sendable {
    private let filled = Mutex<PastOutcome?>(nil)

    /// nil while it is being read.
    var outcome: PastOutcome? { filled.withLock { $0 } }

    func fill(_ outcome: PastOutcome) { filled.withLock { $0 = outcome } }
}

/// The past of one service. Any thread asks.
final class PastReader: Sendable {
    private let engine: Engine
    private let journal: String
    private let history: HistoryFolder
    private let queue = DispatchQueue(label: "past", qos: .background)
    private let isBusy = Atomic(false)
    private let isEnding = Atomic(false)

    init(_ engine: Engine, _ directory: DataDirectory) {
        self.engine = engine
        journal = directory.journalPath
        history = HistoryFolder(directory.historyPath)
    }

    /// Begins to read; nil where another reading is under way.
    func ask(_ question: PastQuestion) -> PastTicket? {
        // Acquire: pairs with the release at the end of a reading.
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        else { return nil }
        let ticket = PastTicket()
        queue.async { [self] in
            ticket.fill(outcome(question))
            isBusy.store(false, ordering: .releasing)
        }
        return ticket
    }

    private func outcome(_ question: PastQuestion) -> PastOutcome {
        let reading = PastReading(
            question: question, journal: journal, history: history, engine: engine)
        do throws(JournalError) {
            let answer = try reading.run { !isEnding.load(ordering: .relaxed) }
            return answer.map { .found($0) } ?? .failed("the service is ending")
        } catch { return .failed(error.description) }
    }

    /// Waits for the end of a reading, which is given up.
    func end() {
        isEnding.store(true, ordering: .relaxed)
        queue.sync {}
    }
}
