// Commands that tell the past: what they have in common, and the stock of single SKUs.

import Bytes
import Client
import Domain
import JSON
import Platform
import Service

/// The options that name a moment of the past.
let pastOptions: [Option] = [
    .value("as-of", "TIME", "with what had taken effect by then, among all that is known now"),
    .value("known-at", "TIME", "as it was known then; also a mark, or STREAM:SEQUENCE"),
    .value("late-window", "7d", "with --data: that of the service, how late a count may come"),
]

let pastNotes = """
    --as-of is the effective time of events: a sale that came late counts where it happened. A service
    keeps the past for --history; holdfast inspect tells how far back it reaches. A mark is what answers
    call one; STREAM:SEQUENCE is a frame as inspect --facts shows it, like 3:120 or control:4: what is told is
    the state right behind it, in the order of the journal.
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
            "\(path) is in use by another process: ask it by --from URL, or use the copy that holdfast "
                + "backup makes")
    }
    return try directory.withoutServing { () throws(StartError) in
        guard let moment else { return try directory.load() }
        return try directory.load(at: moment, lateWindow: lateWindow)
    }
}

/// `holdfast query` of a directory, or of the past.
func queryPositions(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    for name in ["channel", "group", "qty"] where arguments.value(name) != nil {
        throw .usage("--\(name) goes with --from, and not with the past")
    }
    for name in ["detail", "json"] where arguments.has(name) {
        throw .usage("--\(name) goes with --from, and not with the past")
    }
    let found: [[StoredPosition]?]
    switch try arguments.origin() {
    case .service(let url): found = try positions(of: arguments, url)
    case .directory(let path):
        let moment = try arguments.pastMoment()
        let lateWindow = try arguments.lateWindow()
        let state = try stored { () throws(StartError) in
            try loadedState(path, moment, lateWindow: lateWindow)
        }
        found = arguments.words.map { state.positions(of: $0) }
    }
    show(found, arguments, console)
    return .done
}

/// What a service says of the SKUs.
private func positions(
    of arguments: Arguments, _ url: ServerURL
) throws(CommandError) -> [[StoredPosition]?] {
    let skus = arguments.words.map { "sku=" + percentEncoded($0) }.joined(separator: "&")
    let target = "/v1/positions?" + skus + (try arguments.pastParameters())
    var body = ByteBuffer()
    try streamed(ClientRequest("GET", target), url) { body.append($0) }
    do throws(JSONError) { return try storedPositions(body.span) } catch {
        throw .failed("the answer cannot be read: \(error.code.name)")
    }
}

private func show(
    _ found: [[StoredPosition]?], _ arguments: Arguments, _ console: Console
) {
    let locations = Set(arguments.values("location"))
    var rows = [
        [
            "SKU", "LOCATION", "ON HAND", "SELLABLE", "RETURNED", "DAMAGED", "BLOCKED",
            "SAFETY STOCK", "AVAILABLE",
        ]
    ]
    for (sku, positions) in zip(arguments.words, found) {
        guard let positions else {
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
}

/// Reads the lines of an answer: positions of a SKU each, or nil where it was not known.
private func storedPositions(_ bytes: Span<UInt8>) throws(JSONError) -> [[StoredPosition]?] {
    var found: [[StoredPosition]?] = []
    var start = 0
    while start < bytes.count {
        let end = bytes.firstOffset(of: UInt8(ascii: "\n"), from: start)
        found.append(try storedPositions(line: bytes.extracting(start..<end)))
        start = end + 1
    }
    return found
}

private func storedPositions(line: Span<UInt8>) throws(JSONError) -> [StoredPosition]? {
    var positions: [StoredPosition]?
    var reader = JSONReader()
    try reader.beginObject(line)
    while let key = try reader.nextKey(line) {
        guard key.equals("positions", in: line) else {
            try reader.skipValue(line)
            continue
        }
        var list: [StoredPosition] = []
        try reader.beginArray(line)
        while try reader.nextElement(line) { list.append(try storedPosition(&reader, line)) }
        positions = list
    }
    return positions
}

private func storedPosition(
    _ reader: inout JSONReader, _ bytes: Span<UInt8>
) throws(JSONError) -> StoredPosition {
    var location = ""
    var units = PositionState()
    var available: Int32 = 0
    func number() throws(JSONError) -> Int32 {
        Int32(clamping: try reader.integer(bytes))
    }
    try reader.beginObject(bytes)
    while let key = try reader.nextKey(bytes) {
        if key.equals("location", in: bytes) {
            location = try reader.text(bytes)
        } else if key.equals("sellable", in: bytes) {
            units.sellable = try number()
        } else if key.equals("returned", in: bytes) {
            units.returned = try number()
        } else if key.equals("damaged", in: bytes) {
            units.damaged = try number()
        } else if key.equals("blocked", in: bytes) {
            units.blocked = try number()
        } else if key.equals("held", in: bytes) {
            units.held = try number()
        } else if key.equals("allocated", in: bytes) {
            units.allocated = try number()
        } else if key.equals("safety_stock", in: bytes) {
            units.safetyStock = try number()
        } else if key.equals("available", in: bytes) {
            available = try number()
        } else {
            try reader.skipValue(bytes)
        }
    }
    return StoredPosition(location: location, units: units, available: available)
}
