import Bytes
import Client
import Engine
import Foundation
import Platform
import Service
import Synchronization

@testable import holdfast

/// Runs `body` against a service of its own.
func withService<Result>(
    createsUnknown: Bool = true, _ body: (ServerURL) throws -> Result
) throws -> Result {
    var configuration = ServiceConfiguration()
    configuration.address = .loopback(port: 0)
    configuration.reactorCount = 2
    configuration.engine.createsUnknown = createsUnknown
    let service = try HoldfastService(configuration)
    try service.start()
    defer {
        service.stop()
        service.join()
    }
    return try body(ServerURL(service.address))
}

/// What a run of the program did.
struct Run: Equatable {
    var status: Int32
    var output: String
    var errors: String

    var errorLines: [Substring] { errors.split(separator: "\n") }
}

/// Runs the program in this process.
func run(_ arguments: String...) -> Run { run(arguments) }

func run(_ arguments: [String]) -> Run {
    let console = Console.capturing()
    let status = runHoldfast(arguments, console: console)
    return Run(
        status: status, output: console.captured.output, errors: console.captured.errors)
}

/// Imports a file in pieces of so many bytes.
///
/// - Returns: What became of its rows, and how the rejected ones are listed, without the path.
func importPieces(
    _ kind: ImportKind, _ path: String, to url: ServerURL, byteCount: Int, connectionCount: Int = 1
) throws -> (result: ImportResult, listed: [String]) {
    let console = Console.capturing()
    var options = ImportOptions()
    options.pieceByteCount = byteCount
    options.connectionCount = connectionCount
    var result = try importFile(kind, path, to: url, options, console, RejectsList(console))
    result.nanoseconds = 0
    let lines = console.captured.errors.split(separator: "\n")
    return (result, lines.map { String($0.dropFirst(path.count + 1)) })
}

/// How a result of such counts looks.
func counts(
    accepted: Int = 0, duplicates: Int = 0, parked: Int = 0, rejected: Int = 0
) -> ImportResult {
    var result = ImportResult()
    result.accepted = accepted
    result.duplicates = duplicates
    result.parked = parked
    result.rejected = rejected
    return result
}

/// A stand-in for a service that gives prepared answers, one a request.
final class CannedService: Sendable {
    let url: ServerURL
    private let bodies = Mutex<[String]>([])

    /// - Parameter answers: Whole responses; the connection is closed behind the last.
    init(_ answers: [String]) throws {
        let listener = try Listener(at: .loopback(port: 0))
        url = ServerURL(listener.address)
        let held = Mutex<Listener?>(try listener.shared())
        _ = try Platform.Thread.start(name: "canned") { [self] in
            guard let listener = held.withLock({ $0.take() }) else { return }
            for _ in 0..<10_000 {
                if case .connection(let descriptor, from: _) = listener.accept() {
                    return serve(descriptor, answers)
                }
                Platform.Thread.sleep(milliseconds: 1)
            }
        }
    }

    /// The bodies that came, in order.
    var received: [String] { bodies.withLock { $0 } }

    private func serve(_ descriptor: borrowing Descriptor, _ answers: [String]) {
        for answer in answers {
            var request = ByteBuffer()
            while !isWhole(request.span.text) {
                switch descriptor.receive(into: &request, room: 1 << 16) {
                case .bytes: break
                case .wouldBlock: Platform.Thread.sleep(milliseconds: 1)
                case .closed, .failed: return
                }
            }
            let text = request.span.text
            let body = text.components(separatedBy: "\r\n\r\n").dropFirst().joined()
            bodies.withLock { $0.append(body) }
            _ = descriptor.send(answer.utf8.span)
        }
    }

    private func isWhole(_ request: String) -> Bool {
        let parts = request.components(separatedBy: "\r\n\r\n")
        guard parts.count > 1 else { return false }
        for line in parts[0].components(separatedBy: "\r\n")
        where line.hasPrefix("Content-Length: ") {
            return parts[1].utf8.count >= Int(line.dropFirst(16)) ?? 0
        }
        return true
    }

    /// A response with a JSON body.
    static func answer(_ status: Int, _ body: String, headers: String = "") -> String {
        "HTTP/1.1 \(status) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}
