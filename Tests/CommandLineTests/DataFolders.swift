import Bytes
import Client
import Engine
import Foundation
import Journal
import Platform
import Service
import Testing

@testable import holdfast

/// A data directory of its own, and services that live in it one after the other.
final class DataFolder {
    let folder: TestFolder
    let path: String
    /// For the services to come.
    var change: (inout DataConfiguration) -> Void = { _ in }

    /// - Parameter path: nil: a new one.
    init(_ path: String? = nil) throws {
        folder = try TestFolder()
        self.path = path ?? folder.path + "/data"
    }

    /// Small segments: every service prepares two of them.
    var configuration: ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.address = .loopback(port: 0)
        configuration.reactorCount = 2
        configuration.limits.tickMilliseconds = 20
        var data = DataConfiguration(path: path)
        if !FileManager.default.fileExists(atPath: path) { data.shardCount = 4 }
        data.segmentByteCount = 8 << 20
        data.ballastByteCount = 1 << 20
        data.snapshots.every = 0
        change(&data)
        configuration.data = data
        return configuration
    }

    /// Runs `body` beside a service, then ends it, with a last snapshot or without.
    func serve<Result>(
        snapshotting: Bool = true, _ body: (ServerURL, RecoverySummary) throws -> Result
    ) throws -> Result {
        let service = try HoldfastService(configuration)
        try service.start()
        let summary = try service.load()
        defer {
            service.drain()
            service.join()
            _ = service.close { snapshotting }
        }
        return try body(ServerURL(service.address), summary)
    }

    /// Every file in it and its bytes; of links, where they lead.
    func contents() throws -> [String: Data] {
        var found: [String: Data] = [:]
        let names = FileManager.default.enumerator(atPath: path)
        while let name = names?.nextObject() as? String {
            let whole = path + "/" + name
            if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: whole) {
                found[name] = Data(target.utf8)
            } else {
                found[name] = FileManager.default.contents(atPath: whole) ?? Data()
            }
        }
        return found
    }

    func flipBit(of file: String, at offset: Int) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path + "/" + file))
        bytes[offset] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path + "/" + file))
    }

    /// Where the payload of a frame lies in the first segment.
    func place(ofFrame sequence: Int, of stream: UInt16) throws -> Int {
        let file = path + "/journal/0000000000000000.journal"
        let bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: file)))
        for offset in stride(from: 0, to: bytes.count - 64, by: 8) {
            guard Array(bytes[offset..<offset + 4]) == [0xFC, 0xFF, 0x4A, 0x48],
                UInt16(bytes[offset + 6]) | UInt16(bytes[offset + 7]) << 8 == stream,
                Int(bytes[offset + 24]) == sequence, bytes[offset + 25] == 0
            else { continue }
            return offset + 64
        }
        throw CommandError.failed("no such frame")
    }

    /// Runs `inspect --json` on it.
    func inspection(expecting status: Int32 = 0) throws -> [String: Any] {
        let run = run("inspect", path, "--json")
        #expect(run.status == status, "\(run.errors)")
        return try #require(
            JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    }
}

/// Calls a service, which must answer with a problem.
///
/// - Returns: Its code.
@discardableResult
func refusal(
    _ url: ServerURL, _ status: Int, _ method: StaticString, _ target: String, _ body: String = ""
) throws -> String {
    var client = HTTPClient(url)
    let request = ClientRequest(method, target, contentType: body.isEmpty ? "" : "text/csv")
    let response = try client.call(request, body: body.utf8.span)
    let text = client.body.span.text
    #expect(response.status == status, "\(target): \(text)")
    let problem = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return problem?["code"] as? String ?? ""
}

/// Calls a service, which must answer with a status of 2xx.
@discardableResult
func call(
    _ url: ServerURL, _ method: StaticString, _ target: String, _ body: String = "",
    contentType: StaticString = "application/json"
) throws -> String {
    var client = HTTPClient(url)
    let request = ClientRequest(method, target, contentType: body.isEmpty ? "" : contentType)
    let response = try client.call(request, body: body.utf8.span)
    #expect((200..<300).contains(response.status), "\(target): \(client.body.span.text)")
    return client.body.span.text
}

/// Puts something of every kind into a service: six positions of four SKUs.
func fill(_ url: ServerURL) throws {
    try call(
        url, "PUT", "/v1/locations",
        #"[{"location":"DC1","groups":["west"]},{"location":"S,1","open":false}]"#)
    try call(url, "PUT", "/v1/items", #"{"sku":"A1","category":"shoes","name":"Boot \"x\""}"#)
    try call(url, "PUT", "/v1/rules", #"{"safety_stock":[{"id":"s","scope":{},"units":2}]}"#)
    try call(
        url, "POST", "/v1/stock",
        """
        sku,location,sellable,returned,damaged,blocked
        A1,DC1,20,1,2,3
        A1,"S,1",5,0,0,0
        B1,"S,1",7,0,0,4
        D1,DC1,0,0,0,0

        """, contentType: "text/csv")
    let answer = try call(url, "POST", "/v1/events", firstEvents)
    #expect(answer.contains("\"accepted\":3"), "\(answer)")
}

let firstEvents = """
    [{"id":"1","kind":"sale","sku":"A1","location":"DC1","qty":3},
     {"id":"2","kind":"receipt","sku":"C1","location":"NEW","qty":4},
     {"id":"3","kind":"return","sku":"B1","location":"DC1","qty":1}]
    """

/// Every state of every position, as the service has it: a line a SKU.
func positions(_ url: ServerURL) throws -> [String] {
    try ["A1", "B1", "C1", "D1"].map { sku in
        let text = try call(url, "GET", "/v1/positions/\(sku)")
        let start = try #require(text.range(of: "\"positions\":"))
        return sku + " " + text[start.upperBound...]
    }
}
