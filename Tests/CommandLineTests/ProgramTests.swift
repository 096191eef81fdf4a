import Bytes
import Foundation
import SampleData
import Testing
import Zstd

@testable import holdfast

/// The program as a process of its own.
final class RunningProgram {
    private let process = Process()
    private let output = Pipe()
    private let errors = Pipe()

    /// - Parameter input: What it reads from standard input.
    init(_ arguments: [String], input: String = "") throws {
        // Tests are linked beside the program.
        let path = try #require(programPath())
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        process.executableURL = folder.appendingPathComponent("holdfast")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = errors
        let standardInput = Pipe()
        process.standardInput = standardInput
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
    }

    deinit { if process.isRunning { process.terminate() } }

    /// The next line of its standard output.
    func readLine() throws -> String {
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            if byte.first == 0x0A { break }
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    func send(signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for its end.
    func finish() throws -> Run {
        let output = try output.fileHandleForReading.readToEnd() ?? Data()
        let errors = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Run(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct ProgramTests {
    /// Starts a service and reads from its first line where it listens.
    private func serve(_ options: String...) throws -> (program: RunningProgram, url: String) {
        let program = try RunningProgram(["serve", "--http", "127.0.0.1:0"] + options)
        let line = try program.readLine()
        let words = line.split(separator: " ")
        let url = try #require(words.first { $0.hasPrefix("http://") }).dropLast()
        return (program, String(url))
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal ends the service in order`(signal: Int32) throws {
        let (program, url) = try serve("--reactors", "2", "--shards", "4")
        #expect(run("query", "A", "--from", url).status == 0)
        program.send(signal: signal)
        #expect(try program.finish() == Run(status: 0, output: "", errors: ""))
    }

    @Test func `a second service does not share the address of the first`() throws {
        let (program, url) = try serve()
        let address = url.dropFirst("http://".count)
        let other = try RunningProgram(["serve", "--http", String(address)]).finish()
        #expect(
            other
                == Run(
                    status: 3, output: "",
                    errors: "holdfast: cannot listen on \(address): Address already in use "
                        + "(errno 98)\n"))
        program.send(signal: SIGTERM)
        #expect(try program.finish().status == 0)
    }

    @Test func `standard input is imported by the name of a hyphen`() throws {
        try withService { url in
            let run = try RunningProgram(
                ["import", "stock", "-", "--to", "\(url)"],
                input: "sku,location,sellable\nA,L,5\nA,L,x\n"
            ).finish()
            #expect(run.status == 1)
            #expect(run.output.hasPrefix("stock -: 2 rows in "))
            #expect(run.errors == "-:3: bad_quantity: sellable must be a whole number\n")
        }
    }

    @Test(arguments: [
        (["serve", "--http", "0.0.0.0:0"], "0.0.0.0:0 can be reached from other machines"),
        (["serve", "--http", "[::]:0"], "[::]:0 can be reached from other machines"),
        (["serve", "--durability", "sync"], "--durability needs --data DIR"),
        (["serve", "--segment-bytes", "8388608"], "--segment-bytes needs --data DIR"),
        (
            ["serve", "--data", "d", "--segment-bytes", "4096"],
            "--segment-bytes takes a number from 5242880 to 1073741824, not 4096"
        ),
        (
            ["serve", "--data", "d", "--segment-bytes", "8388609"],
            "--segment-bytes takes a multiple of 4096, not 8388609"
        ),
        (
            ["serve", "--data", "d", "--durability", "often"],
            "--durability takes sync, interval:MS (1 to 60000) or none, not often"
        ),
        (["serve", "--resp", "x"], "--resp: this version speaks HTTP alone"),
        (["serve", "--config", "x"], "--config: this version takes options from the command line"),
        (["serve", "x"], "serve takes no x"),
        (["serve", "--shards", "3"], "--shards takes a power of two, not 3"),
        (["serve", "--reactors", "0"], "--reactors takes a number from 1 to 256, not 0"),
        (["serve", "--unknown", "x"], "--unknown takes create or refuse, not x"),
        (["serve", "--http", "8080"], "--http takes HOST:PORT"),
        (["serve", "--late-window", "7"], "--late-window takes a time like"),
        (["serve", "--dedup-max", "many"], "--dedup-max takes a count like"),
        (["demo", "x"], "demo takes no x"),
        (["query"], "query which SKU?"),
        (
            ["query", "A", "--from", "http://h", "--group", "g", "--location", "l"],
            "--location and --group exclude each other"
        ),
        (["query", "A", "--from", "http://h", "--qty", "0"], "--qty takes a number from 1"),
        (["query", "A", "--from", "http://h", "--by", "x"], "--by: this version knows no"),
        (["export"], "--out FILE is required"),
        (["quary"], "no such command: quary; there are serve, demo, import, query, export"),
        (["--help-me"], "no such option: --help-me"),
        (["help", "load"], "no such command: load"),
    ])
    func `what makes no sense is refused in one line`(arguments: [String], message: String) {
        let console = Console.capturing()
        #expect(runHoldfast(arguments, console: console) == 2)
        let errors = console.captured.errors
        #expect(errors.hasPrefix("holdfast: \(message)"))
        #expect(errors.hasSuffix("\n") && !errors.dropLast().contains("\n"))
        #expect(console.captured.output == "")
    }

    @Test(arguments: [[], ["help"], ["--help"], ["-h"]])
    func `help lists every command`(arguments: [String]) {
        let console = Console.capturing()
        #expect(runHoldfast(arguments, console: console) == 0)
        for command in subcommands { #expect(console.captured.output.contains(command.summary)) }
        #expect(console.captured.errors == "")
    }

    @Test(arguments: ["serve", "demo", "import", "query", "export", "backup", "inspect"])
    func `the help of a command lists the options it has and no others`(name: String) throws {
        let command = try #require(subcommands.first { $0.name == name })
        let help = run("help", name)
        #expect(help.status == 0)
        #expect(run(name, "--help") == help)
        for option in command.options {
            #expect(help.output.contains("  --\(option.name) ") == (option.excuse == nil))
        }
    }

    @Test func `the version is one line`() {
        #expect(run("--version") == Run(status: 0, output: "holdfast 0.1.0\n", errors: ""))
    }
}

@Suite(.serialized, .timeLimit(.minutes(3))) struct QueryTests {
    @Test func `the answer of the service can be had as it is`() throws {
        try withService { url in
            let run = run("query", "NOPE", "--json", "--from", "\(url)")
            #expect(run.status == 0)
            let items = try answered(run.output.utf8.span)
            #expect(items.map(\.sku) == ["NOPE"])
            #expect(items.map(\.error) == ["unknown_sku"])
        }
    }

    @Test func `a quantity is said to be satisfied or not`() throws {
        let folder = try TestFolder()
        let path = try folder.file("s.csv", "sku,location,sellable\n--A,L1,5\n--A,L2,4\nB,L1,5\n")
        try withService { url in
            #expect(run("import", "stock", path, "--to", "\(url)").status == 0)
            let run = run(
                "query", "--qty", "6", "--from", "\(url)", "--location", "L2", "--location=L1",
                "--", "--A", "B")
            #expect(
                run
                    == Run(
                        status: 0,
                        output: """
                            SKU  AVAILABLE  MAX SINGLE  LEVEL  SATISFIED
                            --A          9           5  in     yes
                            B            5           5  in     no

                            """, errors: ""))
        }
    }

    @Test func `a channel that nobody knows is the service's answer`() throws {
        try withService(createsUnknown: false) { url in
            let run = run("query", "A", "--channel", "nope", "--from", "\(url)")
            #expect(run.status == 3)
            #expect(run.errors.hasPrefix("holdfast: unknown_channel"))
        }
    }
}

@Suite(.timeLimit(.minutes(3))) struct DemoTests {
    @Test func `the demo fills, checks and loads a service and ends`() throws {
        let folder = try TestFolder()
        try writeSample(to: folder)
        let run = run(
            "demo", "--http", "127.0.0.1:0", "--seconds", "1", "--exit", "--data-folder",
            folder.path)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors == "")
        #expect(!run.output.contains("WRONG"))
        #expect(!run.output.contains("\u{1B}"))
        for part in [
            "locations", "100 accepted", "positions of 100 SKUs in 6 locations",
            "400 accepted", "what is available is the sum over their", "1 item a request",
            "20 items a request",
        ] {
            #expect(run.output.contains(part), "\(part) is not in \(run.output)")
        }
    }

    @Test func `a folder without the sample is refused`() throws {
        let folder = try TestFolder()
        let run = run("demo", "--exit", "--data-folder", folder.path)
        #expect(run.status == 3)
        #expect(run.errors.hasPrefix("holdfast: \(folder.path) has no sample data: no items.csv"))
    }

    @Test func `popular numbers are drawn by Zipf's law`() {
        var picker = ZipfPicker(count: 100, seed: 1)
        var counts = [Int](repeating: 0, count: 100)
        for _ in 0..<200_000 { counts[picker.next()] += 1 }
        // Number n is drawn in proportion to 1 / (n + 1); the sum of them is 5.187.
        for rank in [1, 2, 5, 10, 50] {
            let wanted = 200_000 / (5.187 * Double(rank))
            #expect(abs(Double(counts[rank - 1]) - wanted) < 6 * wanted.squareRoot())
        }
    }

    /// A small retailer with a quiet day.
    private func writeSample(to folder: TestFolder) throws {
        let retailer = SampleRetailer(
            SampleOptions(seed: 7, skuCount: 100, storeCount: 3, eventCount: 400))
        for file in SampleFile.allCases {
            var bytes = ByteBuffer()
            retailer.append(file, to: &bytes)
            let name = file.isCompressed ? "\(file.rawValue).zst" : file.rawValue
            _ = try folder.file(name, bytes.span.text, isCompressed: file.isCompressed)
        }
    }
}
