// Commands that tell the past: what they have in common, and the stock of single SKUs.

import Bytes
import Domain
import Platform
import Service

/// The options that name a moment of the past.
let pastOptions: [Option] = [
    .value("as-of", "TIME", "with what had taken effect by then, among all that is known now"),
    .value("known-at", "TIME", "as it was known then"),
    .value("late-window", "7d", "that of the service: how late a count may come, for --as-of"),
]

let pastNotes = """
    --as-of is the effective time of events: a sale that came late counts where it happened. A service
    keeps the past for --history; holdfast inspect tells how far back it reaches.
    """

extension Arguments {
    /// How late a count may come.
    func lateWindow() throws(CommandError) -> Int64 {
        try duration("late-window", default: StoredState.standardLateWindow)
    }
}

/// The state of a directory that nobody serves, now or at a moment of the past.
func loadedState(
    _ path: String, _ moment: PastMoment?, lateWindow: Int64
) throws(StartError) -> StoredState {
    let directory = try StoredDirectory(path)
    if try directory.isInUse {
        throw StartError(
            "\(path) is in use by another process: use the copy that holdfast backup makes")
    }
    return try directory.withoutServing { () throws(StartError) in
        guard let moment else { return try directory.load() }
        return try directory.load(at: moment, lateWindow: lateWindow)
    }
}

/// `holdfast query --data DIR`.
func queryStored(
    _ path: String, _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    for name in ["from", "channel", "group", "qty"] where arguments.value(name) != nil {
        throw .usage("--\(name) and --data exclude each other")
    }
    for name in ["detail", "json"] where arguments.has(name) {
        throw .usage("--\(name) goes with --from")
    }
    let moment = try arguments.pastMoment()
    let lateWindow = try arguments.lateWindow()
    let state = try stored { () throws(StartError) in
        try loadedState(path, moment, lateWindow: lateWindow)
    }
    let locations = Set(arguments.values("location"))
    var rows = [
        [
            "SKU", "LOCATION", "ON HAND", "SELLABLE", "RETURNED", "DAMAGED", "BLOCKED",
            "SAFETY STOCK", "AVAILABLE",
        ]
    ]
    for sku in arguments.words {
        guard let positions = state.positions(of: sku) else {
            rows.append([sku, "unknown_sku"] + Array(repeating: "", count: 7))
            continue
        }
        for position in positions where locations.isEmpty || locations.contains(position.location) {
            let units = position.units
            rows.append(
                [sku, position.location, "\(units.onHand)"]
                    + [
                        units.sellable, units.returned, units.damaged, units.blocked,
                        units.safetyStock, position.available,
                    ].map { "\($0)" })
        }
    }
    let alignment = [.left, .left] + Array(repeating: Alignment.right, count: 7)
    for line in table(rows, alignment) { console.say(line) }
    return .done
}
