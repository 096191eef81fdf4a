// `holdfast query`: what can be promised of some SKUs, as a table; of a directory at rest, and of the past,
// their stock.

import Bytes
import Client
import JSON

let queryCommand = Subcommand(
    name: "query", usage: "SKU... (--from URL | --data DIR) [OPTION...]",
    summary: "Asks a service how much can be promised, or a directory what stock there was.",
    options: [
        .value("from", "URL", "the service, like http://127.0.0.1:8080"),
        .value("channel", "CHANNEL", "the selling channel"),
        .value("location", "LOCATION", "only there", isRepeatable: true),
        .value("group", "GROUP", "only in this group of locations"),
        .value("qty", "N", "whether so many can be promised"),
        .flag("detail", "each location too"),
        .flag("json", "the service's answer as it is"),
        .value("data", "DIR", "a data directory that nobody serves just now"),
        .missing("by", "this version knows no availability by date"),
    ] + pastOptions,
    notes: """
        With --data, --as-of and --known-at every position is a line, with --location those alone.

        \(pastNotes)

        A SKU that begins with two hyphens goes behind a --.
        """
) { (arguments, console) throws(CommandError) in try query(arguments, console) }

private func query(
    _ arguments: Arguments, _ console: Console
) throws(CommandError) -> ExitStatus {
    guard !arguments.words.isEmpty else { throw .usage("query which SKU?") }
    let moment = try arguments.pastMoment()
    if arguments.value("data") != nil || moment != nil {
        return try queryPositions(arguments, console)
    }
    if arguments.value("late-window") != nil {
        throw .usage("--late-window goes with --data: a service has its own")
    }
    let url = try arguments.service("from")
    var question = AvailabilityQuestion()
    question.skus = arguments.words
    question.channel = arguments.value("channel")
    question.locations = arguments.values("location")
    question.group = arguments.value("group")
    question.wantsLocations = arguments.has("detail")
    if arguments.has("qty") {
        question.quantity = try arguments.integer("qty", in: 1...Int(Int32.max), default: 1)
    }
    if question.group != nil, !question.locations.isEmpty {
        throw .usage("--location and --group exclude each other")
    }
    var client = HTTPClient(url)
    let response = try ask(question, &client)
    guard response.status == 200 else {
        throw .failed(describeAnswer(response, ServiceAnswer(client.body.span)))
    }
    if arguments.has("json") {
        console.write(client.body.span)
        return .done
    }
    let items = try answered(client.body.span)
    for line in availabilityTable(items, showsSatisfied: question.quantity != nil) {
        console.say(line)
    }
    return .done
}

/// Puts a question to a service.
func ask(
    _ question: AvailabilityQuestion, _ client: inout HTTPClient
) throws(CommandError) -> ClientResponse {
    var body = ByteBuffer()
    question.append(to: &body)
    let request = ClientRequest(
        "POST", "/v1/availability", contentType: "application/json")
    return try orFailed(client.url) { () throws(ClientError) in
        try client.call(request, body: body.span)
    }
}

/// The items of a service's answer.
func answered(_ body: Span<UInt8>) throws(CommandError) -> [AvailableItem] {
    do throws(JSONError) { return try availableItems(body) } catch {
        throw .failed("the answer cannot be read: \(error.code.name) at byte \(error.offset)")
    }
}

/// Items as aligned lines, each followed by its locations.
func availabilityTable(_ items: [AvailableItem], showsSatisfied: Bool) -> [String] {
    var rows = [["SKU", "AVAILABLE", "MAX SINGLE", "LEVEL"]]
    if showsSatisfied { rows[0].append("SATISFIED") }
    for item in items {
        var row = [
            item.sku, "\(item.available)", item.maxSingle.map { "\($0)" } ?? "-",
            item.error.isEmpty ? item.level : item.error,
        ]
        if showsSatisfied { row.append(item.isSatisfied ? "yes" : "no") }
        rows.append(row)
        for place in item.places {
            rows.append(["  \(place.location)", "\(place.available)", "", ""])
            if showsSatisfied { rows[rows.count - 1].append("") }
        }
    }
    return table(rows, [.left, .right, .right, .left, .left])
}
