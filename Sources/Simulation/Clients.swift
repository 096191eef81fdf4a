// The clients of a simulation: batches on their way, and what they still want to know.

internal import Columns
internal import Domain
internal import Engine

/// A batch on its way.
struct Flight {
    let batch: BatchReference
    let commands: [ScriptCommand]
    /// What its shard decided, once it has; empty: it was refused unread.
    var outcomes: [Outcome] = []
    /// Its shard's newest frame then, and its place in the oracle's log.
    var sequence: UInt64 = 0
    var logIndex: Int?
}

/// What clients have under way, and what they remember of it after a crash.
struct Clients: ~Copyable {
    private(set) var pool = BatchPool(origin: 0)
    /// Sent and not yet worked on, by shard.
    var waiting: [[Flight]]
    /// Worked on; the reply has not come.
    var unanswered: [Flight] = []
    /// The control frames of documents whose answers wait.
    var documents: [UInt64] = []
    /// Commands whose outcome nobody was told, by shard.
    private var doubtful: [[ScriptCommand]]
    /// The ids of commands that were ever in doubt.
    private var doubtfulIDs: Set<Int> = []

    init(shardCount: Int) {
        waiting = Array(repeating: [], count: shardCount)
        doubtful = waiting.map { _ in [] }
    }

    mutating func takeBatch() -> BatchReference? { pool.take() }

    mutating func giveBack(_ flight: Flight) { pool.give(flight.batch) }

    mutating func doubt(_ commands: [ScriptCommand], shard: Int) {
        for command in commands {
            guard let id = command.id else { continue }
            doubtful[shard].append(command)
            doubtfulIDs.insert(id)
        }
    }

    func wasDoubtful(_ id: Int) -> Bool { doubtfulIDs.contains(id) }

    /// Whether anybody waits for an answer.
    var isWaiting: Bool {
        !unanswered.isEmpty || !documents.isEmpty || waiting.contains { !$0.isEmpty }
    }

    /// Hands over the commands of a shard whose outcome nobody was told.
    mutating func takeDoubtful(_ shard: Int) -> [ScriptCommand] {
        let commands = doubtful[shard]
        doubtful[shard] = []
        return commands
    }

    /// The process that served them is gone. Its engine must be, too.
    mutating func crash() {
        for shard in waiting.indices {
            for flight in waiting[shard] {
                doubt(flight.commands, shard: shard)
                pool.give(flight.batch)
            }
            waiting[shard] = []
        }
        for flight in unanswered {
            doubt(flight.commands, shard: flight.batch.withBatch { $0.shard })
            pool.give(flight.batch)
        }
        unanswered = []
        documents = []
    }

    /// Another disk, other clients.
    mutating func forget() {
        for shard in doubtful.indices { doubtful[shard] = [] }
        doubtfulIDs = []
    }
}
