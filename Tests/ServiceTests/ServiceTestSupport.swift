import Bytes
import Engine
import Platform
import Service
import Synchronization
import Testing

import struct Foundation.Data
import class Foundation.JSONSerialization

// A whole service on a port of its own, asked over sockets; its answers are read by Foundation, a
// reader that shares nothing with the service.

/// A running service. Ended by `withService`.
struct TestService {
    let service: HoldfastService

    func connect(timeoutMilliseconds: Int32 = 20_000) throws -> Client {
        Client(
            try Descriptor.connect(
                to: service.address, timeoutMilliseconds: timeoutMilliseconds))
    }

    /// Waits until `condition` holds, at most ten seconds.
    func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<2000 {
            if try condition() { return true }
            Thread.sleep(milliseconds: 5)
        }
        return false
    }
}

/// Runs `body` beside a service of two reactors and four shards, unless `change` says otherwise.
func withService(
    _ change: (inout ServiceConfiguration) -> Void = { _ in }, _ body: (TestService) throws -> Void
) throws {
    var configuration = ServiceConfiguration()
    configuration.address = .loopback(port: 0)
    configuration.reactorCount = 2
    configuration.engine.shardCount = 4
    configuration.limits.tickMilliseconds = 20
    change(&configuration)
    let service = try HoldfastService(configuration)
    try service.start()
    defer {
        service.drain()
        service.join()
    }
    try body(TestService(service: service))
}

/// A value of a JSON document, or its absence.
struct Document: CustomStringConvertible {
    let value: Any?

    init(_ value: Any?) { self.value = value }

    /// Reads a text.
    init(reading bytes: [UInt8]) throws {
        value = try JSONSerialization.jsonObject(
            with: Data(bytes), options: [.fragmentsAllowed])
    }

    subscript(_ key: String) -> Document { Document((value as? [String: Any])?[key]) }

    subscript(_ index: Int) -> Document {
        let list = value as? [Any] ?? []
        return Document(index < list.count ? list[index] : nil)
    }

    var string: String? { value as? String }
    var int: Int? { value as? Int }
    var bool: Bool? { value as? Bool }
    var list: [Document] { (value as? [Any] ?? []).map { Document($0) } }
    var keys: Set<String> { Set((value as? [String: Any] ?? [:]).keys) }
    var isAbsent: Bool { value == nil }

    /// The same for the same value: members in the order of their names.
    var description: String {
        guard let members = value as? [String: Any] else {
            return value as? [Any] == nil
                ? value.map { "\($0)" } ?? "nothing" : "\(list)"
        }
        return "{" + members.keys.sorted().map { "\($0): \(self[$0])" }.joined(separator: ", ")
            + "}"
    }
}

extension Client {
    /// One call; its status must be `status`, its body JSON or nothing.
    mutating func call(
        _ method: String, _ path: String, _ body: String? = nil, headers: String = "",
        expecting status: Int = 200, location: SourceLocation = #_sourceLocation
    ) throws -> Document {
        let answer = try ask(method, path, headers: headers, body: body.map { Array($0.utf8) })
        #expect(answer.status == status, "\(answer.text.prefix(400))", sourceLocation: location)
        return answer.body.isEmpty ? Document(nil) : try Document(reading: answer.body)
    }

    /// Posts events: a list of JSON objects, as an array.
    mutating func post(
        events: [String], query: String = "", expecting status: Int = 200,
        location: SourceLocation = #_sourceLocation
    ) throws -> Document {
        try call(
            "POST", "/v1/events\(query)", "[\(events.joined(separator: ","))]",
            expecting: status, location: location)
    }

    /// Puts stock: lines of `sku,location,sellable`.
    mutating func put(stock lines: [String], location: SourceLocation = #_sourceLocation) throws {
        let answer = try call(
            "POST", "/v1/stock", "sku,location,sellable\n\(lines.joined(separator: "\n"))",
            headers: "Content-Type: text/csv\r\n", location: location)
        #expect(answer["accepted"].int == lines.count, "\(answer)", sourceLocation: location)
    }

    /// Asks for items; each is JSON.
    mutating func availability(
        _ items: [String], detail: String = "total", location: SourceLocation = #_sourceLocation
    ) throws -> [Document] {
        try call(
            "POST", "/v1/availability",
            #"{"detail":"\#(detail)","items":[\#(items.joined(separator: ","))]}"#,
            location: location)["items"].list
    }

    /// One position as its owner tells it.
    mutating func position(_ sku: String, _ place: String) throws -> Document {
        let answer = try ask("GET", "/v1/positions/\(sku)")
        guard answer.status == 200 else { return Document(nil) }
        let positions = try Document(reading: answer.body)["positions"].list
        return positions.first { $0["location"].string == place } ?? Document(nil)
    }

    /// Whether the service answers, on this connection.
    mutating func isServed() throws -> Bool { try ask("GET", "/healthz").status == 200 }
}

/// One event as JSON.
func event(
    _ id: String, _ kind: String, _ sku: String, _ location: String, _ quantity: Int,
    _ more: String = ""
) -> String {
    let fields =
        #""id":"\#(id)","kind":"\#(kind)","sku":"\#(sku)","location":"\#(location)","#
        + #""qty":\#(quantity)"#
    return "{\(fields)\(more)}"
}

/// The rejected ones of an answer as `index code`, in the order of their indexes.
func rejections(_ answer: Document) -> [String] {
    answer["rejected"].list
        .sorted { ($0["index"].int ?? -1) < ($1["index"].int ?? -1) }
        .map { "\($0["index"].int ?? -1) \($0["code"].string ?? "?")" }
}

/// Sends a whole request, whatever the service does meanwhile, and gives its answer.
func exchange(_ here: TestService, _ bytes: [UInt8]) throws -> Answer {
    var client = try here.connect()
    let writer = try Writer(bytes).start(client.descriptor.duplicate())
    let answer = Result { try client.answer() }
    writer.join()
    return try answer.get()
}

/// A word that one thread sets and another looks at.
final class Switch: Sendable {
    let value = Atomic<Bool>(false)
}
