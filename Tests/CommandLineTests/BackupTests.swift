import Bytes
import Client
import Foundation
import Journal
import Platform
import Service
import Snapshot
import Synchronization
import Testing

@testable import holdfast

/// Receipts one after the other.
private final class Traffic: Sendable {
    let isEnding = Flag()
    let sent = Atomic(0)

    func run(_ url: ServerURL) {
        var client = HTTPClient(url)
        var number = 0
        while !isEnding.isUp {
            let body = #"[{"id":"t\#(number)","kind":"receipt","sku":"T1","location":"L","qty":1}]"#
            let request = ClientRequest("POST", "/v1/events", contentType: "application/json")
            let response = try? client.call(request, body: body.utf8.span)
            if response?.status != 200 { return }
            number += 1
            sent.store(number, ordering: .releasing)
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(3))) struct BackupTests {
    private let data: DataFolder
    private let folder: TestFolder

    init() throws {
        data = try DataFolder()
        folder = try TestFolder()
    }

    private var target: String { folder.path + "/copy" }

    private func backUp() -> Run { run("backup", "--data", data.path, "--to", target) }

    @Test(arguments: [true, false])
    func `a service on the copy has the same stock, at rest`(snapshotting: Bool) throws {
        let expected = try data.serve(snapshotting: snapshotting) { url, _ throws in
            try fill(url)
            return try positions(url)
        }
        let before = try data.contents()
        let run = backUp()
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.output.hasPrefix("\(target): \(snapshotting ? "snapshot 1 (6 positions)" : "")"))
        #expect(try data.contents() == before)
        let copy = try DataFolder(target)
        #expect(try copy.inspection()["whole"] as? Bool == true)
        try copy.serve { url, summary throws in
            #expect(summary.snapshot?.number == (snapshotting ? 1 : nil))
            #expect(try positions(url) == expected)
            #expect(try call(url, "POST", "/v1/events", firstEvents).contains("\"duplicates\":3"))
        }
    }

    @Test func `beside a service that takes events, the copy holds all that came before`() throws {
        try data.serve { url, _ throws in
            try fill(url)
            try call(url, "POST", "/v1/snapshots")
            try withTraffic(url) { sent in
                for round in 0..<3 {
                    let before = sent()
                    let path = "\(target)\(round)"
                    let run = run("backup", "--data", data.path, "--to", path)
                    let after = sent()
                    #expect(run.status == 0, "\(run.errors)")
                    let copy = try DataFolder(path)
                    try copy.serve { url, summary throws in
                        #expect(summary.journal?.cutByteCount == 0)
                        #expect(summary.snapshot?.number == 1)
                        let units = try units(url)
                        // One may be under way when the counter is read.
                        #expect(units >= before && units <= after + 1)
                    }
                }
            }
        }
    }

    /// Runs `body` while another thread sends receipts of one unit; it may ask how many of them were
    /// acknowledged.
    private func withTraffic(_ url: ServerURL, _ body: (() -> Int) throws -> Void) throws {
        let traffic = Traffic()
        let thread = try Platform.Thread.start(name: "traffic") { traffic.run(url) }
        while traffic.sent.load(ordering: .acquiring) == 0 {
            Platform.Thread.sleep(milliseconds: 1)
        }
        let result = Result { try body { traffic.sent.load(ordering: .acquiring) } }
        traffic.isEnding.raise()
        thread.join()
        try result.get()
    }

    @Test func `what is damaged is not copied, and leaves nothing behind`() throws {
        try data.serve(snapshotting: false) { url, _ in try fill(url) }
        let place = try data.place(ofFrame: 1, of: StreamNumber.control)
        try data.flipBit(of: "journal/0000000000000000.journal", at: place)
        let run = backUp()
        #expect(run.status == 3)
        #expect(run.errors.contains("cannot be copied: 0000000000000000.journal, offset"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func `a damaged snapshot is passed over`() throws {
        let expected = try data.serve(snapshotting: false) { url, _ throws in
            try fill(url)
            try call(url, "POST", "/v1/snapshots")
            try call(
                url, "POST", "/v1/stock", "sku,location,sellable\nA1,DC1,9\n",
                contentType: "text/csv")
            try call(url, "POST", "/v1/snapshots")
            return try positions(url)
        }
        try data.flipBit(of: "snapshots/2/positions/0.parquet", at: 9)
        #expect(backUp().status == 0)
        let copy = try DataFolder(target)
        try copy.serve { url, summary throws in
            #expect(summary.snapshot?.number == 1)
            #expect(try positions(url) == expected)
        }
    }

    @Test func `nothing is written over`() throws {
        try data.serve { _, _ in }
        #expect(backUp().status == 0)
        let again = backUp()
        #expect(again.status == 3)
        #expect(again.errors.contains("cannot make \(target): File exists"))
    }

    // MARK: - From a service

    @Test func `a copy from a service is that of its directory, also as tar unpacks it`() throws {
        let expected = try data.serve { url, _ throws in
            try fill(url)
            try call(url, "POST", "/v1/snapshots")
            try call(
                url, "POST", "/v1/stock", "sku,location,sellable\nA1,DC1,9\n",
                contentType: "text/csv")
            let run = run("backup", "--from", "\(url)", "--to", target)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output.hasPrefix("\(target): snapshot 1 (6 positions) and "))
            let archive = try #require(
                FileHandle(forWritingAtPath: folder.file("backup.tar", "")))
            var client = HTTPClient(url)
            let response = try client.stream(ClientRequest("GET", "/v1/backup")) { bytes in
                archive.write(Data(bytes.array))
            }
            #expect(response.status == 200 && response.contentType == "application/x-tar")
            #expect(try temporaries() == [])
            return try positions(url)
        }
        try FileManager.default.createDirectory(
            atPath: folder.path + "/tar", withIntermediateDirectories: false)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "xf", folder.path + "/backup.tar", "-C", folder.path + "/tar"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/tar")
        let unpacked = folder.path + "/tar/" + (try #require(names.first))
        #expect(names.count == 1)
        for path in [target, unpacked] {
            let copy = try DataFolder(path)
            #expect(try copy.inspection()["whole"] as? Bool == true)
            try copy.serve { url, _ throws in
                #expect(try positions(url) == expected)
                #expect(
                    try call(url, "POST", "/v1/events", firstEvents).contains("\"duplicates\":3"))
            }
        }
    }

    private func temporaries() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: data.path + "/temporary")
    }

    @Test func `a copy from a service that takes events holds all that came before`() throws {
        try data.serve { url, _ throws in
            try fill(url)
            try withTraffic(url) { sent in
                for round in 0..<3 {
                    let before = sent()
                    let path = "\(target)\(round)"
                    // What is copied may go meanwhile.
                    try call(url, "POST", "/v1/snapshots")
                    let run = run("backup", "--from", "\(url)", "--to", path)
                    let after = sent()
                    #expect(run.status == 0, "\(run.errors)")
                    let copy = try DataFolder(path)
                    try copy.serve { url, summary throws in
                        #expect(summary.journal?.cutByteCount == 0)
                        let units = try units(url)
                        // One may be under way when the counter is read.
                        #expect(units >= before && units <= after + 1)
                    }
                }
            }
        }
    }

    private func units(_ url: ServerURL) throws -> Int {
        let text = try call(url, "GET", "/v1/positions/T1")
        let found = try #require(text.firstMatch(of: /"sellable":(\d+)/))
        return try #require(Int(found.output.1))
    }

    /// A backup that nobody reads: so large that no buffer takes it.
    private func stalledBackup(_ url: ServerURL) throws -> HTTPClient {
        var stalled = HTTPClient(url)
        try stalled.send(ClientRequest("GET", "/v1/backup"))
        while (try? temporaries())?.isEmpty ?? true { Platform.Thread.sleep(milliseconds: 1) }
        for _ in 0..<2000 {
            var client = HTTPClient(url)
            let response = try client.call(ClientRequest("GET", "/v1/backup?"))
            if response.status == 429 {
                #expect(response.retryAfterSeconds == 5)
                return stalled
            }
            Platform.Thread.sleep(milliseconds: 5)
        }
        throw CommandError.failed("no backup was under way")
    }

    @Test func `one backup at a time, and a client that leaves ends its own`() throws {
        data.change = { $0.segmentByteCount = 24 << 20 }
        try data.serve { url, _ in
            try fill(url)
            do {
                let stalled = try stalledBackup(url)
                let busy = run("backup", "--from", "\(url)", "--to", target)
                #expect(busy.status == 3 && busy.errors.contains("another call of this kind"))
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
                // Other kinds go on.
                try call(url, "GET", "/v1/export/positions")
                _ = consume stalled
            }
            var last = run("backup", "--from", "\(url)", "--to", target)
            for _ in 0..<1000 where last.status != 0 {
                Platform.Thread.sleep(milliseconds: 20)
                last = run("backup", "--from", "\(url)", "--to", target)
            }
            #expect(last.status == 0, "\(last.errors)")
            #expect(try temporaries() == [])
        }
    }

    @Test(arguments: [false, true])
    func `a service that ends in the middle leaves no copy`(isAtOnce: Bool) throws {
        data.change = { $0.segmentByteCount = 32 << 20 }
        let service = try HoldfastService(data.configuration)
        try service.start()
        _ = try service.load()
        let url = ServerURL(service.address)
        try fill(url)
        let result = Mutex<Run?>(nil)
        let path = target
        let client = try Platform.Thread.start(name: "client") {
            let found = run("backup", "--from", "\(url)", "--to", path)
            result.withLock { $0 = found }
        }
        let first = path + ".writing/journal/0000000000000000.journal"
        for _ in 0..<4000 where !FileManager.default.fileExists(atPath: first) {
            Platform.Thread.sleep(milliseconds: 1)
        }
        if isAtOnce { service.stop() } else { service.drain() }
        service.join()
        _ = service.close { false }
        client.join()
        let ended = try #require(result.withLock { $0 })
        #expect(ended.status == 3, "\(ended.output)")
        #expect(ended.errors.contains("the server closed the connection"), "\(ended.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        #expect(try temporaries() == [])
    }

    @Test func `an archive that breaks off, or is none, leaves nothing`() throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for (body, reason) in [
            ("5\r\nhello\r\n", "the server closed the connection"),
            ("5\r\nhello\r\n0\r\n\r\n", "the backup breaks off"),
            ("400\r\n" + String(repeating: "x", count: 1024) + "\r\n", "cannot unpack"),
        ] {
            let service = try CannedService([head + body])
            let run = run("backup", "--from", "\(service.url)", "--to", target)
            #expect(run.status == 3 && run.errors.contains(reason), "\(run.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        }
    }

    @Test func `what a killed service has left of calls goes at the next start`() throws {
        try data.serve { url, _ in try fill(url) }
        let left = data.path + "/temporary/1234/snapshots"
        try FileManager.default.createDirectory(
            atPath: left, withIntermediateDirectories: true)
        try data.serve { _, _ in
            #expect(!FileManager.default.fileExists(atPath: data.path + "/temporary"))
        }
    }

    @Test(arguments: [
        (["backup", "--to", "x"], "--from URL or --data DIR is required"),
        (["backup", "--data", "x"], "--to DIR is required"),
        (
            ["backup", "--from", "http://h", "--data", "x", "--to", "x"],
            "--from and --data exclude each other"
        ),
    ])
    func `what makes no sense is refused`(arguments: [String], message: String) {
        let console = Console.capturing()
        #expect(runHoldfast(arguments, console: console) == 2)
        #expect(console.captured.errors.hasPrefix("holdfast: \(message)"))
    }
}
